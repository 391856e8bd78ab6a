//! Tests of warnings: a client that makes the mistake, and those that do right in unusual ways.

use odata::primitive::TICKS_PER_SECOND;

use super::*;
use crate::Emulator;
use crate::messages::Notification;
use crate::requests::{Answer, Request};
use crate::rules::Rules;

const RECORDS: &str = "/communications/callRecords";
const A: &str = "/communications/callRecords/aaaaaaaa-0000-4000-8000-000000000001";
const A_ID: &str = "AAAAAAAA-0000-4000-8000-000000000001";
const B: &str = "/communications/callRecords/bbbbbbbb-0000-4000-8000-000000000002";

/// A client, whose clock goes on by a second with each thing that happens.
struct Client {
    emulator: Emulator,
    at: i64,
    application: &'static str,
}

fn client() -> Client {
    client_of("")
}

fn client_of(rules: &str) -> Client {
    let emulator = Emulator::new(Rules::from_toml(rules).unwrap(), 1);
    Client { emulator, at: 0, application: "app" }
}

impl Client {
    fn arrive(&mut self, method: &str, path: &str, query: Option<&str>) -> u64 {
        self.at += TICKS_PER_SECOND;
        let (at, application) = (self.at, Some(self.application));
        self.emulator.arrive(&Request { at, method, path, query, version: "v1.0", application }).0
    }

    fn answer(&mut self, number: u64, status: u16, retry_after: Option<u32>, body: &str) {
        self.at += TICKS_PER_SECOND;
        let (at, body) = (self.at, body.as_bytes());
        self.emulator.answered(number, &Answer { at, status, retry_after, body });
    }

    /// A GET of path and query that is answered with this.
    fn get(&mut self, url: &str, body: &str) -> u64 {
        self.send("GET", url, 200, body)
    }

    fn send(&mut self, method: &str, url: &str, status: u16, body: &str) -> u64 {
        let (path, query) =
            url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        let number = self.arrive(method, path, query);
        self.answer(number, status, None, body);
        number
    }

    fn subscribe(&mut self, members: &str) -> u64 {
        let body = format!(
            r#"{{"id":"s","notificationUrl":"https://h","resource":"/communications/callRecords",{members}}}"#
        );
        self.send("POST", "/subscriptions", 201, &body)
    }

    fn tell(&mut self, record: Option<&str>) -> crate::messages::Interference {
        let (at, application) = (self.at, Some(self.application));
        let change_type = "created";
        self.emulator.interference(&Notification {
            at,
            subscription: "S",
            change_type,
            record,
            application,
        })
    }

    fn told(&mut self, record: &str, is_right: bool) {
        self.at += TICKS_PER_SECOND;
        self.emulator.sent(self.at, "s", record, is_right);
    }

    fn warnings(&self, is_final: bool) -> Vec<(Code, Vec<u64>)> {
        let warnings = self.emulator.log(is_final).warnings;
        warnings.into_iter().map(|warning| (warning.code, warning.requests)).collect()
    }

    #[track_caller]
    fn expect_none(&self) {
        assert_eq!(self.warnings(false), []);
        assert_eq!(self.warnings(true), []);
    }
}

/// An answer with a link to more, and rows with these ids.
fn page(token: &str, ids: &[&str]) -> String {
    let rows: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    let rows = rows.join(",");
    format!(
        r#"{{"value":[{rows}],"@odata.nextLink":"https://h/v1.0{RECORDS}?$skiptoken={token}"}}"#
    )
}

fn record(path: &str, token: &str) -> String {
    format!(
        r#"{{"sessions@odata.nextLink":"https:\/\/h\/v1.0{path}/sessions?$skiptoken={token}","sessions":[]}}"#
    )
}

