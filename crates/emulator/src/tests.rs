//! Tests of faults and of the log, from outside.

use std::time::Duration;

use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};

use super::*;

const RECORD: &str = "/communications/callRecords/E523D2ED-2966-4b6b-925b-754a88034cc5";
const ID: &str = "e523d2ed-2966-4b6b-925b-754a88034cc5";

fn emulator(rules: &str) -> Emulator {
    Emulator::new(Rules::from_toml(rules).unwrap(), 1)
}

fn get<'a>(path: &'a str, application: &'a str) -> Request<'a> {
    let application = Some(application);
    Request { at: 0, method: "GET", path, query: None, version: "v1.0", application }
}

fn fault_at(emulator: &Emulator, seconds: i64) -> Fault {
    let at = seconds * TICKS_PER_SECOND;
    emulator.arrive(&Request { at, ..get(RECORD, "app") }).1
}

fn statuses(emulator: &Emulator, path: &str, application: &str, count: usize) -> Vec<u16> {
    std::iter::repeat_with(|| emulator.arrive(&get(path, application)).1)
        .take(count)
        .map(|fault| fault.status.map_or(200, |refusal| refusal.status))
        .collect()
}

fn notification(subscription: &str) -> Notification<'_> {
    let (record, application) = (Some(ID), Some("app"));
    Notification { at: 0, subscription, change_type: "created", record, application }
}

#[test]
fn it_may_be_shared_by_threads() {
    fn check<T: Send + Sync>(_: &T) {}
    check(&Arc::new(emulator("")));
}

#[test]
fn without_rules_nothing_happens() {
    let emulator = Emulator::new(Rules::default(), 1);
    assert_eq!(emulator.arrive(&get(RECORD, "app")), (1, Fault::default()));
    assert_eq!(emulator.arrive(&get(RECORD, "app")), (2, Fault::default()));
    assert_eq!(emulator.interference(&notification("s")), usual());
    assert!(emulator.validates("https://contoso.com/hook"));
}

fn usual() -> Interference {
    Interference::NONE
}

#[test]
fn rules_are_for_their_paths_methods_and_applications() {
    let emulator = emulator(
        "[[request]]\npath = \"/communications/callRecords/*\"\nmethod = \"get\"\n\
         application = \"APP\"\nstatus = 500\n",
    );
    let fault = |request: Request<'_>| emulator.arrive(&request).1.status.is_some();
    assert!(fault(get(RECORD, "app")));
    assert!(fault(get(
        "/Communications/CallRecords('e523d2ed-2966-4b6b-925b-754a88034cc5')",
        "app"
    )));
    assert!(fault(get("/communications/call%52ecords/x", "app")));
    assert!(!fault(get("/communications/callRecords", "app")));
    assert!(!fault(get("/communications/callRecords/x/sessions", "app")));
    assert!(!fault(get(RECORD, "other")));
    assert!(!fault(Request { application: None, ..get(RECORD, "app") }));
    assert!(!fault(Request { method: "DELETE", ..get(RECORD, "app") }));
}

#[test]
fn matches_are_counted_for_each_application() {
    let emulator = emulator(
        "[[request]]\nfirst = 1\nstatus = 429\n[[request]]\nnth = 2\nstatus = 503\nretry_after = 9\n",
    );
    assert_eq!(statuses(&emulator, RECORD, "one", 3), [429, 503, 200]);
    assert_eq!(statuses(&emulator, RECORD, "two", 3), [429, 503, 200]);
    emulator.replace_rules((*emulator.rules()).clone());
    assert_eq!(statuses(&emulator, RECORD, "one", 3), [429, 503, 200]);
}

#[test]
fn first_rule_that_acts_decides_and_latencies_add_up() {
    let emulator = emulator(
        "[[request]]\nlatency = \"1s\"\n\
         [[request]]\nfirst = 1\ntruncate = 10\nlatency = \"500ms\"\n\
         [[request]]\nname = \"busy\"\nstatus = 429\ntimes = 1\n\
         [[request]]\nstatus = 503\nlatency = \"2s\"\n",
    );
    let fault = || emulator.arrive(&get(RECORD, "app")).1;
    let status = |status, retry_after: Option<u32>| {
        Some(Refusal { status, retry_after: retry_after.map(|seconds| seconds.to_string()) })
    };
    let latency = Duration::from_millis;
    let expected =
        Fault { latency: latency(3_500), status: None, truncate: Some(10), change: None };
    assert_eq!(fault(), expected);
    let expected = Fault {
        latency: latency(3_000),
        status: status(429, Some(2)),
        truncate: None,
        change: None,
    };
    assert_eq!(fault(), expected, "its one time was not used up by having no effect");
    let expected =
        Fault { latency: latency(3_000), status: status(503, None), truncate: None, change: None };
    assert_eq!(fault(), expected);
    let faults: Vec<_> = emulator.log(true).requests.into_iter().map(|entry| entry.fault).collect();
    let expected = [
        "1s late; 500ms late, cut after 10 bytes; 2s late",
        "1s late; busy; 2s late",
        "1s late; 2s late, status 503",
    ];
    assert_eq!(faults, expected.map(|text| Some(text.to_owned())));
}

#[test]
fn the_same_seed_gives_the_same_faults() {
    let rules = Rules::from_toml("[[request]]\nprobability = 0.5\nstatus = 500\n").unwrap();
    let all = |seed| statuses(&Emulator::new(rules.clone(), seed), RECORD, "app", 100);
    assert_eq!(all(1), all(1));
    assert_ne!(all(1), all(2));
    assert!((30..70).contains(&all(1).iter().filter(|status| **status == 500).count()));
}

