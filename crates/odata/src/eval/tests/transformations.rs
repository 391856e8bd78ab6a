//! `$apply`, on the sales of the standard's own examples and on values at the edges.

use std::borrow::Cow;

use super::*;
use crate::bound::{
    Aggregate, Apply, ComputedMember, Extreme, GroupKey, Method, OrderKey, Place, Search,
    Transformation,
};
use crate::eval::{Aggregator, Excess, Pipeline, Sizes};
use crate::json::write_node;
use Operator::Gt;
use Transformation as T;

/// Amounts, currencies and products of eight sales.
const SALES: [(i64, i64, &str, &str); 8] = [
    (1, 1, "USA", "Paper"),
    (2, 2, "USA", "Sugar"),
    (3, 4, "USA", "Coffee"),
    (4, 8, "USA", "Coffee"),
    (5, 4, "USA", "Paper"),
    (6, 2, "NL", "Sugar"),
    (7, 1, "NL", "Paper"),
    (8, 2, "NL", "Paper"),
];

const PLENTY: Sizes = Sizes { groups: 100, items: 100, values: 100 };

fn sales() -> Vec<String> {
    let sale = |(id, amount, country, product): &(i64, i64, &str, &str)| {
        format!(
            r#"{{"ID":{id},"Amount":{amount},"Customer":{{"Country":"{country}"}},"Product":"{product}"}}"#
        )
    };
    SALES.iter().map(sale).collect()
}

fn run(steps: Vec<T>, sizes: Sizes, items: &[String]) -> Result<(Vec<String>, usize), Excess> {
    let pipeline = Pipeline::new(&Apply { steps }, DYNAMIC)?;
    let mut run = pipeline.start(sizes, environment());
    let mut seen = 0;
    for item in items {
        seen += 1;
        if run.push(Cow::Owned(Node::parse(item).unwrap()))?.is_break() {
            break;
        }
    }
    let shown = |node: &Node<'_>| {
        let mut out = Vec::new();
        write_node(&mut out, node);
        String::from_utf8(out).unwrap()
    };
    Ok((run.finish()?.iter().map(shown).collect(), seen))
}

fn applied(steps: Vec<T>) -> Vec<String> {
    run(steps, PLENTY, &sales()).unwrap().0
}

/// The `ID` of each item.
fn ids(steps: Vec<T>) -> String {
    let id = |text: &String| {
        let node = Node::parse(text).unwrap();
        match node.get("ID") {
            Some(Node::Number(digits)) => digits.to_string(),
            other => format!("{other:?}"),
        }
    };
    applied(steps).iter().map(id).collect::<Vec<_>>().join(" ")
}

fn figure(value: Option<Expr>, method: Method, alias: &str) -> Aggregate {
    Aggregate { value, method, alias: alias.to_owned(), place: Place::default() }
}

fn total() -> T {
    T::Aggregate(vec![figure(Some(path("Amount")), Method::Sum, "Total")])
}

fn key(names: &str) -> Path {
    match path(names).kind {
        ExprKind::Path(path) => path,
        other => unreachable!("a path was made: {other:?}"),
    }
}

fn group(keys: Vec<GroupKey>, steps: Vec<T>) -> T {
    T::GroupBy { keys, apply: (!steps.is_empty()).then_some(Apply { steps }) }
}

fn by(names: &str) -> GroupKey {
    GroupKey::Path(key(names))
}

fn extreme(kind: Extreme, amount: i64) -> Vec<T> {
    vec![T::Extreme { kind, amount: int(amount), by: path("Amount") }]
}

/// The figures of values of one member, as JSON.
fn figures(method: Method, ty: Primitive, values: &[&str]) -> String {
    let steps = vec![T::Aggregate(vec![figure(Some(typed("v", ty)), method, "f")])];
    let items: Vec<String> = values.iter().map(|value| format!("{{\"v\":{value}}}")).collect();
    run(steps, PLENTY, &items).unwrap().0.concat()
}

#[test]
fn items_pass_filters_and_get_members_one_by_one() {
    let big = T::Filter(compare(Gt, path("Amount"), int(2)));
    assert_eq!(ids(vec![T::Identity, big.clone()]), "3 4 5");
    assert_eq!(ids(vec![T::Skip(1), big.clone(), T::Top(1)]), "3");
    let double = ComputedMember {
        value: expr(ExprKind::Arithmetic(
            crate::bound::Arithmetic::Mul,
            Box::new(path("Amount")),
            Box::new(int(2)),
            Place::default(),
        )),
        alias: "Double".into(),
        position: 0,
    };
    let tall = T::Filter(compare(Gt, path("Double"), int(8)));
    assert_eq!(ids(vec![T::Compute(vec![double]), tall]), "4");
    assert_eq!(ids(vec![T::Search(Search::Word("x".into()))]), "");
}

