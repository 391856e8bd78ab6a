//! Commands on stores in PostgreSQL.

use std::process::{Command, Stdio};

use testkit::postgres::{self, MASTER_KEY};
use testkit::{Callvault, Client, Ended, Postgres, TENANT};

use crate::{READ, callvault, id, record};

const COLLECTION: &str = "/v1.0/communications/callRecords";

/// Runs a command on a database, with only this certificate trusted.
fn run(callvault: &Callvault, url: &str, trusted: &str, arguments: &[&str]) -> Ended {
    let mut command = callvault.command(arguments);
    command.env("CALLVAULT_STORE", url).env("CALLVAULT_MASTER_KEY", MASTER_KEY);
    command.env("SSL_CERT_FILE", trusted).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn a_database_connection_uses_tls_if_the_certificate_is_trusted() {
    let (server, certificate) = Postgres::with_tls();
    let callvault = callvault();
    let file = |name: &str, text: &str| {
        let path = callvault.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    let (other, _) = postgres::certificate();
    let (trusted, other) = (file("trusted.pem", &certificate), file("other.pem", &other));
    let records = file("records.ndjson", &record(1, 1));
    let import = ["import", "--tenant", TENANT, &records];

    let url = server.url_by_tls();
    let refused = run(&callvault, &url, &other, &import);
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("certificate"), "{}", refused.stderr);
    let done = run(&callvault, &url, &trusted, &import);
    assert!(done.status.success(), "{}", done.stderr);
    assert!(done.stdout.contains("\"created\":1"), "{}", done.stdout);
    // A name that the certificate does not have.
    let by_number = url.replace("localhost", "127.0.0.1");
    let refused = run(&callvault, &by_number, &trusted, &import);
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
    // A server without TLS.
    let plain = Postgres::start();
    let refused = run(&callvault, &plain.url_by_tls(), &trusted, &import);
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
    assert!(refused.stderr.to_lowercase().contains("tls"), "{}", refused.stderr);
}

#[test]
fn a_store_moves_to_a_database_while_it_is_served_and_answers_as_before() {
    let before = callvault();
    // Keys and secrets move unchanged, encrypted with a master key that both have.
    let keys = before.folder().join("keys");
    std::fs::create_dir(&keys).unwrap();
    std::fs::write(keys.join("master"), MASTER_KEY).unwrap();
    let owned = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(keys.join("master"), owned).unwrap();
    let after = Callvault::on(env!("CARGO_BIN_EXE_callvault"), Postgres::start());
    let records: Vec<String> = (1..=80).map(|number| record(number, number % 3 + 1)).collect();
    let input = records.join("\n");
    let imported = before.run_with_input(&["import", "--tenant", TENANT, "-"], input.as_bytes());
    assert!(imported.status.success(), "{}", imported.stderr);
    let settings = before.folder().join("callvault.toml");
    std::fs::write(&settings, "[server]\npublic_url = \"https://calls.contoso.com\"\n").unwrap();
    let settings = ["--config", settings.to_str().unwrap()];
    let token =
        before.command(&[&["token", "--tenant", TENANT, "--role", READ], &settings[..]].concat());
    let token = text_of(token);

    let server = before.serve(&settings);
    let (from, to) = (before.store(), after.store());
    let migrate = ["migrate", "--from", &from, "--to", &to];
    let moved = after.succeed(&migrate);
    assert!(moved.contains("\"records\":80") && moved.contains("\"copied\":80"), "{moved}");
    let asked = [
        format!("{COLLECTION}/{}?$expand=sessions($expand=segments)", id(7)),
        format!("{COLLECTION}?$filter=version%20eq%202&$top=10"),
        COLLECTION.to_owned(),
    ];
    let answers = |client: &mut Client| asked.each_ref().map(|path| answer(client, path));
    let then = answers(&mut server.client().bearer(&token));
    let again = after.succeed(&migrate);
    assert!(again.contains("\"copied\":0"), "{again}");
    drop(server.stop());
    // The earlier token is still valid, and so is a link.
    let server = after.serve(&settings);
    let mut client = server.client().bearer(&token);
    assert_eq!(answers(&mut client), then);
    let (_, link) = then[2].split_once("\"@odata.nextLink\":\"https://calls.contoso.com").unwrap();
    let rest = answer(&mut client, link.split('"').next().unwrap());
    assert_eq!(rest.matches("\"startDateTime\"").count(), 20);
}

fn answer(client: &mut Client, path: &str) -> String {
    let answer = client.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.text()
}

fn text_of(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_database_needs_a_configured_master_key() {
    let postgres = Postgres::start();
    let callvault = callvault();
    let run = |arguments: &[&str], key: Option<&str>| {
        let mut command = callvault.command(arguments);
        command.env("CALLVAULT_STORE", postgres.url()).env_remove("CALLVAULT_MASTER_KEY");
        let output = command.envs(key.map(|key| ("CALLVAULT_MASTER_KEY", key))).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout) + &text(output.stderr))
    };
    let token = ["token", "--tenant", TENANT, "--role", READ];
    // The empty database is no store yet.
    let (code, said) = run(&token, Some(MASTER_KEY));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("there is no store at postgres://"), "{said}");
    let (code, said) = run(&["migrate"], None);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("made a new, empty store: postgres://"), "{said}");
    let (code, said) = run(&token, None);
    assert_eq!(code, Some(1));
    assert!(said.contains("CALLVAULT_MASTER_KEY"), "{said}");
    assert_eq!(run(&token, Some(MASTER_KEY)).0, Some(0));
    // Another key than that of the secrets that are there now.
    let other = "5a".repeat(32);
    for (command, code) in [(&token[..], 1), (&["doctor"], 1), (&["keys", "reset"], 0), (&token, 0)]
    {
        let (found, said) = run(command, Some(&other));
        assert_eq!(found, Some(code), "{command:?}: {said}");
        assert!(code == 0 || said.contains("keys reset"), "{command:?}: {said}");
    }
}
