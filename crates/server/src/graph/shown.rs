//! Answers made of rows that are no call records: an entity, or a collection of them, in the form
//! that was asked for.

use std::borrow::Cow;

use model::assemble::push_annotation;
use model::search::Finder;
use odata::bound::Query;
use odata::edm::{StructuredType, Type};
use odata::eval::{Environment, Pager, Sieve, Window};
use odata::json::{Member, Node, write_members, write_node};
use store::Budget;

use super::ask::{Ask, Content};
use super::compose::exhausted;
use crate::problem::Problem;
use crate::response::Response;

/// A page of a collection.
pub(super) struct Shown {
    /// The JSON texts of its items.
    pub(super) items: Vec<String>,
    /// How many items there are on all pages, if that was asked for.
    pub(super) count: Option<u64>,
    /// The link to the next page.
    pub(super) next: Option<String>,
}

impl Shown {
    /// Those of a few items that a query asks for, on one page.
    pub(super) async fn chosen(
        ask: &Ask<'_>,
        query: Query,
        ty: &'static StructuredType,
        items: Vec<Node<'static>>,
    ) -> Result<Self, Problem> {
        let budget = ask.budget();
        if Sieve::new(&query).is_plain() {
            return Self::choose(&query, ty, items, &budget);
        }
        ask.elsewhere(move |_| Self::choose(&query, ty, items, &budget)).await
    }

    fn choose(
        query: &Query,
        ty: &'static StructuredType,
        items: Vec<Node<'static>>,
        budget: &Budget,
    ) -> Result<Self, Problem> {
        let (sieve, finder) = (Sieve::new(query), Finder::default());
        let window = Window::of(query, 0, usize::MAX);
        let environment = Environment { searcher: &finder, meter: &budget.meter };
        let mut pager = Pager::new(&sieve, window, Type::Structured(ty), environment);
        for item in items {
            if pager.offer(Cow::Owned(item), text).is_break() {
                break;
            }
        }
        let chosen = pager.finish().map_err(exhausted)?;
        Ok(Self { items: chosen.items, count: chosen.count, next: None })
    }
}

/// The answer that shows an entity.
pub(super) fn entity(
    ask: &Ask<'_>,
    ty: &'static StructuredType,
    members: &[Member<'_>],
) -> Result<Response, Problem> {
    let mut out = ask.open(1_024);
    out.push(b',');
    write_members(&mut out, members);
    out.push(b'}');
    finish(ask, out, ty, false)
}

/// The answer that shows a page of a collection.
pub(super) fn collection(
    ask: &Ask<'_>,
    ty: &'static StructuredType,
    shown: &Shown,
) -> Result<Response, Problem> {
    let mut out = ask.open(1_024);
    if let Some(count) = shown.count {
        out.extend_from_slice(format!(",\"@odata.count\":{count}").as_bytes());
    }
    if let Some(next) = &shown.next {
        out.push(b',');
        push_annotation(&mut out, "@odata.nextLink", &[next]);
    }
    out.extend_from_slice(b",\"value\":[");
    out.extend_from_slice(shown.items.join(",").as_bytes());
    out.extend_from_slice(b"]}");
    finish(ask, out, ty, true)
}

fn finish(
    ask: &Ask<'_>,
    out: Vec<u8>,
    ty: &'static StructuredType,
    is_collection: bool,
) -> Result<Response, Problem> {
    // Members of enumerations that not everyone may see are rare, and not looked for.
    let can_grow = |ty: Type| matches!(ty, Type::Enum(ty) if ty.is_evolvable());
    let has_unsettled_enum = ty.properties.iter().any(|property| can_grow(property.ty));
    let content = Content { ty, is_collection, path: &ask.path, has_unsettled_enum };
    ask.finish(out, &content, None)
}

/// The text of an item.
pub(super) fn text(node: &Node<'_>) -> String {
    let mut out = Vec::new();
    write_node(&mut out, node);
    String::from_utf8_lossy(&out).into_owned()
}
