//! A master key that is lost or wrong.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use testkit::{Callvault, Receiver, TENANT};

use crate::{READ, callvault, id, record};

const RECORDS: &str = "/v1.0/communications/callRecords";

/// A store with a record, an application, a subscription and all keys; the path of its master key.
fn used() -> (Callvault, PathBuf, String) {
    let callvault = callvault();
    let line = record(1, 1);
    callvault.run_with_input(&["import", "--tenant", TENANT, "-"], line.as_bytes());
    let config = callvault.folder().join("callvault.toml");
    let settings = "[notifications]\nallow_insecure_urls = true\nallow_networks = '127.0.0.1'\n";
    fs::write(&config, settings).unwrap();
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let create = ["app", "create", "--name", "reports", "--role", READ, "--json"];
    let app: serde_json::Value = serde_json::from_str(&callvault.succeed(&create)).unwrap();
    let app = app["clientId"].as_str().unwrap();
    let token = callvault.succeed(&["token", "--role", READ, "--app", app]);
    let receiver = Receiver::new();
    let wish = json!({
        "changeType": "created", "resource": "communications/callRecords",
        "notificationUrl": receiver.url("/hook?code=secret"),
        "expirationDateTime": "2020-01-01T00:00:00Z",
    });
    let made = server
        .client()
        .bearer(token.trim())
        .post("/v1.0/subscriptions", wish.to_string().as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    server.stop();
    let master = callvault.folder().join("keys").join("master");
    (callvault, master, made.json()["id"].as_str().unwrap().to_owned())
}

const SERVE: [&str; 5] = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off"];

/// Nothing works that needs the master key, and everything says what to do.
fn is_refused(callvault: &Callvault) {
    for command in [&SERVE[..], &["token", "--role", READ]] {
        let ended = callvault.run(command);
        assert_eq!(ended.status.code(), Some(1), "{command:?}");
        for part in ["keys/master", "callvault keys reset"] {
            assert!(ended.stderr.contains(part), "{command:?}: {part}: {}", ended.stderr);
        }
    }
    let doctor = callvault.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(
        doctor.stdout.contains("problem: ") && doctor.stdout.contains("keys reset"),
        "{}",
        doctor.stdout
    );
    assert!(!doctor.stdout.contains("sound"), "{}", doctor.stdout);
}

#[test]
fn no_master_key_is_made_beside_secrets() {
    let (callvault, master, _) = used();
    assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
    let kept = fs::read(&master).unwrap();
    fs::remove_file(&master).unwrap();
    is_refused(&callvault);
    assert!(!master.exists(), "no new key stands in the way of the old one");
    // What needs no key goes on.
    assert!(callvault.succeed(&["list"]).contains(&id(1)));
    fs::write(&master, kept).unwrap();
    assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
    callvault.serve(&[]).stop();
}

#[test]
fn a_wrong_master_key_is_named_with_what_it_does_not_open() {
    let (callvault, master, subscription) = used();
    fs::write(&master, "5a".repeat(32)).unwrap();
    is_refused(&callvault);
    let doctor = callvault.run(&["doctor"]).stdout;
    for part in ["the signing key ", "the secret page-token-key/", subscription.as_str()] {
        assert!(doctor.contains(part), "{part}: {doctor}");
    }
}

#[test]
fn a_reset_keeps_the_records_and_says_what_must_be_made_anew() {
    for is_wrong in [false, true] {
        let (callvault, master, subscription) = used();
        fs::remove_file(&master).unwrap();
        if is_wrong {
            fs::write(&master, "5a".repeat(32)).unwrap();
        }
        let said = callvault.succeed(&["keys", "reset"]);
        for part in [
            "signing keys 1",
            "subscriptions 1",
            "tokens",
            "page links",
            &subscription,
            "keys/master",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("code=secret"), "{said}");
        assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
        assert_eq!(callvault.succeed(&["subscriptions", "list"]), "");
        assert_eq!(callvault.succeed(&["app", "list"]).lines().count(), 1);
        let server = callvault.serve(&[]);
        let token = callvault.succeed(&["token", "--role", READ]);
        let answer = server.client().bearer(token.trim()).get(RECORDS);
        assert!(answer.text().contains(&id(1)), "{}", answer.text());
        let refused = callvault.run(&["keys", "reset"]);
        assert_eq!(refused.status.code(), Some(1), "{}", refused.stdout);
        assert!(refused.stderr.contains("another callvault serve"), "{}", refused.stderr);
    }
}

#[test]
fn a_moved_store_says_where_the_master_key_goes() {
    let (callvault, master, _) = used();
    let folder = callvault.folder().join("moved");
    let to = format!("sqlite:{}", folder.join("callvault.db").display());
    let moved = callvault.run(&["migrate", "--from", &callvault.store(), "--to", &to]);
    assert!(moved.status.success(), "{}", moved.stderr);
    let place = folder.join("keys").join("master");
    for path in [&master, &place] {
        assert!(moved.stderr.contains(path.to_str().unwrap()), "{}", moved.stderr);
    }
    fs::create_dir(place.parent().unwrap()).unwrap();
    fs::copy(&master, &place).unwrap();
    callvault.serve(&["--data-dir", folder.to_str().unwrap()]).stop();
    let again = callvault.run(&["migrate", "--from", &callvault.store(), "--to", &to]);
    assert!(!again.stderr.contains("master"), "{}", again.stderr);
}
