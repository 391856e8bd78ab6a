//! Pages of records that the full-text index leads to, in the order of their starts: the index
//! gives them bucket by bucket, the latest first, and each bucket is sorted.

use std::ops::ControlFlow;

use model::rows::RowSet;

use super::loader::RowKey;
use super::logical::LogicalQuery;
use super::paging::Paging;
use super::run::{Candidate, Run, Selection};
use crate::Error;
use crate::engine::Row;
use crate::query::access::Access;
use crate::query::plan::Plan;
use crate::query::position::Position;
use crate::sql::{Bind, Statement};
use crate::tables::search::bucket_of;

/// Whether pages of a query are read so.
pub(super) fn is_served(plan: &Plan<'_>, query: &LogicalQuery<'_>) -> bool {
    let is_by_words = matches!(plan.access, Access::Search(_));
    is_by_words && plan.set == RowSet::Records && query.orderby.is_empty()
}

/// Reads the rows of a page; whether there are more.
pub(super) fn page(paging: &mut Paging<'_>, run: &mut Run<'_>) -> Result<bool, Error> {
    let behind = place(&paging.behind)?;
    let mut range = paging.plan.range;
    if let Some((start, _)) = &behind {
        range.end_at(*start);
    }
    let sql = paging.plan.by_words(range);
    let Statement { text, binds } = sql.finish(paging.plan.tenant.dialect);
    let (mut bucket, mut latest, mut is_full) = (Vec::new(), None, false);
    let connection = run.connection;
    connection.scan(&text, binds.as_slice(), |row| {
        let (number, key) = key(row)?;
        if latest != Some(number) && give_bucket(paging, run, &mut bucket)? {
            is_full = true;
            return Ok(ControlFlow::Break(()));
        }
        latest = Some(number);
        let is_behind =
            behind.as_ref().is_none_or(|(start, id)| key.start < *start || key.id > *id);
        if is_behind {
            bucket.push(key);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(is_full || give_bucket(paging, run, &mut bucket)?)
}

/// Gives the records of a bucket; whether the page ended.
fn give_bucket(
    paging: &mut Paging<'_>,
    run: &mut Run<'_>,
    bucket: &mut Vec<RowKey>,
) -> Result<bool, Error> {
    bucket.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| a.id.cmp(&b.id)));
    for key in bucket.drain(..) {
        let values = vec![Some(Bind::Int(key.start)), Some(Bind::Text(key.id.clone()))];
        if paging.take(run, Candidate { row: Selection::Key(key), values })?.is_break() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn key(row: &Row<'_>) -> Result<(i64, RowKey), Error> {
    let key = RowKey {
        record_key: row.get(0)?,
        start: row.get(1)?,
        id: row.get(2)?,
        ordinals: Vec::new(),
    };
    Ok((bucket_of(row.get(3)?), key))
}

fn place(position: &Position) -> Result<Option<(i64, String)>, Error> {
    match position.values.as_slice() {
        [] => Ok(None),
        [Some(Bind::Int(start)), Some(Bind::Text(id))] => Ok(Some((*start, id.clone()))),
        _ => Err(Error::Position),
    }
}
