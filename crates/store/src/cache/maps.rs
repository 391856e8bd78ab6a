//! Maps of places that were read before, by the hashes of their files: a file never changes, so what was read
//! of it stays true.

use std::sync::Arc;

use places::{Kind, Map, MapVersion, Maps, Validity};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::engine::Connection;
use crate::rows::place_map::PlaceMapRow;
use crate::tables::place_maps;
use crate::{Cause, Error};

/// Rows of all maps that are kept.
const ROWS: u64 = 2_000_000;
/// Rows of a map, roughly.
const USUAL: u64 = 1_000;
/// Rows that a map weighs at least.
const LEAST: u64 = 64;

/// Maps by the hashes of their files and their kinds.
#[derive(Debug)]
pub(crate) struct MapCache(Cache<(Vec<u8>, Kind), Arc<Map>, Weight>);

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<(Vec<u8>, Kind), Arc<Map>> for Weight {
    fn weight(&self, _: &(Vec<u8>, Kind), map: &Arc<Map>) -> u64 {
        LEAST.max(map.rows() as u64)
    }
}

impl Default for MapCache {
    fn default() -> Self {
        Self(Cache::with_weighter((ROWS / USUAL) as usize, ROWS, Weight))
    }
}

impl MapCache {
    /// All maps of a tenant, as a snapshot has them.
    pub(crate) fn of(&self, connection: &Connection, tenant_key: i64) -> Result<Maps, Error> {
        let versions = place_maps::list(connection, tenant_key)?.into_iter().map(|row| {
            let kind = Kind::parse(&row.kind).ok_or_else(|| damaged(&row))?;
            let key = (row.content_hash.clone(), kind);
            let map =
                self.0.get_or_insert_with(&key, || read(connection, tenant_key, &row, kind))?;
            let validity = Validity { from: row.valid_from, to: row.valid_to };
            Ok(MapVersion { name: row.name, version: row.version, validity, map })
        });
        Ok(Maps::new(versions.collect::<Result<_, Error>>()?))
    }
}

fn read(
    connection: &Connection,
    tenant_key: i64,
    row: &PlaceMapRow,
    kind: Kind,
) -> Result<Arc<Map>, Error> {
    let found = place_maps::file(connection, tenant_key, &row.name, Some(row.version))?;
    let (_, bytes) = found.ok_or_else(|| damaged(row))?;
    places::read(&bytes, Some(kind)).read.map(Arc::new).map_err(|_| damaged(row))
}

fn damaged(row: &PlaceMapRow) -> Error {
    let what = format!("version {} of the map {:?} can't be read", row.version, row.name);
    Error::Corrupt(Cause::new(what))
}
