//! Answers queries of rows.

mod apply;
mod asked;
mod columns;
mod judge;
mod loader;
mod months;
mod page;
mod ranked;
mod run;
mod stretches;
#[cfg(test)]
mod tests;
mod words;

use model::TenantId;
use model::rows::RowSet;
use odata::bound::{Apply, Expr};
use odata::eval::{Exhausted, Meter};

use crate::engine::Connection;
use crate::query::planned::Planned;
use crate::query::position::Position;
use crate::query::{Budget, Explanation, RowPage, RowQuery};
use crate::reader::{self, Reader};
use crate::sql::Engine;
use crate::sql::writer::Statement;
use crate::{Cost, Error};
use apply::Chain;
use asked::Asked;
use columns::Columns;
use judge::Judge;
use loader::{Loader, Parts};
use page::Paging;
use run::{Run, whole};

/// A tenant's number for plans that are not run.
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
        let connection = self.snapshot.fresh_with(budget.deadline(), &mut self.kept)?;
        let Some(tenant_key) = reader::tenant_key(connection, &mut self.tenants, tenant)? else {
            return Ok(RowPage::default());
        };
        let asked = Asked::new(query);
        let planned = asked.plan((tenant_key, connection.engine()));
        let run = Run::new(connection, &mut self.codec, self.kept.as_mut(), budget);
        Paging::new(&asked, &planned, query, behind, limit).page(run)
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
        let connection = self.snapshot.fresh_until(budget.deadline())?;
        let Some(tenant_key) = reader::tenant_key(connection, &mut self.tenants, tenant)? else {
            return Ok(0);
        };
        let asked = Asked { orderby: Vec::new(), ..Asked::new(query) };
        let planned = asked.plan((tenant_key, connection.engine()));
        if planned.is_exact() {
            let Statement { text, binds } = planned.count().finish(planned.engine);
            let count: Option<i64> = connection.value(&text, binds.as_slice())?;
            return Ok(count.unwrap_or(0).unsigned_abs());
        }
        let judge = asked.judge(&planned);
        let mut count = 0;
        let start = Position::default();
        let mut run = Run::new(connection, &mut self.codec, None, budget);
        run.each(&planned, &whole(&start), &mut |run, candidate| {
            run.check()?;
            if run.admits(planned.set, &judge, &candidate)?.is_some() {
                count += 1;
            }
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        Ok(count)
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
        (condition, meter): (&Expr, &Meter),
    ) -> Result<Option<bool>, Error> {
        let connection = self.snapshot.fresh()?;
        let Some(tenant_key) = reader::tenant_key(connection, &mut self.tenants, tenant)? else {
            return Ok(None);
        };
        let found: Option<i64> = connection.value(
            "SELECT record_key FROM call_record WHERE tenant_key = ?1 AND id_key = ?2 \
                 AND version = ?3 AND is_current = 0",
            (tenant_key, id_key, version),
        )?;
        let Some(record_key) = found else { return Ok(None) };
        let judge = Judge::new(RowSet::Records, &[], &[condition], &[], &[]);
        let mut loader = Loader::new(connection, &mut self.codec, None);
        let record = loader.record(record_key)?;
        let text = run::whole_text(&mut loader, &record, judge.parts, meter);
        // One that can't be read is told of rather than not, and holds up no other.
        let text = text.as_deref().map_err(Clone::clone);
        match text.and_then(|text| apply::load(text, meter)) {
            Err(Error::Corrupt(_)) => Ok(Some(true)),
            node => Ok(Some(judge.admits(&node?, meter)?)),
        }
    }

    /// Which conditions a version of a record meets, each as far as its meter goes; none if it is not
    /// stored any more. For stores that are asked by a network: the version is read once for all
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
        let Some(tenant_key) = reader::tenant_key(connection, &mut self.tenants, tenant)? else {
            return Ok(None);
        };
        let Some(record) =
            reader::version(connection, &mut self.codec, (tenant_key, id_key), version)?
        else {
            return Ok(None);
        };
        let judge = |(condition, _): &(&Expr, &Meter)| {
            Judge::new(RowSet::Records, &[], &[condition], &[], &[])
        };
        let judges: Vec<Judge> = conditions.iter().map(judge).collect();
        let parts = judges.iter().map(|judge| judge.parts).fold(Parts::default(), Parts::and);
        // The whole of a large record is not read for those that can't look at it.
        let size = run::size_of(&record, parts);
        let is_loaded = conditions.iter().fold(false, |any, (_, meter)| meter.load(size) || any);
        if !is_loaded {
            let failed = |(_, meter): &(&Expr, &Meter)| meter.check().map(|()| false);
            return Ok(Some(conditions.iter().map(failed).collect()));
        }
        let text = Loader::new(connection, &mut self.codec, None).record_text(&record, parts);
        // One that can't be read is told of rather than not, and holds up no other.
        let node = match text.as_deref().map_err(Clone::clone).and_then(apply::node) {
            Err(Error::Corrupt(_)) => return Ok(Some(vec![Ok(true); judges.len()])),
            node => node?,
        };
        let length = text.as_ref().map_or(0, Vec::len);
        let met = judges.iter().zip(conditions).map(|(judge, (_, meter))| {
            meter.load(length);
            judge.admits(&node, meter)
        });
        Ok(Some(met.collect()))
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
        let connection = self.snapshot.fresh_until(budget.deadline())?;
        // Of no rows there may still be a figure.
        let tenant_key = reader::tenant_key(connection, &mut self.tenants, tenant)?;
        let nothing = Apply { steps: Vec::new() };
        let chain = Chain::new(query, query.query.apply.as_ref().unwrap_or(&nothing));
        let planned = chain.asked.plan((tenant_key.unwrap_or(NO_TENANT), connection.engine()));
        apply::apply(
            &chain,
            &planned,
            query,
            &mut Run::new(connection, &mut self.codec, None, budget),
        )
    }

    /// How the query would be answered.
    pub fn explain(&mut self, tenant: &TenantId, query: &RowQuery) -> Result<Explanation, Error> {
        let connection = self.snapshot.fresh()?;
        let key = reader::tenant_key(connection, &mut self.tenants, tenant)?;
        let tenant_key = key.unwrap_or(NO_TENANT);
        if let Some(apply) = &query.query.apply {
            let chain = Chain::new(query, apply);
            let planned = chain.asked.plan((tenant_key, connection.engine()));
            return explain_apply(connection, &chain, &planned);
        }
        let asked = Asked::new(query);
        let planned = asked.plan((tenant_key, connection.engine()));
        let statement = leading(&asked, &planned)?;
        Ok(Explanation {
            binds: statement.binds.iter().map(|bind| format!("{bind:?}")).collect(),
            engine_plan: engine_plan(connection, &statement)?,
            sql: vec![statement.text],
            residual: residual(&asked, &planned),
            access: planned.access.describe(),
            cost: planned.cost(),
        })
    }
}

