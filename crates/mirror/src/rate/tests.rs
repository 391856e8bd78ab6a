//! Limits on a clock that is simulated.

use proptest::prelude::*;

use super::*;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// When requests were sent by one that asks again whenever it may, until an end.
fn sent(limiter: &mut Limiter, kind: Kind<'_>, from: Duration, to: Duration) -> Vec<Duration> {
    let (mut now, mut sent) = (from, Vec::new());
    while now < to {
        match limiter.take(kind, now) {
            Ok(()) => sent.push(now),
            Err(wait) => now += wait,
        }
    }
    sent
}

/// The most that were sent in a window, wherever it begins.
fn most(sent: &[Duration], window: Duration) -> usize {
    let in_window =
        |from: &Duration| sent.iter().filter(|at| (*from..*from + window).contains(*at)).count();
    sent.iter().map(in_window).max().unwrap_or(0)
}

fn allowance(kind: Kind<'_>) -> Allowance {
    match kind {
        Kind::List => GRAPH.list,
        Kind::ListFollowing => GRAPH.list_following,
        Kind::Record(_) => GRAPH.record,
        Kind::RecordFollowing(_) => GRAPH.record_following,
        Kind::Subscription => GRAPH.all,
    }
}

const KINDS: [Kind<'_>; 5] = [
    Kind::List,
    Kind::ListFollowing,
    Kind::Record(b"a"),
    Kind::RecordFollowing(b"a"),
    Kind::Subscription,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_window_has_more_than_the_limit_whatever_was_paused_or_restarted(
        kind in 0_usize..4,
        pauses in prop::collection::vec(0.0_f64..120.0, 1..4),
    ) {
        let kind = KINDS[kind];
        let Allowance { count, window } = allowance(kind);
        let (mut at, mut all) = (Duration::ZERO, Vec::new());
        let mut limiter = Limiter::new(Some(GRAPH), at);
        for pause in &pauses {
            all.extend(sent(&mut limiter, kind, at, at + seconds(100.0)));
            at += seconds(100.0 + pause);
        }
        prop_assert!(most(&all, window) <= count as usize, "{} in a window", most(&all, window));
        prop_assert!(!all.is_empty());
    }

    #[test]
    fn a_process_that_starts_again_sends_no_more_than_one_that_runs_on(
        lives in prop::collection::vec(0.1_f64..30.0, 1..40),
    ) {
        let (mut at, mut all) = (Duration::ZERO, Vec::new());
        for life in &lives {
            let mut limiter = Limiter::new(Some(GRAPH), at);
            all.extend(sent(&mut limiter, Kind::List, at, at + seconds(*life)));
            at += seconds(*life);
        }
        prop_assert!(most(&all, GRAPH.list.window) <= GRAPH.list.count as usize);
    }
}

#[test]
fn all_records_together_keep_the_limit_of_all_and_use_it() {
    let mut limiter = Limiter::new(Some(GRAPH), Duration::ZERO);
    let (mut now, mut sent) = (Duration::ZERO, Vec::new());
    for number in 0..6_000_u32 {
        let id = number.to_be_bytes();
        while let Err(wait) = limiter.take(Kind::Record(&id), now) {
            now += wait;
        }
        sent.push(now);
    }
    let most = most(&sent, GRAPH.all.window);
    assert!((1_100..=1_200).contains(&most), "{most}");
}

/// The limiter of a server, a whole window as burst and then the rate, would send twice the limit: the
/// count of windows would see it.
#[test]
fn a_bucket_with_a_whole_window_as_burst_breaks_the_limit() {
    let mut limiter = Limiter::new(Some(GRAPH), Duration::ZERO);
    limiter.list = Bucket { burst: 15.0, rate: 15.0 / 20.0, tokens: 15.0, ..limiter.list.clone() };
    limiter.all.tokens = limiter.all.burst;
    let sent = sent(&mut limiter, Kind::List, Duration::ZERO, seconds(60.0));
    assert!(most(&sent, GRAPH.list.window) > 15);
}

#[test]
fn a_refusal_closes_its_bucket_for_as_long_as_it_asks_and_slows_it_down() {
    let mut limiter = Limiter::new(Some(GRAPH), Duration::ZERO);
    let before = sent(&mut limiter, Kind::List, Duration::ZERO, seconds(100.0)).len();
    limiter.refused(Kind::List, Some(seconds(30.0)), 1.0, seconds(100.0));
    let after = sent(&mut limiter, Kind::List, seconds(100.0), seconds(233.0));
    assert!(after[0] >= seconds(133.0), "{:?}", after[0]);
    assert!(after.len() < before * 9 / 10, "{} after {before}", after.len());
    assert_eq!(limiter.take(Kind::Record(b"a"), seconds(233.0)), Ok(()), "others go on");
}

#[test]
fn refusals_that_name_no_wait_are_waited_for_longer_each_time() {
    let mut limiter = Limiter::new(Some(GRAPH), Duration::ZERO);
    let mut now = seconds(60.0);
    let mut waits = Vec::new();
    for _ in 0..4 {
        limiter.refused(Kind::List, None, 0.0, now);
        let wait = limiter.take(Kind::List, now).unwrap_err();
        waits.push(wait.as_secs());
        now += wait;
    }
    assert_eq!(waits, [2, 4, 8, 16]);
    limiter.succeeded(Kind::List, now);
    limiter.refused(Kind::List, None, 0.0, now);
    assert_eq!(limiter.take(Kind::List, now).unwrap_err().as_secs(), 2);
}

#[test]
fn refusals_of_three_records_close_all() {
    let mut limiter = Limiter::new(Some(GRAPH), Duration::ZERO);
    let now = seconds(60.0);
    for id in [b"a", b"b"] {
        limiter.refused(Kind::Record(id), Some(seconds(20.0)), 0.0, now);
    }
    limiter.refused(Kind::Record(b"b"), Some(seconds(20.0)), 0.0, now);
    assert_eq!(limiter.take(Kind::Record(b"z"), now), Ok(()));
    limiter.refused(Kind::Record(b"c"), Some(seconds(20.0)), 0.0, now);
    assert_eq!(limiter.take(Kind::List, now), Err(seconds(20.0)));
}

#[test]
fn a_source_that_is_out_of_order_is_tried_now_and_then() {
    let mut limiter = Limiter::new(None, Duration::ZERO);
    let now = seconds(60.0);
    for _ in 0..FAILURES {
        assert_eq!(limiter.take(Kind::List, now), Ok(()));
        limiter.failed(None, now);
    }
    assert_eq!(limiter.take(Kind::List, now), Err(TRIED_EVERY));
    assert_eq!(limiter.take(Kind::List, now + TRIED_EVERY), Ok(()));
    assert!(limiter.take(Kind::List, now + TRIED_EVERY).is_err(), "one at a time");
    limiter.succeeded(Kind::List, now + TRIED_EVERY);
    assert_eq!(limiter.take(Kind::List, now + TRIED_EVERY), Ok(()));
}

#[test]
fn records_at_rest_are_forgotten() {
    let mut limiter = Limiter::new(None, Duration::ZERO);
    for number in 0..20_000_u32 {
        let now = Duration::from_secs(u64::from(number));
        limiter.take(Kind::Record(&number.to_be_bytes()), now).unwrap();
    }
    assert!(limiter.records.len() <= RECORDS + 1);
}
