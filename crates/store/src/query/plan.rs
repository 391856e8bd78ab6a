//! The plan of a query: what leads to its rows, what SQL decides about them, and what is left to our own
//! evaluator.
//!
//! A filter is a conjunction more often than not, and each of its parts goes where it costs least: into
//! the range of an index, if it names a start, an id or a participant; into the statement, if SQL can say
//! the same or something that follows from it; and to the evaluator, if SQL can't say it exactly. So a
//! plan is right whatever SQL can express: what it can't only costs more rows.

use model::columns::Table;
use model::rows::RowSet;
use odata::bound::{Expr, ExprKind, OrderKey, Search};

use super::Cost;
use super::access::{Access, AccessPath, Narrowing, StartRange};
use super::compiler::{Compiler, JoinedTables, Mode};
use super::condition::MOST_PARTS;
use super::order::{LeadingIndex, Order};
use super::places::PlaceTables;
use super::scope::alias_of;
use super::words::words;
use crate::sql::{Alias, Sql};
use crate::tables::search::Tenant;

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
#[derive(Debug)]
pub(crate) struct Plan<'q> {
    pub(crate) set: RowSet,
    pub(crate) tenant: Tenant,
    pub(crate) access: Access,
    pub(crate) range: StartRange,
    /// Keys of many participants, of each of whose lists one takes part.
    pub(crate) parties: Vec<Vec<Vec<u8>>>,
    /// What else SQL decides; all of them hold.
    pub(crate) conditions: Vec<Sql>,
    /// What SQL doesn't decide exactly.
    pub(crate) residual: Vec<&'q Expr>,
    /// What has to be found exactly.
    pub(crate) searches: Vec<&'q Search>,
    /// `None`: only our evaluator knows the order.
    pub(crate) order: Option<Order>,
    pub(crate) joined: JoinedTables,
    /// What maps say of the places that statements about all rows ask for; those about slices have theirs.
    pub(crate) places: Option<PlaceTables>,
}

impl<'q> Plan<'q> {
    /// Plans rows that meet conditions, in an order.
    pub(crate) fn new(
        tenant: Tenant,
        set: RowSet,
        conditions: Conditions<'q>,
        orderby: &'q [OrderKey],
    ) -> Self {
        let mut compiler = Compiler::new(tenant, set);
        let mut path = AccessPath::new(tenant, set, conditions.not_before);
        let mut parts = Parts::default();
        for filter in conditions.filters {
            parts.add(&mut path, &mut compiler, filter);
        }
        let AccessPath { access, range, parties, .. } = path;
        let mut plan = Self {
            set,
            tenant,
            access,
            range,
            parties,
            conditions: parts.conditions,
            residual: parts.residual,
            searches: conditions.searches,
            order: None,
            joined: JoinedTables::default(),
            places: None,
        };
        plan.lead_by_words();
        plan.order = Order::new(&mut compiler, orderby, plan.dated());
        if let (Access::Id(_), Some(order)) = (&plan.access, &mut plan.order) {
            order.is_of_one_record = true;
        }
        plan.lead_by_end(orderby);
        plan.joined = compiler.joined;
        plan
    }

    fn lead_by_words(&mut self) {
        if self.access != Access::Start || !self.tenant.are_words_there {
            return;
        }
        let found = self
            .searches
            .iter()
            .enumerate()
            .find_map(|(index, search)| Some((index, words(self.tenant, self.set, search)?)));
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
        if order.led != LeadingIndex::ByEnd {
            return;
        }
        let is_descending = orderby.first().is_some_and(|key| key.is_descending);
        let is_near =
            if is_descending { self.range.until.is_none() } else { self.range.from.is_none() };
        if self.access == Access::Start && is_near {
            self.access = Access::End;
        } else {
            order.led = LeadingIndex::No;
        }
    }

    /// Of the same rows those of records about which the change log has an entry behind one of its own, or that
    /// have other than plain values: what stands in no block of columns.
    pub(crate) fn behind(&self, sequence: i64) -> Self {
        Self {
            access: Access::Behind(sequence),
            parties: self.parties.clone(),
            conditions: self.conditions.clone(),
            residual: self.residual.clone(),
            searches: self.searches.clone(),
            order: self.order.clone(),
            places: None,
            ..*self
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

    /// Whether nothing but the way to the rows narrows them.
    pub(crate) fn is_unconditional(&self) -> bool {
        self.conditions.is_empty() && self.parties.is_empty()
    }

    /// Whether rows come in their order without being sorted, but for those of one instant.
    pub(crate) fn is_in_order(&self) -> bool {
        let led = self.order.as_ref().map_or(LeadingIndex::No, |order| order.led);
        match self.access {
            Access::Search(_) | Access::Ids(_) | Access::Behind(_) => false,
            _ => led != LeadingIndex::No,
        }
    }

    /// What a page costs.
    pub(crate) fn cost(&self) -> Cost {
        let is_led = match &self.access {
            // One row, but what else is asked of it may take any time.
            Access::Id(_) => true,
            Access::Participants(keys) => keys.len() < 2,
            Access::Start | Access::End => true,
            Access::Search(_) | Access::Ids(_) | Access::Behind(_) => false,
        };
        let is_plain = self.is_exact() && self.is_unconditional();
        let is_in_order = matches!(self.access, Access::Id(_)) || self.is_in_order();
        if is_led && is_plain && is_in_order { Cost::Bounded } else { Cost::Scan }
    }
}

/// What a page of rows that meet conditions costs. Nothing is compiled for it that [`Plan::new`] would
/// compile again: a filter that is not part of the way to the rows makes any page a scan.
pub(crate) fn cost(
    tenant: Tenant,
    set: RowSet,
    conditions: Conditions<'_>,
    orderby: &[OrderKey],
) -> Cost {
    let mut path = AccessPath::new(tenant, set, conditions.not_before);
    let is_plain = conditions.searches.is_empty()
        && conditions.filters.iter().all(|filter| path.takes_all(filter));
    if is_plain { Plan::new(tenant, set, conditions, orderby).cost() } else { Cost::Scan }
}

/// What a path leaves of the filters.
#[derive(Default)]
struct Parts<'q> {
    conditions: Vec<Sql>,
    residual: Vec<&'q Expr>,
}

impl<'q> Parts<'q> {
    fn add(&mut self, path: &mut AccessPath, compiler: &mut Compiler<'q>, filter: &'q Expr) {
        if let ExprKind::And(parts) = &filter.kind {
            for part in parts {
                self.add(path, compiler, part);
            }
            return;
        }
        match path.narrow(filter) {
            Narrowing::Whole => return,
            Narrowing::Part => {
                self.residual.push(filter);
                return;
            }
            Narrowing::None => {}
        }
        match compiler.condition(filter, Mode::Truth) {
            Some(condition) if self.conditions.len() < MOST_PARTS => {
                if !condition.is_exact {
                    self.residual.push(filter);
                }
                self.conditions.push(condition.sql);
            }
            _ => self.residual.push(filter),
        }
    }
}
