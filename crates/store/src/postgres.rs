//! PostgreSQL, and what speaks its language: for stores that outgrow one machine's file.
//!
//! # Who sees what when
//!
//! Any number of processes share a database. A write is acknowledged after its COMMIT, with
//! `synchronous_commit` as the database has it; a read begins after it was asked for, so it sees
//! every write acknowledged before, whichever process made it.
//!
//! # The order of the change log
//!
//! Transactions commit in another order than that in which they take numbers, so whoever follows
//! the log by a number from a sequence passes entries by whose transaction commits late. An entry's
//! `sequence` is therefore its transaction's own number (`xid8`) and its place within that
//! transaction, and readers stop before the oldest transaction that is still under way
//! (`pg_snapshot_xmin`): every transaction behind that is still to come has a higher number.
//!
//! # Months
//!
//! A version's `record_key` begins with the month in which the call started, and all tables of
//! records are parted by it. So what is known by its key is looked for in one part alone, and
//! a month that has reached its age is dropped as a whole.

mod access;
pub(crate) mod connection;
pub(crate) mod current;
mod fault;
mod field;
pub(crate) mod listening;
pub(crate) mod migrate;
pub(crate) mod months;
mod tuple;
mod wording;

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Cause, Error};

/// What moves the bytes of connections while threads wait for answers.
#[derive(Clone)]
pub(crate) struct Driver {
    runtime: Arc<Running>,
    config: Arc<Config>,
    tls: MakeRustlsConnect,
}

impl Driver {
    /// For the database of a URL.
    pub(crate) fn start(url: &str) -> Result<Self, Error> {
        let wrong = |error: tokio_postgres::Error| Error::Url(Cause::new(error));
        let config = access::config(url.parse().map_err(wrong)?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-postgres")
            .enable_all()
            .build()?;
        let tls = access::tls(&config)?;
        Ok(Self { runtime: Arc::new(Running(Some(runtime))), config: Arc::new(config), tls })
    }

    fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime.0.as_ref().expect("it is there until it is dropped").spawn(task)
    }

    async fn connect(&self) -> Result<Connected, tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }
}

type Connected =
    (Client, Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>);

/// A runtime that may end within a task of its own: the last to let go of a store may be one.
struct Running(Option<Runtime>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        f.debug_struct("Driver").field("hosts", &self.config.get_hosts()).finish_non_exhaustive()
    }
}
