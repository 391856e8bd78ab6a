//! A source with an emulator, and a mirror of it.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::{Callvault, Client, Ended, Server, TENANT};

const READ: &str = "CallRecords.Read.All";
const WRITE: &str = "CallRecords.Write.All";
/// The time before now in which calls of a source start, in hours.
const HOURS: i64 = 60;

/// See the head of this file.
pub(crate) struct Rig {
    pub(crate) source: Callvault,
    pub(crate) server: Server,
    pub(crate) client: Client,
    pub(crate) mirror: Callvault,
    pub(crate) application: String,
    pub(crate) secret: String,
}

impl Rig {
    /// A source with so many simulated calls, and a mirror that is set up and has read nothing yet.
    pub(crate) fn new(calls: u64) -> Self {
        let rig = Self::bare("");
        rig.import(&simulated(calls, HOURS));
        rig.add(&["--rate", "off", "--backfill-days", "3"]);
        rig
    }

    /// A source with these settings and without calls, and a mirror that is not set up.
    pub(crate) fn bare(settings: &str) -> Self {
        let binary = env!("CARGO_BIN_EXE_callvault");
        let source = Callvault::prepared(binary);
        let config = source.folder().join("callvault.toml");
        std::fs::write(&config, settings).unwrap();
        let create = ["app", "create", "--json", "--tenant", TENANT, "--name", "mirror"];
        let made = source.succeed(&[&create[..], &["--role", READ]].concat());
        let made: Value = serde_json::from_str(&made).unwrap();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (application, secret) = (text("clientId"), text("clientSecret"));
        let token = source.token(TENANT, &[READ, WRITE]);
        let server = source.serve(&["--config", config.to_str().unwrap(), "--emulator"]);
        let client = server.client().bearer(&token);
        let mirror = Callvault::prepared(binary);
        Self { source, server, client, mirror, application, secret }
    }

    /// Puts records, a line each, into the source.
    pub(crate) fn import(&self, records: &str) {
        let import = ["import", "--tenant", TENANT, "-"];
        let ended = self.source.run_with_input(&import, records.as_bytes());
        assert!(ended.status.success(), "{}", ended.stderr);
    }

    /// Sets the mirror up.
    pub(crate) fn add(&self, flags: &[&str]) {
        let ended = self.try_to_add(&self.secret, flags);
        assert!(ended.status.success(), "{}", ended.stderr);
    }

    /// Sets the mirror up with a secret.
    pub(crate) fn try_to_add(&self, secret: &str, flags: &[&str]) -> Ended {
        let url = format!("http://{}", self.server.address);
        let add = ["mirror", "add", "contoso", "--tenant", TENANT, "--source", &url];
        let add = [&add[..], &["--application", &self.application, "--secret-file", "-"], flags];
        self.mirror.run_with_input(&add.concat(), secret.as_bytes())
    }

    /// Runs the mirror until all is here that the source lists.
    pub(crate) fn complete(&self) -> Ended {
        self.mirror.run(&["mirror", "run", "--until-complete"])
    }

    /// Does what is due.
    pub(crate) fn run_once(&self) -> Ended {
        self.mirror.run(&["mirror", "run", "--once"])
    }

