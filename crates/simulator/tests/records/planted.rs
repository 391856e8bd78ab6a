//! What planted causes do, judged by the default profile and counted from the lines.

mod fleet;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use odata::primitive::{TICKS_PER_DAY, TICKS_PER_SECOND};
use serde_json::Value;
use simulator::{Calls, Cause, Log, LogRows, Mix, Options};

use super::{options, text, time};
use fleet::{Fleet, Share};

/// Some thousand calls, with two meetings of 2,000.
const CALLS: u64 = 2_300;

/// Without causes, as it always was.
static PLAIN: LazyLock<Fleet> = LazyLock::new(|| Fleet::new(some_calls(), &[]));
/// With all causes.
static PLANTED: LazyLock<Fleet> = LazyLock::new(|| Fleet::new(some_calls(), &Cause::ALL));

/// The causes that make streams poor.
fn of_streams() -> impl Iterator<Item = Cause> {
    Cause::ALL.into_iter().filter(|cause| *cause != Cause::Sbc)
}

fn some_calls() -> Options {
    options(Mix::Realistic, CALLS)
}

fn truth(options: Options, causes: &[Cause]) -> Vec<Value> {
    let mut calls = Calls::with_causes(options, causes);
    let mut line = Vec::new();
    while calls.write_next(&mut line) {
        line.clear();
    }
    fleet::lines(&calls.take_truth())
}

fn of_cause(truth: &[Value], cause: Cause) -> Vec<&Value> {
    truth.iter().filter(|line| line["cause"] == cause.name()).collect()
}

/// The share of today's audio that is poor, which the head of the module states.
#[test]
fn a_ninth_of_the_audio_is_poor_without_causes() {
    let share = PLAIN.audio().rate();
    assert!((0.10..0.125).contains(&share), "{share}");
    assert!(PLAIN.truth.is_empty());
}

#[test]
fn every_stream_of_the_truth_is_poor_and_lies_on_the_value() {
    let mut named = BTreeSet::new();
    for line in PLANTED.truth.iter().filter(|line| line["cause"] != "sbc") {
        let stream = &PLANTED.streams[&fleet::key(line)];
        assert!(stream.is_poor == Some(true), "{line}");
        assert_eq!(line["mediaLabel"], "main-audio");
        let end = &stream.ends[usize::from(line["end"] == "callee")];
        let cause = of_streams().find(|cause| line["cause"] == cause.name()).unwrap();
        assert!(end.lies_on(cause, text(line, "value")), "{line} {end:?}");
        assert!(named.insert(line.to_string()), "twice: {line}");
    }
    for cause in of_streams() {
        let lines = of_cause(&PLANTED.truth, cause);
        assert!(lines.len() > 10, "{cause:?}: {}", lines.len());
        let values: BTreeSet<_> = lines.iter().map(|line| line["value"].to_string()).collect();
        assert_eq!(values.len(), 1, "{cause:?}");
    }
}

#[test]
fn what_is_poor_and_not_in_the_truth_is_poor_without_causes() {
    let named: BTreeSet<_> = PLANTED.truth.iter().map(fleet::key).collect();
    assert_eq!(PLANTED.streams.len(), PLAIN.streams.len());
    for (key, stream) in &PLANTED.streams {
        if !named.contains(key) && stream.is_poor == Some(true) {
            assert_eq!(PLAIN.streams[key].is_poor, Some(true), "{key:?}");
        }
    }
    assert!(PLANTED.audio().rate() < PLAIN.audio().rate());
}

#[test]
fn causes_stay_within_their_bounds() {
    let (all, baseline) = (PLANTED.streams.len(), PLAIN.audio().rate());
    for cause in of_streams() {
        let made_poor = of_cause(&PLANTED.truth, cause).len();
        assert!(made_poor * 100 <= all * 2, "{cause:?}: {made_poor} of {all}");
        let share = PLANTED.by_value(cause)[PLANTED.value(cause)];
        assert!(share.rate() <= 3.0 * baseline, "{cause:?}: {share:?} {baseline}");
    }
}

#[test]
fn each_cause_is_the_first_row_by_the_lower_bound() {
    for cause in of_streams() {
        let alone = Fleet::new(some_calls(), &[cause]);
        for fleet in [&alone, &*PLANTED] {
            let (first, second) = fleet.worst_two(cause);
            let value = fleet.value(cause);
            assert_eq!(first.0, value, "{cause:?}: {first:?} {second:?}");
            // By a margin, so that it isn't chance.
            assert!(first.1.lower_bound() > second.1.lower_bound() * 1.1, "{first:?} {second:?}");
        }
    }
}

#[test]
fn a_cause_does_the_same_whichever_others_there_are() {
    for cause in Cause::ALL {
        let alone = truth(some_calls(), &[cause]);
        assert_eq!(alone.iter().collect::<Vec<_>>(), of_cause(&PLANTED.truth, cause));
    }
}

