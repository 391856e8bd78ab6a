//! Pages of collections.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::bound::{ComputedMember, OrderKey, Place, Query};
use crate::eval::{Pager, Selection, Sieve, Window};
use Operator::{Ge, Gt};

fn by(value: Expr, is_descending: bool) -> OrderKey {
    OrderKey { value, is_descending }
}

/// The `n` of chosen items `{"n":…,"k":…}`, and how many were looked at.
fn page(query: &Query, window: Window, keys: &[Option<i64>]) -> (Selection<String>, usize) {
    let sieve = Sieve::new(query);
    let mut pager = Pager::new(&sieve, window, DYNAMIC, environment());
    let mut seen = 0;
    for (index, key) in keys.iter().enumerate() {
        let key = key.map_or("null".to_owned(), |key| key.to_string());
        let text = format!("{{\"n\":{index},\"k\":{key}}}");
        seen += 1;
        let item = Node::parse(&text).unwrap();
        let chosen = |item: &Node<'_>| match item.get("m").or(item.get("n")) {
            Some(Node::Number(digits)) => digits.to_string(),
            other => format!("{other:?}"),
        };
        if pager.offer(Cow::Owned(item), chosen).is_break() {
            break;
        }
    }
    (pager.finish().unwrap(), seen)
}

fn window(start: usize, room: usize) -> Window {
    Window { start, room, is_last: false }
}

const KEYS: [Option<i64>; 6] = [Some(3), None, Some(1), Some(3), Some(2), Some(0)];

#[test]
fn reading_stops_as_soon_as_it_is_known_that_there_is_more() {
    let (chosen, seen) = page(&Query::default(), window(1, 2), &KEYS);
    assert_eq!((chosen.items, chosen.has_more, seen), (vec!["1".into(), "2".into()], true, 4));
    let last = Window { is_last: true, ..window(1, 2) };
    let (chosen, seen) = page(&Query::default(), last, &KEYS);
    assert_eq!((chosen.items.len(), chosen.has_more, seen), (2, false, 3));
}

#[test]
fn a_count_reads_everything_and_counts_what_meets_the_conditions() {
    let filter = Some(compare(Gt, path("k"), int(0)));
    let query = Query { filter, count: true, ..Query::default() };
    let (chosen, seen) = page(&query, window(0, 1), &KEYS);
    assert_eq!((chosen.items, chosen.count, seen), (vec!["0".into()], Some(4), 6));
    assert!(chosen.has_more);
}

#[test]
fn order_is_stable_and_places_null() {
    let all = Window::ALL;
    for (is_descending, expected) in [(false, "1 5 2 4 0 3"), (true, "0 3 4 2 5 1")] {
        let query = Query { orderby: vec![by(path("k"), is_descending)], ..Query::default() };
        assert_eq!(page(&query, all, &KEYS).0.items.join(" "), expected);
    }
    let orderby = vec![by(path("k"), true), by(path("n"), true)];
    let query = Query { orderby, ..Query::default() };
    assert_eq!(page(&query, all, &KEYS).0.items.join(" "), "3 0 4 2 5 1");
}

#[test]
fn calculated_members_can_be_filtered_sorted_and_kept() {
    use crate::bound::Arithmetic::{Add, Mul};
    let of = |operator, left, right| {
        expr(ExprKind::Arithmetic(operator, Box::new(left), Box::new(right), Place::default()))
    };
    let compute = vec![
        ComputedMember { value: of(Mul, path("k"), int(10)), alias: "t".into(), position: 0 },
        ComputedMember { value: of(Add, path("t"), path("n")), alias: "m".into(), position: 0 },
    ];
    let query = Query {
        compute,
        filter: Some(compare(Ge, path("m"), int(20))),
        orderby: vec![by(path("m"), true)],
        ..Query::default()
    };
    assert_eq!(page(&query, Window::ALL, &KEYS).0.items.join(" "), "33 30 24");
}

#[test]
fn windows_cut_the_whole_result_by_skip_and_top() {
    let query = Query { skip: Some(2), top: Some(5), ..Query::default() };
    assert_eq!(Window::of(&query, 0, 3), window(2, 3));
    assert_eq!(Window::of(&query, 3, 3), Window { is_last: true, ..window(5, 2) });
    assert_eq!(Window::of(&query, 9, 3), Window { is_last: true, ..window(11, 0) });
    assert_eq!(Window::of(&Query::default(), u64::MAX, 3).room, 3);
    let none = Query { top: Some(0), ..Query::default() };
    let (chosen, _) = page(&none, Window::of(&none, 0, 60), &KEYS);
    assert_eq!((chosen.items.len(), chosen.has_more), (0, false));
}

proptest! {
    #[test]
    fn pages_put_together_are_the_whole_sorted_result(
        keys in prop::collection::vec(prop::option::of(-4..4_i64), 0..40),
        size in 1..7_usize,
        is_descending in any::<bool>(),
        skip in 0..5_u64,
        top in prop::option::of(0..50_u64),
    ) {
        let orderby = vec![by(path("k"), is_descending)];
        let query = Query { orderby, skip: Some(skip), top, ..Query::default() };
        let mut expected: Vec<usize> = (0..keys.len()).collect();
        expected.sort_by(|a, b| {
            let order = keys[*a].cmp(&keys[*b]);
            if is_descending { order.reverse() } else { order }
        });
        let top = top.map_or(usize::MAX, |top| top as usize);
        let expected = expected.iter().skip(skip as usize).take(top).map(usize::to_string);
        let mut found = Vec::new();
        loop {
            let window = Window::of(&query, found.len() as u64, size);
            let (chosen, _) = page(&query, window, &keys);
            found.extend(chosen.items);
            if !chosen.has_more {
                break;
            }
        }
        prop_assert_eq!(found, expected.collect::<Vec<_>>());
    }
}
