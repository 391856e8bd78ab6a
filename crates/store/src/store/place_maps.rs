//! Writes of maps of places.

use model::TenantId;

use super::Store;
use crate::Error;
use crate::pending::Pending;
use crate::rows::place_map::{PlaceMapImport, PlaceMapResult};
use crate::tables::place_maps::{self, PackedFile};
use crate::writer::Weight;

impl Store {
    /// Keeps a file as a version of its map, in one transaction. Compresses it first, which takes some
    /// 50 ms for a megabyte.
    ///
    /// # Errors
    /// When it can't be compressed.
    pub fn import_place_map(
        &self,
        tenant: &TenantId,
        import: PlaceMapImport,
    ) -> Result<Pending<PlaceMapResult>, Error> {
        let (tenant, file) = (tenant.clone(), PackedFile::of(&import.bytes)?);
        let import = PlaceMapImport { bytes: Vec::new(), ..import };
        Ok(self.submit(Weight::SMALL, move |session| {
            place_maps::import(session, &tenant, &import, &file)
        }))
    }

    /// Deletes a version of a map, or all of them; answers how many there were.
    pub fn delete_place_map(
        &self,
        tenant: &TenantId,
        name: &str,
        version: Option<i64>,
    ) -> Pending<usize> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.submit(Weight::SMALL, move |session| {
            place_maps::delete(&session.connection, &tenant, &name, version)
        })
    }
}
