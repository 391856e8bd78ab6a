//! Reading maps of places, and the networks that they are about.

use std::time::Instant;

use model::TenantId;
use places::Kind;

use super::Reader;
use crate::Error;
use crate::rows::place_map::{NetworkUse, PlaceMapRow};
use crate::tables::{networks, place_maps};

impl Reader {
    /// All versions of all maps of a tenant, by name and version.
    pub fn place_maps(&mut self, tenant: &TenantId) -> Result<Vec<PlaceMapRow>, Error> {
        let connection = self.snapshot.fresh()?;
        match self.tenants.key(connection, tenant)? {
            Some(tenant_key) => place_maps::list(connection, tenant_key),
            None => Ok(Vec::new()),
        }
    }

    /// A version of a map, or the newest, with its file.
    pub fn place_map(
        &mut self,
        tenant: &TenantId,
        name: &str,
        version: Option<i64>,
    ) -> Result<Option<(PlaceMapRow, Vec<u8>)>, Error> {
        let connection = self.snapshot.fresh()?;
        match self.tenants.key(connection, tenant)? {
            Some(tenant_key) => place_maps::file(connection, tenant_key, name, version),
            None => Ok(None),
        }
    }

    /// What leads to places in a kind of map, of both ends of the streams of calls that start from an instant
    /// (ticks) to another, in no order; each address by itself, if that is asked for.
    ///
    /// # Errors
    /// [`Error::Deadline`], and [`Error::TooManyGroups`] for more than a million.
    pub fn networks(
        &mut self,
        tenant: &TenantId,
        range: (i64, i64),
        lookup: (Kind, bool),
        deadline: Instant,
    ) -> Result<Vec<NetworkUse>, Error> {
        let connection = self.snapshot.fresh_until(deadline)?;
        match self.tenants.key(connection, tenant)? {
            Some(tenant_key) => networks::of_streams(connection, tenant_key, range, lookup),
            None => Ok(Vec::new()),
        }
    }
}
