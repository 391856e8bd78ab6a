//! Advisory locks, by which nodes that share a queue agree which of them serves an address.
//!
//! Such a lock belongs to a session (PostgreSQL, "Advisory Locks"): it holds no transaction, which readers
//! of the change log would have to wait for, and ends with the node, however that happens.

use std::collections::HashSet;

use crate::Error;
use crate::engine::{Connection, Opener};
use crate::rows::subscription::Channel;

/// What the keys of all these locks begin with, apart from those of other programs.
const CLASS: i64 = 0x43 << 56;

/// The addresses that this node serves.
#[derive(Debug)]
pub struct AdvisoryLocks {
    opener: Opener,
    /// None where one node alone uses the store.
    connection: Option<Connection>,
    held: HashSet<(i64, Channel)>,
}

impl AdvisoryLocks {
    pub(crate) fn new(opener: Opener) -> Result<Self, Error> {
        let connection = match &opener {
            Opener::Sqlite(_) => None,
            Opener::Postgres(_) => Some(opener.reader()?),
        };
        Ok(Self { opener, connection, held: HashSet::new() })
    }

    /// Whether other nodes may serve addresses too.
    pub fn are_shared(&self) -> bool {
        self.connection.is_some()
    }

    /// Locks an address for this node until it is released; false while another node has it.
    ///
    /// # Errors
    /// When the store can't be asked.
    pub fn take(&mut self, address: (i64, Channel)) -> Result<bool, Error> {
        if self.held.contains(&address) {
            return Ok(true);
        }
        let Some(connection) = self.connected()? else { return Ok(true) };
        let taken = connection.value("SELECT pg_try_advisory_lock(?1)", [key(address)])?;
        let is_taken = taken.unwrap_or(false);
        if is_taken {
            self.held.insert(address);
        }
        Ok(is_taken)
    }

    /// Releases an address.
    ///
    /// # Errors
    /// When the store can't be asked; the lock has then ended with the connection.
    pub fn release(&mut self, address: (i64, Channel)) -> Result<(), Error> {
        if !self.held.remove(&address) {
            return Ok(());
        }
        let Some(connection) = self.connected()? else { return Ok(()) };
        connection.exists("SELECT pg_advisory_unlock(?1)", [key(address)]).map(drop)
    }

    fn connected(&mut self) -> Result<Option<&Connection>, Error> {
        if let Some(Connection::Postgres(connection)) = &self.connection
            && connection.is_closed()
        {
            self.held.clear();
            self.connection = Some(self.opener.reader()?);
        }
        Ok(self.connection.as_ref())
    }
}

fn key((subscription_key, channel): (i64, Channel)) -> i64 {
    CLASS | subscription_key << 1 | channel.number()
}
