//! Several nodes on one database, and what is done to them while others ask.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use testkit::Postgres;

use crate::instance::Instance;
use crate::repository::PROFILE;
use crate::served::Served;

/// How long before a restart of the database, as we note it, and how long after it, nodes may say
/// that they can't serve.
const BEFORE: Duration = Duration::from_millis(500);
const AFTER: Duration = Duration::from_secs(15);
/// How long a node may take to come up, with the database away for some of that.
const UP_WITHIN: Duration = Duration::from_mins(1);

/// Nodes, their database, and notes of when which of them was away.
pub(super) struct Cluster {
    pub(super) postgres: Arc<Postgres>,
    pub(super) nodes: Vec<Node>,
    restarts: Mutex<Vec<Away>>,
    /// Set when the load is to end, or something has gone wrong.
    pub(super) is_over: AtomicBool,
}

/// A node at an address that stays.
pub(super) struct Node {
    pub(super) instance: Mutex<Instance>,
    pub(super) url: String,
    served: Mutex<Option<Served>>,
    away: Mutex<Vec<Away>>,
}

/// From when, and until when if that is over.
#[derive(Debug, Clone, Copy)]
struct Away(Instant, Option<Instant>);

impl Away {
    fn overlaps(self, from: Instant, to: Instant) -> bool {
        self.0 <= to && self.1.is_none_or(|end| end >= from)
    }
}

impl Cluster {
    /// Starts nodes of these instances.
    pub(super) fn start(postgres: Arc<Postgres>, instances: Vec<Instance>) -> Result<Self> {
        let node = |instance: Instance| {
            let url = instance.url();
            let served = Mutex::new(Some(instance.serve()?));
            Ok(Node { instance: Mutex::new(instance), url, served, away: Mutex::default() })
        };
        let nodes = instances.into_iter().map(node).collect::<Result<_>>()?;
        let (restarts, is_over) = (Mutex::default(), AtomicBool::new(false));
        Ok(Self { postgres, nodes, restarts, is_over })
    }

    /// Instances for so many nodes in a folder.
    pub(super) fn instances(
        postgres: &Arc<Postgres>,
        folder: &Path,
        count: usize,
    ) -> Result<Vec<Instance>> {
        let first = Instance::on(Arc::clone(postgres), PROFILE, folder.join("data"))?;
        let mut all = vec![first];
        while all.len() < count {
            all.push(all[0].node()?);
        }
        Ok(all)
    }

    /// Whether the load goes on.
    pub(super) fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Sleeps, but not beyond the end of the load; whether it goes on.
    pub(super) fn sleep(&self, duration: Duration) -> bool {
        let end = Instant::now() + duration;
        while self.goes_on() && Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            thread::sleep(left.min(Duration::from_millis(20)));
        }
        self.goes_on()
    }

    /// Kills a node as a power cut would, and starts it again.
    pub(super) fn kill(&self, node: usize) -> Result<()> {
        let node = &self.nodes[node];
        lock(&node.away).push(Away(Instant::now(), None));
        if let Some(mut served) = lock(&node.served).take() {
            served.kill()?;
        }
        node.start()
    }

    /// Asks a node to end, and starts it again, perhaps with another binary.
    pub(super) fn replace(&self, node: usize, binary: &Path) -> Result<()> {
        let node = &self.nodes[node];
        lock(&node.away).push(Away(Instant::now(), None));
        if let Some(served) = lock(&node.served).take() {
            served.stop()?;
        }
        let mut instance = lock(&node.instance);
        *instance = instance.another(binary.to_owned());
        drop(instance);
        node.start()
    }

    /// Restarts the database; how long it was away.
    pub(super) fn restart(&self, is_crash: bool) -> Duration {
        let began = Instant::now();
        lock(&self.restarts).push(Away(began, None));
        self.postgres.restart(is_crash);
        let now = Instant::now();
        if let Some(last) = lock(&self.restarts).last_mut() {
            last.1 = Some(now);
        }
        now - began
    }

    /// Whether a node was away at some time since then, so that a connection to it may have broken.
    pub(super) fn was_away(&self, node: usize, since: Instant) -> bool {
        let now = Instant::now();
        lock(&self.nodes[node].away).iter().any(|away| away.overlaps(since, now))
    }

    /// Whether the database was away at about that time, so that nodes may say they can't serve.
    pub(super) fn was_without_database(&self, from: Instant) -> bool {
        let now = Instant::now();
        let widened = |away: &Away| {
            let from = away.0.checked_sub(BEFORE).unwrap_or(away.0);
            Away(from, away.1.map(|end| end + AFTER))
        };
        lock(&self.restarts).iter().any(|away| widened(away).overlaps(from, now))
    }

    /// Stops all nodes.
    pub(super) fn stop(self) -> Result<()> {
        let served = self.nodes.iter().filter_map(|node| lock(&node.served).take());
        served.into_iter().try_for_each(Served::stop)
    }
}

impl Node {
    /// Starts it, however long the database is away.
    fn start(&self) -> Result<()> {
        let deadline = Instant::now() + UP_WITHIN;
        loop {
            match lock(&self.instance).serve() {
                Ok(served) => {
                    *lock(&self.served) = Some(served);
                    break;
                }
                Err(error) if Instant::now() > deadline => {
                    bail!("a node does not come up: {error:#}")
                }
                Err(_) => thread::sleep(Duration::from_millis(200)),
            }
        }
        if let Some(last) = lock(&self.away).last_mut() {
            last.1 = Some(Instant::now());
        }
        Ok(())
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
