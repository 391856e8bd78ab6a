//! A query with calculated members put in their places.

use model::rows::RowSet;
use odata::bound::{ComputedMember, Expr, OrderKey, Search};

use super::judge::Judge;
use crate::query::RowQuery;
use crate::query::inline::Members;
use crate::query::planned::{Conditions, Planned};
use crate::sql::Engine;

/// What is asked for of rows.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) set: RowSet,
    pub(super) compute: Vec<ComputedMember>,
    pub(super) filters: Vec<Expr>,
    pub(super) searches: Vec<Search>,
    pub(super) orderby: Vec<OrderKey>,
    pub(super) not_before: Option<i64>,
}

impl Asked {
    pub(super) fn new(query: &RowQuery) -> Self {
        let mut members = Members::default();
        members.add(&query.query.compute);
        let filter = query.query.filter.as_ref();
        Self {
            set: query.rows,
            compute: query.query.compute.clone(),
            filters: filter.map(|filter| members.inline(filter)).into_iter().collect(),
            searches: query.query.search.iter().cloned().collect(),
            orderby: members.inline_order(&query.query.orderby),
            not_before: query.not_before,
        }
    }

    /// All rows of a set.
    pub(super) fn all(set: RowSet, not_before: Option<i64>) -> Self {
        let (compute, filters, searches, orderby) = Default::default();
        Self { set, compute, filters, searches, orderby, not_before }
    }

    pub(super) fn plan(&self, tenant: (i64, Engine)) -> Planned<'_> {
        let conditions = Conditions {
            filters: self.filters.iter().collect(),
            searches: self.searches.iter().collect(),
            not_before: self.not_before,
        };
        Planned::new(tenant, self.set, &conditions, &self.orderby)
    }

    /// Decides what a plan has left open. Gives keys only if SQL doesn't know the order.
    pub(super) fn judge(&self, planned: &Planned<'_>) -> Judge {
        let order = if planned.order.is_none() { self.orderby.as_slice() } else { &[] };
        Judge::new(self.set, &self.compute, &planned.residual, &planned.searches, order)
    }
}
