//! Random queries are worth asking: they are in the language, and their conditions tell rows apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::generated;
use odata::Limits;
use odata::error::UnknownArgument;
use odata::functions::{Functions, Invocation, ItemFunction, ItemFunctions, Meaning};
use odata::json::Node;
use odata::primitive::DateTimeOffset;

use super::*;
use crate::reference;

/// The functions that random queries call, of which the reference alone says what they give.
#[derive(Debug)]
struct StubFunctions;

impl ItemFunctions for StubFunctions {
    fn resolve(&self, invocation: &Invocation<'_>) -> Result<Option<Meaning>, UnknownArgument> {
        let is_known = invocation.operation.name == "quality";
        Ok(is_known.then(|| Meaning::Function(Arc::new(Self))))
    }
}

impl ItemFunction for StubFunctions {
    fn steps(&self, _: &Node<'_>) -> u64 {
        1
    }

    fn value(&self, _: &Node<'_>) -> Node<'static> {
        Node::Null
    }
}

#[test]
fn most_queries_are_in_the_language_and_most_conditions_tell_rows_apart() {
    let mut random = Random::new(7);
    let records: Vec<_> = odd_records(40, &mut random)
        .iter()
        .map(|record| reference::record(&record.to_string()).unwrap())
        .collect();
    let limits = Limits {
        nodes: 2000,
        url: 64 * 1024,
        filter: 32 * 1024,
        functions: Functions::new(Arc::new(StubFunctions)),
        ..Limits::default()
    };
    let (mut filtered, mut telling) = (0, 0);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let count = 600;
    for number in 0..count {
        let set =
            [RowSet::Records, RowSet::Sessions, RowSet::Segments, RowSet::Streams, RowSet::Legs]
                [number % 5];
        let rows = reference::rows(&records, set);
        let asked = query(set, &rows, &mut random);
        let now = DateTimeOffset::default();
        match odata::parse_request(&generated::V1_0, path(set), &asked.text(), &limits, now) {
            Err(error) => *refused.entry(format!("{error}\n    {asked}")).or_default() += 1,
            Ok((_, query)) if asked.filter.is_some() && asked.apply.is_empty() => {
                let ty = Type::Structured(set.ty());
                let values: Vec<_> = rows.iter().map(|row| reference::typed(row, ty)).collect();
                let met = reference::answer(&query, &values).count;
                filtered += 1;
                telling += usize::from(met > 0 && met < rows.len());
            }
            Ok(_) => {}
        }
    }
    let told: Vec<_> = refused.keys().map(String::as_str).collect();
    let total: usize = refused.values().sum();
    assert!(total * 20 <= count, "{total} of {count} refused\n{}", told.join("\n"));
    assert!(telling * 2 >= filtered, "{telling} of {filtered} conditions tell rows apart");
}
