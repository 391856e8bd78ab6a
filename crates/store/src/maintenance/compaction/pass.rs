//! A pass of compaction: what it reads, and how it is put in.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use super::LEASE;
use super::gathering::{FULL, NewBlock, Source, blocks};
use crate::Error;
use crate::cache::columns::ColumnCache;
use crate::engine::{Connection, Row, most};
use crate::rows::record::Change;
use crate::sql::{Bind, Sql, one_of};
use crate::tables::block_columns::{LAYOUT, RECORD_KEY};
use crate::tables::blocks::{self, BlockHead, Cursor, STREAMS};
use crate::tables::keys::month;
use crate::tables::leases;
use crate::tables::log_positions;
use crate::tables::session::Session;

/// Streams of new records from which on a block is made of them.
const WORTH_A_BLOCK: i64 = 10_000;
/// Entries of the change log that a pass reads at most.
const MOST_ENTRIES: usize = 50_000;
/// A block with fewer rows than this is made anew together with new rows of its month, if it has not more than
/// so many times theirs.
const SMALL: i64 = FULL / 2;
const TIMES: i64 = 4;
/// A block is made anew when one of so many of its records is gone.
const GONE: i64 = 5;

/// A record in a block that no longer counts: the keys of both, and whether it was erased.
type Gone = (i64, (i64, bool));

/// What is to be done to the blocks of a tenant.
#[derive(Debug)]
pub(crate) struct Pass {
    tenant_key: i64,
    /// The cursor as it was read, and as it will be.
    from: Option<Cursor>,
    to: Option<Cursor>,
    new: Vec<NewBlock>,
    /// Blocks whose rows are in the new ones, or no longer wanted.
    old: Vec<i64>,
    /// Records in blocks that no longer count, and whether they were erased.
    gone: Vec<Gone>,
}

/// An entry of the change log, with its record if that is current and all its values are plain: of others
/// columns do not tell all.
struct Entry {
    sequence: i64,
    is_erased: bool,
    source: Option<Source>,
    has_columns: bool,
}

/// The next pass over the blocks of a tenant; none if there is nothing to do for now. `is_thorough`: new records
/// are put in blocks however few they are. `may_work` is asked before anything is done that takes long, and
/// `goes_on` again and again while it is done: there is no pass when it says no.
pub(crate) fn read(
    (connection, columns): (&Connection, &ColumnCache),
    (tenant_key, is_thorough): (i64, bool),
    may_work: &mut dyn FnMut() -> Result<bool, Error>,
    goes_on: &dyn Fn() -> bool,
) -> Result<Option<Pass>, Error> {
    let cut = log_positions::cut_to(connection)?;
    let from = blocks::cursor(connection, tenant_key)?;
    let mut pass =
        Pass { tenant_key, from, to: None, new: Vec::new(), old: Vec::new(), gone: Vec::new() };
    if from.is_some_and(|cursor| !cursor.is_good(cut)) {
        // All blocks go, and are made anew from the beginning of the log.
        return Ok(may_work()?.then_some(pass));
    }
    let after = from.map_or(0, |cursor| cursor.sequence);
    let settled: i64 = connection.value(connection.last_settled(), ())?.unwrap_or(0);
    let (entries, until) = entries(connection, tenant_key, (after, settled))?;
    if entries.iter().any(|entry| !entry.has_columns) {
        return Ok(None);
    }
    let streams: i64 = sources(&entries).values().map(|source| source.streams).sum();
    let is_erased = from.is_some() && entries.iter().any(|entry| entry.is_erased);
    let is_much = streams >= WORTH_A_BLOCK || until < settled;
    let is_due = is_thorough && !entries.is_empty() || is_erased || is_much;
    let heads = blocks::heads(connection, (tenant_key, STREAMS), (i64::MIN, i64::MAX))?;
    if !is_due {
        let Some(block) = worn(connection, tenant_key, &heads)? else { return Ok(None) };
        if !may_work()? {
            return Ok(None);
        }
        pass.to = from;
        let is_whole = pass.take((connection, columns), (&[block], Vec::new()), goes_on)?;
        return Ok(is_whole.then_some(pass));
    }
    if !may_work()? {
        return Ok(None);
    }
    pass.to = Some(Cursor { sequence: until, cut, layout: *LAYOUT });
    let changed = blocks::changed(connection, tenant_key, (after, until))?;
    for head in &heads {
        pass.gone.extend(gone_of((connection, columns), head, &changed)?);
    }
    let sources: Vec<Source> = sources(&entries).into_values().collect();
    let small = small(&heads, &sources);
    let is_whole = pass.take((connection, columns), (&small, sources), goes_on)?;
    Ok(is_whole.then_some(pass))
}

