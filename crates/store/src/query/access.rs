//! What leads to the records of a query: an index, and the range of starts to look at in it.

use model::columns::{Kind as ColumnKind, Table, find};
use model::generated;
use model::rows::RowSet;
use odata::bound::{Expr, ExprKind, Operator, Path, PathStep, Quantifier, Root};
use odata::edm::Type;
use odata::literal::Literal;
use odata::primitive::Moment;

use super::lambda::participant_keys;
use crate::tables::search::Tenant;

/// The starts that a record may have (ticks, both included).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StartRange {
    pub(crate) from: Option<i64>,
    pub(crate) until: Option<i64>,
}

impl StartRange {
    /// Leaves out what starts before.
    pub(crate) fn begin_at(&mut self, start: i64) {
        self.from = self.from.max(Some(start));
    }

    /// Leaves out what starts behind.
    pub(crate) fn end_at(&mut self, start: i64) {
        self.until = Some(self.until.map_or(start, |until| until.min(start)));
    }
}

/// What leads to the records.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Access {
    /// The index by start.
    Start,
    /// The index by end.
    End,
    /// The key of an id.
    Id(Vec<u8>),
    /// The keys of several ids.
    Ids(Vec<Vec<u8>>),
    /// Keys of participants, who all take part; the first one leads.
    Participants(Vec<Vec<u8>>),
    /// An expression for the full-text index.
    Search(String),
    /// The entries of the change log behind one of them; and records with other than plain values.
    Behind(i64),
}

impl Access {
    /// For people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Start => "records by start",
            Self::End => "records by end",
            Self::Id(_) => "the record with the id",
            Self::Ids(_) => "the records with the ids",
            Self::Participants(_) => "records of a participant",
            Self::Search(_) => "records that contain the words",
            Self::Behind(_) => "records that changed last or have odd values",
        }
        .to_owned()
    }
}

/// How much of a filter an access path takes care of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Narrowing {
    /// Nothing.
    None,
    /// It leads to fewer rows, and the filter still has to be checked.
    Part,
    /// It leads only to rows that meet the filter.
    Whole,
}

/// The way to the records of a set, narrowed filter by filter.
#[derive(Debug, Clone)]
pub(super) struct AccessPath {
    set: RowSet,
    pub(super) access: Access,
    pub(super) range: StartRange,
    /// Keys of many participants, one of whom takes part.
    pub(super) parties: Vec<Vec<Vec<u8>>>,
    /// All records that are asked have plain values.
    has_plain_values: bool,
}

/// From so many participants on, the records of them all are looked for at once, and not each of them for
/// each record.
const MANY: usize = 16;

impl AccessPath {
    /// All records that don't start before an instant (ticks).
    pub(super) fn new(tenant: Tenant, set: RowSet, not_before: Option<i64>) -> Self {
        let range = StartRange { from: not_before, until: None };
        let has_plain_values = tenant.has_plain_values;
        Self { set, access: Access::Start, range, parties: Vec::new(), has_plain_values }
    }

    /// Narrows the way by a filter that is no conjunction.
    pub(super) fn narrow(&mut self, filter: &Expr) -> Narrowing {
        match self.bounds_start(filter) {
            Narrowing::None if self.names_record(filter) || self.names_records(filter) => {
                Narrowing::Whole
            }
            Narrowing::None => self.names_participant(filter),
            narrowing => narrowing,
        }
    }

    /// Whether the way is narrowed by all of a filter.
    pub(super) fn takes_all(&mut self, filter: &Expr) -> bool {
        match &filter.kind {
            ExprKind::And(parts) => parts.iter().all(|part| self.takes_all(part)),
            _ => self.narrow(filter) == Narrowing::Whole,
        }
    }

