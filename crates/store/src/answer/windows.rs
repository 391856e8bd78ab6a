//! Pages that have to look for their rows: window by window along the index by start, the latest first.
//!
//! One statement that filters until a page is full may run for minutes where rows that meet the filter
//! are rare, and all of it is lost when it reaches its deadline. Each window is a statement of its own,
//! over a known number of records: whatever it finds is kept, and a page that runs out of time ends at
//! the window's edge, where the next one begins. Windows grow fourfold, so that a page of frequent rows
//! costs one short statement and a page of rare ones few long ones.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::paging::Paging;
use super::run::Run;
use crate::Error;
use crate::query::Cost;
use crate::query::access::{Access, StartRange};
use crate::query::order::TermValue;
use crate::query::plan::Plan;
use crate::query::position::Position;
use crate::query::statement::Slice;
use crate::sql::{Bind, Statement};

/// Records of the first window, so that what is frequent costs nothing more.
const FIRST: u64 = 500;
/// Records of a window at most; some 100 ms.
const LONGEST: u64 = 32_000;

/// Whether pages of a query are read so.
pub(super) fn is_served(plan: &Plan<'_>) -> bool {
    plan.access == Access::Start && is_latest_first(plan) && plan.cost() == Cost::Scan
}

/// Whether the latest start comes first.
pub(super) fn is_latest_first(plan: &Plan<'_>) -> bool {
    let first = plan.order.as_ref().and_then(|order| order.terms.first());
    first.is_some_and(|term| term.value == TermValue::Start && term.is_descending)
}

/// Reads the rows of a page; whether there are more.
pub(super) fn page(paging: &mut Paging<'_>, run: &mut Run<'_>) -> Result<bool, Error> {
    let begun = Instant::now();
    let patience = run.budget.deadline().saturating_duration_since(begun) / 2;
    let mut behind = paging.behind.clone();
    let mut window = range_behind(paging.plan, &behind);
    let (from, mut length) = (window.from, FIRST);
    // How long the first records lasted, by which the later windows of a range are measured.
    let mut lasted = None;
    loop {
        let end = match (from, window.until, lasted) {
            (Some(from), Some(until), Some(lasted)) => {
                let share = i64::try_from(length / FIRST).unwrap_or(i64::MAX);
                let end = until.saturating_sub(share.saturating_mul(lasted));
                (end > from).then_some(end)
            }
            _ => end_of(run, paging.plan, window, length)?,
        };
        if let (Some(_), None, Some(end)) = (from, lasted, end) {
            let latest = end_of(run, paging.plan, window, 0)?.unwrap_or(end);
            lasted = Some(latest.saturating_sub(end).max(1));
        }
        window.from = from.max(end);
        if read(paging, run, window, &behind)? {
            return Ok(true);
        }
        let Some(end) = end else { return Ok(false) };
        window = StartRange { from, until: Some(end.saturating_sub(1)) };
        behind = before(paging.plan, end.saturating_sub(1));
        paging.at = Some(behind.values.clone());
        if is_over(begun, patience) || paging.filter.is_some() && run.is_spent() {
            return Ok(true);
        }
        length = (length * 4).min(LONGEST);
    }
}

/// The range of starts behind a position, by its leading value.
pub(super) fn range_behind(plan: &Plan<'_>, behind: &Position) -> StartRange {
    let mut range = plan.range;
    if let Some(Some(Bind::Int(start))) = behind.values.first() {
        range.end_at(*start);
    }
    range
}

/// Reads the rows of a window; whether there are more than the page takes.
pub(super) fn read(
    paging: &mut Paging<'_>,
    run: &mut Run<'_>,
    window: StartRange,
    behind: &Position,
) -> Result<bool, Error> {
    let wanted = paging.wanted().saturating_add(1);
    let limit = paging.filter.is_none().then_some(wanted);
    let slice = Slice { range: window, behind, offset: 0, limit, places: None };
    let mut has_more = false;
    run.each(paging.plan, &slice, &mut |run, candidate| {
        let goes_on: ControlFlow<()> = paging.take(run, candidate)?;
        has_more |= goes_on.is_break();
        Ok(goes_on)
    })?;
    Ok(has_more)
}

/// The start of the record that many records further on; all that start then belong to the window.
/// `None` if there are not so many.
fn end_of(
    run: &Run<'_>,
    plan: &Plan<'_>,
    window: StartRange,
    length: u64,
) -> Result<Option<i64>, Error> {
    let Statement { text, binds } = plan.start_after(window, length).finish(plan.tenant.dialect);
    run.connection.value(&text, binds.as_slice())
}

/// The place before every row of the records that start at an instant.
pub(super) fn before(plan: &Plan<'_>, start: i64) -> Position {
    let value = |value: &TermValue| match value {
        TermValue::Start => Some(Bind::Int(start)),
        TermValue::Id => Some(Bind::Text(String::new())),
        TermValue::Ordinal(_) => Some(Bind::Int(-1)),
        TermValue::Extra(_) => None,
    };
    let terms = plan.order.iter().flat_map(|order| &order.terms);
    let values = terms.map(|term| value(&term.value)).collect();
    Position { given: 0, skipped: 0, values }
}

fn is_over(begun: Instant, patience: Duration) -> bool {
    begun.elapsed() >= patience
}
