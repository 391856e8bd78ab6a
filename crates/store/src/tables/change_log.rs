//! The change log: an entry for each change of a version, committed together with it.
//!
//! Entries have ascending numbers, and whatever must not miss a change reads them from a cursor of its
//! own. That is safe only if no entry can still appear behind the cursor. Transactions of a file follow
//! each other, so the next number is always the highest. On PostgreSQL they commit in another order than
//! they begin in: an entry's number is therefore its transaction's own number above its place within the
//! transaction, and a reader stops before the oldest transaction that is still under way
//! ([`Connection::is_settled`]). Every transaction to come has a higher number than that one.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use model::TenantId;

use crate::engine::{Connection, Insertion, Row, most};
use crate::rows::record::{Change, ChangeRow};
use crate::rows::subscription::{CommittedVersion, CommittedVersions};
use crate::{Cause, Error};

/// An entry to be added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'e> {
    pub(crate) tenant_key: i64,
    pub(crate) record_key: i64,
    /// The record's id, where the version will not be there to tell it.
    pub(crate) id: Option<&'e str>,
    pub(crate) version: i64,
    pub(crate) change: Change,
    /// Ticks.
    pub(crate) committed_at: i64,
}

/// Adds an entry; `place` counts those that the transaction has added before.
pub(super) fn add(connection: &Connection, entry: &Entry<'_>, place: i64) -> Result<(), Error> {
    static OF_FILES: LazyLock<Insertion> = LazyLock::new(|| {
        Insertion::of(
            "INSERT INTO change_log (tenant_key, record_key, id, version, change, \
             committed_at, sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
    });
    static OF_NODES: LazyLock<Insertion> = LazyLock::new(|| {
        Insertion::of(
            "INSERT INTO change_log (tenant_key, record_key, id, version, change, \
             committed_at, sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, \
             pg_current_xact_id()::text::bigint \
             + (SELECT value FROM setting WHERE name = 'transaction_base') << 20 | ?7)",
        )
    });
    // A file numbers its entries itself.
    let (insertion, place) = match connection {
        Connection::Sqlite(_) => (&*OF_FILES, None),
        Connection::Postgres(_) => (&*OF_NODES, Some(place)),
    };
    let Entry { tenant_key, record_key, id, version, change, committed_at } = *entry;
    let values = (tenant_key, record_key, id, version, change.name(), committed_at, place);
    connection.put(insertion, values)
}

/// Entries of the change log behind `after`, ascending.
pub(crate) fn after(
    connection: &Connection,
    after: i64,
    limit: usize,
) -> Result<Vec<ChangeRow>, Error> {
    let text = format!(
        "SELECT c.sequence, t.id, c.record_key, coalesce(c.id, r.id), c.version, c.change, \
         c.committed_at FROM change_log c JOIN tenant t ON t.tenant_key = c.tenant_key \
         LEFT JOIN call_record r ON r.record_key = c.record_key \
         WHERE c.sequence > ?1 AND {} ORDER BY c.sequence LIMIT ?2",
        connection.is_settled()
    );
    connection.all(&text, (after, most(limit)), change)
}

fn change(row: &Row<'_>) -> Result<ChangeRow, Error> {
    let (tenant, name): (String, String) = (row.get(1)?, row.get(5)?);
    let damaged = |what: &str| Error::Corrupt(Cause::new(format!("change log: {what}")));
    Ok(ChangeRow {
        sequence: row.get(0)?,
        tenant: TenantId::parse(&tenant).ok_or_else(|| damaged("a tenant is no GUID"))?,
        record_key: row.get(2)?,
        id: row.get(3)?,
        version: row.get(4)?,
        change: Change::parse(&name).ok_or_else(|| damaged("an unknown change"))?,
        committed_at: row.get(6)?,
    })
}

/// Versions that were committed behind an entry of the change log.
pub(crate) fn committed_versions(
    connection: &Connection,
    after: i64,
    limit: usize,
) -> Result<CommittedVersions, Error> {
    let text = format!(
        "SELECT c.sequence, t.id, r.id_key, r.id, c.version, \
         c.change IN ('created', 'replaced') \
         FROM change_log c JOIN tenant t ON t.tenant_key = c.tenant_key \
         LEFT JOIN call_record r ON r.record_key = c.record_key \
         WHERE c.sequence > ?1 AND {} ORDER BY c.sequence LIMIT ?2",
        connection.is_settled()
    );
    let mut found = CommittedVersions { up_to: after, ..CommittedVersions::default() };
    let mut count = 0;
    connection.each(&text, (after, most(limit)), |row| {
        count += 1;
        found.up_to = row.get(0)?;
        // Of what was erased meanwhile there is nothing to notify of.
        let id_key: Option<Vec<u8>> = row.get(2)?;
        if let (true, Some(id_key)) = (row.get(5)?, id_key) {
            found.versions.push(committed_version(row, id_key)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    found.has_more = count == limit;
    Ok(found)
}

fn committed_version(row: &Row<'_>, id_key: Vec<u8>) -> Result<CommittedVersion, Error> {
    let tenant: String = row.get(1)?;
    let damaged = || Error::Corrupt(Cause::new("change log: a tenant is no GUID"));
    Ok(CommittedVersion {
        sequence: row.get(0)?,
        tenant: TenantId::parse(&tenant).ok_or_else(damaged)?,
        id_key,
        id: row.get(3)?,
        version: row.get(4)?,
    })
}

/// The number of the last entry behind which none is still to come; 0 if there is none.
pub(crate) fn last(connection: &Connection) -> Result<i64, Error> {
    let text =
        format!("SELECT max(c.sequence) FROM change_log c WHERE {}", connection.is_settled());
    Ok(connection.value(&text, ())?.flatten().unwrap_or(0))
}
