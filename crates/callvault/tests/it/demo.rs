//! The demo: the commands that it prints work.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use testkit::Client;

use crate::callvault;

/// The tenant of simulated calls.
pub(crate) const DEMO_TENANT: &str = "5f0b1a52-9a0e-4a6b-8f0e-0d5c6f6f2f11";

/// A demo that has printed all that it prints.
pub(crate) struct Demo {
    running: Running,
    pub(crate) url: String,
    pub(crate) printed: Vec<String>,
}

impl Demo {
    /// Starts a demo on free ports.
    pub(crate) fn start(command: &mut Command) -> Self {
        command.args(["--listen", "localhost:0", "--admin-listen", "off"]).stdout(Stdio::piped());
        let mut running = Running(command.spawn().unwrap());
        let mut lines =
            BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        let url = lines.next().unwrap().strip_prefix("listening on ").unwrap().to_owned();
        let printed = lines.by_ref().take_while(|line| !line.starts_with("Stop")).collect();
        Self { running, url, printed }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.url.strip_prefix("http://").unwrap().parse().unwrap())
    }

    /// Interrupts it, and waits for its end.
    pub(crate) fn stop(mut self) {
        let id = self.running.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert_eq!(self.running.0.wait().unwrap().code(), Some(0));
    }
}

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
    assert_eq!((front.status, front.header("location")), (303, Some("/ui/")));
    // A browser of this machine is signed in.
    let entered = client.get("/ui/");
    let cookie = entered.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let overview = entered.header("location").unwrap().to_owned();
    let overview = client.get_with(&overview, &[("Cookie", &cookie)]).text();
    assert!(overview.contains("<h1>Overview</h1>"), "{overview}");
    assert!(overview.contains("<span class=\"value\">"), "{overview}");
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
    command.env("TMPDIR", &folder).stdout(Stdio::piped());
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

#[test]
fn a_demo_over_tls_prints_all_that_an_sdk_needs() {
    let callvault = callvault();
    let folder = callvault.folder().join("tls demo");
    let start = || {
        let flags = ["--data-dir", folder.to_str().unwrap()];
        Demo::start(
            &mut callvault.command(&[&["demo", "--tls", "--calls", "5"][..], &flags].concat()),
        )
    };
    start().stop();
    let demo = start();
    assert!(demo.url.starts_with("https://127.0.0.1:"), "{}", demo.url);
    let exports: Vec<&str> = demo
        .printed
        .iter()
        .map(String::as_str)
        .filter(|line| line.starts_with("export "))
        .collect();
    // As it would be pasted into a shell.
    let ask = |target: &str, more: &str| {
        let script = format!(
            "{}\ncurl -sS --fail-with-body --cacert \"$SSL_CERT_FILE\" {more} \"$AZURE_AUTHORITY_HOST{target}\"",
            exports.join("\n")
        );
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let form = "-d grant_type=client_credentials -d client_id=$AZURE_CLIENT_ID \
                --data-urlencode client_secret=$AZURE_CLIENT_SECRET \
                -d scope=https://graph.microsoft.com/.default";
    let token = ask("/$AZURE_TENANT_ID/oauth2/v2.0/token", form);
    let header = format!("-H 'Authorization: Bearer {}'", token["access_token"].as_str().unwrap());
    let list = ask("/v1.0/communications/callRecords", &header);
    assert_eq!(list["value"].as_array().unwrap().len(), 5);
    let apps = ["app", "list", "--data-dir", folder.to_str().unwrap()];
    assert_eq!(callvault.succeed(&apps).lines().count(), 1, "the application is used again");
    // The commands that are printed.
    let curls = demo.printed.iter().filter(|line| line.starts_with("curl "));
    let script =
        format!("{}\n{}", exports.join("\n"), curls.cloned().collect::<Vec<_>>().join(" && "));
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success(), "{script}");
}
