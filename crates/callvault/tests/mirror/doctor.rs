//! `mirror doctor` names the cause of each fault first.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};

use crate::rig::{Rig, record};

const ONE: &str = "/communications/callRecords/*";
const LIST: &str = "/communications/callRecords";

/// The cause that is named, and who is to do something; none if nothing is wrong.
fn cause(rig: &Rig) -> (Option<String>, String) {
    let ended = rig.mirror.run(&["mirror", "doctor", "--json"]);
    let found: Value = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|_| panic!("{}{}", ended.stdout, ended.stderr));
    let cause = found["cause"]["check"].as_str().map(str::to_owned);
    let code = if cause.is_some() { 3 } else { 0 };
    assert_eq!(ended.status.code(), Some(code), "{found}");
    (cause, found["cause"].to_string())
}

#[track_caller]
fn expect(rig: &Rig, what: &str, check: &str, words: &str) {
    let (found, text) = cause(rig);
    assert_eq!(found.as_deref(), Some(check), "{what}: {text}");
    assert!(text.contains(words), "{what}: {text}");
}

/// Puts something else in place of a part of the mirror's settings.
fn set(rig: &Rig, old: &str, new: &str) {
    rig.mirror.edit(&format!("UPDATE mirror SET settings = replace(settings, '{old}', '{new}')"));
}

/// Answers everything with these bytes.
fn stranger(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4_096];
            drop(stream.read(&mut head));
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    address
}

/// A mirror that is complete, of a source with a call of half an hour and one of two days ago.
fn rig() -> Rig {
    let rig = Rig::bare("");
    rig.import(&[record(1, 1, 30), record(2, 1, 48 * 60)].join("\n"));
    rig.add(&["--rate", "off", "--backfill-days", "3"]);
    assert_eq!(rig.complete().status.code(), Some(0));
    rig
}

#[test]
fn where_nothing_is_wrong_nothing_is_named() {
    let rig = rig();
    assert_eq!(cause(&rig).0, None);
    let text = rig.mirror.succeed(&["mirror", "doctor"]);
    assert!(text.ends_with("\nNothing is wrong.\n"), "{text}");
}

#[test]
fn faults_between_the_mirror_and_its_source_are_named() {
    let rig = rig();
    let own = format!("http://{}", rig.server.address);
    let authority = |address: &str| format!("\"authority\":\"{address}\"");
    let source = |address: &str| format!("\"source\":\"{address}\"");
    let portal = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>";
    let redirect = "HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/\r\nContent-Length: 0\r\n\
                    Connection: close\r\n\r\n";
    let broken =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let at = |answer| format!("http://{}", stranger(answer));
    let closed = format!("http://127.0.0.1:{}", testkit::lasting_port());
    let tls = own.replace("http:", "https:");
    let (portal, redirect, broken) = (at(portal), at(redirect), at(broken));
    for (what, part, address, check, words) in [
        (
            "the issuer's name",
            &authority as &dyn Fn(&str) -> String,
            "https://a.invalid",
            "name of the issuer",
            "network",
        ),
        ("the source's name", &source, "https://a.invalid", "name of the source", "network"),
        ("an issuer that is down", &authority, closed.as_str(), "issuer", "network"),
        ("a source that is down", &source, closed.as_str(), "source", "network"),
        ("an issuer that speaks no TLS", &authority, tls.as_str(), "issuer", "network"),
        ("a portal that redirects", &source, redirect.as_str(), "source", "redirects"),
        ("a portal in place of the issuer", &authority, portal.as_str(), "token", "network"),
        ("a portal in place of the source", &source, portal.as_str(), "list", "network"),
        ("a source that is out of order", &source, broken.as_str(), "source", "out of order"),
    ] {
        set(&rig, &part(&own), &part(address));
        expect(&rig, what, check, words);
        set(&rig, &part(address), &part(&own));
    }
    assert_eq!(cause(&rig).0, None);
}

#[test]
fn faults_of_credentials_and_roles_are_named() {
    let rig = rig();
    let app = rig.application.as_str();
    let roles = |role: &str| {
        rig.source.succeed(&["app", "roles", app, "--role", role]);
    };
    roles("CallRecord-PstnCalls.Read.All");
    expect(&rig, "a role that is missing", "claims", "tenant administrator");
    roles("CallRecords.Read.All");
    assert_eq!(cause(&rig).0, None);
    set(&rig, app, "00000000-0000-4000-8000-000000000000");
    expect(&rig, "an application that is not there", "token", "AADSTS700016");
    set(&rig, "00000000-0000-4000-8000-000000000000", app);
    let federated = "\"credential\":{\"federated\":\"/nowhere/token\"}";
    set(&rig, "\"credential\":\"secret\"", federated);
    expect(&rig, "a token file that is missing", "token", "/nowhere/token");
    set(&rig, federated, "\"credential\":\"secret\"");
    rig.source.succeed(&["app", "rotate", app]);
    expect(&rig, "a secret that is wrong", "token", "AADSTS7000215");
    rig.source.succeed(&["app", "delete", app]);
    expect(&rig, "an application that was deleted", "token", "AADSTS700016");
}

#[test]
fn faults_of_the_source_s_answers_are_named() {
    let mut rig = rig();
    for (what, rule, check, words) in [
        ("a list that is denied", json!({ "path": LIST, "status": 403 }), "list", "administrator"),
        ("a list that is not there", json!({ "path": LIST, "status": 404 }), "list", "address"),
        ("a list that fails", json!({ "path": LIST, "status": 500 }), "list", "source"),
        ("a list that is cut off", json!({ "path": LIST, "truncate": 20 }), "list", "network"),
        ("a list that is a page", json!({ "path": LIST, "body": "<html>" }), "list", "network"),
        ("a record that fails", json!({ "path": ONE, "status": 500 }), "one record", "source"),
        ("a record that is empty", json!({ "path": ONE, "body": "" }), "one record", "network"),
        (
            "a record that is refused",
            json!({ "path": ONE, "status": 400 }),
            "one record",
            "address",
        ),
    ] {
        rig.faults(&json!({ "request": [rule] }));
        expect(&rig, what, check, words);
    }
    rig.faults(&json!({}));
    assert_eq!(cause(&rig).0, None);
}

#[test]
fn faults_of_the_mirror_itself_are_named() {
    let rig = rig();
    rig.mirror.edit("UPDATE mirror_record SET state = 'refused'");
    expect(&rig, "a hole", "holes", "2 records are missing");
    rig.mirror.edit("UPDATE mirror_record SET state = 'settled'");
    rig.mirror.edit(
        "INSERT INTO mirror_subscription SELECT mirror_key, 'x', 'https://hooks.contoso.example', id_key, \
         1, 2, 2, 0 FROM mirror_record LIMIT 1",
    );
    expect(&rig, "a subscription that ended", "subscription", "never reached this server");
    rig.mirror.edit("DELETE FROM mirror_subscription");
    rig.mirror.edit("UPDATE mirror_hour SET passed = passed - 3 * 36000000000");
    expect(&rig, "a mirror that nobody runs", "process", "no process runs this mirror");
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.mirror.succeed(&["mirror", "remove", "contoso"]);
    let ended = rig.mirror.run(&["mirror", "doctor"]);
    assert!(ended.stderr.contains("there is no mirror yet"), "{}", ended.stderr);
}
