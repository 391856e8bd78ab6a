//! Gathers the rows of records into blocks.

use std::ops::ControlFlow;

use columnar::ChunkBuilder;

use crate::engine::{Connection, Field, Row};
use crate::priority::give_way;
use crate::query::block_rows;
use crate::tables::block_columns::OF_STREAMS;
use crate::tables::blocks::BlockHead;
use crate::tables::keys::month;
use crate::{Cause, Error};

/// Streams of a block, unless a record alone has more.
pub(super) const FULL: i64 = 100_000;
/// Records whose rows are read by one statement.
const AT_ONCE: usize = 1_000;

/// A record whose rows are to be gathered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) record_key: i64,
    pub(super) start: i64,
    pub(super) id: String,
    /// How many rows it will have, as far as is known.
    pub(super) streams: i64,
}

/// A block that is still to be put in.
#[derive(Debug)]
pub(super) struct NewBlock {
    pub(super) head: BlockHead,
    pub(super) chunks: Vec<(String, Vec<u8>)>,
}

/// The blocks of records, month by month; none if the work was to stop. What `goes_on` says no to once, it says
/// no to for good.
pub(super) fn blocks(
    connection: &Connection,
    mut sources: Vec<Source>,
    goes_on: &dyn Fn() -> bool,
) -> Result<Option<Vec<NewBlock>>, Error> {
    // As rows are ordered.
    sources.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| a.id.cmp(&b.id)));
    let (mut blocks, mut rest) = (Vec::new(), sources.as_slice());
    while let Some(first) = rest.first() {
        let (own, mut streams) = (month(first.start), 0);
        let fits = |source: &&Source| {
            streams += source.streams;
            month(source.start) == own && (streams <= FULL || streams == source.streams)
        };
        let (records, others) = rest.split_at(rest.iter().take_while(fits).count());
        let block = block(connection, records, goes_on)?;
        if !goes_on() {
            return Ok(None);
        }
        blocks.extend(block);
        rest = others;
    }
    Ok(Some(blocks))
}

/// The block of records, which are in the order of rows; none if they have no rows. It is not whole where the
/// work was to stop.
fn block(
    connection: &Connection,
    records: &[Source],
    goes_on: &dyn Fn() -> bool,
) -> Result<Option<NewBlock>, Error> {
    let (Some(latest), Some(earliest)) = (records.first(), records.last()) else { return Ok(None) };
    let mut builders: Vec<ChunkBuilder> =
        OF_STREAMS.iter().map(|column| ChunkBuilder::new(column.affinity)).collect();
    let mut row_count = 0;
    for some in records.chunks(AT_ONCE) {
        let keys: Vec<i64> = some.iter().map(|record| record.record_key).collect();
        let statement = block_rows::of_streams(connection.dialect(), &keys, bounds(some));
        connection.scan(&statement.text, statement.binds.as_slice(), |row| {
            row_count += 1;
            give_way();
            push(&mut builders, row)?;
            Ok(if goes_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        if !goes_on() {
            return Ok(None);
        }
    }
    if row_count == 0 {
        return Ok(None);
    }
    let mut chunks = Vec::new();
    for (builder, column) in builders.into_iter().zip(OF_STREAMS.iter()) {
        give_way();
        let name = column.full_name();
        let chunk = builder.finish(&name).map_err(|error| Error::Internal(Cause::new(error)))?;
        chunks.extend(chunk.map(|chunk| (name, chunk)));
    }
    let head = BlockHead {
        block_key: 0,
        month: month(latest.start),
        starts: (earliest.start, latest.start),
        records: bounds(records),
        record_count: records.len() as i64,
        row_count,
    };
    Ok(Some(NewBlock { head, chunks }))
}

/// The least and the greatest key.
fn bounds(records: &[Source]) -> (i64, i64) {
    let keys = records.iter().map(|record| record.record_key);
    keys.fold((i64::MAX, i64::MIN), |(least, most), key| (least.min(key), most.max(key)))
}

fn push(builders: &mut [ChunkBuilder], row: &Row<'_>) -> Result<(), Error> {
    for (at, builder) in builders.iter_mut().enumerate() {
        match row.field(at)? {
            Field::Null | Field::Bytes(_) => builder.push_null(),
            Field::Int(number) => builder.push_int(number),
            Field::Real(number) => builder.push_real(number),
            Field::Text(text) => builder.push_text(&text),
        }
    }
    Ok(())
}
