//! A meeting of 2,000 people and 3,000 sessions: imported in three ways, read in pages.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::{READ, RECORDS, TENANT, WRITE, all_pages, callvault, fixture, record};

const ID: &str = "6b5c8e1a-0000-4000-8000-000000002000";
const PARTICIPANTS: usize = 2_000;
const SESSIONS: usize = 3_000;

/// Sessions as large as real ones, about 8 KB each.
fn meeting(version: u64) -> String {
    let sample: Value = serde_json::from_str(&fixture("group-expanded-2025")).unwrap();
    let session = sample["sessions"][0].to_string();
    let id = sample["sessions"][0]["id"].as_str().unwrap().to_owned();
    let sessions: Vec<String> = (0..SESSIONS)
        .map(|number| session.replace(&id, &format!("5e551000-0000-4000-8000-{number:012}")))
        .collect();
    let participants: Vec<String> = (0..PARTICIPANTS)
        .map(|number| {
            let id = format!("00000002-1111-4222-8333-{number:012}");
            format!(r#"{{"id":"{id}","identity":{{"user":{{"id":"{id}","displayName":null}}}}}}"#)
        })
        .collect();
    format!(
        r#"{{"id":"{ID}","version":{version},"type":"groupCall","modalities":["audio"],"startDateTime":"2025-08-15T12:23:32.922748Z","endDateTime":"2025-08-15T12:28:26.0904416Z","participants_v2":[{}],"sessions":[{}]}}"#,
        participants.join(","),
        sessions.join(",")
    )
}

#[test]
fn a_huge_meeting_is_imported_in_every_way_in_bounded_memory() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let text = meeting(1);
    let idle = server.peak_memory();
    let tenants: Vec<String> =
        (0..3).map(|number| format!("00000000-0000-4000-8000-{number:012}")).collect();

    let mut posting = server.client().bearer(&callvault.token(&tenants[0], &[READ, WRITE]));
    let answer = posting.post(RECORDS, text.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());

    let mut importing = server.client().bearer(&callvault.token(&tenants[1], &[READ, WRITE]));
    let target = format!("{RECORDS}/callvault.import");
    let ndjson = [("Content-Type", "application/x-ndjson")];
    let answer = importing.send("POST", &target, &ndjson, text.as_bytes());
    assert_eq!(answer.lines()[0]["status"], "created", "{}", answer.text());
    let needed = (server.peak_memory() - idle) * 1024;
    assert!(needed < 8 * text.len() as u64, "{needed} bytes for a record of {}", text.len());

    let file = callvault.folder().join("meeting.json");
    std::fs::write(&file, &text).unwrap();
    callvault.succeed(&["import", "--tenant", &tenants[2], file.to_str().unwrap()]);

    for tenant in &tenants {
        let mut client = server.client().bearer(&callvault.token(tenant, &[READ]));
        for (name, count) in [("sessions", SESSIONS), ("participants_v2", PARTICIPANTS)] {
            let answer = client.get(&format!("{RECORDS}/{ID}/{name}/$count"));
            assert_eq!(answer.text(), count.to_string(), "{name}");
        }
    }
}

#[test]
fn each_session_comes_once_while_others_write() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let token = callvault.token(TENANT, &[READ, WRITE]);
    let mut client = server.client().bearer(&token);
    assert_eq!(client.post(RECORDS, meeting(1).as_bytes()).status, 201);

    let target = format!("{RECORDS}/{ID}?$expand=sessions($expand=segments),participants_v2");
    let answer = client.get(&target).json();
    let sessions = answer["sessions"].as_array().unwrap();
    let participants = answer["participants_v2"].as_array().unwrap();
    assert_eq!((sessions.len(), participants.len()), (60, 130));
    let link = |name: &str| answer[format!("{name}@odata.nextLink")].as_str().unwrap().to_owned();
    assert!(link("sessions").contains("$expand=segments&$skiptoken="), "{}", link("sessions"));

    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = server.client().bearer(&token);
            assert_eq!(writer.post(RECORDS, meeting(2).as_bytes()).status, 200);
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) {
                number += 1;
                writer.post(RECORDS, record(&format!("other-{number}"), 1, number).as_bytes());
            }
        });
        let mut found: HashSet<String> = HashSet::new();
        let mut count = 0;
        let rest = all_pages(&mut client, &link("sessions"));
        for session in sessions.iter().chain(&rest) {
            count += 1;
            assert!(!session["segments"].as_array().unwrap().is_empty());
            found.insert(session["id"].as_str().unwrap().to_owned());
        }
        assert_eq!((count, found.len()), (SESSIONS, SESSIONS));
        let people = all_pages(&mut client, &link("participants_v2"));
        assert_eq!(130 + people.len(), PARTICIPANTS);
        is_over.store(true, Ordering::Relaxed);
    });
    let newest = client.get(&format!("{RECORDS}/{ID}")).json();
    assert_eq!(newest["version"], 2);
}
