//! What our own evaluator works on: rows as JSON, with words found as `$search` finds them.

use model::search;
use odata::bound::Search;
use odata::edm::Type;
use odata::eval::{Environment, Item, Meter, Searcher};
use odata::json::Node;

use crate::{Cause, Error};

/// Finds words as `$search` does.
#[derive(Debug, Clone, Copy)]
struct Words;

impl Searcher for Words {
    fn matches(&self, search: &Search, item: Item<'_>) -> bool {
        match item.ty {
            Type::Structured(ty) => search::Query::new(search).matches(item.node, ty),
            _ => false,
        }
    }
}

/// What evaluating rows needs.
pub(super) fn environment(meter: &Meter) -> Environment<'_> {
    Environment { searcher: &Words, meter }
}

/// The JSON of a row, if there is memory for it.
pub(super) fn load<'t>(text: &'t [u8], meter: &Meter) -> Result<Node<'t>, Error> {
    meter.load(text.len());
    meter.check()?;
    node(text)
}

/// The JSON of a row.
pub(super) fn node(text: &[u8]) -> Result<Node<'_>, Error> {
    let text = std::str::from_utf8(text).ok();
    let node = text.and_then(|text| Node::parse(text).ok());
    node.ok_or_else(|| Error::Corrupt(Cause::new("a row is no JSON")))
}
