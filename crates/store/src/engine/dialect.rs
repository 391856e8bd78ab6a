//! The dialects of SQL that the engines speak.

/// A dialect of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Translates a statement from SQLite's dialect to PostgreSQL's. Placeholders are numbered with `$`,
/// and two hints go that SQLite's planner follows and PostgreSQL has no word for: the index to use
/// (`INDEXED BY`), and the order of an inner join (`CROSS JOIN … ON`).
pub(super) fn to_postgres(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut words = text.split(' ').peekable();
    let mut is_first = true;
    while let Some(word) = words.next() {
        match word {
            "INDEXED" if words.peek() == Some(&"BY") => {
                words.next();
                words.next();
                continue;
            }
            // One without a condition stays what it is.
            "CROSS" if words.peek() == Some(&"JOIN") && has_condition(words.clone()) => continue,
            _ => {}
        }
        if !is_first {
            out.push(' ');
        }
        is_first = false;
        push_word(word, &mut out);
    }
    out
}

/// `JOIN table alias ON`
fn has_condition<'w>(mut words: impl Iterator<Item = &'w str>) -> bool {
    words.nth(3) == Some("ON")
}

fn push_word(word: &str, out: &mut String) {
    let mut characters = word.chars().peekable();
    while let Some(character) = characters.next() {
        let is_place = character == '?' && characters.peek().is_some_and(char::is_ascii_digit);
        out.push(if is_place { '$' } else { character });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_postgresql_words_otherwise_changes() {
        for (text, expected) in [
            (
                "SELECT a FROM t WHERE b = ?1 AND c IN (?2, ?13)",
                "SELECT a FROM t WHERE b = $1 AND c IN ($2, $13)",
            ),
            ("SELECT a FROM t u INDEXED BY i WHERE u.b = ?1", "SELECT a FROM t u WHERE u.b = $1"),
            ("SELECT count(*) FROM d INDEXED BY i", "SELECT count(*) FROM d"),
            (
                "SELECT a FROM t u CROSS JOIN v w ON w.k = u.k",
                "SELECT a FROM t u JOIN v w ON w.k = u.k",
            ),
            (
                "FROM s CROSS JOIN (SELECT 0 AS c) x LEFT JOIN e ON e.k = s.k",
                "FROM s CROSS JOIN (SELECT 0 AS c) x LEFT JOIN e ON e.k = s.k",
            ),
        ] {
            assert_eq!(to_postgres(text), expected);
        }
    }
}
