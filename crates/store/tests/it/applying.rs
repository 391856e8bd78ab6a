//! `$apply`: over columns and over JSON the same comes out.

use model::rows::RowSet::{self, Records, Sessions, Streams};
use odata::bound::{
    Aggregate, Apply, ComputedMember, Expr, ExprKind, Extreme, GroupKey, Method, OrderKey, Path,
    PathStep, Place, Query, Root, Search, Transformation, Ty,
};
use odata::edm::{Primitive, Type};
use odata::literal::Literal;
use store::{Budget, Error, RowQuery};

use crate::engine::tenant;
use crate::oracle::{Oracle, query};
use crate::sample::{Sample, budget};

/// An expression on a row; `#name` is a calculated member, of the type that its name says.
fn expr(set: RowSet, text: &str) -> Expr {
    if let Some(name) = text.strip_prefix('#') {
        let ty = match name {
            "length" => Primitive::Duration,
            "loss" => Primitive::Double,
            _ => Primitive::Int64,
        };
        let steps = vec![PathStep::Member(name.to_owned())];
        let path = Path { root: Root::Item, steps };
        return Expr { kind: ExprKind::Path(path), ty: Ty::One(Type::Primitive(ty)) };
    }
    query(set, &[("$orderby", text)]).query.orderby.remove(0).value
}

fn filter(set: RowSet, text: &str) -> Transformation {
    Transformation::Filter(query(set, &[("$filter", text)]).query.filter.unwrap())
}

fn compute(set: RowSet, text: &str, alias: &str) -> Transformation {
    let computed = ComputedMember { value: expr(set, text), alias: alias.to_owned(), position: 0 };
    Transformation::Compute(vec![computed])
}

/// Figures by value (empty: of the items), method and name.
fn aggregate(set: RowSet, figures: &[(&str, Method, &str)]) -> Transformation {
    let figure = |(value, method, alias): &(&str, Method, &str)| Aggregate {
        value: (!value.is_empty()).then(|| expr(set, value)),
        method: *method,
        alias: (*alias).to_owned(),
        place: Place::default(),
    };
    Transformation::Aggregate(figures.iter().map(figure).collect())
}

fn key(set: RowSet, text: &str) -> Path {
    match expr(set, text).kind {
        ExprKind::Path(path) => path,
        other => panic!("{other:?} is no path"),
    }
}

fn group(set: RowSet, keys: &[&str], figures: &[(&str, Method, &str)]) -> Transformation {
    let apply = Apply { steps: vec![aggregate(set, figures)] };
    Transformation::GroupBy {
        keys: keys.iter().map(|text| GroupKey::Path(key(set, text))).collect(),
        apply: (!figures.is_empty()).then_some(apply),
    }
}

fn first(set: RowSet, count: i64, by: &str) -> Transformation {
    let amount = Expr { kind: ExprKind::Literal(Literal::Integer(count)), ty: Ty::Dynamic };
    Transformation::Extreme { kind: Extreme::TopCount, amount, by: expr(set, by) }
}

/// Chains with whether columns are enough for their first aggregation.
type Chain = (RowSet, Vec<Transformation>, bool);

fn chains(sample: &Sample) -> Vec<Chain> {
    [record_chains(sample), row_chains(sample)].concat()
}

