//! Whole requests: what they mean, what is refused and with which sentence.

mod random;

use crate::bound::{Operator, Query, Resource};
use crate::error::{Error, Kind};
use crate::limits::{Filterable, Limits};
use crate::parse_request;
use crate::tests_model::MODEL;

const RECORD: &str = "microsoft.graph.callRecords.callRecord";
const RECORDS: &str = "communications/callRecords";

static FILTERABLE: &[Filterable] = &[
    Filterable {
        ty: RECORD,
        path: &["startDateTime"],
        operators: &[Operator::Lt, Operator::Le, Operator::Gt, Operator::Ge],
    },
    Filterable { ty: RECORD, path: &["participants_v2", "id"], operators: &[Operator::Eq] },
];

pub(crate) fn limits() -> Limits {
    Limits { filterable: FILTERABLE, ..Limits::default() }
}

pub(crate) fn parse(path: &str, query: &str) -> Result<(Resource, Query), Error> {
    parse_request(&MODEL, path, query, &limits())
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
fn a_list_is_filtered_by_time_and_participant() {
    let query = list(
        "$filter=startDateTime ge 2025-05-01T00:00:00.000Z and (startDateTime lt 2025-06-01 and \
         participants_v2/any(p:p/id eq 'O''Neil'))&$top=5&$count=true",
    )
    .unwrap();
    assert_eq!((query.top, query.count), (Some(5), true));
    assert_eq!(
        query.filter.unwrap().to_string(),
        "startDateTime ge 2025-05-01T00:00:00Z and startDateTime lt 2025-06-01T00:00:00Z and \
         participants_v2/any(p:p/id eq 'O''Neil')"
    );
}

#[test]
fn a_value_may_stand_left_or_behind_an_alias() {
    let expect = list("$filter=startDateTime ge 2025-05-01").unwrap();
    for query in [
        "$filter=2025-05-01 le startDateTime",
        "$filter=startDateTime ge @from&@from=2025-05-01T00:00:00Z",
        "$filter=@all&@all=startDateTime ge @from&@from=2025-05-01",
        "filter=(startDateTime%20GE%202025-05-01T02:00:00%2B02:00)",
    ] {
        assert_eq!(list(query).unwrap(), expect, "{query}");
    }
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

/// What clients send by mistake, with the sentence that tells them.
#[test]
fn mistakes_are_answered_with_place_and_reason() {
    let cases = [
        (
            "$filter=startDateTme ge 2025-05-01",
            "Unknown property 'startDateTme' at position 0 in 'startDateTme ge 2025-05-01'.",
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
        (
            "$filter=startDateTime ge @p",
            "Value for the alias '@p' expected but found '@p' at position 17 in 'startDateTime ge @p'.",
        ),
        ("$filter=foo(id) eq 1", "Unknown function 'foo' at position 0 in 'foo(id) eq 1'."),
        ("$select=foo", "Unknown property 'foo' at position 0 in 'foo'."),
        ("$select=id/foo", "Unknown property 'foo' at position 3 in 'id/foo'."),
        (
            "$select=sessions/id",
            "The path 'sessions/…' through a navigation property in $select is not allowed here.",
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
    ];
    for (query, message) in cases {
        assert_eq!(list(query).unwrap_err().to_string(), message, "{query}");
    }
}

#[test]
fn what_the_standard_has_and_is_not_built_is_named() {
    let cases = [
        (
            "$filter=startDateTime ge 2025-05-01 or startDateTime lt 2025-01-01",
            "the operator 'or' in $filter",
        ),
        ("$filter=startDateTime eq 2025-05-01", "the operator 'eq' on 'startDateTime' in $filter"),
        ("$filter=endDateTime ge 2025-05-01", "comparing 'endDateTime' in $filter"),
        ("$filter=organizer_v2/id eq 'x'", "comparing 'organizer_v2/id' in $filter"),
        ("$filter=type eq 'groupCall'", "comparing 'type' in $filter"),
        ("$filter=duration gt duration'PT1H'", "comparing 'duration' in $filter"),
        ("$filter=not contains(id,'x')", "the operator 'not' in $filter"),
        ("$filter=contains(id,'x')", "the function 'contains' in $filter"),
        ("$filter=year(startDateTime) eq 2025", "the function 'year' in $filter"),
        ("$filter=id in ('a','b')", "the operator 'in' in $filter"),
        ("$filter=participants_v2/all(p:p/id eq 'x')", "the operator 'all' in $filter"),
        ("$filter=participants_v2/any()", "'any' without a condition in $filter"),
        (
            "$filter=participants_v2/any(p:p/id eq 'x' or p/id eq 'y')",
            "the operator 'or' in $filter",
        ),
        (
            "$filter=participants_v2/any(p:p/id eq 'x' and p/id ne 'y')",
            "the operator 'and' in $filter",
        ),
        ("$filter=sessions/any(s:s/segments/any(g:g/id eq 'x'))", "'any' on this path in $filter"),
        ("$filter=participants_v2/$count gt 5", "this path in $filter"),
        ("$filter=true", "a value as a condition in $filter"),
        ("$filter=organizer/tenantId eq 'x'", "comparing 'organizer/tenantId' in $filter"),
        ("$filter=startDateTime lt endDateTime", "comparing two properties in $filter"),
        ("$orderby=startDateTime desc", "the query option '$orderby'"),
        ("$skip=5", "the query option '$skip'"),
        ("$search=\"Megan Bowen\" AND NOT echo", "the query option '$search'"),
        ("$compute=year(startDateTime) as year", "the query option '$compute'"),
        ("$apply=groupby((type),aggregate($count as calls))", "the query option '$apply'"),
        ("$index=1", "the query option '$index'"),
        ("$deltatoken=x", "the query option '$deltatoken'"),
        ("$schemaversion=*", "the query option '$schemaversion'"),
        ("$expand=*", "'*' in $expand"),
        ("$expand=sessions/$ref", "'$ref' in $expand"),
        ("$expand=sessions/$count", "'$count' in $expand"),
        ("$expand=sessions($levels=2)", "the query option '$levels' inside $expand"),
        (
            "$expand=sessions($top=2;$filter=isTest eq false)",
            "the query option '$filter' inside $expand",
        ),
        ("$expand=sessions/segments", "a path in $expand"),
        ("$select=getPstnCalls", ""),
    ];
    for (query, what) in cases {
        match list(query).unwrap_err().kind {
            Kind::NotBuilt { what: found } => assert_eq!(found, what, "{query}"),
            Kind::UnknownProperty { .. } => assert_eq!(what, "", "{query}"),
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
        ("communications/callRecords/$count", "$top=1"),
        ("communications/callRecords/$count", "$expand=sessions"),
        ("communications/callRecords/x/startDateTime", "$select=id"),
    ];
    for (path, query) in cases {
        let error = parse(path, query).unwrap_err();
        assert!(matches!(error.kind, Kind::NotAllowed { .. }), "{path}?{query}: {error}");
    }
    let (_, query) =
        parse("communications/callRecords/$count", "$filter=startDateTime ge 2025-05-01").unwrap();
    assert!(query.filter.is_some());
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
        "$filter=@a&@a=@a".to_owned(),
    ];
    for query in cases {
        let error = list(&query).unwrap_err();
        assert!(matches!(error.kind, Kind::TooMuch { .. }), "{query}: {error}");
    }
    let error = list(&format!("$filter=id in ({})", many("'a'", ",", 200))).unwrap_err();
    assert!(matches!(error.kind, Kind::NotBuilt { .. }), "{error}");
    assert!(list(&format!("$filter={}", many(date, " and ", 30))).is_ok());
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
