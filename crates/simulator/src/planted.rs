//! Causes of poor quality that are planted on purpose, so that it can be checked whether somebody
//! finds them.
//!
//! | cause | hits | shows as | makes streams poor by |
//! |---|---|---|---|
//! | `subnet` | a wired subnet of one office | `network/subnet` | loss |
//! | `vpn` | one of the eight tunnels, which says that it is wired | an address in `172.20.x.0/24` | round trip |
//! | `headset` | a model that one person in forty has | `device/captureDeviceName` | jitter |
//! | `client` | a version that one desktop in thirteen has, from day 20 of the span on | `userAgent/applicationVersion` | loss |
//! | `sbc` | a session border controller that is down for 40 minutes | `trunkFullyQualifiedDomainName` | nothing: calls fail in set-up |
//! | `access-point` | one of two access points of an office's Wi-Fi | `network/basicServiceSetIdentifier` | jitter |
//! | `isp` | the provider of some homes | `network/reflexiveIPAddress` in a network of 16 addresses | jitter |
//!
//! Each cause draws from a part of the seed that is its own, and an end of a leg is hit by a draw
//! from the leg and the cause. So a cause hits the same whichever others there are, and a longer run
//! has all that a shorter one has. Spans shorter than 30 days have day 20 at the same share of them.
//!
//! # How much
//!
//! A cause makes at most 2 % of all streams poor, and it makes a quarter to a third of the audio that
//! lies on its value poor, what is poor anyway included: within three times the share of a whole
//! fleet without causes, which is 11 % of the audio that the profile `cqd-2021` judges (tests measure
//! both). That is enough to be the first row of a list by the lower bound of Wilson's interval
//! (95 %), once there are some thousand calls, and too little to be seen in the figures of everybody.
//!
//! Nothing else may stand out as much. Where there is any cause, the three subnets that are bad
//! without one are like all others, and mobile networks and tunnels have less jitter. Otherwise
//! streams are what they are without causes, figure for figure: what is poor and not in the truth is
//! poor without.
//!
//! The outage takes calls that nobody would have answered: every other of those through direct
//! routing is made while the controller is down, and fails. No media are lost to it, so that it
//! takes nothing from the other causes. What else would go through the controller in these 40
//! minutes goes through the other one.

mod truth;

use odata::primitive::{TICKS_PER_DAY, TICKS_PER_SECOND};

use crate::calendar::{self, Span};
use crate::network::{Attachment, Connection};
use crate::persona::{Kind, Persona};
use crate::quality::Quality;
use crate::rng::Rng;

pub(crate) use truth::{StreamPlace, Truth};

/// Draws of causes come from tags that nothing else has.
const TAG: u64 = 0x0070_6c61_6e74_6564;

/// Streams with fewer packets, or as many, are judged by nobody.
pub(crate) const GATE_PACKETS: u64 = 500;

/// The version of the client that makes streams poor.
pub(crate) const CLIENT_VERSION: &str = "25198.1109.3837.4725";
/// The session border controller that is down for a while.
pub(crate) const DOWN_TRUNK: &str = "sbc1.contoso.com";
const OUTAGE: i64 = 40 * 60 * TICKS_PER_SECOND;

/// Of a thousand people, who have the headset; of a thousand with a desktop, who get the client.
const HEADSET_OWNERS: u64 = 25;
const CLIENT_USERS: u64 = 75;
/// Of a thousand calls that the outage can take, those that it takes.
const OUTAGE_CALLS: u64 = 500;

