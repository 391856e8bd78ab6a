//! Which store a command works on: the one that is meant, or none.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::{Callvault, OTHER_TENANT, TENANT};

use crate::demo::{DEMO_TENANT, Demo};
use crate::{READ, callvault, record};

fn imported(callvault: &Callvault, tenant: &str, number: u32) {
    let line = record(number, 1);
    let ended = callvault.run_with_input(&["import", "--tenant", tenant, "-"], line.as_bytes());
    assert!(ended.status.success(), "{}", ended.stderr);
}

#[test]
fn commands_that_need_a_store_make_none_and_say_where_they_looked_and_what_there_is() {
    let callvault = callvault();
    imported(&callvault, TENANT, 1);
    let beside = callvault.folder().join("mistyped");
    let folder = beside.to_str().unwrap();
    for command in [
        &["token", "--tenant", TENANT, "--role", READ][..],
        &["app", "create", "--tenant", TENANT, "--name", "a", "--role", READ],
        &["app", "list"],
        &["app", "delete", "a"],
        &["keys", "reset"],
        &["list"],
        &["get", "a"],
        &["query", "explain", "/communications/callRecords"],
        &["subscriptions", "list"],
        &["deliveries", "list"],
        &["tail", "--once"],
        &["backup", "copy.db"],
        &["doctor"],
        &["import", "/dev/null"],
    ] {
        let ended = callvault.run(&[command, &["--data-dir", folder]].concat());
        assert_eq!(ended.status.code(), Some(1), "{command:?}: {}", ended.stdout);
        let looked_at = beside.join("callvault.db");
        for part in
            [looked_at.to_str().unwrap(), callvault.folder().to_str().unwrap(), "--data-dir"]
        {
            assert!(ended.stderr.contains(part), "{command:?}: no {part}: {}", ended.stderr);
        }
        assert!(!beside.exists(), "{command:?}");
    }
}

#[test]
fn a_store_above_below_or_beside_is_named_with_its_flag() {
    let callvault = callvault();
    let root = callvault.folder();
    let store = root.join("first/callvault-data");
    let (inner, empty) = (root.join("first/inner"), root.join("temporary"));
    for folder in [&inner, &empty] {
        fs::create_dir_all(folder).unwrap();
    }
    callvault.succeed(&["migrate", "--data-dir", store.to_str().unwrap()]);
    let from = |folder: &Path, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callvault"));
        command.arg("list").args(more).current_dir(folder).env("TMPDIR", &empty);
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", folder.display());
        String::from_utf8(output.stderr).unwrap()
    };
    let flag = format!("--data-dir {}", store.display());
    for folder in [root, &inner] {
        let said = from(folder, &[]);
        assert!(said.contains(&flag), "{}: {said}", folder.display());
    }
    let file = store.join("callvault.db");
    let said = from(root, &["--data-dir", file.to_str().unwrap()]);
    assert!(said.contains("callvault.db is a file, and --data-dir names the folder"), "{said}");
    assert!(said.contains(&flag), "{said}");
}

#[test]
fn commands_that_make_a_store_say_so_once() {
    let callvault = callvault();
    let path = callvault.folder().join("callvault.db");
    let made = format!("made a new, empty store: {}", path.display());
    assert!(callvault.run(&["migrate"]).stderr.contains(&made));
    assert!(!callvault.run(&["migrate"]).stderr.contains("made"));
    fs::remove_file(&path).unwrap();
    let ended =
        callvault.run_with_input(&["import", "--tenant", TENANT, "-"], record(1, 1).as_bytes());
    assert!(ended.stderr.contains(&made), "{}", ended.stderr);
    fs::remove_file(&path).unwrap();
    let log = callvault.serve(&[]).stop();
    assert!(log.contains("made a new, empty store") && log.contains("callvault.db"), "{log}");
    assert!(!callvault.serve(&[]).stop().contains("made a new"));
}