fn record_chains(sample: &Sample) -> Vec<Chain> {
    use Method::{Average, Count, Max, Percentile, Sum};
    let r = Records;
    let count = ("", Count, "n");
    let word = Search::Word(sample.filled("{word}"));
    let length = "endDateTime sub startDateTime";
    let name = "organizer_v2/identity/user/displayName";
    let levels = ["type", "version"].map(|text| key(r, text)).to_vec();
    let rollup = vec![GroupKey::Rollup { paths: levels, all: true }];
    let counted = Some(Apply { steps: vec![aggregate(r, &[count])] });
    let latest = [count, ("version", Sum, "v"), ("endDateTime", Max, "last")];
    vec![
        (r, vec![aggregate(r, &[count])], true),
        (r, vec![filter(r, "type eq 'groupCall'"), aggregate(r, &latest)], true),
        (r, vec![filter(r, "version eq 99"), aggregate(r, &latest)], true),
        (r, vec![filter(r, "joinWebUrl eq null"), group(r, &["type"], &[count])], false),
        (r, vec![group(r, &["type"], &[count, ("sessions/$count", Average, "s")])], true),
        (r, vec![group(r, &["type", "version"], &[])], true),
        (r, vec![group(r, &["startDateTime"], &[count])], true),
        (
            r,
            vec![
                compute(r, length, "length"),
                group(
                    r,
                    &["type"],
                    &[("#length", Average, "m"), ("#length", Percentile(0.95), "p")],
                ),
            ],
            true,
        ),
        (
            r,
            vec![
                compute(r, length, "length"),
                Transformation::Filter(
                    query(r, &[("$filter", "version ge 1")]).query.filter.unwrap(),
                ),
                group(r, &["#length"], &[count]),
            ],
            true,
        ),
        (r, vec![group(r, &[name], &[count]), first(r, 3, "#n")], false),
        (r, vec![Transformation::GroupBy { keys: rollup, apply: counted }], false),
        (r, vec![Transformation::Search(word), aggregate(r, &[count])], true),
    ]
}

fn row_chains(sample: &Sample) -> Vec<Chain> {
    use Method::{Average, Count, CountDistinct, Max, Min, Percentile, Sum};
    let (s, t) = (Sessions, Streams);
    let count = ("", Count, "n");
    let late = sample.filled("callStartDateTime ge {middle}");
    let (loss, subnet) = ("averagePacketLossRate", "callerNetwork/subnet");
    let by_loss = OrderKey { value: expr(t, "#loss"), is_descending: true };
    let figures = [
        ("averageJitter", Max, "jitter"),
        ("averageJitter", Average, "mean"),
        ("averageRoundTripTime", Sum, "rtt"),
        ("averageJitter", Count, "known"),
        ("callRecordId", CountDistinct, "calls"),
        (loss, Sum, "sum"),
        ("packetUtilization", Average, "packets"),
    ];
    let shares = [(loss, Percentile(0.5), "loss"), (loss, Min, "low"), (loss, Max, "high")];
    vec![
        (
            s,
            vec![group(
                s,
                &["callRecordType", "isTest"],
                &[count, ("callRecordId", CountDistinct, "d"), ("startDateTime", Min, "first")],
            )],
            true,
        ),
        (t, vec![filter(t, &late), group(t, &[subnet], &[(loss, Average, "loss"), count])], true),
        (t, vec![group(t, &[subnet, "mediaLabel"], &figures)], true),
        (
            t,
            vec![
                group(t, &["callerNetwork/connectionType"], &shares),
                Transformation::OrderBy(vec![by_loss]),
                Transformation::Skip(1),
                Transformation::Top(2),
            ],
            true,
        ),
        (t, vec![group(t, &["callerNetwork/linkSpeed"], &[count])], true),
        (t, vec![group(t, &["callerNetwork/port"], &[count])], false),
        (t, vec![first(t, 5, loss)], false),
        (
            t,
            vec![Transformation::Concat(vec![
                Apply { steps: vec![aggregate(t, &[count])] },
                Apply { steps: vec![group(t, &["mediaLabel"], &[count])] },
            ])],
            true,
        ),
    ]
}

fn asked(rows: RowSet, steps: Vec<Transformation>) -> RowQuery {
    let query = Query { apply: Some(Apply { steps }), ..Query::default() };
    RowQuery { rows, query, not_before: None }
}

