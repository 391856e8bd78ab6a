//! A digest of all that a store keeps, the same wherever and by whichever engine it is kept.

use std::fmt;
use std::ops::ControlFlow;

use model::fragment::{Codec as _, FragmentKind};

use super::tables::{CREATED_AFTER, EVENTS, LOGS, REPLACED, TENANTS, Table};
use crate::Error;
use crate::codec::Codec;
use crate::engine::{Connection, Field, Row};

/// Rows of which there are as many as typed rows belong to the versions.
const COUNTED: [&str; 5] = ["participant", "session", "segment", "media", "stream"];

/// As the statement has it that leaves out what builds note for themselves.
const _: () = assert!(model::flags::OF_STORE == 384);

/// Digests of the parts of a store.
pub(super) struct Digest {
    parts: Vec<(&'static str, [u8; 32])>,
}

/// How many records, versions, and entries of the change log a store has.
pub(super) fn sizes(connection: &Connection) -> Result<[u64; 3], Error> {
    Ok([
        count(connection, "call_record WHERE is_current = 1")?,
        count(connection, "call_record")?,
        count(connection, "change_log")?,
    ])
}

impl Digest {
    /// Reads all of a store, in the state that the connection has.
    pub(super) fn of(connection: &Connection, mut codec: Codec) -> Result<Self, Error> {
        let mut versions = Sum::default();
        connection.scan(
            "SELECT tenant_key, id, version, is_current, start_date_time, end_date_time, \
             flags & ~384, content_hash, fragment FROM call_record",
            (),
            |row| versions.add(&mut codec, FragmentKind::Record, row, 8),
        )?;
        let mut digest = Self { parts: vec![("versions", versions.finish())] };
        for (name, table, kind) in [
            ("sessions", "session_pack", FragmentKind::Sessions),
            ("participants", "participant_pack", FragmentKind::Participants),
        ] {
            let mut packs = Sum::default();
            let text = format!(
                "SELECT r.tenant_key, r.id, r.version, p.pack_key & 65535, p.fragment \
                 FROM {table} p JOIN call_record r ON r.record_key = p.pack_key >> 16"
            );
            connection.scan(&text, (), |row| packs.add(&mut codec, kind, row, 4))?;
            digest.parts.push((name, packs.finish()));
        }
        let mut rows = blake3::Hasher::new();
        for table in COUNTED {
            rows.update(&count(connection, table)?.to_le_bytes());
        }
        digest.parts.push(("typed rows", *rows.finalize().as_bytes()));
        digest.parts.push(("keys of records", *blake3::hash(&led(connection)?).as_bytes()));
        digest.parts.push(("the change log", log(connection)?));
        for table in [&TENANTS].into_iter().chain(&REPLACED).chain([&EVENTS, &LOGS]) {
            digest.parts.push((table.name, rows_of(connection, table)?));
        }
        Ok(digest)
    }

    /// The first part that the other store has otherwise.
    pub(super) fn difference(&self, other: &Self) -> Option<&'static str> {
        let mut pairs = self.parts.iter().zip(&other.parts);
        pairs.find(|(ours, theirs)| ours != theirs).map(|(ours, _)| ours.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = blake3::Hasher::new();
        for (name, part) in &self.parts {
            all.update(name.as_bytes()).update(part);
        }
        all.finalize().to_hex().fmt(f)
    }
}

/// A sum of the hashes of rows, in whatever order they come.
#[derive(Default)]
struct Sum {
    count: u64,
    sum: [u64; 4],
    fragment: Vec<u8>,
}

impl Sum {
    /// Adds a row that ends with a fragment.
    fn add(
        &mut self,
        codec: &mut Codec,
        kind: FragmentKind,
        row: &Row<'_>,
        fields: usize,
    ) -> Result<ControlFlow<()>, Error> {
        let mut hasher = blake3::Hasher::new();
        for at in 0..fields {
            update(&mut hasher, &row.field(at)?);
        }
        codec.decompress(kind, &row.field(fields)?.bytes()?, &mut self.fragment)?;
        hasher.update(&self.fragment);
        let hash = hasher.finalize();
        let mut carry = false;
        for (sum, bytes) in self.sum.iter_mut().zip(hash.as_bytes().as_chunks::<8>().0) {
            (*sum, carry) = sum.carrying_add(u64::from_le_bytes(*bytes), carry);
        }
        self.count += 1;
        Ok(ControlFlow::Continue(()))
    }

    fn finish(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.count.to_le_bytes());
        for part in self.sum {
            hasher.update(&part.to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

/// How many records are found by their ids.
fn led(connection: &Connection) -> Result<[u8; 8], Error> {
    let records = match connection {
        Connection::Sqlite(_) => count(connection, "call_record WHERE is_current = 1")?,
        Connection::Postgres(_) => {
            let by_key = "record_key k JOIN call_record r ON r.record_key = k.record_key \
                          AND r.tenant_key = k.tenant_key AND r.id_key = k.id_key \
                          AND r.version = k.version WHERE r.is_current = 1";
            count(connection, by_key)?
        }
    };
    Ok(records.to_le_bytes())
}

fn log(connection: &Connection) -> Result<[u8; 32], Error> {
    let text = "SELECT c.tenant_key, coalesce(c.id, r.id), c.version, c.change, c.committed_at \
                FROM change_log c LEFT JOIN call_record r ON r.record_key = c.record_key \
                ORDER BY c.sequence";
    all(connection, text, 0..5)
}

fn rows_of(connection: &Connection, table: &Table) -> Result<[u8; 32], Error> {
    let same = (0..table.columns.len()).filter(|at| table.columns[*at] != CREATED_AFTER);
    all(connection, &table.selection(), same)
}

/// Of rows in their order.
fn all(
    connection: &Connection,
    text: &str,
    columns: impl Iterator<Item = usize> + Clone,
) -> Result<[u8; 32], Error> {
    let mut hasher = blake3::Hasher::new();
    connection.scan(text, (), |row| {
        for at in columns.clone() {
            update(&mut hasher, &row.field(at)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(*hasher.finalize().as_bytes())
}

fn update(hasher: &mut blake3::Hasher, field: &Field<'_>) {
    match field {
        Field::Null => hasher.update(&[0]),
        Field::Int(number) => hasher.update(&[1]).update(&number.to_le_bytes()),
        Field::Real(number) => hasher.update(&[2]).update(&number.to_bits().to_le_bytes()),
        Field::Text(text) => {
            hasher.update(&[3]).update(&text.len().to_le_bytes()).update(text.as_bytes())
        }
        Field::Bytes(bytes) => hasher.update(&[4]).update(&bytes.len().to_le_bytes()).update(bytes),
    };
}

fn count(connection: &Connection, what: &str) -> Result<u64, Error> {
    let count: Option<i64> = connection.value(&format!("SELECT count(*) FROM {what}"), ())?;
    Ok(count.unwrap_or(0).unsigned_abs())
}
