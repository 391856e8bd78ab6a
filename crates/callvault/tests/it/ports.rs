//! Ports that are in use, and how addresses are named.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;

use crate::callvault;

#[test]
fn a_port_in_use_is_one_line_that_names_the_flag_and_costs_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for command in ["serve", "demo"] {
        for (flag, other) in [("--listen", "--admin-listen"), ("--admin-listen", "--listen")] {
            let callvault = callvault();
            let folder = callvault.folder().join("new");
            let flags =
                [flag, &taken, other, "127.0.0.1:0", "--data-dir", folder.to_str().unwrap()];
            let ended = callvault.run(&[&[command][..], &flags].concat());
            assert_eq!(ended.status.code(), Some(1), "{command} {flag}");
            assert_eq!(ended.stderr.lines().count(), 1, "{command} {flag}: {}", ended.stderr);
            let told = ended.stderr.trim_end();
            assert!(told.contains(&format!("can't listen on {taken}: Address")), "{told}");
            let remedy = format!(", or name another address with {flag}");
            assert!(told.ends_with(&remedy), "{command} {flag}: {told}");
            assert!(!folder.join("callvault.db").exists(), "{command} {flag}");
        }
    }
}

#[test]
fn a_client_that_speaks_tls_to_a_port_without_is_told_of_in_the_log_once() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    // The beginning of a ClientHello (RFC 8446, section 4.1.2).
    let hello = [&[22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3][..], &[7; 32]].concat();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(&hello).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("This port speaks HTTP, and the request came as TLS"), "{answer}");
    }
    let log = server.stop();
    assert_eq!(log.matches("a client spoke TLS to this port").count(), 1, "{log}");
}

#[test]
fn localhost_is_an_address() {
    let callvault = callvault();
    let mut command =
        callvault.command(&["serve", "--listen", "localhost:0", "--admin-listen", "localhost:0"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines: Vec<String> = lines.take(2).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for (line, what) in lines.iter().zip(["listening on", "admin on"]) {
        assert!(line.starts_with(&format!("{what} http://127.0.0.1:")), "{line}");
    }
    let config = callvault.folder().join("callvault.toml");
    std::fs::write(&config, "[server]\nlisten = 'localhost:0'\nadmin_listen = 'off'\n").unwrap();
    callvault.succeed(&["doctor", "--config", config.to_str().unwrap()]);
}

#[test]
fn the_public_url_is_printed_where_it_is_another() {
    let callvault = callvault();
    let url = "https://calls.contoso.com";
    let flags = ["--listen", "127.0.0.1:0", "--admin-listen", "off", "--public-url", url];
    let mut command = callvault.command(&[&["serve"][..], &flags].concat());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines: Vec<String> = lines.take(2).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines[0].starts_with("listening on http://127.0.0.1:"), "{lines:?}");
    assert_eq!(lines[1], format!("public URL {url}"));
}

#[test]
fn a_server_that_can_not_start_does_not_blame_the_store() {
    let callvault = callvault();
    std::fs::write(callvault.folder().join("a.pem"), "no certificate").unwrap();
    let pem = callvault.folder().join("a.pem");
    let pem = pem.to_str().unwrap();
    let flags =
        ["--listen", "127.0.0.1:0", "--admin-listen", "off", "--tls-cert", pem, "--tls-key", pem];
    let ended = callvault.run(&[&["serve"][..], &flags].concat());
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains(pem), "{}", ended.stderr);
    assert!(
        !ended.stderr.contains("not available") && !ended.stderr.contains("too early"),
        "{}",
        ended.stderr
    );
}
