//! Maps of places.

use std::io::Read;
use std::ops::ControlFlow;

use model::TenantId;

use super::session::Session;
use super::tenants;
use crate::engine::{Connection, Field, Row};
use crate::rows::place_map::{PlaceMapImport, PlaceMapOutcome, PlaceMapResult, PlaceMapRow};
use crate::{Cause, Error};

/// Files are text, and imported rarely.
const LEVEL: i32 = 9;
/// Bytes of a file, at most; a larger one was not written by us.
const LARGEST: u64 = 256 << 20;

/// The columns of [`PlaceMapRow`].
macro_rules! columns {
    () => {
        "name, version, kind, valid_from, valid_to, content_hash, row_count, imported, imported_by"
    };
}

/// The first instant at which a map holds, and the first at which it no longer does.
type Bounds = (Option<i64>, Option<i64>);

/// A file as it is kept.
pub(crate) struct PackedFile {
    content_hash: [u8; 32],
    body: Vec<u8>,
}

impl PackedFile {
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, Error> {
        let content_hash = *blake3::hash(bytes).as_bytes();
        Ok(Self { content_hash, body: zstd::encode_all(bytes, LEVEL)? })
    }
}

fn unpack(body: &[u8]) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let decoder = zstd::Decoder::new(body).map(|decoder| decoder.take(LARGEST));
    let read = decoder.and_then(|mut decoder| decoder.read_to_end(&mut bytes));
    read.map_err(|error| Error::Corrupt(Cause::new(error)))?;
    Ok(bytes)
}

