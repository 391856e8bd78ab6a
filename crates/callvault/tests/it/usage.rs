//! Help, wrong usage, and settings.

use testkit::TENANT;

use crate::{READ, callvault};

#[test]
fn help_names_every_command() {
    let help = callvault().succeed(&["--help"]);
    for command in [
        "serve", "demo", "app", "token", "import", "get", "list", "backup", "simulate", "migrate",
        "doctor", "version",
    ] {
        let named = help.lines().any(|line| line.trim_start().starts_with(command));
        assert!(named, "{command}: {help}");
        assert!(
            callvault().succeed(&[command, "--help"]).contains("Usage: callvault"),
            "{command}"
        );
    }
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_wrong() {
    for arguments in [
        &["serv"][..],
        &[],
        &["serve", "--listen", "here"],
        &["serve", "--tls-cert", "a.pem"],
        &["import", "--tenant", TENANT],
        &["import", "--tenant", "contoso", "a.json"],
        &["token", "--tenant", TENANT, "--role", "All"],
        &["token", "--tenant", TENANT, "--role", READ, "--ttl", "25h"],
        &["list", "--from", "yesterday"],
        &["get", "x", "--expand", "everything"],
    ] {
        let ended = callvault().run(arguments);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains("Usage") || ended.stderr.contains("error: "),
            "{arguments:?}"
        );
    }
}

#[test]
fn an_unknown_key_of_the_settings_file_ends_the_start_and_is_named() {
    let callvault = callvault();
    let file = callvault.folder().join("callvault.toml");
    std::fs::write(&file, "[server]\nlisen = '127.0.0.1:0'\n").unwrap();
    let ended = callvault.run(&["serve", "--config", file.to_str().unwrap()]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.stderr.contains("`lisen`") && ended.stderr.contains("line 2"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_unknown_key_of_the_environment_ends_the_start_and_is_named() {
    let callvault = callvault();
    let output = callvault.command(&["serve"]).env("CALLVAULT_SERVER__LISEN", "x").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("CALLVAULT_SERVER__LISEN"), "{stderr}");
}

#[test]
fn an_unknown_variable_is_an_error_that_names_it() {
    for name in ["CALLVAULT_LISTEN", "CALLVAULT_DATADIR", "CALLVAULT_SERVER_LISTEN"] {
        let output = callvault().command(&["doctor"]).env(name, "x").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains(name) && stderr.contains("CALLVAULT_SERVER__LISTEN"), "{stderr}");
    }
    // Kubernetes sets such beside a service of this name.
    let callvault = callvault();
    callvault.succeed(&["migrate"]);
    for name in ["CALLVAULT_SERVICE_HOST", "CALLVAULT_PORT", "CALLVAULT_PORT_8080_TCP_ADDR"] {
        assert!(
            callvault.command(&["doctor"]).env(name, "x").status().unwrap().success(),
            "{name}"
        );
    }
}

#[test]
fn a_time_without_a_unit_and_a_choice_that_is_left_out_are_wrong_usage() {
    let callvault = callvault();
    let link = ["ui", "link", "--name", "Ada", "--ttl"];
    for (command, part) in [
        ([&link[..], &["15"]].concat(), "such as 15m"),
        ([&link[..], &["2d"]].concat(), "expected 1s to 24h"),
        (vec!["token", "--role", READ, "--ttl", "90"], "such as 15m"),
        (vec!["ui", "sign-out"], "--all"),
        (vec!["ui", "sign-out", "a", "--all"], "cannot be used with"),
        (vec!["erase", "--tenant", TENANT], "--file"),
    ] {
        let ended = callvault.run(&command);
        assert_eq!(ended.status.code(), Some(2), "{command:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(part), "{command:?}: {}", ended.stderr);
    }
}

#[test]
fn help_is_also_a_command() {
    let callvault = callvault();
    assert!(callvault.succeed(&["help"]).contains("Usage: callvault"));
    assert_eq!(callvault.succeed(&["help", "import"]), callvault.succeed(&["import", "--help"]));
    assert!(callvault.succeed(&["help", "keys", "reset"]).contains("master key"));
}

#[test]
fn a_missing_store_is_an_error_of_commands_that_read() {
    for arguments in [&["list"][..], &["get", "a"], &["backup", "b.db"], &["doctor"]] {
        let ended = callvault().run(arguments);
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}");
        assert!(ended.stderr.contains("callvault.db"), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn the_version_is_printed() {
    assert_eq!(
        callvault().succeed(&["version"]),
        concat!("callvault ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
