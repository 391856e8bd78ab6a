//! Builds a statement from literals and binds.

use std::fmt::Write as _;

use super::fragment::Alias;

/// SQL text and the values of its placeholders.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) binds: Vec<Bind>,
}

/// A value of a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bind {
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A statement in the making.
pub(crate) struct Writer {
    text: String,
    binds: Vec<Bind>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { text: String::with_capacity(512), binds: Vec::new() }
    }

    pub(crate) fn push_sql(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    pub(crate) fn push_number(&mut self, number: i64) {
        // As below.
        let _ = write!(self.text, "{number}");
    }

    pub(crate) fn push_bind(&mut self, bind: Bind) {
        self.binds.push(bind);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "?{}", self.binds.len());
    }

    /// As [`Self::push_bind`], with the type said that an engine can't always tell from the context.
    pub(crate) fn push_typed(&mut self, bind: Bind) {
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

    pub(crate) fn push_alias(&mut self, alias: Alias) {
        self.text.push_str(alias.letter);
        if alias.number > 0 {
            // Writing to a String cannot fail.
            let _ = write!(self.text, "{}", alias.number);
        }
    }

    pub(crate) fn finish(self) -> Statement {
        Statement { text: self.text, binds: self.binds }
    }
}
