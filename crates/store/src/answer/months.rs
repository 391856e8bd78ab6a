//! Pages of the latest calls where records lie in parts, a part for each month of their starts: some
//! months at a time, so that a page that the last ones fill looks into no others.

use super::page::Paging;
use super::run::Run;
use super::stretches::{before, is_latest_first, read};
use crate::clock;
use crate::query::planned::{Access, Planned};
use crate::sql::Engine;
use crate::sql::writer::Bind;
use crate::tables::keys::{month, start_of_month};
use crate::{Cost, Error};

/// Months that are looked into first, and at once where no more are asked for.
const FIRST: i64 = 2;

/// Whether pages of a query are read so.
pub(super) fn is_served(planned: &Planned<'_>) -> bool {
    let is_led_by_start = matches!(planned.access, Access::Start | Access::Participants(_));
    planned.engine == Engine::Postgres
        && is_led_by_start
        && is_latest_first(planned)
        && planned.cost() == Cost::Bounded
        && !is_short(planned)
}

/// Whether the range of starts is of few months.
fn is_short(planned: &Planned<'_>) -> bool {
    let months = planned.from.zip(planned.until).map(|(from, until)| month(until) - month(from));
    months.is_some_and(|months| months <= FIRST)
}

/// Reads the rows of a page; whether there are more.
pub(super) fn page(paging: &mut Paging<'_>, run: &mut Run<'_>) -> Result<bool, Error> {
    let mut behind = paging.behind.clone();
    let mut stretch = paging.planned.clone();
    if let Some(Some(Bind::Int(start))) = behind.values.first() {
        stretch.until = Some(stretch.until.map_or(*start, |until| until.min(*start)));
    }
    let from = stretch.from;
    // What starts in the future belongs to the first stretch.
    let now = month(clock::now());
    let mut first = stretch.until.map_or(now, |until| month(until).min(now)) + 1;
    let mut length = FIRST;
    loop {
        first -= length;
        let end = (first > 0).then(|| start_of_month(first));
        let end = end.filter(|end| from.is_none_or(|from| from < *end));
        stretch.from = end.or(from);
        if read(paging, run, &stretch, &behind)? {
            return Ok(true);
        }
        let Some(end) = end else { return Ok(false) };
        stretch.until = Some(end - 1);
        behind = before(&stretch, end - 1);
        paging.at = Some(behind.values.clone());
        length *= 2;
    }
}
