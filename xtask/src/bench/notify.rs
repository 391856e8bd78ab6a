//! Notifications a second, against a loop of a bare HTTP client that sends the same bodies to as many
//! receivers at the same concurrency, and a long queue: that memory stays bounded and the rate holds.

mod counter;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::{LOAD, MEASURED, median, pinned};
use crate::http::Connection;
use crate::instance::Instance;
use crate::process;
use crate::repository::{root, target};
use crate::served::Served;
use counter::Counter;

/// Rounds, by turns with the bare loop.
const ROUNDS: usize = 5;
/// Receivers, and records of a round.
const CASES: [(usize, u32); 2] = [(1, 40_000), (50, 5_000)];
/// Receivers of the long queue.
const LONG_RECEIVERS: usize = 20;
/// How long a round may take.
const PATIENCE: Duration = Duration::from_mins(10);
const RECORDS: &str = "communications/callRecords";
const ROLES: [&str; 2] = ["CallRecords.Read.All", "CallRecords.Write.All"];

/// Measures the rates, and a queue of so many messages.
pub(super) fn measure(folder: &Path, backlog: u32) -> Result<()> {
    let example = ["build", "--release", "-p", "notify", "--example", "bare_loop"];
    process::run(Command::new("cargo").args(example).current_dir(root()))?;
    // The receivers are threads of this process.
    let this = std::process::id().to_string();
    process::output(Command::new("taskset").args(["-a", "-cp", LOAD, &this]))?;
    for (receivers, records) in CASES {
        rate(&folder.join(format!("rate-{receivers}")), receivers, records)?;
    }
    if backlog > 0 {
        long_queue(&folder.join("backlog"), backlog)?;
    }
    Ok(())
}

/// A server that tells as many receivers as are asked for.
struct Telling {
    store: Instance,
    server: Served,
    counter: Counter,
    token: String,
    subscriptions: Vec<String>,
    seed: u32,
}

impl Telling {
    fn start(folder: &Path, receivers: usize) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let store = Instance::new("release", folder.join("data"))?;
        let token = store.token_of(&ROLES)?;
        let counter = Counter::start()?;
        let mut serve = pinned(MEASURED, &store.serve_command());
        let server = Served::start(serve.env("CALLVAULT_LOG__LEVEL", "warn"))?;
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

fn rate(folder: &Path, receivers: usize, records: u32) -> Result<()> {
    let mut telling = Telling::start(folder, receivers)?;
    let bodies = folder.join("bodies");
    let (mut ours, mut bare, mut together) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..ROUNDS {
        let messages = telling.fill(records)?;
        let (seconds, _) = telling.drain(messages)?;
        let (items, requests) = telling.counter.take();
        together = items as f64 / requests as f64;
        ours.push(items as f64 / seconds);
        fs::write(&bodies, telling.counter.bodies())?;
        bare.push(bare_loop(&bodies, &telling, requests)?);
    }
    telling.server.stop()?;
    let range = |values: &[f64]| {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        format!("{least:.0} to {most:.0}")
    };
    let (of_ours, of_bare) = (range(&ours), range(&bare));
    let (ours, bare) = (median(ours), median(bare));
    println!(
        "{receivers:>3} receivers  {ours:>8.0} notifications/s ({of_ours}), {together:.0} a request  \
         bare loop {bare:>8.0} ({of_bare})  ratio {:.2}",
        ours / bare
    );
    Ok(())
}

/// Notifications a second of the bare client, which sends as many requests.
fn bare_loop(bodies: &Path, telling: &Telling, requests: u64) -> Result<f64> {
    let each = requests.div_ceil(telling.subscriptions.len() as u64);
    let mut bare = Command::new(target().join("release/examples/bare_loop"));
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
    let before = memory(telling.server.id(), "VmRSS")?;
    let (seconds, tenths) = telling.drain(messages)?;
    let peak = memory(telling.server.id(), "VmHWM")?;
    let tenth = messages as f64 / 10.0;
    let [first, .., ninth, last] = tenths.as_slice() else { bail!("no tenths") };
    println!(
        "backlog of {messages}: {:.0} notifications/s, the first tenth {:.0}, the last {:.0}; \
         memory {before} MiB with the queue full, {peak} MiB at most",
        messages as f64 / seconds,
        tenth / first,
        tenth / (last - ninth)
    );
    telling.server.stop()
}

/// A figure of a process in MiB, as Linux tells it.
fn memory(process: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name));
    let kilobytes =
        line.and_then(|line| line.split_whitespace().nth(1)).context("no such figure")?;
    Ok(kilobytes.parse::<u64>()? / 1024)
}