#[test]
fn first_page_alone_is_told() {
    let mut client = client();
    let first = client.get(RECORDS, &page("t1", &[]));
    assert_eq!(client.warnings(false), [], "it may go on");
    assert_eq!(client.warnings(true), [(Code::FirstPageOnly, vec![first])]);
    client.send("PATCH", "/subscriptions/s", 200, "{}");
    assert_eq!(client.warnings(false), [], "renewals come by the clock");
    client.get("/communications/callRecords?$filter=x", r#"{"value":[]}"#);
    assert_eq!(client.warnings(false), [(Code::FirstPageOnly, vec![first])]);
}

#[test]
fn polling_of_first_pages_is_told() {
    let mut client = client();
    let first = client.get(RECORDS, &page("t1", &[]));
    client.get(RECORDS, &page("t2", &[]));
    assert_eq!(client.warnings(false), [(Code::FirstPageOnly, vec![first])]);
}

#[test]
fn further_sessions_that_are_not_read_are_told_apart() {
    let mut client = client();
    let list = client.get(RECORDS, &page("t1", &[]));
    let one = client.get(&format!("{A}?$expand=sessions"), &record(A, "a"));
    client.get(&format!("{B}?$expand=sessions"), &record(B, "b"));
    let warnings = client.emulator.log(false).warnings;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].requests, [list, one]);
    assert_eq!(warnings[0].application.as_deref(), Some("app"));
    let message = &warnings[0].message;
    assert!(message.contains(" @odata.nextLink (once)"), "{message}");
    assert!(message.contains("sessions@odata.nextLink (once: more sessions"), "{message}");
}

