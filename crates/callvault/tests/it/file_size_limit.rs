//! A process at the size limit of its files: it behaves as on a full disk.

use std::process::{Command, Stdio};

use testkit::{Callvault, Client, TENANT, lasting_port, until};

use crate::{READ, callvault, id, record};

const WRITE: &str = "CallRecords.Write.All";
const RECORDS: &str = "/v1.0/communications/callRecords";

/// A command whose files may have this many KiB (`ulimit` counts blocks of 512 bytes).
fn limited(callvault: &Callvault, kib: u32, arguments: &[&str]) -> Command {
    let plain = callvault.command(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -f {} && exec \"$0\" \"$@\"", kib * 2)]);
    command.arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command
}

/// A record that compresses badly.
fn noisy(number: u32) -> String {
    let mut state = u64::from(number) + 1;
    let noise: String = std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + 2 + (state >> 33) as u8 % 56)
    })
    .take(200_000)
    .collect();
    record(number, 1).replacen('{', &format!(r#"{{"noise":"{noise}","#), 1)
}

#[test]
fn a_file_at_its_size_limit_refuses_writes_and_nothing_else() {
    let callvault = callvault();
    let token = callvault.token(TENANT, &[READ, WRITE]);
    let (address, admin) = (lasting_port(), lasting_port());
    let listen = [address, admin].map(|port| format!("127.0.0.1:{port}"));
    let serve = ["serve", "--listen", &listen[0], "--admin-listen", &listen[1]];
    let mut command = limited(&callvault, 4 << 10, &serve);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stderr = child.stderr.take().unwrap();
    let log = std::thread::spawn(move || std::io::read_to_string(stderr).unwrap());
    let address = listen[0].parse().unwrap();
    until("it listens", || std::net::TcpStream::connect(address).is_ok());
    let mut client = Client::new(address).bearer(&token);
    let mut written = 0;
    let refused = loop {
        let answer = client.post(RECORDS, noisy(written).as_bytes());
        if answer.status != 201 {
            break answer;
        }
        written += 1;
        assert!(written < 1_000, "the file never has its size");
    };
    assert!(written > 3, "{written}");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.header("retry-after"), Some("60"), "an operator has to make room");
    for number in 0..written {
        assert_eq!(client.get(&format!("{RECORDS}/{}", id(number))).status, 200);
    }
    assert_eq!(client.get(&format!("{RECORDS}/{}", id(written))).status, 404);
    let admin = Client::new(listen[1].parse().unwrap()).get("/healthz");
    assert_eq!(admin.status, 200);
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(ended.success());
    until("it ends", || child.try_wait().unwrap().is_some());
    let log = log.join().unwrap();
    assert!(log.contains("the disk of the store is full"), "{log}");
    // With a higher limit, everything acknowledged is there.
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&token);
    for number in 0..written {
        assert_eq!(client.get(&format!("{RECORDS}/{}", id(number))).status, 200);
    }
    assert_eq!(client.post(RECORDS, noisy(written).as_bytes()).status, 201);
}

#[test]
fn a_command_at_the_size_limit_says_so_and_leaves_no_partial_copy() {
    let callvault = callvault();
    let records: Vec<_> = (0..20).map(noisy).collect();
    let import = ["import", "--tenant", TENANT, "-"];
    let ended = callvault.run_with_input(&import, records.join("\n").as_bytes());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let copy = callvault.folder().join("copy.db");
    let backup =
        limited(&callvault, 1 << 10, &["backup", copy.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8_lossy(&backup.stderr).into_owned();
    assert_eq!(backup.status.code(), Some(1), "{said}");
    assert!(said.contains("the disk of the store is full"), "{said}");
    assert!(!copy.exists());
}
