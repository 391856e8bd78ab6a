//! What happens in a call: who takes part, and the legs (sessions) that it leaves behind.

use odata::primitive::TICKS_PER_SECOND;

use crate::calendar;
use crate::mix::{Kind, Mix};
use crate::population::{self, Party};
use crate::rng::Rng;

const HALF_HOUR: i64 = 1800 * TICKS_PER_SECOND;

/// Every meeting of [`Mix::Realistic`] with this index (counted round `BIG_PERIOD`) is a big one.
const BIG_PERIOD: u64 = 1500;
const BIG_INDEX: u64 = 700;
/// How many take part in a big meeting.
pub(crate) const BIG_SIZE: u64 = 2000;

/// Most sessions of a record of [`Mix::Bench`].
const BENCH_SESSIONS: usize = 60;

const PEER_SECONDS: [u64; 11] = [3, 25, 60, 110, 180, 280, 430, 700, 1_200, 2_400, 5_400];
const GROUP_SECONDS: [u64; 11] =
    [60, 600, 1_300, 1_700, 1_800, 1_900, 2_700, 3_500, 3_700, 5_400, 10_800];
/// From the end of a call to its first version.
const PUBLISH_SECONDS: [u64; 5] = [240, 480, 720, 1_200, 3_000];
/// From the first version to the second.
const UPDATE_SECONDS: [u64; 5] = [900, 2_400, 3_600, 5_400, 9_000];

/// One end of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Person(Party),
    /// The conference service that mixes a group call.
    Conference,
    /// The border to the public telephone network.
    Gateway,
    /// What joins a gateway to Teams.
    Mediation,
    /// The bot that answers test calls.
    TestBot,
}

/// How a leg went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    /// Nobody answered, or the call was taken back: start is end, no media.
    Unanswered,
    SetupFailed,
    Dropped,
}

/// Whether the client told how its media were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telemetry {
    Reported,
    /// Too late for the first version.
    Late,
    Never,
}

/// What a leg carries, as bits in the order in which they are printed.
pub(crate) mod modality {
    pub(crate) const AUDIO: u8 = 1;
    pub(crate) const VIDEO: u8 = 2;
    pub(crate) const VIDEO_BASED_SCREEN_SHARING: u8 = 4;
    pub(crate) const SCREEN_SHARING: u8 = 8;
    pub(crate) const DATA: u8 = 16;
}

/// A session to be. Times are ticks: from the start of the call while it is planned.
#[derive(Debug, Clone)]
pub(crate) struct Leg {
    pub(crate) id: [u8; 16],
    pub(crate) caller: Side,
    pub(crate) callee: Side,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) modalities: u8,
    pub(crate) outcome: Outcome,
    pub(crate) telemetry: Telemetry,
    pub(crate) is_test: bool,
    /// What the session's details are drawn from.
    pub(crate) seed: u64,
}

/// A call to be; reused from call to call for its buffers.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) id: [u8; 16],
    pub(crate) is_group: bool,
    pub(crate) has_join_url: bool,
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// When version 1 was published, and version 2 if there is one.
    pub(crate) published: [i64; 2],
    /// After how many further calls version 2 follows.
    pub(crate) update_lag: Option<u64>,
    /// Who takes part, each once; the organizer first.
    pub(crate) parties: Vec<Party>,
    pub(crate) legs: Vec<Leg>,
    mix: Mix,
}

/// Everything in the two versions of a call that depends on nothing but these.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) seed: u64,
    pub(crate) mix: Mix,
    /// First tick of the span of calls, and the first one after it.
    pub(crate) span: (i64, i64),
}

