//! A client of a cluster, which goes to another node when one fails it, and takes only such failures
//! as are to be expected.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::cluster::{Cluster, lock};
use crate::http::Connection;
use crate::members::{number, text};

const IMPORT: &str = "/v1.0/communications/callRecords/callvault.import";
/// How long one thing is tried at the nodes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Failures that were to be expected, by what and where.
pub(super) type Failures = Mutex<BTreeMap<String, u64>>;

/// What every client needs.
#[derive(Clone, Copy)]
pub(super) struct Service<'c> {
    pub(super) cluster: &'c Cluster,
    pub(super) token: &'c str,
    pub(super) failures: &'c Failures,
}

/// A connection to each node, as far as they are kept.
pub(super) struct Client<'c> {
    service: Service<'c>,
    connections: Vec<Option<(Connection, Instant)>>,
    /// The node that is asked next.
    next: usize,
}

impl<'c> Client<'c> {
    pub(super) fn new(service: Service<'c>, first: usize) -> Self {
        let count = service.cluster.nodes.len();
        Self { service, connections: (0..count).map(|_| None).collect(), next: first % count }
    }

    /// A GET at some node: its answer, whatever it is but a failure.
    pub(super) fn get(&mut self, path: &str) -> Result<(u16, String)> {
        let token = self.service.token;
        self.persist(|connection| connection.get(path, token))
    }

    /// A POST of JSON.
    pub(super) fn post(&mut self, path: &str, body: &str) -> Result<(u16, String)> {
        let token = self.service.token;
        self.persist(|connection| connection.post(path, token, body))
    }

    /// The same at one node, once; none where that fails.
    pub(super) fn get_at(&mut self, node: usize, path: &str) -> Result<Option<(u16, String)>> {
        let token = self.service.token;
        self.ask(node, |connection| connection.get(path, token))
    }

    fn persist(
        &mut self,
        request: impl Fn(&mut Connection) -> Result<(u16, String)>,
    ) -> Result<(u16, String)> {
        let began = Instant::now();
        loop {
            self.next = (self.next + 1) % self.connections.len();
            if let Some(answer) = self.ask(self.next, &request)? {
                return Ok(answer);
            }
            ensure!(began.elapsed() < PATIENCE, "no node answers");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn ask(
        &mut self,
        node: usize,
        request: impl Fn(&mut Connection) -> Result<(u16, String)>,
    ) -> Result<Option<(u16, String)>> {
        let began = Instant::now();
        let (mut connection, opened) = match self.connections[node].take() {
            Some(kept) => kept,
            None => match Connection::open(&self.service.cluster.nodes[node].url) {
                Ok(connection) => (connection, began),
                Err(error) => return self.broken(node, began, &error).map(|()| None),
            },
        };
        match request(&mut connection) {
            Err(error) => self.broken(node, opened, &error).map(|()| None),
            Ok((503, body)) => {
                ensure!(connection.has_retry_after, "503 without Retry-After: {body}");
                self.unavailable(node, began, &body)?;
                self.connections[node] = Some((connection, opened));
                Ok(None)
            }
            Ok((status, body)) => {
                ensure!(status < 500, "{status} of node {node}: {body}");
                self.connections[node] = Some((connection, opened));
                Ok(Some((status, body)))
            }
        }
    }

    /// A connection that was opened then is gone: its node has to have been away.
    fn broken(&self, node: usize, opened: Instant, error: &anyhow::Error) -> Result<()> {
        let was_away = self.service.cluster.was_away(node, opened);
        ensure!(was_away, "node {node} broke a connection off: {error:#}");
        self.note("connections broken by a node that was away");
        Ok(())
    }

    /// A node says that it can't serve: its database has to have been away.
    fn unavailable(&self, node: usize, began: Instant, said: &str) -> Result<()> {
        let was_away = self.service.cluster.was_without_database(began);
        ensure!(was_away, "node {node} can't serve, with its database there: {said}");
        self.note("503 with Retry-After, the database away");
        Ok(())
    }

    fn note(&self, what: &str) {
        *lock(self.service.failures).entry(what.to_owned()).or_default() += 1;
    }

    /// Imports lines until all of them are acknowledged, at whichever nodes.
    pub(super) fn import(
        &mut self,
        body: &str,
        mut acknowledged: impl FnMut(&str, u64),
    ) -> Result<()> {
        let began = Instant::now();
        loop {
            self.next = (self.next + 1) % self.connections.len();
            if self.import_once(body, &mut acknowledged)? {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "no node takes an import");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn import_once(&self, body: &str, acknowledged: &mut impl FnMut(&str, u64)) -> Result<bool> {
        let (node, began) = (self.next, Instant::now());
        let connection = match Connection::open(&self.service.cluster.nodes[node].url) {
            Ok(connection) => connection,
            Err(error) => return self.broken(node, began, &error).map(|()| false),
        };
        let (mut lines, mut refused) = (0, None);
        let status = connection.post_lines(IMPORT, self.service.token, body.as_bytes(), |line| {
            lines += 1;
            match (text(line, "id"), number(line, "version"), text(line, "status")) {
                (Some(id), Some(version), Some(status)) if status != "rejected" => {
                    acknowledged(id, version);
                }
                _ => refused = Some(line.to_owned()),
            }
        });
        match (refused, status) {
            (Some(line), _) if line.contains("serviceNotAvailable") => {
                self.unavailable(node, began, &line).map(|()| false)
            }
            (Some(line), _) => anyhow::bail!("an import is refused: {line}"),
            (None, Ok(200)) => Ok(lines == body.lines().count()),
            (None, Ok(status)) => {
                ensure!(status == 503, "{status} of node {node} for an import");
                self.unavailable(node, began, "an import").map(|()| false)
            }
            (None, Err(error)) => self.broken(node, began, &error).map(|()| false),
        }
    }
}
