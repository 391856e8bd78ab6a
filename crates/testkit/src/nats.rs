//! A NATS server with JetStream, as a receiver of notifications.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use async_nats::jetstream;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::http::Client;
use crate::lasting_port;
use crate::patience::{await_some, until};

/// The server, in a process of its own with a folder of its own. Dropped, it ends.
pub struct Nats {
    port: u16,
    /// Where it tells of itself by HTTP.
    monitor: u16,
    folder: PathBuf,
    child: Option<Child>,
    runtime: Runtime,
}

/// A message of a stream.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Where it was sent to.
    pub subject: String,
    /// The lines beside it.
    pub headers: Vec<(String, String)>,
    /// What it says.
    pub body: Value,
}

impl Stored {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Nats {
    /// Starts it.
    ///
    /// # Panics
    /// When there is no `nats-server` (Debian's package of that name), or it does not come up.
    pub fn start() -> Self {
        let port = lasting_port();
        let folder = std::env::temp_dir().join(format!("callvault-nats-{port}"));
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut nats = Self { port, monitor: lasting_port(), folder, child: None, runtime };
        nats.start_again();
        nats
    }

    /// Starts it again where it was.
    pub fn start_again(&mut self) {
        let mut command = Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-js", "-p"]).arg(self.port.to_string());
        command.arg("-m").arg(self.monitor.to_string());
        command.arg("-sd").arg(&self.folder).stderr(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn();
        self.child = Some(child.expect("nats-server is needed: apt-get install nats-server"));
        until("the NATS server comes up", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("the server can be killed");
            child.wait().expect("the server ends");
        }
    }

    /// The address of a subject.
    pub fn url(&self, subject: &str) -> String {
        format!("nats://127.0.0.1:{}/{subject}", self.port)
    }

    /// How many connections Callvault has, and how many it ever had that it has closed.
    pub fn connections(&self) -> (usize, usize) {
        let ours = |state: &str| {
            let mut client = Client::new(([127, 0, 0, 1], self.monitor).into());
            let told = client.get(&format!("/connz?state={state}&limit=10000")).json();
            let all = told["connections"].as_array().expect("it tells of connections");
            all.iter().filter(|each| each["name"] == "Callvault").count()
        };
        (ours("open"), ours("closed"))
    }

    /// Makes a stream of all subjects that begin with its name.
    pub fn add_stream(&self, name: &str) {
        self.runtime.block_on(async {
            let config = jetstream::stream::Config {
                name: name.to_owned(),
                subjects: vec![format!("{name}.>")],
                ..jetstream::stream::Config::default()
            };
            self.context().await.create_stream(config).await.expect("a stream can be made");
        });
    }

    /// The messages of a stream, once there are so many.
    pub fn wait_for(&self, stream: &str, count: usize) -> Vec<Stored> {
        let last = self.wait_until(stream, count);
        self.runtime.block_on(self.read(stream, last))
    }

    /// Waits until a stream has so many messages, and tells how many it has.
    pub fn wait_until(&self, stream: &str, count: usize) -> u64 {
        await_some(&format!("{count} messages of {stream}"), || {
            Some(self.last(stream)).filter(|last| *last >= count as u64)
        })
    }

    /// How many messages a stream ever had.
    fn last(&self, stream: &str) -> u64 {
        let client = Client::new(([127, 0, 0, 1], self.monitor).into());
        let told = { client }.get("/jsz?streams=true").json();
        let accounts = told["account_details"].as_array().into_iter().flatten();
        let mut streams =
            accounts.flat_map(|account| account["stream_detail"].as_array().into_iter().flatten());
        let found = streams.find(|each| each["name"] == stream).expect("there is such a stream");
        found["state"]["last_seq"].as_u64().expect("a stream tells of itself")
    }

    async fn read(&self, stream: &str, last: u64) -> Vec<Stored> {
        let stream = self.context().await.get_stream(stream).await.expect("there is such a stream");
        let mut all = Vec::new();
        for sequence in 1..=last {
            let message = stream.get_raw_message(sequence).await.expect("it is stored");
            let headers = message.headers.iter().map(|(name, values)| {
                let first = values.first().map(|value| value.as_str().to_owned());
                (name.to_string(), first.unwrap_or_default())
            });
            all.push(Stored {
                subject: message.subject.to_string(),
                headers: headers.collect(),
                body: serde_json::from_slice(&message.payload).expect("it is JSON"),
            });
        }
        all
    }

    async fn context(&self) -> jetstream::Context {
        let client = async_nats::connect(format!("127.0.0.1:{}", self.port)).await;
        let client = client.expect("the server can be reached");
        jetstream::new(client)
    }
}

impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nats").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
