//! Whole requests: what they mean, what is refused and with which sentence.

mod apply;
mod expansion;
mod expressions;
mod preserving;
mod random;
mod uses;
mod worst;

use crate::bound::{Query, Resource};
use crate::error::{Error, Kind};
use crate::limits::Limits;
use crate::parse_request;
use crate::primitive::DateTimeOffset;
use crate::tests_model::MODEL;

/// 2025-05-01T12:00:00Z
pub(crate) const NOW: DateTimeOffset = DateTimeOffset(17_461_008_000_000_000);
const RECORDS: &str = "communications/callRecords";

pub(crate) fn parse(path: &str, query: &str) -> Result<(Resource, Query), Error> {
    parse_request(&MODEL, path, query, &Limits::default(), NOW)
}

fn list(query: &str) -> Result<Query, Error> {
    parse(RECORDS, query).map(|(_, query)| query)
}

#[test]
fn the_spellings_of_real_clients_mean_the_same() {
    let expect = list("$expand=sessions($expand=segments)").unwrap();
    assert_eq!(expect.expanded("sessions").unwrap().expand[0].property.name, "segments");
    for query in [
        "$expand=sessions($expand%3Dsegments)",
        "%24expand=sessions%28%24expand%3Dsegments%29",
        "Expand=sessions(%24expand%3Dsegments)",
        "expand=sessions(expand=segments)",
        "$expand=sessions(+$Expand+=+segments+)",
    ] {
        assert_eq!(list(query).unwrap(), expect, "{query}");
    }
}

#[test]
fn a_list_is_filtered_ordered_and_cut() {
    let query = list(
        "$filter=startDateTime ge 2025-05-01T00:00:00.000Z and (startDateTime lt 2025-06-01 and \
         participants_v2/any(p:p/id eq 'O''Neil'))&$top=5&$count=true&$skip=10&\
         $orderby=length(id) desc,long asc&$compute=duration mul 2 as long&$search=\"a b\" c",
    )
    .unwrap();
    assert_eq!(
        crate::percent::decode(&query.to_string(), crate::percent::Plus::Literal).unwrap(),
        "$compute=duration mul 2 as long&\
         $filter=startDateTime ge 2025-05-01T00:00:00Z and startDateTime lt 2025-06-01T00:00:00Z \
         and participants_v2/any(p:p/id eq 'O''Neil')&$search=\"a b\" AND c&\
         $orderby=length(id) desc,long&$skip=10&$top=5&$count=true"
    );
}

#[test]
fn members_are_selected_by_paths_and_nested_options() {
    let select = list("$select=id,caller").unwrap_err();
    assert_eq!(select.kind, Kind::UnknownProperty { name: "caller".into() });

    let (_, query) =
        parse("communications/callRecords/x/sessions", "$select=id,caller/userAgent,caller/*")
            .unwrap();
    let select = query.select.unwrap();
    let caller = select.find("caller").unwrap().select.as_ref().unwrap();
    assert!(caller.all && caller.find("userAgent").is_some());

    for text in
        ["organizer/tenantId,organizer/anything/deep", "organizer($select=tenantId,anything/deep)"]
    {
        let query = list(&format!("$select={text}")).unwrap();
        let select = query.select.unwrap();
        let organizer = select.find("organizer").unwrap().select.as_ref().unwrap();
        assert!(organizer.find("tenantId").unwrap().property.is_some(), "{text}");
        assert!(organizer.find("anything").unwrap().property.is_none(), "{text}");
    }
    let whole = list("$select=organizer/id,organizer").unwrap().select.unwrap();
    assert_eq!(whole.members.len(), 1);
    assert_eq!(whole.members[0].select, None);
}

