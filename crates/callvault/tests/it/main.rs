//! The command line: commands, exit codes and output.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod administration;
mod columns;
mod cookbook;
mod demo;
mod file_size_limit;
mod guides;
mod import;
mod keys;
mod list;
mod messages;
mod notifications;
mod places;
mod planted;
mod ports;
mod postgres;
mod quality;
mod replaced_store;
mod stores;
mod tenants;
mod unread_output;
mod usage;

use testkit::Callvault;

const READ: &str = "CallRecords.Read.All";

fn callvault() -> Callvault {
    Callvault::new(env!("CARGO_BIN_EXE_callvault"))
}

fn id(number: u32) -> String {
    format!("e523d2ed-2966-4b6b-925b-{number:012}")
}

/// A small record, in one line.
fn record(number: u32, version: u32) -> String {
    format!(
        r#"{{"id":"{}","version":{version},"type":"peerToPeer","modalities":["audio"],"startDateTime":"2026-11-{:02}T08:00:00Z","endDateTime":"2026-11-{:02}T09:00:00Z","participants_v2":[{{"id":"user-{number}","identity":{{"user":{{"id":"user-{number}"}}}}}}],"sessions":[{{"id":"s1","startDateTime":"2026-11-01T08:00:00Z","endDateTime":"2026-11-01T09:00:00Z","segments":[{{"id":"g1","startDateTime":"2026-11-01T08:00:00Z","endDateTime":"2026-11-01T09:00:00Z"}}]}}]}}"#,
        id(number),
        number % 28 + 1,
        number % 28 + 1,
    )
}
