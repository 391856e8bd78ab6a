//! A follower of changes that only ever follows links ends with exactly what the server has: while
//! records come in, are replaced and erased, the server is killed, and on PostgreSQL the database too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use testkit::Postgres;

use super::client::Dice;
use crate::http::Connection;
use crate::instance::Instance;
use crate::paths::{CALL_RECORDS, IMPORT};
use crate::server_process::ServerProcess;
use xtask::repository::{PROFILE, fresh_folder};

/// Changes of the long form and of that of the checks, and how often something is killed meanwhile.
pub(super) const LONG: Size = Size { changes: 100_000, blows: 20 };
pub(super) const SHORT: Size = Size { changes: 4_000, blows: 3 };

/// How many changes, and how often something is killed while they are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) changes: u64,
    pub(super) blows: u64,
}

/// Ids that records have.
const IDS: u64 = 3_000;
/// Lines of an import, and records that are erased behind it: as many as a batch takes.
const LINES: usize = 200;
const ERASED: usize = 10;
/// From one trial of something that failed to the next, and how long it is tried: a disk that stands still can hold
/// up a single trial for minutes.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_mins(10);
/// The roles of the writer and the follower.
const ROLES: [&str; 3] = ["CallRecords.Read.All", "CallRecords.Write.All", "Callvault.Admin"];

/// Runs the trial on a file, and on PostgreSQL.
///
/// # Errors
/// When the follower has something else than the server in the end.
pub(super) fn run(size: Size) -> Result<()> {
    let folder = fresh_folder("delta")?;
    let file = Instance::new(PROFILE, folder.join("file"))?;
    println!("on SQLite: {}", Trial::new(file, None, size)?.run()?);
    let postgres = Arc::new(Postgres::start());
    let nodes = Instance::on(Arc::clone(&postgres), PROFILE, folder.join("nodes"))?;
    println!("on PostgreSQL: {}", Trial::new(nodes, Some(postgres), size)?.run()?);
    Ok(())
}

struct Trial {
    instance: Instance,
    postgres: Option<Arc<Postgres>>,
    size: Size,
    token: String,
    made: AtomicU64,
    is_over: AtomicBool,
}

