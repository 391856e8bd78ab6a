//! A server whose output is unread or cannot be written: it keeps answering.

use std::fs::File;
use std::io::{self, Write};
use std::process::{Command, Stdio};

use testkit::{Callvault, Client, TENANT, lasting_port, until};

use crate::{READ, callvault, id, record};

const WRITE: &str = "CallRecords.Write.All";
const RECORDS: &str = "/v1.0/communications/callRecords";
/// Capacity of a pipe (Linux).
const PIPE: usize = 64 << 10;

/// Requests after which lines must have been lost; each makes some kilobytes of log.
const REQUESTS: usize = 40_000;

/// A pipe whose reader is closed.
fn closed() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A full pipe; its reader must stay open.
fn full() -> (Stdio, io::PipeReader) {
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(&vec![b'x'; PIPE]).unwrap();
    (writer.into(), reader)
}

fn full_disk() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// Writes and reads in every way, on old and new connections.
fn work(callvault: &Callvault, client: impl Fn() -> Client) {
    let token = callvault.token(TENANT, &[READ, WRITE]);
    for number in 1..40 {
        let mut client = client().bearer(&token);
        let written = client.post(RECORDS, record(number, 1).as_bytes());
        assert_eq!(written.status, 201, "{}", written.text());
        let target = format!("{RECORDS}/{}", id(number));
        for _ in 0..10 {
            assert_eq!(client.get(&target).status, 200);
        }
        assert_eq!(client.get(&format!("{RECORDS}?$top=2")).status, 200);
        assert_eq!(client.get(&format!("{RECORDS}/unknown")).status, 404);
        assert_eq!(client.get("/v1.0/$metadata").status, 200);
    }
    assert_eq!(client().get(RECORDS).status, 401);
}

fn lost_lines(metrics: &str) -> u64 {
    let line =
        metrics.lines().find_map(|line| line.strip_prefix("callvault_log_lines_dropped_total "));
    line.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{metrics}"))
}

/// Serves with this standard error, at the most detailed log level.
fn serve_and_work(stderr: Stdio) {
    let callvault = callvault();
    let settings = callvault.folder().join("logging.toml");
    std::fs::write(&settings, "[log]\nlevel = \"trace\"\nformat = \"json\"\n").unwrap();
    let arguments = ["--config", settings.to_str().unwrap()];
    let mut server = callvault.serve_logging_to(stderr, &arguments);
    // Each request opens a connection, which adds log lines.
    work(&callvault, || server.client());
    let metrics = || Client::new(server.admin).get("/metrics").text();
    // Many megabytes: more than the queue can hold while nothing is written.
    let mut client = server.client();
    let mut requests = 0;
    while lost_lines(&metrics()) == 0 {
        // By work and not by time, since a busy machine takes minutes for it.
        assert!(requests < REQUESTS, "no line was lost after {requests} requests");
        for _ in 0..200 {
            assert_eq!(client.get("/v1.0/$metadata?$unknown=1").status, 200);
        }
        requests += 200;
    }
    assert_eq!(Client::new(server.admin).get("/readyz").status, 200);
    assert!(server.terminate().success(), "it ends in good order");
}

#[test]
fn a_log_into_a_closed_pipe_is_counted_and_stops_nothing() {
    serve_and_work(closed());
}

#[test]
fn a_log_into_a_pipe_that_nobody_reads_is_counted_and_stops_nothing() {
    let (stderr, _reader) = full();
    serve_and_work(stderr);
}

#[test]
fn a_log_on_a_full_disk_is_counted_and_stops_nothing() {
    serve_and_work(full_disk());
}

#[test]
fn a_server_works_though_its_output_is_unread() {
    let (unread, _reader) = full();
    for stdout in [closed(), unread, full_disk()] {
        let callvault = callvault();
        let address = format!("127.0.0.1:{}", lasting_port());
        let serve = ["serve", "--listen", &address, "--admin-listen", "off"];
        let mut child =
            callvault.command(&serve).stdout(stdout).stderr(Stdio::null()).spawn().unwrap();
        let address = address.parse().unwrap();
        until("it listens", || std::net::TcpStream::connect(address).is_ok());
        work(&callvault, || Client::new(address));
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut status = None;
        until("it ends", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        assert!(status.is_some_and(|status| status.success()), "{status:?}");
    }
}

#[test]
fn a_failing_command_exits_though_its_error_is_unread() {
    let callvault = callvault();
    let (unread, _reader) = full();
    for stderr in [closed(), unread, full_disk()] {
        let mut command = callvault.command(&["app", "delete", "nobody"]);
        let status = command.stdout(Stdio::null()).stderr(stderr).status().unwrap();
        assert_eq!(status.code(), Some(1));
    }
}
