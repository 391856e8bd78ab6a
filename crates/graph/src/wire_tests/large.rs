//! Answers that are too large to be made as a whole, and who takes how much of what is in flight.

use serde_json::Value;

use super::client::{Answer, Connection};
use super::rig::Rig;
use crate::caller::role;

const RECORDS: &str = "/v1.0/communications/callRecords";
const SMALL: &str = "e523d2ed-2966-4b6b-925b-754a88034cc5";
const LARGE: &str = "e523d2ed-2966-4b6b-925b-754a88034cc6";
const WORD: &str = "\"word\"";

/// A record that says a word in its own members, in each segment and of each participant.
fn record(id: &str, word: &str, sessions: usize) -> String {
    let times = r#""startDateTime":"2026-11-01T10:00:00Z","endDateTime":"2026-11-01T10:05:00Z""#;
    let failure = format!(r#""failureInfo":{{"stage":"unknown","reason":{word}}}"#);
    let sessions: Vec<String> = (0..sessions)
        .map(|number| {
            let segment = format!(r#"{{"id":"g{number}",{times},{failure}}}"#);
            format!(r#"{{"id":"it's {number}",{times},{failure},"segments":[{segment}]}}"#)
        })
        .collect();
    let person = |number: u32| {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        format!(r#"{{"id":"{id}","identity":{{"user":{{"id":"{id}","displayName":{word}}}}}}}"#)
    };
    format!(
        r#"{{"id":"{id}","version":1,"type":"groupCall","modalities":["audio"],{times},"joinWebUrl":{word},"organizer_v2":{},"participants_v2":[{},{}],"sessions":[{}]}}"#,
        person(1),
        person(1),
        person(2),
        sessions.join(",")
    )
}

fn word(bytes: usize) -> String {
    format!("\"{}\"", "large ".repeat(bytes / 6))
}

/// Asks with a token that may read and write.
struct Asking<'r> {
    connection: Connection,
    bearer: &'r str,
}

impl Asking<'_> {
    fn get(&mut self, target: &str, lines: &[&str]) -> Answer {
        self.connection.ask("GET", target, &[&[self.bearer], lines].concat())
    }

    fn post(&mut self, target: &str, body: &str) -> Answer {
        let lines = [self.bearer, "Content-Type: application/json"];
        self.connection.ask_with("POST", target, &lines, body.as_bytes())
    }
}

#[test]
fn large_answers_say_what_small_ones_say() {
    let rig = Rig::start();
    let bearer = rig.bearer(&[role::READ, role::WRITE]);
    let mut asking = Asking { connection: rig.connect(), bearer: &bearer };
    let large = word(1_500_000);
    assert_eq!(asking.post(RECORDS, &record(SMALL, WORD, 3)).status, 201);
    let created = asking.post(RECORDS, &record(LARGE, &large, 3));
    assert_eq!(created.status, 201);
    assert!(created.text().contains(&large), "what was written is read back");
    for rest in [
        "",
        "?$expand=sessions",
        "?$expand=sessions($expand=segments)",
        "?$expand=participants_v2",
        "?$expand=sessions($expand=segments;$top=2),participants_v2",
        "/callvault.version(version=1)?$expand=sessions",
        "/sessions",
        "/sessions?$expand=segments&$count=true",
        "/sessions?$top=1",
        "/participants_v2",
    ] {
        let small = asking.get(&format!("{RECORDS}/{SMALL}{rest}"), &[]);
        let target = format!("{RECORDS}/{LARGE}{rest}");
        // Once by the short way, if it is one that is known there, and once by the long one.
        for lines in [&[][..], &["Prefer: nothing-known", "Accept-Encoding: gzip"]] {
            let answer = asking.get(&target, lines);
            assert_eq!(
                (small.status, answer.status),
                (200, 200),
                "{target}: {}",
                answer.text().len()
            );
            let expected = small.text().replace(SMALL, "id").replace(WORD, "word");
            let found = answer.text().replace(LARGE, "id").replace(&large, "word");
            assert_eq!(without_links(&found), without_links(&expected), "{target}");
            assert_eq!(answer.header("content-length"), None, "{target}");
            assert_eq!(answer.header("content-encoding"), None, "{target}");
            assert_eq!(answer.header("content-type"), small.header("content-type"));
            let condition = format!("If-None-Match: {}", answer.header("etag").unwrap());
            assert_eq!(asking.get(&target, &[&condition]).status, 304, "{target}");
        }
        let head = asking.connection.ask("HEAD", &target, &[&bearer]);
        assert_eq!((head.status, head.body.len()), (200, 0), "{target}");
    }
    rig.wait_for_metric("callvault_answer_bytes_in_flight 0");
}

/// The text without what is sealed anew for each record.
fn without_links(text: &str) -> String {
    let mut parts = text.split("$skiptoken=");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.find('"').map_or("", |at| &part[at..]));
    }
    out
}

