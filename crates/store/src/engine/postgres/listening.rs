//! What other nodes commit, as soon as they do (PostgreSQL, "LISTEN", "NOTIFY").
//!
//! Only a hint: whoever follows the change log looks from time to time all the same, so it does no
//! harm when one is lost with its connection.

use std::time::Duration;

use super::Database;
use crate::{Cause, Error};

/// Commits something that other nodes may wait for, and tells them.
pub(crate) const NOTICE: &str = "NOTIFY callvault; COMMIT";
const LISTEN: &str = "LISTEN callvault";
/// How long is waited for a word before it is asked whether anybody listens still, and before a
/// connection is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Calls `told` with each commit of a node, and now and then without one; until it says that nobody
/// listens any more. Blocks.
pub(crate) fn listen(database: &Database, told: impl Fn(bool) -> bool) {
    loop {
        if let Err(error) = follow(database, &told) {
            tracing::debug!(%error, "no word of the commits of other nodes");
        }
        if !told(false) {
            break;
        }
        std::thread::sleep(PAUSE);
    }
}

fn follow(database: &Database, told: &impl Fn(bool) -> bool) -> Result<(), Error> {
    let link = database.connect()?;
    link.run(link.client().batch_execute(LISTEN))?;
    // What was committed before is looked for.
    let mut is_told = true;
    while told(is_told) {
        let word = link.wait_for_word(PAUSE);
        is_told = word.map_err(|error| Error::Unavailable(Cause::new(error)))?;
    }
    Ok(())
}
