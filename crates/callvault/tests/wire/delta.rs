//! Following changes: `callRecords/delta`, and lists with the preference `track-changes`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Client, OTHER_TENANT, TENANT};

use super::erasing::ADMIN;
use super::{READ, RECORDS, WRITE, callvault, record, served, served_with};

const DELTA: &str = "/v1.0/communications/callRecords/delta";

/// A client's copy of what the server has.
#[derive(Default)]
struct Copy {
    records: BTreeMap<String, Value>,
    /// What was told last: ids with their versions, or why they were removed.
    told: Vec<String>,
    /// What was told in rounds that were expected.
    known: Vec<String>,
    link: String,
}

impl Copy {
    fn begun(client: &mut Client, target: &str) -> Self {
        let mut copy = Self::default();
        copy.follow(client, target);
        copy.known.clone_from(&copy.told);
        copy
    }

    /// Reads a round from a link on, page by page.
    fn follow(&mut self, client: &mut Client, target: &str) {
        self.told.clear();
        let mut next = target.to_owned();
        loop {
            let answer = client.get(&next);
            assert_eq!(answer.status, 200, "{next}: {}", answer.text());
            let page = answer.json();
            for item in page["value"].as_array().unwrap() {
                self.take(item);
            }
            if let Some(link) = page["@odata.deltaLink"].as_str() {
                assert!(page.get("@odata.nextLink").is_none());
                link.clone_into(&mut self.link);
                return;
            }
            page["@odata.nextLink"].as_str().expect("a page has a link").clone_into(&mut next);
        }
    }

    fn take(&mut self, item: &Value) {
        let id = item["id"].as_str().unwrap().to_owned();
        if let Some(removed) = item.get("@removed") {
            let why = removed["reason"].as_str().unwrap();
            assert_eq!(*item, json!({"@removed": {"reason": why}, "id": id}));
            self.told.push(format!("{id} {why}"));
            self.records.remove(&id);
        } else {
            self.told.push(format!("{id} {}", item["version"]));
            self.records.insert(id, item.clone());
        }
    }

    /// Reads the next round, which has to tell this. Where many nodes write, a change may be told a moment
    /// after it was acknowledged, and once more after it was told.
    fn expect(&mut self, client: &mut Client, expected: &[&str]) {
        let mut told = Vec::new();
        testkit::until("the changes are told", || {
            let link = self.link.clone();
            self.follow(client, &link);
            let is_new = |it: &String| expected.contains(&&**it) || !self.known.contains(it);
            told.extend(self.told.drain(..).filter(is_new));
            told.len() >= expected.len()
        });
        assert_eq!(told, expected);
        self.known.append(&mut told);
    }
}

fn keep(client: &mut Client, id: &str, version: u64, minute: u64) {
    let answer = client.post(RECORDS, record(id, version, minute).as_bytes());
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
}

fn erase(client: &mut Client, id: &str) {
    assert_eq!(client.send("DELETE", &format!("{RECORDS}/{id}"), &[], b"").status, 204);
}

#[test]
fn a_follower_has_what_the_server_has() {
    let callvault = callvault();
    let token = callvault.token(TENANT, &[READ, WRITE, ADMIN]);
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&token);
    for number in 0..7 {
        keep(&mut client, &format!("r{number}"), 1, number);
    }
    let first = client.get(&format!("{DELTA}?$top=3"));
    let context = format!("http://{}/v1.0/$metadata#communications/callRecords", server.address);
    assert_eq!(first.json()["@odata.context"], context);
    assert_eq!(first.json()["value"].as_array().unwrap().len(), 3);
    let plain = client.get(RECORDS).json();
    let mut copy = Copy::begun(&mut client, &format!("{DELTA}?$top=3"));
    assert_eq!(copy.told.len(), 7);
    assert_eq!(copy.records["r3"], plain["value"][3], "as lists show it");
    copy.expect(&mut client, &[]);

    keep(&mut client, "r1", 2, 1);
    keep(&mut client, "new", 1, 9);
    keep(&mut client, "r1", 3, 1);
    keep(&mut client, "r5", 0, 5);
    erase(&mut client, "r2");
    keep(&mut client, "short", 1, 8);
    erase(&mut client, "short");
    erase(&mut client, "r4");
    keep(&mut client, "r4", 1, 30);
    // A kill loses nothing, and links outlive it.
    server.kill();
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&token);
    let link = copy.link.clone();
    copy.expect(&mut client, &["new 1", "r1 3", "r2 deleted", "short deleted", "r4 1"]);
    let answer = client.get(&link).json();
    let context = answer["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("#communications/callRecords/$delta"), "{context}");
    let there = super::all_pages(&mut client, RECORDS);
    let there: Vec<_> = there.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    let mut there = there;
    there.sort_unstable();
    assert_eq!(there, copy.records.keys().cloned().collect::<Vec<_>>());
    copy.expect(&mut client, &[]);
}