/// A cause of poor quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A wired subnet of an office.
    Subnet,
    /// A tunnel that says that it is wired.
    Vpn,
    /// A model of headset.
    Headset,
    /// A version of the client, from day 20 on.
    Client,
    /// A session border controller that is down for 40 minutes.
    Sbc,
    /// A Wi-Fi access point.
    AccessPoint,
    /// An internet service provider.
    Isp,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 7] = [
        Self::Subnet,
        Self::Vpn,
        Self::Headset,
        Self::Client,
        Self::Sbc,
        Self::AccessPoint,
        Self::Isp,
    ];

    /// Its name in the truth.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subnet => "subnet",
            Self::Vpn => "vpn",
            Self::Headset => "headset",
            Self::Client => "client",
            Self::Sbc => "sbc",
            Self::AccessPoint => "access-point",
            Self::Isp => "isp",
        }
    }

    /// What holds its value: of an end of a stream, or of a row of direct routing.
    fn dimension(self) -> &'static str {
        match self {
            Self::Subnet => "network/subnet",
            Self::Vpn => "network/ipAddress",
            Self::Headset => "device/captureDeviceName",
            Self::Client => "userAgent/applicationVersion",
            Self::Sbc => "trunkFullyQualifiedDomainName",
            Self::AccessPoint => "network/basicServiceSetIdentifier",
            Self::Isp => "network/reflexiveIPAddress",
        }
    }

    /// How many in a thousand ends that have its value it hits: the fewer, the more of them are
    /// poor without it.
    fn per_mille(self) -> u64 {
        match self {
            Self::Subnet => 290,
            Self::Headset | Self::Client => 230,
            Self::AccessPoint | Self::Isp => 190,
            Self::Vpn => 170,
            Self::Sbc => 0,
        }
    }

    /// What it makes of a path. Whatever a stream varies, one figure is poor: jitter above 30 ms,
    /// loss above a tenth, round trip above half a second. Video stays good, whose frame loss is
    /// below half at three times the loss.
    fn quality(self, rng: &mut Rng) -> Quality {
        let [jitter_ms, loss_ppm, round_trip_ms] = match self {
            Self::Subnet | Self::Client => [14, rng.between(120_000, 140_000), 60],
            Self::Vpn => [16, 8_000, rng.between(600, 780)],
            Self::Headset => [rng.between(38, 60), 0, 0],
            Self::AccessPoint => [rng.between(38, 58), 30_000, 70],
            Self::Isp => [rng.between(38, 70), 4_000, 90],
            Self::Sbc => [0, 0, 0],
        };
        Quality { jitter_ms, loss_ppm, round_trip_ms, ..Quality::BEST }
    }

    /// Whether it is the network's fault, and not that of an end's device or software.
    fn is_of_network(self) -> bool {
        matches!(self, Self::Subnet | Self::Vpn | Self::AccessPoint | Self::Isp)
    }
}

/// A set of causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Causes(u8);

impl Causes {
    fn insert(&mut self, cause: Cause) {
        self.0 |= 1 << cause as u8;
    }

    fn contains(self, cause: Cause) -> bool {
        self.0 >> cause as u8 & 1 == 1
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Cause> {
        Cause::ALL.into_iter().filter(move |cause| self.contains(*cause))
    }
}

/// Which causes there are, and what each of them hits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Targets {
    seed: u64,
    causes: Causes,
    subnet: [u8; 3],
    vpn: [u8; 3],
    access_point: [u8; 3],
    /// The first address of the provider's network.
    isp: [u8; 4],
    client_from: i64,
    outage: Span,
}

/// An end of a leg, as far as a cause can hit it.
pub(crate) struct Seat<'a> {
    pub(crate) persona: &'a Persona,
    /// On a mobile client.
    pub(crate) away: bool,
    pub(crate) is_callee: bool,
    pub(crate) leg_seed: u64,
    pub(crate) leg_start: i64,
}

/// What causes do to an end of a leg beside its network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trouble {
    /// Those that hit it.
    pub(crate) causes: Causes,
    /// What device and software make of its audio.
    pub(crate) quality: Quality,
    /// It shows the headset, hit or not.
    pub(crate) has_headset: bool,
    /// It shows the client, hit or not.
    pub(crate) has_client: bool,
}

impl Trouble {
    pub(crate) const NONE: Self =
        Self { causes: Causes(0), quality: Quality::BEST, has_headset: false, has_client: false };
}

