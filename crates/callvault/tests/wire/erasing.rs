//! Erasing records over HTTP and by command.

use serde_json::json;
use testkit::{Client, OTHER_TENANT, Receiver, Reply, Server, TENANT};

use super::notifications::{Setup, wish};
use super::{READ, RECORDS, WRITE, callvault, record, served_with};

pub(super) const ADMIN: &str = "Callvault.Admin";

fn delete(client: &mut Client, target: &str, headers: &[(&str, &str)]) -> u16 {
    client.send("DELETE", target, headers, b"").status
}

/// A client of a tenant with all roles.
fn admin(callvault: &testkit::Callvault, server: &Server, tenant: &str) -> Client {
    server.client().bearer(&callvault.token(tenant, &[READ, WRITE, ADMIN]))
}

#[test]
fn an_erased_record_is_gone_with_its_versions_until_it_comes_in_again() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = admin(&callvault, &server, TENANT);
    let target = format!("{RECORDS}/a");
    for version in 1..=3 {
        client.post(RECORDS, record("a", version, 1).as_bytes());
    }
    client.post(RECORDS, record("b", 1, 2).as_bytes());
    assert_eq!(client.get(&target).status, 200);
    assert_eq!(delete(&mut client, &target, &[]), 204);
    assert_eq!(delete(&mut client, &target, &[]), 204, "again");
    assert_eq!(client.get(&target).status, 404);
    assert_eq!(client.get(&format!("{target}/callvault.version(version=1)")).status, 404);
    assert_eq!(client.get(&format!("{target}/sessions")).status, 404);
    assert_eq!(client.get(&format!("{RECORDS}/$count")).text(), "1");
    let words = client.get(&format!("{RECORDS}/$count?$search=abbie"));
    assert_eq!(words.text(), "1", "only those of the other record are found");
    assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
    let log = callvault.succeed(&["tail", "--once"]);
    let erased = log.lines().filter(|line| line.contains("\"erased\"")).count();
    assert_eq!(erased, 3, "{log}");
    let again = client.post(RECORDS, record("a", 1, 1).as_bytes());
    assert_eq!((again.status, again.header("callvault-result")), (201, Some("created")));
    assert_eq!(client.get(&target).status, 200);
    assert!(server.metrics().contains("callvault_records_total{outcome=\"erased\"} 1\n"));
}

#[test]
fn erasing_takes_the_role_and_reaches_one_tenant() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut writer = server.client().bearer(&callvault.token(TENANT, &[READ, WRITE]));
    writer.post(RECORDS, record("a", 1, 1).as_bytes());
    let target = format!("{RECORDS}/a");
    let refused = writer.send("DELETE", &target, &[], b"");
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains(ADMIN), "{}", refused.text());
    let mut other = admin(&callvault, &server, OTHER_TENANT);
    assert_eq!(delete(&mut other, &target, &[]), 204);
    assert_eq!(writer.get(&target).status, 200);
    let mut admin = admin(&callvault, &server, TENANT);
    for below in ["/sessions", "/callvault.version(version=1)", "/type", "/$count"] {
        let status = delete(&mut admin, &format!("{target}{below}"), &[]);
        assert!(matches!(status, 400 | 404 | 405), "{below}: {status}");
    }
    assert_eq!(delete(&mut admin, RECORDS, &[]), 405);
    assert_eq!(writer.get(&target).status, 200);
    let beta = "/beta/communications/callRecords('a')";
    assert_eq!(delete(&mut admin, beta, &[]), 204);
    assert_eq!(writer.get(&target).status, 404);
}

#[test]
fn a_condition_on_the_state_is_kept() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = admin(&callvault, &server, TENANT);
    client.post(RECORDS, record("a", 1, 1).as_bytes());
    let target = format!("{RECORDS}/a");
    let old = client.get(&target).header("etag").unwrap().to_owned();
    client.post(RECORDS, record("a", 2, 1).as_bytes());
    let refused = client.send("DELETE", &target, &[("If-Match", &old)], b"");
    assert_eq!((refused.status, refused.code()), (412, "resourceModified".to_owned()));
    let new = client.get(&target).header("etag").unwrap().to_owned();
    assert_eq!(delete(&mut client, &target, &[("If-Match", &format!("\"x\", {new}"))]), 204);
    assert_eq!(delete(&mut client, &target, &[("If-Match", "*")]), 412, "there is none");
}

