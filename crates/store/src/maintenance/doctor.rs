//! Looks whether a store is sound, and how big it is.

use std::ops::ControlFlow;
use std::time::Duration;

use model::fragment::{Codec as _, FragmentKind, Pack, RecordFragment};

use crate::Error;
use crate::codec::Codec;
use crate::engine::{Connection, Dialect, Opener};
use crate::maintenance::compaction;
use crate::rows::record::{Diagnosis, TableSize};
use crate::tables::place_maps;

/// How long the check may take.
const LONGEST: Duration = Duration::from_hours(24);

/// How many problems of one kind are listed.
const LISTED_AT_MOST: usize = 20;

/// Questions whose answer is 0 in a sound store.
const INVARIANTS: [(&str, &str); 6] = [
    (
        "records have a current version that is not the highest one, or not exactly one",
        "SELECT count(*) FROM (SELECT 1 FROM call_record GROUP BY tenant_key, id_key \
         HAVING sum(is_current) <> 1 \
         OR max(version) <> max(CASE WHEN is_current = 1 THEN version END)) AS wrong",
    ),
    (
        "records have another number of session rows than stated",
        "SELECT count(*) FROM call_record r WHERE is_current = 1 AND session_count <> \
         (SELECT count(*) FROM session s WHERE s.record_key = r.record_key)",
    ),
    (
        "records have another number of stream rows than stated",
        "SELECT count(*) FROM call_record r WHERE is_current = 1 AND stream_count <> \
         (SELECT count(*) FROM stream s WHERE s.record_key = r.record_key)",
    ),
    (
        "session rows belong to no current version",
        "SELECT count(*) FROM session s WHERE NOT EXISTS (SELECT 1 FROM call_record r \
         WHERE r.record_key = s.record_key AND r.is_current = 1)",
    ),
    (
        "segment rows belong to no session",
        "SELECT count(*) FROM segment g WHERE NOT EXISTS (SELECT 1 FROM session s \
         WHERE s.record_key = g.record_key AND s.ordinal = g.session)",
    ),
    (
        "media rows belong to no segment",
        "SELECT count(*) FROM media m WHERE NOT EXISTS (SELECT 1 FROM segment g \
         WHERE g.record_key = m.record_key AND g.session = m.session AND g.ordinal = m.segment)",
    ),
];

/// Invariants of a file.
const INVARIANTS_OF_FILES: [(&str, &str); 2] = [
    (
        "records are not in the full-text index",
        "SELECT max(0, (SELECT count(*) FROM call_record WHERE is_current = 1) - \
         (SELECT count(*) FROM record_search_docsize))",
    ),
    (
        "entries of the full-text index belong to no current version",
        "SELECT count(*) FROM record_search_docsize d WHERE NOT EXISTS (SELECT 1 \
         FROM call_record r WHERE r.record_key = d.id & 34359738367 AND r.is_current = 1)",
    ),
];

/// Invariants of a store with many nodes.
const INVARIANTS_OF_NODES: [(&str, &str); 4] = [
    (
        "keys belong to more than one version",
        "SELECT count(*) FROM (SELECT 1 FROM call_record GROUP BY record_key \
         HAVING count(*) > 1) AS wrong",
    ),
    (
        "records are not in the full-text index",
        "SELECT count(*) FROM call_record r WHERE is_current = 1 AND NOT EXISTS (SELECT 1 \
         FROM record_search f WHERE f.record_key = r.record_key)",
    ),
    (
        "entries of the full-text index belong to no current version",
        "SELECT count(*) FROM record_search f WHERE NOT EXISTS (SELECT 1 FROM call_record r \
         WHERE r.record_key = f.record_key AND r.is_current = 1)",
    ),
    (
        "records are led to by another version than the current one",
        "SELECT count(*) FROM call_record r FULL JOIN record_key k ON k.record_key = r.record_key \
         WHERE (r.is_current = 1 AND k.record_key IS NULL) \
         OR (k.record_key IS NOT NULL AND r.is_current IS DISTINCT FROM 1)",
    ),
];

pub(crate) fn diagnose(opener: &Opener, mut codec: Codec) -> Result<Diagnosis, Error> {
    let connection = opener.reader()?;
    let (mut problems, own) = match connection.dialect() {
        Dialect::Sqlite => (integrity(&connection)?, INVARIANTS_OF_FILES.as_slice()),
        Dialect::Postgres => (Vec::new(), INVARIANTS_OF_NODES.as_slice()),
    };
    for (problem, text) in INVARIANTS.iter().chain(own) {
        let count: i64 = connection.value(text, ())?.unwrap_or(0);
        if count > 0 {
            problems.push(format!("{count} {problem}"));
        }
    }
    connection.begin_read(Some(LONGEST))?;
    for (text, kind) in [
        ("SELECT record_key, fragment FROM call_record", FragmentKind::Record),
        ("SELECT pack_key, fragment FROM session_pack", FragmentKind::Sessions),
        ("SELECT pack_key, fragment FROM participant_pack", FragmentKind::Participants),
    ] {
        problems.extend(unreadable(&connection, &mut codec, text, kind)?);
    }
    problems.extend(place_maps::damaged(&connection)?);
    problems.extend(compaction::problems(&connection)?);
    connection.end_read()?;
    let tables = match connection.dialect() {
        Dialect::Sqlite => tables_of_file(&connection)?,
        Dialect::Postgres => tables_of_database(&connection)?,
    };
    let (file_bytes, wal_bytes) = match opener.file() {
        Ok(path) => {
            let mut wal = path.as_os_str().to_owned();
            wal.push("-wal");
            let wal_bytes = std::fs::metadata(wal).map_or(0, |wal| wal.len());
            (std::fs::metadata(path)?.len(), wal_bytes)
        }
        Err(_) => (tables.iter().map(|table| table.bytes).sum(), 0),
    };
    Ok(Diagnosis { problems, tables, file_bytes, wal_bytes })
}

