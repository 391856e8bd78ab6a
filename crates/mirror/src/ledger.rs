//! What becomes of a record of the ledger after it was tried.
//!
//! A record is settled, or it is due again: nothing is given up before the source itself has forgotten the
//! record. What the source refuses, and what can't be read, are holes that are tried again each day.

use odata::primitive::TICKS_PER_SECOND;
use store::{LedgerRecord, LedgerState};

use crate::hours::{DAY, HOUR};
use crate::schedule::LISTED_FOR;

const SECOND: i64 = TICKS_PER_SECOND;
const MINUTE: i64 = 60 * SECOND;

/// Waits after a record was not found, and how many hourly ones follow before those of six hours.
const NOT_FOUND: [i64; 6] = [MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE];
const HOURLY: u32 = 24;
/// The longest wait after a failure.
const LONGEST: i64 = 10 * MINUTE;
/// Answers that can't be trusted, in a row, after which the record counts as refused.
const UNSOUND: u32 = 5;
/// The wait after a record that changed with each try.
const CHANGED: i64 = 5 * MINUTE;

/// What a try of a record came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is stored whole in this version, or differs from what is stored of it, which is kept.
    Stored(i64),
    /// The source does not have it (404).
    NotFound,
    /// No answer, or one that says that the source is out of order.
    Failed,
    /// An answer that can't be true: a loop of links, a link to another host, text that is no JSON.
    Unsound,
    /// A new version came with each reading.
    Changed,
    /// The source does not give it (400, 406, 415 …).
    Refused,
    /// It is no record that can be kept.
    Unreadable,
}

/// Where a record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Its state.
    pub(crate) state: LedgerState,
    /// When it is tried again (ticks by the source's clock), if it is.
    pub(crate) due_at: Option<i64>,
    /// When it is tried again if a higher version was listed meanwhile.
    pub(crate) again_at: i64,
    /// Failed tries.
    pub(crate) attempts: u32,
}

/// When the source forgets a record that started then, less six hours.
pub(crate) fn deadline(start: i64) -> i64 {
    start + LISTED_FOR - 6 * HOUR
}

/// Decides what becomes of a record. `now` is by the source's clock, `jitter` a random number from 0 to 1.
pub(crate) fn decide(record: &LedgerRecord, outcome: Outcome, now: i64, jitter: f64) -> Decision {
    let attempts = record.attempts.saturating_add(1);
    let backoff = backoff(attempts, jitter);
    let (state, wait, attempts) = match outcome {
        Outcome::Stored(version) if version >= record.wanted_version => {
            (LedgerState::Settled, None, 0)
        }
        // An older version than the list has shown: the source is behind itself.
        Outcome::Stored(_) => (LedgerState::Due, Some(not_found(attempts)), attempts),
        Outcome::NotFound if now >= deadline(record.start) => (LedgerState::Gone, None, attempts),
        Outcome::NotFound => (LedgerState::Due, Some(not_found(attempts)), attempts),
        Outcome::Failed => (LedgerState::Due, Some(backoff), attempts),
        Outcome::Unsound if attempts >= UNSOUND => (LedgerState::Refused, Some(DAY), attempts),
        Outcome::Unsound => (LedgerState::Due, Some(backoff), attempts),
        Outcome::Changed => (LedgerState::Due, Some(CHANGED), attempts),
        Outcome::Refused => (LedgerState::Refused, Some(DAY), attempts),
        Outcome::Unreadable => (LedgerState::Unreadable, Some(DAY), attempts),
    };
    Decision { state, due_at: wait.map(|wait| now + wait), again_at: now + backoff, attempts }
}

fn not_found(attempts: u32) -> i64 {
    match NOT_FOUND.get(attempts as usize - 1) {
        Some(wait) => *wait,
        None if attempts as usize <= NOT_FOUND.len() + HOURLY as usize => HOUR,
        None => 6 * HOUR,
    }
}