#[test]
fn reading_stops_when_the_top_is_full() {
    let (items, seen) = run(vec![T::Skip(1), T::Top(2)], PLENTY, &sales()).unwrap();
    assert_eq!((items.len(), seen), (2, 3));
    let (items, seen) = run(vec![T::Top(0)], PLENTY, &sales()).unwrap();
    assert_eq!((items.len(), seen), (0, 1));
}

#[test]
fn order_is_stable_and_cut_where_the_chain_cuts_it() {
    let order = |is_descending| T::OrderBy(vec![OrderKey { value: path("Amount"), is_descending }]);
    assert_eq!(ids(vec![order(true)]), "4 3 5 2 6 8 1 7");
    assert_eq!(ids(vec![order(false), T::Skip(1), T::Top(3)]), "7 2 6");
    let sizes = Sizes { items: 4, ..PLENTY };
    assert!(run(vec![order(true), T::Skip(2), T::Top(2)], sizes, &sales()).is_ok());
    let excess = run(vec![order(true)], sizes, &sales()).unwrap_err();
    assert_eq!(excess, Excess::TooManyItems(4));
}

#[test]
fn figures_of_everything_are_one_item() {
    let amount = || Some(path("Amount"));
    let steps = vec![T::Aggregate(vec![
        figure(amount(), Method::Sum, "sum"),
        figure(amount(), Method::Min, "min"),
        figure(amount(), Method::Max, "max"),
        figure(amount(), Method::Average, "avg"),
        figure(amount(), Method::CountDistinct, "kinds"),
        figure(None, Method::Count, "items"),
        figure(Some(path("Product")), Method::Max, "last"),
    ])];
    let expected = concat!(
        r##"{"sum@odata.type":"#Int64","sum":24,"min@odata.type":"#Int64","min":1,"##,
        r##""max@odata.type":"#Int64","max":8,"avg":3.0,"kinds@odata.type":"#Int64","kinds":4,"##,
        r##""items@odata.type":"#Int64","items":8,"last":"Sugar"}"##,
    );
    assert_eq!(applied(steps), [expected]);
}

