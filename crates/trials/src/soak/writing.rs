//! What the load writes, and the check of what is answered.

use std::thread;
use std::time::{Duration, Instant};

use odata::json::Node;

use super::client::{Client, Failure};
use super::cluster::lock;
use super::content::{self, Version};
use super::faults::Fault;
use super::load::Load;
use crate::http::{Answer, Ask};
use crate::members::{number, text};
use crate::paths::{CALL_RECORDS, IMPORT};

/// Lines of an import.
const LINES: u64 = 8;
/// A record gets no more versions than one page shows.
const MOST_VERSIONS: u64 = 40;
/// How often a write is sent again that got no answer.
const TRIES: u32 = 4;
/// Time between two writes of a client.
const WRITES_APART: Duration = Duration::from_millis(12);

/// One that writes records of its own.
pub(super) struct Writer<'l> {
    load: &'l Load<'l>,
    client: Client<'l>,
    /// For what is sent at the same time.
    second: Client<'l>,
    place: u64,
    /// How many records it has.
    count: u64,
}

impl<'l> Writer<'l> {
    pub(super) fn new(load: &'l Load<'_>, place: u64) -> Self {
        let client = |seed| Client::new(load.cluster, &load.seen, seed);
        Self { load, client: client(place), second: client(50 + place), place, count: 0 }
    }

    /// Writes until the load ends.
    pub(super) fn run(mut self) {
        while !self.load.is_over() {
            match self.client.dice.below(20) {
                0..10 => {
                    let version = self.new_record();
                    self.write(&version);
                }
                10..16 => {
                    if let Some(version) = self.next_version() {
                        self.write(&version);
                    }
                }
                16..18 => self.write_rivals(),
                _ => self.import(),
            }
            thread::sleep(WRITES_APART);
        }
    }

    fn new_record(&mut self) -> Version {
        self.count += 1;
        let id = format!("soak-{}-{}", self.place, self.count);
        self.attempt(Version { id, number: 1 })
    }

    /// The next version of a record of its own, as often as not of a new one.
    fn next_version(&mut self) -> Option<Version> {
        let back = if self.client.dice.below(2) == 0 { 20 } else { self.count };
        let place = self.count.checked_sub(self.client.dice.below(back.min(self.count)))?;
        let id = format!("soak-{}-{place}", self.place);
        let number = lock(&self.load.ledger).known(&id).attempted + 1;
        let is_one = place > 0 && number < MOST_VERSIONS;
        is_one.then(|| self.attempt(Version { id, number }))
    }

    fn attempt(&self, version: Version) -> Version {
        lock(&self.load.ledger).attempt(&version);
        version
    }

    /// Writes a version; what got no answer is sent again as often as not.
    fn write(&mut self, version: &Version) {
        for _ in 0..TRIES {
            let node = self.client.node();
            if post(self.load, &mut self.client, node, version) || self.client.dice.below(2) == 0 {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Writes two versions of a record at two nodes at the same time.
    fn write_rivals(&mut self) {
        let Some(one) = self.next_version() else { return };
        let other = Version { number: one.number + 1, ..one.clone() };
        let other = self.attempt(other);
        let (load, nodes) = (self.load, [self.client.node(), self.second.node()]);
        let (client, second) = (&mut self.client, &mut self.second);
        thread::scope(|scope| {
            scope.spawn(|| post(load, second, nodes[1], &other));
            post(load, client, nodes[0], &one);
        });
    }

    /// Imports new records, each with its next version behind it now and then.
    fn import(&mut self) {
        let mut lines = String::new();
        for _ in 0..LINES {
            let version = match self.client.dice.below(2) {
                0 => Some(self.new_record()),
                _ => self.next_version(),
            };
            lines.extend(version.map(|version| content::text(&version) + "\n"));
        }
        let (node, from) = (self.client.node(), Instant::now());
        let body = Some(("application/x-ndjson", lines.as_str()));
        let ask = Ask { path: IMPORT, token: &self.load.token, prefer: "", body };
        let answered = match self.client.ask(node, &ask, &[200]) {
            Ok(Answer { body, .. }) | Err(Failure(body)) => body,
        };
        // What breaks off within a line says nothing by it.
        for line in answered.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            match (text(line, "id"), number(line, "version"), text(line, "status")) {
                (Some(id), Some(number), Some(status)) if status != "rejected" => {
                    lock(&self.load.ledger).acknowledge(id, number, status);
                }
                _ if line.contains("serviceNotAvailable") => {
                    self.client.note(node, from, Fault::Unavailable);
                }
                _ => self.client.note(node, from, Fault::Answer(line.to_owned())),
            }
        }
    }
}

/// Sends a version to a node; whether it was acknowledged.
fn post(load: &Load<'_>, client: &mut Client<'_>, node: usize, version: &Version) -> bool {
    let text = content::text(version);
    let body = Some(("application/json", text.as_str()));
    let ask = Ask { path: CALL_RECORDS, token: &load.token, prefer: "", body };
    let Ok(answer) = client.ask(node, &ask, &[200, 201]) else { return false };
    let outcome = answer.result.unwrap_or_default();
    lock(&load.ledger).acknowledge(&version.id, version.number, &outcome);
    let shown = Node::parse(&answer.body).map_err(|error| error.to_string());
    match shown.and_then(|shown| content::shown(&shown, false)) {
        Ok(shown) if shown == *version => {}
        Ok(shown) => load.found(node, [format!("{version:?} was sent, and {shown:?} is answered")]),
        Err(wrong) => load.found(node, [wrong]),
    }
    true
}