impl Call {
    /// Plans call number `index` of `frame` in place of the former one.
    pub(crate) fn plan(&mut self, frame: &Frame, index: u64) {
        let mut rng = Rng::of(frame.seed, index);
        self.mix = frame.mix;
        self.id = rng.guid();
        self.parties.clear();
        self.legs.clear();
        self.has_join_url = false;
        self.update_lag = (frame.mix == Mix::Realistic && rng.chance(80))
            .then(|| *rng.pick(&[0, 0, 0, 1, 2, 3, 5]));
        let big = frame.mix == Mix::Realistic && index % BIG_PERIOD == BIG_INDEX;
        let kind = if big { Kind::TownHall } else { frame.mix.kind(&mut rng) };
        match kind {
            Kind::PeerToPeer => self.peer_to_peer(&mut rng),
            Kind::Telephone => self.telephone(&mut rng),
            Kind::Test => self.test(&mut rng),
            Kind::Group => {
                self.has_join_url = true;
                let size = rng.quantile(frame.mix.group_sizes());
                self.group(&mut rng, size, 0);
            }
            Kind::Grown => self.grown(&mut rng),
            Kind::VoiceApplication => self.voice_application(&mut rng),
            Kind::TownHall => {
                self.has_join_url = true;
                let size = if big { BIG_SIZE } else { rng.quantile(&[40, 60, 90, 150, 300]) };
                self.town_hall(&mut rng, size);
            }
        }
        self.is_group =
            !matches!(kind, Kind::PeerToPeer | Kind::Telephone | Kind::Test) && self.legs.len() > 1;
        self.settle(frame, &mut rng);
    }

    /// Puts the call at its place in time.
    fn settle(&mut self, frame: &Frame, rng: &mut Rng) {
        let first = self.legs.iter().map(|leg| leg.start).min().unwrap_or(0);
        let last = self.legs.iter().map(|leg| leg.end).max().unwrap_or(0);
        let publish = ticks(rng, &PUBLISH_SECONDS);
        let update = publish + ticks(rng, &UPDATE_SECONDS);
        let (from, to) = frame.span;
        // All of it is over by the end of the span, so that nothing lies in a reader's future.
        let latest = to.saturating_sub(last - first + update).max(from);
        let drawn = calendar::instant(rng, from, latest);
        let snapped = drawn - drawn.rem_euclid(HALF_HOUR) + rng.below(600_000_000) as i64;
        let on_the_hour = self.has_join_url && rng.chance(600) && (from..drawn).contains(&snapped);
        self.start = if on_the_hour { snapped } else { drawn };
        self.end = self.start + (last - first);
        self.published = [self.end + publish, self.end + update];
        let shift = self.start - first;
        for leg in &mut self.legs {
            leg.start += shift;
            leg.end += shift;
        }
    }

    fn peer_to_peer(&mut self, rng: &mut Rng) {
        let caller = popular(rng);
        // Mostly somebody of the same team; sometimes a partner.
        let callee = if rng.chance(60) {
            population::external(rng.bits())
        } else {
            population::user(u64::from(caller) + rng.between(1, 40))
        };
        self.parties.extend([caller, callee]);
        let outcome = match rng.below(1000) {
            0..150 => Outcome::Unanswered,
            150..180 => Outcome::SetupFailed,
            180..205 => Outcome::Dropped,
            _ => Outcome::Completed,
        };
        let modalities = modality::AUDIO | self.mix.peer_extras(rng);
        self.single(rng, Side::Person(caller), Side::Person(callee), outcome, modalities);
    }

    fn telephone(&mut self, rng: &mut Rng) {
        let (user, phone) = (popular(rng), population::phone(rng.bits()));
        let (caller, callee) = if rng.chance(500) { (user, phone) } else { (phone, user) };
        self.parties.extend([caller, callee]);
        let outcome = match rng.below(1000) {
            0..200 => Outcome::Unanswered,
            200..250 => Outcome::SetupFailed,
            250..275 => Outcome::Dropped,
            _ => Outcome::Completed,
        };
        self.single(rng, Side::Person(caller), Side::Person(callee), outcome, modality::AUDIO);
    }

    fn test(&mut self, rng: &mut Rng) {
        let user = popular(rng);
        self.parties.push(user);
        let (caller, callee) = (Side::Person(user), Side::TestBot);
        self.single(rng, caller, callee, Outcome::Completed, modality::AUDIO);
        self.legs[0].is_test = true;
    }

