//! The demo: the commands that it prints work.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use testkit::Client;

use crate::callvault;

/// A process that ends with the test, even if the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The parts of a printed `curl -s -H "…" "URL"`.
fn parts(line: &str) -> (String, String) {
    let mut quoted = line.split('"').skip(1).step_by(2).map(|text| text.replace("\\$", "$"));
    let mut next = || quoted.next().expect("a printed line has two quoted parts");
    (next(), next())
}

#[test]
fn the_printed_requests_answer() {
    let callvault = callvault();
    let arguments =
        ["demo", "--calls", "60", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let mut command = callvault.command(&arguments);
    let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.next().unwrap();
    let url = url.strip_prefix("listening on http://").unwrap().to_owned();
    assert!(lines.next().unwrap().starts_with("admin on http://127.0.0.1:"));
    let printed: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("Stop")).collect();
    let mut client = Client::new(url.parse().unwrap());
    let front = client.get_with("/", &[("accept", "text/html,*/*;q=0.8")]);
    assert_eq!((front.status, front.text().contains("<h1>Callvault</h1>")), (200, true));
    assert_eq!(client.get_with("/", &[("accept", "application/json")]).status, 404);

    let token = printed.iter().find_map(|line| line.strip_prefix("export TOKEN="));
    let token = token.expect("a token is printed");
    assert_eq!(printed.iter().filter(|line| line.contains(token)).count(), 1);
    let curls: Vec<_> = printed.iter().filter(|line| line.starts_with("curl ")).collect();
    let answers = curls.iter().map(|line| {
        let (header, url) = parts(&line.replace("$TOKEN", token));
        let (name, value) = header.split_once(": ").unwrap();
        let answer = client.get_with(&url, &[(name, value)]);
        assert_eq!(answer.status, 200, "{url}: {}", answer.text());
        answer.json()
    });
    let answers: Vec<_> = answers.collect();
    let [list, expanded, calls] = &answers[..] else { panic!("{curls:?}") };
    assert!(expanded["sessions"][0]["segments"][0]["id"].is_string());
    assert!(list["value"].as_array().unwrap().len() > 50);
    let calls = calls["value"].as_array().unwrap();
    assert!(calls.iter().all(|call| call["callType"].is_string()) && !calls.is_empty());
}

#[test]
fn a_stopped_demo_leaves_nothing_behind() {
    let callvault = callvault();
    let folder = callvault.folder().join("temporary");
    std::fs::create_dir(&folder).unwrap();
    let arguments =
        ["demo", "--calls", "5", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let mut command = callvault.command(&arguments);
    command.env_remove("CALLVAULT_DATA_DIR").env("TMPDIR", &folder).stdout(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("listening on "));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    // As soon as it listens, before it has printed everything.
    let id = running.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    lines.for_each(drop);
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}
