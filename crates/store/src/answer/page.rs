//! Pages of rows: chooses how the rows of a page are found, and says where the next page begins.

use odata::eval::Exhausted;

use super::paging::Paging;
use super::run::{Run, all_behind};
use super::{month_windows, ranked, windows, word_buckets};
use crate::Error;
use crate::query::RowPage;
use crate::query::position::Position;
use crate::query::statement::Slice;

/// Reads a page.
pub(super) fn page(mut paging: Paging<'_>, run: &mut Run<'_>) -> Result<RowPage, Error> {
    if paging.room == 0 {
        return Ok(RowPage::default());
    }
    let ended = if paging.plan.order.is_none() {
        ranked::page(&mut paging, run)
    } else if word_buckets::is_served(paging.plan, paging.query) {
        word_buckets::page(&mut paging, run)
    } else if windows::is_served(paging.plan) {
        windows::page(&mut paging, run)
    } else if month_windows::is_served(paging.plan) {
        month_windows::page(&mut paging, run)
    } else {
        read(&mut paging, run)
    };
    let has_more = match ended {
        Ok(has_more) => has_more,
        // What has been found is a page; the next one goes on from there.
        Err(Error::Deadline | Error::Exhausted(Exhausted::Steps(_)))
            if paging.at.is_some() && paging.plan.order.is_some() =>
        {
            true
        }
        Err(error) => return Err(error),
    };
    let given = paging.behind.given + paging.found.len() as u64;
    let is_full = paging.found.len() >= paging.room;
    let next = paging.at.take().filter(|_| has_more && !(paging.is_last && is_full));
    let next = next.map(|values| Position { given, skipped: paging.skipped, values }.write());
    Ok(RowPage { rows: paging.found, next, scanned: run.scanned })
}

/// Reads rows as SQL gives them; whether there are more.
fn read(paging: &mut Paging<'_>, run: &mut Run<'_>) -> Result<bool, Error> {
    let (mut offset, mut limit) = (0, None);
    if paging.filter.is_none() {
        offset = std::mem::take(&mut paging.to_skip);
        paging.skipped += offset;
        limit = Some((paging.room as u64).saturating_add(1));
    }
    let behind = paging.behind.clone();
    let slice = Slice { offset, limit, ..all_behind(paging.plan, &behind) };
    let mut has_more = false;
    let plan = paging.plan;
    run.each(plan, &slice, &mut |run, candidate| {
        let goes_on = paging.take(run, candidate)?;
        has_more |= goes_on.is_break();
        Ok(goes_on)
    })?;
    Ok(has_more)
}
