//! A pass over the list of an hour, slice by slice. A slice counts when its last answer has come whole, in
//! one transaction with its rows; a pass that was broken off goes on where it was.

use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use store::{FencedResult, HourRow, ListedRecord, ReadSlice};

use crate::context::{Context, Stop};
use crate::fault::Fault;
use crate::fetch::Links;
use crate::list_page::{self, ListPage};
use crate::rate::Kind;
use crate::schedule::Freshness;
use crate::slices::Widths;
use crate::{hours, schedule};

/// What is asked of each row.
const SELECTED: &str = "id,version,startDateTime,endDateTime,lastModifiedDateTime";

/// The rows of a pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RowCounts {
    /// Rows.
    pub(crate) rows: u64,
    /// Those that were new, or new versions.
    pub(crate) news: u64,
}

/// Goes over the list of an hour, of which this is known.
pub(crate) async fn over(context: &Context, known: HourRow) -> Result<RowCounts, Stop> {
    let hour = known.hour;
    let now = context.client.clock.now();
    let (began, mut at) = match known.unfinished {
        // A pass that began so long ago that the next one is due proves too little to go on with.
        Some((began, at))
            if schedule::next_pass(hour, Some(began), Freshness::List)
                .is_none_or(|due| due > now) =>
        {
            (began, at)
        }
        _ => (now, hours::start(hour)),
    };
    let is_strict = schedule::is_strict(hour, began);
    let mut widths = Widths::of_hour((known.passes > 0).then_some(known.listed));
    let (mut seen, end) = (RowCounts::default(), hours::end(hour));
    while at < end {
        let seconds = widths.next((end - at) / TICKS_PER_SECOND);
        let to = at + seconds * TICKS_PER_SECOND;
        let Some(rows) = slice(context, (at, to), is_strict && seconds > 1).await? else {
            widths.halve(seconds);
            continue;
        };
        widths.read(seconds, rows.len());
        seen.rows += rows.len() as u64;
        let outside = rows.iter().filter(|row| !(at..to).contains(&row.start)).count() as u64;
        let (is_last, due_at) = (to == end, context.client.clock.now());
        let slice = ReadSlice { hour, began, read_to: to, is_last, due_at, rows, outside };
        match context.store.note_mirror_slice(context.lease, slice).await? {
            FencedResult::Done(news) => seen.news += news,
            FencedResult::Lost => return Err(Stop::Lost),
        }
        at = to;
    }
    Ok(seen)
}

/// The rows of a slice; none if they don't fit into one answer, and `is_one` says that they must.
async fn slice(
    context: &Context,
    (from, to): (i64, i64),
    is_one: bool,
) -> Result<Option<Vec<ListedRecord>>, Stop> {
    let client = &context.client;
    let instant = |ticks| DateTimeOffset(ticks).to_string();
    let query = format!(
        "communications/callRecords?$filter=startDateTime%20ge%20{}%20and%20startDateTime%20lt%20{}\
         &$select={SELECTED}",
        instant(from),
        instant(to)
    );
    let url = client.url(&query)?;
    let read = |text: String| list_page::read(&text).map_err(Fault::Unsound);
    let ListPage { mut rows, mut link } = read(client.get(Kind::List, &url).await?)?;
    if is_one && link.is_some() {
        return Ok(None);
    }
    let mut links = Links::default();
    while let Some(next) = link {
        let url = links.next(client, &next)?;
        let page = read(client.get(Kind::ListFollowing, &url).await?)?;
        links.had(page.rows.is_empty())?;
        rows.extend(page.rows);
        link = page.link;
    }
    Ok(Some(rows))
}
