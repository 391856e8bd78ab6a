//! Nodes on one database: started, killed, stopped, and when each of them and the database was away.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use testkit::Postgres;

use crate::instance::Instance;
use crate::server_process::ServerProcess;
use xtask::repository::{PROFILE, fresh_folder};

/// How long a node may take to come back, also while the database does.
const BACK_WITHIN: Duration = Duration::from_mins(5);

/// From one instant to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: Instant,
    pub(super) to: Instant,
}

impl Span {
    /// Whether the two have an instant in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// When nodes and database were away.
#[derive(Debug, Clone, Default)]
pub(super) struct Absences {
    /// Of each node.
    pub(super) nodes: Vec<Vec<Span>>,
    pub(super) database: Vec<Span>,
}

/// The nodes and their database.
pub(super) struct Cluster {
    postgres: Arc<Postgres>,
    nodes: Vec<Node>,
    absences: Mutex<Absences>,
}

struct Node {
    instance: Mutex<Instance>,
    url: String,
    served: Mutex<Option<ServerProcess>>,
    /// Odd while it serves; another number each time that it does.
    life: AtomicU64,
}

impl Cluster {
    /// Starts as many nodes as there are programs.
    pub(super) fn start(name: &str, binaries: &[PathBuf]) -> Result<Self> {
        let folder = fresh_folder(name)?;
        let postgres = Arc::new(Postgres::start());
        // Its address is that of the service, as a balancer's would be; it never serves.
        let balancer = Instance::on(Arc::clone(&postgres), PROFILE, folder.join("data"))?;
        let node = |binary: &PathBuf| {
            let instance = balancer.node()?.another(binary.clone());
            let (url, life) = (instance.url(), AtomicU64::new(0));
            Ok(Node { instance: Mutex::new(instance), url, served: Mutex::new(None), life })
        };
        let nodes = binaries.iter().map(node).collect::<Result<Vec<_>>>()?;
        let absences = Absences { nodes: vec![Vec::new(); nodes.len()], database: Vec::new() };
        let cluster = Self { postgres, nodes, absences: Mutex::new(absences) };
        (0..cluster.count()).try_for_each(|node| cluster.serve(node))?;
        Ok(cluster)
    }

    /// How many nodes there are.
    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The instance of a node, for its commands.
    pub(super) fn instance(&self, node: usize) -> MutexGuard<'_, Instance> {
        lock(&self.nodes[node].instance)
    }

    /// The address of a node.
    pub(super) fn url(&self, node: usize) -> &str {
        &self.nodes[node].url
    }

    /// Which of its lives a node is in, if it serves.
    pub(super) fn life(&self, node: usize) -> Option<u64> {
        let life = self.nodes[node].life.load(Ordering::Acquire);
        (life % 2 == 1).then_some(life)
    }

    /// The nodes that serve now.
    pub(super) fn living(&self) -> Vec<usize> {
        (0..self.count()).filter(|node| self.life(*node).is_some()).collect()
    }

    /// Fails if one of the nodes has ended by itself, or by somebody else than us.
    pub(super) fn all_serve(&self) -> Result<()> {
        (0..self.count()).try_for_each(|node| self.serves(node))
    }

    fn serves(&self, node: usize) -> Result<()> {
        let mut served = lock(&self.nodes[node].served);
        let has_ended = served.as_mut().map_or(Ok(true), ServerProcess::has_ended)?;
        ensure!(!has_ended, "node {node} has ended, and was not asked to");
        Ok(())
    }

    /// Kills a node and starts it again.
    pub(super) fn kill(&self, node: usize) -> Result<()> {
        self.serves(node)?;
        let from = self.leave(node);
        if let Some(mut served) = lock(&self.nodes[node].served).take() {
            served.kill()?;
        }
        self.back(node, from)
    }

    /// Asks a node to stop and starts it again by another program.
    pub(super) fn replace(&self, node: usize, binary: PathBuf) -> Result<()> {
        self.serves(node)?;
        let from = self.leave(node);
        if let Some(served) = lock(&self.nodes[node].served).take() {
            served.stop()?;
        }
        let mut instance = self.instance(node);
        *instance = instance.another(binary);
        drop(instance);
        self.back(node, from)
    }

    /// Restarts the database, as an administrator would or as if it had crashed; how long it was away.
    pub(super) fn restart_database(&self, is_crash: bool) -> Duration {
        let from = Instant::now();
        self.postgres.restart(is_crash);
        let span = Span { from, to: Instant::now() };
        lock(&self.absences).database.push(span);
        span.to - span.from
    }

    /// Runs SQL on the database, and gives its lines.
    pub(super) fn ask(&self, sql: &str) -> Vec<String> {
        self.postgres.ask(sql).lines().map(str::to_owned).collect()
    }

    /// When all of them were away until now.
    pub(super) fn absences(&self) -> Absences {
        lock(&self.absences).clone()
    }

    /// Asks all nodes to stop.
    pub(super) fn stop(self) -> Result<()> {
        let served = self.nodes.iter().filter_map(|node| lock(&node.served).take());
        served.into_iter().try_for_each(ServerProcess::stop)
    }

    fn leave(&self, node: usize) -> Instant {
        self.nodes[node].life.fetch_add(1, Ordering::AcqRel);
        Instant::now()
    }

    fn back(&self, node: usize, from: Instant) -> Result<()> {
        let began = Instant::now();
        while let Err(error) = self.serve(node) {
            // Without a database there is nothing that it could serve.
            if began.elapsed() > BACK_WITHIN {
                bail!("node {node} does not come back: {error:#}");
            }
            thread::sleep(Duration::from_millis(200));
        }
        lock(&self.absences).nodes[node].push(Span { from, to: Instant::now() });
        Ok(())
    }

    fn serve(&self, node: usize) -> Result<()> {
        let served = self.instance(node).serve()?;
        let node = &self.nodes[node];
        *lock(&node.served) = Some(served);
        node.life.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }
}

/// What a thread that panicked has left is as good as before: each change is one step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
