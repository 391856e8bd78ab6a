//! The full-text index: which current records have which words.
//!
//! Every word stands behind its tenant's number, so that a tenant comes first in this index as in
//! all others. A row's key has the start above the record's key: rows come in the order of their
//! starts, and a range of starts is a range of keys.

use std::sync::LazyLock;

use model::search::Candidates;

use super::keys::Shard;
use crate::engine::{Connection, Dialect, Insertion};
use crate::{Cause, Error};

/// Bits of a search key that hold the record's key.
const RECORD_BITS: u32 = 35;

/// How long the starts are that share a bucket, in ticks (64 s).
const BUCKET_TICKS: i64 = 64 * 10_000_000;

/// Bytes of the words of a vector, and of one word, for PostgreSQL.
const LONGEST_VECTOR: usize = 1_000_000;
const LONGEST_LEXEME: usize = 2_000;

/// Buckets on either side of 1970, which reach 272 years.
const BUCKETS: i64 = 1 << 27;

static OF_FILES: LazyLock<Insertion> =
    LazyLock::new(|| Insertion::new("record_search", &["rowid", "words"]));
static OF_NODES: LazyLock<Insertion> = LazyLock::new(|| {
    Insertion::new("record_search", &["search_key", "record_key", "shard_key", "words"])
});

/// The bucket that a start falls in; those too far off share the last ones.
fn bucket(start: i64) -> i64 {
    start.div_euclid(BUCKET_TICKS).clamp(-BUCKETS, BUCKETS - 1)
}

/// The rowid of a record in table `record_search`.
pub(crate) fn search_key(start: i64, record_key: i64) -> Result<i64, Error> {
    if record_key >> RECORD_BITS != 0 {
        return Err(Error::Full(Cause::new("the full-text index has no more keys")));
    }
    Ok(bucket(start) << RECORD_BITS | record_key)
}

/// The record's key in a search key.
#[cfg(test)]
pub(crate) fn record_key(search_key: i64) -> i64 {
    search_key & ((1 << RECORD_BITS) - 1)
}

/// The number of the bucket of starts that a search key is in.
pub(crate) fn bucket_of(search_key: i64) -> i64 {
    search_key >> RECORD_BITS
}

/// The least and the greatest search key of records that start between two instants (ticks, both
/// included). Records outside may have keys in between, as a bucket is longer than an instant.
pub(crate) fn search_keys(from: i64, to: i64) -> (i64, i64) {
    (bucket(from) << RECORD_BITS, bucket(to) << RECORD_BITS | ((1 << RECORD_BITS) - 1))
}

/// A tenant's number, and the dialect of the engine that has its records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tenant {
    pub(crate) key: i64,
    pub(crate) dialect: Dialect,
    /// The index has the words of all records.
    pub(crate) are_words_there: bool,
    /// All records have all columns.
    pub(crate) are_columns_there: bool,
    /// All records that are asked have plain values ([`model::flags::PLAIN_VALUES`]).
    pub(crate) has_plain_values: bool,
    /// Places are looked up in tables that the statement brings along.
    pub(crate) has_places: bool,
}

/// The question to the index for candidates of a tenant, in the engine's own language; none when the
/// index can't narrow them, and all records are candidates. [`Candidates::Nothing`] asks for a word that no
/// record has.
pub(crate) fn match_text(tenant: Tenant, candidates: &Candidates) -> Option<String> {
    if *candidates == Candidates::All {
        return None;
    }
    let mut text = String::new();
    push_match(tenant, candidates, &mut text);
    Some(text)
}

fn push_match(tenant: Tenant, candidates: &Candidates, text: &mut String) {
    let (and, or, except, prefix) = match tenant.dialect {
        Dialect::Sqlite => (" AND ", " OR ", " NOT ", " *"),
        Dialect::Postgres => (" & ", " | ", " & !", ":*"),
    };
    let mut push_all = |parts: &[Candidates], between: &str| {
        text.push('(');
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                text.push_str(between);
            }
            push_match(tenant, part, text);
        }
        text.push(')');
    };
    match candidates {
        Candidates::And(parts) => push_all(parts, and),
        Candidates::Or(parts) => push_all(parts, or),
        Candidates::Except(all, without) => {
            text.push('(');
            push_match(tenant, all, text);
            text.push_str(except);
            push_match(tenant, without, text);
            text.push(')');
        }
        Candidates::Word(word) => push_quoted(tenant, word, text),
        Candidates::Prefix(start) => {
            push_quoted(tenant, start, text);
            text.push_str(prefix);
        }
        // No word has a quote, and no tenant has an empty word.
        Candidates::All | Candidates::Nothing => push_quoted(tenant, "", text),
    }
}

