//! Links to sign in, sessions of people, and the access log.

use model::TenantId;

use crate::engine::{Connection, Field, Row, most};
use crate::rows::page::{AccessRow, PageSessionRow, SignInLinkRow};
use crate::{Cause, Error};

const SESSION: &str = "id_hash, tenant, name, roles, created, used, expires";

pub(crate) fn insert_link(
    connection: &Connection,
    link: &SignInLinkRow,
    now: i64,
) -> Result<(), Error> {
    let text = "INSERT INTO sign_in_link (code_hash, tenant, name, roles, created, expires) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let roles = link.roles.join(" ");
    let values = [
        Field::Bytes(link.code_hash[..].into()),
        Field::Text(link.tenant.as_str().into()),
        Field::Text((&link.name).into()),
        Field::Text(roles.into()),
        Field::Int(now),
        Field::Int(link.expires),
    ];
    connection.execute(text, values).map(drop)
}

/// Takes a link, which then opens nothing any more. None if it was taken, has expired or never was.
pub(crate) fn take_link(
    connection: &Connection,
    code_hash: &[u8],
    now: i64,
) -> Result<Option<SignInLinkRow>, Error> {
    let text = "SELECT code_hash, tenant, name, roles, expires FROM sign_in_link \
                WHERE code_hash = ?1 AND expires > ?2";
    let link = connection.first(text, (code_hash, now), |row| {
        Ok(SignInLinkRow {
            code_hash: hash(row.get(0)?)?,
            tenant: tenant(row, 1)?,
            name: row.get(2)?,
            roles: roles(row, 3)?,
            expires: row.get(4)?,
        })
    })?;
    // Of two who come at once, one deletes it.
    let text = "DELETE FROM sign_in_link WHERE code_hash = ?1";
    let is_taken = connection.execute(text, [code_hash])? == 1;
    Ok(link.filter(|_| is_taken))
}

pub(crate) fn insert_session(
    connection: &Connection,
    session: &PageSessionRow,
) -> Result<(), Error> {
    let text = "INSERT INTO page_session (id_hash, tenant, name, roles, created, used, expires) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let roles = session.roles.join(" ");
    let values = [
        Field::Bytes(session.id_hash[..].into()),
        Field::Text(session.tenant.as_str().into()),
        Field::Text((&session.name).into()),
        Field::Text(roles.into()),
        Field::Int(session.created),
        Field::Int(session.used),
        Field::Int(session.expires),
    ];
    connection.execute(text, values).map(drop)
}

pub(crate) fn session(
    connection: &Connection,
    id_hash: &[u8],
) -> Result<Option<PageSessionRow>, Error> {
    let text = format!("SELECT {SESSION} FROM page_session WHERE id_hash = ?1");
    connection.first(&text, [id_hash], read_session)
}

/// Those that have not expired, the newest first.
pub(crate) fn sessions(connection: &Connection, now: i64) -> Result<Vec<PageSessionRow>, Error> {
    let text = format!(
        "SELECT {SESSION} FROM page_session WHERE expires > ?1 ORDER BY created DESC, id_hash"
    );
    connection.all(&text, [now], read_session)
}

pub(crate) fn note_use(connection: &Connection, id_hash: &[u8], now: i64) -> Result<(), Error> {
    let text = "UPDATE page_session SET used = ?2 WHERE id_hash = ?1";
    connection.execute(text, (id_hash, now)).map(drop)
}

/// Ends a session, or those of everybody; answers how many there were.
pub(crate) fn end_sessions(
    connection: &Connection,
    id_hash: Option<&[u8]>,
) -> Result<usize, Error> {
    if let Some(hash) = id_hash {
        return connection.execute("DELETE FROM page_session WHERE id_hash = ?1", [hash]);
    }
    connection.execute("DELETE FROM sign_in_link", ())?;
    connection.execute("DELETE FROM page_session", ())
}

/// Removes links and sessions that have expired, and lines of the access log from before an instant.
pub(crate) fn remove_old(connection: &Connection, now: i64, before: i64) -> Result<(), Error> {
    connection.execute("DELETE FROM sign_in_link WHERE expires <= ?1", [now])?;
    connection.execute("DELETE FROM page_session WHERE expires <= ?1", [now])?;
    connection.execute("DELETE FROM access_entry WHERE at < ?1", [before])?;
    Ok(())
}

pub(crate) fn note_access(connection: &Connection, entry: &AccessRow) -> Result<(), Error> {
    let text = "INSERT INTO access_entry (at, tenant, name, page, subject, digest, count) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let subject = entry.subject.as_deref();
    let values = [
        Field::Int(entry.at),
        Field::Text(entry.tenant.as_str().into()),
        Field::Text((&entry.name).into()),
        Field::Text((&entry.page).into()),
        subject.map_or(Field::Null, |subject| Field::Text(subject.into())),
        entry.digest.as_deref().map_or(Field::Null, |digest| Field::Bytes(digest.into())),
        entry.count.map_or(Field::Null, Field::Int),
    ];
    connection.execute(text, values).map(drop)
}

/// Lines from an instant on, the oldest first, with the key of each; `after` is the key of the last one that
/// was read.
pub(crate) fn accesses(
    connection: &Connection,
    (since, after): (i64, i64),
    limit: usize,
) -> Result<Vec<(i64, AccessRow)>, Error> {
    let text = "SELECT entry_key, at, tenant, name, page, subject, digest, count FROM access_entry \
                WHERE at >= ?1 AND entry_key > ?2 ORDER BY entry_key LIMIT ?3";
    connection.all(text, (since, after, most(limit)), |row| {
        let entry = AccessRow {
            at: row.get(1)?,
            tenant: tenant(row, 2)?,
            name: row.get(3)?,
            page: row.get(4)?,
            subject: row.get(5)?,
            digest: row.get(6)?,
            count: row.get(7)?,
        };
        Ok((row.get(0)?, entry))
    })
}

fn read_session(row: &Row<'_>) -> Result<PageSessionRow, Error> {
    Ok(PageSessionRow {
        id_hash: hash(row.get(0)?)?,
        tenant: tenant(row, 1)?,
        name: row.get(2)?,
        roles: roles(row, 3)?,
        created: row.get(4)?,
        used: row.get(5)?,
        expires: row.get(6)?,
    })
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32], Error> {
    bytes.try_into().map_err(|_| Error::Corrupt(Cause::new("pages: a hash has not 32 bytes")))
}

fn tenant(row: &Row<'_>, at: usize) -> Result<TenantId, Error> {
    let text: String = row.get(at)?;
    TenantId::parse(&text).ok_or_else(|| Error::Corrupt(Cause::new("pages: a tenant is no GUID")))
}

fn roles(row: &Row<'_>, at: usize) -> Result<Vec<String>, Error> {
    let text: String = row.get(at)?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}
