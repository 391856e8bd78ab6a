//! `$apply`: what each transformation means, and what items have behind it.

use super::list;
use crate::bound::Ty;
use crate::percent::{Plus, decode, encode_query};

/// The canonical form of a query, not percent-encoded, or the sentence that refuses it.
fn query(text: &str) -> String {
    let encoded: Vec<String> = text.split('&').map(encode_query).collect();
    match list(&encoded.join("&")) {
        Ok(query) => decode(&query.to_string(), Plus::Literal).unwrap().into_owned(),
        Err(error) => error.to_string(),
    }
}

/// Queries that are in canonical form already, and so mean what is written.
#[test]
fn every_transformation_is_bound() {
    for text in [
        "$apply=identity",
        "$apply=filter(version gt 5)/identity",
        "$apply=search(\"a b\" OR c)/top(5)",
        "$apply=search(\")/top(1\")/top(1)",
        "$apply=compute(endDateTime sub startDateTime as long)/orderby(long desc)/skip(2)/top(5)",
        "$apply=aggregate($count as calls,duration with sum as total,version with max as newest)",
        "$apply=aggregate(version with min as a,version with average as b,id with countdistinct as c)",
        "$apply=aggregate(sessions/$count as sessions2,sessions/segments/startDateTime with min as first)",
        "$apply=aggregate(duration with callvault.percentile95 as p)",
        "$apply=aggregate(version mul 2 with sum as twice)",
        "$apply=groupby((type))",
        "$apply=groupby((type,organizer_v2/identity/displayName),aggregate($count as calls))",
        "$apply=groupby((organizer/anything),aggregate($count as calls))",
        "$apply=groupby((rollup($all,type,version),id),aggregate($count as calls))",
        "$apply=groupby((type),topcount(2,duration))",
        "$apply=groupby((type),filter(version gt 5)/aggregate($count as calls))",
        "$apply=concat(topcount(2,version),bottomcount(2,version)/identity)",
        "$apply=topsum(15.5,version)/toppercent(50,version)/bottomsum(1,version)/bottompercent(1,version)",
        "$apply=aggregate($count as calls)&$filter=calls gt 5&$orderby=calls desc&$select=calls",
        "$apply=compute(year(startDateTime) as year)/groupby((year),aggregate($count as calls))\
         &$filter=year gt 2020 and calls gt 5&$orderby=year",
        "$apply=groupby((organizer_v2/identity/displayName),aggregate($count as calls))\
         &$compute=calls mul 2 as twice&$filter=organizer_v2/identity/displayName eq 'x'\
         &$orderby=twice,organizer_v2/identity/displayName\
         &$select=organizer_v2/identity/displayName,calls,twice&$top=5",
        "$apply=groupby((type),aggregate($count as calls))/groupby((calls),aggregate($count as types))",
        "$apply=concat(aggregate($count as calls),groupby((type),aggregate($count as calls)))\
         &$filter=calls gt 5 and type eq null",
    ] {
        assert_eq!(query(text), text);
    }
    assert_eq!(
        query("$apply=aggregate(duration with callvault.median as m)"),
        "$apply=aggregate(duration with callvault.percentile50 as m)"
    );
}

#[test]
fn items_have_only_what_they_were_grouped_by() {
    for (text, message) in [
        ("$apply=groupby((type))&$filter=version gt 5", "Unknown property 'version' at position 0"),
        (
            "$apply=aggregate($count as n)/filter(type eq 'x')",
            "Unknown property 'type' at position 30",
        ),
        (
            "$apply=groupby((organizer/id))&$orderby=organizer/displayName",
            "Unknown property 'displayName' at position 10",
        ),
        (
            "$apply=groupby((type))&$orderby=sessions/$count",
            "Unknown property 'sessions' at position 0",
        ),
        (
            "$apply=groupby((type))&$filter=$it/version gt 5",
            "Unknown property 'version' at position 4",
        ),
        ("$apply=groupby((type))&$select=version", "Unknown property 'version' at position 0"),
        (
            "$apply=groupby((type))&$expand=sessions",
            "$expand of items that were aggregated is not allowed here.",
        ),
        (
            "$apply=aggregate($count as calls)&$filter=call gt 5",
            "Unknown property 'call' at position 0 in 'call gt 5'. Did you mean 'calls'?",
        ),
        (
            "$apply=aggregate($count as calls)&$filter=calls eq 'x'",
            "Type mismatch: Edm.Int64 expected but found Edm.String",
        ),
    ] {
        let found = query(text);
        assert!(found.starts_with(message), "{text}: {found}");
    }
}

