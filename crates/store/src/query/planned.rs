//! What a query comes to: what leads to its rows, what SQL decides about them, and what is left.

use model::columns::{Kind as ColumnKind, Table, find};
use model::generated;
use model::rows::RowSet;
use odata::bound::{Expr, ExprKind, Operator, OrderKey, Path, PathStep, Quantifier, Root, Search};
use odata::edm::Type;
use odata::literal::Literal;

use super::compiler::{Compiler, Joined, Mode};
use super::lambda::participant_keys;
use super::order::{Led, Order};
use super::scope::alias_of;
use super::words::words;
use crate::Cost;
use crate::sql::Engine;
use crate::sql::fragment::{Alias, Sql};

/// The rows that a query is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions<'q> {
    /// All of them hold.
    pub(crate) filters: Vec<&'q Expr>,
    /// All of them are found.
    pub(crate) searches: Vec<&'q Search>,
    /// Of `startDateTime` of the record.
    pub(crate) not_before: Option<i64>,
}

/// A query, ready to become a statement.
#[derive(Debug, Clone)]
pub(crate) struct Planned<'q> {
    pub(crate) set: RowSet,
    pub(crate) tenant_key: i64,
    pub(crate) engine: Engine,
    pub(crate) access: Access,
    /// First start that the record may have.
    pub(crate) from: Option<i64>,
    /// Last start that the record may have.
    pub(crate) until: Option<i64>,
    /// What else SQL decides; all of them hold.
    pub(crate) conditions: Vec<Sql>,
    /// What rows behind the last one of the page before meet.
    pub(super) behind: Option<Sql>,
    /// What SQL doesn't decide exactly.
    pub(crate) residual: Vec<&'q Expr>,
    /// What has to be found exactly.
    pub(crate) searches: Vec<&'q Search>,
    /// `None`: only our evaluator knows the order.
    pub(crate) order: Option<Order>,
    pub(crate) joined: Joined,
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
    /// Keys of participants, who all take part; the first one leads.
    Participants(Vec<Vec<u8>>),
    /// An expression for the full-text index.
    Search(String),
}

impl Access {
    /// For people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Start => "records by start",
            Self::End => "records by end",
            Self::Id(_) => "the record with the id",
            Self::Participants(_) => "records of a participant",
            Self::Search(_) => "records that contain the words",
        }
        .to_owned()
    }
}

impl<'q> Planned<'q> {
    /// Plans rows that meet conditions, in an order.
    pub(crate) fn new(
        (tenant_key, engine): (i64, Engine),
        set: RowSet,
        conditions: &Conditions<'q>,
        orderby: &'q [OrderKey],
    ) -> Self {
        let mut compiler = Compiler::new((tenant_key, engine), set);
        let mut planned = Self {
            set,
            tenant_key,
            engine,
            access: Access::Start,
            from: conditions.not_before,
            until: None,
            conditions: Vec::new(),
            behind: None,
            residual: Vec::new(),
            searches: conditions.searches.clone(),
            order: None,
            joined: Joined::default(),
        };
        for filter in &conditions.filters {
            planned.add(&mut compiler, filter);
        }
        planned.lead_by_words();
        planned.order = Order::new(&mut compiler, orderby, planned.dated());
        if let (Access::Id(_), Some(order)) = (&planned.access, &mut planned.order) {
            order.is_of_one_record = true;
        }
        planned.lead_by_end(orderby);
        planned.joined = compiler.joined;
        planned
    }

    fn add(&mut self, compiler: &mut Compiler<'q>, filter: &'q Expr) {
        if let ExprKind::And(parts) = &filter.kind {
            for part in parts {
                self.add(compiler, part);
            }
            return;
        }
        if self.bounds_start(filter) || self.names_record(filter) || self.names_participant(filter)
        {
            return;
        }
        match compiler.condition(filter, Mode::Truth) {
            Some(condition) => {
                if !condition.is_exact {
                    self.residual.push(filter);
                }
                self.conditions.push(condition.sql);
            }
            None => self.residual.push(filter),
        }
    }

