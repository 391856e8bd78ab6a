//! The server that is attacked, and what is watched meanwhile: its memory, and somebody else who asks it
//! for a record again and again.

use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::client::{Client, beginning};
use super::record;
use crate::chaos::ledger::percentile;
use crate::instance::Instance;
use crate::paths::CALL_RECORDS;
use crate::server_process::ServerProcess;
use xtask::process;

/// Whom the attackers are not.
pub(super) const NEIGHBOUR: &str = "11111111-0000-4000-8000-0000000000aa";
/// The record that the neighbour asks for.
const ITS_RECORD: &str = "11111111-0000-4000-8000-0000000000bb";
/// The tenant of attackers that have a server of their own.
pub(super) const ATTACKER: &str = crate::instance::TENANT;
/// One that has nothing.
pub(super) const OTHER: &str = "22222222-0000-4000-8000-0000000000cc";
pub(super) const READ: &str = "CallRecords.Read.All";
pub(super) const WRITE: &str = "CallRecords.Write.All";

/// Most memory that a server may ever have, in KiB.
pub(super) const MOST_MEMORY: u64 = 640 << 10;
/// A server with that much is ended, since others need the machine too.
const UNBEARABLE: u64 = 2_560 << 10;
const LOOKED_AT_EVERY: Duration = Duration::from_millis(20);
/// The pause of the neighbour between two requests.
const PAUSE: Duration = Duration::from_millis(2);
/// The p99 of the neighbour may be so many times the quiet one.
pub(super) const MOST_SLOWER: f64 = 3.0;

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::soak) enum Size {
    /// As much as a check can have, and nothing is judged by time.
    Short,
    Long,
}

impl Size {
    /// One number or the other.
    pub(super) fn of<T>(self, short: T, long: T) -> T {
        match self {
            Self::Short => short,
            Self::Long => long,
        }
    }
}

/// A running server under attack.
pub(super) struct Arena<'i> {
    pub(super) instance: &'i Instance,
    pub(super) size: Size,
    /// Whose attackers these are.
    tenant: String,
    pub(super) address: SocketAddr,
    pub(super) admin: SocketAddr,
    served: ServerProcess,
    watch: Watch,
    pub(super) tally: Tally,
}

/// What was tried.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) attacks: usize,
    pub(super) controls: usize,
    pub(super) findings: Vec<String>,
}

impl Tally {
    /// Notes an attack, and what was wrong with the outcome.
    pub(super) fn attack(&mut self, what: &str, outcome: Result<(), String>) {
        self.attacks += 1;
        if let Err(wrong) = outcome {
            self.findings.push(format!("{what:.200}: {wrong:.600}"));
        }
    }

    /// Notes that the check can tell right from wrong, or that it can't.
    pub(super) fn control(&mut self, what: &str, outcome: Result<(), String>) {
        self.controls += 1;
        if let Err(wrong) = outcome {
            self.findings.push(format!("the control does not hold, {what:.200}: {wrong:.600}"));
        }
    }
}

/// An error unless something is so.
pub(super) fn must(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(otherwise()) }
}

/// What a class took.
#[derive(Debug)]
pub(super) struct Cost {
    /// In KiB.
    pub(super) memory: u64,
    pub(super) quiet: Duration,
    pub(super) during: Duration,
    pub(super) asked: usize,
}

impl<'i> Arena<'i> {
    /// Serves with settings as they are by default, and lets the neighbour begin. `number` is that of the
    /// class, which has a tenant of its own.
    pub(super) fn open(instance: &'i Instance, size: Size, number: usize) -> Result<Self> {
        let mut served = instance.serve()?;
        let at = |url: &str| -> Result<SocketAddr> {
            Ok(url.strip_prefix("http://").context("plain HTTP")?.parse()?)
        };
        let (address, admin) = (at(&served.url)?, at(&served.admin()?)?);
        let token = instance.token_in(NEIGHBOUR, &[READ, WRITE])?;
        let watch = Watch::begin(address, served.id(), &token, size)?;
        let tenant = format!("a0000000-0000-4000-8000-{number:012}");
        let tally = Tally::default();
        Ok(Self { instance, size, tenant, address, admin, served, watch, tally })
    }

    /// How long an answer is waited for.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.size.of(30, 100))
    }

    /// A client of the attackers' tenant, which may read and write.
    pub(super) fn attacker(&self) -> Result<Client> {
        self.client(&self.tenant, &[READ, WRITE])
    }

    /// A client of any tenant.
    pub(super) fn client(&self, tenant: &str, roles: &[&str]) -> Result<Client> {
        let token = self.instance.token_in(tenant, roles)?;
        Ok(Client::new(self.address, &token, self.patience()))
    }

    /// One without a token.
    pub(super) fn stranger(&self) -> Client {
        Client::new(self.address, "", self.patience())
    }

    /// The most memory that the server ever had, in KiB.
    pub(super) fn peak(&self) -> Result<u64> {
        memory(self.served.id(), "VmHWM:").context("the server has ended")
    }

    /// Ends the attack: what it took, and what was tried, with all that was found.
    pub(super) fn close(mut self) -> Result<(Tally, Cost)> {
        let peak = self.watch.peak.load(Ordering::Relaxed);
        let memory = peak.max(memory(self.served.id(), "VmHWM:").unwrap_or(0));
        let (cost, trouble) = self.watch.end(memory);
        let findings = &mut self.tally.findings;
        findings.extend(trouble);
        if self.served.has_ended()? {
            findings.push("the server has ended".to_owned());
        }
        if cost.memory > MOST_MEMORY {
            findings.push(format!("the server had {} MiB", cost.memory >> 10));
        }
        drop(self.served);
        Ok((self.tally, cost))
    }
}

