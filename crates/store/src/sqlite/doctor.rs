//! Looks whether a store is sound, and how big it is.

use std::path::Path;

use model::fragment::{Codec as _, FragmentKind, Pack, RecordFragment};
use rusqlite::Connection;

use super::connection;
use crate::{Codec, Diagnosis, Error, TableSize};

/// How many of one kind of problem are told.
const TOLD_AT_MOST: usize = 20;

/// Questions whose answer is 0 in a sound store.
const INVARIANTS: [(&str, &str); 8] = [
    (
        "records have a current version that is not the highest one, or not exactly one",
        "SELECT count(*) FROM (SELECT 1 FROM call_record GROUP BY tenant_key, id_key \
         HAVING sum(is_current) <> 1 \
         OR max(version) <> max(CASE WHEN is_current = 1 THEN version END))",
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

pub(crate) fn diagnose(path: &Path, mut codec: Codec) -> Result<Diagnosis, Error> {
    let connection = connection::reader(path)?;
    let mut problems = integrity(&connection)?;
    for (problem, text) in INVARIANTS {
        let count: i64 = connection.query_row(text, (), |row| row.get(0))?;
        if count > 0 {
            problems.push(format!("{count} {problem}"));
        }
    }
    for (text, kind) in [
        ("SELECT record_key, fragment FROM call_record", FragmentKind::Record),
        ("SELECT pack_key, fragment FROM session_pack", FragmentKind::Sessions),
        ("SELECT pack_key, fragment FROM participant_pack", FragmentKind::Participants),
    ] {
        problems.extend(unreadable(&connection, &mut codec, text, kind)?);
    }
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    Ok(Diagnosis {
        problems,
        tables: tables(&connection)?,
        file_bytes: std::fs::metadata(path)?.len(),
        wal_bytes: std::fs::metadata(wal).map_or(0, |wal| wal.len()),
    })
}

fn integrity(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let rows = statement.query_map((), |row| row.get::<_, String>(0))?;
    let mut verdicts = rows.collect::<Result<Vec<_>, _>>()?;
    verdicts.retain(|verdict| verdict != "ok");
    Ok(verdicts)
}

fn unreadable(
    connection: &Connection,
    codec: &mut Codec,
    text: &'static str,
    kind: FragmentKind,
) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(text)?;
    let mut rows = statement.query(())?;
    let (mut fragment, mut problems) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let packed = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let read = codec.decompress(kind, packed, &mut fragment).and_then(|()| match kind {
            FragmentKind::Record => RecordFragment::read(&fragment).map(|_| ()),
            FragmentKind::Sessions | FragmentKind::Participants => {
                Pack::read(&fragment)?.items().try_for_each(|item| item.map(|_| ()))
            }
        });
        if read.is_err() && problems.len() < TOLD_AT_MOST {
            let key: i64 = row.get(0)?;
            problems.push(format!("the fragment {key} of {kind:?} cannot be read"));
        }
    }
    Ok(problems)
}

fn tables(connection: &Connection) -> Result<Vec<TableSize>, Error> {
    let mut statement = connection.prepare(
        "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name \
         WHERE d.aggregate = 1 GROUP BY s.tbl_name ORDER BY 2 DESC, 1",
    )?;
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sizes = rows.collect::<Result<Vec<(String, i64)>, _>>()?;
    sizes
        .into_iter()
        .map(|(name, bytes)| {
            // The name is the schema's own.
            let text = format!("SELECT count(*) FROM \"{name}\"");
            let rows: i64 = connection.query_row(&text, (), |row| row.get(0))?;
            Ok(TableSize { name, rows: rows.unsigned_abs(), bytes: bytes.unsigned_abs() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dictionary::{self, Dictionaries};
    use crate::engine::Connection;
    use crate::sqlite::{connection, migrate};

    /// What is told of a new store after `damage`.
    fn problems(name: &str, damage: &str) -> Vec<String> {
        let name = format!("callvault-doctor-{}-{name}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        connection::create_file(&path).unwrap();
        let mut connection = Connection::Sqlite(connection::writer(&path).unwrap());
        migrate::migrate(&mut connection, &path).unwrap();
        if !damage.is_empty() {
            connection.execute(damage, ()).unwrap();
        }
        let rows = dictionary::rows(&connection).unwrap();
        let codec = Codec::new(Arc::new(Dictionaries::new(path.clone(), rows)));
        let diagnosis = diagnose(&path, codec).unwrap();
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
    fn typed_rows_without_a_record_are_told() {
        let damage = "INSERT INTO session (record_key, ordinal, id_key) VALUES (1, 0, x'00')";
        assert_eq!(problems("rows", damage), ["1 session rows belong to no current version"]);
    }
}
