//! `/communications/calls`: calls as their events tell of them (Graph, "call resource type").

mod scope;

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Instant;

use calls::{Event, Leg, in_order, members};
use http::Method;
use model::TenantId;
use model::search::Finder;
use odata::bound::{Query, Resource, Step};
use odata::edm::Type;
use odata::eval::{Pager, Selection, Sieve, Window};
use odata::json::{Node, write_node};
use store::{CallRow, CallScope, Reader};

use super::ask::Ask;
use super::compose::QueryLimits;
use super::paging::{MOST_SESSIONS, Page};
use super::shown::{self, Shown};
use crate::problem::{Problem, special};
use crate::request::Request;
use crate::response::Response;
use crate::router::Route;
use crate::worker::Worker;

/// Calls that are read at a time.
const AT_ONCE: usize = 256;

/// What a path below `/communications/calls` addresses.
enum Target<'r> {
    All,
    Count,
    One(&'r str),
    Events(&'r str),
}

/// Answers a request for a path that leads here.
pub(super) async fn answer(
    worker: &Rc<Worker>,
    request: &mut Request,
    resource: &Resource,
    query: &Query,
) -> Result<Response, Problem> {
    let target = match &resource.steps[2..] {
        [] => Target::All,
        [Step::Count] => Target::Count,
        [Step::Key(id)] => Target::One(id),
        [Step::Key(id), Step::Operation { .. }] => Target::Events(id),
        _ => return Err(super::not_built("this path of a call")),
    };
    request.route = match target {
        Target::All | Target::Count => Route::Calls,
        Target::One(_) | Target::Events(_) => Route::Call,
    };
    if request.method != Method::GET {
        return Err(Problem::method_not_allowed("GET, HEAD"));
    }
    if query.apply.is_some() {
        return Err(super::not_built("'$apply' of calls"));
    }
    let ask = Ask::new(worker, request, resource, query)?;
    match target {
        Target::All => list(&ask).await,
        Target::Count => count(&ask).await,
        Target::One(id) => show(&ask, id),
        Target::Events(id) => events(&ask, id),
    }
}

fn show(ask: &Ask<'_>, id: &str) -> Result<Response, Problem> {
    let mut reader = ask.reader();
    let call = find(ask, &mut reader, id)?;
    let bodies = reader.call_events(call.key, false)?;
    let events = read(&bodies)?;
    let leg = Leg::of(&call, &events);
    shown::entity(ask, &model::generated::CALL, &members(&leg, &ask.tenant))
}

/// What was told of a call, by the times at which it happened.
fn events(ask: &Ask<'_>, id: &str) -> Result<Response, Problem> {
    let mut reader = ask.reader();
    let call = find(ask, &mut reader, id)?;
    let bodies = reader.call_events(call.key, true)?;
    let sieve = Sieve::new(ask.query);
    let finder = Finder::default();
    let ty = Type::Structured(&model::generated::CALL_EVENT);
    let mut pager = Pager::new(&sieve, Window::of(ask.query, 0, usize::MAX), ty, &finder);
    for event in read(&bodies)? {
        if pager.offer(Cow::Owned(event.into_node()), print).is_break() {
            break;
        }
    }
    let chosen = pager.finish();
    let shown = Shown { items: chosen.items, count: chosen.count, next: None };
    shown::collection(ask, &model::generated::CALL_EVENT, &shown)
}

fn find(ask: &Ask<'_>, reader: &mut Reader, id: &str) -> Result<CallRow, Problem> {
    let found = reader.call(&ask.tenant, &model::key(id))?;
    found.filter(|call| ask.not_before().is_none_or(|oldest| call.start >= oldest)).ok_or_else(
        || Problem::not_there("The call was not found.").named(special::RESOURCE_NOT_FOUND),
    )
}

async fn list(ask: &Ask<'_>) -> Result<Response, Problem> {
    let page = ask.page(MOST_SESSIONS)?;
    let lister = Lister::of(ask);
    let at = page.clone();
    let listed = elsewhere(ask, move |reader| lister.page(reader, &at)).await?;
    let Listed { items, count, next } = listed;
    let next = next.and_then(|position| page.next(items.len(), position, None));
    let next = next.map(|next| next.link(ask.root(), ask.keys(), ask.asked(&ask.path), ask.query));
    shown::collection(ask, &model::generated::CALL, &Shown { items, count, next })
}

async fn count(ask: &Ask<'_>) -> Result<Response, Problem> {
    ask.request.preferences.text()?;
    let lister = Lister::of(ask);
    let count = elsewhere(ask, move |reader| lister.count(reader)).await?;
    Ok(Response::text(count.to_string()))
}

/// Reads on a thread and a connection of its own, unless that is sure to be quick.
async fn elsewhere<T: Send + 'static>(
    ask: &Ask<'_>,
    work: impl FnOnce(&mut Reader) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let asks_for_all = ask.query.count || ask.query.skip.is_some() || ask.path.ends_with("$count");
    if Sieve::new(ask.query).is_plain() && !asks_for_all {
        return work(&mut ask.reader());
    }
    let mut reader = ask.worker.store.reader()?;
    tokio::task::spawn_blocking(move || work(&mut reader)).await.map_err(Problem::internal)?
}

