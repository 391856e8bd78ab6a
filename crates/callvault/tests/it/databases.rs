//! Stores that are databases, as commands reach them.

use std::process::Stdio;

use testkit::postgres::MASTER_KEY;
use testkit::{Callvault, Ended, Postgres, TENANT};

use crate::{READ, callvault, record};

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
fn a_database_is_spoken_to_by_tls_if_its_certificate_is_trusted() {
    let (postgres, certificate) = Postgres::with_tls();
    let callvault = callvault();
    let file = |name: &str, text: &str| {
        let path = callvault.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    let (_other, other) = Postgres::with_tls();
    let (trusted, other) = (file("trusted.pem", &certificate), file("other.pem", &other));
    let records = file("records.ndjson", &record(1, 1));
    let import = ["import", "--tenant", TENANT, &records];

    let url = postgres.url_by_tls();
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
    // And a server that speaks none.
    let plain = Postgres::start();
    let refused = run(&callvault, &plain.url_by_tls(), &trusted, &import);
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
    assert!(refused.stderr.to_lowercase().contains("tls"), "{}", refused.stderr);
}

#[test]
fn a_database_needs_a_master_key_that_is_given() {
    let postgres = Postgres::start();
    let callvault = callvault();
    let mut command = callvault.command(&["token", "--tenant", TENANT, "--role", READ]);
    command.env("CALLVAULT_STORE", postgres.url()).env_remove("CALLVAULT_MASTER_KEY");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("CALLVAULT_MASTER_KEY"), "{errors}");
}