impl Pass {
    /// Makes new blocks of some old ones, as far as their records still count, and of new records; false if it
    /// was to stop.
    fn take(
        &mut self,
        (connection, columns): (&Connection, &ColumnCache),
        (old, mut sources): (&[&BlockHead], Vec<Source>),
        goes_on: &dyn Fn() -> bool,
    ) -> Result<bool, Error> {
        for head in old {
            let keys = columns.of(connection, head, &RECORD_KEY)?;
            let mut live: Vec<i64> = (0..head.row_count).filter_map(|row| keys.int(row)).collect();
            live.dedup();
            let mut gone: HashSet<i64> =
                blocks::gone(connection, head.block_key)?.into_iter().collect();
            gone.extend(sources.iter().map(|source| source.record_key));
            live.retain(|key| !gone.contains(key));
            for some in live.chunks(1_000) {
                sources.extend(current(connection, some)?);
            }
            self.old.push(head.block_key);
            self.gone.retain(|(block_key, _)| *block_key != head.block_key);
        }
        let Some(new) = blocks(connection, sources, goes_on)? else { return Ok(false) };
        self.new = new;
        Ok(true)
    }

    /// Streams in new blocks.
    pub(crate) fn rows(&self) -> u64 {
        self.new.iter().map(|block| block.head.row_count as u64).sum()
    }

    /// New blocks.
    pub(crate) fn blocks(&self) -> u64 {
        self.new.len() as u64
    }

    /// Puts it in; false, and nothing is done, if another process does this work by now.
    pub(crate) fn apply(&self, session: &mut Session, holder: &str) -> Result<bool, Error> {
        if !leases::holds(&session.connection, LEASE, holder)? {
            return Ok(false);
        }
        let connection = &session.connection;
        if blocks::cursor(connection, self.tenant_key)? != self.from {
            return Ok(false);
        }
        let Some(to) = self.to else {
            blocks::delete_all(connection, self.tenant_key)?;
            return Ok(true);
        };
        for block_key in &self.old {
            blocks::delete(connection, *block_key)?;
        }
        for block in &self.new {
            blocks::insert(connection, (self.tenant_key, STREAMS), &block.head, &block.chunks)?;
        }
        for (block_key, gone) in &self.gone {
            blocks::note_gone(connection, *block_key, *gone)?;
        }
        blocks::set_cursor(connection, self.tenant_key, to)?;
        Ok(true)
    }
}

