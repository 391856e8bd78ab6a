//! Runs the statements of a plan and goes through their rows.

use std::ops::ControlFlow;
use std::sync::Arc;

use model::rows::RowSet;
use odata::eval::Meter;
use places::Maps;

use super::loader::{Loader, RowKey};
use super::parts::Parts;
use super::place_tables::{self, PlaceSource};
use super::residual::ResidualFilter;
use crate::Error;
use crate::cache::columns::ColumnCache;
use crate::cache::records::RecordCache;
use crate::codec::Codec;
use crate::engine::{Connection, Field, Flow, Row};
use crate::query::access::StartRange;
use crate::query::order::{Order, TermValue};
use crate::query::places::PlaceTables;
use crate::query::plan::Plan;
use crate::query::position::Position;
use crate::query::scope::ordinal_count;
use crate::query::statement::{Projection, Slice};
use crate::query::{Budget, ResultRow};
use crate::rows::record::StoredRecord;
use crate::sql::{Bind, Statement};
use crate::tables::records;

/// Rows that memory holds at once in any case.
const AT_ONCE: u64 = 200;
/// Bytes of a session with one segment, at least.
const SESSION: usize = 1_024;
/// Columns of [`Projection::Keys`] before the ordinals.
const KEY_COLUMNS: usize = 3;

/// A query under way.
pub(crate) struct Run<'r> {
    pub(super) connection: &'r Connection,
    pub(super) loader: Loader<'r>,
    pub(super) budget: &'r Budget,
    /// Of places, for rows of ends.
    pub(super) maps: Option<Arc<Maps>>,
    /// What was read of blocks of columns, for questions that may be answered by these.
    pub(super) columns: Option<&'r ColumnCache>,
    /// Rows that our own evaluator has looked at.
    pub(super) scanned: u64,
}

/// A row that SQL has let through.
pub(super) struct Candidate {
    pub(super) row: Selection,
    /// By the terms of the order.
    pub(super) values: Vec<Option<Bind>>,
}

/// A row as its statement gives it.
pub(super) enum Selection {
    /// By [`Projection::Records`].
    Record(Arc<StoredRecord>),
    /// By [`Projection::Keys`].
    Key(RowKey),
}

impl<'r> Run<'r> {
    pub(crate) fn new(
        connection: &'r Connection,
        codec: &'r mut Codec,
        cache: Option<&'r mut RecordCache>,
        budget: &'r Budget,
    ) -> Self {
        let loader = Loader::new(connection, codec, cache);
        Self { connection, loader, budget, maps: None, columns: None, scanned: 0 }
    }

    /// With maps of places, for rows of ends.
    pub(crate) fn with_maps(self, maps: Option<Arc<Maps>>) -> Self {
        let loader = self.loader.with_maps(maps.clone());
        Self { loader, maps, ..self }
    }

    /// With blocks of columns, where these can answer.
    pub(crate) fn with_columns(self, columns: &'r ColumnCache) -> Self {
        Self { columns: columns.may_answer.then_some(columns), ..self }
    }

    /// What tables of places are made with.
    pub(super) fn place_source(&self) -> PlaceSource<'_> {
        let (maps, meter) = (self.maps.as_deref(), Some(&self.budget.meter));
        PlaceSource { connection: self.connection, maps, meter }
    }

    /// The tables of places that a statement about a slice needs, unless the plan has them.
    fn place_tables(
        &self,
        plan: &Plan<'_>,
        range: StartRange,
    ) -> Result<Option<PlaceTables>, Error> {
        if plan.places.is_some() || !plan.joined.has_places() {
            return Ok(None);
        }
        let found = place_tables::tables(self.place_source(), plan, range, plan.joined)?;
        let limit = place_tables::MOST_NETWORKS;
        found.map(Some).ok_or(Error::TooManyGroups { limit })
    }

    /// Gives the rows of a slice one by one.
    pub(super) fn each(
        &mut self,
        plan: &Plan<'_>,
        slice: &Slice<'_>,
        each: &mut dyn FnMut(&mut Self, Candidate) -> Flow,
    ) -> Result<(), Error> {
        let tables = self.place_tables(plan, slice.range)?;
        let slice = &Slice { places: plan.places.as_ref().or(tables.as_ref()), ..*slice };
        let Statement { text, binds } = plan.page(slice)?.finish(plan.tenant.dialect);
        let connection = self.connection;
        let visit = |row: &Row<'_>| match candidate(row, plan, self.loader.codec) {
            Ok(candidate) => each(self, candidate),
            Err(Error::Corrupt(cause)) => {
                tracing::error!(%cause, "a row of which nothing can be read is left out");
                Ok(ControlFlow::Continue(()))
            }
            Err(error) => Err(error),
        };
        if slice.limit.is_some_and(|limit| limit <= AT_ONCE) {
            return connection.each(&text, binds.as_slice(), visit);
        }
        connection.scan(&text, binds.as_slice(), visit)
    }

    /// The key of a row in the order, if the row is one of the result by what SQL has left open. One that
    /// can't be read is a result, so that the caller sees that something is there: behind all others, as
    /// if it said nothing.
    pub(super) fn admits(
        &mut self,
        set: RowSet,
        filter: &ResidualFilter,
        candidate: &Candidate,
    ) -> Result<Option<odata::eval::Key>, Error> {
        self.scanned += 1;
        let text = self.text(set, &candidate.row, filter.parts);
        match text.and_then(|text| filter.key(&text, &self.budget.meter)) {
            Err(Error::Corrupt(_)) => Ok(Some(filter.key_of_nothing())),
            decided => decided,
        }
    }

    /// The JSON of a row with what is inside.
    pub(super) fn text(
        &mut self,
        set: RowSet,
        row: &Selection,
        parts: Parts,
    ) -> Result<Vec<u8>, Error> {
        let record = match row {
            Selection::Record(record) => Arc::clone(record),
            Selection::Key(key) if set == RowSet::Records => self.loader.record(key.record_key)?,
            Selection::Key(key) => return self.loader.row_text(set, key, parts),
        };
        whole_text(&mut self.loader, &record, parts, &self.budget.meter)
    }

    /// The row as it is given to the caller.
    pub(super) fn found(
        &mut self,
        set: RowSet,
        row: Selection,
        shown: Parts,
    ) -> Result<ResultRow, Error> {
        match row {
            Selection::Record(record) => Ok(ResultRow::Record(record)),
            Selection::Key(key) if set == RowSet::Records => {
                Ok(ResultRow::Record(self.loader.record(key.record_key)?))
            }
            Selection::Key(key) => match self.loader.row_text(set, &key, shown) {
                Ok(text) => Ok(ResultRow::Row(text)),
                Err(cause @ Error::Corrupt(_)) => Ok(ResultRow::Damaged { id: key.id, cause }),
                Err(error) => Err(error),
            },
        }
    }

    /// Whether no further row may be looked at.
    pub(super) fn is_spent(&self) -> bool {
        self.scanned >= self.budget.rows_scanned || !self.budget.meter.has_time()
    }

    /// Why no further row may be looked at.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.scanned >= self.budget.rows_scanned {
            return Err(Error::TooManyRows { limit: self.budget.rows_scanned });
        }
        self.budget.meter.has_time();
        Ok(self.budget.meter.check()?)
    }
}

