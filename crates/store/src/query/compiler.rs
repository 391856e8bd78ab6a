//! What the expressions of one statement are compiled with: the tables they start at, and those that
//! the statement has to join for them.
//!
//! [`Compiler::condition`], [`Compiler::scalar`] and its lambdas stand in files of their own, since each
//! of them compiles expressions that may have any of the others inside.

use model::columns::Table;
use model::rows::RowSet;
use odata::bound::Root;

use super::scope::Scope;
use crate::sql::{Bind, Sql};
use crate::tables::search::Tenant;

/// A condition in SQL.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) sql: Sql,
    /// It is true of the same rows as the expression; else it is true of more.
    pub(crate) is_exact: bool,
}

/// What a condition in SQL has to keep of the expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// For what it is true.
    Truth,
    /// Also for what it is false and for what null; never inexact.
    Whole,
}

/// The tables that a statement needs for its columns, and the columns of places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct JoinedTables {
    /// Of each [`Table`], and of each of [`super::places::COLUMNS`].
    bits: u64,
}

/// The bit of the first column of places.
const FIRST_PLACE: usize = 8;

impl JoinedTables {
    pub(crate) fn note(&mut self, table: Table) {
        self.bits |= 1 << table as u8;
    }

    pub(crate) fn add(&mut self, others: Self) {
        self.bits |= others.bits;
    }

    pub(crate) fn has(self, table: Table) -> bool {
        self.bits & 1 << table as u8 != 0
    }

    pub(super) fn note_place(&mut self, column: usize) {
        self.bits |= 1 << (FIRST_PLACE + column);
    }

    pub(super) fn has_place(self, column: usize) -> bool {
        self.bits & 1 << (FIRST_PLACE + column) != 0
    }

    pub(super) fn without_places(self) -> Self {
        Self { bits: self.bits & ((1 << FIRST_PLACE) - 1) }
    }

    /// Whether any column of places is needed.
    pub(crate) fn has_places(self) -> bool {
        self != self.without_places()
    }
}

/// Compiles the expressions of one statement.
#[derive(Debug)]
pub(crate) struct Compiler<'q> {
    pub(super) tenant: Tenant,
    /// What the statement's rows are.
    pub(super) set: RowSet,
    /// What `Root::Item` is.
    pub(super) item: Scope,
    outermost: Scope,
    pub(super) variables: Vec<(&'q str, Scope)>,
    aliases: usize,
    pub(crate) joined: JoinedTables,
}

impl Compiler<'_> {
    /// For statements about the rows of a set.
    pub(crate) fn new(tenant: Tenant, set: RowSet) -> Self {
        let rows = Scope::rows(set, tenant.are_columns_there);
        Self {
            tenant,
            set,
            item: rows.clone(),
            outermost: rows,
            variables: Vec::new(),
            aliases: 0,
            joined: JoinedTables::default(),
        }
    }

    pub(super) fn scope(&self, root: &Root) -> Option<&Scope> {
        match root {
            Root::Item => Some(&self.item),
            Root::Outermost => Some(&self.outermost),
            Root::Variable(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                found.map(|(_, scope)| scope)
            }
            Root::Value(_) => None,
        }
    }

    /// A number that no other table of the statement has behind its letter.
    pub(super) fn next_alias(&mut self) -> usize {
        self.aliases += 1;
        self.aliases
    }
}

/// SQL that is true of no row, or of every row.
pub(super) fn always(value: bool) -> Condition {
    // A bind: SQLite has no plan by a given index for what it sees to be false.
    let sql = Sql::value(Bind::Int(i64::from(value))).push(" = 1");
    Condition { sql, is_exact: true }
}

pub(super) fn exact(sql: Sql) -> Condition {
    Condition { sql, is_exact: true }
}
