//! The served API over real sockets: the spawned binary, its embedded store, HTTP in and out.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod batch;
mod budgets;
mod calls;
mod delta;
mod diacritics;
mod emulator;
mod erasing;
mod forms;
mod hostile;
mod language;
mod legs;
mod lists;
mod logs;
mod meeting;
mod notifications;
mod pages;
mod places;
mod plain;
mod protocol;
mod quality;
mod quality_profiles;
mod reading;
mod recheck;
mod records;
mod refusals;
mod seed;
mod tenants;
mod throttling;
mod writing;

use serde_json::Value;
use testkit::{Callvault, Client, Server, TENANT};

const READ: &str = "CallRecords.Read.All";
const WRITE: &str = "CallRecords.Write.All";
const RECORDS: &str = "/v1.0/communications/callRecords";

fn callvault() -> Callvault {
    Callvault::prepared(env!("CARGO_BIN_EXE_callvault"))
}

/// A server with an empty store, and a client that may read and write there.
fn served() -> (Callvault, Server, Client) {
    let callvault = callvault();
    let token = callvault.token(TENANT, &[READ, WRITE]);
    let server = callvault.serve(&[]);
    let client = server.client().bearer(&token);
    (callvault, server, client)
}

/// A server with these settings and an empty store, and a client that may read and write there.
fn served_with(settings: &str) -> (Callvault, Server, Client) {
    let callvault = callvault();
    let config = callvault.folder().join("callvault.toml");
    std::fs::write(&config, settings).unwrap();
    let token = callvault.token(TENANT, &[READ, WRITE]);
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let client = server.client().bearer(&token);
    (callvault, server, client)
}

fn fixture_path(name: &str) -> String {
    format!("{}/../../fixtures/call-records/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(fixture_path(name)).unwrap()
}

/// A small record that starts `minute` minutes into 2025.
fn record(id: &str, version: u64, minute: u64) -> String {
    let time = |seconds: u64| {
        let (day, rest) = (1 + minute / 1440, minute % 1440);
        format!("2025-01-{day:02}T{:02}:{:02}:{seconds:02}Z", rest / 60, rest % 60)
    };
    format!(
        r#"{{"id":"{id}","version":{version},"type":"peerToPeer","modalities":["audio"],"startDateTime":"{}","endDateTime":"{}","participants_v2":[{{"id":"user-{}","identity":{{"user":{{"id":"user-{}","displayName":"Abbie Wilkins"}}}}}}]}}"#,
        time(0),
        time(30),
        minute % 3,
        minute % 3,
    )
}

/// Follows the next links of a collection and gives all its items.
fn all_pages(client: &mut Client, target: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut next = Some(target.to_owned());
    while let Some(target) = next {
        let answer = client.get(&target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        let body = answer.json();
        items.extend(body["value"].as_array().expect("a page has items").iter().cloned());
        next = body["@odata.nextLink"].as_str().map(str::to_owned);
    }
    items
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}
