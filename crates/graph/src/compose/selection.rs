//! Which items of a collection an answer shows, and what is computed for them.

use std::borrow::Cow;
use std::ops::ControlFlow;

use model::search::Finder;
use odata::bound::{ComputedMember, Query};
use odata::edm::Type;
use odata::eval::{
    Environment, Excess, Exhausted, HeapSize, Item, Meter, Pager, Pipeline, Selection, Sieve,
    Sizes, Window,
};
use odata::json::{Json, Member, Node, write_members};
use web::Problem;

use super::entity::{Entity, Source, entity_of};
use crate::kept_json::parse;

/// Chooses among the entities of a source. `shown` stood on earlier pages, `size` go on this one;
/// `outermost` is the text of the entity around, for paths that start at `$it`.
pub(super) fn choose(
    source: &mut Source<'_>,
    query: &Query,
    ty: Type,
    (shown, size): (usize, usize),
    (outermost, meter): (Option<&str>, &Meter),
) -> Result<Selection<Entity>, Problem> {
    let sieve = Sieve::new(query);
    let window = Window::of(query, shown as u64, size);
    if sieve.is_plain() {
        return first(source, window, query.count, meter);
    }
    let around = outermost.map(|text| load(text, meter)).transpose()?;
    let finder = Finder::default();
    let mut pager = Pager::new(&sieve, window, ty, Environment { searcher: &finder, meter });
    if let Some(node) = &around {
        pager = pager.inside(Item { node, ty: Type::Undeclared("") });
    }
    source.each(|entity| {
        let text = entity.text();
        let flow = pager.offer(Cow::Owned(load(&text, meter)?), entity_of);
        Ok(flow.is_continue())
    })?;
    pager.finish().map_err(exhausted)
}

/// The entities of a window of all there are.
fn first(
    source: &mut Source<'_>,
    window: Window,
    is_counted: bool,
    meter: &Meter,
) -> Result<Selection<Entity>, Problem> {
    let end = window.start.saturating_add(window.room);
    let mut items = Vec::new();
    let mut number = 0;
    source.each(|entity| {
        if number >= window.start && number < end {
            meter.keep(entity.heap_size());
            items.push(entity);
        }
        number += 1;
        meter.step();
        meter.check().map_err(exhausted)?;
        Ok(is_counted || number <= end)
    })?;
    let has_more = number > end && !window.is_last;
    Ok(Selection { items, count: is_counted.then_some(number as u64), has_more })
}

/// Text of the computed members of an item, each behind a comma.
pub(super) fn computed(
    computed: &[ComputedMember],
    item: Node<'_>,
    ty: Type,
    meter: &Meter,
) -> Result<Vec<u8>, Problem> {
    let query = Query { compute: computed.to_vec(), ..Query::default() };
    let sieve = Sieve::new(&query);
    let finder = Finder::default();
    let mut pager = Pager::new(&sieve, Window::ALL, ty, Environment { searcher: &finder, meter });
    let _ = pager.offer(Cow::Owned(item), |node| {
        let members = node.as_object().unwrap_or_default().iter();
        let members = members.filter(|member| is_computed(member, computed)).cloned();
        let mut out = vec![b','];
        write_members(&mut out, &members.collect::<Vec<_>>());
        out
    });
    let mut shown = pager.finish().map_err(exhausted)?.items;
    Ok(shown.pop().unwrap_or_default())
}

/// Members of an item but those that computed ones replace: what no schema declares may have any name.
pub(super) fn not_computed<'n>(
    members: &[Member<'n>],
    computed: &[ComputedMember],
) -> Vec<Member<'n>> {
    members.iter().filter(|member| !is_computed(member, computed)).cloned().collect()
}

/// Whether it is a computed member, or an annotation of one.
fn is_computed(member: &Member<'_>, computed: &[ComputedMember]) -> bool {
    let name = member.name.value();
    let name = name.split('@').next().unwrap_or_default();
    computed.iter().any(|one| one.alias == name)
}

/// Objects that `$apply` made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects {
    /// With `$skip` and `$top` applied.
    pub(crate) items: Vec<Json>,
    /// How many there are without `$skip` and `$top`, if that is asked for.
    pub(crate) total: u64,
}

/// Takes an item; `Break` means that no further one can matter.
pub(crate) type Take<'t> = dyn FnMut(Node<'_>) -> Result<ControlFlow<()>, Problem> + 't;

/// What `$apply` and the options behind it make of the items that `feed` gives: JSON objects.
pub(crate) fn applied(
    query: &Query,
    ty: Type,
    (groups, meter): (usize, &Meter),
    feed: impl FnOnce(&mut Take<'_>) -> Result<(), Problem>,
) -> Result<Objects, Problem> {
    let Some(apply) = &query.apply else { return Ok(Objects::default()) };
    let sizes = Sizes { groups, items: MOST_ITEMS, values: MOST_VALUES };
    let finder = Finder::default();
    let pipeline = Pipeline::new(apply, ty).map_err(excess)?;
    let environment = Environment { searcher: &finder, meter };
    let mut run = pipeline.start(sizes, environment);
    feed(&mut |item| run.push(Cow::Owned(item)).map_err(excess))?;
    let sieve = Sieve::new(query);
    let mut pager = Pager::new(&sieve, Window::of(query, 0, usize::MAX), ty, environment);
    for object in run.finish().map_err(excess)? {
        if pager.offer(Cow::Owned(object), Json::of).is_break() {
            break;
        }
    }
    let Selection { items, count, .. } = pager.finish().map_err(exhausted)?;
    Ok(Objects { total: count.unwrap_or(items.len() as u64), items })
}

/// Items and single values that `$apply` keeps at most; a record has no more than that.
const MOST_ITEMS: usize = 100_000;
const MOST_VALUES: usize = 1_000_000;

/// An item that is looked at, if there is memory for it.
pub(crate) fn load<'t>(text: &'t str, meter: &Meter) -> Result<Node<'t>, Problem> {
    meter.load(text.len());
    meter.check().map_err(exhausted)?;
    parse(text)
}

/// The answer when a budget is exhausted.
pub(crate) fn exhausted(exhausted: Exhausted) -> Problem {
    store::Error::from(exhausted).into()
}

fn excess(excess: Excess) -> Problem {
    if let Excess::Exhausted(reason) = excess {
        return exhausted(reason);
    }
    Problem::bad_request(format!("The query makes {excess}.")).with_target("$apply")
}