    /// The one leg of a call of two, with the record's own id.
    fn single(&mut self, rng: &mut Rng, a: Side, b: Side, outcome: Outcome, modalities: u8) {
        let end = match outcome {
            Outcome::Unanswered => 0,
            Outcome::SetupFailed => rng.below(20 * TICKS_PER_SECOND as u64) as i64,
            Outcome::Completed | Outcome::Dropped => ticks(rng, &PEER_SECONDS),
        };
        let reported = self.mix.peer_reported();
        self.leg(rng, (a, b), (0, end), (outcome, modalities), reported);
        self.legs[0].id = self.id;
    }

    /// A meeting of `size` from one team and its guests, `offset` ticks into the call.
    fn group(&mut self, rng: &mut Rng, size: u64, offset: i64) {
        let organizer = u64::from(popular(rng));
        let (stride, other) = (rng.between(1, 60), rng.bits() >> 32);
        for k in 0..size {
            let teammate = population::user(organizer + k * stride % 61);
            let party = match if k == 0 { 0 } else { rng.below(1000) } {
                0..820 => teammate,
                820..900 => population::external(other + k),
                900..950 => population::guest(other + k),
                950..990 => population::phone(other + k),
                _ => population::communication_services(other + k),
            };
            self.parties.push(party);
        }
        let length = ticks(rng, &GROUP_SECONDS);
        for k in 0..size as usize {
            let party = self.parties[k];
            if k > 0 && rng.chance(self.mix.unanswered()) {
                let at = offset + rng.below(length as u64 / 4) as i64;
                self.conference_leg(rng, party, (at, at), Outcome::Unanswered, modality::AUDIO);
                continue;
            }
            let visits = 1 + u64::from(rng.chance(self.mix.rejoined()));
            self.attend(rng, party, k == 0, visits, (offset, length));
            if rng.chance(self.mix.shared()) {
                let start = offset + length / 4 + rng.below(length as u64 / 4) as i64;
                let end = start + length / 20 + rng.below(length as u64 / 4) as i64;
                let sharing = modality::VIDEO_BASED_SCREEN_SHARING;
                self.conference_leg(rng, party, (start, end), Outcome::Completed, sharing);
            }
        }
    }

    /// A meeting across the whole tenant, each party different; people come and go.
    fn town_hall(&mut self, rng: &mut Rng, size: u64) {
        let organizer = u64::from(popular(rng));
        let stride = rng.between(1, u64::from(population::USERS) - 1);
        let other = rng.bits() >> 32;
        for k in 0..size {
            self.parties.push(match k * 100 / size {
                0..85 => population::user(organizer + k * stride),
                85..91 => population::external(other + k),
                91..98 => population::guest(other + k),
                _ => population::phone(other + k),
            });
        }
        let length = (ticks(rng, &GROUP_SECONDS)).max(HALF_HOUR);
        for k in 0..size as usize {
            let visits = 1 + u64::from(rng.chance(350)) + u64::from(rng.chance(150));
            self.attend(rng, self.parties[k], k == 0, visits, (0, length));
        }
    }

    /// One person's sessions in a meeting: `visits`, one after the other.
    fn attend(
        &mut self,
        rng: &mut Rng,
        party: Party,
        is_first: bool,
        visits: u64,
        (offset, length): (i64, i64),
    ) {
        let minutes = |n: i64| n * 60 * TICKS_PER_SECOND;
        let late = rng.below((length / 10).min(minutes(10)) as u64) as i64;
        let join = offset + if is_first { 0 } else { late };
        let leave = offset + length - rng.below((length / 8).min(minutes(5)) as u64) as i64;
        let share = (leave - join) / visits as i64;
        let modalities = if population::is_phone(party) {
            modality::AUDIO
        } else {
            modality::AUDIO | self.mix.group_extras(rng)
        };
        for visit in 0..visits as i64 {
            let start = join + visit * share;
            let away = if visits > 1 { rng.below(share as u64 / 10) as i64 } else { 0 };
            let dropped = visit + 1 < visits as i64 && rng.chance(250) || rng.chance(12);
            let outcome = if dropped { Outcome::Dropped } else { Outcome::Completed };
            self.conference_leg(rng, party, (start, start + share - away), outcome, modalities);
        }
    }