#[test]
fn the_same_seed_has_the_same_truth_and_a_longer_run_the_truth_of_the_shorter_one() {
    let run = |mix, calls| truth(options(mix, calls), &Cause::ALL);
    for (mix, short, long) in [(Mix::Realistic, 300, 600), (Mix::Bench, 3_000, 5_000)] {
        let short = run(mix, short);
        assert!(short.len() > 10);
        let longer: BTreeSet<_> = run(mix, long).iter().map(Value::to_string).collect();
        assert!(short.iter().all(|line| longer.contains(&line.to_string())));
    }
    assert_eq!(run(Mix::Realistic, 200), run(Mix::Realistic, 200));
    let other = Options { seed: 43, ..options(Mix::Realistic, 200) };
    assert_ne!(run(Mix::Realistic, 200), truth(other, &Cause::ALL));
}

#[test]
fn the_client_is_out_from_day_20_on() {
    let from = some_calls().from.0 + 19 * TICKS_PER_DAY;
    let value = PLANTED.value(Cause::Client);
    let starts: Vec<i64> = PLANTED
        .streams
        .values()
        .filter(|stream| stream.ends.iter().any(|end| end.lies_on(Cause::Client, value)))
        .map(|stream| stream.start)
        .collect();
    assert!(starts.iter().all(|start| *start >= from));
    assert!(starts.iter().any(|start| *start < from + 2 * TICKS_PER_DAY));
}

#[test]
fn a_tunnel_says_that_it_is_wired() {
    let value = PLANTED.value(Cause::Vpn);
    let ends = || PLANTED.streams.values().flat_map(|stream| &stream.ends);
    assert!(ends().filter(|end| end.lies_on(Cause::Vpn, value)).all(|end| end.kind == "wired"));
    assert!(ends().any(|end| end.kind == "tunnel"));
}

fn direct_routing(causes: &[Cause]) -> Vec<Value> {
    LogRows::with_causes(some_calls(), causes)
        .filter(|(log, _)| *log == Log::DirectRoutingCalls)
        .map(|(_, row)| serde_json::from_slice(&row).expect("a row is JSON"))
        .collect()
}

#[test]
fn in_the_outage_every_call_through_the_controller_fails() {
    let (plain, rows) = (direct_routing(&[]), direct_routing(&Cause::ALL));
    let lost: BTreeMap<_, _> = of_cause(&PLANTED.truth, Cause::Sbc)
        .into_iter()
        .map(|line| (text(line, "callRecordId"), text(line, "sessionId")))
        .collect();
    let is_lost = |row: &Value| lost.contains_key(text(row, "correlationId"));
    let through = |row: &Value| row["trunkFullyQualifiedDomainName"] == "sbc1.contoso.com";
    let starts: Vec<_> =
        rows.iter().filter(|row| is_lost(row)).map(|row| time(row, "startDateTime").0).collect();
    assert_eq!(starts.len(), lost.len());
    let (first, last) = (*starts.iter().min().unwrap(), *starts.iter().max().unwrap());
    assert!(last - first < 40 * 60 * TICKS_PER_SECOND);
    for (row, before) in rows.iter().zip(&plain) {
        let within = (first..=last).contains(&time(row, "startDateTime").0);
        assert_eq!(within && through(row), is_lost(row), "{row}");
        assert_eq!(row["correlationId"], before["correlationId"]);
        if is_lost(row) {
            assert_eq!(
                (&row["finalSipCode"], &row["successfulCall"]),
                (&503.into(), &false.into())
            );
            assert_eq!(before["successfulCall"], false);
        } else if !within {
            assert_eq!(row, before);
        }
    }
    for session in lost.values() {
        assert_eq!(PLANTED.failures[*session], "callSetup");
    }
}

#[test]
fn the_outage_is_the_first_row_by_trunk_and_by_trunk_and_hour() {
    let rows = direct_routing(&[Cause::Sbc]);
    let first_by = |key: &dyn Fn(&Value) -> String| {
        let mut shares: BTreeMap<String, Share> = BTreeMap::new();
        for row in &rows {
            shares.entry(key(row)).or_default().add(row["finalSipCode"] == 503);
        }
        shares.into_iter().max_by(|a, b| a.1.lower_bound().total_cmp(&b.1.lower_bound())).unwrap()
    };
    let trunk = |row: &Value| text(row, "trunkFullyQualifiedDomainName").to_owned();
    assert_eq!(first_by(&trunk).0, "sbc1.contoso.com");
    let (key, share) =
        first_by(&|row| format!("{} {}", trunk(row), &text(row, "startDateTime")[..13]));
    assert!(key.starts_with("sbc1.contoso.com") && share.lower_bound() > 0.4, "{key} {share:?}");
}