/// Entries behind one and up to another, or up to the one with which there are enough streams for a block; and
/// up to where they tell all.
fn entries(
    connection: &Connection,
    tenant_key: i64,
    (after, until): (i64, i64),
) -> Result<(Vec<Entry>, i64), Error> {
    let text = "SELECT c.sequence, c.change, r.record_key, r.start_date_time, r.id, \
                r.stream_count, r.flags FROM change_log c \
                LEFT JOIN call_record r ON r.record_key = c.record_key AND r.is_current = 1 \
                WHERE c.tenant_key = ?1 AND c.sequence > ?2 AND c.sequence <= ?3 \
                ORDER BY c.sequence LIMIT ?4";
    let (mut found, mut streams, mut is_full) = (Vec::new(), 0, false);
    connection.each(text, (tenant_key, after, until, most(MOST_ENTRIES)), |row| {
        let entry = entry(row)?;
        streams += entry.source.as_ref().map_or(0, |source| source.streams);
        found.push(entry);
        is_full = streams >= FULL || found.len() == MOST_ENTRIES;
        Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    let last = found.last().map_or(until, |entry| entry.sequence);
    Ok((found, if is_full { last } else { until }))
}

fn entry(row: &Row<'_>) -> Result<Entry, Error> {
    let change: String = row.get(1)?;
    let record_key: Option<i64> = row.get(2)?;
    let flags: Option<u32> = row.get(6)?;
    let is_plain = flags.is_some_and(|flags| flags & model::flags::PLAIN_VALUES != 0);
    let source = match record_key {
        Some(record_key) if is_plain => Some(Source {
            record_key,
            start: row.get(3)?,
            id: row.get(4)?,
            streams: row.get::<Option<i64>>(5)?.unwrap_or(0),
        }),
        _ => None,
    };
    Ok(Entry {
        sequence: row.get(0)?,
        is_erased: change == Change::Erased.name(),
        source,
        has_columns: flags.is_none_or(|flags| flags & model::flags::ALL_COLUMNS != 0),
    })
}

/// The records of entries, each once.
fn sources(entries: &[Entry]) -> BTreeMap<i64, Source> {
    let found = entries.iter().filter_map(|entry| entry.source.clone());
    found.map(|source| (source.record_key, source)).collect()
}

/// Small blocks that are made anew together with new records of their months.
fn small<'h>(heads: &'h [BlockHead], sources: &[Source]) -> Vec<&'h BlockHead> {
    let mut new: BTreeMap<i64, i64> = BTreeMap::new();
    for source in sources {
        *new.entry(month(source.start)).or_default() += source.streams;
    }
    let mut taken = Vec::new();
    for head in heads {
        let rows = head.row_count as i64;
        if let Some(new) = new.get_mut(&head.month)
            && *new > 0
            && rows < SMALL
            && rows <= TIMES * *new
        {
            *new += rows;
            taken.push(head);
        }
    }
    taken
}

/// A block in which something was erased, or of which much is gone.
fn worn<'h>(
    connection: &Connection,
    tenant_key: i64,
    heads: &'h [BlockHead],
) -> Result<Option<&'h BlockHead>, Error> {
    let worn = blocks::with_gone(connection, tenant_key)?.into_iter();
    let mut found = worn.filter_map(|(block_key, gone, is_erased)| {
        let head = heads.iter().find(|head| head.block_key == block_key)?;
        (is_erased || gone * GONE > head.record_count).then_some(head)
    });
    Ok(found.next())
}

/// The records of a block that are among those that changed.
fn gone_of(
    (connection, columns): (&Connection, &ColumnCache),
    head: &BlockHead,
    changed: &[(i64, bool)],
) -> Result<Vec<Gone>, Error> {
    let (least, greatest) = head.records;
    let from = changed.partition_point(|(key, _)| *key < least);
    let until = changed.partition_point(|(key, _)| *key <= greatest);
    let changed = &changed[from..until];
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let keys = columns.of(connection, head, &RECORD_KEY)?;
    let own: HashSet<i64> = (0..head.row_count).filter_map(|row| keys.int(row)).collect();
    let found = changed.iter().filter(|(key, _)| own.contains(key));
    Ok(found.map(|gone| (head.block_key, *gone)).collect())
}

/// As it stands in a statement.
const _: () = assert!(model::flags::PLAIN_VALUES == 128);

/// Those of some records that are current, with plain values.
fn current(connection: &Connection, record_keys: &[i64]) -> Result<Vec<Source>, Error> {
    let keys = one_of(record_keys.iter().copied().map(Bind::Int).collect());
    let statement =
        Sql::text("SELECT record_key, start_date_time, id, stream_count FROM call_record ")
            .push("WHERE is_current = 1 AND flags & 128 <> 0 AND record_key")
            .append(keys.expect("whole numbers of any number make a list"))
            .finish(connection.dialect());
    connection.all(&statement.text, statement.binds.as_slice(), |row| {
        Ok(Source {
            record_key: row.get(0)?,
            start: row.get(1)?,
            id: row.get(2)?,
            streams: row.get::<Option<i64>>(3)?.unwrap_or(0),
        })
    })
}
