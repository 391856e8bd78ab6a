//! No question takes more steps or memory than it may, whatever it is built of.

use std::borrow::Cow;

use super::*;
use crate::bound::Query;
use crate::eval::{Allowance, Excess, Exhausted, HeapSize, Pager, Pipeline, Sieve, Sizes, Window};
use crate::tests::parse;

const STEPS: u64 = 200_000;
const BYTES: usize = 1 << 20;

fn meter() -> Meter {
    Meter::new(Allowance { steps: STEPS, deadline: None, bytes: BYTES })
}

/// A call with so many sessions.
fn record(sessions: usize) -> String {
    let session = |n: usize| {
        format!(
            r#"{{"id":"s{n}","startDateTime":"2026-01-01T00:00:00Z","segments":[{{"id":"g{n}"}}]}}"#
        )
    };
    let inside: Vec<String> = (0..sessions).map(session).collect();
    let modalities: Vec<String> = (0..sessions).map(|n| format!("\"m{n}\"")).collect();
    let modalities = format!("[{}]", modalities.join(","));
    format!(
        r#"{{"id":"{}","version":1,"type":"groupCall","endDateTime":"2026-01-02T00:00:00Z","modalities":{modalities},"sessions":[{}]}}"#,
        "a".repeat(200),
        inside.join(",")
    )
}

fn ty() -> Type {
    Type::Structured(structured("callRecord"))
}

fn query(options: &str) -> Query {
    let text = crate::percent::encode_query(options);
    let text = text.replace("%26", "&");
    parse("communications/callRecords", &text)
        .unwrap_or_else(|error| panic!("{options}: {error}"))
        .1
}

/// What choosing among some records ends with.
fn choose(options: &str, sessions: usize, meter: &Meter) -> Result<usize, Exhausted> {
    let query = query(options);
    let sieve = Sieve::new(&query);
    let environment = Environment { searcher: &NoSearch, meter };
    let mut pager = Pager::new(&sieve, Window::of(&query, 0, 100), ty(), environment);
    let text = record(sessions);
    for _ in 0..50 {
        let item = Cow::Owned(Node::parse(&text).unwrap());
        if pager.offer(item, |_| String::new()).is_break() {
            break;
        }
    }
    Ok(pager.finish()?.items.len())
}

#[test]
fn loops_inside_one_item_are_counted() {
    for (options, sessions) in [
        (
            "$filter=sessions/all(a:$it/sessions/all(b:$it/sessions/all(c:\
             $it/sessions/all(d:$it/sessions/all(e:a/startDateTime le e/startDateTime)))))",
            26,
        ),
        (
            "$filter=sessions/any(a:$it/sessions/any(b:$it/sessions/any(c:a/id eq concat(b/id,c/id))))",
            100,
        ),
        (
            "$filter=sessions/$count($filter=$it/sessions/$count($filter=id ne 'x') gt 1) gt 0",
            1_000,
        ),
        ("$filter=hassubset(modalities,modalities)", 1_000),
        ("$filter=sessions/any(s:hassubset($it/modalities,$it/modalities) and s/id eq 'x')", 200),
        ("$filter=sessions/any(s:'x' in $it/modalities)", 1_000),
        (
            "$filter=sessions/any(s:hassubsequence($it/modalities,$it/modalities) and s/id eq 'x')",
            1_000,
        ),
        ("$filter=sessions/any(s:matchesPattern($it/id,s/id))", 1_000),
        ("$orderby=sessions/$count($filter=$it/sessions/$count($filter=id ne 'x') gt 1)", 1_000),
        (
            "$compute=sessions/$count($filter=$it/sessions/$count($filter=id ne 'x') gt 1) as n",
            1_000,
        ),
    ] {
        let meter = meter();
        let chosen = choose(options, sessions, &meter);
        assert_eq!(chosen, Err(Exhausted::Steps(STEPS)), "{options}");
        // It ends where the budget ends, not where the item does.
        assert!(meter.steps() < STEPS + STEPS / 4, "{options}: {}", meter.steps());
    }
}