#[test]
fn links_that_are_followed_in_full_are_right() {
    let mut client = client();
    client.get(RECORDS, &page("t1", &[A_ID, "bbbbbbbb-0000-4000-8000-000000000002"]));
    // Works off the rows of the page before it goes on, with all pages of each.
    client.get(&format!("{A}?$expand=sessions"), &record(A, "a"));
    client.get(&format!("{A}/participants_v2"), "{}");
    client.get(&format!("{A}/sessions?%24skiptoken=a"), "{}");
    client.get(B, "{}");
    assert_eq!(client.warnings(false), []);
    client.get(&format!("{RECORDS}?$skiptoken=t1"), &page("t2", &[]));
    let retried = client.arrive("GET", RECORDS, Some("$skiptoken=t2"));
    client.answer(retried, 503, None, "{}");
    client.get(&format!("{RECORDS}?$skiptoken=t2"), r#"{"value":[]}"#);
    client.get(&format!("{RECORDS}?$skiptoken=t2"), r#"{"value":[]}"#);
    client.get(RECORDS, r#"{"value":[]}"#);
    client.expect_none();
}

#[test]
fn page_that_was_asked_for_again_may_be_followed_from_the_second_answer() {
    let mut client = client();
    // The client gives up waiting and asks again before the first answer is complete.
    let first = client.arrive("GET", RECORDS, None);
    let second = client.arrive("GET", RECORDS, None);
    client.answer(first, 200, None, &page("t1", &[]));
    client.answer(second, 200, None, &page("t2", &[]));
    assert_eq!(client.warnings(false), []);
    client.get(&format!("{RECORDS}?$skiptoken=t2"), r#"{"value":[]}"#);
    client.get(B, "{}");
    client.expect_none();
}

#[test]
fn links_that_were_cut_off_are_not_owed_but_may_be_followed() {
    let mut client = client_of("[[request]]\nfirst = 1\ntruncate = 100000\n");
    client.get(RECORDS, &page("t1", &[]));
    client.get(RECORDS, r#"{"value":[]}"#);
    client.expect_none();
    client.get(&format!("{RECORDS}?$skiptoken=t1"), "{}");
    client.expect_none();
}

#[test]
fn another_application_does_not_follow_for_one() {
    let mut client = client();
    let first = client.get(RECORDS, &page("t1", &[]));
    client.application = "other";
    client.get(&format!("{RECORDS}?$skiptoken=t1"), "{}");
    assert_eq!(client.warnings(false), []);
    let expected = [(Code::FirstPageOnly, vec![first])];
    assert_eq!(client.warnings(true), expected);
}

#[test]
fn edited_links_are_told() {
    let mut client = client();
    let taken_apart = format!("{RECORDS}?$skiptoken=t1&$top=5");
    client.get(&taken_apart, "{}");
    client.expect_none();
    client.get(RECORDS, &page("t1", &[]));
    client.get(&format!("{RECORDS}?$skiptoken=t1"), "{}");
    let edited = client.get(&taken_apart, "{}");
    let changed = client.get(&format!("{RECORDS}/getPstnCalls(a=1)?$skip=500"), "{}");
    client.get(&format!("{RECORDS}?$skip=500"), "{}");
    assert_eq!(client.warnings(true), [(Code::LinkEdited, vec![edited, changed])]);
}

#[test]
fn links_from_before_the_log_was_emptied_are_known() {
    let mut client = client();
    client.get(RECORDS, &page("t1", &[]));
    client.emulator.clear();
    client.get(&format!("{RECORDS}?%24skiptoken=t1"), "{}");
    for _ in 0..10_001 {
        client.arrive("GET", B, None);
    }
    client.get(&format!("{RECORDS}?$skiptoken=t1"), "{}");
    client.expect_none();
}

#[test]
fn retry_after_that_is_ignored_is_told() {
    let mut client = client();
    let refused = client.arrive("GET", A, None);
    client.answer(refused, 429, Some(10), "{}");
    let early = client.arrive("GET", A, Some("$select=id"));
    client.answer(early, 200, None, "{}");
    assert_eq!(client.warnings(false), [(Code::RetryAfterIgnored, vec![early])]);
}

#[test]
fn waiting_is_right_and_may_end_a_little_early() {
    let mut client = client();
    let refused = client.arrive("GET", A, None);
    client.answer(refused, 429, Some(10), "{}");
    let answered = client.at;
    client.get(B, "{}");
    client.send("DELETE", A, 204, "");
    client.at = answered + 9 * TICKS_PER_SECOND - TICKS_PER_SECOND / 20 - TICKS_PER_SECOND;
    client.get(A, "{}");
    client.expect_none();
    // At once again, but sent beside the first one.
    let refused = client.arrive("GET", RECORDS, Some("$top=1"));
    client.answer(refused, 429, Some(10), "{}");
    client.at += TICKS_PER_SECOND / 20 - TICKS_PER_SECOND;
    client.arrive("GET", RECORDS, Some("$top=2"));
    client.expect_none();
    client.at -= TICKS_PER_SECOND;
    let again = client.arrive("GET", RECORDS, Some("$top=1"));
    assert_eq!(client.warnings(false), [(Code::RetryAfterIgnored, vec![again])]);
}

#[test]
fn subscriptions_to_first_versions_only_are_told() {
    let mut client = client();
    let number = client.subscribe(r#""changeType":"created","clientState":"x""#);
    assert_eq!(client.warnings(false), [(Code::CreatedOnly, vec![number])]);
    client.subscribe(r#""changeType":"updated","clientState":"x""#);
    client.expect_none();
}

#[test]
fn subscriptions_to_all_versions_with_a_state_are_right() {
    for change_type in ["updated", "created,updated", "created, updated"] {
        let mut client = client();
        client.subscribe(&format!(r#""changeType":"{change_type}","clientState":"x""#));
        client.send("GET", "/subscriptions/s", 200, r#"{"id":"s","changeType":"created"}"#);
        client.send("POST", "/subscriptions", 400, r#"{"id":"s","changeType":"created"}"#);
        client.expect_none();
    }
}

#[test]
fn subscriptions_without_a_state_are_told() {
    let mut client = client();
    let one = client.subscribe(r#""changeType":"updated","clientState":null"#);
    let other = client.subscribe(r#""changeType":"updated""#);
    assert_eq!(client.warnings(false), [(Code::NoClientState, vec![one, other])]);
}

const WRONG: &str = "[[notification]]\nfirst = 1\nclient_state = \"wrong\"\n";

#[test]
fn wrong_state_that_is_believed_is_told() {
    let mut client = client_of(WRONG);
    client.subscribe(r#""changeType":"updated","clientState":"x""#);
    assert!(client.tell(Some(A_ID)).client_state.is_some());
    // The receiver asks before it answers.
    let number = client.get(A, "{}");
    client.expect_none();
    client.told(A_ID, false);
    let again = client.get(A, "{}");
    let expected = [(Code::ClientStateNotChecked, vec![number, again])];
    assert_eq!(client.warnings(false), expected);
    // A right message that comes later does not make it good.
    client.tell(Some(A_ID));
    client.told(A_ID, true);
    client.get(A, "{}");
    assert_eq!(client.warnings(false), expected);
}

#[test]
fn record_that_is_known_from_elsewhere_may_be_read() {
    // By a right message, before the wrong one or after it.
    for is_right_first in [true, false] {
        let mut client = client();
        client.subscribe(r#""changeType":"updated","clientState":"x""#);
        client.told(A_ID, is_right_first);
        client.told(A_ID, !is_right_first);
        client.get(A, "{}");
        client.expect_none();
    }
    // From a list, before or after.
    for is_listed_first in [true, false] {
        let mut client = client_of(WRONG);
        let list = |client: &mut Client| {
            client.get(RECORDS, &format!(r#"{{"value":[{{"id":"{A_ID}"}}]}}"#));
        };
        if is_listed_first {
            list(&mut client);
        }
        client.tell(Some(A_ID));
        client.told(A_ID, false);
        if !is_listed_first {
            list(&mut client);
        }
        client.get(A, "{}");
        client.expect_none();
    }
    // Because it wrote or read it before.
    for method in ["PUT", "GET"] {
        let mut client = client_of(WRONG);
        client.send(method, A, 200, "{}");
        client.tell(Some(A_ID));
        client.told(A_ID, false);
        client.get(A, "{}");
        client.expect_none();
    }
}

#[test]
fn wrong_state_that_is_not_believed_is_right() {
    let mut client = client_of(WRONG);
    client.subscribe(r#""changeType":"updated","clientState":"x""#);
    client.tell(Some(A_ID));
    client.told(A_ID, false);
    client.get(B, "{}");
    client.application = "other";
    client.get(A, "{}");
    client.expect_none();
}

#[test]
fn warning_is_written_as_json() {
    let mut client = client();
    client.subscribe(r#""changeType":"updated""#);
    let warnings = client.emulator.log(false).warnings;
    let json = serde_json::to_value(&warnings).unwrap();
    assert_eq!(json[0]["code"], "noClientState");
    assert_eq!(json[0]["application"], "app");
    assert_eq!(json[0]["requests"], serde_json::json!([1]));
    assert!(json[0]["message"].as_str().is_some_and(|message| message.ends_with('.')));
}

#[test]
fn a_list_that_is_asked_for_in_narrower_parts_needs_no_links() {
    let list = |from: &str, to: &str| {
        format!(
            "{RECORDS}?$filter=startDateTime%20ge%202026-11-01T{from}Z%20and%20startDateTime%20lt%20\
             2026-11-01T{to}Z"
        )
    };
    let more =
        r#"{"value":[],"@odata.nextLink":"http://h/v1.0/communications/callRecords?$skiptoken=x"}"#;
    let codes = |client: &Client| {
        let warnings = client.emulator.log(true).warnings;
        warnings.iter().map(|warning| warning.code).collect::<Vec<_>>()
    };
    let mut narrowing = client();
    narrowing.get(&list("08:00:00", "09:00:00"), more);
    narrowing.get(&list("08:00:00", "08:30:00"), r#"{"value":[]}"#);
    assert_eq!(codes(&narrowing), []);
    let mut going_on = client();
    going_on.get(&list("08:00:00", "09:00:00"), more);
    going_on.get(&list("09:00:00", "10:00:00"), r#"{"value":[]}"#);
    assert_eq!(codes(&going_on), [Code::FirstPageOnly]);
}
