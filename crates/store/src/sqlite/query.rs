//! Answers queries of rows.

use model::TenantId;

use super::reader::Reader;
use crate::query::{Budget, Explanation, Found, RowPage, RowQuery};
use crate::{Cause, Cost, Error};

impl Reader {
    /// A page of at most `limit` rows behind `after`, which is [`RowPage::next`] of the page
    /// before. The order is that of the query; rows equal by it come by `startDateTime`
    /// descending, `id`, and their places in the record.
    ///
    /// # Errors
    ///
    /// [`Error::Position`] if `after` is not of this query, [`Error::TooManyRows`] if an order has
    /// to look at more rows than the budget has before the first of them is known, and
    /// [`Error::Deadline`].
    pub fn page(
        &mut self,
        tenant: &TenantId,
        query: &RowQuery,
        after: Option<&[u8]>,
        limit: usize,
        budget: &Budget,
    ) -> Result<RowPage, Error> {
        let _ = (tenant, query, after, limit, budget);
        Err(not_yet())
    }

    /// How many rows meet filter and search; `$skip` and `$top` don't count.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRows`] and [`Error::Deadline`].
    pub fn count_rows(
        &mut self,
        tenant: &TenantId,
        query: &RowQuery,
        budget: &Budget,
    ) -> Result<u64, Error> {
        let _ = (tenant, query, budget);
        Err(not_yet())
    }

    /// What `$apply`, and whatever of the query comes behind it, makes of the rows: JSON objects.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRows`], [`Error::TooManyGroups`] and [`Error::Deadline`].
    pub fn apply(
        &mut self,
        tenant: &TenantId,
        query: &RowQuery,
        budget: &Budget,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let _ = (tenant, query, budget);
        Err(not_yet())
    }

    /// How the query would be answered.
    pub fn explain(&mut self, tenant: &TenantId, query: &RowQuery) -> Result<Explanation, Error> {
        let _ = (tenant, query, Found::Row(Vec::new()));
        Err(not_yet())
    }
}

/// What a page of the query costs. With `$apply`, what all of it costs.
pub fn cost(query: &RowQuery) -> Cost {
    let _ = query;
    Cost::Scan
}

fn not_yet() -> Error {
    Error::Internal(Cause::new("not built"))
}