/// What clients send by mistake, each with the sentence that answers it.
const MISTAKES: &[(&str, &str)] = &[
    (
        "$filter=startDateTme ge 2025-05-01",
        "Unknown property 'startDateTme' at position 0 in 'startDateTme ge 2025-05-01'. \
             Did you mean 'startDateTime'?",
    ),
    (
        "$filter=startDateTime ge 'x'",
        "Type mismatch: Edm.DateTimeOffset expected but found Edm.String at position 17 in 'startDateTime ge 'x''.",
    ),
    (
        "$filter='x' lt startDateTime",
        "Type mismatch: Edm.DateTimeOffset expected but found Edm.String at position 0 in ''x' lt startDateTime'.",
    ),
    (
        "$filter=startDateTime",
        "Type mismatch: Edm.Boolean expected but found Edm.DateTimeOffset at position 0 in 'startDateTime'.",
    ),
    ("$filter=startDateTime ge", "Expression expected at position 16 in 'startDateTime ge'."),
    (
        "$filter=startDateTime ge 2025-13-01",
        "Date, or date and time with offset expected but found '2025' at position 17 in 'startDateTime ge 2025-13-01'.",
    ),
    (
        "$filter=startDateTime ge 2025-05-01 foo",
        "End expected but found 'foo' at position 28 in 'startDateTime ge 2025-05-01 foo'.",
    ),
    (
        "$filter=(startDateTime ge 2025-05-01",
        "')' expected at position 28 in '(startDateTime ge 2025-05-01'.",
    ),
    (
        "$filter=participants_v2/id eq 'x'",
        "A path through a collection without 'any' or 'all' is not allowed here.",
    ),
    (
        "$filter=participants_v2/any(p:p/foo eq 'x')",
        "Unknown property 'foo' at position 24 in 'participants_v2/any(p:p/foo eq 'x')'.",
    ),
    (
        "$filter=id/any(p:p eq 'x')",
        "A condition on items behind something that is no collection is not allowed here.",
    ),
    ("$filter=foo(id) eq 1", "Unknown function 'foo' at position 0 in 'foo(id) eq 1'."),
    ("$select=foo", "Unknown property 'foo' at position 0 in 'foo'."),
    ("$select=id/foo", "Unknown property 'foo' at position 3 in 'id/foo'."),
    (
        "$select=sessions/id",
        "The path 'sessions/…' through a navigation property in $select is not allowed here. Did you mean '$expand=sessions($select=id)'?",
    ),
    ("$select=", "Name of a property expected at position 0 in ''."),
    ("$expand=foo", "Unknown property 'foo' at position 0 in 'foo'."),
    (
        "$expand=startDateTime",
        "Navigation property expected but found 'startDateTime' at position 0 in 'startDateTime'.",
    ),
    (
        "$expand=sessions($expand=foo)",
        "Unknown property 'foo' at position 17 in 'sessions($expand=foo)'.",
    ),
    (
        "$expand=sessions($select=id;$select=id)",
        "The query option '$select' is given more than once.",
    ),
    ("$expand=sessions($foo=1)", "The query option '$foo' is not known."),
    ("$expand=sessions,sessions", "Expanding 'sessions' twice is not allowed here."),
    (
        "$expand=sessions/segments",
        "The path 'sessions/…' through a navigation property in $expand is not allowed here. Did you mean 'sessions($expand=segments)'?",
    ),
    ("$schemaversion=2", "There is no version '2' of the schema, only '*'."),
    (
        "$expand=sessions($format=json)",
        "The query option '$format' inside $expand is not allowed here.",
    ),
    ("$top=-1", "Number from 0 to 2147483647 expected but found '-' at position 0 in '-1'."),
    (
        "$top=2147483648",
        "Number from 0 to 2147483647 expected but found '2147483648' at position 0 in '2147483648'.",
    ),
    ("$top=", "Number from 0 to 2147483647 expected at position 0 in ''."),
    ("$count=yes", "'true' or 'false' expected but found 'yes' at position 0 in 'yes'."),
    ("$levels=2", "The query option '$levels' outside $expand is not allowed here."),
    ("$top=1&top=2", "The query option '$top' is given more than once."),
    ("$foo=1", "The query option '$foo' is not known."),
    (
        "$select=Sales.Rank(by='x')",
        "A function with parameters such as 'Sales.Rank' in $select is not allowed here. Did you mean '$compute=Sales.Rank(by=…) as value&$select=value'?",
    ),
];

#[test]
fn mistakes_are_answered_with_place_and_reason() {
    for (query, message) in MISTAKES {
        assert_eq!(list(query).unwrap_err().to_string(), *message, "{query}");
    }
}

#[test]
fn what_the_standard_has_and_is_not_built_is_named() {
    let cases = [
        ("$deltatoken=x", "the query option '$deltatoken'"),
        ("$expand=sessions($apply=identity)", "the query option '$apply' inside $expand"),
        ("$select=Sales.*", "'Sales.*' in $select"),
        ("$select=@Core.Messages", "'@Core.Messages' in $select"),
        ("$filter=@Core.Messages/a eq 1", "the annotation '@Core.Messages'"),
        ("$filter={\"a\":1} eq null", "an object as a value"),
    ];
    for (query, what) in cases {
        match list(query).unwrap_err().kind {
            Kind::NotBuilt { what: found } => assert_eq!(found, what, "{query}"),
            other => panic!("{query}: {other:?}"),
        }
    }
}

