//! Records of lists, decompressed, kept from one list to the next: those who look at the latest calls
//! see most of them each time.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::unsync::Cache;

use super::change_feed::{ChangeFeed, Doorkeeper, FeedChanges};
use crate::Error;
use crate::engine::Connection;
use crate::rows::record::StoredRecord;

/// Bytes of the records that a reader has room for.
const ROOM: u64 = 8 << 20;
/// Bytes that a record needs beside its fragment.
const ENTRY: usize = 300;
/// What a record weighs on average, roughly.
const USUAL: usize = 3 << 10;

/// Records by their keys.
pub(crate) struct RecordCache {
    cache: Cache<i64, Arc<StoredRecord>, Weight>,
    following: ChangeFeed,
    seen: Doorkeeper,
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<i64, Arc<StoredRecord>> for Weight {
    fn weight(&self, _: &i64, record: &Arc<StoredRecord>) -> u64 {
        (ENTRY + record.fragment.len()) as u64
    }
}

impl RecordCache {
    pub(crate) fn new() -> Self {
        let cache = Cache::with_weighter(ROOM as usize / USUAL, ROOM, Weight);
        Self { cache, following: ChangeFeed::default(), seen: Doorkeeper::default() }
    }

    /// Forgets what has changed up to a snapshot, which the connection has. `cut` is the entry up to which
    /// the log was cut.
    pub(crate) fn follow(
        &mut self,
        connection: &Connection,
        snapshot: u64,
        cut: i64,
    ) -> Result<(), Error> {
        match self.following.news(connection, snapshot, cut)? {
            FeedChanges::Anything => self.cache.clear(),
            FeedChanges::Changes(changes) => {
                for change in changes {
                    self.cache.remove(&change.record_key);
                }
            }
        }
        Ok(())
    }

    /// The record of a key.
    pub(crate) fn find(&mut self, record_key: i64) -> Option<Arc<StoredRecord>> {
        self.cache.get(&record_key).cloned()
    }

    /// Keeps a record if it was read lately before. It is of the snapshot that was followed last.
    pub(crate) fn offer(&mut self, record: &Arc<StoredRecord>) {
        if self.seen.again(&record.record_key.to_le_bytes()) {
            self.cache.insert(record.record_key, Arc::clone(record));
        }
    }
}
