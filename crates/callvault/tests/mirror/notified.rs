//! Notifications make new calls appear at once; what they lose, the list finds. Forged ones do nothing.

use serde_json::{Value, json};
use testkit::{Client, Server, TENANT, lasting_port, until};

use crate::rig::{Rig, id, record, records};

/// Settings of a source that may notify receivers on loopback.
const SETTINGS: &str = "[notifications]\nallow_insecure_urls = true\n\
                        allow_networks = [\"127.0.0.0/8\"]\n";
const ONE: &str = "/communications/callRecords/*";

/// A source that notifies a mirror, which runs in a server.
struct Notified {
    rig: Rig,
    port: u16,
    server: Option<Server>,
    /// A client of the source that acts as the mirror's application.
    as_mirror: Client,
}

impl Notified {
    /// A mirror that is subscribed and has read all that there was.
    fn new() -> Self {
        let rig = Rig::bare(SETTINGS);
        rig.import(&record(900, 1, 10));
        let port = lasting_port();
        let url = format!("http://127.0.0.1:{port}");
        let flags = ["--rate", "off", "--backfill-days", "1", "--notification-url", &url];
        rig.add(&flags);
        let (read, of) = ("CallRecords.Read.All", rig.application.clone());
        let words = ["token", "--tenant", TENANT, "--role", read, "--app", &of];
        let token = rig.source.succeed(&words).trim().to_owned();
        let as_mirror = rig.server.client().bearer(&token);
        assert_eq!(rig.complete().status.code(), Some(0));
        let mut notified = Self { rig, port, server: None, as_mirror };
        notified.start();
        notified
    }

    /// Starts the server, and waits until it is subscribed.
    fn start(&mut self) {
        let config = self.rig.mirror.folder().join("callvault.toml");
        std::fs::write(&config, "").unwrap();
        let config = ["--config", config.to_str().unwrap()];
        self.server = Some(self.rig.mirror.serve_at(self.port, &config));
        until("the mirror is subscribed", || !self.rig.status()["subscribedUntil"].is_null());
    }

    fn stop(&mut self) -> String {
        self.server.take().unwrap().stop()
    }

    fn subscriptions(&mut self) -> Vec<Value> {
        let answer = self.as_mirror.get("/v1.0/subscriptions").json();
        answer["value"].as_array().unwrap().clone()
    }

    /// The path of the mirror's address.
    fn path(&mut self) -> String {
        let url = self.subscriptions()[0]["notificationUrl"].as_str().unwrap().to_owned();
        let (_, path) = url.split_once(&self.port.to_string()).unwrap();
        path.to_owned()
    }

    fn client(&self) -> Client {
        self.server.as_ref().unwrap().client()
    }

    fn has(&self, number: u32, version: u32) -> bool {
        let version = format!("\"version\":{version}");
        records(&self.rig.mirror)
            .iter()
            .any(|line| line.contains(&id(number)) && line.contains(&version))
    }

    /// Stops the server; then a run by the list alone brings what is lacking, and both sides are equal.
    fn end(&mut self) {
        self.stop();
        self.rig.faults(&json!({}));
        let ended = self.rig.complete();
        assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
        self.rig.assert_equal();
    }
}

#[test]
fn a_new_call_and_a_new_version_come_by_notification_while_the_list_is_not_read() {
    let mut notified = Notified::new();
    let lists = notified.rig.count("callRecords?$filter");
    for version in [1, 3] {
        notified.rig.import(&record(1, version, 5 * 60));
        until("the version is here", || notified.has(1, version));
    }
    assert_eq!(notified.rig.count("callRecords?$filter"), lists, "the list was not asked");
    let status = notified.rig.status();
    assert_eq!((&status["pending"], &status["missing"]), (&json!(0), &json!(0)), "{status}");
    assert!(status["notifications"].as_u64() >= Some(2), "{status}");
    let hour = status["hours"].as_array().unwrap().iter().find(|hour| hour["listed"] == 1);
    assert!(hour.is_some(), "it stands in the hour of its start: {status}");
    notified.end();
}

#[test]
fn what_is_notified_many_times_and_in_any_order_is_read_once() {
    let mut notified = Notified::new();
    notified.rig.faults(&json!({ "notification": [{ "copies": 3, "out_of_order": true }] }));
    for number in 1..=4 {
        notified.rig.import(&record(number, 1, 30));
    }
    until("all are here", || (1..=4).all(|number| notified.has(number, 1)));
    until("all copies have come", || notified.rig.status()["notifications"].as_u64() >= Some(12));
    until("nothing is to be read", || notified.rig.status()["pending"] == 0);
    let reads = notified.rig.count("expand=sessions");
    // The one that was there, these four, and at most one of each that came while it was read.
    assert!((5..=9).contains(&reads), "{reads}");
    notified.end();
}