#[test]
fn options_that_make_no_sense_where_they_stand_are_refused() {
    let cases = [
        ("communications/callRecords/x", "$filter=id eq 'x'"),
        ("communications/callRecords/x", "$top=1"),
        ("communications/callRecords/x", "$count=true"),
        ("communications/callRecords/x", "$skiptoken=a"),
        ("communications/callRecords/$count", "$count=true"),
        ("communications/callRecords/$count", "$select=id"),
        ("communications/callRecords/x/startDateTime", "$select=id"),
        ("communications/callRecords", "$index=1"),
    ];
    for (path, query) in cases {
        let error = parse(path, query).unwrap_err();
        assert!(matches!(error.kind, Kind::NotAllowed { .. }), "{path}?{query}: {error}");
    }
    let (_, query) =
        parse("communications/callRecords/$count", "$filter=startDateTime ge 2025-05-01").unwrap();
    assert!(query.filter.is_some());
    // A count is affected by none of these.
    let ignored = "$top=1&$skip=1&$orderby=version&$expand=sessions";
    let (_, query) = parse("communications/callRecords/$count", ignored).unwrap();
    assert_eq!(query, crate::bound::Query::default());
}

#[test]
fn requests_beyond_the_limits_are_refused() {
    let many = |part: &str, by: &str, times: usize| vec![part; times].join(by);
    let date = "startDateTime ge 2025-05-01";
    let cases = [
        format!("$filter={}", many(date, " and ", 100)),
        format!("$filter={}true{}", "(".repeat(40), ")".repeat(40)),
        format!("$filter={}true", "not ".repeat(40)),
        format!("$filter=id in ({})", many("'a'", ",", 201)),
        format!("$filter={}true{}", "sessions/any(s:".repeat(6), ")".repeat(6)),
        format!("$expand={}id{}", "sessions($expand=".repeat(5), ")".repeat(5)),
        format!("$orderby={}", many("id", ",", 9)),
        format!("$search={}a{}", "(".repeat(40), ")".repeat(40)),
        format!("$select={}", many("id", ",", 201)),
        format!("x={}", "a".repeat(9000)),
        // An alias used twice by an alias that is used twice, and so on.
        format!(
            "$filter=@a0&{}&@a20=true",
            (0..20).map(|n| format!("@a{n}=@a{0} and @a{0}", n + 1)).collect::<Vec<_>>().join("&")
        ),
    ];
    for query in cases {
        let error = list(&query).unwrap_err();
        assert!(matches!(error.kind, Kind::TooMuch { .. }), "{query}: {error}");
    }
    assert!(list(&format!("$filter=id in ({})", many("'a'", ",", 200))).is_ok());
    assert!(list(&format!("$filter={}", many(date, " and ", 30))).is_ok());
}

#[test]
fn an_alias_that_stands_for_itself_is_refused_at_its_place() {
    for (query, option) in [
        ("$filter=@a&@a=@a", "@a"),
        ("$filter=@a&@a=not @b&@b=@a", "@b"),
        ("$filter=@a/any()&@a=@a/b", "@a"),
    ] {
        let error = list(query).unwrap_err();
        assert_eq!(error.option, option, "{query}");
        let message = "Value that does not use itself expected but found '@a'";
        assert!(error.to_string().starts_with(message), "{query}: {error}");
    }
    assert!(list("$filter=@a and @a&@a=@b or @b&@b=true").is_ok());
}

#[test]
fn a_page_token_does_not_count_against_the_length_of_the_url() {
    let token = "a".repeat(9000);
    let query = list(&format!("$top=5&$skiptoken={token}")).unwrap();
    assert_eq!(query.skiptoken.as_deref(), Some(token.as_str()));
    assert_eq!(query.to_string(), "$top=5");
}

#[test]
fn the_canonical_query_is_percent_encoded() {
    let query = list(
        "$count=true&$select=organizer($select=id,displayName),version&$format=application/json\
         ;odata.metadata=full&$expand=organizer_v2,sessions($expand=segments;$select=id)&\
         $filter=participants_v2/any(p:p/id eq '%2B49 %26 ü')",
    )
    .unwrap();
    assert_eq!(
        query.to_query_string(),
        "$filter=participants_v2/any(p:p/id%20eq%20'%2B49%20%26%20%C3%BC')&\
         $select=organizer/id,organizer/displayName,version&\
         $expand=organizer_v2,sessions($select=id;$expand=segments)&$count=true&\
         $format=application/json;odata.metadata=full"
    );
    assert_eq!(list("").unwrap().to_query_string(), "");
}
