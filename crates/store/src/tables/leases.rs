//! Leases: which process does a piece of background work. They hold on either engine.
//!
//! A lease runs out unless its holder renews it, so work goes on when a process is gone. A process that
//! was only slow must not go on beside the next one: it renews its lease in the same transaction as each
//! part of the work, and stops where that fails. The fence grows with each new holder, for work that
//! leaves traces outside the store.

use crate::engine::Connection;
use crate::{Error, clock};

/// How long a lease lasts that is not renewed, in ticks: 30 s.
const LASTS: i64 = 30 * odata::primitive::TICKS_PER_SECOND;

/// Takes or renews a lease until some time after `now` (ticks), within the transaction; its fence, or
/// none while another process has it.
pub(crate) fn hold(
    connection: &Connection,
    name: &str,
    holder: &str,
    now: i64,
) -> Result<Option<i64>, Error> {
    let text = "INSERT INTO lease (name, holder, fence, expires) VALUES (?1, ?2, 1, ?3) \
                ON CONFLICT (name) DO NOTHING";
    if connection.execute(text, (name, holder, now + LASTS))? == 1 {
        return Ok(Some(1));
    }
    let text = "UPDATE lease SET holder = ?2, expires = ?3, \
                fence = fence + CASE WHEN holder = ?2 THEN 0 ELSE 1 END \
                WHERE name = ?1 AND (holder = ?2 OR expires < ?4)";
    if connection.execute(text, (name, holder, now + LASTS, now))? == 0 {
        return Ok(None);
    }
    connection.value("SELECT fence FROM lease WHERE name = ?1", [name])
}

/// Takes or renews a lease from now on; whether it is this process's.
pub(crate) fn holds(connection: &Connection, name: &str, holder: &str) -> Result<bool, Error> {
    Ok(hold(connection, name, holder, clock::now())?.is_some())
}

/// Gives a lease back, so that another process need not wait until it runs out. The fence stays.
pub(crate) fn release(connection: &Connection, name: &str, holder: &str) -> Result<(), Error> {
    let text = "UPDATE lease SET expires = 0 WHERE name = ?1 AND holder = ?2";
    connection.execute(text, (name, holder)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_lease_is_another_s_when_it_was_not_renewed_and_its_fence_grows() {
        let connection = testing::migrated();
        let hold = |holder, now| hold(&connection, "work", holder, now).unwrap();
        assert_eq!(hold("a", 0), Some(1));
        assert_eq!(hold("b", LASTS), None);
        assert_eq!(hold("a", LASTS), Some(1), "renewed");
        assert_eq!(hold("b", 2 * LASTS + 1), Some(2));
        assert_eq!(hold("a", 2 * LASTS + 2), None, "who was slow has to stop");
        assert_eq!(hold("a", 4 * LASTS), Some(3));
    }
}