impl Trial {
    fn new(instance: Instance, postgres: Option<Arc<Postgres>>, size: Size) -> Result<Self> {
        // What gives tokens needs a store.
        instance.serve()?.stop()?;
        let token = instance.token_of(&ROLES)?;
        let (made, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok(Self { instance, postgres, size, token, made, is_over })
    }

    fn run(&self) -> Result<String> {
        let server = self.instance.serve()?;
        let (followed, server) = thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let written = self.write();
                self.is_over.store(true, Ordering::Release);
                written
            });
            let follower = scope.spawn(|| self.follow());
            let server = self.disturb(server);
            let joined = "a thread of the trial panicked";
            writer.join().expect(joined)?;
            Ok::<_, anyhow::Error>((follower.join().expect(joined)?, server?))
        })?;
        let there = self.listed()?;
        server.stop()?;
        let differing =
            there.iter().filter(|(id, version)| followed.records.get(*id) != Some(version)).count();
        let foreign = followed.records.keys().filter(|id| !there.contains_key(*id)).count();
        ensure!(
            differing == 0 && foreign == 0,
            "of {} records {differing} are not as the follower has them, and it has {foreign} that \
             are not there",
            there.len()
        );
        Ok(format!(
            "{} changes, {} kills; {} records at the end, {} items in {} rounds, {} begun again",
            self.made.load(Ordering::Acquire),
            self.size.blows,
            there.len(),
            followed.items,
            followed.rounds,
            followed.begun_again
        ))
    }

    /// Kills the server, and every second time the database, when so much of the changes is made.
    fn disturb(&self, mut server: ServerProcess) -> Result<ServerProcess> {
        let step = self.size.changes / (self.size.blows + 1);
        for blow in 1..=self.size.blows {
            while self.made.load(Ordering::Acquire) < blow * step {
                if self.is_over.load(Ordering::Acquire) {
                    return Ok(server);
                }
                thread::sleep(Duration::from_millis(5));
            }
            match &self.postgres {
                Some(postgres) if blow % 2 == 0 => postgres.restart(blow % 4 == 0),
                _ => {
                    server.kill()?;
                    server = self.instance.serve().context("the server does not come back")?;
                }
            }
        }
        Ok(server)
    }

    /// Imports versions and erases records until enough has changed.
    fn write(&self) -> Result<()> {
        let mut dice = Dice::new(7);
        let mut versions = vec![0_u64; IDS as usize];
        while self.made.load(Ordering::Acquire) < self.size.changes {
            let mut lines = String::new();
            for _ in 0..LINES {
                let number = dice.below(IDS) as usize;
                versions[number] += 1;
                writeln!(lines, "{}", record(number, versions[number]))?;
            }
            again("an import", || {
                let mut rejected = 0;
                let connection = Connection::open(&self.instance.url())?;
                let status =
                    connection.post_lines(IMPORT, &self.token, lines.as_bytes(), |line| {
                        rejected += usize::from(line.contains("\"error\""));
                    })?;
                ensure!(status == 200 && rejected == 0, "{status}, {rejected} lines rejected");
                Ok(())
            })?;
            let erased: Vec<usize> = (0..ERASED).map(|_| dice.below(IDS) as usize).collect();
            again("an erasure", || self.erase(&erased))?;
            self.made.fetch_add((LINES + ERASED) as u64, Ordering::AcqRel);
        }
        Ok(())
    }

    fn erase(&self, numbers: &[usize]) -> Result<()> {
        let requests: Vec<Value> = numbers
            .iter()
            .enumerate()
            .map(|(at, number)| {
                let url = format!("/communications/callRecords/{}", id(*number));
                json!({"id": at.to_string(), "method": "DELETE", "url": url})
            })
            .collect();
        let body = json!({ "requests": requests }).to_string();
        let mut connection = Connection::open(&self.instance.url())?;
        let (status, answer) = connection.post("/v1.0/$batch", &self.token, &body)?;
        let answer: Value = serde_json::from_str(&answer)?;
        let answers = answer["responses"].as_array().context("no answers")?;
        let is_done = answers.iter().all(|answer| answer["status"] == 204);
        ensure!(status == 200 && is_done && answers.len() == numbers.len(), "{status}: {answer}");
        Ok(())
    }

    /// Follows links until a round that began after the last change.
    fn follow(&self) -> Result<Follower> {
        let mut follower = Follower::default();
        follower.begin();
        let mut is_last = false;
        loop {
            let (status, body) = self.ask(&follower.link)?;
            if status == 410 {
                follower.begun_again += 1;
                follower.begin();
                continue;
            }
            ensure!(status == 200, "{status}: {body}");
            if !follower.take(&serde_json::from_str(&body)?)? {
                continue;
            }
            follower.rounds += 1;
            if is_last {
                return Ok(follower);
            }
            is_last = self.is_over.load(Ordering::Acquire);
        }
    }

    /// What the server lists: versions by ids.
    fn listed(&self) -> Result<BTreeMap<String, u64>> {
        let mut there = BTreeMap::new();
        let mut next = Some(format!("{CALL_RECORDS}?$select=id,version"));
        while let Some(link) = next {
            let (status, body) = self.ask(&link)?;
            ensure!(status == 200, "{status}: {body}");
            let page: Value = serde_json::from_str(&body)?;
            for item in page["value"].as_array().context("a page has items")? {
                let (id, version) = named(item)?;
                there.insert(id, version);
            }
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        Ok(there)
    }

    /// A GET, tried again while nobody answers, or 503 is answered.
    fn ask(&self, link: &str) -> Result<(u16, String)> {
        let path = link.strip_prefix(&self.instance.url()).unwrap_or(link);
        again("a question", || {
            let (status, body) = Connection::open(&self.instance.url())?.get(path, &self.token)?;
            ensure!(status != 503, "{body}");
            Ok((status, body))
        })
    }
}

/// Tries until it works, or for too long.
fn again<T>(what: &str, mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    loop {
        match work() {
            Ok(done) => return Ok(done),
            Err(error) if began.elapsed() > PATIENCE => {
                return Err(error.context(format!("{what} does not come through")));
            }
            Err(_) => thread::sleep(AGAIN_AFTER),
        }
    }
}

/// One that only follows links.
#[derive(Default)]
struct Follower {
    link: String,
    /// Versions by ids.
    records: BTreeMap<String, u64>,
    items: u64,
    rounds: u64,
    begun_again: u64,
}

impl Follower {
    fn begin(&mut self) {
        self.records.clear();
        self.link = format!("{CALL_RECORDS}/delta?$select=id,version");
    }

    /// Takes a page; whether it ends a round.
    fn take(&mut self, page: &Value) -> Result<bool> {
        for item in page["value"].as_array().context("a page has items")? {
            self.items += 1;
            if item.get("@removed").is_some() {
                let id = item["id"].as_str().context("what is removed has an id")?;
                self.records.remove(id);
            } else {
                let (id, version) = named(item)?;
                self.records.insert(id, version);
            }
        }
        match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
            (Some(link), None) => link.clone_into(&mut self.link),
            (None, Some(link)) => {
                link.clone_into(&mut self.link);
                return Ok(true);
            }
            _ => bail!("a page has one link: {page}"),
        }
        Ok(false)
    }
}

fn named(item: &Value) -> Result<(String, u64)> {
    let id = item["id"].as_str().context("a record has an id")?;
    Ok((id.to_owned(), item["version"].as_u64().context("a record has a version")?))
}

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// A small record, whose start depends on its version.
fn record(number: usize, version: u64) -> String {
    let id = id(number);
    let minute = (number as u64 + version) % 60;
    format!(
        "{{\"id\":\"{id}\",\"version\":{version},\"type\":\"peerToPeer\",\"modalities\":[\"audio\"],\
         \"startDateTime\":\"2026-01-05T08:{minute:02}:00Z\",\
         \"endDateTime\":\"2026-01-05T09:{minute:02}:00Z\"}}"
    )
}
