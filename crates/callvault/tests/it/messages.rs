//! Every failure says what was tried, where, and what to do next.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use testkit::{Callvault, TENANT, lasting_port};

use crate::{READ, callvault, id, record};

/// A command that fails, and what its message must contain: what was tried, where, and what to do.
type Failure<'a> = (&'a [&'a str], [&'a str; 3]);

const ON_STORE: [&str; 3] = ["no store at", "callvault.db", "--data-dir"];

/// A store with a record, and keys.
fn filled() -> Callvault {
    let callvault = callvault();
    let line = record(1, 1);
    callvault.run_with_input(&["import", "--tenant", TENANT, "-"], line.as_bytes());
    callvault.succeed(&["token", "--role", READ]);
    callvault
}

fn check(callvault: &Callvault, failures: &[Failure<'_>]) {
    for (command, parts) in failures {
        let ended = callvault.run(command);
        assert_eq!(ended.status.code(), Some(1), "{command:?}: {}{}", ended.stdout, ended.stderr);
        for part in parts {
            assert!(ended.stderr.contains(part), "{command:?}: no {part:?}: {}", ended.stderr);
        }
    }
}

#[test]
fn a_failure_on_a_store_names_what_was_tried_where_and_what_to_do_next() {
    let callvault = filled();
    let path = |name: &str| callvault.folder().join(name).to_str().unwrap().to_owned();
    let (text, there, none) = (path("diary.db"), path("there.db"), path("none"));
    fs::write(&text, "Dear diary, ".repeat(1_000)).unwrap();
    fs::write(&there, "x").unwrap();
    let (diary, own, id) = (format!("sqlite:{text}"), callvault.store(), id(9));
    let apps = "`callvault app list`";
    let subscriptions = "`callvault subscriptions list`";
    let from_future = ["simulate", "--calls", "1", "--seed", "1", "--from", "2027-01-01"];
    check(
        &callvault,
        &[
            (&["list", "--data-dir", &none], ON_STORE),
            (&["doctor", "--data-dir", &none], ON_STORE),
            (&["list", "--store", &diary], ["opening", "diary.db", "restore"]),
            (
                &["list", "--filter", "versoin gt 1"],
                ["'versoin'", "position 0", "Did you mean 'version'"],
            ),
            (
                &["list", "--of", "streams", "--orderby", "x"],
                ["'x'", "position 0", "Unknown property"],
            ),
            (&["get", &id], [&id, "callvault.db", "`callvault list`"]),
            (&["get", &id, "--version", "3"], ["version 3", TENANT, "`callvault list`"]),
            (
                &["query", "explain", "/communications/callRecrods"],
                ["callRecrods", "segment", "Did you mean"],
            ),
            (&["app", "delete", "nobody"], ["application", "nobody", apps]),
            (&["app", "rotate", "nobody"], ["application", "nobody", apps]),
            (&["app", "roles", "nobody", "--role", READ], ["application", "nobody", apps]),
            (&["token", "--role", READ, "--app", "nobody"], ["nobody", TENANT, apps]),
            (&["deliveries", "replay", "none"], ["subscription", "none", subscriptions]),
            (&["subscriptions", "watch"], ["notify", "allow_insecure_urls", "needs the settings"]),
            (&["backup", &there], ["copying to", "there.db", "Name another file"]),
            (&["backup", "/no/such/a.db"], ["copying to", "/no/such/a.db", "Check"]),
            (&["import", &none], ["importing", "none", "Check the path"]),
            (
                &["import", "/dev/null", "--data-dir", &none],
                ["give --tenant GUID", "callvault.db", "--data-dir"],
            ),
            (
                &["list", "--filter", "type eq groupCall"],
                ["'groupCall'", "position 8", "Text stands in quotes"],
            ),
            (
                &["import", "-", "--rejects", "/no/such/r"],
                ["--rejects", "/no/such/r", "Check the path"],
            ),
            (&["migrate", "--from", "x", "--to", &own], ["--from", "sqlite:PATH", "postgres://"]),
            (&["migrate", "--from", &own, "--to", &own], ["store", "move", "--to"]),
            (&from_future, ["2027-01-01", "2026-11-01", "--from"]),
        ],
    );
}

#[test]
fn a_failure_of_settings_or_of_a_server_names_what_was_tried_where_and_what_to_do_next() {
    let callvault = filled();
    let path = |name: &str| callvault.folder().join(name).to_str().unwrap().to_owned();
    let (none, toml, gone) = (path("none"), path("wrong.toml"), path("gone.toml"));
    fs::write(&toml, "[server]\nlistne = 1\n").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let silent = format!("http://127.0.0.1:{}", lasting_port());
    let on_any = ["--listen", "127.0.0.1:0", "--admin-listen", "off"];
    let with = |more: &[&'static str]| [more, &on_any].concat();
    let pem = with(&["serve", "--tls-cert", "a.pem", "--tls-key", "b.pem"]);
    let other = ["serve", "--tls-cert", &toml, "--tls-key", &toml];
    let other = [&other[..], &on_any].concat();
    let public = with(&["serve", "--public-url", "calls.contoso.com"]);
    let database = format!("postgres://a:b@127.0.0.1:{}/calls", lasting_port());
    let database = ["list", "--store", &database];
    let faults = ["demo", "--emulator", "--faults", &none];
    let faults = [&faults[..], &on_any].concat();
    check(
        &callvault,
        &[
            (&["list", "--store", "mysql://a"], ["store", "expected", "sqlite:PATH"]),
            (
                &["list", "--config", &gone],
                ["reading the settings file", "gone.toml", "Check the path"],
            ),
            (&["list", "--config", &toml], ["wrong.toml", "line 2", "expected one of"]),
            (&["emulator-request-log", "--url", &silent], ["requesting", &silent, "--url names"]),
            (&["demo", "--scenario", "nothing"], ["'nothing'", "neither a file", "large-meeting"]),
            (&["list", "--store", "diary.db"], ["store", "sqlite:PATH", "and not 'diary.db'"]),
            (&database, ["opening", "postgres://127.0.0.1", "Check that the database runs"]),
            (&faults, ["reading", "none", "Check the path"]),
            (&["serve", "--listen", &taken], ["listen", &taken, "--listen"]),
            (&pem, ["reading a.pem", "--tls-cert", "Check the path"]),
            (&other, ["wrong.toml", "PEM", "--tls-cert"]),
            (&public, ["server.public_url", "calls.contoso.com", "https://"]),
            (&["serve", "--listen", "0.0.0.0:0"], ["0.0.0.0:0", "loopback", "--tls-cert"]),
        ],
    );
}

#[test]
fn a_scenario_that_is_not_there_is_told_without_the_systems_words() {
    let said = callvault().run(&["demo", "--scenario", "nothing"]).stderr;
    assert!(said.contains("large-meeting") && !said.contains("os error"), "{said}");
}

#[test]
fn a_store_that_can_not_be_opened_says_what_to_do() {
    let callvault = filled();
    let server = callvault.serve(&[]);
    let second = callvault.run(&["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off"]);
    assert!(second.stderr.contains("Stop that server"), "{}", second.stderr);
    drop(server);
    callvault.edit("INSERT INTO migration (number, hash) VALUES (99, 'x')");
    let newer = callvault.run(&["list"]);
    assert_eq!(newer.status.code(), Some(1));
    assert!(newer.stderr.contains("newer version of Callvault"), "{}", newer.stderr);
    // The superuser may do everything.
    let folder = callvault.folder().join("closed");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(folder.join("probe"), "").is_err() {
        let flag = ["--data-dir", folder.to_str().unwrap()];
        let closed = callvault.run(&[&["migrate"][..], &flag].concat());
        assert!(
            closed.stderr.contains("closed") && closed.stderr.contains("Check"),
            "{}",
            closed.stderr
        );
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
}