#[test]
fn what_is_merged_is_told_once_with_all_that_is_known() {
    let (_callvault, _server, mut client) = served();
    let mut copy = Copy::begun(&mut client, &format!("{DELTA}?$expand=sessions"));
    let text = super::fixture("expanded-beta-2020");
    let mut basic: Value = serde_json::from_str(&text).unwrap();
    let id = basic["id"].as_str().unwrap().to_owned();
    basic.as_object_mut().unwrap().remove("sessions");
    client.post(RECORDS, basic.to_string().as_bytes());
    client.post(RECORDS, text.as_bytes());
    copy.expect(&mut client, &[&format!("{id} 1")]);
    assert!(!copy.records[&id]["sessions"].as_array().unwrap().is_empty());
    let known = client.get(&format!("{RECORDS}/{id}?$expand=sessions")).json();
    assert_eq!(copy.records[&id]["sessions"], known["sessions"]);
}

#[test]
fn what_no_longer_meets_the_condition_is_removed() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&callvault.token(TENANT, &[READ, WRITE, ADMIN]));
    // Minute 3 is of user-0, minute 4 of user-1.
    let filter = "$filter=startDateTime%20ge%202025-01-01T00:02:00Z%20and%20\
                  participants_v2/any(p:p/id%20eq%20'user-0')&$select=id,version";
    for (id, minute) in [("a", 3), ("b", 4), ("c", 6), ("d", 0)] {
        keep(&mut client, id, 1, minute);
    }
    let mut copy = Copy::begun(&mut client, &format!("{DELTA}?{filter}"));
    assert_eq!(copy.told, ["c 1", "a 1"]);
    let members = copy.records["a"].as_object().unwrap();
    assert!(members.keys().all(|name| ["id", "version", "@odata.etag"].contains(&name.as_str())));
    keep(&mut client, "a", 2, 4);
    keep(&mut client, "c", 2, 9);
    keep(&mut client, "e", 1, 4);
    keep(&mut client, "f", 1, 3);
    keep(&mut client, "d", 2, 3);
    copy.expect(&mut client, &["a changed", "c 2", "f 1", "d 2"]);
    // Erased and come again without meeting it.
    erase(&mut client, "f");
    keep(&mut client, "f", 1, 4);
    erase(&mut client, "e");
    copy.expect(&mut client, &["f changed", "e deleted"]);
    // Any condition of a list is judged.
    let late = "$filter=version%20gt%201%20and%20contains(id,'a')&$top=1";
    let mut copy = Copy::begun(&mut client, &format!("{DELTA}?{late}"));
    assert_eq!(copy.told, ["a 2"]);
    keep(&mut client, "ab", 5, 4);
    keep(&mut client, "a", 3, 4);
    copy.expect(&mut client, &["ab 5", "a 3"]);
}

