//! What a query leaves of the form in which things are kept.

use model::rows::QUALITY;
use odata::bound::{ExpandItem, ExpandKind, Query, Select};

/// Whether members are left out anywhere.
pub(crate) fn selects(query: &Query) -> bool {
    query.select.is_some() || query.expand.iter().any(|item| selects(&item.query))
}

/// Whether an answer is a copy of what is kept, perhaps with members left out.
pub(crate) fn is_copy(query: &Query) -> bool {
    let asks_for_items = query.apply.is_some()
        || !query.compute.is_empty()
        || query.filter.is_some()
        || query.search.is_some()
        || !query.orderby.is_empty()
        || query.skip.is_some()
        || query.select.as_ref().is_some_and(Select::chooses_items)
        || query.select.as_ref().is_some_and(|select| select.find(QUALITY).is_some());
    // Segments are kept with their session, and copied with it all together.
    let is_whole = |item: &ExpandItem| item.property.name != "segments" || item.query.top.is_none();
    let is_copy_inside = |item: &ExpandItem| {
        item.kind == ExpandKind::Entities
            && is_whole(item)
            && !item.query.count
            && is_copy(&item.query)
    };
    !asks_for_items && query.expand.iter().all(is_copy_inside)
}