/// A string of the index's own language, in which only the quote has a meaning, and for PostgreSQL
/// the backslash.
fn push_quoted(tenant: Tenant, word: &str, text: &mut String) {
    let tenant_key = tenant.key;
    match tenant.dialect {
        Dialect::Sqlite => {
            text.push('"');
            push_word(tenant_key, &word.replace('"', ""), text);
            text.push('"');
        }
        Dialect::Postgres => {
            text.push('\'');
            let mut quoted = String::new();
            push_word(tenant_key, word, &mut quoted);
            quoted.truncate(quoted.floor_char_boundary(LONGEST_LEXEME));
            text.push_str(&quoted.replace('\\', "\\\\").replace('\'', "''"));
            text.push('\'');
        }
    }
}

/// A word as the index has it.
fn push_word(tenant_key: i64, word: &str, text: &mut String) {
    text.push_str(&tenant_key.to_string());
    text.push('\u{b7}');
    text.push_str(word);
}

/// Where a record's words are put.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// When the record starts (ticks).
    pub(crate) start: i64,
    pub(crate) record_key: i64,
    pub(crate) shard: Shard,
}

/// Rows to be inserted at the transaction's end: the index takes rows in the order of their keys at
/// once, while each step back makes it write down what it has.
#[derive(Debug, Default)]
pub(crate) struct WordBuffer(Vec<Row>);

#[derive(Debug)]
struct Row {
    place: Place,
    words: String,
}

impl WordBuffer {
    /// Adds a record's words, which have spaces between.
    pub(crate) fn add(&mut self, tenant_key: i64, place: Place, words: &str) -> Result<(), Error> {
        let mut before = String::new();
        push_word(tenant_key, "", &mut before);
        let mut text = String::with_capacity(2 * words.len());
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&before);
            text.push_str(word);
        }
        if place.shard.0.is_none() {
            search_key(place.start, place.record_key)?;
        }
        self.0.push(Row { place, words: text });
        Ok(())
    }

    /// Takes a record out of the buffer or the index.
    pub(crate) fn delete(
        &mut self,
        connection: &Connection,
        start: i64,
        record_key: i64,
    ) -> Result<(), Error> {
        if let Some(at) = self.0.iter().rposition(|row| row.place.record_key == record_key) {
            self.0.swap_remove(at);
            return Ok(());
        }
        let (text, key) = match connection {
            Connection::Sqlite(_) => {
                ("DELETE FROM record_search WHERE rowid = ?1", search_key(start, record_key)?)
            }
            Connection::Postgres(_) => {
                ("DELETE FROM record_search WHERE record_key = ?1", record_key)
            }
        };
        connection.execute(text, [key]).map(drop)
    }

    /// Inserts the rows.
    pub(crate) fn flush(&mut self, connection: &Connection) -> Result<(), Error> {
        self.0.sort_unstable_by_key(|row| (bucket(row.place.start), row.place.record_key));
        for Row { place: Place { start, record_key, shard }, words } in self.0.drain(..) {
            match shard.0 {
                None => connection.put(&OF_FILES, (search_key(start, record_key)?, words))?,
                Some(shard_key) => {
                    let key = search_keys(start, start).0;
                    let words = bounded(&words);
                    connection.put(&OF_NODES, (key, record_key, shard_key, words))?;
                }
            }
        }
        Ok(())
    }

    /// Forgets the rows.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Words as PostgreSQL can index them: as many as fit into one of its vectors, none longer than it
/// takes (PostgreSQL, "Limitations" of full text search). Meetings of thousands stay far below.
fn bounded(words: &str) -> String {
    let mut out = String::with_capacity(words.len().min(LONGEST_VECTOR));
    for word in words.split(' ') {
        if out.len() + word.len() >= LONGEST_VECTOR {
            tracing::warn!("a record has more words than PostgreSQL can index");
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word[..word.floor_char_boundary(LONGEST_LEXEME)]);
    }
    out
}

#[cfg(test)]
mod tests {
    use model::search::Query;
    use odata::bound::Search;

    use super::*;
    use crate::testing;

    const DAY: i64 = 24 * 3_600 * 10_000_000;
    const POSTGRES: Tenant = Tenant {
        key: 7,
        dialect: Dialect::Postgres,
        are_words_there: true,
        are_columns_there: true,
        has_places: false,
        has_plain_values: false,
    };

