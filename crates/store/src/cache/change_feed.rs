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
/// Things that were asked for lately, of which no more is known than a few bits of a hash.
const SEEN: usize = 1 << 14;
/// Of those, the ones that share a place; the one that came first makes room for another.
const WAYS: usize = 4;

/// Up to where the change log was followed.
#[derive(Debug, Default)]
pub struct Following {
    /// The number of the snapshot, and the last entry of the log.
    at: Option<(u64, i64)>,
}

/// What has changed since the log was followed last.
#[derive(Debug)]
pub enum News {
    /// These; seldom any.
    Changes(Vec<ChangeRow>),
    /// Anything could have.
    Anything,
}

impl Following {
    /// What has changed up to a snapshot or a later one, which the connection has.
    pub(crate) fn news(&mut self, connection: &Connection, snapshot: u64) -> Result<News, Error> {
        // If something fails, nothing is known until the next time.
        let Some((seen, cursor)) = self.at.take() else {
            self.at = Some((snapshot, change_log::last(connection)?));
            return Ok(News::Anything);
        };
        if seen == snapshot {
            self.at = Some((seen, cursor));
            return Ok(News::Changes(Vec::new()));
        }
        let changes = change_log::after(connection, cursor, MOST_CHANGES)?;
        if changes.len() == MOST_CHANGES {
            self.at = Some((snapshot, change_log::last(connection)?));
            return Ok(News::Anything);
        }
        self.at = Some((snapshot, changes.last().map_or(cursor, |change| change.sequence)));
        Ok(News::Changes(changes))
    }
}

/// Tells what is asked for a second time within a while. Only that is kept, so that those who read
/// through everything push nobody out.
#[derive(Debug)]
pub struct Seen(Box<[[u16; WAYS]]>);

impl Default for Seen {
    fn default() -> Self {
        Self(vec![[0; WAYS]; SEEN / WAYS].into())
    }
}

impl Seen {
    /// Whether something was asked for lately, by its key; it was from now on.
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
        let mut seen = Seen::default();
        assert!(!seen.again(b"a"));
        assert!(!seen.again(b"b"));
        assert!(seen.again(b"a") && seen.again(b"b"));
    }

    #[test]
    fn hardly_anything_is_pushed_out_by_what_else_comes_in_between() {
        let mut seen = Seen::default();
        let keys = || (0..2_000_u64).map(u64::to_le_bytes);
        for key in keys() {
            seen.again(&key);
        }
        let known = keys().filter(|key| seen.again(key)).count();
        assert!(known > 1_950, "{known}");
    }
}