#[test]
fn questions_of_a_usual_size_stay_far_within() {
    for options in [
        "$filter=sessions/any(s:s/segments/any(g:g/id eq 'g3')) and version le 3",
        "$compute=concat(id,id) as c&$filter=length(c) gt 3&$orderby=c desc",
        "$filter=sessions/all(s:s/startDateTime le $it/endDateTime)&$count=true",
    ] {
        let meter = meter();
        assert_eq!(choose(options, 20, &meter), Ok(50), "{options}");
        assert!(meter.steps() < STEPS / 2, "{options}: {}", meter.steps());
    }
}

#[test]
fn values_that_double_end_at_the_budget() {
    let doubled = |first: &str, each: &str| {
        let levels = (1..14)
            .map(|n| each.replace("PREVIOUS", &format!("c{}", n - 1)) + &format!(" as c{n}"));
        let members: Vec<String> =
            std::iter::once(format!("{first} as c0")).chain(levels).collect();
        members.join(",")
    };
    for (first, each) in [
        ("concat(id,id)", "concat(PREVIOUS,PREVIOUS)"),
        ("id", "concat(toupper(PREVIOUS),PREVIOUS)"),
        ("concat(id,id)", "case(version eq 1:concat(PREVIOUS,PREVIOUS),true:PREVIOUS)"),
    ] {
        let members = doubled(first, each);
        for options in [
            format!("$compute={members}"),
            format!("$compute={members}&$orderby=c13"),
            format!("$compute={members}&$filter=contains(c13,'x')"),
        ] {
            let chosen = choose(&options, 1, &meter());
            assert_eq!(chosen, Err(Exhausted::Memory(BYTES)), "{options}");
        }
    }
}

fn apply(chain: &str, sessions: usize, meter: &Meter) -> Result<usize, Excess> {
    let query = query(&format!("$apply={chain}"));
    let pipeline = Pipeline::new(&query.apply.unwrap(), ty())?;
    let sizes = Sizes { groups: 100_000, items: 100_000, values: 1_000_000 };
    let environment = Environment { searcher: &NoSearch, meter };
    let mut run = pipeline.start(sizes, environment);
    let text = record(sessions);
    for n in 0..200 {
        let text = text.replace("aaaaaaaaaa", &format!("{n:010}"));
        if run.push(Cow::Owned(Node::parse(&text).unwrap()))?.is_break() {
            break;
        }
    }
    Ok(run.finish()?.len())
}

#[test]
fn chains_that_make_more_than_they_get_end_at_the_budget() {
    let copies = vec!["identity"; 15].join(",");
    for chain in [
        format!("concat({copies})"),
        "orderby(id)/concat(identity,identity,identity,identity)".to_owned(),
        "topsum(1000000,version)".to_owned(),
        "groupby((id),concat(identity,identity,identity,identity))".to_owned(),
        "compute(concat(id,id) as c)/compute(concat(c,c) as d)/filter(length(d) gt 0)".to_owned(),
    ] {
        let made = apply(&chain, 20, &meter());
        assert_eq!(made, Err(Excess::Exhausted(Exhausted::Memory(BYTES))), "{chain}");
    }
    assert_eq!(apply("groupby((type),aggregate($count as n))", 20, &meter()), Ok(1));
}

#[test]
fn figures_that_keep_values_are_counted() {
    for figure in ["id with countdistinct as n", "sessions/startDateTime with max as n"] {
        let few = Meter::new(Allowance { steps: STEPS, deadline: None, bytes: 10_000 });
        let made = apply(&format!("aggregate({figure})"), 1, &few);
        let is_kept = figure.contains("countdistinct");
        assert_eq!(made.is_err(), is_kept, "{figure}: {made:?}");
    }
}

#[test]
fn what_passes_takes_no_memory_and_what_is_replaced_gives_it_back() {
    let meter = Meter::new(Allowance { steps: 10_000_000, deadline: None, bytes: 40_000 });
    let query = query("$compute=concat(id,id) as c&$orderby=c&$top=2");
    let sieve = Sieve::new(&query);
    let environment = Environment { searcher: &NoSearch, meter: &meter };
    let mut pager = Pager::new(&sieve, Window::of(&query, 0, 100), ty(), environment);
    for n in (0..10_000).rev() {
        let text = record(0).replace("aaaaaaaaaa", &format!("{n:010}"));
        let item = Cow::Owned(Node::parse(&text).unwrap());
        assert!(pager.offer(item, |item| "x".repeat(item.heap_size())).is_continue());
    }
    assert_eq!(pager.finish().map(|chosen| chosen.items.len()), Ok(2));
}
