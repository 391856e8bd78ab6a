//! A part of the source's change log, with the versions that its entries are about.

use std::collections::HashSet;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::Arc;

use model::fragment::{Codec as _, FragmentKind, Fragments, Pack};
use model::shred::stored_rows;
use model::{ShreddedRecord, flags, key};

use crate::codec::Codec;
use crate::engine::{Connection, Row};
use crate::rows::record::Change;
use crate::state::State;
use crate::tables::keys::pack_keys;
use crate::{Cause, Error};

/// Entries of a chunk, and bytes of fragments, at most; but an entry at least.
const ENTRIES: usize = 500;
const BYTES: usize = 16 << 20;

/// Entries in their order.
pub(super) struct Chunk {
    pub(super) entries: Vec<Entry>,
    pub(super) bytes: usize,
    /// The number of the last one in the source.
    pub(super) up_to: i64,
}

/// An entry of the source's log.
pub(super) struct Entry {
    pub(super) tenant_key: i64,
    /// In the source.
    pub(super) record_key: i64,
    pub(super) id: Option<String>,
    pub(super) version: i64,
    pub(super) change: Change,
    pub(super) committed_at: i64,
    pub(super) content: Content,
}

/// What an entry is about, as it is by now.
pub(super) enum Content {
    /// It is as it was put in by an entry before, or is not there any more.
    Nothing,
    /// The record of this key was erased.
    Erased(Vec<u8>),
    /// The version, and whether it is the current one.
    Stored(Box<ShreddedRecord>, bool),
}

/// A version as it lies in the store.
struct PackedVersion {
    entry: usize,
    id: String,
    id_key: Vec<u8>,
    version: i64,
    is_current: bool,
    start: i64,
    end: i64,
    flags: u32,
    content_hash: [u8; 16],
    record: Vec<u8>,
    session_packs: Vec<Vec<u8>>,
    participant_packs: Vec<Vec<u8>>,
}

impl Chunk {
    /// The entries behind one of the log; none if there are none.
    pub(super) fn read(
        state: &State,
        connection: &Connection,
        behind: i64,
    ) -> Result<Option<Self>, Error> {
        let mut chunk = Self { entries: Vec::new(), bytes: 0, up_to: behind };
        let mut read = HashSet::new();
        let mut versions = Vec::new();
        for (sequence, entry) in entries(connection, behind)? {
            if chunk.bytes >= BYTES {
                break;
            }
            if entry.change != Change::Erased
                && read.insert(entry.record_key)
                && let Some(mut version) = PackedVersion::read(state, connection, entry.record_key)?
            {
                version.entry = chunk.entries.len();
                chunk.bytes += version.size();
                versions.push(version);
            }
            chunk.up_to = sequence;
            chunk.entries.push(entry);
        }
        for (entry, content) in shredded(state, &versions)? {
            chunk.entries[entry].content = content;
        }
        Ok((!chunk.entries.is_empty()).then_some(chunk))
    }

    /// When the calls start that are put in.
    pub(super) fn starts(&self) -> Vec<i64> {
        let start = |entry: &Entry| match &entry.content {
            Content::Stored(record, _) => Some(record.start),
            _ => None,
        };
        self.entries.iter().filter_map(start).collect()
    }
}

fn entries(connection: &Connection, behind: i64) -> Result<Vec<(i64, Entry)>, Error> {
    let text = format!(
        "SELECT c.sequence, c.tenant_key, c.record_key, c.id, c.version, c.change, \
         c.committed_at FROM change_log c WHERE c.sequence > ?1 AND {} \
         ORDER BY c.sequence LIMIT ?2",
        connection.is_settled()
    );
    connection.all(&text, (behind, ENTRIES as i64), entry)
}

fn entry(row: &Row<'_>) -> Result<(i64, Entry), Error> {
    let change: String = row.get(5)?;
    let unknown = || Error::Corrupt(Cause::new("change log: an unknown change"));
    let (id, change) = (row.get::<Option<String>>(3)?, Change::parse(&change).ok_or_else(unknown)?);
    let content = match &id {
        Some(id) if change == Change::Erased => Content::Erased(key(id)),
        _ => Content::Nothing,
    };
    let entry = Entry {
        tenant_key: row.get(1)?,
        record_key: row.get(2)?,
        id,
        version: row.get(4)?,
        change,
        committed_at: row.get(6)?,
        content,
    };
    Ok((row.get(0)?, entry))
}

