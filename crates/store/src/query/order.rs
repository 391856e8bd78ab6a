//! The order of rows in SQL, and what comes behind a row in it.

use model::columns::Table;
use model::rows::RowSet;
use odata::bound::OrderKey;

use super::compiler::Compiler;
use super::condition::folded;
use super::position::Position;
use super::scope::{alias_of, row_ordinals};
use super::value::Kind;
use crate::Error;
use crate::sql::{Alias, Bind, Sql};

/// What rows are ordered by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) sql: Sql,
    pub(crate) value: TermValue,
    pub(crate) is_descending: bool,
    /// Null comes first, or last when descending.
    is_nullable: bool,
}

/// Where a row has the value of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TermValue {
    Start,
    Id,
    Ordinal(usize),
    /// Among what the statement selects for the order alone.
    Extra(usize),
}

/// An index that gives records in the order of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeadingIndex {
    ByStart,
    ByEnd,
    /// Rows have to be sorted.
    No,
}

/// The order of rows: terms that no two rows share all values of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) terms: Vec<Term>,
    pub(crate) led: LeadingIndex,
    set: RowSet,
    /// All rows are of one record, which has one start and one id.
    pub(crate) is_of_one_record: bool,
}

impl Order {
    /// The order of a query, if SQL knows all of its keys exactly. `dated` is the table that
    /// has the start of a record.
    pub(crate) fn new<'q>(
        compiler: &mut Compiler<'q>,
        keys: &'q [OrderKey],
        dated: Alias,
    ) -> Option<Self> {
        let mut terms: Vec<Term> = Vec::new();
        let mut extras = 0;
        for key in keys {
            let mut scalar = compiler.scalar(&key.value)?;
            if !scalar.kind.is_ordered() {
                return None;
            }
            if scalar.kind == Kind::Text {
                scalar.sql = folded(compiler.tenant.dialect, scalar.sql);
            }
            let is_start = is_record("start_date_time", &scalar.sql);
            let value = if is_start { TermValue::Start } else { TermValue::Extra(extras) };
            let is_nullable = matches!(value, TermValue::Extra(_)) && !is_end(&scalar.sql);
            let sql = match value {
                TermValue::Start => Sql::column(dated, "start_date_time"),
                _ => scalar.sql,
            };
            let term = Term { sql, value, is_descending: key.is_descending, is_nullable };
            if !terms.iter().any(|known| known.sql == term.sql) {
                extras += usize::from(matches!(value, TermValue::Extra(_)));
                terms.push(term);
            }
        }
        Some(Self::with_ties(compiler.set, dated, terms))
    }

    fn with_ties(set: RowSet, dated: Alias, mut terms: Vec<Term>) -> Self {
        let record = alias_of(Table::CallRecord);
        let led = match terms.first() {
            None => LeadingIndex::ByStart,
            Some(term) if term.value == TermValue::Start => LeadingIndex::ByStart,
            Some(term) if is_end(&term.sql) => LeadingIndex::ByEnd,
            Some(_) => LeadingIndex::No,
        };
        let tie =
            |sql, value, is_descending| Term { sql, value, is_descending, is_nullable: false };
        let mut ties = vec![
            tie(Sql::column(dated, "start_date_time"), TermValue::Start, true),
            tie(Sql::column(record, "id"), TermValue::Id, false),
        ];
        for (index, ordinal) in row_ordinals(set).enumerate() {
            ties.push(tie(ordinal, TermValue::Ordinal(index), false));
        }
        for tie in ties {
            if !terms.iter().any(|known| known.sql == tie.sql) {
                terms.push(tie);
            }
        }
        Self { terms, led, set, is_of_one_record: false }
    }

    /// ORDER BY. The record's key makes the order of an index unique where tables are joined.
    pub(crate) fn sql(&self) -> Sql {
        let mut parts = Vec::with_capacity(self.terms.len() + 1);
        if self.is_of_one_record && self.set != RowSet::Records {
            // By id and version the index is unique, so that what is joined comes in its order.
            parts.push(Sql::column(alias_of(Table::CallRecord), "version"));
        }
        for term in &self.terms {
            if self.is_of_one_record && matches!(term.value, TermValue::Start | TermValue::Id) {
                continue;
            }
            let sql = term.sql.clone();
            let sql = if term.is_descending { sql.push(" DESC") } else { sql };
            // Null is the least value.
            parts.push(match (term.is_nullable, term.is_descending) {
                (false, _) => sql,
                (true, false) => sql.push_either("", " NULLS FIRST"),
                (true, true) => sql.push_either("", " NULLS LAST"),
            });
            if term.value == TermValue::Id && self.set != RowSet::Records {
                parts.push(Sql::column(alias_of(Table::CallRecord), "record_key"));
            }
        }
        if parts.is_empty() {
            return Sql::new();
        }
        Sql::text(" ORDER BY ").append(Sql::join(parts, ", "))
    }

    /// Columns that are selected for the order alone.
    pub(crate) fn extras(&self) -> impl Iterator<Item = &Sql> {
        self.terms
            .iter()
            .filter(|term| matches!(term.value, TermValue::Extra(_)))
            .map(|term| &term.sql)
    }

    /// What is known of the leading term of rows behind a position, as a bound that an index can
    /// use, and the whole condition that such rows meet once the bound holds.
    pub(crate) fn behind(&self, position: &Position) -> Result<Option<(Bound, Sql)>, Error> {
        if position.values.is_empty() {
            return Ok(None);
        }
        if position.values.len() != self.terms.len() {
            return Err(Error::Position);
        }
        let pairs: Vec<_> = self.terms.iter().zip(&position.values).collect();
        let (first, value) = pairs[0];
        let bound =
            match value {
                Some(Bind::Int(start)) if first.value == TermValue::Start => {
                    if first.is_descending { Bound::Until(*start) } else { Bound::From(*start) }
                }
                Some(value) if !first.is_nullable => {
                    let text = if first.is_descending { " <= " } else { " >= " };
                    Bound::Other(first.sql.clone().push(text).push_bind(value.clone()))
                }
                _ => Bound::None,
            };
        let is_bounded = bound != Bound::None;
        Ok(Some((bound, behind(&pairs, is_bounded).grouped())))
    }
}

