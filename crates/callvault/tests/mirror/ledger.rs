//! The ledger finds what is not as it should be: erased records, records that are gone, secrets in places
//! where none may stand.

use serde_json::json;
use testkit::TENANT;

use crate::rig::{Rig, records};

#[test]
fn an_erased_record_is_no_hole_and_never_comes_back() {
    let mut rig = Rig::new(12);
    assert_eq!(rig.complete().status.code(), Some(0));
    let first: serde_json::Value = serde_json::from_str(&records(&rig.mirror)[0]).unwrap();
    let id = first["id"].as_str().unwrap().to_owned();
    rig.mirror.succeed(&["erase", "--tenant", TENANT, &id]);
    rig.advance("PT8H");
    assert_eq!(rig.complete().status.code(), Some(0));
    assert_eq!(records(&rig.mirror).len(), 11);
    let status = rig.status();
    assert_eq!((&status["erased"], &status["missing"]), (&json!(1), &json!(0)));
    let verified = rig.mirror.run(&["mirror", "verify", "--deep"]);
    assert_eq!(verified.status.code(), Some(0), "{}", verified.stdout);
}

#[test]
fn a_record_that_disappeared_from_the_store_is_found_and_read_again() {
    let rig = Rig::new(12);
    assert_eq!(rig.complete().status.code(), Some(0));
    let first: serde_json::Value = serde_json::from_str(&records(&rig.mirror)[0]).unwrap();
    let id = first["id"].as_str().unwrap().to_owned();
    rig.mirror.succeed(&["erase", "--tenant", TENANT, &id]);
    // As if nobody had erased it.
    rig.mirror.edit("UPDATE mirror_record SET state = 'settled' WHERE state = 'erased'");
    let verified = rig.mirror.run(&["mirror", "verify"]);
    assert_eq!(verified.status.code(), Some(3), "{}", verified.stdout);
    assert!(verified.stdout.contains(&format!("{id} is not in the store")), "{}", verified.stdout);
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.assert_equal();
}

#[test]
fn the_secret_stands_in_no_file_and_no_line_of_the_log() {
    let rig = Rig::new(6);
    let run = ["mirror", "run", "--until-complete"];
    let mut command = rig.mirror.command(&run);
    let output = command.env("CALLVAULT_LOG__LEVEL", "trace").output().unwrap();
    let server = rig.mirror.serve(&[]);
    let log = server.stop();
    let mut places = vec![
        ("what a run prints".to_owned(), output.stdout),
        ("the log of a run".to_owned(), output.stderr),
        ("the log of a server".to_owned(), log.into_bytes()),
        ("the status".to_owned(), rig.status().to_string().into_bytes()),
    ];
    for entry in std::fs::read_dir(rig.mirror.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            places.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    let secret = rig.secret.as_bytes();
    for (place, bytes) in places {
        let is_there = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!is_there, "{place} has the secret");
    }
}
