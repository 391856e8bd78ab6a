//! Notifications a second, against a loop of a bare HTTP client that sends the same bodies to as many
//! receivers at the same concurrency, and a long queue: that memory stays bounded and the rate holds.

mod counter;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::gauge;
use super::table::{Range, Reference, Row, Unit};
use super::{Bench, LOAD, MEASURED, pinned};
use crate::http::Connection;
use crate::instance::Instance;
use crate::server_process::ServerProcess;
use counter::Counter;
use xtask::process;
use xtask::repository::{SHIPPED, root, target};

/// Receivers, and records of a round.
const CASES: [(usize, u32); 2] = [(1, 40_000), (50, 5_000)];
/// Receivers of the long queue.
const LONG_RECEIVERS: usize = 20;
/// How long a round may take.
const PATIENCE: Duration = Duration::from_mins(10);
const RECORDS: &str = "communications/callRecords";
const ROLES: [&str; 2] = ["CallRecords.Read.All", "CallRecords.Write.All"];

/// Measures the rates.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let example = ["build", "--profile", SHIPPED, "-p", "notify", "--example", "bare_loop"];
    process::run(Command::new("cargo").args(example).current_dir(root()))?;
    keep_to(LOAD)?;
    let rows = CASES.into_iter().map(|(receivers, records)| rate(bench, receivers, records));
    let rows = rows.collect();
    keep_to("0-1")?;
    rows
}

/// A queue of so many messages: that memory stays bounded and the rate holds.
pub(super) fn backlog(folder: &Path, messages: u32) -> Result<()> {
    keep_to(LOAD)?;
    long_queue(&folder.join("backlog"), messages)
}

/// Keeps the receivers, which are threads of this process, on these cores.
fn keep_to(cores: &str) -> Result<()> {
    let this = std::process::id().to_string();
    process::output(Command::new("taskset").args(["-a", "-cp", cores, &this])).map(drop)
}

/// A server that tells as many receivers as are asked for.
struct Telling {
    store: Instance,
    server: ServerProcess,
    counter: Counter,
    token: String,
    subscriptions: Vec<String>,
    seed: u32,
}

impl Telling {
    fn start(folder: &Path, receivers: usize) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let store = Instance::new(SHIPPED, folder.join("data"))?;
        let token = store.token_of(&ROLES)?;
        let counter = Counter::start()?;
        let mut serve = pinned(MEASURED, &store.serve_command());
        let server = ServerProcess::start(serve.env("CALLVAULT_LOG__LEVEL", "warn"))?;
        let mut subscriptions = Vec::new();
        for number in 0..receivers {
            let url = counter.url(number);
            subscriptions.push(store.subscribe(&token, "created", RECORDS, &url)?);
        }
        Ok(Self { store, server, counter, token, subscriptions, seed: 0 })
    }

    /// Fills the queues while nothing is taken from them.
    fn fill(&mut self, records: u32) -> Result<u64> {
        self.counter.open(false);
        self.seed += 1;
        let file = self.store.data().with_extension("ndjson");
        self.store.simulate(records, self.seed, "bench", &file)?;
        self.store.import(&file)?;
        let messages = u64::from(records) * self.subscriptions.len() as u64;
        let began = Instant::now();
        while self.store.queued()? < messages {
            ensure!(began.elapsed() < PATIENCE, "the queues do not fill");
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(messages)
    }

    /// Lets the queues run empty; seconds from the first items that arrive to the last, and after
    /// which time each tenth of them had been seen.
    fn drain(&self, messages: u64) -> Result<(f64, Vec<f64>)> {
        self.counter.take();
        self.counter.open(true);
        let began = Instant::now();
        std::thread::scope(|scope| {
            let (url, token) = (self.store.url(), &self.token);
            let tries = self.subscriptions.iter().map(|id| {
                let url = url.clone();
                scope.spawn(move || try_at_once(&url, token, id))
            });
            let tried: Vec<_> = tries.collect();
            let join = |tried: ScopedJoinHandle<'_, Result<()>>| {
                tried.join().unwrap_or_else(|_| bail!("a subscription can't be tried"))
            };
            tried.into_iter().try_for_each(join)
        })?;
        let mut tenths = Vec::new();
        while self.counter.items() < messages {
            ensure!(began.elapsed() < PATIENCE, "the queues do not run empty");
            std::thread::sleep(Duration::from_millis(1));
            while self.counter.items() * 10 >= messages * (tenths.len() as u64 + 1) {
                tenths.push(began.elapsed().as_secs_f64());
            }
        }
        Ok((self.counter.span().as_secs_f64(), tenths))
    }
}

/// Lets what waits for a subscription be tried before its time.
fn try_at_once(url: &str, token: &str, id: &str) -> Result<()> {
    let path = format!("/v1.0/subscriptions/{id}/reauthorize");
    let (status, answer) = Connection::open(url)?.post(&path, token, "")?;
    ensure!(status == 204, "{status} {answer}");
    Ok(())
}

fn rate(bench: &Bench, receivers: usize, records: u32) -> Result<Row> {
    let folder = bench.folder.join(format!("notify-{receivers}"));
    let mut telling = Telling::start(&folder, receivers)?;
    let bodies = folder.join("bodies");
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..bench.settings.rounds {
        let messages = telling.fill(records)?;
        let (seconds, _) = telling.drain(messages)?;
        let (items, requests) = telling.counter.take();
        ours.push(items as f64 / seconds);
        fs::write(&bodies, telling.counter.bodies())?;
        bare.push(bare_loop(&bodies, &telling, requests)?);
    }
    telling.server.stop()?;
    Ok(Row {
        case: format!("notifications to {receivers} endpoints"),
        unit: Unit::PerSecond,
        ours: Range::of(ours),
        reference: Some(Reference { name: "bare client".to_owned(), range: Range::of(bare) }),
        aim: Some(0.7),
        ..Row::of("notify")
    })
}

/// Notifications a second of the bare client, which sends as many requests.
fn bare_loop(bodies: &Path, telling: &Telling, requests: u64) -> Result<f64> {
    let each = requests.div_ceil(telling.subscriptions.len() as u64);
    let mut bare = Command::new(target().join(SHIPPED).join("examples/bare_loop"));
    bare.arg(bodies).arg(each.to_string());
    bare.args((0..telling.subscriptions.len()).map(|number| telling.counter.url(number)));
    telling.counter.take();
    let seconds: f64 = process::output(&mut pinned(MEASURED, &bare))?.trim().parse()?;
    let (items, _) = telling.counter.take();
    Ok(items as f64 / seconds)
}

fn long_queue(folder: &Path, messages: u32) -> Result<()> {
    let mut telling = Telling::start(folder, LONG_RECEIVERS)?;
    let records = messages / LONG_RECEIVERS as u32;
    let messages = telling.fill(records)?;
    let before = gauge::memory(telling.server.id(), "VmRSS")?;
    let (seconds, tenths) = telling.drain(messages)?;
    let peak = gauge::memory(telling.server.id(), "VmHWM")?;
    let tenth = messages as f64 / 10.0;
    let [first, .., ninth, last] = tenths.as_slice() else { bail!("no tenths") };
    println!(
        "backlog of {messages}: {:.0} notifications/s, the first tenth {:.0}, the last {:.0}; \
         memory {before:.0} MiB with the queue full, {peak:.0} MiB at most",
        messages as f64 / seconds,
        tenth / first,
        tenth / (last - ninth)
    );
    telling.server.stop()
}
