//! Columns of blocks that were read before. Blocks never change and their keys are never used again, so what
//! was read of them stays true.

use std::sync::Arc;

use columnar::{Column, decode};
use model::columns::Table;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::engine::Connection;
use crate::tables::block_columns::BlockColumn;
use crate::tables::blocks::{self, BlockHead};
use crate::{Cause, Error};

/// Bytes of all columns that are kept.
const BYTES: u64 = 128 << 20;
/// Bytes of a column, roughly.
const USUAL: u64 = 512 << 10;
/// Bytes that a column weighs at least.
const LEAST: u64 = 256;

/// A column by its block, its table and its name.
type Key = (i64, Table, &'static str);

/// Columns by the keys of their blocks and their names.
#[derive(Debug)]
pub(crate) struct ColumnCache(Cache<Key, Arc<Column>, Weight>);

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Key, Arc<Column>> for Weight {
    fn weight(&self, _: &Key, column: &Arc<Column>) -> u64 {
        LEAST + column.size() as u64
    }
}

impl Default for ColumnCache {
    fn default() -> Self {
        Self(Cache::with_weighter((BYTES / USUAL) as usize, BYTES, Weight))
    }
}

impl ColumnCache {
    /// A column of a block.
    pub(crate) fn of(
        &self,
        connection: &Connection,
        block: &BlockHead,
        column: &BlockColumn,
    ) -> Result<Arc<Column>, Error> {
        let key = (block.block_key, column.table, column.name);
        self.0.get_or_insert_with(&key, || read(connection, block, column).map(Arc::new))
    }
}

/// Reads a column of a block.
pub(crate) fn read(
    connection: &Connection,
    block: &BlockHead,
    column: &BlockColumn,
) -> Result<Column, Error> {
    let name = column.full_name();
    let Some(body) = blocks::chunk(connection, block.block_key, &name)? else {
        return Ok(Column::Nothing);
    };
    decode(body.into(), (&name, column.affinity), block.row_count)
        .map_err(|error| Error::Corrupt(Cause::new(error)))
}