/// The JSON of a record, unless so many sessions cannot be looked at within the budget.
pub(super) fn whole_text(
    loader: &mut Loader<'_>,
    record: &StoredRecord,
    parts: Parts,
    meter: &Meter,
) -> Result<Vec<u8>, Error> {
    meter.read(size_of(record, parts));
    meter.check()?;
    loader.record_text(record, parts)
}

/// Bytes of a record's JSON, at least.
pub(super) fn size_of(record: &StoredRecord, parts: Parts) -> usize {
    let sessions = usize::try_from(record.session_count).unwrap_or(0);
    record.fragment.len() + if parts.sessions { sessions.saturating_mul(SESSION) } else { 0 }
}

fn candidate(row: &Row<'_>, plan: &Plan<'_>, codec: &mut Codec) -> Result<Candidate, Error> {
    let (selection, extras) = match plan.projection() {
        Projection::Records => {
            (Selection::Record(Arc::new(records::read(row, codec)?)), records::COLUMNS)
        }
        Projection::Keys => {
            let count = ordinal_count(plan.set);
            let own = (0..count).map(|at| row.get(KEY_COLUMNS + at)).collect::<Result<_, _>>()?;
            let key = RowKey {
                record_key: row.get(0)?,
                start: row.get(1)?,
                id: row.get(2)?,
                ordinals: own,
            };
            (Selection::Key(key), KEY_COLUMNS + count)
        }
    };
    let values = match &plan.order {
        Some(order) => values(row, order, &selection, extras)?,
        None => Vec::new(),
    };
    Ok(Candidate { row: selection, values })
}

fn values(
    row: &Row<'_>,
    order: &Order,
    selection: &Selection,
    extras: usize,
) -> Result<Vec<Option<Bind>>, Error> {
    let (start, id, ordinals): (_, _, &[i64]) = match selection {
        Selection::Record(record) => (record.start, &record.id, &[]),
        Selection::Key(key) => (key.start, &key.id, &key.ordinals),
    };
    let value = |value| match value {
        TermValue::Start => Ok(Some(Bind::Int(start))),
        TermValue::Id => Ok(Some(Bind::Text(id.clone()))),
        TermValue::Ordinal(at) => Ok(ordinals.get(at).map(|at| Bind::Int(*at))),
        TermValue::Extra(at) => Ok(match row.field(extras + at)? {
            Field::Null => None,
            Field::Int(number) => Some(Bind::Int(number)),
            Field::Real(number) => Some(Bind::Real(number)),
            Field::Text(text) => Some(Bind::Text(text.into_owned())),
            Field::Bytes(bytes) => Some(Bind::Bytes(bytes.into_owned())),
        }),
    };
    order.terms.iter().map(|term| value(term.value)).collect()
}

/// All rows of a plan behind a position.
pub(super) fn all_behind<'p>(plan: &'p Plan<'_>, position: &'p Position) -> Slice<'p> {
    Slice {
        range: plan.range,
        behind: position,
        offset: 0,
        limit: None,
        places: plan.places.as_ref(),
    }
}
