//! Tenants, and the numbers that they have in this store.

use std::collections::HashMap;

use model::TenantId;

use crate::engine::Connection;
use crate::{Cause, Error};

/// Numbers of tenants, as far as they were looked up.
pub(super) type TenantKeys = HashMap<TenantId, i64>;

/// All tenants that ever had a record.
pub(crate) fn all(connection: &Connection) -> Result<Vec<TenantId>, Error> {
    connection.all("SELECT id FROM tenant ORDER BY id", (), |row| {
        let damaged = || Error::Corrupt(Cause::new("tenant: an id is no GUID"));
        TenantId::parse(&row.get::<String>(0)?).ok_or_else(damaged)
    })
}

/// The numbers of all tenants.
pub(crate) fn keys(connection: &Connection) -> Result<Vec<i64>, Error> {
    connection.all("SELECT tenant_key FROM tenant", (), |row| row.get(0))
}

/// The tenant's number, if it has had a record.
pub(crate) fn find(connection: &Connection, tenant: &TenantId) -> Result<Option<i64>, Error> {
    connection.value("SELECT tenant_key FROM tenant WHERE id = ?1", [tenant.as_str()])
}

/// The tenant's number, given when the first of its things is stored.
pub(super) fn find_or_add(connection: &Connection, tenant: &TenantId) -> Result<i64, Error> {
    if let Some(key) = find(connection, tenant)? {
        return Ok(key);
    }
    let text = "INSERT INTO tenant (id) VALUES (?1) ON CONFLICT DO NOTHING";
    connection.execute(text, [tenant.as_str()])?;
    let none = || Error::Internal(Cause::new("a tenant is not there after its insert"));
    find(connection, tenant)?.ok_or_else(none)
}

/// Lets no other node change what is counted of a tenant before the transaction's end.
pub(super) fn lock(connection: &Connection, tenant_key: i64) -> Result<(), Error> {
    // A file has one writer.
    let Connection::Postgres(_) = connection else { return Ok(()) };
    let text = "SELECT 1 FROM tenant WHERE tenant_key = ?1 FOR UPDATE";
    connection.exists(text, [tenant_key]).map(drop)
}

/// Numbers of tenants that were looked up on a connection.
#[derive(Debug, Default)]
pub(crate) struct TenantCache {
    connection: u64,
    keys: TenantKeys,
}

impl TenantCache {
    /// The tenant's number, if it has had a record. Tenants are never deleted, so a number stays true
    /// for as long as the connection lasts. The next connection may be to a replica that lacks the last
    /// tenants, and that gives their numbers to others.
    pub(crate) fn key(
        &mut self,
        connection: &Connection,
        tenant: &TenantId,
    ) -> Result<Option<i64>, Error> {
        if self.connection != connection.number() {
            *self = Self { connection: connection.number(), keys: TenantKeys::new() };
        }
        if let Some(key) = self.keys.get(tenant) {
            return Ok(Some(*key));
        }
        let found = find(connection, tenant)?;
        if let Some(key) = found {
            self.keys.insert(tenant.clone(), key);
        }
        Ok(found)
    }
}