#[test]
fn a_list_gives_the_same_link_where_it_is_preferred() {
    let (_callvault, server, mut client) = served();
    for number in 0..5 {
        keep(&mut client, &format!("r{number}"), 1, number);
    }
    for prefer in ["track-changes", "odata.track-changes"] {
        let headers = [("Prefer", &*format!("{prefer}, odata.maxpagesize=4"))];
        let answer = client.get_with(&format!("{RECORDS}?$select=id"), &headers);
        let applied = answer.header("preference-applied");
        assert_eq!(applied, Some("odata.maxpagesize=4, track-changes"));
        let next = answer.json()["@odata.nextLink"].as_str().unwrap().to_owned();
        let page = client.get(&next).json();
        let link = page["@odata.deltaLink"].as_str().unwrap();
        let begin = format!("http://{}{DELTA}?$select=id&$deltatoken=", server.address);
        assert!(link.starts_with(&begin), "{link}");
        // Where many nodes write, what was just acknowledged may be told once more.
        let mut link = link.to_owned();
        testkit::until("nothing has changed", || {
            let round = client.get(&link).json();
            let mut links = ["@odata.deltaLink", "@odata.nextLink"].iter();
            let further = links.find_map(|name| round[*name].as_str()).unwrap();
            further.clone_into(&mut link);
            round["value"] == json!([])
        });
    }
    for target in [&format!("{RECORDS}/r1"), &format!("{RECORDS}/callvault.sessions()")] {
        let answer = client.get_with(target, &[("Prefer", "track-changes")]);
        assert_eq!((answer.status, answer.header("preference-applied")), (200, None));
    }
    let beta = client.get("/beta/communications/callRecords/callvault.delta()").json();
    assert!(beta["@odata.deltaLink"].as_str().unwrap().contains("/beta/communications/"));
    // A change is told when nothing can come before it any more, so what was written before it is settled, too.
    let mut settled = Copy::begun(&mut client, DELTA);
    keep(&mut client, "marker", 1, 1);
    settled.expect(&mut client, &["marker 1"]);
    let latest = client.get(&format!("{DELTA}?$deltatoken=latest")).json();
    assert_eq!(latest["value"], json!([]));
    let link = latest["@odata.deltaLink"].as_str().unwrap().to_owned();
    let mut copy = Copy { link, ..Copy::default() };
    keep(&mut client, "late", 1, 1);
    copy.expect(&mut client, &["late 1"]);
    let posted = client.send(
        "POST",
        &format!("{DELTA}/$query"),
        &[("Content-Type", "text/plain")],
        b"$filter=id eq 'late'",
    );
    assert_eq!(posted.json()["value"].as_array().unwrap().len(), 1);
    let batch = json!({"requests": [{"id": "1", "method": "GET", "url": "/communications/callRecords/delta?$top=1"}]});
    let answer = client.post("/v1.0/$batch", batch.to_string().as_bytes()).json();
    let body = &answer["responses"][0]["body"];
    assert!(body["@odata.nextLink"].is_string(), "{answer}");
}

#[test]
fn what_changes_cannot_say_is_refused() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&callvault.token(TENANT, &[READ, WRITE]));
    for number in 0..3 {
        keep(&mut client, &format!("r{number}"), 1, number);
    }
    for (options, target) in [
        ("$orderby=id", "$orderby"),
        ("$search=abbie", "$search"),
        ("$apply=aggregate($count%20as%20n)", "$apply"),
        ("$compute=version%20add%201%20as%20n&$select=n", "$compute"),
        ("$skip=1", "$skip"),
        ("$count=true", "$count"),
    ] {
        let refused = client.get(&format!("{DELTA}?{options}"));
        assert_eq!(refused.status, 501, "{options}: {}", refused.text());
        assert_eq!(refused.json()["error"]["target"], target);
        let headers = [("Prefer", "track-changes")];
        assert_eq!(client.get_with(&format!("{RECORDS}?{options}"), &headers).status, 501);
    }
    let page = client.get(&format!("{DELTA}?$top=2")).json();
    let next = page["@odata.nextLink"].as_str().unwrap().to_owned();
    let last = client.get(&next).json();
    let link = last["@odata.deltaLink"].as_str().unwrap().to_owned();
    let mut theirs = server.client().bearer(&callvault.token(OTHER_TENANT, &[READ]));
    for (target, option) in [(&next, "$skiptoken"), (&link, "$deltatoken")] {
        let refused = theirs.get(target);
        assert_eq!(
            (refused.status, refused.json()["error"]["target"].as_str()),
            (400, Some(option))
        );
        let other = target.replace("$top=2", "$top=1");
        assert_eq!(client.get(&other).status, 400, "{other}");
        let damaged = target.replace("token=A", "token=B");
        assert_eq!(client.get(&damaged).status, 400);
    }
    for swapped in
        [next.replace("$skiptoken", "$deltatoken"), link.replace("$deltatoken", "$skiptoken")]
    {
        assert_eq!(client.get(&swapped).status, 400, "{swapped}");
    }
    let listed = link.replace("/delta?", "?");
    assert_eq!(client.get(&listed).status, 501, "a list has no $deltatoken");
    assert_eq!(client.get(&format!("{DELTA}/$count")).status, 400);
    assert_eq!(client.post(DELTA, b"{}").status, 405);
    let mut nobody = server.client().bearer(&callvault.token(TENANT, &[WRITE]));
    assert_eq!(nobody.get(DELTA).status, 403);

    let (_callvault, _server, mut client) = served_with("[graph]\nstrict = \"on\"\n");
    assert_eq!(client.get(DELTA).status, 404);
    let answer = client.get_with(RECORDS, &[("Prefer", "track-changes")]);
    assert_eq!((answer.status, answer.header("preference-applied")), (200, None));
    assert!(answer.json().get("@odata.deltaLink").is_none());
}