impl Targets {
    /// What `causes` hit in calls of `span`.
    pub(crate) fn new(seed: u64, span: Span, causes: &[Cause]) -> Self {
        let mut set = Causes::default();
        for cause in causes {
            set.insert(*cause);
        }
        let office = |cause, first| {
            let mut rng = Self::draws(seed, cause, 0);
            [10, 10 + rng.below(8) as u8, first + rng.below(2) as u8]
        };
        let [_, office_of_point, subnet_of_point] = office(Cause::AccessPoint, 32);
        let length = span.to.saturating_sub(span.from);
        let middle = Span { from: span.from + length / 3, to: span.to - length / 3 };
        let down = calendar::instant(&mut Self::draws(seed, Cause::Sbc, 0), middle);
        Self {
            seed,
            causes: set,
            subnet: office(Cause::Subnet, 16),
            vpn: [172, 20, Self::draws(seed, Cause::Vpn, 0).below(8) as u8],
            access_point: [office_of_point, subnet_of_point, 0],
            isp: [192, 0, 2, 16 * Self::draws(seed, Cause::Isp, 0).between(1, 14) as u8],
            client_from: span.from + (length / 30 * 19).min(19 * TICKS_PER_DAY),
            outage: Span { from: down, to: (down + OUTAGE).min(span.to) },
        }
    }

    /// Whether there is no cause.
    pub(crate) fn is_empty(&self) -> bool {
        self.causes.is_empty()
    }

    /// When the session border controller is down, if that is a cause.
    pub(crate) fn outage(&self) -> Option<Span> {
        self.causes.contains(Cause::Sbc).then_some(self.outage)
    }

    /// When in the outage the call is made that this half of an id stands for, if it takes it.
    pub(crate) fn outage_takes(&self, half: u64) -> Option<i64> {
        let Span { from, to } = self.outage()?;
        let mut rng = Self::draws(self.seed, Cause::Sbc, half);
        rng.chance(OUTAGE_CALLS).then(|| from + rng.below((to - from).max(1) as u64) as i64)
    }

    /// Lets the causes at an end that is attached at `attachment`.
    pub(crate) fn trouble(&self, seat: &Seat<'_>, attachment: &mut Attachment) -> Trouble {
        let mut trouble = Trouble::NONE;
        attachment.shows_access_point = self.causes.contains(Cause::AccessPoint);
        for cause in self.causes.iter() {
            if !self.lies_on(cause, seat, attachment) {
                continue;
            }
            match cause {
                Cause::Vpn => attachment.connection = Connection::Wired,
                Cause::Headset => trouble.has_headset = true,
                Cause::Client => trouble.has_client = true,
                _ => {}
            }
            let of_end = seat.leg_seed.wrapping_add(u64::from(seat.is_callee));
            let mut rng = Self::draws(self.seed, cause, of_end);
            if rng.chance(cause.per_mille()) {
                let quality = cause.quality(&mut rng);
                let hit = if cause.is_of_network() {
                    &mut attachment.quality
                } else {
                    &mut trouble.quality
                };
                *hit = hit.across(quality);
                trouble.causes.insert(cause);
            }
        }
        trouble
    }

    fn lies_on(&self, cause: Cause, seat: &Seat<'_>, attachment: &Attachment) -> bool {
        let chosen =
            |per_mille| Self::draws(self.seed, cause, seat.persona.trait_bits).chance(per_mille);
        match cause {
            Cause::Subnet => attachment.network() == self.subnet,
            Cause::Vpn => attachment.network() == self.vpn,
            Cause::AccessPoint => attachment.access_point() == Some(self.access_point),
            Cause::Isp => {
                let [a, b, c, host] = attachment.public();
                [a, b, c, host & 0xf0] == self.isp
            }
            Cause::Headset => !seat.away && chosen(HEADSET_OWNERS),
            Cause::Client => {
                let is_user = seat.persona.kind == Kind::User;
                let is_out = is_user && !seat.away && seat.leg_start >= self.client_from;
                is_out && chosen(CLIENT_USERS) && seat.persona.has_desktop()
            }
            Cause::Sbc => false,
        }
    }

    fn draws(seed: u64, cause: Cause, of: u64) -> Rng {
        Rng::of(seed ^ of, TAG + cause as u64)
    }
}
