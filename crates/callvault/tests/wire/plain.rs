//! Plain reads of a record, which are answered on the socket itself, return the same as every other path.

use std::io::{Read, Write};
use std::net::TcpStream;

use testkit::{Answer, Callvault, Client, PATIENCE, Server, TENANT};

use super::{READ, RECORDS, callvault, fixture_path, served};

const ID: &str = "e523d2ed-2966-4b6b-925b-754a88034cc5";
/// A preference that nothing knows: it changes nothing, but such a request is not a plain read.
const ELSEWHERE: [(&str, &str); 1] = [("Prefer", "nothing-known")];
const FORMS: [&str; 6] = [
    "",
    "?$expand=sessions",
    "?$expand=sessions($expand=segments)",
    "?%24expand=sessions(%24expand%3Dsegments)",
    "?$expand=sessions($expand=segments)&unknown=1",
    "?$expand=participants_v2",
];

/// A server with simulated records, and their ids.
fn simulated(arguments: &[&str]) -> (Callvault, Server, Client, Vec<String>) {
    let callvault = callvault();
    let calls = callvault.succeed(&["simulate", "--calls", "60", "--seed", "11"]);
    let ended = callvault.run_with_input(&["import", "--tenant", TENANT, "-"], calls.as_bytes());
    assert!(ended.status.success(), "{}", ended.stderr);
    for name in ["expanded-beta-2020", "group-expanded-2025"] {
        callvault.succeed(&["import", "--tenant", TENANT, &fixture_path(name)]);
    }
    let token = callvault.token(TENANT, &[READ]);
    let server = callvault.serve(arguments);
    let mut client = server.client().bearer(&token);
    let page = client.get(&format!("{RECORDS}?$select=id&$top=60")).json();
    let ids = page["value"].as_array().unwrap().iter();
    let ids = ids.map(|record| record["id"].as_str().unwrap().to_owned()).collect();
    let client = server.client().bearer(&token);
    (callvault, server, client, ids)
}

