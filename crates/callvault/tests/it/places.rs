//! `places` reads files, keeps them as maps, and prints them.

use std::path::PathBuf;

use serde_json::Value;
use testkit::{Callvault, TENANT};

use crate::callvault;

const OFFICE: &str = "10.1.2.0,USA/Seattle/ONE,24,Building One,Contoso,Office,Engineering,Seattle,98001,US,WA,MSUS,1,0,0\n";

/// A file in the folder of a store.
fn file(callvault: &Callvault, text: &str) -> PathBuf {
    let path = callvault.folder().join("map.csv");
    std::fs::write(&path, text).unwrap();
    path
}

/// Imports a file, with further arguments.
fn import(callvault: &Callvault, text: &str, more: &[&str]) -> testkit::Ended {
    let path = file(callvault, text);
    let arguments =
        [&["places", "import", path.to_str().unwrap(), "--tenant", TENANT], more].concat();
    callvault.run(&arguments)
}

/// A store with nothing in it.
fn empty() -> Callvault {
    let callvault = callvault();
    callvault.run_with_input(&["import", "--tenant", TENANT, "-"], b"");
    callvault
}

#[test]
fn a_file_is_checked_without_a_store() {
    let callvault = callvault();
    let check = |text: &str, more: &[&str]| {
        let path = file(&callvault, text);
        callvault.run(&[&["places", "check", path.to_str().unwrap()], more].concat())
    };
    let sound = check(&format!("Network,Name,Range,Building,,,,,,,,,,,\n{OFFICE}"), &[]);
    assert_eq!(sound.status.code(), Some(0));
    let expected = "note: line 1: is a header, and is left out\nbuilding file, 1 row, no faults\n";
    assert_eq!(sound.stdout, expected);
    let broken = check(&format!("{OFFICE}10.1.3.0,n,40,B,,,,,,,,,1,0,x\n"), &[]);
    assert_eq!(broken.status.code(), Some(1));
    let expected = "line 2, column 3 (NetworkRange): \"40\" is no whole number from 8 to 32\n\
                    line 2, column 15 (VPN): \"x\" is neither 0 nor 1\n\
                    building file, 2 faults\n";
    assert_eq!(broken.stdout, expected);
    let other = check(OFFICE, &["--kind", "asn"]);
    assert!(other.stdout.starts_with("line 1: the line has 15 columns: an ASN file has 5"));
    let many = check(&format!("{OFFICE}{}", "x,n,24,B,,,,,,,,,1,0,0\n".repeat(1_200)), &[]);
    assert!(many.stdout.ends_with("and 200 faults more\nbuilding file, 1200 faults\n"));
}

#[test]
fn maps_are_imported_listed_exported_and_deleted() {
    let callvault = empty();
    let done = import(&callvault, OFFICE, &["--name", "offices", "--to", "2026-12-31"]);
    assert_eq!(
        done.stdout, "created: version 1 of offices, building file, 1 row\n",
        "{}",
        done.stderr
    );
    let next = OFFICE.replace("Building One", "Building 1");
    let trial = import(&callvault, &next, &["--name", "offices", "--dry-run"]);
    let expected = "would be created: version 2 of offices, building file, 1 row\n\
                    of 0 subnets of your calls 0 get a building, and 0 with 10 or more ends of streams get none\n\
                    of 0 ends of streams 0 get a building\n";
    assert_eq!(trial.stdout, expected);
    let done = import(&callvault, &next, &["--name", "offices"]);
    assert_eq!(done.stdout, "created: version 2 of offices, building file, 1 row\n");
    let broken = import(&callvault, "10.1.2.0,n,x\n", &["--name", "more"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(
        broken.stderr.contains("map.csv has 1 fault: line 1: the line has 3 columns"),
        "{}",
        broken.stderr
    );
    let conflict = import(&callvault, OFFICE, &["--name", "offices", "--version", "2"]);
    assert_eq!(conflict.status.code(), Some(1));
    assert!(conflict.stderr.contains("is there with other content"), "{}", conflict.stderr);
    let wrong = import(&callvault, OFFICE, &["--name", "a b"]);
    assert_eq!(wrong.status.code(), Some(2));

    let lines = callvault.succeed(&["places", "list", "--json"]);
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["validTo"], "2027-01-01T00:00:00Z");
    assert_eq!(
        (&rows[1]["validTo"], rows[1]["importedBy"].as_str()),
        (&Value::Null, Some("command line"))
    );
    let table = callvault.succeed(&["places", "list"]);
    assert!(table.contains("offices") && table.contains("2027-01-01T00:00:00Z"), "{table}");
    assert_eq!(callvault.succeed(&["places", "export", "offices"]), next);
    assert_eq!(callvault.succeed(&["places", "export", "offices", "--version", "1"]), OFFICE);
    let copy = callvault.folder().join("copy.db");
    callvault.succeed(&["backup", copy.to_str().unwrap()]);
    let store = format!("sqlite:{}", copy.display());
    assert_eq!(callvault.succeed(&["places", "export", "offices", "--store", &store]), next);
    let deleted = callvault.succeed(&["places", "delete", "offices", "--version", "2"]);
    assert_eq!(deleted, "deleted: 1 version of offices\n");
    assert_eq!(callvault.succeed(&["places", "export", "offices"]), OFFICE, "as before");
    callvault.succeed(&["places", "delete", "offices"]);
    let gone = callvault.run(&["places", "export", "offices"]);
    assert!(gone.stderr.contains("there is no map offices"), "{}", gone.stderr);
    assert_eq!(callvault.run(&["places", "delete", "offices"]).status.code(), Some(1));
    assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
}

#[test]
fn settings_name_files_and_a_server_starts_only_with_those_that_it_has() {
    let callvault = empty();
    let path = file(&callvault, OFFICE);
    let config = callvault.folder().join("callvault.toml");
    let settings = format!(
        "[[places]]\ntenant = \"{TENANT}\"\nname = \"offices\"\nversion = 1\nfile = {path:?}\nfrom = \"2026-01-01\"\n"
    );
    std::fs::write(&config, &settings).unwrap();
    let config = config.to_str().unwrap();
    callvault.serve(&["--config", config]).stop();
    callvault.serve(&["--config", config]).stop();
    let listed = callvault.succeed(&["places", "list", "--json"]);
    assert_eq!(listed.lines().count(), 1);
    assert!(listed.contains("\"importedBy\":\"settings\""), "{listed}");
    file(&callvault, &OFFICE.replace("Building One", "Building 1"));
    let serve = ["serve", "--config", config, "--listen", "127.0.0.1:0", "--admin-listen", "off"];
    let refused = callvault.run(&serve);
    assert_eq!(refused.status.code(), Some(1));
    let expected = "places: offices: Version 1 of the map 'offices' is there with other content";
    assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    file(&callvault, "10.1.2.0,n,24\n");
    let refused = callvault.run(&serve);
    assert!(refused.stderr.contains("the line has 3 columns"), "{}", refused.stderr);
    std::fs::write(config, settings.replace("version = 1", "version = 0")).unwrap();
    let refused = callvault.run(&serve);
    assert!(refused.stderr.contains("places: offices: versions begin at 1"), "{}", refused.stderr);
}