    /// `startDateTime ge 2026-01-01`
    fn bounds_start(&mut self, filter: &Expr) -> Narrowing {
        let ExprKind::Compare(operator, left, right) = &filter.kind else {
            return Narrowing::None;
        };
        let (path, operator, literal) = match (&left.kind, &right.kind) {
            (ExprKind::Path(path), ExprKind::Literal(literal)) => (path, *operator, literal),
            (ExprKind::Literal(literal), ExprKind::Path(path)) => {
                (path, operator.mirrored(), literal)
            }
            _ => return Narrowing::None,
        };
        let Literal::DateTimeOffset(Moment { at, .. }) = literal else { return Narrowing::None };
        if self.record_column(path) != Some("start_date_time") {
            return Narrowing::None;
        }
        let ticks = at.ticks;
        // Of a record between the same two ticks the column does not tell.
        let is_told = !at.is_between()
            && (self.has_plain_values || matches!(operator, Operator::Lt | Operator::Ge));
        match operator {
            Operator::Eq => {
                self.range.begin_at(ticks);
                self.range.end_at(ticks);
            }
            Operator::Gt if is_told => self.range.begin_at(ticks.saturating_add(1)),
            Operator::Ge | Operator::Gt => self.range.begin_at(ticks),
            Operator::Lt if !at.is_between() => self.range.end_at(ticks.saturating_sub(1)),
            Operator::Le | Operator::Lt => self.range.end_at(ticks),
            Operator::Ne => return Narrowing::None,
        }
        if is_told { Narrowing::Whole } else { Narrowing::Part }
    }

    /// `id eq '…'`
    fn names_record(&mut self, filter: &Expr) -> bool {
        let ExprKind::Compare(Operator::Eq, left, right) = &filter.kind else { return false };
        let (ExprKind::Path(path), ExprKind::Literal(Literal::String(id) | Literal::Guid(id))) =
            (&left.kind, &right.kind)
        else {
            return false;
        };
        let is_first = !matches!(self.access, Access::Id(_));
        if !is_first || self.record_column(path) != Some("id") {
            return false;
        }
        if let Access::Participants(_) = self.access {
            return false;
        }
        self.access = Access::Id(model::key(id));
        true
    }

    /// `id in ('…','…')`
    fn names_records(&mut self, filter: &Expr) -> bool {
        let ExprKind::In(value, list) = &filter.kind else { return false };
        let (ExprKind::Path(path), ExprKind::List(ids)) = (&value.kind, &list.kind) else {
            return false;
        };
        if self.access != Access::Start || self.record_column(path) != Some("id") {
            return false;
        }
        let key = |id: &Expr| match &id.kind {
            ExprKind::Literal(Literal::String(id) | Literal::Guid(id)) => Some(model::key(id)),
            _ => None,
        };
        let Some(mut keys) = ids.iter().map(key).collect::<Option<Vec<_>>>() else { return false };
        keys.sort_unstable();
        keys.dedup();
        self.access = match <[Vec<u8>; 1]>::try_from(keys) {
            Ok([key]) => Access::Id(key),
            Err(keys) if keys.is_empty() => return false,
            Err(keys) => Access::Ids(keys),
        };
        true
    }

    /// `participants_v2/any(p:p/id eq '…')`
    fn names_participant(&mut self, filter: &Expr) -> Narrowing {
        let ExprKind::Path(Path { root: Root::Item | Root::Outermost, steps }) = &filter.kind
        else {
            return Narrowing::None;
        };
        let [
            PathStep::Property(property),
            PathStep::Lambda { quantifier: Quantifier::Any, body: Some((name, body)) },
        ] = steps.as_slice()
        else {
            return Narrowing::None;
        };
        let is_participant = matches!(property.ty, Type::Structured(ty) if std::ptr::eq(ty, &raw const generated::PARTICIPANT));
        if self.set != RowSet::Records || !is_participant {
            return Narrowing::None;
        }
        let Some((keys, is_exact)) = participant_keys(body, name) else { return Narrowing::None };
        match (<[Vec<u8>; 1]>::try_from(keys), &mut self.access) {
            (Ok([key]), Access::Start) => self.access = Access::Participants(vec![key]),
            (Ok([key]), Access::Participants(keys)) => keys.push(key),
            (Err(keys), _) if keys.len() >= MANY => self.parties.push(keys),
            _ => return Narrowing::None,
        }
        if is_exact { Narrowing::Whole } else { Narrowing::Part }
    }

    /// The column of the record that a path of a row leads to.
    fn record_column(&self, path: &Path) -> Option<&'static str> {
        if let Root::Variable(_) = path.root {
            return None;
        }
        let column = find(self.set.ty(), &path.steps)?;
        let is_plain = column.only_if.is_none() && !matches!(column.kind, ColumnKind::IdKey);
        (column.table == Table::CallRecord && is_plain).then_some(column.column)
    }
}
