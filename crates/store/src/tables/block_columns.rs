//! Which columns the blocks of streams have.

use std::sync::LazyLock;

use model::columns::{Affinity, Table};

/// A column of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockColumn {
    /// The table that rows have it in.
    pub(crate) table: Table,
    pub(crate) name: &'static str,
    pub(crate) affinity: Affinity,
}

/// The key of the record.
pub(crate) const RECORD_KEY: BlockColumn =
    BlockColumn::of(Table::CallRecord, "record_key", Affinity::Integer);
/// When the call started.
pub(crate) const START: BlockColumn =
    BlockColumn::of(Table::CallRecord, "start_date_time", Affinity::Integer);
/// The places of a stream: of its session, its segment and its media, and its own.
pub(crate) const ORDINALS: [BlockColumn; 4] = [
    BlockColumn::of(Table::Stream, "session", Affinity::Integer),
    BlockColumn::of(Table::Stream, "segment", Affinity::Integer),
    BlockColumn::of(Table::Stream, "media", Affinity::Integer),
    BlockColumn::of(Table::Stream, "ordinal", Affinity::Integer),
];

/// All columns of a block of streams.
pub(crate) static OF_STREAMS: LazyLock<Vec<BlockColumn>> = LazyLock::new(|| {
    let of_record = [
        RECORD_KEY,
        START,
        BlockColumn::of(Table::CallRecord, "id", Affinity::Text),
        BlockColumn::of(Table::CallRecord, "version", Affinity::Integer),
        BlockColumn::of(Table::CallRecord, "type", Affinity::Text),
        BlockColumn::of(Table::CallRecord, "end_date_time", Affinity::Integer),
    ];
    let below = [Table::Segment, Table::Media, Table::Stream].into_iter().flat_map(|table| {
        let all = table.columns().iter().chain(table.verdicts());
        all.map(move |column| BlockColumn::of(table, column.name, column.affinity))
    });
    of_record.into_iter().chain(ORDINALS).chain(below).collect()
});

/// Tells blocks with these columns from others.
pub(crate) static LAYOUT: LazyLock<i64> = LazyLock::new(|| {
    let names: Vec<String> = OF_STREAMS.iter().map(BlockColumn::full_name).collect();
    let hash = blake3::hash(names.join(" ").as_bytes());
    let first = hash.as_bytes().first_chunk().expect("a hash has more than eight bytes");
    i64::from_le_bytes(*first)
});

impl BlockColumn {
    pub(crate) const fn of(table: Table, name: &'static str, affinity: Affinity) -> Self {
        Self { table, name, affinity }
    }

    /// Its name in a block.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.table.name(), self.name)
    }
}
