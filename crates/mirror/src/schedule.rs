//! When the list of an hour is read again, and what its passes prove.
//!
//! A record is listed some time after its call has ended, and forgotten 30 days after its start. Passes while
//! an hour is young make new calls appear early. The *closing pass* begins when every call that started in
//! the hour is over and should be listed; the *sealing pass* begins so late that the source forgets the hour
//! next. Only what a finished pass has shown counts, and its time is that of the source when it began.

use odata::primitive::TICKS_PER_SECOND;

use crate::hours::{self, DAY, HOUR};

const MINUTE: i64 = 60 * TICKS_PER_SECOND;

/// Age of an hour at which it can be closed: the longest call takes 30 hours, a record 150 minutes, and 90
/// minutes are to spare.
pub const CLOSES: i64 = 34 * HOUR;
/// Age of an hour at which it can be sealed.
pub const SEALS: i64 = 28 * DAY + 12 * HOUR;
/// How long the source lists a record after its start.
pub const LISTED_FOR: i64 = 30 * DAY;
/// Ages of an hour at which it is read again whatever else is to be read.
const REPEATS: [i64; 4] = [CLOSES, 7 * DAY, 14 * DAY, SEALS];
/// Up to an age, an hour is read again each so often.
const YOUNG: [(i64, i64); 3] = [(2 * HOUR, 5 * MINUTE), (6 * HOUR, 15 * MINUTE), (36 * HOUR, HOUR)];
/// How long after it was due a pass is late.
pub const LATE: i64 = 2 * HOUR;

/// Ages at which an hour is read again while notifications tell of new calls.
const NOTIFIED_REPEATS: [i64; 4] = [FIRST, CLOSES, 7 * DAY, SEALS];
/// Age of an hour at which its list is read first while notifications come: a record takes 150 minutes at most.
const FIRST: i64 = 3 * HOUR;

/// What makes new calls appear early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The list alone, which is read often.
    List,
    /// Notifications: a subscription lives.
    Notifications,
}

/// When the next pass over an hour is due (ticks by the source's clock), if its last finished pass began
/// then; none when there is no more.
pub fn next_pass(hour: i64, passed: Option<i64>, freshness: Freshness) -> Option<i64> {
    let end = hours::end(hour);
    let (young, repeats) = match freshness {
        Freshness::List => (&YOUNG[..], REPEATS),
        Freshness::Notifications => (&[][..], NOTIFIED_REPEATS),
    };
    let Some(passed) = passed else { return Some(first_pass(hour, freshness)) };
    let age = passed - end;
    let young = young.iter().find(|(up_to, _)| age < *up_to).map(|(_, step)| passed + step);
    let young = young.filter(|due| due - end < YOUNG[2].0);
    let repeat = repeats.iter().find(|repeat| age < **repeat).map(|repeat| end + repeat);
    young.into_iter().chain(repeat).min()
}

fn first_pass(hour: i64, freshness: Freshness) -> i64 {
    match freshness {
        Freshness::List => hours::start(hour),
        Freshness::Notifications => hours::end(hour) + FIRST,
    }
}

/// Whether an hour is one of those that new calls start in: the others are of the past, which is fetched
/// beside them.
pub fn is_young(hour: i64, now: i64) -> bool {
    now - hours::end(hour) < YOUNG[2].0
}

/// Whether a pass that begins now has to be sure of what it sees, so that it follows no links where it
/// can ask for less.
pub fn is_strict(hour: i64, now: i64) -> bool {
    now - hours::end(hour) >= CLOSES
}

/// Whether the source still lists some of an hour.
pub fn is_listed(hour: i64, now: i64) -> bool {
    now - hours::end(hour) < LISTED_FOR
}

/// How it stands with an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HourState {
    /// Nothing of it was read yet.
    Open,
    /// Its first pass is not finished.
    Listing,
    /// It was read, and more may come, or records are to be read.
    Settling,
    /// All that was listed when it was closed is here, or is a hole.
    Closed,
    /// So is all that was listed at the last.
    Sealed,
    /// The source lists it no longer, and what it listed then was not seen.
    Unknowable,
}

impl HourState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Listing, Self::Settling, Self::Closed, Self::Sealed, Self::Unknowable];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Listing => "listing",
            Self::Settling => "settling",
            Self::Closed => "closed",
            Self::Sealed => "sealed",
            Self::Unknowable => "unknowable",
        }
    }

    /// Whether it says that the hour is complete, but for holes.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Closed | Self::Sealed)
    }
}

/// What is known of an hour, as far as its state depends on it.
#[derive(Debug, Clone, Copy, Default)]
pub struct HourFacts {
    /// When its last finished pass began (ticks).
    pub passed: Option<i64>,
    /// Whether a pass has begun.
    pub is_begun: bool,
    /// Records that are to be read.
    pub pending: u64,
}

/// The state of an hour at an instant (ticks by the source's clock).
pub fn state(hour: i64, facts: HourFacts, now: i64) -> HourState {
    let HourFacts { passed, is_begun, pending } = facts;
    let age = passed.map(|passed| passed - hours::end(hour));
    let is_closing = age.is_some_and(|age| age >= CLOSES);
    if !is_closing && !is_listed(hour, now) {
        return HourState::Unknowable;
    }
    match age {
        None if is_begun => HourState::Listing,
        None => HourState::Open,
        Some(_) if pending > 0 || !is_closing => HourState::Settling,
        Some(age) if age >= SEALS => HourState::Sealed,
        Some(_) => HourState::Closed,
    }
}

/// A pass that nothing may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The first one.
    First,
    /// The one that closes an hour.
    Closing,
    /// The last one.
    Sealing,
}

impl Pass {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::First, Self::Closing, Self::Sealing];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Closing => "closing",
            Self::Sealing => "sealing",
        }
    }
}

/// The pass over an hour that nothing may replace and that is due, and for how long (ticks).
pub fn lateness(
    hour: i64,
    passed: Option<i64>,
    (now, created): (i64, i64),
    freshness: Freshness,
) -> Option<(Pass, i64)> {
    if !is_listed(hour, now) {
        return None;
    }
    let end = hours::end(hour);
    let (pass, due) = match passed {
        None => (Pass::First, first_pass(hour, freshness).max(end)),
        Some(passed) if passed < end + CLOSES => (Pass::Closing, end + CLOSES),
        Some(passed) if passed < end + SEALS => (Pass::Sealing, end + SEALS),
        Some(_) => return None,
    };
    let late = now - due.max(created);
    (late > 0).then_some((pass, late))
}

#[cfg(test)]
mod tests;
