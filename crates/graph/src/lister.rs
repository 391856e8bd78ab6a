//! Pages of collections that are no call records: read in one order, chunk by chunk, and chosen by our
//! own evaluator.
//!
//! Pages in the order of reading go on behind the last item of the one before; in any other order,
//! behind as many as were shown.

use std::borrow::Cow;
use std::ops::ControlFlow;

use model::search::Finder;
use odata::bound::Query;
use odata::edm::{StructuredType, Type};
use odata::eval::{Environment, Pager, Selection, Sieve, Window};
use odata::json::{Json, Node};
use store::{Budget, Reader};
use web::problem::Problem;
use web::response::Response;

use crate::compose::{Objects, applied, exhausted};
use crate::items::{self, ItemPage};
use crate::page_text::ERROR;
use crate::paging::{MOST_SESSIONS, Page, PageLimit};
use crate::query_limits::QueryLimits;
use crate::read_request::ReadRequest;

/// Where an item stands in the order of reading: by the first number, then by the second.
pub(crate) type Position = (i64, i64);

/// Takes an item; `Break` means that no further one can matter.
pub(crate) type Visit<'v> = dyn FnMut(Node<'_>, Position) -> Result<ControlFlow<()>, Problem> + 'v;

/// Whether there can be more behind a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunk {
    More,
    Last,
}

/// Items in an order of their own.
pub(crate) trait Source: Send + 'static {
    /// The type of an item.
    fn ty(&self) -> &'static StructuredType;

    /// Reads some items behind a position.
    fn chunk(
        &self,
        reader: &mut Reader,
        after: Option<Position>,
        visit: &mut Visit<'_>,
    ) -> Result<Chunk, Problem>;

    /// What is kept of an item that may be shown, as text.
    fn kept(&self, item: &Node<'_>) -> Json {
        Json::of(item)
    }

    /// Adds to an item that was chosen what is shown of it alone.
    fn finish(&self, _: &mut Reader, text: Json) -> Result<Json, Problem> {
        Ok(text)
    }
}

/// Answers with a page.
pub(crate) async fn list(read: &ReadRequest<'_>, source: impl Source) -> Result<Response, Problem> {
    let ty = source.ty();
    let limit = match read.query.apply {
        Some(_) => PageLimit::up_to(read.worker.shared.query.cost.page),
        None => MOST_SESSIONS.into(),
    };
    items::collection(read, ty, &page(read, source, limit).await?)
}

/// A page within a limit.
pub(crate) async fn page(
    read: &ReadRequest<'_>,
    source: impl Source,
    limit: PageLimit,
) -> Result<ItemPage, Problem> {
    let page = read.page(limit)?;
    let lister = Lister::of(read, source);
    let at = page.clone();
    let ListPage { items, count, next } = run(read, move |reader| lister.page(reader, &at)).await?;
    let next = next.and_then(|position| page.next(items.len(), position, None));
    let next = next.map(|next| read.scope.link(&next, &read.path, read.query));
    Ok(ItemPage { items, count, next })
}

/// Answers with the number of items.
pub(crate) async fn count(
    read: &ReadRequest<'_>,
    source: impl Source,
) -> Result<Response, Problem> {
    read.request.preferences.text()?;
    let lister = Lister::of(read, source);
    let count = run(read, move |reader| lister.count(reader)).await?;
    Ok(Response::text(count.to_string()))
}

/// Reads here if that is sure to be quick, else on a thread of its own.
async fn run<T: Send + 'static>(
    read: &ReadRequest<'_>,
    work: impl FnOnce(&mut Reader) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let query = read.query;
    let asks_for_all = query.count || query.skip.is_some() || read.path.ends_with("$count");
    let asks_for_more = query.apply.is_some() || !query.expand.is_empty();
    if Sieve::new(query).is_plain() && !asks_for_all && !asks_for_more {
        return work(&mut read.reader());
    }
    read.elsewhere(work).await
}

/// A page of items.
struct ListPage {
    items: Vec<Json>,
    /// How many there are on all pages, if that was asked for.
    count: Option<u64>,
    /// Where the next page begins, if there is one.
    next: Option<Vec<u8>>,
}

/// Reads items and chooses those that are asked for.
struct Lister<S> {
    source: S,
    query: Query,
    limits: QueryLimits,
    budget: Budget,
}

impl<S: Source> Lister<S> {
    fn of(read: &ReadRequest<'_>, source: S) -> Self {
        let limits = read.worker.shared.query.cost;
        Self { source, query: read.query.clone(), limits, budget: read.budget() }
    }

    fn count(&self, reader: &mut Reader) -> Result<u64, Problem> {
        if self.query.apply.is_some() {
            return Ok(self.applied(reader)?.items.len() as u64);
        }
        let all = Query { count: true, top: None, skip: None, ..self.query.clone() };
        let window = Window { start: 0, room: 0, is_last: true };
        let chosen = self.choose(reader, &Sieve::new(&all), window, None)?;
        Ok(chosen.count.unwrap_or_default())
    }

