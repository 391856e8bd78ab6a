//! Memory for values, out of which every question takes.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Memory that all questions of a process share.
#[derive(Debug)]
pub struct Pool {
    limit: usize,
    used: AtomicUsize,
}

impl Pool {
    /// A pool of so many bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    /// Bytes that there are in all.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes that are taken now.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes so many bytes, if they are there; whether it did.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|sum| *sum <= self.limit)
        });
        taken.is_ok()
    }

    /// Gives back bytes that were taken.
    pub(super) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}
