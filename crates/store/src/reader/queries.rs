//! Reading lists: pages, counts and figures of rows, by a query.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::TenantId;
use model::columns::recent_members;
use model::rows::RowSet;
use odata::bound::Expr;
use odata::eval::{Exhausted, Meter};
use places::Maps;

use super::Reader;
use crate::Error;
use crate::answer::{self, Run};
use crate::engine::Connection;
use crate::maintenance::verdicts;
use crate::query::position::Position;
use crate::query::{Budget, Explanation, RowPage, RowQuery};
use crate::state::State;
use crate::tables::keys::RecordId;
use crate::tables::search::Tenant;

/// The number of a tenant that has no record.
const NO_TENANT: i64 = 0;

impl Reader {
    /// A page of at most `limit` rows behind `after`, which is [`RowPage::next`] of the page
    /// before. The order is that of the query; rows equal by it come by `startDateTime`
    /// descending, `id`, and their places in the record. Rows of sessions have their segments if
    /// the query expands something.
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
        let behind = after.map_or(Ok(Position::default()), Position::read)?;
        let asker = asker(&self.state);
        let connection = self.snapshot.fresh_with(budget.deadline(), &mut self.cache)?;
        let Some(key) = self.tenants.key(connection, tenant)? else {
            return Ok(RowPage::default());
        };
        let are_columns_there = are_columns_there(asker, connection, query)?;
        let maps = maps(&self.state, (connection, key), query)?;
        let run = Run::new(connection, &mut self.codec, self.cache.as_mut(), budget);
        let run = run.with_maps(maps);
        answer::page(run, Tenant { key, are_columns_there, ..asker }, query, behind, limit)
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
        let asker = asker(&self.state);
        let connection = self.snapshot.fresh_until(budget.deadline())?;
        let Some(key) = self.tenants.key(connection, tenant)? else {
            return Ok(0);
        };
        let are_columns_there = are_columns_there(asker, connection, query)?;
        let maps = maps(&self.state, (connection, key), query)?;
        let run = Run::new(connection, &mut self.codec, None, budget).with_maps(maps);
        let run = run.with_columns(&self.state.columns);
        answer::count(run, Tenant { key, are_columns_there, ..asker }, query)
    }

    /// Whether a version of a record meets a condition although a higher one is stored by now; none
    /// if it is the current one, or is not stored any more.
    ///
    /// # Errors
    ///
    /// When the version can't be read.
    pub fn superseded_meets(
        &mut self,
        tenant: &TenantId,
        (id_key, version): (&[u8], i64),
        condition: (&Expr, &Meter),
    ) -> Result<Option<bool>, Error> {
        let connection = self.snapshot.fresh()?;
        let Some(tenant_key) = self.tenants.key(connection, tenant)? else {
            return Ok(None);
        };
        let id = RecordId { tenant_key, id_key };
        answer::superseded_meets(connection, &mut self.codec, (id, version), condition)
    }

    /// Which conditions a version of a record meets, each as far as its meter goes; none if it is not
    /// stored any more. For stores that are reached over a network: the version is read once for all
    /// of them.
    ///
    /// # Errors
    ///
    /// When the version can't be read.
    pub fn met_by(
        &mut self,
        tenant: &TenantId,
        (id_key, version): (&[u8], i64),
        conditions: &[(&Expr, &Meter)],
    ) -> Result<Option<Vec<Result<bool, Exhausted>>>, Error> {
        let connection = self.snapshot.fresh()?;
        let Some(tenant_key) = self.tenants.key(connection, tenant)? else {
            return Ok(None);
        };
        let id = RecordId { tenant_key, id_key };
        answer::met_by(connection, &mut self.codec, (id, version), conditions)
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
        let asker = asker(&self.state);
        let connection = self.snapshot.fresh_until(budget.deadline())?;
        // Of no rows there may still be a figure.
        let key = self.tenants.key(connection, tenant)?.unwrap_or(NO_TENANT);
        let are_columns_there = are_columns_there(asker, connection, query)?;
        let maps = maps(&self.state, (connection, key), query)?;
        let run = Run::new(connection, &mut self.codec, None, budget).with_maps(maps);
        let run = run.with_columns(&self.state.columns);
        answer::apply(run, Tenant { key, are_columns_there, ..asker }, query)
    }

    /// How the query would be answered.
    pub fn explain(&mut self, tenant: &TenantId, query: &RowQuery) -> Result<Explanation, Error> {
        let asker = asker(&self.state);
        let connection = self.snapshot.fresh()?;
        let key = self.tenants.key(connection, tenant)?.unwrap_or(NO_TENANT);
        let are_columns_there = are_columns_there(asker, connection, query)?;
        let maps = maps(&self.state, (connection, key), query)?;
        let asker = Tenant { key, are_columns_there, ..asker };
        answer::explain((connection, maps.as_deref()), asker, query)
    }
}

/// Who asks, but for its number.
fn asker(state: &State) -> Tenant {
    Tenant {
        key: NO_TENANT,
        dialect: state.opener.dialect(),
        are_words_there: state.are_words_there.load(Ordering::Acquire),
        are_columns_there: state.are_columns_there.load(Ordering::Acquire),
        has_plain_values: false,
        has_places: false,
    }
}

/// The maps of places of a tenant, if the question is about ends.
fn maps(
    state: &State,
    (connection, key): (&Connection, i64),
    query: &RowQuery,
) -> Result<Option<Arc<Maps>>, Error> {
    let is_asked = query.rows == RowSet::Legs;
    is_asked.then(|| state.maps.of(connection, key).map(Arc::new)).transpose()
}

/// Whether the question may rely on columns that records of earlier builds lack. Nodes of the version before may
/// write beside this one, so the snapshot that answers has to say so.
fn are_columns_there(
    asker: Tenant,
    connection: &Connection,
    query: &RowQuery,
) -> Result<bool, Error> {
    let uses = |name: &str| query.query.uses_member(name);
    match connection {
        Connection::Postgres(_) if query.rows == RowSet::Legs || recent_members().any(uses) => {
            verdicts::are_there(connection)
        }
        Connection::Postgres(_) => Ok(true),
        Connection::Sqlite(_) => Ok(asker.are_columns_there),
    }
}