    /// A call of two to which others were added: the first leg stays behind, empty.
    fn grown(&mut self, rng: &mut Rng) {
        let size = rng.between(3, self.mix.grown_to());
        let offset = rng.between(20, 300) as i64 * TICKS_PER_SECOND;
        self.group(rng, size, offset);
        let ends = (Side::Person(self.parties[0]), Side::Person(self.parties[1]));
        self.leg(rng, ends, (0, 0), (Outcome::Unanswered, modality::AUDIO), 0);
        let first = self.legs.len() - 1;
        self.legs[first].id = self.id;
        self.legs.swap(0, first);
    }

    /// A caller meets an auto attendant, mostly is sent to a queue, and agents are rung.
    fn voice_application(&mut self, rng: &mut Rng) {
        let caller = population::phone(rng.bits());
        let desk = rng.bits();
        let attendant = population::attendant(desk);
        self.parties.extend([caller, attendant]);
        let greeted = rng.between(6, 40) as i64 * TICKS_PER_SECOND;
        let (from, heard) = (Side::Person(caller), (Outcome::Completed, modality::AUDIO));
        let reported = self.mix.group_reported();
        self.leg(rng, (from, Side::Person(attendant)), (0, greeted), heard, reported);
        self.legs[0].id = self.id;
        if rng.chance(250) {
            return;
        }
        let queue = population::queue(desk >> 8);
        self.parties.push(queue);
        let waited = greeted + rng.between(5, 180) as i64 * TICKS_PER_SECOND;
        self.leg(rng, (from, Side::Person(queue)), (greeted, waited), heard, reported);
        let first_agent = desk >> 16;
        let rung = rng.below(self.mix.agents_rung());
        for k in 0..rung {
            let agent = population::user(first_agent % 400 + k);
            self.parties.push(agent);
            let at = greeted + rng.below((waited - greeted) as u64) as i64;
            let ends = (from, Side::Person(agent));
            self.leg(rng, ends, (at, at), (Outcome::Unanswered, modality::AUDIO), 0);
        }
        if rng.chance(820) {
            let agent = population::user(first_agent % 400 + rung);
            self.parties.push(agent);
            let end = waited + ticks(rng, &PEER_SECONDS);
            self.leg(rng, (from, Side::Person(agent)), (waited, end), heard, reported);
        }
    }

    fn conference_leg(
        &mut self,
        rng: &mut Rng,
        party: Party,
        times: (i64, i64),
        outcome: Outcome,
        modalities: u8,
    ) {
        if self.mix == Mix::Bench && self.legs.len() + 1 >= BENCH_SESSIONS {
            return;
        }
        let ends = (Side::Person(party), Side::Conference);
        self.leg(rng, ends, times, (outcome, modalities), self.mix.group_reported());
    }

    fn leg(
        &mut self,
        rng: &mut Rng,
        (caller, callee): (Side, Side),
        (start, end): (i64, i64),
        (outcome, modalities): (Outcome, u8),
        reported: u64,
    ) {
        let telemetry = if !rng.chance(reported) {
            Telemetry::Never
        } else if self.update_lag.is_some() && (self.legs.is_empty() || rng.chance(300)) {
            Telemetry::Late
        } else {
            Telemetry::Reported
        };
        self.legs.push(Leg {
            id: rng.guid(),
            caller,
            callee,
            start,
            end,
            modalities,
            outcome,
            telemetry,
            is_test: false,
            seed: rng.bits(),
        });
    }
}

/// A user, some far more often than others.
fn popular(rng: &mut Rng) -> Party {
    let users = u64::from(population::USERS);
    let nearer = rng.below(users).min(rng.below(users));
    population::user(nearer.min(rng.below(users)))
}

/// Ticks of a distribution of seconds, not rounded to the second.
fn ticks(rng: &mut Rng, seconds: &[u64]) -> i64 {
    rng.quantile(seconds) as i64 * TICKS_PER_SECOND + rng.below(TICKS_PER_SECOND as u64) as i64
}
