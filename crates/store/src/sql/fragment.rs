//! Pieces of SQL that are put together in any order before their placeholders get numbers.

use std::fmt::Write as _;

use super::statement::{Bind, Statement};
use crate::engine::Dialect;

/// A table's name within a statement: a letter, and a number unless it is the only one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) letter: &'static str,
    pub(crate) number: usize,
}

impl Alias {
    /// The only table of its kind.
    pub(crate) const fn of(letter: &'static str) -> Self {
        Self { letter, number: 0 }
    }
}

/// Part of a statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sql {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(&'static str),
    /// In SQLite's dialect and in PostgreSQL's.
    Either(&'static str, &'static str),
    Alias(Alias),
    Number(i64),
    Bind(Bind),
}

impl Sql {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A literal text.
    pub(crate) fn text(text: &'static str) -> Self {
        Self { pieces: vec![Piece::Text(text)] }
    }

    /// A text that differs in PostgreSQL's dialect.
    pub(crate) fn either(sqlite: &'static str, postgres: &'static str) -> Self {
        Self::new().push_either(sqlite, postgres)
    }

    /// A value.
    pub(crate) fn value(bind: Bind) -> Self {
        Self { pieces: vec![Piece::Bind(bind)] }
    }

    /// A column of a table.
    pub(crate) fn column(alias: Alias, name: &'static str) -> Self {
        Self::new().push_column(alias, name)
    }

    #[must_use]
    pub(crate) fn push(mut self, text: &'static str) -> Self {
        self.pieces.push(Piece::Text(text));
        self
    }

    #[must_use]
    pub(crate) fn push_either(mut self, sqlite: &'static str, postgres: &'static str) -> Self {
        self.pieces.push(Piece::Either(sqlite, postgres));
        self
    }

    #[must_use]
    pub(crate) fn push_bind(mut self, bind: Bind) -> Self {
        self.pieces.push(Piece::Bind(bind));
        self
    }

    /// A number that is part of the text, which tells the planner more than a value does.
    #[must_use]
    pub(crate) fn push_number(mut self, number: i64) -> Self {
        self.pieces.push(Piece::Number(number));
        self
    }

    #[must_use]
    pub(crate) fn push_alias(mut self, alias: Alias) -> Self {
        self.pieces.push(Piece::Alias(alias));
        self
    }

    #[must_use]
    pub(crate) fn push_column(self, alias: Alias, name: &'static str) -> Self {
        self.push_alias(alias).push(".").push(name)
    }

    #[must_use]
    pub(crate) fn append(mut self, other: Sql) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// In parentheses.
    #[must_use]
    pub(crate) fn grouped(self) -> Self {
        Self::text("(").append(self).push(")")
    }

    /// The parts with a text between them.
    pub(crate) fn join(parts: impl IntoIterator<Item = Sql>, between: &'static str) -> Self {
        let mut joined = Self::new();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                joined = joined.push(between);
            }
            joined = joined.append(part);
        }
        joined
    }

    /// Whether the test holds for a table's name in it.
    pub(crate) fn any_alias(&self, test: impl Fn(Alias) -> bool) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Alias(alias) if test(*alias)))
    }

    /// Of how many pieces it is made.
    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The statement that this is.
    pub(crate) fn finish(self, dialect: Dialect) -> Statement {
        let mut writer = Writer::new();
        for piece in self.pieces {
            match piece {
                Piece::Text(text) => writer.push_sql(text),
                Piece::Alias(alias) => writer.push_alias(alias),
                Piece::Number(number) => writer.push_number(number),
                Piece::Either(sqlite, postgres) => writer.push_sql(match dialect {
                    Dialect::Sqlite => sqlite,
                    Dialect::Postgres => postgres,
                }),
                Piece::Bind(bind) => match dialect {
                    Dialect::Sqlite => writer.push_bind(bind),
                    Dialect::Postgres => writer.push_typed(bind),
                },
            }
        }
        writer.finish()
    }
}

/// A statement in the making.
struct Writer {
    text: String,
    binds: Vec<Bind>,
}

impl Writer {
    fn new() -> Self {
        Self { text: String::with_capacity(512), binds: Vec::new() }
    }

    fn push_sql(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    fn push_number(&mut self, number: i64) {
        // As below.
        let _ = write!(self.text, "{number}");
    }

    fn push_bind(&mut self, bind: Bind) {
        self.binds.push(bind);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "?{}", self.binds.len());
    }

    /// Pushes a value with its type, which PostgreSQL can't always infer from the context.
    fn push_typed(&mut self, bind: Bind) {
        let ty = match bind {
            Bind::Int(_) => " AS bigint)",
            Bind::Real(_) => " AS double precision)",
            Bind::Text(_) => " AS text)",
            Bind::Bytes(_) => " AS bytea)",
        };
        self.push_sql("CAST(");
        self.push_bind(bind);
        self.push_sql(ty);
    }

    fn push_alias(&mut self, alias: Alias) {
        self.text.push_str(alias.letter);
        if alias.number > 0 {
            // Writing to a String cannot fail.
            let _ = write!(self.text, "{}", alias.number);
        }
    }

    fn finish(self) -> Statement {
        Statement { text: self.text, binds: self.binds }
    }
}
