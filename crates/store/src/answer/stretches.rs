//! Pages that have to look for their rows: stretch by stretch along the index by start, so that
//! however rare the rows are, each call gets further.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::page::Paging;
use super::run::Run;
use crate::query::order::TermValue;
use crate::query::planned::{Access, Planned};
use crate::query::position::Position;
use crate::query::source::Window;
use crate::sql::writer::{Bind, Statement};
use crate::{Cost, Error};

/// Records of the first stretch, so that what is frequent costs nothing more.
const FIRST: u64 = 500;
/// Records of a stretch at most; some 100 ms.
const LONGEST: u64 = 32_000;

/// Whether pages of a query are read so.
pub(super) fn is_served(planned: &Planned<'_>) -> bool {
    planned.access == Access::Start && is_latest_first(planned) && planned.cost() == Cost::Scan
}

/// Whether the latest start comes first.
pub(super) fn is_latest_first(planned: &Planned<'_>) -> bool {
    let first = planned.order.as_ref().and_then(|order| order.terms.first());
    first.is_some_and(|term| term.value == TermValue::Start && term.is_descending)
}

/// Reads the rows of a page; whether there are more.
pub(super) fn page(paging: &mut Paging<'_>, run: &mut Run<'_>) -> Result<bool, Error> {
    let begun = Instant::now();
    let patience = run.budget.deadline().saturating_duration_since(begun) / 2;
    let mut behind = paging.behind.clone();
    let mut stretch = paging.planned.clone();
    if let Some(Some(Bind::Int(start))) = behind.values.first() {
        stretch.until = Some(stretch.until.map_or(*start, |until| until.min(*start)));
    }
    let (from, mut length) = (stretch.from, FIRST);
    // How long the first records lasted, by which the later stretches of a range are measured.
    let mut lasted = None;
    loop {
        let end = match (from, stretch.until, lasted) {
            (Some(from), Some(until), Some(lasted)) => {
                let share = i64::try_from(length / FIRST).unwrap_or(i64::MAX);
                let end = until.saturating_sub(share.saturating_mul(lasted));
                (end > from).then_some(end)
            }
            _ => end_of(run, &stretch, length)?,
        };
        if let (Some(_), None, Some(end)) = (from, lasted, end) {
            let latest = end_of(run, &stretch, 0)?.unwrap_or(end);
            lasted = Some(latest.saturating_sub(end).max(1));
        }
        stretch.from = from.max(end);
        if read(paging, run, &stretch, &behind)? {
            return Ok(true);
        }
        let Some(end) = end else { return Ok(false) };
        stretch.from = from;
        stretch.until = Some(end.saturating_sub(1));
        behind = before(&stretch, end.saturating_sub(1));
        paging.at = Some(behind.values.clone());
        if is_over(begun, patience) || paging.judge.is_some() && run.is_spent() {
            return Ok(true);
        }
        length = (length * 4).min(LONGEST);
    }
}

/// Reads rows of a part of the range of starts; whether there are more than the page takes.
pub(super) fn read(
    paging: &mut Paging<'_>,
    run: &mut Run<'_>,
    stretch: &Planned<'_>,
    behind: &Position,
) -> Result<bool, Error> {
    let wanted = paging.wanted().saturating_add(1);
    let limit = paging.judge.is_none().then_some(wanted);
    let mut has_more = false;
    run.each(stretch, &Window { behind, offset: 0, limit }, &mut |run, candidate| {
        let goes_on: ControlFlow<()> = paging.take(run, candidate)?;
        has_more |= goes_on.is_break();
        Ok(goes_on)
    })?;
    Ok(has_more)
}

/// The start of the record that many records further on; all that start then belong to the
/// stretch. `None` if there are not so many.
fn end_of(run: &Run<'_>, planned: &Planned<'_>, length: u64) -> Result<Option<i64>, Error> {
    let Statement { text, binds } = planned.start_after(length).finish(planned.engine);
    run.connection.value(&text, binds.as_slice())
}

/// The place before every row of the records that start at an instant.
pub(super) fn before(planned: &Planned<'_>, start: i64) -> Position {
    let value = |value: &TermValue| match value {
        TermValue::Start => Some(Bind::Int(start)),
        TermValue::Id => Some(Bind::Text(String::new())),
        TermValue::Ordinal(_) => Some(Bind::Int(-1)),
        TermValue::Extra(_) => None,
    };
    let terms = planned.order.iter().flat_map(|order| &order.terms);
    let values = terms.map(|term| value(&term.value)).collect();
    Position { given: 0, skipped: 0, values }
}

fn is_over(begun: Instant, patience: Duration) -> bool {
    begun.elapsed() >= patience
}
