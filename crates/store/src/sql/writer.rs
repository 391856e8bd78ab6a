//! Builds a statement from literals and binds.

use std::fmt::Write as _;

use super::dialect::Dialect;
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
pub(crate) struct Writer<'d> {
    dialect: &'d dyn Dialect,
    text: String,
    binds: Vec<Bind>,
}

impl<'d> Writer<'d> {
    pub(crate) fn new(dialect: &'d dyn Dialect) -> Self {
        Self { dialect, text: String::with_capacity(512), binds: Vec::new() }
    }

    pub(crate) fn push_sql(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    pub(crate) fn push_bind(&mut self, bind: Bind) {
        self.binds.push(bind);
        self.dialect.placeholder(self.binds.len(), &mut self.text);
    }

    pub(crate) fn push_alias(&mut self, alias: Alias) {
        self.text.push_str(alias.letter);
        if alias.number > 0 {
            // Writing to a String cannot fail.
            let _ = write!(self.text, "{}", alias.number);
        }
    }

    pub(crate) fn push_true(&mut self, column: &'static str) {
        self.dialect.is_true(column, &mut self.text);
    }

    pub(crate) fn push_ordered_join(&mut self) {
        self.text.push_str(self.dialect.ordered_join());
    }

    pub(crate) fn finish(self) -> Statement {
        Statement { text: self.text, binds: self.binds }
    }
}