/// The start of a call and its number, by which calls are listed.
type Position = (i64, i64);

/// A page of calls.
struct Listed {
    items: Vec<String>,
    /// How many there are on all pages, if that was asked for.
    count: Option<u64>,
    /// Where the next page begins, if there is one.
    next: Option<Vec<u8>>,
}

/// Reads calls and chooses those that are asked for.
struct Lister {
    tenant: TenantId,
    query: Query,
    scope: CallScope,
    not_before: Option<i64>,
    limits: QueryLimits,
    began: Instant,
}

impl Lister {
    fn of(ask: &Ask<'_>) -> Self {
        Self {
            tenant: ask.tenant.clone(),
            query: ask.query.clone(),
            scope: scope::of(ask.query.filter.as_ref()),
            not_before: ask.not_before(),
            limits: ask.worker.shared.options.query.cost,
            began: Instant::now(),
        }
    }

    fn count(&self, reader: &mut Reader) -> Result<u64, Problem> {
        let all = Query { count: true, top: None, skip: None, ..self.query.clone() };
        let sieve = Sieve::new(&all);
        let window = Window { start: 0, room: 0, is_last: true };
        let chosen = self.choose(reader, &sieve, window, None)?;
        Ok(chosen.count.unwrap_or_default())
    }

    /// A page. Pages in the order of starts go on behind the last call of the one before; in any
    /// other order, behind as many as were shown.
    fn page(&self, reader: &mut Reader, page: &Page) -> Result<Listed, Problem> {
        let sieve = Sieve::new(&Query { count: false, ..self.query.clone() });
        let count = self.query.count.then(|| self.count(reader)).transpose()?;
        let by_start = self.query.orderby.is_empty();
        let position = position(&page.after);
        let (after, shown) = match position {
            Some(position) if by_start => (Some(position), 0),
            Some((shown, _)) => (None, shown.unsigned_abs()),
            None => (None, 0),
        };
        let is_first = position.is_none();
        let skip = if is_first || !by_start { self.query.skip.unwrap_or(0) } else { 0 };
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let window = Window {
            start: whole(skip.saturating_add(shown)),
            room: page.room(),
            is_last: page.left.is_some_and(|left| left <= page.size as u64),
        };
        let Selection { items, has_more, .. } = self.choose(reader, &sieve, window, after)?;
        let next = match items.last() {
            Some((_, last)) if has_more && by_start => Some(*last),
            Some(_) if has_more => Some(((shown + items.len() as u64).cast_signed(), 0)),
            _ => None,
        };
        let next = next.map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()].concat());
        Ok(Listed { items: items.into_iter().map(|(text, _)| text).collect(), count, next })
    }

    /// Calls behind a position that are asked for, each with its own.
    fn choose(
        &self,
        reader: &mut Reader,
        sieve: &Sieve,
        window: Window,
        mut after: Option<Position>,
    ) -> Result<Selection<(String, Position)>, Problem> {
        let finder = Finder::default();
        let ty = Type::Structured(&model::generated::CALL);
        let mut pager = Pager::new(sieve, window, ty, &finder);
        let mut looked_at = 0;
        'all: loop {
            let calls = reader.calls(&self.tenant, &self.scope, after, AT_ONCE)?;
            let is_last = calls.len() < AT_ONCE;
            for call in calls {
                let position = (call.start, call.key);
                after = Some(position);
                if self.not_before.is_some_and(|oldest| call.start < oldest) {
                    break 'all;
                }
                let bodies = reader.call_events(call.key, false)?;
                let events = read(&bodies)?;
                let leg = Leg::of(&call, &events);
                let node = Node::Object(members(&leg, &self.tenant));
                let offered = pager.offer(Cow::Owned(node), |node| (print(node), position));
                if offered.is_break() {
                    break 'all;
                }
                looked_at += 1;
                self.check_cost(looked_at)?;
            }
            if is_last {
                break;
            }
        }
        Ok(pager.finish())
    }

    fn check_cost(&self, looked_at: u64) -> Result<(), Problem> {
        if looked_at > self.limits.rows_scanned {
            let limit = self.limits.rows_scanned;
            return Err(store::Error::TooManyRows { limit }.into());
        }
        if looked_at.is_multiple_of(AT_ONCE as u64) && self.began.elapsed() > self.limits.time {
            return Err(store::Error::Deadline.into());
        }
        Ok(())
    }
}

fn position(after: &[u8]) -> Option<Position> {
    let (first, second) = after.split_first_chunk::<8>()?;
    Some((i64::from_le_bytes(*first), i64::from_le_bytes(second.try_into().ok()?)))
}

/// Events that were kept, in order.
fn read(bodies: &[String]) -> Result<Vec<Event<'_>>, Problem> {
    let events = bodies.iter().map(|body| Event::read(body)).collect::<Result<Vec<_>, _>>();
    let mut events = events.map_err(Problem::internal)?;
    in_order(&mut events);
    Ok(events)
}

fn print(node: &Node<'_>) -> String {
    let mut out = Vec::new();
    write_node(&mut out, node);
    String::from_utf8_lossy(&out).into_owned()
}