/// A line of a process's status, in KiB.
pub(super) fn memory(process: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The neighbour and whoever looks at the memory, each a thread.
struct Watch {
    is_over: Arc<AtomicBool>,
    /// Begins when the attack does.
    is_attacked: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    trouble: Arc<Mutex<Vec<String>>>,
    asking: JoinHandle<[Vec<Duration>; 2]>,
    looking: JoinHandle<()>,
}

impl Watch {
    fn begin(address: SocketAddr, process: u32, token: &str, size: Size) -> Result<Self> {
        let mut client = Client::new(address, token, Duration::from_secs(size.of(30, 100)));
        let kept = client.post(CALL_RECORDS, record::small(ITS_RECORD).as_bytes());
        let kept = kept.map_err(anyhow::Error::msg)?;
        ensure!(matches!(kept.status, 200 | 201), "the neighbour: {}", beginning(&kept));
        let is_over = Arc::new(AtomicBool::new(false));
        let is_attacked = Arc::new(AtomicBool::new(false));
        let peak = Arc::new(AtomicU64::new(0));
        let trouble = Arc::new(Mutex::new(Vec::new()));
        let asking = {
            let (is_over, is_attacked) = (Arc::clone(&is_over), Arc::clone(&is_attacked));
            let trouble = Arc::clone(&trouble);
            thread::spawn(move || ask(client, &is_over, &is_attacked, &trouble))
        };
        let looking = {
            let (is_over, peak) = (Arc::clone(&is_over), Arc::clone(&peak));
            let trouble = Arc::clone(&trouble);
            thread::spawn(move || look(process, &is_over, &peak, &trouble))
        };
        thread::sleep(Duration::from_millis(size.of(300, 3_000)));
        is_attacked.store(true, Ordering::Relaxed);
        Ok(Self { is_over, is_attacked, peak, trouble, asking, looking })
    }

    fn end(self, memory: u64) -> (Cost, Vec<String>) {
        self.is_attacked.store(true, Ordering::Relaxed);
        self.is_over.store(true, Ordering::Relaxed);
        let [quiet, during] = self.asking.join().unwrap_or_default();
        // It ends by itself; what it saw is noted.
        let _ = self.looking.join();
        let asked = during.len();
        let p99 =
            |all: Vec<Duration>| if all.is_empty() { Duration::ZERO } else { percentile(all, 99) };
        let cost = Cost { memory, quiet: p99(quiet), during: p99(during), asked };
        (cost, std::mem::take(&mut lock(&self.trouble)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks for the record until it is over; gives how long each answer took, before and during the attack.
fn ask(
    mut client: Client,
    is_over: &AtomicBool,
    is_attacked: &AtomicBool,
    trouble: &Mutex<Vec<String>>,
) -> [Vec<Duration>; 2] {
    let mut took = [Vec::new(), Vec::new()];
    let target = format!("{CALL_RECORDS}/{ITS_RECORD}");
    while !is_over.load(Ordering::Relaxed) {
        let place = usize::from(is_attacked.load(Ordering::Relaxed));
        let began = Instant::now();
        let wrong = match client.get(&target) {
            Ok(answer) if answer.status == 200 => None,
            Ok(answer) => Some(format!("{} {}", answer.status, beginning(&answer))),
            Err(error) => Some(error),
        };
        took[place].push(began.elapsed());
        if let Some(wrong) = wrong {
            let mut trouble = lock(trouble);
            if trouble.len() < 3 {
                trouble.push(format!("the neighbour is not answered: {wrong}"));
            }
            drop(trouble);
            thread::sleep(Duration::from_millis(100));
        }
        thread::sleep(PAUSE);
    }
    took
}

/// Looks at the server's memory, and ends the server before it takes that of others.
fn look(process: u32, is_over: &AtomicBool, peak: &AtomicU64, trouble: &Mutex<Vec<String>>) {
    while !is_over.load(Ordering::Relaxed) {
        let now = memory(process, "VmRSS:").unwrap_or(0);
        peak.fetch_max(now, Ordering::Relaxed);
        if now > UNBEARABLE {
            lock(trouble).push(format!("it was ended when it had {} MiB", now >> 10));
            process::works("kill", &["-KILL", &process.to_string()]);
            return;
        }
        thread::sleep(LOOKED_AT_EVERY);
    }
}