/// What a page of the query costs. With `$apply`, what all of it costs.
pub fn cost(query: &RowQuery) -> Cost {
    if query.query.apply.is_some() {
        return Cost::Scan;
    }
    Asked::new(query).plan((NO_TENANT, Engine::Sqlite)).cost()
}

fn explain_apply(
    connection: &Connection,
    chain: &Chain,
    planned: &Planned<'_>,
) -> Result<Explanation, Error> {
    let columns = Columns::new(chain, planned);
    let statement = match &columns {
        Some(columns) => columns.statement(),
        None => planned.page(&whole(&Position::default()))?.finish(planned.engine),
    };
    let steps = match &columns {
        Some(_) => &chain.steps[1..],
        None => &chain.steps,
    };
    let apply = Apply { steps: steps.to_vec() };
    let rest = (!apply.steps.is_empty()).then(|| format!("$apply={apply}"));
    let residual: Vec<String> = residual(&chain.asked, planned).into_iter().chain(rest).collect();
    Ok(Explanation {
        binds: statement.binds.iter().map(|bind| format!("{bind:?}")).collect(),
        engine_plan: engine_plan(connection, &statement)?,
        sql: vec![statement.text],
        residual: (!residual.is_empty()).then(|| residual.join("&")),
        access: planned.access.describe(),
        cost: Cost::Scan,
    })
}

/// The statement that leads to the rows of a page.
fn leading(asked: &Asked, planned: &Planned<'_>) -> Result<Statement, Error> {
    let start = Position::default();
    let is_by_words = words::is_served(planned, asked);
    let mut window = whole(&start);
    if planned.is_exact() && planned.order.is_some() && !is_by_words {
        window.limit = Some(60);
    }
    let sql = if is_by_words { planned.by_words() } else { planned.page(&window)? };
    Ok(sql.finish(planned.engine))
}

fn engine_plan(connection: &Connection, statement: &Statement) -> Result<Vec<String>, Error> {
    let (explain, column) = match connection.engine() {
        Engine::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        Engine::Postgres => ("EXPLAIN", 0),
    };
    let text = format!("{explain} {}", statement.text);
    connection.all(&text, statement.binds.as_slice(), |row| row.get(column))
}

/// What is left to our evaluator, as OData text.
fn residual(asked: &Asked, planned: &Planned<'_>) -> Option<String> {
    let filters = planned.residual.iter().map(|filter| format!("$filter={filter}"));
    let searches = planned.searches.iter().map(|search| format!("$search={search}"));
    let mut parts: Vec<String> = filters.chain(searches).collect();
    if planned.order.is_none() {
        let keys: Vec<String> = asked.orderby.iter().map(ToString::to_string).collect();
        parts.push(format!("$orderby={}", keys.join(",")));
    }
    (!parts.is_empty()).then(|| parts.join("&"))
}
