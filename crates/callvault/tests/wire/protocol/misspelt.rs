//! Names that are not understood: the answer names them, and what was probably meant.

use super::super::{record, served_with};
use super::{RECORDS, served};

const DAY: &str = "(fromDateTime=2025-01-01,toDateTime=2025-01-02)";

#[test]
fn a_name_that_is_nearly_one_is_named_with_what_was_meant() {
    let (_callvault, _server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    for (path, status, name, meant) in [
        ("/getpstncalls".to_owned(), 404, "getpstncalls", Some("getPstnCalls")),
        (format!("/getpstncalls{DAY}"), 400, "getpstncalls", Some("getPstnCalls")),
        (format!("/getPstnCals{DAY}"), 400, "getPstnCals", Some("getPstnCalls")),
        (format!("/callRecords.getPstnCals{DAY}"), 400, "getPstnCals", None),
        (format!("/getSmsLog{DAY}"), 400, "getSmsLog", None),
        ("/nothing()".to_owned(), 400, "nothing()", None),
        ("/session".to_owned(), 404, "session", Some("sessions")),
        ("/callvault.session()".to_owned(), 400, "callvault.session()", Some("callvault.sessions")),
        (
            "/getPstnCalls(fromdateTime=2025-01-01,toDateTime=2025-01-02)".to_owned(),
            400,
            "fromdateTime",
            Some("fromDateTime"),
        ),
        ("/r1/sesions".to_owned(), 400, "sesions", Some("sessions")),
        ("/r1/callvault.versoin(version=1)".to_owned(), 400, "versoin", Some("callvault.version")),
        ("/r1/callvault.version(Version=1)".to_owned(), 400, "Version", Some("version")),
        ("('r1')/sessions(Id='a')".to_owned(), 400, "Id", Some("id")),
        ("/$cuont".to_owned(), 400, "$cuont", Some("$count")),
        ("/r1/version/$vlaue".to_owned(), 400, "$vlaue", Some("$value")),
        (
            "?$expand=sessions/segments".to_owned(),
            400,
            "sessions/…",
            Some("sessions($expand=segments)"),
        ),
        (
            "/r1?$select=sessions/id".to_owned(),
            400,
            "sessions/…",
            Some("$expand=sessions($select=id)"),
        ),
        ("/r1?$expand=sesions".to_owned(), 400, "sesions", Some("sessions")),
        ("/r1?$selct=id".to_owned(), 400, "$selct", Some("$select")),
        ("?$filter=strtswith(id,'a')".to_owned(), 400, "strtswith", Some("startswith")),
        ("?$orderby=strtDateTime".to_owned(), 400, "strtDateTime", Some("startDateTime")),
    ] {
        let answer = client.get(&format!("{RECORDS}{path}"));
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, status, "{path}: {message}");
        assert!(message.contains(name), "{path}: {message}");
        let meant = meant.map(|meant| format!("Did you mean '{meant}'?"));
        assert!(message.contains(meant.as_deref().unwrap_or_default()), "{path}: {message}");
        assert!(!message.contains("30 days"), "{path}: {message}");
    }
}

#[test]
fn the_way_to_the_records_is_named_too() {
    let (_callvault, _server, mut client) = served();
    for (target, status, part) in [
        ("/v1.0/communications/callrecords", 400, "Did you mean 'callRecords'?"),
        ("/v1.0/callRecords", 400, "Did you mean 'communications/callRecords'?"),
        ("/v1.0/$metdata", 400, "Did you mean '$metadata'?"),
        ("/v1.0/subscriptions/x/reauthorise", 400, "Did you mean 'reauthorize'?"),
        ("/v2.0/communications/callRecords", 404, "below /v1.0 and /beta"),
        ("/communications/callRecords", 404, "below /v1.0 and /beta"),
        ("/", 404, "those of the API are below /v1.0 and /beta, and pages for people at /ui/."),
        ("/favicon.ico", 404, "There is no resource at this path."),
    ] {
        let answer = client.get(target);
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, status, "{target}: {message}");
        assert!(message.contains(part), "{target}: {message}");
    }
    let batch = br#"{"requests":[{"id":"1","method":"GET","url":"/communications/callRecords/getpstncalls"}]}"#;
    let answer = client.post("/v1.0/$batch", batch).text();
    assert!(answer.contains("Did you mean 'getPstnCalls'?"), "{answer}");
}

#[test]
fn strictly_a_record_that_is_not_there_has_graphs_words() {
    let (_callvault, _server, mut client) = served_with("graph.strict = \"on\"\n");
    for id in ["getpstncalls", "other"] {
        let answer = client.get(&format!("{RECORDS}/{id}"));
        assert_eq!(answer.status, 404, "{id}");
        assert!(answer.text().contains("30 days"), "{id}: {}", answer.text());
    }
}
