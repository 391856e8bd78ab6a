//! Columns of blocks that were read before. Blocks never change and their keys are never used again, so what
//! was read of them stays true.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use columnar::{Column, decode};
use model::columns::Table;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::engine::Connection;
use crate::tables::block_columns::BlockColumn;
use crate::tables::blocks::{self, BlockHead};
use crate::{Cause, Error};

/// Bytes of a column, roughly.
const USUAL: u64 = 512 << 10;
/// Bytes that a column weighs at least.
const LEAST: u64 = 256;

/// A column by its block, its table and its name.
type Key = (i64, Table, &'static str);

/// Columns by the keys of their blocks and their names.
#[derive(Debug)]
pub(crate) struct ColumnCache {
    kept: Cache<Key, Arc<Column>, Weight>,
    /// Questions may be answered from blocks.
    pub(crate) may_answer: bool,
    /// Questions that were.
    answers: AtomicU64,
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Key, Arc<Column>> for Weight {
    fn weight(&self, _: &Key, column: &Arc<Column>) -> u64 {
        LEAST + column.size() as u64
    }
}

impl ColumnCache {
    /// Keeps so many bytes; if none are given, no question is answered from blocks.
    pub(crate) fn new(bytes: Option<u64>) -> Self {
        let most = bytes.unwrap_or(0);
        let kept = Cache::with_weighter((most / USUAL) as usize, most, Weight);
        Self { kept, may_answer: bytes.is_some(), answers: AtomicU64::new(0) }
    }

    /// Counts a question that was answered from blocks.
    pub(crate) fn count_answer(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// How many questions were.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// A column of a block.
    pub(crate) fn of(
        &self,
        connection: &Connection,
        block: &BlockHead,
        column: &BlockColumn,
    ) -> Result<Arc<Column>, Error> {
        let key = (block.block_key, column.table, column.name);
        self.kept.get_or_insert_with(&key, || read(connection, block, column).map(Arc::new))
    }

    /// A column that is made of others of a block, by a name that none of these has.
    pub(crate) fn made(
        &self,
        block: &BlockHead,
        name: &'static str,
        make: impl FnOnce() -> Arc<Column>,
    ) -> Arc<Column> {
        let key = (block.block_key, Table::Stream, name);
        let made: Result<_, Infallible> = self.kept.get_or_insert_with(&key, || Ok(make()));
        made.unwrap_or_else(|never| match never {})
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
