//! The load on the nodes: what its clients share.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::client::Observations;
use super::cluster::{Cluster, lock};
use super::ledger::Ledger;

/// What all clients share.
pub(super) struct Load<'c> {
    pub(super) cluster: &'c Cluster,
    pub(super) token: String,
    pub(super) ledger: Mutex<Ledger>,
    pub(super) seen: Observations,
    /// Promises that were broken.
    pub(super) wrong: Mutex<Vec<String>>,
    /// Answers to reads that were checked.
    pub(super) checked: AtomicU64,
    /// Lists that were read to their end.
    pub(super) walks: AtomicU64,
    is_over: AtomicBool,
}

impl<'c> Load<'c> {
    pub(super) fn new(cluster: &'c Cluster, token: String) -> Self {
        Self {
            cluster,
            token,
            ledger: Mutex::default(),
            seen: Observations::default(),
            wrong: Mutex::default(),
            checked: AtomicU64::new(0),
            walks: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// Tells the clients to stop.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Notes what is wrong with an answer, if anything is.
    pub(super) fn found(&self, node: usize, wrong: impl IntoIterator<Item = String>) {
        let wrong = wrong.into_iter().map(|wrong| format!("node {node}: {wrong}"));
        lock(&self.wrong).extend(wrong);
    }
}