/// 2 s, doubled with each failure, up to ten minutes; any time up to that, so that not all come at once.
fn backoff(attempts: u32, jitter: f64) -> i64 {
    let most = ((2 * SECOND) << attempts.saturating_sub(1).min(16)).min(LONGEST);
    SECOND + ((most - SECOND) as f64 * jitter.clamp(0.0, 1.0)) as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(start: i64, wanted_version: i64, attempts: u32) -> LedgerRecord {
        LedgerRecord {
            id_key: vec![1],
            id: "1".to_owned(),
            start,
            wanted_version,
            stored_version: None,
            state: LedgerState::Due,
            due_at: Some(0),
            attempts,
            first_heard: 0,
            last_tried: None,
            last_status: None,
            last_error: None,
            request_id: None,
            asks_version: false,
        }
    }

    #[test]
    fn a_record_is_settled_only_by_the_version_that_was_listed() {
        let settled = decide(&record(0, 3, 4), Outcome::Stored(3), HOUR, 0.5);
        assert_eq!((settled.state, settled.due_at), (LedgerState::Settled, None));
        let behind = decide(&record(0, 3, 0), Outcome::Stored(2), HOUR, 0.5);
        assert_eq!((behind.state, behind.due_at), (LedgerState::Due, Some(HOUR + MINUTE)));
    }

    #[test]
    fn a_record_that_is_not_found_is_gone_only_when_the_source_has_forgotten_it() {
        let mut now = 0;
        let mut tries = 0;
        let mut known = record(0, 1, 0);
        loop {
            let decision = decide(&known, Outcome::NotFound, now, 0.5);
            tries += 1;
            known.attempts = decision.attempts;
            match decision.due_at {
                Some(due) => now = due,
                None => break assert_eq!(decision.state, LedgerState::Gone),
            }
        }
        assert!(now >= deadline(0) && now < deadline(0) + 6 * HOUR);
        assert!((100..200).contains(&tries), "{tries}");
    }

    #[test]
    fn answers_that_cannot_be_trusted_become_a_hole_that_is_tried_each_day() {
        let tried = |attempts| decide(&record(0, 1, attempts), Outcome::Unsound, 0, 1.0);
        assert_eq!(tried(0).state, LedgerState::Due);
        let refused = tried(UNSOUND - 1);
        assert_eq!((refused.state, refused.due_at), (LedgerState::Refused, Some(DAY)));
        assert_eq!(decide(&record(0, 1, 0), Outcome::Refused, 0, 0.0).due_at, Some(DAY));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// Whatever happens: it is settled in the version that is wanted, due at a time to come, or a hole.
        #[test]
        fn nothing_is_ever_lost(
            outcomes in prop::collection::vec(0_u8..7, 1..60),
            jitter in 0.0_f64..1.0,
            wanted in 1_i64..5,
        ) {
            let mut known = record(0, wanted, 0);
            let mut now = 0;
            for outcome in outcomes {
                let outcome = match outcome {
                    0 => Outcome::Stored(wanted - 1),
                    1 => Outcome::NotFound,
                    2 => Outcome::Failed,
                    3 => Outcome::Unsound,
                    4 => Outcome::Changed,
                    5 => Outcome::Refused,
                    _ => Outcome::Unreadable,
                };
                let decision = decide(&known, outcome, now, jitter);
                prop_assert_ne!(decision.state, LedgerState::Settled);
                prop_assert_eq!(decision.due_at.is_none(), decision.state == LedgerState::Gone);
                prop_assert!(decision.again_at > now);
                let Some(due) = decision.due_at else { return Ok(()) };
                prop_assert!(due > now);
                (now, known.attempts) = (due, decision.attempts);
            }
            let settled = decide(&known, Outcome::Stored(wanted), now, jitter);
            prop_assert_eq!(settled.state, LedgerState::Settled);
        }
    }
}
