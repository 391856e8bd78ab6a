//! Subscriptions and change notifications over the wire: the rules of subscriptions, what is told,
//! and that it is told at least once, whatever receivers and the process do.

mod deliveries;
mod delivery;
mod nats;
mod rules;
mod subscriptions;

use serde_json::{Value, json};
use testkit::{Callvault, Client, Receiver, Server, TENANT};

use super::{READ, WRITE, callvault, record};

const SUBSCRIPTIONS: &str = "/v1.0/subscriptions";

/// Loopback receivers are allowed here, which they are not by themselves.
const SETTINGS: &str = "[notifications]\nallow_insecure_urls = true\n\
                        allow_networks = [\"127.0.0.0/8\"]\n";

/// A server that tells receivers on the loopback, and a client that may do everything.
struct Telling {
    callvault: Callvault,
    server: Option<Server>,
    client: Client,
    token: String,
}

impl Telling {
    fn new() -> Self {
        Self::with_settings(SETTINGS)
    }

    fn with_settings(settings: &str) -> Self {
        let callvault = callvault();
        std::fs::write(callvault.folder().join("callvault.toml"), settings).unwrap();
        let token = callvault.token(TENANT, &[READ, WRITE]);
        let server = serve(&callvault);
        let client = server.client().bearer(&token);
        Self { callvault, server: Some(server), client, token }
    }

    /// Ends the process as a power cut would, and starts it again.
    fn restart(&mut self) {
        self.server.take().unwrap().kill();
        self.start();
    }

    fn start(&mut self) {
        let server = serve(&self.callvault);
        self.client = server.client().bearer(&self.token);
        self.server = Some(server);
    }

    /// Subscribes and gives the subscription.
    fn subscribe(&mut self, receiver: &Receiver, changes: &Value) -> Value {
        let answer = self.client.post(SUBSCRIPTIONS, wish(receiver, changes).as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// Keeps a version of a record.
    fn keep(&mut self, id: &str, version: u64) {
        let text = record(id, version, version);
        let answer = self.client.post(super::RECORDS, text.as_bytes());
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    }
}

fn serve(callvault: &Callvault) -> Server {
    let config = callvault.folder().join("callvault.toml");
    callvault.serve(&["--config", config.to_str().unwrap()])
}

/// The body that asks for a subscription, with some members changed.
fn wish(receiver: &Receiver, changes: &Value) -> String {
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

/// An instant so many minutes from now.
fn soon(minutes: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let then = now.as_secs().cast_signed() + 60 * minutes;
    odata::primitive::DateTimeOffset::from_unix_seconds(then).to_string()
}