#[test]
fn commands_beside_a_demo_find_its_store_by_what_it_prints() {
    let callvault = callvault();
    let temporary = callvault.folder().join("temporary");
    let elsewhere = callvault.folder().join("elsewhere");
    for folder in [&temporary, &elsewhere] {
        fs::create_dir(folder).unwrap();
    }
    let mut command = callvault.command(&["demo", "--calls", "5"]);
    let demo = Demo::start(command.env("TMPDIR", &temporary));
    let printed = demo.printed.iter().find(|line| line.starts_with("callvault list ")).unwrap();
    let flags: Vec<&str> =
        printed.split_whitespace().skip_while(|word| *word != "--data-dir").collect();
    assert_eq!(flags.len(), 2, "{printed}");
    // In another folder, and in one that does not name the store.
    let beside = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callvault"));
        command.args(arguments).current_dir(&elsewhere).env("TMPDIR", &temporary);
        command.stdin(Stdio::null()).output().unwrap()
    };
    let token = beside(&["token", "--tenant", DEMO_TENANT, "--role", READ]);
    assert_eq!(token.status.code(), Some(1));
    let said = String::from_utf8(token.stderr).unwrap();
    assert!(said.contains(flags[1]), "{said}");
    let token = beside(&[&["token", "--role", READ], &flags[..]].concat());
    let token = String::from_utf8(token.stdout).unwrap();
    let answer = demo.client().bearer(token.trim()).get("/v1.0/communications/callRecords");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn a_demo_leaves_the_stores_of_the_environment_and_of_the_settings_alone() {
    let callvault = callvault();
    let (theirs, temporary) =
        (callvault.folder().join("theirs"), callvault.folder().join("temporary"));
    fs::create_dir(&temporary).unwrap();
    let settings = callvault.folder().join("callvault.toml");
    let store = format!("sqlite:{}", theirs.join("callvault.db").display());
    fs::write(&settings, format!("store = '{store}'\ndata_dir = '{}'\n", theirs.display()))
        .unwrap();
    for variable in [
        ("CALLVAULT_STORE", store.as_str()),
        ("CALLVAULT_DATA_DIR", theirs.to_str().unwrap()),
        ("CALLVAULT_CONFIG", settings.to_str().unwrap()),
    ] {
        let mut command = callvault.command(&["demo", "--calls", "5"]);
        let demo = Demo::start(command.env("TMPDIR", &temporary).env(variable.0, variable.1));
        assert!(!theirs.exists(), "{variable:?}");
        // What it prints leads to its store, whatever is inherited.
        let printed = demo.printed.iter().find(|line| line.starts_with("callvault list ")).unwrap();
        let words: Vec<&str> = printed.split_whitespace().skip(1).collect();
        let listed = callvault.command(&words).env(variable.0, variable.1).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 3, "{printed}");
    }
}

#[test]
fn a_demo_refuses_a_store_that_no_demo_made() {
    let demo = ["demo", "--calls", "5", "--listen", "127.0.0.1:0", "--admin-listen", "off"];
    let own = callvault();
    imported(&own, OTHER_TENANT, 1);
    let empty = callvault();
    empty.succeed(&["migrate"]);
    for (callvault, part) in [(&own, OTHER_TENANT), (&empty, "made")] {
        let flag = ["--data-dir", callvault.folder().to_str().unwrap()];
        let ended = callvault.run(&[&demo[..], &flag].concat());
        assert_eq!(ended.status.code(), Some(1), "{}", ended.stdout);
        assert_eq!(ended.stdout, "", "it never listens");
        for part in ["no demo made the store", "callvault.db", part, "--data-dir"] {
            assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
        }
    }
    assert_eq!(own.succeed(&["list"]).lines().count(), 1);
    // Its own it uses again, also with records of others.
    let folder = own.folder().join("again");
    let flag = ["--data-dir", folder.to_str().unwrap()];
    let start = || Demo::start(&mut own.command(&[&["demo", "--calls", "5"][..], &flag].concat()));
    start().stop();
    let others = record(1, 1);
    let import = [&["import", "--tenant", TENANT, "-"][..], &flag].concat();
    assert!(own.run_with_input(&import, others.as_bytes()).status.success());
    start().stop();
}

#[test]
fn a_data_folder_that_the_environment_overrules_is_told() {
    let callvault = callvault();
    imported(&callvault, TENANT, 1);
    let other = callvault.folder().join("other");
    let mut command = callvault.command(&["list", "--data-dir", other.to_str().unwrap()]);
    let output = command.env("CALLVAULT_STORE", callvault.store()).output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("CALLVAULT_STORE") && said.contains("not in --data-dir"), "{said}");
}