    fn page(&self, reader: &mut Reader, page: &Page) -> Result<ListPage, Problem> {
        if self.query.apply.is_some() {
            return self.page_of_applied(reader, page);
        }
        let sieve = Sieve::new(&Query { count: false, ..self.query.clone() });
        let count = self.query.count.then(|| self.count(reader)).transpose()?;
        let is_read_order = self.query.orderby.is_empty();
        let position = position(&page.after);
        let (after, shown) = match position {
            Some(position) if is_read_order => (Some(position), 0),
            Some((shown, _)) => (None, shown.unsigned_abs()),
            None => (None, 0),
        };
        let skips = position.is_none() || !is_read_order;
        let skip = if skips { self.query.skip.unwrap_or(0) } else { 0 };
        let window = Window {
            start: usize::try_from(skip.saturating_add(shown)).unwrap_or(usize::MAX),
            room: page.room(),
            is_last: page.left.is_some_and(|left| left <= page.size as u64),
        };
        let Selection { items, has_more, .. } = self.choose(reader, &sieve, window, after)?;
        let next = match items.last() {
            Some((_, last)) if has_more && is_read_order => Some(*last),
            Some(_) if has_more => Some(((shown + items.len() as u64).cast_signed(), 0)),
            _ => None,
        };
        let next = next.map(position_text);
        let items = items.into_iter().map(|(text, _)| self.source.finish(reader, text));
        Ok(ListPage { items: items.collect::<Result<_, _>>()?, count, next })
    }

    /// What `$apply` makes of all items.
    fn applied(&self, reader: &mut Reader) -> Result<Objects, Problem> {
        let limits = (self.limits.groups, &self.budget.meter);
        applied(&self.query, Type::Structured(self.source.ty()), limits, |take| {
            // An item that can't be read is no part of a figure; the log has it.
            self.each(reader, None, &mut |node, _| match node.get(ERROR) {
                Some(_) => Ok(ControlFlow::Continue(())),
                None => take(node),
            })
        })
    }

    fn page_of_applied(&self, reader: &mut Reader, page: &Page) -> Result<ListPage, Problem> {
        let Objects { items, total } = self.applied(reader)?;
        let shown = position(&page.after).map_or(0, |(shown, _)| shown.unsigned_abs());
        let start = usize::try_from(shown).unwrap_or(usize::MAX).min(items.len());
        let end = start.saturating_add(page.size).min(items.len());
        let next = (end < items.len()).then(|| position_text((end as i64, 0)));
        let items = items[start..end].to_vec();
        Ok(ListPage { items, count: self.query.count.then_some(total), next })
    }

    /// Items behind a position that are asked for, each with its own.
    fn choose(
        &self,
        reader: &mut Reader,
        sieve: &Sieve,
        window: Window,
        after: Option<Position>,
    ) -> Result<Selection<(Json, Position)>, Problem> {
        let finder = Finder::default();
        let ty = Type::Structured(self.source.ty());
        let environment = Environment { searcher: &finder, meter: &self.budget.meter };
        let mut pager = Pager::new(sieve, window, ty, environment);
        self.each(reader, after, &mut |node, position| {
            Ok(pager.offer(Cow::Owned(node), |node| (self.source.kept(node), position)))
        })?;
        pager.finish().map_err(exhausted)
    }

    /// Gives the items behind a position to `visit`, within the limits.
    fn each(
        &self,
        reader: &mut Reader,
        mut after: Option<Position>,
        visit: &mut Visit<'_>,
    ) -> Result<(), Problem> {
        let mut looked_at = 0;
        loop {
            let mut last = after;
            let mut visit = |node: Node<'_>, position: Position| {
                last = Some(position);
                looked_at += 1;
                self.check_cost(looked_at)?;
                visit(node, position)
            };
            if self.source.chunk(reader, after, &mut visit)? == Chunk::Last {
                return Ok(());
            }
            after = last;
        }
    }

    fn check_cost(&self, looked_at: u64) -> Result<(), Problem> {
        if looked_at > self.limits.rows_scanned {
            let limit = self.limits.rows_scanned;
            return Err(store::Error::TooManyRows { limit }.into());
        }
        // Each time: an item may have taken long to make.
        self.budget.meter.has_time();
        self.budget.meter.check().map_err(exhausted)
    }
}

fn position_text((first, second): Position) -> Vec<u8> {
    [first.to_le_bytes(), second.to_le_bytes()].concat()
}

fn position(after: &[u8]) -> Option<Position> {
    let (first, second) = after.split_first_chunk::<8>()?;
    Some((i64::from_le_bytes(*first), i64::from_le_bytes(second.try_into().ok()?)))
}