    /// Starts a run, to be killed.
    pub(crate) fn start(&self) -> Command {
        let mut command = self.mirror.command(&["mirror", "run", "--until-complete"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// How it stands with the mirror.
    pub(crate) fn status(&self) -> Value {
        let ended = self.mirror.run(&["mirror", "status", "--json", "--hours"]);
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr))
    }

    /// Sets the source's faults.
    pub(crate) fn faults(&mut self, rules: &Value) {
        let body = rules.to_string();
        let json = [("Content-Type", "application/json")];
        let answer = self.client.send("PUT", "/callvault.faults", &json, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Moves the source's clock on.
    pub(crate) fn advance(&mut self, by: &str) {
        let body = json!({ "advance": by }).to_string();
        let answer = self.client.post("/callvault.clock", body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The requests of the mirror's application, with what was wrong with them.
    pub(crate) fn requests(&mut self) -> (Vec<Value>, Vec<String>) {
        let log = self.client.get("/callvault.requests?final=true").json();
        let warnings = log["warnings"].as_array().unwrap().iter();
        let warnings = warnings.map(|warning| warning["code"].as_str().unwrap().to_owned());
        (log["requests"].as_array().unwrap().clone(), warnings.collect())
    }

    /// Requests of the mirror whose address has this in it.
    pub(crate) fn count(&mut self, part: &str) -> usize {
        let (requests, _) = self.requests();
        let has = |request: &&Value| request["url"].as_str().is_some_and(|url| url.contains(part));
        requests.iter().filter(has).count()
    }

    /// Both stores have the same records, to the last leaf, and `verify` says so.
    pub(crate) fn assert_equal(&self) {
        let verified = self.mirror.run(&["mirror", "verify"]);
        assert_eq!(verified.status.code(), Some(0), "{}{}", verified.stdout, verified.stderr);
        assert!(verified.stdout.ends_with("\nequal\n"), "{}", verified.stdout);
        let [source, mirror] = [&self.source, &self.mirror].map(records);
        assert!(!source.is_empty());
        assert_eq!(source.len(), mirror.len());
        for (source, mirror) in source.iter().zip(&mirror) {
            let (all, part): (Value, Value) =
                (serde_json::from_str(source).unwrap(), serde_json::from_str(mirror).unwrap());
            let missing = testkit::json::missing(&part, &all, &|_| false);
            assert_eq!(missing, Vec::<String>::new(), "the mirror lacks leaves");
            let added = testkit::json::missing(&all, &part, &|_| false);
            assert_eq!(added, Vec::<String>::new(), "the mirror has more leaves");
            assert_eq!(source, mirror, "digit for digit");
        }
    }
}

/// All records of a store with everything in them, a line each.
pub(crate) fn records(callvault: &Callvault) -> Vec<String> {
    let list = ["list", "--tenant", TENANT, "--expand", "segments,participants_v2"];
    callvault.succeed(&list).lines().map(str::to_owned).collect()
}

/// Simulated calls that started within so many hours before now, a line each.
pub(crate) fn simulated(calls: u64, hours: i64) -> String {
    let now = odata::primitive::DateTimeOffset::from(std::time::SystemTime::now());
    let from = odata::primitive::DateTimeOffset(now.0 - hours * 3_600 * 10_000_000);
    let (from, to) = (from.to_string(), now.to_string());
    let calls = calls.to_string();
    let words = ["simulate", "--calls", &calls, "--seed", "3", "--mix", "bench"];
    let words = [&words[..], &["--from", &from, "--to", &to]].concat();
    let mut command = Command::new(env!("CARGO_BIN_EXE_callvault"));
    let output = command.args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A record that started so many minutes ago.
pub(crate) fn record(number: u32, version: u32, minutes: i64) -> String {
    let now = odata::primitive::DateTimeOffset::from(std::time::SystemTime::now());
    let start = odata::primitive::DateTimeOffset(now.0 - minutes * 60 * 10_000_000);
    json!({
        "id": id(number), "version": version, "type": "peerToPeer", "modalities": ["audio"],
        "startDateTime": start.to_string(), "endDateTime": start.to_string(),
        "participants_v2": [
            { "id": "user", "identity": { "user": { "id": "user", "displayName": null } } }
        ],
        "sessions": [{
            "id": "s", "startDateTime": start.to_string(), "endDateTime": start.to_string(),
            "segments": [],
        }],
    })
    .to_string()
}

/// The id of [`record`].
pub(crate) fn id(number: u32) -> String {
    format!("e523d2ed-2966-4b6b-925b-{number:012}")
}
