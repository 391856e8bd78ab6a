//! SQLite's wording.

use std::fmt::Write;

use super::dialect::Dialect;

/// SQLite 3.
#[derive(Debug)]
pub(crate) struct Sqlite;

impl Dialect for Sqlite {
    fn placeholder(&self, number: usize, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(out, "?{number}");
    }

    /// Spelled as in the partial index, which serves only conditions that it can prove.
    fn is_true(&self, column: &'static str, out: &mut String) {
        out.push_str(column);
        out.push_str(" = 1");
    }

    /// SQLite does not reorder a CROSS JOIN.
    fn ordered_join(&self) -> &'static str {
        "CROSS JOIN"
    }
}
