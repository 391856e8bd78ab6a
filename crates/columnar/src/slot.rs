//! The values that a question looks at, each once: columns, and for ends of streams what is made of some.

use std::sync::Arc;

use model::columns::{Affinity, Kind, Table, find};
use model::generated::{CALL_END, LEG_ROW, STREAM_END};
use odata::bound::{Expr, ExprKind, Path, PathStep, Root};
use odata::edm::StructuredType;

use crate::column::Column;
use crate::leg::{self, End};

/// A value that a question looks at.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    source: Source,
    pub(crate) kind: Kind,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnName {
    /// Its table.
    pub table: Table,
    /// Its name there.
    pub name: &'static str,
    /// How its values are stored.
    pub affinity: Affinity,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// From a column. Where it stands for ends, that of the callee is another one.
    Column {
        table: Table,
        name: &'static str,
        of_callee: Option<&'static str>,
        /// A column of the same table: where that is not 1, the value is null.
        only_if: Option<&'static str>,
    },
    /// Which end of a stream the row is about.
    End,
    /// Whether this end sends or receives.
    Direction,
    /// Whether this end is the first one of its segment.
    IsFirst,
    /// The id of who is at this end, or at the other one.
    Person { is_peer: bool },
}

impl Slot {
    /// The columns that it is made of, at one end of streams where rows are about ends.
    pub fn columns(&self, end: Option<End>) -> Vec<ColumnName> {
        let of_segment = |name, affinity| ColumnName { table: Table::Segment, name, affinity };
        match self.source {
            Source::Column { table, name, of_callee, only_if } => {
                let name = of_callee.filter(|_| end == Some(End::Callee)).unwrap_or(name);
                let own = ColumnName { table, name, affinity: affinity(self.kind) };
                let flag = |name| ColumnName { table, name, affinity: Affinity::Integer };
                [Some(own), only_if.map(flag)].into_iter().flatten().collect()
            }
            Source::End => Vec::new(),
            Source::Direction => {
                let (table, affinity) = (Table::Stream, Affinity::Text);
                vec![ColumnName { table, name: "stream_direction", affinity }]
            }
            Source::IsFirst => vec![of_segment("first_end", Affinity::Integer)],
            Source::Person { is_peer } => {
                let end = end.unwrap_or(End::Caller);
                let end = if is_peer { end.other() } else { end };
                leg::IDS[end as usize].map(|name| of_segment(name, Affinity::Text)).into()
            }
        }
    }

    /// A name for what takes long to be made of several columns, at an end.
    pub fn name(&self, end: Option<End>) -> Option<&'static str> {
        let Source::Person { is_peer } = self.source else { return None };
        let is_callee = (end == Some(End::Callee)) != is_peer;
        Some(if is_callee { "the callee" } else { "the caller" })
    }

    /// Its values, made of these columns.
    pub fn column(&self, columns: &[Arc<Column>], end: Option<End>, rows: usize) -> Arc<Column> {
        let end = end.unwrap_or(End::Caller);
        match (self.source, columns) {
            (Source::Column { only_if: None, .. }, [column]) => Arc::clone(column),
            (Source::Column { .. }, [column, flag]) => Arc::new(column.only_if(flag, rows)),
            (Source::End, _) => Arc::new(leg::name(end, rows)),
            (Source::Direction, [column]) => Arc::new(leg::direction(column, end)),
            (Source::IsFirst, [column]) => Arc::new(leg::is_first(column, end, rows)),
            (Source::Person { .. }, ids) => Arc::new(leg::first_text(ids, rows)),
            _ => Arc::new(Column::Nothing),
        }
    }
}

/// How values of a kind are stored.
fn affinity(kind: Kind) -> Affinity {
    match kind {
        Kind::Int | Kind::Bool | Kind::Instant | Kind::Duration => Affinity::Integer,
        Kind::Real => Affinity::Real,
        Kind::Text | Kind::Enum(_) | Kind::EnumSet(_) | Kind::IdKey => Affinity::Text,
    }
}

/// The expression with values of slots in place of its paths; none if a path leads to something that no column
/// has.
pub(crate) fn with_slots(
    expr: &Expr,
    root: &'static StructuredType,
    slots: &mut Vec<Slot>,
) -> Option<Expr> {
    expr.with_paths(&mut |path, ty| {
        let at = slot_of(path, root, slots)?;
        Some(Expr { kind: ExprKind::Path(Path { root: Root::Value(at), steps: Vec::new() }), ty })
    })
}

fn slot_of(path: &Path, root: &'static StructuredType, slots: &mut Vec<Slot>) -> Option<usize> {
    if matches!(path.root, Root::Variable(_) | Root::Value(_)) {
        return None;
    }
    let is_leg = std::ptr::eq(root, &raw const LEG_ROW);
    let slot = of_column(path, root).or_else(|| of_leg(path).filter(|_| is_leg))?;
    Some(slots.iter().position(|known| known.source == slot.source).unwrap_or_else(|| {
        slots.push(slot);
        slots.len() - 1
    }))
}

fn of_column(path: &Path, root: &'static StructuredType) -> Option<Slot> {
    let found = find(root, &path.steps)?;
    if matches!(found.kind, Kind::EnumSet(_) | Kind::IdKey) {
        return None;
    }
    let source = Source::Column {
        table: found.table,
        name: found.column,
        of_callee: found.of_callee,
        only_if: found.only_if,
    };
    Some(Slot { source, kind: found.kind })
}

/// What no single column has of the row of an end.
fn of_leg(path: &Path) -> Option<Slot> {
    let names: Option<Vec<_>> = path.steps.iter().map(PathStep::name).collect();
    let (source, kind) = match names?.as_slice() {
        ["end"] => (Source::End, Kind::Enum(&CALL_END)),
        ["direction"] => (Source::Direction, Kind::Enum(&STREAM_END)),
        ["isFirst"] => (Source::IsFirst, Kind::Bool),
        ["person", "id"] => (Source::Person { is_peer: false }, Kind::Text),
        ["peerPerson", "id"] => (Source::Person { is_peer: true }, Kind::Text),
        _ => return None,
    };
    Some(Slot { source, kind })
}