    /// `startDateTime ge 2026-01-01`
    fn bounds_start(&mut self, filter: &Expr) -> bool {
        let ExprKind::Compare(operator, left, right) = &filter.kind else { return false };
        let (path, operator, literal) = match (&left.kind, &right.kind) {
            (ExprKind::Path(path), ExprKind::Literal(literal)) => (path, *operator, literal),
            (ExprKind::Literal(literal), ExprKind::Path(path)) => {
                (path, operator.mirrored(), literal)
            }
            _ => return false,
        };
        let Literal::DateTimeOffset(at) = literal else { return false };
        if self.record_column(path) != Some("start_date_time") {
            return false;
        }
        let (from, until) = match operator {
            Operator::Eq => (Some(at.0), Some(at.0)),
            Operator::Ge => (Some(at.0), None),
            Operator::Gt => (Some(at.0.saturating_add(1)), None),
            Operator::Le => (None, Some(at.0)),
            Operator::Lt => (None, Some(at.0.saturating_sub(1))),
            Operator::Ne => return false,
        };
        self.from = self.from.max(from);
        self.until = match (self.until, until) {
            (Some(known), Some(until)) => Some(known.min(until)),
            (known, until) => known.or(until),
        };
        true
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

    /// `participants_v2/any(p:p/id eq '…')`
    fn names_participant(&mut self, filter: &'q Expr) -> bool {
        let ExprKind::Path(Path { root: Root::Item | Root::Outermost, steps }) = &filter.kind
        else {
            return false;
        };
        let [
            PathStep::Property(property),
            PathStep::Lambda { quantifier: Quantifier::Any, body: Some((name, body)) },
        ] = steps.as_slice()
        else {
            return false;
        };
        let is_participant = matches!(property.ty, Type::Structured(ty) if std::ptr::eq(ty, &raw const generated::PARTICIPANT));
        if self.set != RowSet::Records || !is_participant {
            return false;
        }
        let Some((keys, is_exact)) = participant_keys(body, name) else { return false };
        let Ok([key]) = <[Vec<u8>; 1]>::try_from(keys) else { return false };
        match &mut self.access {
            Access::Start => self.access = Access::Participants(vec![key]),
            Access::Participants(keys) => keys.push(key),
            _ => return false,
        }
        if !is_exact {
            self.residual.push(filter);
        }
        true
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

    fn lead_by_words(&mut self) {
        if self.access != Access::Start {
            return;
        }
        let found = self.searches.iter().enumerate().find_map(|(index, search)| {
            Some((index, words((self.tenant_key, self.engine), self.set, search)?))
        });
        if let Some((index, words)) = found {
            self.access = Access::Search(words.text);
            if words.is_exact {
                self.searches.remove(index);
            }
        }
    }

    /// The index by end leads unless it would begin far from where the records are.
    fn lead_by_end(&mut self, orderby: &[OrderKey]) {
        let Some(order) = &mut self.order else { return };
        if order.led != Led::ByEnd {
            return;
        }
        let is_descending = orderby.first().is_some_and(|key| key.is_descending);
        let is_near = if is_descending { self.until.is_none() } else { self.from.is_none() };
        if self.access == Access::Start && is_near {
            self.access = Access::End;
        } else {
            order.led = Led::No;
        }
    }

    /// The table that has the start of the record and leads in its order.
    pub(crate) fn dated(&self) -> Alias {
        match self.access {
            Access::Participants(_) => Alias::of("p"),
            _ => alias_of(Table::CallRecord),
        }
    }

    /// Whether SQL decides everything.
    pub(crate) fn is_exact(&self) -> bool {
        self.residual.is_empty() && self.searches.is_empty()
    }

    /// Whether rows come in their order without being sorted, but for those of one instant.
    pub(crate) fn is_in_order(&self) -> bool {
        let led = self.order.as_ref().map_or(Led::No, |order| order.led);
        match self.access {
            Access::Search(_) => false,
            _ => led != Led::No,
        }
    }

    /// What a page costs.
    pub(crate) fn cost(&self) -> Cost {
        let is_led = match &self.access {
            // One row, but what else is asked of it may take any time.
            Access::Id(_) => true,
            Access::Participants(keys) => keys.len() < 2,
            Access::Start | Access::End => true,
            Access::Search(_) => false,
        };
        let is_plain = self.is_exact() && self.conditions.is_empty();
        let is_in_order = matches!(self.access, Access::Id(_)) || self.is_in_order();
        if is_led && is_plain && is_in_order { Cost::Bounded } else { Cost::Scan }
    }
}