/// A bound on the leading term of an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    /// The last start that a record may have.
    Until(i64),
    /// The first start that a record may have.
    From(i64),
    Other(Sql),
    None,
}

/// `is_bounded`: the first term is known to be equal if it isn't behind.
fn behind(pairs: &[(&Term, &Option<Bind>)], is_bounded: bool) -> Sql {
    let Some(((term, value), rest)) = pairs.split_first() else { return Sql::either("0", "FALSE") };
    let sql = term.sql.clone();
    let strictly = match (value, term.is_descending) {
        (Some(value), false) => Some(sql.push(" > ").push_bind(value.clone())),
        (Some(value), true) => {
            let less = sql.push(" < ").push_bind(value.clone());
            Some(if term.is_nullable {
                less.push(" OR ").append(term.sql.clone()).push(" IS NULL")
            } else {
                less
            })
        }
        (None, false) => Some(sql.push(" IS NOT NULL")),
        (None, true) => None,
    };
    if rest.is_empty() {
        return strictly.unwrap_or_else(|| Sql::either("0", "FALSE"));
    }
    let inner = behind(rest, false);
    let equal = if is_bounded {
        inner
    } else {
        let same = match value {
            Some(value) => term.sql.clone().push(" = ").push_bind(value.clone()),
            None => term.sql.clone().push(" IS NULL"),
        };
        same.push(" AND (").append(inner).push(")").grouped()
    };
    Sql::join(strictly.into_iter().chain([equal]), " OR ")
}

/// Whether SQL is just that column of the record.
fn is_record(column: &'static str, sql: &Sql) -> bool {
    *sql == Sql::column(alias_of(Table::CallRecord), column)
}

fn is_end(sql: &Sql) -> bool {
    is_record("end_date_time", sql)
}
