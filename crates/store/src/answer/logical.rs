//! The logical query: which rows, in which order, with the expressions of calculated members in place of
//! their names. It borrows what it can from the query that came.

use std::borrow::Cow;

use model::rows::RowSet;
use odata::bound::{ComputedMember, Expr, OrderKey, Search};

use super::residual::ResidualFilter;
use crate::query::inline::Members;
use crate::query::plan::{self, Conditions, Plan};
use crate::query::{Cost, RowQuery};
use crate::tables::search::Tenant;

/// Which rows a query is about, and in which order.
#[derive(Debug)]
pub(super) struct LogicalQuery<'q> {
    pub(super) set: RowSet,
    pub(super) compute: Cow<'q, [ComputedMember]>,
    pub(super) filters: Vec<Cow<'q, Expr>>,
    pub(super) searches: Vec<&'q Search>,
    pub(super) orderby: Cow<'q, [OrderKey]>,
    pub(super) not_before: Option<i64>,
}

impl<'q> LogicalQuery<'q> {
    pub(super) fn new(query: &'q RowQuery) -> Self {
        let mut members = Members::default();
        members.add(&query.query.compute);
        let filter = query.query.filter.as_ref();
        Self {
            set: query.rows,
            compute: Cow::Borrowed(&query.query.compute),
            filters: filter.map(|filter| members.inline(filter)).into_iter().collect(),
            searches: query.query.search.iter().collect(),
            orderby: members.inline_order(&query.query.orderby),
            not_before: query.not_before,
        }
    }

    /// All rows of a set.
    pub(super) fn all(set: RowSet, not_before: Option<i64>) -> Self {
        Self {
            set,
            compute: Cow::default(),
            filters: Vec::new(),
            searches: Vec::new(),
            orderby: Cow::default(),
            not_before,
        }
    }

    pub(super) fn plan(&self, tenant: Tenant) -> Plan<'_> {
        Plan::new(tenant, self.set, self.conditions(), &self.orderby)
    }

    /// What a page costs.
    pub(super) fn cost(&self, tenant: Tenant) -> Cost {
        plan::cost(tenant, self.set, self.conditions(), &self.orderby)
    }

    fn conditions(&self) -> Conditions<'_> {
        Conditions {
            filters: self.filters.iter().map(|filter| &**filter).collect(),
            searches: self.searches.clone(),
            not_before: self.not_before,
        }
    }

    /// Decides what a plan has left open. Gives keys only if SQL doesn't know the order.
    pub(super) fn residual_filter(&self, plan: &Plan<'_>) -> ResidualFilter {
        let order = if plan.order.is_none() { &*self.orderby } else { &[] };
        ResidualFilter::new(self.set, &self.compute, &plan.residual, &plan.searches, order)
    }
}
