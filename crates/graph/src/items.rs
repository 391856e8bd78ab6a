//! Answers made of rows that are no call records: an entity, or a collection of them, in the form
//! that was asked for.

use std::borrow::Cow;

use model::search::Finder;
use odata::bound::Query;
use odata::context;
use odata::edm::{StructuredType, Type};
use odata::eval::{Environment, Pager, Sieve, Window};
use odata::json::{Json, Member, Node, write_members};
use store::Budget;
use web::problem::Problem;
use web::response::Response;

use crate::compose::exhausted;
use crate::page_text::PageText;
use crate::read_request::ReadRequest;
use crate::scope::Content;

/// A page of a collection.
pub(crate) struct ItemPage {
    pub(crate) items: Vec<Json>,
    /// How many items there are on all pages, if that was asked for.
    pub(crate) count: Option<u64>,
    /// The link to the next page.
    pub(crate) next: Option<String>,
}

impl ItemPage {
    /// Those of a few items that a query asks for, on one page.
    pub(crate) async fn chosen(
        read: &ReadRequest<'_>,
        query: Query,
        ty: &'static StructuredType,
        items: Vec<Node<'static>>,
    ) -> Result<Self, Problem> {
        let budget = read.budget();
        if Sieve::new(&query).is_plain() {
            return Self::choose(&query, ty, items, &budget);
        }
        read.elsewhere(move |_| Self::choose(&query, ty, items, &budget)).await
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
            if pager.offer(Cow::Owned(item), Json::of).is_break() {
                break;
            }
        }
        let chosen = pager.finish().map_err(exhausted)?;
        Ok(Self { items: chosen.items, count: chosen.count, next: None })
    }
}

/// The answer that shows an entity.
pub(crate) fn entity(
    read: &ReadRequest<'_>,
    ty: &'static StructuredType,
    members: &[Member<'_>],
) -> Result<Response, Problem> {
    let mut out = read.open(1_024);
    out.push(b',');
    write_members(&mut out, members);
    out.push(b'}');
    let has_unsettled_enum = has_unsettled_enum(ty);
    let content = Content {
        ty: Type::Structured(ty),
        is_collection: false,
        path: &read.path,
        has_unsettled_enum,
    };
    read.finish(out, &content, None)
}

/// The answer that shows a page of a collection.
pub(crate) fn collection(
    read: &ReadRequest<'_>,
    ty: &'static StructuredType,
    page: &ItemPage,
) -> Result<Response, Problem> {
    let form = read.page_form(ty)?;
    let context = context::of(&read.resource, read.query);
    let remarks = read.scope.remarks(&read.resource, read.query);
    let context = [&*read.scope.metadata, &context];
    let mut text = PageText::open(form, &context, &remarks, 1_024);
    text.count(page.count);
    text.link(page.next.as_deref());
    text.open_items();
    let is_varied = read.varies(&form, has_unsettled_enum(ty));
    for item in &page.items {
        let push = |out: &mut Vec<u8>| {
            out.extend_from_slice(item.as_str().as_bytes());
            Ok(())
        };
        text.item("", is_varied, push)?;
    }
    text.close_items();
    read.answer_with(text.close(), None)
}

/// Members of enumerations that not everyone may see are rare, and not looked for.
fn has_unsettled_enum(ty: &StructuredType) -> bool {
    let can_grow = |ty: Type| matches!(ty, Type::Enum(ty) if ty.is_evolvable());
    ty.properties.iter().any(|property| can_grow(property.ty))
}
