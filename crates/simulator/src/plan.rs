//! What happens in a call: who takes part, and the legs (sessions) that it leaves behind.

mod scenario;

use odata::primitive::TICKS_PER_SECOND;

use crate::calendar::{self, Span};
use crate::mix::{Kind, Mix};
use crate::planted::Targets;
use crate::population::Party;
use crate::rng::Rng;

const HALF_HOUR: i64 = 1800 * TICKS_PER_SECOND;

/// Every meeting of [`Mix::Realistic`] with this index (counted round `BIG_PERIOD`) is a big one.
const BIG_PERIOD: u64 = 1500;
const BIG_INDEX: u64 = 700;
/// How many take part in a big meeting.
const BIG_SIZE: u64 = 2000;

/// From the end of a call to its first version.
const PUBLISH_SECONDS: [u64; 5] = [240, 480, 720, 1_200, 3_000];
/// From the first version to the second.
const UPDATE_SECONDS: [u64; 5] = [900, 2_400, 3_600, 5_400, 9_000];

/// Where the draws for the rows of a call begin in half of its id.
const ROWS: u64 = 0x726f_7773;

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

/// Which way a call of a user and a telephone goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    CallingPlan,
    OperatorConnect,
    /// Through the tenant's own session border controllers.
    DirectRouting,
}

impl Carrier {
    /// The first of a call's [`Call::row_draws`].
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        match rng.below(100) {
            0..45 => Self::CallingPlan,
            45..60 => Self::OperatorConnect,
            _ => Self::DirectRouting,
        }
    }
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

/// What is planned of a leg. Times are ticks from the start of the call.
#[derive(Debug, Clone, Copy)]
struct Draft {
    caller: Side,
    callee: Side,
    span: Span,
    outcome: Outcome,
    modalities: u8,
}

/// A call to be; reused from call to call for its buffers.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) id: [u8; 16],
    pub(crate) kind: Kind,
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
    /// Its session border controller is down.
    pub(crate) fails_in_outage: bool,
    mix: Mix,
}

/// Everything in the two versions of a call that depends on nothing but these.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) seed: u64,
    pub(crate) mix: Mix,
    /// The span of calls.
    pub(crate) span: Span,
    /// What planted causes hit.
    pub(crate) targets: Targets,
}

impl Leg {
    /// Whether anybody talked.
    pub(crate) fn is_established(&self) -> bool {
        matches!(self.outcome, Outcome::Completed | Outcome::Dropped)
    }
}

impl Call {
    /// The first half of the id, from which all is drawn that a record need not carry.
    pub(crate) fn half(&self) -> u64 {
        self.id[..8].iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
    }

    /// What the rows are drawn from that the call leaves in the logs of telephony.
    pub(crate) fn row_draws(&self) -> Rng {
        Rng::of(self.half(), ROWS)
    }

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
        self.kind = kind;
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
        // A voice application that answers all by itself is one leg between two.
        self.is_group =
            !matches!(kind, Kind::PeerToPeer | Kind::Telephone | Kind::Test) && self.legs.len() > 1;
        self.settle(frame, &mut rng);
        self.meet_outage(frame);
    }

    /// Puts the call at its place in time.
    fn settle(&mut self, frame: &Frame, rng: &mut Rng) {
        let first = self.legs.iter().map(|leg| leg.start).min().unwrap_or(0);
        let last = self.legs.iter().map(|leg| leg.end).max().unwrap_or(0);
        let publish = ticks(rng, &PUBLISH_SECONDS);
        let update = publish + ticks(rng, &UPDATE_SECONDS);
        let Span { from, to } = frame.span;
        // All of it is over by the end of the span, so that nothing lies in a reader's future.
        let latest = to.saturating_sub(last - first + update).max(from);
        let drawn = calendar::instant(rng, Span { from, to: latest });
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

    /// Moves a call through direct routing that nobody answered into the planted outage, if that
    /// takes it.
    fn meet_outage(&mut self, frame: &Frame) {
        self.fails_in_outage = false;
        if self.kind != Kind::Telephone
            || self.legs[0].outcome != Outcome::Unanswered
            || Carrier::draw(&mut self.row_draws()) != Carrier::DirectRouting
        {
            return;
        }
        if let Some(start) = frame.targets.outage_takes(self.half()) {
            let shift = start - self.start;
            self.fails_in_outage = true;
            self.published = self.published.map(|at| at + shift);
            (self.start, self.end) = (start, start);
            let leg = &mut self.legs[0];
            (leg.start, leg.end, leg.outcome) = (start, start, Outcome::SetupFailed);
        }
    }

    /// Adds a leg, whose telemetry is reported in so many cases of a thousand.
    fn leg(&mut self, rng: &mut Rng, draft: Draft, reported: u64) {
        let Draft { caller, callee, span, outcome, modalities } = draft;
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
            start: span.from,
            end: span.to,
            modalities,
            outcome,
            telemetry,
            is_test: false,
            seed: rng.bits(),
        });
    }
}

/// Ticks of a distribution of seconds, not rounded to the second.
fn ticks(rng: &mut Rng, seconds: &[u64]) -> i64 {
    rng.quantile(seconds) as i64 * TICKS_PER_SECOND + rng.below(TICKS_PER_SECOND as u64) as i64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use odata::primitive::TICKS_PER_DAY;

    use super::*;

    fn frame() -> Frame {
        let span = Span { from: 0, to: 30 * TICKS_PER_DAY };
        Frame { seed: 11, mix: Mix::Realistic, span, targets: Targets::new(11, span, &[]) }
    }

    #[test]
    fn any_2000_consecutive_calls_have_a_meeting_of_2000() {
        let mut call = Call::default();
        let mut former = None;
        for index in (0..6_000).filter(|index| index % BIG_PERIOD == BIG_INDEX) {
            call.plan(&frame(), index);
            let distinct: HashSet<_> = call.parties.iter().collect();
            assert_eq!(distinct.len(), 2000, "call {index}");
            assert!((2_800..3_200).contains(&call.legs.len()), "{}", call.legs.len());
            assert!(index - former.unwrap_or(0) <= 2000);
            former = Some(index);
        }
        assert!(former.is_some_and(|last| 6_000 - last <= 2000));
    }

    #[test]
    fn parties_are_distinct_and_every_person_on_a_leg_is_one() {
        let mut call = Call::default();
        for index in 0..3_000 {
            call.plan(&frame(), index);
            let parties: HashSet<_> = call.parties.iter().collect();
            assert_eq!(parties.len(), call.parties.len(), "call {index}");
            for side in call.legs.iter().flat_map(|leg| [leg.caller, leg.callee]) {
                assert!(!matches!(side, Side::Person(party) if !parties.contains(&party)));
            }
        }
    }
}
