//! Alarms are raised, and told once an hour.

use model::TenantId;
use store::{DelayCount, MirrorReception, MirrorRow, MirrorSetup, MirrorSubscription};

use super::*;
use crate::report::HourReport;

fn alarm(name: &'static str) -> Alarm {
    Alarm { name, text: name.to_owned(), needs_attention: true }
}

#[test]
fn an_alarm_is_told_once_an_hour_and_once_when_it_is_over() {
    let mut log = AlarmLog::default();
    let names = |changes: &AlarmChanges| {
        changes.standing.iter().map(|alarm| alarm.name).collect::<Vec<_>>()
    };
    let first = log.changes(vec![alarm("hole"), alarm("forged")], 0);
    assert_eq!(names(&first), ["hole", "forged"]);
    assert_eq!(
        log.changes(vec![alarm("hole"), alarm("forged")], AGAIN - 1),
        AlarmChanges::default()
    );
    let again = log.changes(vec![alarm("hole")], AGAIN);
    assert_eq!((names(&again), again.over), (vec!["hole"], vec!["forged"]));
    let over = log.changes(Vec::new(), AGAIN + 1);
    assert_eq!((names(&over), over.over), (Vec::new(), vec!["hole"]));
    assert_eq!(names(&log.changes(vec![alarm("hole")], AGAIN + 2)), ["hole"], "it began anew");
}

const NOW: i64 = 1_000_000 * HOUR;

/// A mirror of which nothing is wrong.
fn report() -> Report {
    let setup = MirrorSetup {
        name: "contoso".to_owned(),
        tenant: TenantId::parse("dc368399-474c-4d40-900c-6265431fd81f").unwrap(),
        settings: "{}".to_owned(),
        is_of_file: false,
        begins: hours::of(NOW) - 700,
    };
    let mirror =
        MirrorRow { key: 1, setup, created: 0, skew: Some(0), heard: Some(NOW), problem: None };
    Report {
        mirror,
        now: NOW,
        hours: Vec::new(),
        holes: Vec::new(),
        oldest_due: None,
        expiring: 0,
        states: BTreeMap::new(),
        last_pass: Some(NOW),
        delays: Vec::new(),
        subscriptions: Vec::new(),
        reception: MirrorReception::default(),
        credential_left: None,
        is_held: true,
    }
}

fn hour(hour: i64, listed: u64) -> HourReport {
    HourReport {
        hour,
        state: HourState::Closed,
        listed,
        complete: listed,
        pending: 0,
        holes: 0,
        erased: 0,
        outside: 0,
        late: None,
    }
}

fn names(report: &Report) -> Vec<&'static str> {
    let names: Vec<&'static str> = alarms(report).iter().map(|alarm| alarm.name).collect();
    assert!(names.iter().all(|name| NAMES.contains(name)), "{names:?} are shown as metrics");
    names
}

#[test]
fn a_mirror_that_is_well_raises_nothing() {
    assert_eq!(names(&report()), Vec::<&str>::new());
}

#[test]
fn what_is_missing_late_or_silent_raises_an_alarm_each() {
    let mut holes = report();
    holes.hours = vec![HourReport { holes: 1, ..hour(1, 1) }];
    assert_eq!(names(&holes), ["hole"]);
    let mut late = report();
    late.hours = vec![HourReport { late: Some((Pass::Closing, 2 * HOUR)), ..hour(1, 1) }];
    assert_eq!(names(&late), Vec::<&str>::new(), "it has two hours");
    late.hours = vec![HourReport { late: Some((Pass::Closing, 2 * HOUR + 1)), ..hour(1, 1) }];
    assert_eq!(names(&late), ["pass_late"]);
    let unknowable = HourReport { state: HourState::Unknowable, ..hour(1, 0) };
    assert_eq!(names(&Report { hours: vec![unknowable], ..report() }), ["unknowable"]);
    assert_eq!(names(&Report { expiring: 1, ..report() }), ["expiring_soon"]);
    let mut unheard = report();
    unheard.mirror.heard = None;
    assert_eq!(names(&unheard), ["never_heard"]);
    let mut skewed = report();
    skewed.mirror.skew = Some(-SKEW - 1);
    assert_eq!(names(&skewed), ["clock_skew"]);
}

#[test]
fn a_day_without_calls_is_odd_only_if_each_of_four_weeks_had_some() {
    let today = hours::of(NOW) - 10;
    let weeks = |count: i64| -> Vec<HourReport> {
        let before = (1..=count).map(|week| hour(today - week * 168, 3));
        before.chain([hour(today, 0)]).collect()
    };
    assert_eq!(names(&Report { hours: weeks(4), ..report() }), ["nothing_listed"]);
    assert_eq!(names(&Report { hours: weeks(3), ..report() }), Vec::<&str>::new());
    let mut with_calls = weeks(4);
    with_calls.push(hour(today + 1, 1));
    assert_eq!(names(&Report { hours: with_calls, ..report() }), Vec::<&str>::new());
}

#[test]
fn a_subscription_may_be_gone_for_half_an_hour() {
    let subscription = |expires| MirrorSubscription {
        id: "s".to_owned(),
        notification_url: "https://hooks.contoso.example".to_owned(),
        sealed_client_state: Vec::new(),
        created: 0,
        expires,
        ended: None,
        asks_reauthorization: false,
    };
    let of = |expires| Report { subscriptions: vec![subscription(expires)], ..report() };
    for (expires, expected) in
        [(NOW + 1, &[][..]), (NOW - UNSUBSCRIBED, &[]), (NOW - UNSUBSCRIBED - 1, &["unsubscribed"])]
    {
        assert_eq!(names(&of(expires)), expected, "{expires}");
    }
}

#[test]
fn a_certificate_that_ends_is_told_a_month_before_and_needs_attention_for_a_week() {
    let of = |left| {
        let raised = alarms(&Report { credential_left: Some(left), ..report() });
        raised.first().map(|alarm| (alarm.name, alarm.needs_attention))
    };
    assert_eq!(of(30 * DAY), None);
    assert_eq!(of(30 * DAY - 1), Some(("credential_ends", false)));
    assert_eq!(of(7 * DAY - 1), Some(("credential_ends", true)));
    assert_eq!(of(-1), Some(("credential_ends", true)));
}

#[test]
fn a_source_is_late_if_one_of_twenty_calls_is() {
    let of = |late| {
        let delays = [(15, 100 - late), (360, late)];
        let delays = delays.map(|(minutes, records)| DelayCount { minutes, records }).to_vec();
        names(&Report { delays, ..report() })
    };
    assert_eq!((of(5), of(6)), (Vec::new(), vec!["source_late"]));
}