#[test]
fn notifications_that_are_lost_are_made_up_for_by_the_list() {
    let mut notified = Notified::new();
    notified.rig.faults(&json!({ "notification": [{ "drop": true }] }));
    notified.rig.import(&[record(1, 1, 30), record(2, 1, 90)].join("\n"));
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert!(!notified.has(1, 1) && !notified.has(2, 1), "nothing told of them");
    // The server hears of the source's time when it asks it next.
    notified.stop();
    notified.rig.advance("PT6H");
    notified.start();
    until("the list shows them", || notified.has(1, 1) && notified.has(2, 1));
    notified.end();
}

#[test]
fn a_call_that_is_notified_before_it_can_be_read_is_tried_again() {
    let mut notified = Notified::new();
    notified.rig.faults(&json!({ "request": [{ "path": ONE, "first": 1, "status": 404 }] }));
    notified.rig.import(&record(1, 1, 30));
    until("it is due", || notified.rig.status()["pending"] == 1);
    assert!(!notified.has(1, 1));
    notified.stop();
    notified.rig.advance("PT10M");
    notified.start();
    until("it is here", || notified.has(1, 1));
    notified.end();
}

#[test]
fn a_subscription_that_somebody_deleted_is_made_anew_and_the_gap_is_listed() {
    let mut notified = Notified::new();
    let old = notified.subscriptions()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1.0/subscriptions/{old}");
    assert_eq!(notified.as_mirror.send("DELETE", &path, &[], b"").status, 204);
    notified.rig.import(&record(1, 1, 30));
    notified.stop();
    notified.start();
    until("there is another one", || {
        notified.subscriptions().first().is_some_and(|new| new["id"] != old.as_str())
    });
    until("the gap is listed", || notified.has(1, 1));
    notified.end();
}

#[test]
fn an_application_that_lost_its_role_for_a_while_authorizes_its_subscription_anew() {
    let mut notified = Notified::new();
    let roles = ["app", "roles", &notified.rig.application.clone(), "--role"];
    let to = |role: &'static str| [&roles[..], &[role]].concat();
    notified.rig.source.succeed(&to("CallRecord-PstnCalls.Read.All"));
    notified.rig.source.succeed(&to("CallRecords.Read.All"));
    until("it is authorized anew", || notified.rig.count("/reauthorize") > 0);
    notified.rig.import(&record(1, 1, 30));
    until("it notifies", || notified.has(1, 1));
    notified.end();
}

#[test]
fn messages_of_strangers_do_nothing_and_learn_nothing() {
    let mut notified = Notified::new();
    let path = notified.path();
    let mut client = notified.client();
    let json = [("Content-Type", "application/json")];
    let mut post = |path: &str, body: &str| client.send("POST", path, &json, body.as_bytes());
    let forged = |state: &str, tenant: &str, number: u32| {
        json!({ "value": [{
            "subscriptionId": "x", "clientState": state, "tenantId": tenant,
            "changeType": "created", "resourceData": { "id": id(number) },
        }]})
        .to_string()
    };
    let before = notified.rig.status()["forged"].as_u64().unwrap();
    assert_eq!(post(&path, &forged("guessed", TENANT, 7)).status, 202);
    assert_eq!(post(&path, &forged("", testkit::OTHER_TENANT, 8)).status, 202);
    for body in ["", "[]", "{\"value\":7}", "{"] {
        assert_eq!(post(&path, body).status, 400, "{body}");
    }
    let large = format!("{{\"value\":[\"{}\"]}}", "x".repeat(2 << 20));
    assert_eq!(post(&path, &large).status, 413);
    let wrong = format!("{path}x");
    for path in ["/callvault/mirror/contoso/guessed", "/callvault/mirror/other/guessed", &wrong] {
        assert_eq!(post(path, &forged("guessed", TENANT, 9)).status, 404, "{path}");
    }
    let token = format!("{path}?validationToken=a%20b%2B");
    let answer = post(&token, "");
    assert_eq!((answer.status, answer.text().as_str()), (200, "a b+"));
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
    assert_eq!(post(&format!("{path}/lifecycle?validationToken=x"), "").text(), "x");
    until("they are counted", || notified.rig.status()["forged"].as_u64() == Some(before + 2));
    assert_eq!(notified.rig.status()["pending"], 0, "nothing is to be read");
    let metrics = notified.server.as_ref().unwrap().metrics();
    assert!(metrics.contains("callvault_mirror_forged_total{mirror=\"contoso\"}"), "{metrics}");
    notified.end();
}

#[test]
fn the_secrets_of_notifications_stand_in_no_file_and_no_line_of_the_log() {
    let mut notified = Notified::new();
    notified.rig.import(&record(1, 1, 30));
    until("it is here", || notified.has(1, 1));
    let secret = notified.path().rsplit('/').next().unwrap().to_owned();
    assert!(secret.len() == 40, "{secret}");
    let metrics = notified.server.as_ref().unwrap().metrics();
    let log = notified.stop();
    let status = notified.rig.status().to_string();
    let places = [("the metrics", metrics), ("the log", log), ("the status", status)];
    for (place, text) in places {
        assert!(!text.contains(&secret), "{place} shows the secret part of the address");
        assert!(!text.contains(&notified.rig.secret), "{place} shows the client secret");
    }
}
