//! Reading sessions and the access log of the pages.

use super::Reader;
use crate::rows::page::{AccessRow, PageSessionRow};
use crate::tables::pages;
use crate::{Error, clock};

impl Reader {
    /// The session whose cookie has this hash, also if it has expired.
    pub fn page_session(&mut self, id_hash: &[u8; 32]) -> Result<Option<PageSessionRow>, Error> {
        pages::session(self.snapshot.fresh()?, id_hash)
    }

    /// Sessions that have not expired, the newest first.
    pub fn page_sessions(&mut self) -> Result<Vec<PageSessionRow>, Error> {
        pages::sessions(self.snapshot.fresh()?, clock::now())
    }

    /// At most `limit` lines of the access log from an instant (ticks) on, the oldest first, with the key of
    /// each, behind the line with the key `after`.
    pub fn accesses(
        &mut self,
        since: i64,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, AccessRow)>, Error> {
        pages::accesses(self.snapshot.fresh()?, (since, after), limit)
    }
}