fn integrity(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut verdicts =
        connection.all("PRAGMA integrity_check(20)", (), |row| row.get::<String>(0))?;
    verdicts.retain(|verdict| verdict != "ok");
    Ok(verdicts)
}

fn unreadable(
    connection: &Connection,
    codec: &mut Codec,
    text: &'static str,
    kind: FragmentKind,
) -> Result<Vec<String>, Error> {
    let (mut fragment, mut problems) = (Vec::new(), Vec::new());
    connection.scan(text, (), |row| {
        let packed = row.field(1)?.bytes()?;
        let read = codec.decompress(kind, &packed, &mut fragment).and_then(|()| match kind {
            FragmentKind::Record => RecordFragment::read(&fragment).map(|_| ()),
            FragmentKind::Sessions | FragmentKind::Participants => {
                Pack::read(&fragment)?.items().try_for_each(|item| item.map(|_| ()))
            }
        });
        if read.is_err() && problems.len() < LISTED_AT_MOST {
            let key: i64 = row.get(0)?;
            problems.push(format!("the fragment {key} of {kind:?} cannot be read"));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(problems)
}

fn tables_of_file(connection: &Connection) -> Result<Vec<TableSize>, Error> {
    let sizes: Vec<(String, i64)> = connection.all(
        "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name \
         WHERE d.aggregate = 1 GROUP BY s.tbl_name ORDER BY 2 DESC, 1",
        (),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    sizes.into_iter().map(|(name, bytes)| size(connection, name, bytes)).collect()
}

/// Tables with all their parts and indexes.
fn tables_of_database(connection: &Connection) -> Result<Vec<TableSize>, Error> {
    let sizes: Vec<(String, i64)> = connection.all(
        "SELECT c.relname::text, coalesce((SELECT sum(pg_total_relation_size(t.relid))::bigint \
         FROM pg_partition_tree(c.oid) t), pg_total_relation_size(c.oid)) FROM pg_class c \
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') \
         AND NOT c.relispartition ORDER BY 2 DESC, 1",
        (),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    sizes.into_iter().map(|(name, bytes)| size(connection, name, bytes)).collect()
}

fn size(connection: &Connection, name: String, bytes: i64) -> Result<TableSize, Error> {
    // The name is the schema's own.
    let rows: Option<i64> = connection.value(&format!("SELECT count(*) FROM \"{name}\""), ())?;
    Ok(TableSize { name, rows: rows.unwrap_or(0).unsigned_abs(), bytes: bytes.unsigned_abs() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codec::dictionaries::Dictionaries;
    use crate::codec::dictionary;
    use crate::engine::sqlite::connection;
    use crate::maintenance::migration;

    /// The problems of a new store after `damage`.
    fn problems(name: &str, damage: &str) -> Vec<String> {
        let name = format!("callvault-doctor-{}-{name}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        connection::create_file(&path).unwrap();
        let mut connection = Connection::Sqlite(connection::writer(&path).unwrap());
        migration::sqlite::migrate(&mut connection, &path).unwrap();
        if !damage.is_empty() {
            connection.execute(damage, ()).unwrap();
        }
        let rows = dictionary::rows(&connection).unwrap();
        let opener = Opener::Sqlite(path.clone());
        let codec = Codec::new(Arc::new(Dictionaries::new(opener, rows).unwrap()));
        let diagnosis = diagnose(&Opener::Sqlite(path.clone()), codec).unwrap();
        drop(connection);
        std::fs::remove_file(&path).unwrap();
        diagnosis.problems
    }

    #[test]
    fn a_new_store_is_sound() {
        assert_eq!(problems("new", ""), [""; 0]);
    }

    #[test]
    fn a_pack_that_cannot_be_read_is_told() {
        let damage = "INSERT INTO session_pack VALUES (65536, 2, x'28b52ffd')";
        assert_eq!(problems("pack", damage), ["the fragment 65536 of Sessions cannot be read"]);
    }

    #[test]
    fn a_map_that_is_not_what_was_imported_is_told() {
        let damage = "INSERT INTO place_map VALUES (1, 1, 'offices', 2, 'building', NULL, NULL, x'00', \
                      1, 1, 'x', x'28b52ffd')";
        let problem = "version 2 of the map \"offices\" is not what was imported";
        assert_eq!(problems("map", damage), [problem]);
    }

    #[test]
    fn typed_rows_without_a_record_are_told() {
        let damage = "INSERT INTO session (record_key, ordinal, id_key) VALUES (1, 0, x'00')";
        assert_eq!(problems("rows", damage), ["1 session rows belong to no current version"]);
    }
}