#[test]
fn groups_carry_their_keys_nested_as_in_the_path() {
    let steps = vec![group(vec![by("Customer/Country"), by("Product")], vec![total()])];
    let expected = [
        r##"{"Customer":{"Country":"USA"},"Product":"Paper","Total@odata.type":"#Int64","Total":5}"##,
        r##"{"Customer":{"Country":"USA"},"Product":"Sugar","Total@odata.type":"#Int64","Total":2}"##,
        r##"{"Customer":{"Country":"USA"},"Product":"Coffee","Total@odata.type":"#Int64","Total":12}"##,
        r##"{"Customer":{"Country":"NL"},"Product":"Sugar","Total@odata.type":"#Int64","Total":2}"##,
        r##"{"Customer":{"Country":"NL"},"Product":"Paper","Total@odata.type":"#Int64","Total":3}"##,
    ];
    assert_eq!(applied(steps), expected);
    let distinct = vec![group(vec![by("Customer/Country")], vec![])];
    let expected = [r#"{"Customer":{"Country":"USA"}}"#, r#"{"Customer":{"Country":"NL"}}"#];
    assert_eq!(applied(distinct), expected);
    assert_eq!(applied(vec![group(vec![by("Missing/x")], vec![])]), [r#"{"Missing":{"x":null}}"#]);
}

#[test]
fn groups_run_whole_chains_and_their_items_keep_their_keys() {
    let best = extreme(Extreme::TopCount, 1);
    let steps = vec![group(vec![by("Customer/Country")], best.clone())];
    assert_eq!(ids(steps), "4 6");
    let mut chain = extreme(Extreme::TopCount, 2);
    chain.push(total());
    let totals = applied(vec![group(vec![by("Product")], chain)]);
    assert_eq!(totals[0], r##"{"Product":"Paper","Total@odata.type":"#Int64","Total":6}"##);
    let again = vec![
        group(vec![by("Customer/Country"), by("Product")], vec![total()]),
        group(
            vec![by("Customer/Country")],
            vec![T::Aggregate(vec![figure(Some(path("Total")), Method::Max, "Most")])],
        ),
    ];
    let expected = r##"{"Customer":{"Country":"USA"},"Most@odata.type":"#Int64","Most":12}"##;
    assert_eq!(applied(again)[0], expected);
}

#[test]
fn roll_ups_leave_out_the_keys_that_they_roll_up() {
    let rollup =
        |all| GroupKey::Rollup { paths: vec![key("Customer/Country"), key("Product")], all };
    let items = applied(vec![group(vec![rollup(false)], vec![total()])]);
    assert_eq!(items.len(), 5 + 2);
    assert_eq!(
        items[5],
        r##"{"Customer":{"Country":"USA"},"Total@odata.type":"#Int64","Total":19}"##
    );
    let items = applied(vec![group(vec![rollup(true)], vec![total()])]);
    assert_eq!(items.len(), 5 + 2 + 1);
    assert_eq!(items[7], r##"{"Total@odata.type":"#Int64","Total":24}"##);
    let two = vec![group(vec![rollup(true), by("ID")], vec![])];
    assert_eq!(applied(two).len(), 3 * 8);
    let many = vec![GroupKey::Rollup { paths: vec![key("ID"); 7], all: false }; 4];
    let excess = run(vec![group(many, vec![])], PLENTY, &sales()).unwrap_err();
    assert_eq!(excess, Excess::TooManyGroupings(256));
}

#[test]
fn groups_are_limited() {
    let steps = || vec![group(vec![by("ID")], vec![total()])];
    assert!(run(steps(), Sizes { groups: 8, ..PLENTY }, &sales()).is_ok());
    let excess = run(steps(), Sizes { groups: 7, ..PLENTY }, &sales()).unwrap_err();
    assert_eq!(excess, Excess::TooManyGroups(7));
    let many = vec![T::Aggregate(vec![figure(Some(path("ID")), Method::CountDistinct, "n")])];
    let excess = run(many, Sizes { values: 7, ..PLENTY }, &sales()).unwrap_err();
    assert_eq!(excess, Excess::TooManyValues(7));
}

#[test]
fn the_first_by_a_value_stay_in_the_order_of_the_collection() {
    for (kind, amount, expected) in [
        (Extreme::TopCount, 2, "3 4"),
        (Extreme::BottomCount, 2, "1 7"),
        (Extreme::TopSum, 15, "3 4 5"),
        (Extreme::BottomSum, 7, "1 2 6 7 8"),
        (Extreme::TopPercent, 50, "3 4"),
        (Extreme::BottomPercent, 50, "1 2 3 6 7 8"),
        (Extreme::TopPercent, 100, "1 2 3 4 5 6 7 8"),
        (Extreme::TopCount, 0, ""),
        (Extreme::TopCount, -1, ""),
        (Extreme::TopCount, i64::MAX, "1 2 3 4 5 6 7 8"),
    ] {
        assert_eq!(ids(extreme(kind, amount)), expected, "{} {amount}", kind.name());
    }
}

#[test]
fn chains_beside_each_other_follow_one_behind_the_other() {
    let best = Apply { steps: extreme(Extreme::TopCount, 1) };
    let first = Apply { steps: vec![T::Top(1)] };
    let sum = Apply { steps: vec![total()] };
    let items = applied(vec![T::Concat(vec![sum, best, first])]);
    assert_eq!(items.len(), 3);
    assert_eq!(items[0], r##"{"Total@odata.type":"#Int64","Total":24}"##);
    assert!(items[1].starts_with("{\"ID\":4,") && items[2].starts_with("{\"ID\":1,"));
    let tops = vec![Apply { steps: vec![T::Top(1)] }, Apply { steps: vec![T::Top(2)] }];
    let (items, seen) = run(vec![T::Concat(tops)], PLENTY, &sales()).unwrap();
    assert_eq!((items.len(), seen), (3, 2));
}

#[test]
fn sums_keep_their_type_and_their_exactness() {
    use Primitive::{Double, Duration, Int64, String};
    let max = i64::MAX.to_string();
    let sum = |ty, values: &[&str]| figures(Method::Sum, ty, values);
    assert_eq!(
        sum(Int64, &[&max, "1", "-2"]),
        format!(r##"{{"f@odata.type":"#Int64","f":{}}}"##, i64::MAX - 1)
    );
    assert_eq!(sum(Double, &["1e100", "1", "-1e100"]), r#"{"f":1.0}"#);
    assert_eq!(sum(Double, &["\"INF\"", "1"]), r##"{"f@odata.type":"#Double","f":"INF"}"##);
    assert_eq!(sum(Double, &["\"INF\"", "\"-INF\""]), r##"{"f@odata.type":"#Double","f":"NaN"}"##);
    assert_eq!(sum(Double, &["\"NaN\"", "0.5"]), r#"{"f":0.5}"#);
    assert_eq!(
        sum(Duration, &["\"PT1S\"", "null", "\"PT1M\""]),
        r##"{"f@odata.type":"#Duration","f":"PT1M1S"}"##
    );
    let long = "\"P10000000DT0S\"";
    for (ty, values) in [(Int64, [&*max, "1"]), (Duration, [long, long])] {
        let figure = figure(Some(typed("v", ty)), Method::Sum, "f");
        let items = values.map(|value| format!("{{\"v\":{value}}}"));
        let failed = run(vec![T::Aggregate(vec![figure])], PLENTY, &items).unwrap_err();
        assert!(failed.to_string().starts_with("overflow in the calculation"), "{failed}");
    }
    assert_eq!(sum(String, &["\"a\""]), r#"{"f":null}"#);
    assert_eq!(sum(Int64, &[]), r#"{"f":null}"#);
}

#[test]
fn averages_and_percentiles_lie_between_values() {
    use Primitive::{DateTimeOffset, Double, Duration, Int64};
    assert_eq!(figures(Method::Average, Int64, &["1", "2", "null"]), r#"{"f":1.5}"#);
    let ticks = ["\"PT0.0000001S\"", "\"PT0.0000002S\""];
    let duration = r##"{"f@odata.type":"#Duration","f":"PT0.0000002S"}"##;
    assert_eq!(figures(Method::Average, Duration, &ticks), duration);
    assert_eq!(figures(Method::Percentile(0.5), Duration, &ticks), duration);
    let numbers = ["4", "1", "3", "2", "null"];
    for (share, expected) in
        [(0.0, "1.0"), (0.25, "1.75"), (0.5, "2.5"), (1.0, "4.0"), (7.0, "4.0")]
    {
        let figure = figures(Method::Percentile(share), Double, &numbers);
        assert_eq!(figure, format!("{{\"f\":{expected}}}"), "{share}");
    }
    let instants = ["\"2020-01-01T00:00:00Z\"", "\"2020-01-03T00:00:00Z\""];
    let middle = figures(Method::Percentile(0.5), DateTimeOffset, &instants);
    assert_eq!(middle, r##"{"f@odata.type":"#DateTimeOffset","f":"2020-01-02T00:00:00Z"}"##);
    assert_eq!(figures(Method::Percentile(0.5), Double, &[]), r#"{"f":null}"#);
    let wide = ["\"INF\"", "\"-INF\"", "1"];
    assert_eq!(figures(Method::Percentile(0.5), Double, &wide), r#"{"f":1.0}"#);
}

#[test]
fn distinct_counts_go_by_value_and_counts_leave_out_null() {
    use Primitive::{Decimal, Int64, String};
    let count = |method, ty, values: &[&str]| {
        let text = figures(method, ty, values);
        text.rsplit_once(':').unwrap().1.trim_end_matches('}').to_owned()
    };
    assert_eq!(count(Method::CountDistinct, Int64, &["1", "1.0", "2", "null"]), "2");
    assert_eq!(count(Method::CountDistinct, Decimal, &["0.5", "0.50", "-0.0", "0"]), "2");
    assert_eq!(count(Method::CountDistinct, String, &["\"a\"", "\"\\u0061\"", "\"A\""]), "2");
    assert_eq!(count(Method::Count, String, &["\"a\"", "null", "\"a\""]), "2");
    assert_eq!(count(Method::Count, String, &[]), "0");
}

#[test]
fn paths_through_collections_give_all_their_values() {
    let item = r#"{"s":[{"n":[{"v":1},{"v":2}]},{"n":[]},{"n":[{"v":4},{}]}]}"#.to_owned();
    let value = || Some(path("s/n/v"));
    let steps = vec![T::Aggregate(vec![
        figure(value(), Method::Sum, "sum"),
        figure(value(), Method::Count, "count"),
        figure(None, Method::Count, "items"),
    ])];
    let (items, _) = run(steps, PLENTY, &[item]).unwrap();
    let node = Node::parse(&items[0]).unwrap();
    let number = |name: &str| match node.get(name) {
        Some(Node::Number(digits)) => digits.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!([number("sum"), number("count"), number("items")], ["7", "3", "1"]);
}

#[test]
fn figures_can_be_made_without_json() {
    let mut aggregator = Aggregator::new(&[
        figure(Some(path("a")), Method::Sum, "sum"),
        figure(None, Method::Count, "count"),
        figure(Some(path("b")), Method::Percentile(0.5), "median"),
        figure(Some(path("b")), Method::Max, "max"),
    ]);
    for value in [3, 1, 2] {
        let double = Value::Double(value as f64);
        let row = [Value::Int(value), Value::Null, double.clone(), double];
        assert_eq!(aggregator.push(&row), size_of::<f64>(), "the percentile keeps each");
    }
    assert_eq!(aggregator.push(&[Value::Null, Value::Null, Value::Null, Value::Null]), 0);
    let shown = format!("{:?}", aggregator.finish().unwrap());
    assert_eq!(shown, "[Int(6), Int(4), Double(2.0), Double(3.0)]");
}