const WRONG_TRANSFORMATIONS: &[(&str, &str)] = &[
    ("", "Transformation expected at position 0"),
    ("filter(version)", "Type mismatch: Edm.Boolean expected but found Edm.Int64 at position 7"),
    (
        "agregate($count as x)",
        "Transformation expected but found 'agregate' at position 0 in 'agregate($count as x)'. Did you mean 'aggregate'?",
    ),
    ("aggregate()", "Expression expected but found ')' at position 10"),
    (
        "aggregate(version)",
        "Value with an aggregation method expected but found 'version' at position 10",
    ),
    ("aggregate(version with sum)", "'as' expected but found ')' at position 26"),
    ("aggregate(version with summ as x)", "Unknown function 'summ' at position 23"),
    (
        "aggregate(version with callvault.percentile0 as x)",
        "Unknown function 'callvault.percentile0'",
    ),
    (
        "aggregate(version with callvault.percentile100 as x)",
        "Unknown function 'callvault.percentile100'",
    ),
    ("aggregate($count with sum as x)", "'as' expected but found 'with' at position 17"),
    (
        "aggregate(id/$count as x)",
        "Type mismatch: a collection expected but found Edm.String at position 10",
    ),
    (
        "aggregate(id with sum as x)",
        "Type mismatch: a number or Edm.Duration expected but found Edm.String at position 10",
    ),
    ("aggregate(organizer with max as x)", "Type mismatch: a value without properties expected"),
    ("aggregate($count as id)", "The name 'id', which another member has, is not allowed here."),
    (
        "aggregate($count as x,version with sum as x)",
        "The name 'x', which another member has, is not allowed here.",
    ),
    (
        "aggregate(version with sum from type with max as x)",
        "'from' in aggregate is not supported yet.",
    ),
    (
        "compute(version add 1 as id)",
        "The name 'id', which another member has, is not allowed here.",
    ),
    ("groupby(type)", "'(' expected but found 'type' at position 8"),
    ("groupby((type,type))", "Grouping by 'type' twice is not allowed here."),
    (
        "groupby((sessions/startDateTime))",
        "A path through a collection without 'any' or 'all' is not allowed here.",
    ),
    (
        "groupby((year(startDateTime)))",
        "Type mismatch: a path to a property expected but found Edm.Int32 at position 9",
    ),
    (
        "topcount(1.5,version)",
        "Type mismatch: a whole number expected but found Edm.Decimal at position 9",
    ),
    (
        "topcount(version,version)",
        "An amount of 'topcount' that is not written as a number is not supported yet.",
    ),
    (
        "toppercent(101,version)",
        "Type mismatch: a number from 0 to 100 expected but found Edm.Int64 at position 11",
    ),
    ("topsum(5,id)", "Type mismatch: a number expected but found Edm.String at position 9"),
    ("top(-1)", "Number from 0 expected but found '-' at position 4"),
    ("concat(identity)", "',' expected but found ')' at position 15"),
    ("nest(sessions as s)", "The transformation 'nest' is not supported yet."),
    ("groupby((organizer))", "Grouping by an entity or a complex value is not supported yet."),
    (
        "aggregate(sessions(id with max as m))",
        "Figures of what is related to the items is not supported yet.",
    ),
    ("join(id as s)", "Type mismatch: a collection of entities or complex values expected"),
    ("join(sessions)", "'as' expected but found ')' at position 13"),
    ("join(sessions as id)", "The name 'id', which another member has, is not allowed here."),
    ("Custom.condense()", "The transformation 'Custom.condense' is not supported yet."),
    (
        "filter($this/$count gt 5)",
        "'$count' behind something that is no collection is not allowed here.",
    ),
    ("filter((version gt 5)", "')' expected at position 21"),
];

#[test]
fn transformations_that_make_no_sense_are_refused_with_their_place() {
    for (text, message) in WRONG_TRANSFORMATIONS {
        let found = query(&format!("$apply={text}"));
        assert!(found.starts_with(message), "{text}: {found}");
    }
    let many = vec!["identity"; 21].join("/");
    assert!(query(&format!("$apply={many}")).starts_with("Too much in '$apply': transformations"));
}

#[test]
fn figures_have_the_type_of_what_they_are_made_of() {
    for (figure, ty) in [
        ("$count", "Edm.Int64"),
        ("version with sum", "Edm.Int64"),
        ("version with average", "Edm.Double"),
        ("version with callvault.percentile5", "Edm.Double"),
        ("duration with sum", "Edm.Duration"),
        ("duration with average", "Edm.Duration"),
        ("startDateTime with max", "Edm.DateTimeOffset"),
        ("id with countdistinct", "Edm.Int64"),
    ] {
        let query = list(&format!("$apply=aggregate({figure} as x)&$orderby=x")).unwrap();
        let Ty::One(found) = query.orderby[0].value.ty else { panic!("{figure}") };
        assert_eq!(crate::literal::type_name(&found), ty, "{figure}");
    }
}