impl PackedVersion {
    fn read(
        state: &State,
        connection: &Connection,
        record_key: i64,
    ) -> Result<Option<Self>, Error> {
        let table = |whole| state.partitions.table(connection, whole, record_key);
        let text = format!(
            "SELECT id, id_key, version, is_current, start_date_time, end_date_time, flags, \
             content_hash, fragment FROM {} WHERE record_key = ?1",
            table("call_record")?
        );
        let found = connection.first(&text, [record_key], |row| {
            Ok(Self {
                entry: 0,
                id: row.get(0)?,
                id_key: row.get(1)?,
                version: row.get(2)?,
                is_current: row.get(3)?,
                start: row.get(4)?,
                end: row.get(5)?,
                flags: row.get(6)?,
                content_hash: row.get(7)?,
                record: row.get(8)?,
                session_packs: Vec::new(),
                participant_packs: Vec::new(),
            })
        })?;
        let Some(mut version) = found else { return Ok(None) };
        version.session_packs = packs(connection, &table("session_pack")?, record_key)?;
        version.participant_packs = packs(connection, &table("participant_pack")?, record_key)?;
        Ok(Some(version))
    }

    fn size(&self) -> usize {
        let packs = self.session_packs.iter().chain(&self.participant_packs);
        self.record.len() + packs.map(Vec::len).sum::<usize>()
    }

    /// The version with the typed rows that belong to its fragments.
    fn shred(&self, codec: &mut Codec) -> Result<ShreddedRecord, Error> {
        let participant_keys = self.participant_keys(codec)?;
        let rows = stored_rows(&mut InMemory { version: self, codec })?;
        let mut content_hash = [0; 32];
        content_hash[..self.content_hash.len()].copy_from_slice(&self.content_hash);
        Ok(ShreddedRecord {
            id: self.id.clone(),
            id_key: self.id_key.clone(),
            version: self.version,
            start: self.start,
            end: self.end,
            flags: self.flags & !flags::OF_STORE | flags::of_rows(rows.is_plain),
            content_hash,
            record: self.record.clone(),
            participant_packs: self.participant_packs.clone(),
            session_packs: self.session_packs.clone(),
            participant_keys,
            rows,
            undeclared: Vec::new(),
        })
    }

    fn participant_keys(&self, codec: &mut Codec) -> Result<Vec<Vec<u8>>, Error> {
        let (mut keys, mut seen) = (Vec::new(), HashSet::new());
        let mut pack = Vec::new();
        for packed in &self.participant_packs {
            codec.decompress(FragmentKind::Participants, packed, &mut pack)?;
            for item in Pack::read(&pack)?.items() {
                let id_key = key(item?.id);
                if seen.insert(id_key.clone()) {
                    keys.push(id_key);
                }
            }
        }
        Ok(keys)
    }
}

fn packs(connection: &Connection, table: &str, record_key: i64) -> Result<Vec<Vec<u8>>, Error> {
    let text = format!(
        "SELECT fragment FROM {table} WHERE pack_key >= ?1 AND pack_key < ?2 ORDER BY pack_key"
    );
    let mut packs = Vec::new();
    connection.each(&text, pack_keys(record_key), |row| {
        packs.push(row.get(0)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(packs)
}

/// Shreds versions, by as many threads as there are cores.
fn shredded(state: &State, versions: &[PackedVersion]) -> Result<Vec<(usize, Content)>, Error> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let shred = |share: &[PackedVersion]| {
        let mut codec = Codec::new(Arc::clone(&state.dictionaries));
        let content = |version: &PackedVersion| {
            let record = version.shred(&mut codec)?;
            Ok((version.entry, Content::Stored(Box::new(record), version.is_current)))
        };
        share.iter().map(content).collect::<Result<Vec<_>, Error>>()
    };
    let shares = versions.chunks(versions.len().div_ceil(threads).max(1));
    let joined = std::thread::scope(|scope| {
        let started: Vec<_> = shares.map(|share| scope.spawn(|| shred(share))).collect();
        started.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut all = Vec::with_capacity(versions.len());
    for share in joined {
        all.extend(share.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
    }
    Ok(all)
}

/// A version that is in memory.
struct InMemory<'h> {
    version: &'h PackedVersion,
    codec: &'h mut Codec,
}

impl InMemory<'_> {
    fn pack(
        &mut self,
        kind: FragmentKind,
        packs: &[Vec<u8>],
        number: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let Some(pack) = packs.get(number) else { return Ok(false) };
        self.codec.decompress(kind, pack, out)?;
        Ok(true)
    }
}

impl Fragments for InMemory<'_> {
    type Error = Error;

    fn flags(&self) -> u32 {
        self.version.flags
    }

    fn record(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        Ok(self.codec.decompress(FragmentKind::Record, &self.version.record, out)?)
    }

    fn session_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Error> {
        self.pack(FragmentKind::Sessions, &self.version.session_packs, number, out)
    }

    fn participant_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Error> {
        self.pack(FragmentKind::Participants, &self.version.participant_packs, number, out)
    }
}