/// Header lines without those that are another for each request.
fn lasting(answer: &Answer) -> Vec<(String, String)> {
    let changing = ["date", "request-id", "client-request-id", "server-timing"];
    let lines = answer.headers.iter().map(|(name, value)| {
        let changes = changing.contains(&name.as_str());
        (name.clone(), if changes { String::new() } else { value.clone() })
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort();
    lines
}

fn assert_same(direct: &Answer, other: &Answer, what: &str) {
    assert_eq!(direct.status, other.status, "{what}");
    assert_eq!(direct.text(), other.text(), "{what}");
    assert_eq!(lasting(direct), lasting(other), "{what}");
}

#[test]
fn both_paths_return_the_same_responses() {
    let (_callvault, server, mut client, ids) = simulated(&[]);
    let mut elsewhere = server.client();
    elsewhere.headers.clone_from(&client.headers);
    for root in [RECORDS, "/beta/communications/callRecords"] {
        for form in FORMS {
            for id in ids.iter().map(String::as_str).chain([ID]) {
                let target = format!("{root}/{id}{form}");
                let direct = client.get(&target);
                let other = elsewhere.get_with(&target, &ELSEWHERE);
                assert_eq!(direct.status, 200, "{target}");
                assert_same(&direct, &other, &target);
                let tag = direct.header("etag").unwrap();
                let known = client.get_with(&target, &[("If-None-Match", tag)]);
                let lines = [ELSEWHERE[0], ("If-None-Match", tag)];
                assert_eq!(known.status, 304, "{target}");
                assert_same(&known, &elsewhere.get_with(&target, &lines), &target);
                // Tags of others may hold any bytes.
                for (tags, status) in [(format!("\"ä\", {tag}"), 304), ("\"ä\"".to_owned(), 200)]
                {
                    let foreign = ("If-None-Match", tags.as_str());
                    let known = client.get_with(&target, &[foreign]);
                    let other = elsewhere.get_with(&target, &[ELSEWHERE[0], foreign]);
                    assert_eq!(known.status, status, "{target}");
                    assert_same(&known, &other, &target);
                }
            }
        }
    }
}

#[test]
fn settings_apply_to_both_paths() {
    let (callvault, server, _, ids) = simulated(&[]);
    drop(server);
    std::fs::write(
        callvault.folder().join("callvault.toml"),
        "[graph]\nlegacy_identities = \"null\"\n",
    )
    .unwrap();
    let config = callvault.folder().join("callvault.toml");
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let token = callvault.token(TENANT, &[READ]);
    let mut client = server.client().bearer(&token);
    let mut elsewhere = server.client().bearer(&token);
    for id in &ids {
        let target = format!("{RECORDS}/{id}?$expand=sessions");
        let direct = client.get(&target);
        assert!(direct.text().contains("\"organizer\":null"), "{}", direct.text());
        assert_same(&direct, &elsewhere.get_with(&target, &ELSEWHERE), &target);
    }
}

#[test]
fn refusals_come_as_everywhere() {
    let (_callvault, server, mut client, _) = simulated(&[]);
    let missing = format!("{RECORDS}/00000000-0000-4000-8000-00000000dead");
    assert_eq!(client.get(&missing).code(), "NotFound");
    // The connection goes on.
    assert_eq!(client.get(&format!("{RECORDS}/{ID}")).status, 200);
    let target = format!("{RECORDS}/{ID}");
    assert_eq!(server.client().get(&target).status, 401);
    assert_eq!(server.client().bearer("a.b.c").get(&target).status, 401);
    let (callvault, server, _) = served();
    let mut unable = server.client().bearer(&callvault.token(TENANT, &["Callvault.Admin"]));
    assert_eq!(unable.get(&target).status, 403);
}

#[test]
fn an_update_is_seen_by_the_next_read() {
    let (_callvault, server, mut client) = served();
    let mut reading = server.client();
    reading.headers.clone_from(&client.headers);
    let target = format!("{RECORDS}/{ID}");
    let text = super::record(ID, 1, 0);
    for version in 1..20 {
        let text = text.replace("\"version\":1", &format!("\"version\":{version}"));
        assert!(client.post(RECORDS, text.as_bytes()).status < 300);
        assert_eq!(reading.get(&target).json()["version"], version);
    }
}

#[test]
fn cached_answers_follow_every_change() {
    let (callvault, server, mut client) = served();
    let mut reading = server.client();
    reading.headers.clone_from(&client.headers);
    let text = super::record(ID, 1, 0);
    let with_url =
        text.replace("\"version\":1", "\"version\":1,\"joinWebUrl\":\"https://contoso.com\"");
    let later = text.replace("\"version\":1", "\"version\":2");
    let targets = [
        format!("{RECORDS}/{ID}"),
        format!("{RECORDS}/{ID}?$expand=sessions"),
        format!("{RECORDS}?$filter=startDateTime ge 2025-01-01T00:00:00Z"),
        RECORDS.to_owned(),
    ];
    let mut shown = |what: &str| {
        for target in &targets {
            // More than once, so that it is kept.
            let answers: Vec<String> = (0..4).map(|_| reading.get(target).text()).collect();
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{target}");
            assert!(answers[0].contains(what), "{target}: {}", answers[0]);
        }
    };
    assert_eq!(client.post(RECORDS, text.as_bytes()).status, 201);
    shown("\"joinWebUrl\":null");
    // More members of the same version, which are merged.
    assert_eq!(
        client.post(RECORDS, with_url.as_bytes()).header("callvault-result"),
        Some("merged")
    );
    shown("\"joinWebUrl\":\"https://contoso.com\"");
    // A later version, by another process.
    let import = ["import", "--tenant", TENANT, "-"];
    assert!(callvault.run_with_input(&import, later.as_bytes()).status.success());
    shown("\"version\":2");
}

#[test]
fn requests_behind_each_other_and_in_pieces_are_answered_in_order() {
    let (callvault, server, ..) = simulated(&[]);
    let token = callvault.token(TENANT, &[READ]);
    let request = |target: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n")
    };
    let record = format!("{RECORDS}/{ID}");
    // The last but one isn't plain, so that what comes behind it goes the other way with it.
    let targets = [&record, &record, &format!("{record}/sessions/$count"), &record];
    let text: String = targets.iter().map(|target| request(target)).collect();
    for piece in [text.len(), 700, 11] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        for bytes in text.as_bytes().chunks(piece) {
            stream.write_all(bytes).unwrap();
        }
        let mut answers = String::new();
        let mut buffer = [0; 4096];
        while answers.matches("HTTP/1.1 200").count() < targets.len() || !answers.ends_with('}') {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "{answers}");
            answers.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
        assert_eq!(answers.matches(&format!("\"id\":\"{ID}\"")).count(), 3, "{answers}");
    }
}
