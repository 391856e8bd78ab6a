//! Tables of places: what maps say of the networks that the rows of a statement are in.

use std::ops::ControlFlow;

use odata::eval::Meter;
use places::{Maps, Place};

use crate::Error;
use crate::engine::{Connection, Row};
use crate::query::access::StartRange;
use crate::query::compiler::JoinedTables;
use crate::query::places::{PlaceRows, PlaceTable, PlaceTables};
use crate::query::plan::Plan;
use crate::sql::Statement;

/// Networks whose places a statement brings along, at most, each as often as its place changes.
pub(super) const MOST_NETWORKS: usize = 100_000;

/// Bytes of a table of places, at most: a quarter of what a question may hold.
const MOST_BYTES: usize = 4 << 20;

/// What tables of places are made with.
#[derive(Clone, Copy)]
pub(super) struct PlaceSource<'a> {
    pub(super) connection: &'a Connection,
    /// Of rows of ends.
    pub(super) maps: Option<&'a Maps>,
    pub(super) meter: Option<&'a Meter>,
}

/// The tables of places with the columns that are used, for the rows of a plan in a range of starts. None if
/// the networks are too many, or have text that an engine reads otherwise.
pub(super) fn tables(
    source: PlaceSource<'_>,
    plan: &Plan<'_>,
    range: StartRange,
    used: JoinedTables,
) -> Result<Option<PlaceTables>, Error> {
    let nothing = Maps::default();
    let maps = source.maps.unwrap_or(&nothing);
    let mut tables = PlaceTables::new(used);
    for table in PlaceTable::used(used) {
        let table = if maps.use_addresses() { table.by_address() } else { table };
        let rows = PlaceRows::new(table, used);
        match fill((source, maps), (plan, range), rows)? {
            Some(rows) => tables.add(rows),
            None => return Ok(None),
        }
    }
    Ok(Some(tables))
}

/// The rows of a table.
fn fill(
    (source, maps): (PlaceSource<'_>, &Maps),
    (plan, range): (&Plan<'_>, StartRange),
    mut rows: PlaceRows,
) -> Result<Option<PlaceRows>, Error> {
    let table = rows.table();
    if !maps.has(table.kind()) {
        return Ok(Some(rows));
    }
    let periods = periods(maps, range);
    let at: Vec<_> = periods.iter().map(|(since, _)| maps.at(*since)).collect();
    let (mut count, mut held, mut fits) = (0, 0, true);
    let Statement { text, binds } = plan.place_keys(table, range).finish(plan.tenant.dialect);
    source.connection.scan(&text, binds.as_slice(), |row: &Row<'_>| {
        let key: String = row.get(0)?;
        let whereabouts = table.whereabouts(&key);
        fits &= whereabouts.is_some();
        // Times in which the place is the same are one.
        let mut same: Option<((i64, i64), Place<'_>)> = None;
        for ((since, until), maps) in periods.iter().zip(&at) {
            let place = whereabouts.as_ref().map(|end| maps.place(end)).unwrap_or_default();
            match &mut same {
                Some((period, before)) if *before == place => period.1 = *until,
                _ => {
                    if let Some((period, before)) = same.replace(((*since, *until), place)) {
                        count += 1;
                        fits &= rows.add(&key, period, &before);
                    }
                }
            }
        }
        if let Some((period, place)) = same {
            count += 1;
            fits &= rows.add(&key, period, &place);
        }
        let grown = rows.grown();
        held += grown;
        fits &= held <= MOST_BYTES;
        let is_held = !fits || source.meter.is_none_or(|meter| meter.keep(grown));
        fits &= count <= MOST_NETWORKS;
        Ok(if fits && is_held { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    source.meter.map_or(Ok(()), Meter::check)?;
    Ok(fits.then_some(rows))
}

/// The times in which no map changes, within a range: from an instant (ticks) until another.
fn periods(maps: &Maps, range: StartRange) -> Vec<(i64, i64)> {
    let StartRange { from, until } = range;
    let is_inside =
        |at: &i64| from.is_none_or(|from| *at > from) && until.is_none_or(|until| *at <= until);
    let mut bounds = vec![from.unwrap_or(i64::MIN)];
    bounds.extend(maps.turning_points().into_iter().filter(is_inside));
    bounds.push(i64::MAX);
    bounds.windows(2).map(|pair| (pair[0], pair[1])).collect()
}
