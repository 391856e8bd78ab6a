//! What other nodes commit, as soon as they do (PostgreSQL, "LISTEN", "NOTIFY").
//!
//! A notification is a hint only: those who follow the change log also look at it from time to time, so it
//! does no harm when one is lost with its connection.

use std::time::Duration;

use super::Database;
use crate::{Cause, Error};

/// Commits something that other nodes may wait for, and notifies them.
pub(crate) const NOTICE: &str = "NOTIFY callvault; COMMIT";
const LISTEN: &str = "LISTEN callvault";
/// The time between two checks whether the listener is still there, and before a lost connection is
/// opened again.
const PAUSE: Duration = Duration::from_secs(1);

/// Calls `listener` with true for each commit of a node, and now and then with false, until it returns
/// false. Blocks.
pub(crate) fn listen(database: &Database, listener: impl Fn(bool) -> bool) {
    loop {
        if let Err(error) = follow(database, &listener) {
            tracing::debug!(%error, "no notifications of the commits of other nodes");
        }
        if !listener(false) {
            break;
        }
        std::thread::sleep(PAUSE);
    }
}

fn follow(database: &Database, listener: &impl Fn(bool) -> bool) -> Result<(), Error> {
    let link = database.connect()?;
    link.run(link.client().batch_execute(LISTEN))?;
    // What was committed before may not have been seen.
    let mut is_notified = true;
    while listener(is_notified) {
        let notified = link.wait_for_notification(PAUSE);
        is_notified = notified.map_err(|error| Error::Unavailable(Cause::new(error)))?;
    }
    Ok(())
}
