//! Follows the change log for caches: before an entry is used, those that have changed are forgotten, so
//! that a cache never gives what the reader's snapshot does not have.
//!
//! A look at the log costs as much as a point read, so it is made once for each snapshot, not for each
//! read: a snapshot does not change. With more than a thousand changes a cache forgets everything, which
//! costs less than to go through them.

use crate::Error;
use crate::engine::Connection;
use crate::rows::record::ChangeRow;
use crate::tables::change_log;

/// Changes that are given one by one.
const MOST_CHANGES: usize = 1_000;
/// Keys that a doorkeeper remembers, by a few bits of a hash each.
const SEEN: usize = 1 << 14;
/// Keys that share a place; the oldest of them makes room for another.
const WAYS: usize = 4;

/// A cursor on the change log, for a cache in memory.
#[derive(Debug, Default)]
pub struct ChangeFeed {
    /// The number of the snapshot that was followed last, and its last entry of the log.
    at: Option<(u64, i64)>,
}

/// What has changed since the feed was read last.
#[derive(Debug)]
pub enum FeedChanges {
    /// These versions; seldom any.
    Changes(Vec<ChangeRow>),
    /// Anything may have changed.
    Anything,
}

impl ChangeFeed {
    /// What has changed up to a snapshot, which the connection has. `cut` is the entry up to which the
    /// log was cut.
    pub(crate) fn news(
        &mut self,
        connection: &Connection,
        snapshot: u64,
        cut: i64,
    ) -> Result<FeedChanges, Error> {
        // After a failure the cursor is gone, and the next call says that anything may have changed.
        let Some((seen, cursor)) = self.at.take() else {
            self.at = Some((snapshot, change_log::last(connection)?));
            return Ok(FeedChanges::Anything);
        };
        if seen == snapshot {
            self.at = Some((seen, cursor));
            return Ok(FeedChanges::Changes(Vec::new()));
        }
        let changes = change_log::after(connection, cursor, MOST_CHANGES)?;
        if changes.len() == MOST_CHANGES || cursor < cut {
            self.at = Some((snapshot, change_log::last(connection)?));
            return Ok(FeedChanges::Anything);
        }
        self.at = Some((snapshot, changes.last().map_or(cursor, |change| change.sequence)));
        Ok(FeedChanges::Changes(changes))
    }
}

/// Admits to a cache only what is asked for a second time within a while, so that a walk through
/// everything evicts nothing (the doorkeeper of TinyLFU).
#[derive(Debug)]
pub struct Doorkeeper(Box<[[u16; WAYS]]>);

impl Default for Doorkeeper {
    fn default() -> Self {
        Self(vec![[0; WAYS]; SEEN / WAYS].into())
    }
}

impl Doorkeeper {
    /// Whether a key was asked for lately. From now on it was.
    pub fn again(&mut self, key: &[u8]) -> bool {
        let hash = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let marks = &mut self.0[hash as usize % (SEEN / WAYS)];
        // Never 0, which stands for nothing.
        let mark = (hash >> 48) as u16 | 1;
        if marks.contains(&mark) {
            return true;
        }
        marks.rotate_right(1);
        marks[0] = mark;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_was_seen() {
        let mut seen = Doorkeeper::default();
        assert!(!seen.again(b"a"));
        assert!(!seen.again(b"b"));
        assert!(seen.again(b"a") && seen.again(b"b"));
    }

    #[test]
    fn hardly_anything_is_pushed_out_by_what_else_comes_in_between() {
        let mut seen = Doorkeeper::default();
        let keys = || (0..2_000_u64).map(u64::to_le_bytes);
        for key in keys() {
            seen.again(&key);
        }
        let known = keys().filter(|key| seen.again(key)).count();
        assert!(known > 1_950, "{known}");
    }
}
