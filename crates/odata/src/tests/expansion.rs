//! `$expand`, `$select`, `$compute` and `$orderby`: what they mean together.

use super::{list, parse};
use crate::percent::{Plus, decode, encode_query};

fn query(text: &str) -> String {
    let encoded: Vec<String> = text.split('&').map(encode_query).collect();
    match list(&encoded.join("&")) {
        Ok(query) => decode(&query.to_string(), Plus::Literal).unwrap().into_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn expanded_entities_have_options_of_their_own() {
    for (text, canonical) in [
        (
            "$expand=sessions($filter=isTest;$orderby=startDateTime desc;$top=2;$skip=1;$count=true)",
            "$expand=sessions($filter=isTest;$orderby=startDateTime desc;$skip=1;$top=2;$count=true)",
        ),
        (
            "$expand=sessions($search=a b;$select=id;$expand=segments($top=1))",
            "$expand=sessions($search=a AND b;$select=id;$expand=segments($top=1))",
        ),
        (
            "$expand=sessions($compute=length(id) as long;$filter=long gt 5;$select=id,long)",
            "$expand=sessions($compute=length(id) as long;$filter=long gt 5;$select=id,long)",
        ),
        (
            "$expand=sessions($filter=id eq @p and startDateTime gt @q;@p='x')&@q=2025-05-01",
            "$expand=sessions($filter=id eq 'x' and startDateTime gt 2025-05-01T00:00:00Z)",
        ),
        ("$expand=sessions($filter=id eq $it/id)", "$expand=sessions($filter=id eq $it/id)"),
        ("$expand=*", "$expand=organizer_v2,participants_v2,sessions"),
        ("$expand=sessions($top=1),*", "$expand=sessions($top=1),organizer_v2,participants_v2"),
        (
            "$expand=*($levels=max)",
            "$expand=organizer_v2,participants_v2,sessions($expand=segments)",
        ),
        ("$expand=*($levels=1)", "$expand=organizer_v2,participants_v2,sessions"),
        ("$expand=*/$ref", "$expand=organizer_v2/$ref,participants_v2/$ref,sessions/$ref"),
        ("$expand=sessions/$ref($top=1)", "$expand=sessions/$ref($top=1)"),
        (
            "$expand=sessions/$count($filter=isTest;$search=a),sessions",
            "$expand=sessions/$count($filter=isTest;$search=a),sessions",
        ),
        (
            "$compute=length(id) as long&$orderby=long desc,id&$select=long,id",
            "$compute=length(id) as long&$orderby=long desc,id&$select=long,id",
        ),
        (
            "$compute=1 as a,a add 1 as b&$filter=b eq 2",
            "$compute=1 as a,a add 1 as b&$filter=b eq 2",
        ),
        ("$schemaversion=*&$orderby=id asc", "$orderby=id"),
    ] {
        assert_eq!(query(text), canonical, "{text}");
    }
}

#[test]
fn options_that_make_no_sense_inside_are_refused() {
    for (text, message) in [
        (
            "$expand=organizer_v2($top=1)",
            "The query option '$top' for 'organizer_v2', which is single, is not allowed here.",
        ),
        (
            "$expand=organizer_v2/$count",
            "'/$count' behind 'organizer_v2', which is no collection, is not allowed here.",
        ),
        (
            "$expand=sessions($levels=2)",
            "The query option '$levels' for 'sessions', which leads to another type, is not allowed here.",
        ),
        ("$expand=*($levels=9)", "Too much in '$expand': levels of $expand, at most 4."),
        ("$expand=*($top=1)", "The query option '$top' for '*' is not allowed here."),
        ("$expand=*/$count", "'/$count' behind '*' is not allowed here."),
        ("$expand=sessions,sessions/$ref", "Expanding 'sessions' twice is not allowed here."),
        (
            "$expand=sessions($skiptoken=x)",
            "The query option '$skiptoken' inside $expand is not allowed here.",
        ),
        ("$expand=sessions($filter=foo)", "Unknown property 'foo' at position 17"),
        ("$expand=sessions/$count($top=1)", "This option behind '/$count' is not allowed here."),
        (
            "$orderby=sessions",
            "Type mismatch: a single value expected but found Collection(microsoft.graph.callRecords.session) at position 0",
        ),
        (
            "$orderby=organizer",
            "Type mismatch: a single value expected but found microsoft.graph.identity at position 0",
        ),
        ("$orderby=id,foo desc", "Unknown property 'foo' at position 3"),
        (
            "$compute=length(id) as id",
            "The name 'id', which another member has, is not allowed here.",
        ),
        ("$compute=1 as a,2 as a", "The name 'a', which another member has, is not allowed here."),
        ("$compute=sessions as s", "Type mismatch: a single value expected"),
        ("$compute=1 as a&$select=a/$count", "'$count' in $select is not supported yet."),
        ("$filter=a eq 1&$orderby=id", "Unknown property 'a' at position 0"),
    ] {
        let found = query(text);
        assert!(found.starts_with(message), "{text}: {found}");
    }
    let many = vec!["sessions"; 21].join(",");
    assert!(
        query(&format!("$expand={many}")).starts_with("Too much in '$expand': items of $expand")
    );
    let long = "a".repeat(1025);
    assert!(query(&format!("$filter=id eq '{long}'")).contains("bytes of a literal, at most 1024"));
    assert!(query(&format!("$filter=id in ('{long}')")).contains("bytes of a literal"));
    let words = vec!["a"; 65].join(" ");
    assert!(query(&format!("$search={words}")).contains("words to search for, at most 64"));
}

#[test]
fn operations_give_what_options_apply_to() {
    let path = "communications/callRecords('x')/callvault.version(version=2)/sessions";
    let (_, query) = parse(path, "$filter=isTest&$orderby=startDateTime").unwrap();
    assert!(query.filter.is_some() && query.orderby.len() == 1);
}
