//! Subscriptions and change notifications over the wire: the rules of subscriptions, the notifications, and
//! at-least-once delivery despite failing receivers and killed processes.

mod deliveries;
mod delivery;
mod nats;
mod rules;
mod subscriptions;

use serde_json::{Value, json};
use testkit::{Callvault, Client, Receiver, Server, TENANT};

use super::{READ, WRITE, callvault, record};

const SUBSCRIPTIONS: &str = "/v1.0/subscriptions";

/// Settings that allow receivers on loopback.
const SETTINGS: &str = "[notifications]\nallow_insecure_urls = true\n\
                        allow_networks = [\"127.0.0.0/8\"]\n";

/// A server that may notify receivers on loopback, and a client with all roles.
pub(super) struct Setup {
    pub(super) callvault: Callvault,
    pub(super) server: Option<Server>,
    pub(super) client: Client,
    token: String,
    /// Arguments of the server.
    flags: &'static [&'static str],
}

impl Setup {
    pub(super) fn new() -> Self {
        Self::with_settings(SETTINGS)
    }

    fn with_settings(settings: &str) -> Self {
        Self::with(settings, &[])
    }

    /// A server whose clock can be moved.
    fn with_clock() -> Self {
        Self::with(SETTINGS, &["--emulator"])
    }

    fn with(settings: &str, flags: &'static [&'static str]) -> Self {
        let callvault = callvault();
        std::fs::write(callvault.folder().join("callvault.toml"), settings).unwrap();
        let token = callvault.token(TENANT, &[READ, WRITE]);
        let server = serve(&callvault, flags);
        let client = server.client().bearer(&token);
        Self { callvault, server: Some(server), client, token, flags }
    }

    /// Moves the clock forward.
    fn advance(&mut self, by: &str) {
        let body = json!({ "advance": by }).to_string();
        assert_eq!(self.client.post("/callvault.clock", body.as_bytes()).status, 200);
    }

    /// Ends the process as a power cut would, and starts it again.
    fn restart(&mut self) {
        self.server.take().unwrap().kill();
        self.start();
    }

    fn start(&mut self) {
        let server = serve(&self.callvault, self.flags);
        self.client = server.client().bearer(&self.token);
        self.server = Some(server);
    }

    /// Creates a subscription and returns it.
    pub(super) fn subscribe(&mut self, receiver: &Receiver, changes: &Value) -> Value {
        let answer = self.client.post(SUBSCRIPTIONS, wish(receiver, changes).as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// Whether a delivery fails for a reason with this text.
    fn is_failing(&mut self, what: &str) -> bool {
        let failing = "/v1.0/communications/callvault.deliveries()?$filter=state%20eq%20'failing'";
        let found = self.client.get(failing).json();
        let mut found = found["value"].as_array().unwrap().iter();
        found.any(|it| it["reason"].as_str().is_some_and(|reason| reason.contains(what)))
    }

    /// Imports records, all of them new, in one request.
    fn import(&mut self, records: &[String]) {
        let target = format!("{}/callvault.import", super::RECORDS);
        let ndjson = [("Content-Type", "application/x-ndjson")];
        let answer = self.client.send("POST", &target, &ndjson, records.join("\n").as_bytes());
        let lines = answer.lines();
        assert!(lines.iter().all(|line| line["status"] == "created"), "{}", answer.text());
        assert_eq!(lines.len(), records.len());
    }

    /// Writes a version of a record.
    pub(super) fn keep(&mut self, id: &str, version: u64) {
        let text = record(id, version, version);
        let answer = self.client.post(super::RECORDS, text.as_bytes());
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    }
}

fn serve(callvault: &Callvault, flags: &[&str]) -> Server {
    let config = callvault.folder().join("callvault.toml");
    callvault.serve(&[&["--config", config.to_str().unwrap()], flags].concat())
}

/// The body of a request for a subscription, with some members changed.
pub(super) fn wish(receiver: &Receiver, changes: &Value) -> String {
    let mut body = json!({
        "changeType": "created,updated",
        "notificationUrl": receiver.url("/hook?code=a%20b"),
        "resource": "/communications/callRecords",
        "expirationDateTime": soon(60),
        "clientState": "secret",
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body.to_string()
}

/// An instant that many minutes from now.
fn soon(minutes: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let then = now.as_secs().cast_signed() + 60 * minutes;
    odata::primitive::DateTimeOffset::from_unix_seconds(then).to_string()
}
