//! A server whose store is deleted or replaced while it runs: it refuses requests with the reason until a
//! restart.

use std::fs;
use std::path::Path;

use testkit::{Callvault, Client, Server, TENANT, until};

use crate::{READ, callvault, id, record};

const WRITE: &str = "CallRecords.Write.All";
const RECORDS: &str = "/v1.0/communications/callRecords";

/// A server with two records, and a copy in `copy.db` that has only the first one.
fn served() -> (Callvault, Server, String) {
    let callvault = callvault();
    let token = callvault.token(TENANT, &[READ, WRITE]);
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&token);
    assert_eq!(client.post(RECORDS, record(1, 1).as_bytes()).status, 201);
    let copy = callvault.folder().join("copy.db");
    callvault.succeed(&["backup", copy.to_str().unwrap()]);
    assert_eq!(client.post(RECORDS, record(2, 1).as_bytes()).status, 201);
    (callvault, server, token)
}

#[test]
fn a_write_is_acknowledged_only_if_it_is_in_the_file_with_the_stores_name() {
    for (what, change) in [
        (
            "deleted",
            (|data: &Path| fs::remove_file(data.join("callvault.db")).unwrap()) as fn(&Path),
        ),
        ("restored", |data| fs::rename(data.join("copy.db"), data.join("callvault.db")).unwrap()),
    ] {
        let (callvault, server, token) = served();
        let mut client = server.client().bearer(&token);
        assert_eq!(client.get(&format!("{RECORDS}/{}", id(1))).status, 200);
        change(callvault.folder());
        let refused = client.post(RECORDS, record(3, 1).as_bytes());
        assert_eq!(refused.status, 503, "{what}: {}", refused.text());
        assert!(refused.header("retry-after").is_some(), "{what}");
        assert!(!refused.text().contains("callvault.db"), "{what}: {}", refused.text());
        // Neither by the fast path nor by the layers, on old and new connections.
        let mut new = server.client().bearer(&token);
        for client in [&mut client, &mut new] {
            for target in [format!("/{}", id(1)), "?$top=1".to_owned(), "/$count".to_owned()] {
                let refused = client.get(&format!("{RECORDS}{target}"));
                assert_eq!(refused.status, 503, "{what}, {target}: {}", refused.text());
            }
        }
        let ready = Client::new(server.admin).get("/readyz");
        assert_eq!(ready.status, 503, "{what}");
        assert!(ready.text().contains("callvault.db"), "{what}: {}", ready.text());
        let log = server.stop();
        assert!(log.contains("callvault.db was "), "{what}: {log}");
        if what == "restored" {
            let server = callvault.serve(&[]);
            let mut client = server.client().bearer(&token);
            assert_eq!(client.get(&format!("{RECORDS}/{}", id(1))).status, 200);
            assert_eq!(client.get(&format!("{RECORDS}/{}", id(2))).status, 404);
            assert_eq!(client.post(RECORDS, record(3, 1).as_bytes()).status, 201);
            assert_eq!(Client::new(server.admin).get("/readyz").status, 200);
        }
    }
}

#[test]
fn readers_are_refused_even_without_writes() {
    let (callvault, server, token) = served();
    let mut client = server.client().bearer(&token);
    let target = format!("{RECORDS}/{}", id(1));
    assert_eq!(client.get(&target).status, 200);
    fs::remove_file(callvault.folder().join("callvault.db-wal")).unwrap();
    until("it is refused", || client.get(&target).status == 503);
    assert_eq!(Client::new(server.admin).get("/readyz").status, 503);
    assert_eq!(Client::new(server.admin).get("/healthz").status, 200);
}

#[test]
fn a_copy_onto_the_store_itself_is_refused_and_changes_nothing() {
    let (callvault, server, token) = served();
    let store = callvault.folder().join("callvault.db");
    let ended = callvault.run(&["backup", store.to_str().unwrap()]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    let mut client = server.client().bearer(&token);
    assert_eq!(client.post(RECORDS, record(3, 1).as_bytes()).status, 201);
}
