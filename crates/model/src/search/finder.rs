//! What `$search` finds, for queries that are evaluated in memory.

use std::cell::RefCell;

use odata::bound::Search;
use odata::edm::Type;
use odata::eval::{Item, Searcher};

use super::Query;

/// Looks for words in items of any type. What is searched for last is kept in its prepared form.
#[derive(Debug, Default)]
pub struct Finder {
    last: RefCell<Option<(Search, Query)>>,
}

impl Searcher for Finder {
    fn matches(&self, search: &Search, item: Item<'_>) -> bool {
        let Type::Structured(ty) = item.ty else { return false };
        let mut last = self.last.borrow_mut();
        if last.as_ref().is_none_or(|(known, _)| known != search) {
            *last = Some((search.clone(), Query::new(search)));
        }
        last.as_ref().is_some_and(|(_, query)| query.matches(item.node, ty))
    }
}
