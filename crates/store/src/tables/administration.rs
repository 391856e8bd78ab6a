//! Rows of the built-in issuer and of the store's administrator: applications, keys, secrets.

use model::TenantId;

use super::app_credentials;
use super::session::Session;
use crate::engine::{Connection, Row};
use crate::rows::record::{AppRow, SigningKeyRow};
use crate::{Cause, Error};

/// Any number, the same for all nodes.
const LOCK: i64 = 0x4361_6c6c_0003;

pub(crate) fn put_app(session: &mut Session, app: &AppRow) -> Result<(), Error> {
    session.connection.execute(
        "INSERT INTO app (client_id, tenant, name, roles, secret_hash, created) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (client_id) DO UPDATE SET tenant = ?2, \
         name = ?3, roles = ?4, secret_hash = ?5, created = ?6",
        (
            &app.client_id,
            app.tenant.as_str(),
            &app.name,
            app.roles.join(" "),
            &app.secret_hash,
            app.created,
        ),
    )?;
    Ok(())
}

pub(crate) fn delete_app(session: &mut Session, client_id: &str) -> Result<bool, Error> {
    app_credentials::delete_all(session, client_id)?;
    let text = "DELETE FROM app WHERE client_id = ?1";
    Ok(session.connection.execute(text, [client_id])? > 0)
}

pub(crate) fn put_signing_key(session: &mut Session, key: &SigningKeyRow) -> Result<(), Error> {
    session.connection.execute(
        "INSERT INTO signing_key \
         (kid, algorithm, sealed_private_key, public_jwk, created, not_after) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (kid) DO UPDATE SET algorithm = ?2, \
         sealed_private_key = ?3, public_jwk = ?4, created = ?5, not_after = ?6",
        (
            &key.kid,
            &key.algorithm,
            &key.sealed_private_key,
            &key.public_jwk,
            key.created,
            key.not_after,
        ),
    )?;
    Ok(())
}

/// Stores a key unless there is one that signs: of processes that start at the same time, one is first.
pub(crate) fn put_first_signing_key(
    session: &mut Session,
    key: &SigningKeyRow,
) -> Result<(), Error> {
    if let Connection::Postgres(_) = session.connection {
        session.connection.exists("SELECT pg_advisory_xact_lock(?1)", [LOCK])?;
    }
    let is_there = "SELECT 1 FROM signing_key WHERE not_after IS NULL";
    if session.connection.exists(is_there, ())? {
        return Ok(());
    }
    put_signing_key(session, key)
}

pub(crate) fn delete_signing_key(session: &mut Session, kid: &str) -> Result<bool, Error> {
    Ok(session.connection.execute("DELETE FROM signing_key WHERE kid = ?1", [kid])? > 0)
}

pub(crate) fn put_secret(session: &mut Session, name: &str, sealed: &[u8]) -> Result<(), Error> {
    let text = "INSERT INTO secret (name, sealed) VALUES (?1, ?2) \
                ON CONFLICT (name) DO UPDATE SET sealed = ?2";
    session.connection.execute(text, (name, sealed))?;
    Ok(())
}

/// Deletes all that is sealed under the master key but what subscriptions have: signing keys and secrets.
/// Answers how many of each.
pub(crate) fn delete_sealed(session: &mut Session) -> Result<(usize, usize), Error> {
    let connection = &session.connection;
    let keys = connection.execute("DELETE FROM signing_key", ())?;
    Ok((keys, connection.execute("DELETE FROM secret", ())?))
}

pub(crate) fn put_secret_if_absent(
    session: &mut Session,
    name: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, Error> {
    let text = "INSERT INTO secret (name, sealed) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    session.connection.execute(text, (name, sealed))?;
    let stored = secret(&session.connection, name)?;
    stored.ok_or_else(|| Error::Internal(Cause::new("a secret is not there after its insert")))
}

pub(crate) fn apps(connection: &Connection) -> Result<Vec<AppRow>, Error> {
    let text = "SELECT client_id, tenant, name, roles, secret_hash, created FROM app \
                ORDER BY tenant, name, client_id";
    connection.all(text, (), read_app)
}

pub(crate) fn app(connection: &Connection, client_id: &str) -> Result<Option<AppRow>, Error> {
    let text = "SELECT client_id, tenant, name, roles, secret_hash, created FROM app \
                WHERE client_id = ?1";
    connection.first(text, [client_id], read_app)
}

fn read_app(row: &Row<'_>) -> Result<AppRow, Error> {
    let (tenant, roles): (String, String) = (row.get(1)?, row.get(3)?);
    Ok(AppRow {
        client_id: row.get(0)?,
        tenant: TenantId::parse(&tenant)
            .ok_or_else(|| Error::Corrupt(Cause::new("app: a tenant is no GUID")))?,
        name: row.get(2)?,
        roles: roles.split_whitespace().map(str::to_owned).collect(),
        secret_hash: row.get(4)?,
        created: row.get(5)?,
    })
}

pub(crate) fn signing_keys(connection: &Connection) -> Result<Vec<SigningKeyRow>, Error> {
    let text = "SELECT kid, algorithm, sealed_private_key, public_jwk, created, not_after \
                FROM signing_key ORDER BY created, kid";
    connection.all(text, (), |row| {
        Ok(SigningKeyRow {
            kid: row.get(0)?,
            algorithm: row.get(1)?,
            sealed_private_key: row.get(2)?,
            public_jwk: row.get(3)?,
            created: row.get(4)?,
            not_after: row.get(5)?,
        })
    })
}

pub(crate) fn secret(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, Error> {
    connection.value("SELECT sealed FROM secret WHERE name = ?1", [name])
}

pub(crate) fn secrets(
    connection: &Connection,
    prefix: &str,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let text =
        "SELECT name, sealed FROM secret WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name";
    connection.all(text, [prefix], |row| Ok((row.get(0)?, row.get(1)?)))
}
