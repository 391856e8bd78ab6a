//! The schedule on a clock and a source that are simulated.

use proptest::prelude::*;

use super::*;

const START: i64 = 1_000;

fn after(age: i64) -> i64 {
    hours::end(START) + age
}

#[test]
fn an_hour_is_read_often_while_it_is_young_and_never_after_it_was_sealed() {
    let end = hours::end(START);
    assert_eq!(next_pass(START, None, Freshness::List), Some(hours::start(START)));
    for (passed, due) in [
        (-30 * MINUTE, -25 * MINUTE),
        (HOUR, HOUR + 5 * MINUTE),
        (3 * HOUR, 3 * HOUR + 15 * MINUTE),
        (10 * HOUR, 11 * HOUR),
        (33 * HOUR + 30 * MINUTE, CLOSES),
        (CLOSES, 35 * HOUR),
        (36 * HOUR, 7 * DAY),
        (8 * DAY, 14 * DAY),
        (15 * DAY, SEALS),
    ] {
        assert_eq!(
            next_pass(START, Some(after(passed)), Freshness::List),
            Some(end + due),
            "{passed}"
        );
    }
    assert_eq!(next_pass(START, Some(after(SEALS)), Freshness::List), None);
}

#[test]
fn an_hour_is_closed_by_a_pass_that_began_late_enough_and_only_then() {
    let state = |passed, pending, now| {
        let facts = HourFacts { passed: Some(after(passed)), is_begun: false, pending };
        super::state(START, facts, hours::end(START) + now)
    };
    assert_eq!(state(CLOSES - 1, 0, 20 * DAY), HourState::Settling);
    assert_eq!(state(CLOSES, 0, 20 * DAY), HourState::Closed);
    assert_eq!(state(CLOSES, 1, 20 * DAY), HourState::Settling);
    assert_eq!(state(SEALS, 0, 29 * DAY), HourState::Sealed);
    assert_eq!(state(CLOSES, 0, 400 * DAY), HourState::Closed, "it stays so");
    assert_eq!(state(CLOSES - 1, 0, 31 * DAY), HourState::Unknowable);
    let nothing = HourFacts::default();
    assert_eq!(super::state(START, nothing, hours::end(START)), HourState::Open);
    assert_eq!(super::state(START, nothing, hours::end(START) + 31 * DAY), HourState::Unknowable);
}

#[test]
fn while_notifications_come_an_hour_is_read_after_three_hours_and_as_late_as_ever() {
    let end = hours::end(START);
    let next = |passed: Option<i64>| next_pass(START, passed, Freshness::Notifications);
    assert_eq!(next(None), Some(end + 3 * HOUR));
    for (passed, due) in [(0, 3 * HOUR), (3 * HOUR, CLOSES), (CLOSES, 7 * DAY), (8 * DAY, SEALS)] {
        assert_eq!(next(Some(after(passed))), Some(end + due), "{passed}");
    }
    assert_eq!(next(Some(after(SEALS))), None);
    let late = lateness(START, None, (end + 3 * HOUR + 1, 0), Freshness::Notifications);
    assert_eq!(late, Some((Pass::First, 1)));
}

fn is_late(hour: i64, passed: Option<i64>, times: (i64, i64)) -> bool {
    let late = lateness(hour, passed, times, Freshness::List);
    late.is_some_and(|(_, late)| late > LATE)
}

#[test]
fn a_pass_is_late_two_hours_after_it_was_due_or_the_mirror_was_made() {
    let end = hours::end(START);
    assert!(!is_late(START, None, (end + LATE, 0)));
    assert!(is_late(START, None, (end + LATE + 1, 0)));
    assert!(!is_late(START, None, (end + LATE + 1, end + 1)));
    assert!(!is_late(START, Some(after(HOUR)), (end + CLOSES + LATE, 0)));
    assert!(is_late(START, Some(after(HOUR)), (end + CLOSES + LATE + 1, 0)));
    assert!(!is_late(START, Some(after(SEALS)), (end + 40 * DAY, 0)));
}

/// A call of the hour, and when the source lists it.
#[derive(Debug, Clone)]
struct Call {
    starts: i64,
    lasts: i64,
    latency: i64,
}

fn call() -> impl Strategy<Value = Call> {
    (0..HOUR, 0..30 * HOUR, 0..150 * MINUTE).prop_map(|(starts, lasts, latency)| Call {
        starts,
        lasts,
        latency,
    })
}

/// Which of the calls passes see that begin when they are due, or later by these delays; with the state of
/// the hour in the end. A pass sees what is listed while it lasts.
fn simulate(calls: &[Call], delays: &[i64], passes: impl Fn(i64) -> bool) -> (usize, HourState) {
    let mut seen = vec![false; calls.len()];
    let (mut passed, mut delays) = (None, delays.iter().cycle());
    let mut now = hours::start(START);
    while let Some(due) = next_pass(START, passed, Freshness::List) {
        now = now.max(due) + delays.next().copied().unwrap_or(0);
        if !is_listed(START, now) {
            break;
        }
        if passes(now - hours::end(START)) {
            for (seen, call) in seen.iter_mut().zip(calls) {
                let start = hours::start(START) + call.starts;
                let listed = start + call.lasts + call.latency;
                *seen |= (listed..start + LISTED_FOR).contains(&now);
            }
        }
        passed = Some(now);
    }
    let facts = HourFacts { passed, is_begun: false, pending: 0 };
    (seen.iter().filter(|seen| !**seen).count(), state(START, facts, now))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_closed_hour_has_shown_every_call_whatever_was_delayed(
        calls in prop::collection::vec(call(), 1..20),
        delays in prop::collection::vec(0..2 * DAY, 1..8),
    ) {
        let (missed, state) = simulate(&calls, &delays, |_| true);
        prop_assert!(state.is_closed());
        prop_assert_eq!(missed, 0);
    }
}

/// Without the closing pass and those after it, a long call is missed: the simulation would see it.
#[test]
fn without_the_closing_pass_a_long_call_is_missed() {
    let long = Call { starts: HOUR - 1, lasts: 30 * HOUR - 1, latency: 150 * MINUTE };
    let (missed, _) = simulate(std::slice::from_ref(&long), &[0], |age| age < 32 * HOUR);
    assert_eq!(missed, 1);
    assert_eq!(simulate(&[long], &[0], |_| true).0, 0);
}