#[test]
fn record_is_unseen_for_a_time_after_it_was_announced() {
    let emulator = emulator("[[request]]\nunseen_for = \"5s\"\n");
    let is_seen = |seconds| fault_at(&emulator, seconds) == Fault::default();
    assert!(is_seen(0), "nobody was told of it");
    emulator.interference(&Notification { at: TICKS_PER_SECOND, ..notification("s") });
    assert!(!is_seen(2), "the receiver asks before it answers");
    emulator.sent(2 * TICKS_PER_SECOND, "s", ID, true);
    emulator.sent(6 * TICKS_PER_SECOND, "other", ID, true);
    assert_eq!(fault_at(&emulator, 6).status, Some(Refusal { status: 404, retry_after: None }));
    assert!(is_seen(7));
    let other = get("/communications/callRecords", "app");
    assert_eq!(emulator.arrive(&Request { at: 3 * TICKS_PER_SECOND, ..other }).1, Fault::default());
    let write = Request { method: "PUT", at: 3 * TICKS_PER_SECOND, ..get(RECORD, "app") };
    assert_eq!(emulator.arrive(&write).1, Fault::default());
}

#[test]
fn messages_are_delayed_repeated_dropped_and_changed() {
    let emulator = emulator(
        "[[notification]]\nnth = 1\ndelay = \"5s\"\ncopies = 2\n\
         [[notification]]\nfirst = 2\ncopies = 3\nclient_state = \"wrong\"\n\
         [[notification]]\nevery = 3\ndrop = true\n\
         [[notification]]\nchange_type = \"updated\"\nout_of_order = true\n",
    );
    let wrong = Some("wrong".to_owned());
    let delay = Duration::from_secs(5);
    for subscription in ["s", "t"] {
        let told = || emulator.interference(&notification(subscription));
        let expected = Interference { copies: 2, delay, client_state: wrong.clone(), ..usual() };
        assert_eq!(told(), expected);
        let expected = Interference { copies: 3, client_state: wrong.clone(), ..usual() };
        assert_eq!(told(), expected);
        assert_eq!(told(), Interference { copies: 0, ..usual() });
        assert_eq!(told(), usual());
    }
    let updated = Notification { change_type: "updated", ..notification("u2") };
    assert!(emulator.interference(&updated).out_of_order);
}

#[test]
fn handshakes_time_out_by_address() {
    let emulator = emulator(
        "[[validation]]\nhost = \"*.contoso.com\"\npath = \"/hook/**\"\nfirst = 1\ntime_out = true\n",
    );
    assert!(!emulator.validates("https://a.contoso.com:8443/hook/1?validationToken=x"));
    assert!(emulator.validates("https://a.contoso.com:8443/hook/1?validationToken=y"));
    assert!(!emulator.validates("https://A.Contoso.com/hook/2"));
    assert!(emulator.validates("https://contoso.com/hook/1"));
    assert!(emulator.validates("https://a.contoso.com/other"));
    assert!(emulator.validates("https://a.contoso.com"));
}

#[test]
fn log_shows_requests_and_their_answers() {
    let emulator = emulator("");
    let at = DateTimeOffset::parse("2026-02-25T18:52:21.5Z").unwrap().0;
    let query = Some("$skiptoken=abcdefghijklmnop");
    let (number, _) = emulator.arrive(&Request { at, query, ..get(RECORD, "App") });
    emulator.arrive(&Request { at, application: None, ..get("/subscriptions", "") });
    let at = at + 3 * TICKS_PER_SECOND / 2;
    emulator.answered(number, &Answer { at, status: 429, retry_after: Some(2), body: b"" });
    let log = serde_json::to_string(&emulator.log(false)).unwrap();
    let expected = format!(
        r#"{{"requests":[{{"number":1,"time":"2026-02-25T18:52:21.5Z","application":"App","method":"GET","url":"/v1.0{RECORD}?$skiptoken=abcdefghijkl…","status":429,"retryAfter":2,"fault":null,"tookMs":1500}},{{"number":2,"time":"2026-02-25T18:52:21.5Z","application":null,"method":"GET","url":"/v1.0/subscriptions","status":null,"retryAfter":null,"fault":null,"tookMs":null}}],"warnings":[]}}"#
    );
    assert_eq!(log, expected);
}

#[test]
fn log_is_a_ring_and_can_be_emptied() {
    let emulator = emulator("");
    for number in 1..=10_005 {
        assert_eq!(emulator.arrive(&get(RECORD, "app")).0, number);
    }
    let answered = Answer { at: 1, status: 200, retry_after: None, body: b"{}" };
    for number in [0, 1, 5, 10_005, 20_000] {
        emulator.answered(number, &answered);
    }
    let log = emulator.log(true);
    assert_eq!((log.requests.len(), log.requests[0].number), (10_000, 6));
    let done: Vec<_> = log.requests.iter().filter(|entry| entry.status.is_some()).collect();
    assert_eq!((done.len(), done[0].number), (1, 10_005));
    emulator.clear();
    assert!(emulator.log(true).requests.is_empty());
    emulator.answered(10_005, &answered);
    assert_eq!(emulator.arrive(&get(RECORD, "app")).0, 10_006);
    emulator.answered(10_006, &answered);
    assert_eq!(emulator.log(true).requests[0].status, Some(200));
}
