//! PostgreSQL, and databases that speak its protocol: for stores that outgrow one machine's file.
//!
//! # Who sees what when
//!
//! Any number of processes share a database. A write is acknowledged after its COMMIT, with
//! `synchronous_commit` as the database has it; a read begins after it was asked for, so it sees
//! every write acknowledged before, whichever process made it.
//!
//! # The order of the change log
//!
//! Transactions commit in another order than that in which they take numbers, so a reader that follows
//! the log by a number from a sequence misses entries whose transaction commits late. An entry's
//! `sequence` is therefore its transaction's own number (`xid8`) and its place within that
//! transaction, and readers stop before the oldest transaction that is still under way
//! (`pg_snapshot_xmin`): every transaction behind that is still to come has a higher number.
//!
//! # Partitions
//!
//! A version's `record_key` begins with the month in which the call started, and all tables of
//! records are partitioned by it. So a look-up by key reads one partition alone, a list reads no more
//! partitions than it needs, and the partitions of a month are dropped when nothing is left in them.

mod access;
pub(crate) mod connection;
mod fault;
mod field;
mod link;
pub(crate) mod listening;
mod queue;
mod socket;
mod tuple;

use std::fmt;
use std::sync::Arc;

use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use self::link::Link;
use crate::{Cause, Error};

/// What connects to a database.
#[derive(Clone)]
pub(crate) struct Database {
    config: Arc<Config>,
    tls: MakeRustlsConnect,
}

impl Database {
    /// That of a URL.
    pub(crate) fn of(url: &str) -> Result<Self, Error> {
        let wrong = |error: tokio_postgres::Error| Error::Url(Cause::new(error));
        let config = access::config(url.parse().map_err(wrong)?);
        let tls = access::tls(&config)?;
        Ok(Self { config: Arc::new(config), tls })
    }

    /// Whether it is the one of another URL, if both name it alike.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let place = |config: &Config| {
            let hosts = (config.get_hosts().to_vec(), config.get_hostaddrs().to_vec());
            (hosts, config.get_ports().to_vec(), config.get_dbname().map(str::to_owned))
        };
        place(&self.config) == place(&other.config)
    }

    fn connect(&self) -> Result<Link, Error> {
        Link::open(&self.config, &self.tls)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        f.debug_struct("Database").field("hosts", &self.config.get_hosts()).finish_non_exhaustive()
    }
}
