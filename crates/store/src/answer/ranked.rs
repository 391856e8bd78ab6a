//! Pages in an order that only our evaluator knows: all rows are looked at, and the first ones of
//! them kept.

use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use odata::eval::Key;

use super::loader::RowKey;
use super::paging::Paging;
use super::run::{Candidate, Run, Selection, all_behind};
use crate::query::position::Position;
use crate::sql::Bind;
use crate::{Cause, Error};

/// A row's place in the order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    key: Key,
    start: std::cmp::Reverse<i64>,
    id: String,
    ordinals: Vec<i64>,
}

/// A row that may be among the first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RankedRow {
    place: Place,
    record_key: i64,
}

/// Reads the rows of a page; whether there are more.
pub(super) fn page(paging: &mut Paging<'_>, run: &mut Run<'_>) -> Result<bool, Error> {
    let behind = Place::read(&paging.behind)?;
    let to_skip = usize::try_from(paging.to_skip).unwrap_or(usize::MAX);
    let wanted = paging.room.saturating_add(to_skip).saturating_add(1);
    let plan = paging.plan;
    let mut first: BinaryHeap<RankedRow> = BinaryHeap::new();
    let start = Position::default();
    run.each(plan, &all_behind(plan, &start), &mut |run, candidate| {
        run.check()?;
        let Some(filter) = &paging.filter else { return Ok(ControlFlow::Break(())) };
        let Some(key) = run.admits(plan.set, filter, &candidate)? else {
            return Ok(ControlFlow::Continue(()));
        };
        let Selection::Key(RowKey { record_key, start, id, ordinals }) = candidate.row else {
            return Err(Error::Internal(Cause::new("a row to be ranked without its key")));
        };
        let place = Place { key, start: std::cmp::Reverse(start), id, ordinals };
        if behind.as_ref().is_none_or(|behind| place > *behind) {
            first.push(RankedRow { place, record_key });
        }
        if first.len() > wanted {
            first.pop();
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut rows = first.into_sorted_vec();
    let has_more = rows.len() == wanted;
    rows.truncate(wanted - 1);
    for RankedRow { place, record_key } in rows {
        let values = place.write();
        let Place { start, id, ordinals, .. } = place;
        let key = RowKey { record_key, start: start.0, id, ordinals };
        paging.give(run, Candidate { row: Selection::Key(key), values })?;
    }
    Ok(has_more)
}

impl Place {
    fn write(&self) -> Vec<Option<Bind>> {
        let mut key = Vec::new();
        self.key.encode(&mut key);
        let mut values = vec![
            Some(Bind::Bytes(key)),
            Some(Bind::Int(self.start.0)),
            Some(Bind::Text(self.id.clone())),
        ];
        values.extend(self.ordinals.iter().map(|at| Some(Bind::Int(*at))));
        values
    }

    fn read(position: &Position) -> Result<Option<Self>, Error> {
        let [key, start, id, ordinals @ ..] = position.values.as_slice() else {
            return if position.values.is_empty() { Ok(None) } else { Err(Error::Position) };
        };
        let (Some(Bind::Bytes(key)), Some(Bind::Int(start)), Some(Bind::Text(id))) =
            (key, start, id)
        else {
            return Err(Error::Position);
        };
        let ordinal = |value: &Option<Bind>| match value {
            Some(Bind::Int(at)) => Ok(*at),
            _ => Err(Error::Position),
        };
        Ok(Some(Self {
            key: Key::decode(key).ok_or(Error::Position)?,
            start: std::cmp::Reverse(*start),
            id: id.clone(),
            ordinals: ordinals.iter().map(ordinal).collect::<Result<_, _>>()?,
        }))
    }
}
