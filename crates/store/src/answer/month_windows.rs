//! Pages of the latest calls on PostgreSQL, where a partition for each month has the records: some months
//! at a time, so that a page that the last ones fill looks into no other partitions.

use super::paging::Paging;
use super::run::Run;
use super::windows::{before, is_latest_first, range_behind, read};
use crate::engine::Dialect;
use crate::query::Cost;
use crate::query::access::{Access, StartRange};
use crate::query::plan::Plan;
use crate::tables::keys::{month, start_of_month};
use crate::{Error, clock};

/// Months of the first window; a range of no more months is read at once.
const FIRST: i64 = 2;

/// Whether pages of a query are read so.
pub(super) fn is_served(plan: &Plan<'_>) -> bool {
    let is_led_by_start = matches!(plan.access, Access::Start | Access::Participants(_));
    plan.tenant.dialect == Dialect::Postgres
        && is_led_by_start
        && is_latest_first(plan)
        && plan.cost() == Cost::Bounded
        && !is_short(plan.range)
}

/// Whether the range of starts is of few months.
fn is_short(range: StartRange) -> bool {
    let months = range.from.zip(range.until).map(|(from, until)| month(until) - month(from));
    months.is_some_and(|months| months <= FIRST)
}

/// Reads the rows of a page; whether there are more.
pub(super) fn page(paging: &mut Paging<'_>, run: &mut Run<'_>) -> Result<bool, Error> {
    let mut behind = paging.behind.clone();
    let mut window = range_behind(paging.plan, &behind);
    let from = window.from;
    // What starts in the future belongs to the first window.
    let now = month(clock::now());
    let mut first = window.until.map_or(now, |until| month(until).min(now)) + 1;
    let mut length = FIRST;
    loop {
        first -= length;
        let end = (first > 0).then(|| start_of_month(first));
        let end = end.filter(|end| from.is_none_or(|from| from < *end));
        window.from = end.or(from);
        if read(paging, run, window, &behind)? {
            return Ok(true);
        }
        let Some(end) = end else { return Ok(false) };
        window.until = Some(end - 1);
        behind = before(paging.plan, end - 1);
        paging.at = Some(behind.values.clone());
        length *= 2;
    }
}