    fn place(start: i64, record_key: i64) -> Place {
        Place { start, record_key, shard: Shard::default() }
    }

    #[test]
    fn keys_come_in_the_order_of_starts_and_give_back_the_record() {
        let starts = [i64::MIN, -DAY, -1, 0, BUCKET_TICKS, DAY, 20_000 * DAY, i64::MAX];
        let keys = starts.map(|start| search_key(start, 77).unwrap());
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(keys.iter().all(|key| record_key(*key) == 77));
        assert!(keys[1] < 0 && keys[2] < 0, "{keys:?}");
        for pair in starts.windows(2) {
            let (least, greatest) = search_keys(pair[0], pair[1]);
            for start in pair {
                let key = search_key(*start, 5).unwrap();
                assert!((least..=greatest).contains(&key));
            }
        }
        assert!(matches!(search_key(0, 1 << 35), Err(Error::Full(_))));
    }

    fn found(connection: &Connection, tenant_key: i64, search: &Search) -> Vec<i64> {
        let (candidates, _) = Query::new(search).candidates();
        let wanted = match_text(
            Tenant {
                key: tenant_key,
                dialect: Dialect::Sqlite,
                are_words_there: true,
                are_columns_there: true,
                has_places: false,

                has_plain_values: false,
            },
            &candidates,
        )
        .unwrap();
        let text =
            "SELECT rowid FROM record_search WHERE record_search MATCH ?1 ORDER BY rowid DESC";
        connection.all(text, [wanted], |row| Ok(record_key(row.get(0)?))).unwrap()
    }

    #[test]
    fn words_fit_into_what_postgresql_can_index() {
        let long = "ü".repeat(LONGEST_LEXEME);
        assert_eq!(bounded(&format!("a {long} b")), format!("a {} b", "ü".repeat(1_000)));
        let many = "word ".repeat(300_000);
        let kept = bounded(many.trim_end());
        assert!(kept.len() < LONGEST_VECTOR && kept.ends_with(" word"), "{}", kept.len());
        let wanted = Candidates::Prefix(long);
        let text = match_text(POSTGRES, &wanted).unwrap();
        assert_eq!(text, format!("'7\u{b7}{}':*", "ü".repeat(998)));
        let odd = match_text(POSTGRES, &Candidates::Word("a'b\\c".to_owned()));
        assert_eq!(odd.unwrap(), "'7\u{b7}a''b\\\\c'");
    }

    #[test]
    fn words_are_found_behind_their_tenant_and_the_latest_start_first() {
        let connection = testing::migrated();
        let mut words = WordBuffer::default();
        words.add(7, place(5 * DAY, 1), "abbie 10.0.0.7 größe").unwrap();
        words.add(7, place(-DAY, 2), "abbie wilkins 2001:db8::1").unwrap();
        words.add(8, place(9 * DAY, 3), "abbie").unwrap();
        words.add(7, place(9 * DAY, 4), "abbie wilkins").unwrap();
        words.delete(&connection, 9 * DAY, 4).unwrap();
        words.flush(&connection).unwrap();
        let word = |text: &str| Search::Word(text.to_owned());
        let find = |tenant_key, text| found(&connection, tenant_key, &word(text));
        assert_eq!(find(7, "abbie"), [1, 2]);
        assert_eq!(find(7, "abb*"), [1, 2]);
        assert_eq!(find(8, "abbie"), [3]);
        assert_eq!(find(7, "10.0.0.7"), [1]);
        assert_eq!(find(7, "10.0.*"), [1]);
        assert_eq!(find(7, "2001:DB8::1"), [2]);
        assert_eq!(find(7, "GRÖßE"), [1]);
        assert_eq!(find(7, "-"), [0; 0]);
        let not = Search::Not(Box::new(word("wilkins")));
        let both = Search::And(Box::new(word("abbie")), Box::new(not));
        assert_eq!(found(&connection, 7, &both), [1]);
        let either = Search::Or(Box::new(word("größe")), Box::new(word("wilkins")));
        assert_eq!(found(&connection, 7, &either), [1, 2]);
        let mut words = WordBuffer::default();
        words.delete(&connection, 5 * DAY, 1).unwrap();
        assert_eq!(find(7, "abbie"), [2]);
        words.add(7, place(5 * DAY, 1), "robin").unwrap();
        words.flush(&connection).unwrap();
        assert_eq!((find(7, "abbie"), find(7, "robin")), (vec![2], vec![1]));
    }
}