#[test]
fn every_aggregation_gives_what_the_evaluator_makes_of_all_rows() {
    let sample = Sample::new();
    let mut reader = sample.store.reader().unwrap();
    let oracle = Oracle::new(&mut reader);
    for (set, steps, is_of_columns) in chains(&sample) {
        let query = asked(set, steps);
        let expected = oracle.apply(set, &query.query);
        let rows = reader.apply(&tenant(), &query, &budget()).unwrap();
        let rows: Vec<_> = rows.into_iter().map(|row| String::from_utf8(row).unwrap()).collect();
        let explained = reader.explain(&tenant(), &query).unwrap();
        assert_eq!(rows, expected, "{}: {explained:?}", query.query);
        let scarce = Budget { rows_scanned: 0, ..budget() };
        let without_scan = reader.apply(&tenant(), &query, &scarce);
        assert_eq!(without_scan.is_ok(), is_of_columns, "{}: {explained:?}", query.query);
    }
}

/// Chains as they come in URLs.
const CHAINS: &[(RowSet, &str)] = &[
    (
        Records,
        "compute(endDateTime sub startDateTime as length)/filter(length gt duration'PT1M')\
         /groupby((type),aggregate(length with average as mean,length with max as most))\
         /filter(mean gt duration'PT1S')",
    ),
    (Records, "groupby((rollup($all,type,version)),aggregate($count as n,version with sum as v))"),
    (Records, "search({word})/groupby((type),aggregate($count as n))/orderby(n desc)/top(1)"),
    (Records, "filter(sessions/any(s:s/isTest))/aggregate($count as n)"),
    (
        Sessions,
        "filter(callStartDateTime ge {middle})/groupby((callRecordType,isTest),\
         aggregate($count as n,callRecordId with countdistinct as calls))",
    ),
    (
        Streams,
        "filter(callStartDateTime ge {middle})/groupby((callerNetwork/subnet),\
         aggregate(averagePacketLossRate with average as loss,$count as n))/topcount(3,n)",
    ),
    (
        Streams,
        "groupby((callerNetwork/connectionType,mediaLabel),\
         aggregate(averageJitter with callvault.percentile95 as jitter,\
         averagePacketLossRate with callvault.median as loss))/compute(loss mul 100 as percent)",
    ),
    (
        Streams,
        "filter(averagePacketLossRate gt 0.001 and callerNetwork/linkSpeed ne null)\
         /groupby((caller/userAgent/headerValue),aggregate(maxJitter with max as jitter))",
    ),
];

#[test]
fn chains_of_urls_give_what_the_evaluator_makes_of_all_rows() {
    let sample = Sample::new();
    let mut reader = sample.store.reader().unwrap();
    let oracle = Oracle::new(&mut reader);
    for (text, query) in sample.queries("$apply", CHAINS) {
        let expected = oracle.apply(query.rows, &query.query);
        let rows = reader.apply(&tenant(), &query, &budget()).unwrap();
        let rows: Vec<_> = rows.into_iter().map(|row| String::from_utf8(row).unwrap()).collect();
        assert_eq!(rows, expected, "{text}");
        assert!(!rows.is_empty(), "{text} finds nothing");
    }
}

#[test]
fn options_behind_apply_see_what_it_gives() {
    let sample = Sample::new();
    let mut reader = sample.store.reader().unwrap();
    let oracle = Oracle::new(&mut reader);
    let mut query =
        asked(Streams, vec![group(Streams, &["mediaLabel"], &[("", Method::Count, "n")])]);
    let by_count = OrderKey { value: expr(Streams, "#n"), is_descending: true };
    query.query.orderby = vec![by_count];
    query.query.top = Some(2);
    let rows = reader.apply(&tenant(), &query, &budget()).unwrap();
    let rows: Vec<_> = rows.into_iter().map(|row| String::from_utf8(row).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows, oracle.apply(Streams, &query.query));
}

#[test]
fn more_groups_than_allowed_are_an_error_on_both_ways() {
    let sample = Sample::new();
    let mut reader = sample.store.reader().unwrap();
    let few = Budget { groups: 2, ..budget() };
    for keys in [["id"], ["joinWebUrl"]] {
        let query = asked(Records, vec![group(Records, &keys, &[])]);
        let rows = reader.apply(&tenant(), &query, &few);
        assert!(matches!(rows, Err(Error::TooManyGroups { limit: 2 })), "{rows:?}");
    }
}