/// Keeps a file as a version of its map, if no other content is there in its place; of a trial it is only
/// said what would be done.
pub(crate) fn import(
    session: &mut Session,
    tenant: &TenantId,
    import: &PlaceMapImport,
    file: &PackedFile,
) -> Result<PlaceMapResult, Error> {
    let tenant_key = if import.is_dry_run {
        // A tenant that is new gets no number for a trial.
        tenants::find(&session.connection, tenant)?.unwrap_or(0)
    } else {
        session.tenant_key(tenant)?
    };
    let (connection, now) = (&session.connection, session.now());
    if let Connection::Postgres(_) = connection {
        // Of files that come at once each has to see the version before.
        let text = "SELECT 1 FROM tenant WHERE tenant_key = ?1 FOR NO KEY UPDATE";
        connection.exists(text, [tenant_key])?;
    }
    let text = "SELECT version, kind, content_hash FROM place_map \
                WHERE tenant_key = ?1 AND name = ?2 ORDER BY version DESC LIMIT 1";
    let newest: Option<(i64, String, Vec<u8>)> =
        connection.first(text, (tenant_key, &import.name), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let version = import.version.unwrap_or(match &newest {
        Some((version, _, hash)) if **hash == file.content_hash => *version,
        Some((version, ..)) => version + 1,
        None => 1,
    });
    let result = |outcome| Ok(PlaceMapResult { outcome, version });
    if newest.is_some_and(|(_, kind, _)| kind != import.kind) {
        return result(PlaceMapOutcome::OtherKind);
    }
    let text = "SELECT content_hash, valid_from, valid_to FROM place_map \
                WHERE tenant_key = ?1 AND name = ?2 AND version = ?3";
    let there: Option<(Vec<u8>, Bounds)> =
        connection.first(text, (tenant_key, &import.name, version), |row| {
            Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
        })?;
    let Some((hash, validity)) = there else {
        if !import.is_dry_run {
            insert(connection, (tenant_key, version, now), import, file)?;
        }
        return result(PlaceMapOutcome::Created);
    };
    if hash != file.content_hash {
        return result(PlaceMapOutcome::OtherContent);
    }
    match import.validity {
        Some(wanted) if wanted != validity => {
            let text = "UPDATE place_map SET valid_from = ?4, valid_to = ?5 \
                        WHERE tenant_key = ?1 AND name = ?2 AND version = ?3";
            let (from, to) = wanted;
            if !import.is_dry_run {
                connection.execute(text, (tenant_key, &import.name, version, from, to))?;
            }
            result(PlaceMapOutcome::Changed)
        }
        _ => result(PlaceMapOutcome::Unchanged),
    }
}

fn insert(
    connection: &Connection,
    (tenant_key, version, now): (i64, i64, i64),
    import: &PlaceMapImport,
    file: &PackedFile,
) -> Result<(), Error> {
    let text = "INSERT INTO place_map (tenant_key, name, version, kind, valid_from, valid_to, \
                content_hash, row_count, imported, imported_by, body) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING";
    let (from, to) = import.validity.unwrap_or_default();
    let instant = |instant: Option<i64>| instant.map_or(Field::Null, Field::Int);
    let values = [
        Field::Int(tenant_key),
        Field::Text((&import.name).into()),
        Field::Int(version),
        Field::Text(import.kind.into()),
        instant(from),
        instant(to),
        Field::Bytes((&file.content_hash[..]).into()),
        Field::Int(import.rows),
        Field::Int(now),
        Field::Text((&import.imported_by).into()),
        Field::Bytes((&file.body).into()),
    ];
    match connection.execute(text, values)? {
        0 => Err(Error::Again),
        _ => Ok(()),
    }
}

/// Deletes a version of a map, or all of them; answers how many there were.
pub(crate) fn delete(
    connection: &Connection,
    tenant: &TenantId,
    name: &str,
    version: Option<i64>,
) -> Result<usize, Error> {
    let Some(tenant_key) = tenants::find(connection, tenant)? else { return Ok(0) };
    let text = "DELETE FROM place_map WHERE tenant_key = ?1 AND name = ?2 \
                AND version = coalesce(?3, version)";
    connection.execute(text, (tenant_key, name, version))
}

/// All versions of all maps of a tenant, by name and version.
pub(crate) fn list(connection: &Connection, tenant_key: i64) -> Result<Vec<PlaceMapRow>, Error> {
    let text = concat!(
        "SELECT ",
        columns!(),
        " FROM place_map WHERE tenant_key = ?1 ORDER BY name, version"
    );
    connection.all(text, [tenant_key], read)
}

/// A version of a map, or the newest, with its file.
pub(crate) fn file(
    connection: &Connection,
    tenant_key: i64,
    name: &str,
    version: Option<i64>,
) -> Result<Option<(PlaceMapRow, Vec<u8>)>, Error> {
    let text = concat!(
        "SELECT ",
        columns!(),
        ", body FROM place_map WHERE tenant_key = ?1 AND name = ?2 \
         AND version = coalesce(?3, version) ORDER BY version DESC LIMIT 1"
    );
    let found = connection
        .first(text, (tenant_key, name, version), |row| Ok((read(row)?, row.get::<Vec<u8>>(9)?)))?;
    found.map(|(row, body)| Ok((row, unpack(&body)?))).transpose()
}

fn read(row: &Row<'_>) -> Result<PlaceMapRow, Error> {
    Ok(PlaceMapRow {
        name: row.get(0)?,
        version: row.get(1)?,
        kind: row.get(2)?,
        valid_from: row.get(3)?,
        valid_to: row.get(4)?,
        content_hash: row.get(5)?,
        rows: row.get(6)?,
        imported: row.get(7)?,
        imported_by: row.get(8)?,
    })
}

/// The versions of maps whose files are not what was imported, a sentence each.
pub(crate) fn damaged(connection: &Connection) -> Result<Vec<String>, Error> {
    let text = "SELECT name, version, content_hash, body FROM place_map ORDER BY place_map_key";
    let mut damaged = Vec::new();
    connection.scan(text, (), |row| {
        let (name, version): (String, i64) = (row.get(0)?, row.get(1)?);
        let hash: Vec<u8> = row.get(2)?;
        let bytes = unpack(&row.field(3)?.bytes()?);
        if !bytes.is_ok_and(|bytes| *blake3::hash(&bytes).as_bytes() == *hash) {
            damaged.push(format!("version {version} of the map {name:?} is not what was imported"));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(damaged)
}
