//! Rows of the built-in issuer and of whoever keeps the store: applications, keys, secrets.

use model::TenantId;
use rusqlite::{Connection, OptionalExtension, Row};

use super::Session;
use crate::{AppRow, Cause, Error, SigningKeyRow};

pub(crate) fn put_app(session: &mut Session, app: &AppRow) -> Result<(), Error> {
    session.connection.execute(
        "INSERT OR REPLACE INTO app (client_id, tenant, name, roles, secret_hash, created) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
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
    let text = "DELETE FROM app WHERE client_id = ?1";
    Ok(session.connection.execute(text, [client_id])? > 0)
}

pub(crate) fn put_signing_key(session: &mut Session, key: &SigningKeyRow) -> Result<(), Error> {
    session.connection.execute(
        "INSERT OR REPLACE INTO signing_key \
         (kid, algorithm, sealed_private_key, public_jwk, created, not_after) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
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

pub(crate) fn delete_signing_key(session: &mut Session, kid: &str) -> Result<bool, Error> {
    Ok(session.connection.execute("DELETE FROM signing_key WHERE kid = ?1", [kid])? > 0)
}

pub(crate) fn put_secret(session: &mut Session, name: &str, sealed: &[u8]) -> Result<(), Error> {
    let text = "INSERT OR REPLACE INTO secret (name, sealed) VALUES (?1, ?2)";
    session.connection.execute(text, (name, sealed))?;
    Ok(())
}

pub(crate) fn put_secret_if_absent(
    session: &mut Session,
    name: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, Error> {
    let text = "INSERT OR IGNORE INTO secret (name, sealed) VALUES (?1, ?2)";
    session.connection.execute(text, (name, sealed))?;
    let stored = secret(&session.connection, name)?;
    stored.ok_or_else(|| Error::Internal(Cause::new("a secret is not there after its insert")))
}

pub(super) fn tenants(connection: &Connection) -> Result<Vec<TenantId>, Error> {
    let mut statement = connection.prepare_cached("SELECT id FROM tenant ORDER BY id")?;
    let ids = statement.query_map((), |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    ids.iter()
        .map(|id| {
            let damaged = || Error::Corrupt(Cause::new("tenant: an id is no GUID"));
            TenantId::parse(id).ok_or_else(damaged)
        })
        .collect()
}

pub(super) fn apps(connection: &Connection) -> Result<Vec<AppRow>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT client_id, tenant, name, roles, secret_hash, created FROM app \
         ORDER BY tenant, name, client_id",
    )?;
    let mut rows = statement.query(())?;
    let mut apps = Vec::new();
    while let Some(row) = rows.next()? {
        apps.push(read_app(row)?);
    }
    Ok(apps)
}

pub(super) fn app(connection: &Connection, client_id: &str) -> Result<Option<AppRow>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT client_id, tenant, name, roles, secret_hash, created FROM app \
         WHERE client_id = ?1",
    )?;
    let mut rows = statement.query([client_id])?;
    rows.next()?.map(read_app).transpose()
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

pub(super) fn signing_keys(connection: &Connection) -> Result<Vec<SigningKeyRow>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT kid, algorithm, sealed_private_key, public_jwk, created, not_after \
         FROM signing_key ORDER BY created, kid",
    )?;
    let rows = statement.query_map((), |row| {
        Ok(SigningKeyRow {
            kid: row.get(0)?,
            algorithm: row.get(1)?,
            sealed_private_key: row.get(2)?,
            public_jwk: row.get(3)?,
            created: row.get(4)?,
            not_after: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn secret(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let mut statement = connection.prepare_cached("SELECT sealed FROM secret WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

pub(super) fn secrets(
    connection: &Connection,
    prefix: &str,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT name, sealed FROM secret WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name",
    )?;
    let rows = statement.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