#[test]
fn a_batch_erases_and_graph_itself_does_not() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = admin(&callvault, &server, TENANT);
    client.post(RECORDS, record("a", 1, 1).as_bytes());
    let batch = json!({"requests": [
        {"id": "1", "method": "DELETE", "url": "/communications/callRecords/a"},
        {"id": "2", "method": "GET", "url": "/communications/callRecords/a", "dependsOn": ["1"]},
    ]});
    let answer = client.post("/v1.0/$batch", batch.to_string().as_bytes()).json();
    let mut statuses: Vec<_> = answer["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["id"].as_str().unwrap(), it["status"].as_u64().unwrap()))
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [("1", 204), ("2", 404)]);

    let (callvault, server, mut writer) = served_with("[graph]\nstrict = \"on\"\n");
    writer.post(RECORDS, record("a", 1, 1).as_bytes());
    let mut client = admin(&callvault, &server, TENANT);
    let refused = client.send("DELETE", &format!("{RECORDS}/a"), &[], b"");
    assert_eq!(refused.status, 405);
    assert!(!refused.header("allow").unwrap().contains("DELETE"));
    assert_eq!(client.get(&format!("{RECORDS}/a")).status, 200);
}

#[test]
fn messages_about_an_erased_record_go_with_it() {
    let mut setup = Setup::new();
    let receiver = Receiver::scripted(|request, _| match request.validation_token() {
        Some(_) => Reply::Usual,
        None => Reply::status(503),
    });
    let made = setup.subscribe(&receiver, &json!({}));
    setup.keep("a", 1);
    setup.keep("b", 1);
    let deliveries = "/v1.0/communications/callvault.deliveries()";
    let mut waiting = || setup.client.get(deliveries).json()["value"].as_array().unwrap().len();
    testkit::until("both wait", || waiting() == 2);
    let server = setup.server.as_ref().unwrap();
    let mut admin = admin(&setup.callvault, server, TENANT);
    assert_eq!(delete(&mut admin, &format!("{RECORDS}/a"), &[]), 204);
    let left = setup.client.get(deliveries).text();
    assert!(!left.contains("callRecords/a") && left.contains("\"b\""), "{left}");
    // What comes again is new to the subscription.
    setup.keep("a", 1);
    testkit::until("it waits again", || {
        setup.client.get(deliveries).json()["value"].as_array().unwrap().len() == 2
    });
    let deleted = wish(&receiver, &json!({"changeType": "deleted"}));
    assert_eq!(setup.client.post("/v1.0/subscriptions", deleted.as_bytes()).status, 400);
    assert!(made["id"].is_string());
}

#[test]
fn the_command_erases_by_arguments_and_by_file() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = admin(&callvault, &server, TENANT);
    for id in ["a", "b", "c", "d"] {
        client.post(RECORDS, record(id, 1, 1).as_bytes());
    }
    let erase = |more: &[&str], input: &str| {
        let arguments = [&["erase", "--tenant", TENANT][..], more].concat();
        let ended = callvault.run_with_input(&arguments, input.as_bytes());
        // Ids that are not found are named, and told by the exit code.
        let named: Vec<&str> = ended
            .stderr
            .lines()
            .filter_map(|line| line.split_once("not found: "))
            .map(|it| it.1)
            .collect();
        let is_all = ended.stdout.contains("\"notFound\":0}");
        assert_eq!(ended.status.code(), Some(if is_all { 0 } else { 3 }), "{}", ended.stderr);
        assert_eq!(named.is_empty(), is_all, "{}", ended.stderr);
        assert!(named.iter().all(|id| more.contains(id)), "{named:?}");
        ended.stdout
    };
    assert_eq!(erase(&["--dry-run", "a", "x"], ""), "{\"wouldErase\":1,\"notFound\":1}\n");
    assert_eq!(client.get(&format!("{RECORDS}/$count")).text(), "4");
    assert_eq!(erase(&["a"], ""), "{\"erased\":1,\"notFound\":0}\n");
    assert_eq!(erase(&["--file", "-", "d"], "b\n\n c \nb\n"), "{\"erased\":3,\"notFound\":0}\n");
    assert_eq!(erase(&["a"], ""), "{\"erased\":0,\"notFound\":1}\n");
    assert_eq!(client.get(&format!("{RECORDS}/$count")).text(), "0");
    assert_eq!(client.get(&format!("{RECORDS}/a")).status, 404);
    assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
}