#[test]
fn other_forms_of_large_answers_are_made_as_a_whole() {
    let rig = Rig::start();
    let bearer = rig.bearer(&[role::READ, role::WRITE]);
    let mut asking = Asking { connection: rig.connect(), bearer: &bearer };
    let large = word(500_000);
    assert_eq!(asking.post(RECORDS, &record(LARGE, &large, 3)).status, 201);
    let target = format!("{RECORDS}/{LARGE}?$expand=sessions($expand=segments)");
    let kept: Value = serde_json::from_str(asking.get(&target, &[]).text()).unwrap();

    let selected = format!("{target}&$select=id,joinWebUrl");
    let selected = asking.get(&selected, &[]);
    assert_eq!(selected.status, 200, "{}", selected.text());
    assert!(selected.header("content-length").is_some());
    let selected: Value = serde_json::from_str(selected.text()).unwrap();
    assert_eq!(selected["sessions"], kept["sessions"]);
    assert_eq!(selected.get("type"), None);

    let full = asking.get(&target, &["Accept: application/json;odata.metadata=full"]);
    let full: Value = serde_json::from_str(full.text()).unwrap();
    assert_eq!(
        full["sessions"][2]["segments"][0]["failureInfo"]["reason"],
        large[1..large.len() - 1]
    );

    let list = format!("{RECORDS}?$filter=id eq '{LARGE}'&$expand=sessions($expand=segments)");
    let list = asking.get(&list.replace(' ', "%20"), &[]);
    assert_eq!(list.status, 200, "{}", list.text());
    let list: Value = serde_json::from_str(list.text()).unwrap();
    assert_eq!(list["value"][0]["joinWebUrl"], kept["joinWebUrl"]);

    let member = target.strip_prefix("/v1.0").unwrap();
    let batch = format!(r#"{{"requests":[{{"id":"1","method":"GET","url":"{member}"}}]}}"#);
    let batch = asking.post("/v1.0/$batch", &batch);
    let batch: Value = serde_json::from_str(batch.text()).unwrap();
    assert_eq!(batch["responses"][0]["body"], kept);
    rig.wait_for_metric("callvault_answer_bytes_in_flight 0");
}

#[test]
fn slow_readers_stay_within_the_pool_and_others_are_told_to_come_back() {
    const POOL: u64 = 16 << 20;
    let rig = Rig::with(|options| options.limits.answers_in_flight = POOL);
    let bearer = rig.bearer(&[role::READ, role::WRITE]);
    let mut asking = Asking { connection: rig.connect(), bearer: &bearer };
    // More than the buffers of a socket hold.
    assert_eq!(asking.post(RECORDS, &record(LARGE, &word(3 << 20), 3)).status, 201);
    let target = format!("{RECORDS}/{LARGE}?$expand=sessions($expand=segments)");
    let (mut reading, mut refused) = (Vec::new(), 0);
    for _ in 0..24 {
        let mut connection = rig.connect();
        connection.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n{bearer}\r\n\r\n"));
        let head = connection.head();
        if head.starts_with("HTTP/1.1 200") {
            reading.push(connection);
        } else {
            assert!(head.starts_with("HTTP/1.1 503"), "{head}");
            assert!(head.to_ascii_lowercase().contains("retry-after: "), "{head}");
            refused += 1;
        }
    }
    assert!(!reading.is_empty() && refused > 0, "{} and {refused}", reading.len());
    let used = rig.metrics();
    let used = used.lines().find_map(|line| line.strip_prefix("callvault_answer_bytes_in_flight "));
    let used: u64 = used.unwrap().parse().unwrap();
    assert!(0 < used && used <= POOL, "{used}");
    // Whoever asks for little is answered meanwhile.
    assert_eq!(asking.get("/v1.0/communications/callRecords?$select=id", &[]).status, 200);
    let first = reading.remove(0).chunks();
    assert!(serde_json::from_slice::<Value>(&first).is_ok());
    drop(reading);
    rig.wait_for_metric("callvault_answer_bytes_in_flight 0");
    assert_eq!(asking.get(&target, &[]).body, first);
}

#[test]
fn an_answer_that_will_never_have_room_is_refused_for_good() {
    let rig = Rig::with(|options| options.limits.answers_in_flight = 8 << 20);
    let bearer = rig.bearer(&[role::READ, role::WRITE]);
    let mut asking = Asking { connection: rig.connect(), bearer: &bearer };
    assert_eq!(asking.post(RECORDS, &record(LARGE, &word(3 << 20), 2)).status, 201);
    let target = format!("{RECORDS}/{LARGE}?$expand=sessions($expand=segments)");
    let refused = asking.get(&format!("{target}&$select=joinWebUrl"), &[]);
    assert_eq!((refused.status, refused.code().as_str()), (400, "BadRequest"));
    assert_eq!(asking.get(&target, &[]).status, 200, "but as it is kept it is answered");
}