/// The answer to a link whose changes are told no more.
fn assert_gone(client: &mut Client, link: &str, address: &str) {
    let gone = client.get(link);
    assert_eq!((gone.status, gone.code()), (410, "resyncRequired".to_owned()), "{}", gone.text());
    let begin = gone.header("location").unwrap().to_owned();
    assert_eq!(begin, format!("http://{address}{DELTA}?$select=id"));
    assert_eq!(client.get(&begin).status, 200);
}

#[test]
fn links_end_where_a_copy_was_restored() {
    let (callvault, _server, mut client) = served();
    if callvault.store().starts_with("postgres") {
        return;
    }
    keep(&mut client, "a", 1, 1);
    let page = client.get(&format!("{DELTA}?$select=id")).json();
    let link = page["@odata.deltaLink"].as_str().unwrap();
    let copy = callvault.folder().join("copy.db");
    callvault.succeed(&["backup", copy.to_str().unwrap()]);
    let store = format!("sqlite:{}", copy.display());
    let server = callvault.serve(&["--store", &store]);
    let mut client = server.client().bearer(&callvault.token(TENANT, &[READ, WRITE]));
    assert_gone(&mut client, link, &server.address.to_string());
}

#[test]
fn links_end_where_the_store_was_moved() {
    let (callvault, server, mut client) = served();
    keep(&mut client, "a", 1, 1);
    let page = client.get(&format!("{DELTA}?$select=id")).json();
    let link = page["@odata.deltaLink"].as_str().unwrap();
    server.stop();
    let moved = format!("sqlite:{}", callvault.folder().join("moved.db").display());
    callvault.succeed(&["migrate", "--from", &callvault.store(), "--to", &moved]);
    let server = callvault.serve(&["--store", &moved]);
    let mut client = server.client().bearer(&callvault.token(TENANT, &[READ]));
    assert_gone(&mut client, link, &server.address.to_string());
}

#[test]
fn links_end_where_the_log_was_cut() {
    let callvault = callvault();
    let config = callvault.folder().join("callvault.toml");
    std::fs::write(&config, "[records]\nkeep_changes = 1\n").unwrap();
    let server = callvault.serve(&["--emulator", "--config", config.to_str().unwrap()]);
    let mut client = server.client().bearer(&callvault.token(TENANT, &[READ, WRITE, ADMIN]));
    keep(&mut client, "a", 1, 1);
    let page = client.get(&format!("{DELTA}?$select=id")).json();
    let link = page["@odata.deltaLink"].as_str().unwrap();
    keep(&mut client, "b", 1, 1);
    erase(&mut client, "b");
    keep(&mut client, "c", 1, 1);
    let body = json!({ "advance": "P2D" }).to_string();
    assert_eq!(client.post("/callvault.clock", body.as_bytes()).status, 200);
    keep(&mut client, "d", 1, 1);
    testkit::until("the log is cut", || client.get(link).status == 410);
    assert_gone(&mut client, link, &server.address.to_string());
    let log = callvault.succeed(&["tail", "--once"]);
    assert!(!log.contains("erased") && log.lines().count() == 3, "{log}");
    assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
}

#[test]
fn leaving_the_view_is_no_removal() {
    let (_callvault, _server, mut client) = served_with("[graph]\nretention_view = \"30d\"\n");
    let mut copy = Copy::begun(&mut client, &format!("{DELTA}?$select=id,version"));
    let minimal = [("Content-Type", "application/json"), ("Prefer", "return=minimal")];
    for version in [1, 2] {
        let text = record("old", version, 1);
        assert_eq!(client.send("POST", RECORDS, &minimal, text.as_bytes()).status, 204);
    }
    copy.expect(&mut client, &[]);
}
