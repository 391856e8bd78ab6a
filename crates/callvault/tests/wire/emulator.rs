//! The emulator: its faults in requests and messages, its clock and its log. Without `--emulator` none of it
//! exists.

mod messages;
mod requests;
mod warnings;

use odata::primitive::{DateTimeOffset, Duration};
use serde_json::{Value, json};
use testkit::{Answer, Callvault, Client, Receiver, Server, TENANT, until};

use super::{READ, RECORDS, WRITE, callvault, record};

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

const SETTINGS: &str = "[notifications]\nallow_insecure_urls = true\n\
                        allow_networks = [\"127.0.0.0/8\"]\n";

/// A server with an emulator, and a client that may do everything.
struct Emulated {
    callvault: Callvault,
    server: Server,
    client: Client,
}

impl Emulated {
    fn new() -> Self {
        Self::with_settings(SETTINGS)
    }

    fn with_settings(settings: &str) -> Self {
        let callvault = callvault();
        let config = callvault.folder().join("callvault.toml");
        std::fs::write(&config, settings).unwrap();
        let token = callvault.token(TENANT, &[READ, WRITE]);
        let server = callvault.serve(&["--config", config.to_str().unwrap(), "--emulator"]);
        let client = server.client().bearer(&token);
        Self { callvault, server, client }
    }

    /// Sets the faults.
    fn faults(&mut self, rules: &Value) {
        let body = rules.to_string();
        let answer = self.client.send("PUT", "/callvault.faults", &JSON, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Keeps a version of a record, which no rule concerns.
    fn keep(&mut self, id: &str, version: u64) {
        let text = record(id, version, version);
        let answer = self.client.post(RECORDS, text.as_bytes());
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    }

    fn read(&mut self, id: &str) -> Answer {
        self.client.get(&format!("{RECORDS}/{id}"))
    }

    /// Subscribes, with some members changed.
    fn subscribe(&mut self, receiver: &Receiver, changes: &Value) -> Answer {
        let mut body = json!({
            "changeType": "created,updated",
            "notificationUrl": receiver.url("/hook"),
            "resource": "/communications/callRecords",
            "expirationDateTime": "2100-01-01T00:00:00Z",
            "clientState": "secret",
        });
        body["expirationDateTime"] = self.now_and("PT1H").into();
        for (name, value) in changes.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.client.post("/v1.0/subscriptions", body.to_string().as_bytes())
    }

    /// Moves the clock on.
    fn advance(&mut self, by: &str) {
        let body = json!({ "advance": by }).to_string();
        let answer = self.client.post("/callvault.clock", body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// An instant ahead of the server's clock.
    fn now_and(&mut self, ahead: &str) -> String {
        let now = self.client.get("/callvault.clock").json();
        let now = DateTimeOffset::parse(now["dateTime"].as_str().unwrap()).unwrap();
        DateTimeOffset(now.0 + Duration::parse(ahead).unwrap().0).to_string()
    }

    /// Another application: its id, and a client of it.
    fn other_application(&self, role: &str) -> (String, Client) {
        let create = ["app", "create", "--json", "--tenant", TENANT, "--name", "other", "--role"];
        let made = self.callvault.succeed(&[&create[..], &[role]].concat());
        let made: Value = serde_json::from_str(&made).unwrap();
        let id = made["clientId"].as_str().unwrap().to_owned();
        let token = ["token", "--tenant", TENANT, "--role", role, "--app", &id];
        let token = self.callvault.succeed(&token);
        (id, self.server.client().bearer(token.trim()))
    }

    /// The codes of the warnings of the log.
    fn warnings(&mut self) -> Vec<String> {
        let log = self.client.get("/callvault.requests?final=true").json();
        let warnings = log["warnings"].as_array().unwrap().iter();
        warnings.map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
    }
}
