//! A mirror is filled, stays so, and says so.

use std::collections::BTreeSet;

use testkit::{TENANT, until};

use crate::rig::{Rig, record, records, simulated};

#[test]
fn a_mirror_has_every_leaf_of_its_source_and_reads_nothing_twice() {
    let mut rig = Rig::new(150);
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    rig.assert_equal();
    let status = rig.status();
    assert_eq!((status["complete"].as_u64(), status["pending"].as_u64()), (Some(150), Some(0)));
    assert_eq!(status["needsAttention"], false, "{status}");

    let read = rig.count("callRecords/");
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(rig.count("callRecords/"), read, "nothing is new");
    let deep = rig.mirror.run(&["mirror", "verify", "--deep"]);
    assert_eq!(deep.status.code(), Some(0), "{}", deep.stdout);
    assert!(deep.stdout.contains("150 records were read once more: 0 differ"), "{}", deep.stdout);
    let (requests, warnings) = rig.requests();
    assert_eq!(warnings, Vec::<String>::new());
    assert!(requests.iter().all(|request| request["status"] == 200));
}

#[test]
fn a_new_version_and_a_new_call_are_found_and_nothing_else_is_read() {
    let mut rig = Rig::new(40);
    assert_eq!(rig.complete().status.code(), Some(0));
    let before = rig.count("callRecords/");
    rig.import(&record(1, 1, 30));
    rig.advance("PT6M");
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.import(&record(1, 3, 30));
    rig.advance("PT6M");
    assert_eq!(rig.complete().status.code(), Some(0));
    assert_eq!(rig.count("callRecords/") - before, 4, "two requests for each of two versions");
    rig.assert_equal();
}

#[test]
fn meetings_of_many_pages_come_whole() {
    let rig = Rig::bare("");
    // The simulation's tenth call is a meeting of 437 sessions.
    let simulate = ["simulate", "--calls", "12", "--seed", "1", "--from"];
    let now = odata::primitive::DateTimeOffset::from(std::time::SystemTime::now());
    let from = odata::primitive::DateTimeOffset(now.0 - 40 * 3_600 * 10_000_000).to_string();
    let now = now.to_string();
    let simulate = [&simulate[..], &[&from, "--to", &now]].concat();
    rig.import(&rig.source.succeed(&simulate));
    rig.add(&["--rate", "off", "--backfill-days", "3"]);
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    rig.assert_equal();
    let most =
        records(&rig.mirror).iter().map(|line| line.matches("\"failureInfo\"").count()).max();
    assert!(most > Some(400), "{most:?}");
}

#[test]
fn an_hour_of_more_calls_than_a_page_holds_is_read_in_slices_and_whole() {
    let mut rig = Rig::bare("");
    let young: Vec<String> = (1..=150).map(|number| record(number, 1, 30)).collect();
    let old: Vec<String> = (201..=400).map(|number| record(number, 1, 50 * 60)).collect();
    rig.import(&[young, old].concat().join("\n"));
    rig.add(&["--rate", "off", "--backfill-days", "3"]);
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    rig.assert_equal();
    // All of these calls started in the same second, so that no slice is narrow enough.
    assert!(rig.count("skiptoken") > 0);
}

#[test]
fn a_server_fills_its_store_and_nobody_else_does_beside_it() {
    let rig = Rig::new(30);
    let server = rig.mirror.serve(&[]);
    until("the server has filled its store", || records(&rig.mirror).len() == 30);
    let ended = rig.run_once();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stdout);
    assert!(ended.stderr.contains("another process runs this mirror"), "{}", ended.stderr);
    let log = server.stop();
    assert!(!log.contains("stands still"), "{log}");
    rig.assert_equal();
}

#[test]
fn the_limits_of_graph_are_kept_without_being_refused_once() {
    let mut rig = Rig::bare("[limits]\nrate = \"graph\"\n");
    rig.import(&simulated(8, 1));
    rig.add(&["--rate", "graph", "--backfill-days", "0"]);
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    let (requests, warnings) = rig.requests();
    assert!(requests.iter().all(|request| request["status"] == 200), "{requests:?}");
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn a_mirror_of_the_settings_is_run_and_locked_against_commands() {
    let rig = Rig::bare("");
    rig.import(&simulated(10, 20));
    let folder = rig.mirror.folder();
    let secret = folder.join("hush");
    std::fs::write(&secret, format!("{}\n", rig.secret)).unwrap();
    let config = folder.join("callvault.toml");
    let settings = format!(
        "[[mirror]]\nname = \"contoso\"\ntenant = \"{TENANT}\"\napplication = \"{}\"\n\
         secret_file = \"{}\"\nsource = \"http://{}\"\nrate = \"off\"\nbackfill_days = 2\n",
        rig.application,
        secret.display(),
        rig.server.address
    );
    std::fs::write(&config, settings).unwrap();
    let config = config.to_str().unwrap();
    let run = ["mirror", "run", "--until-complete", "--config", config];
    let ended = rig.mirror.run(&run);
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(records(&rig.mirror).len(), 10);
    let removed = rig.mirror.run(&["mirror", "remove", "contoso", "--config", config]);
    assert_eq!(removed.status.code(), Some(1));
    assert!(removed.stderr.contains("the settings file sets up the mirror"), "{}", removed.stderr);
}

#[test]
fn a_mirror_that_is_removed_leaves_its_records() {
    let rig = Rig::new(10);
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.mirror.succeed(&["mirror", "remove", "contoso"]);
    let status = rig.mirror.run(&["mirror", "status"]);
    assert!(status.stdout.contains("There is no mirror yet"), "{}", status.stdout);
    assert_eq!(records(&rig.mirror).len(), 10);
    rig.add(&["--rate", "off", "--backfill-days", "3"]);
    assert_eq!(rig.complete().status.code(), Some(0));
    let ids: BTreeSet<String> = records(&rig.mirror).into_iter().collect();
    assert_eq!(ids.len(), 10);
}
