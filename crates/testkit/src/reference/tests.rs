//! Questions whose answers were worked out by hand.

mod apply;

use model::generated;
use model::rows::RowSet;
use odata::Limits;
use odata::edm::Type;
use odata::primitive::DateTimeOffset;
use serde_json::{Value as Json, json};

use super::*;
use crate::queries::path;

/// Eight records whose ids and versions are those of the sales in the examples of the Data
/// Aggregation extension (version for Amount, type for Product), as if each later one started later.
fn sales() -> Vec<Json> {
    let all = [
        (1, "groupCall"),
        (2, "unknown"),
        (4, "peerToPeer"),
        (8, "peerToPeer"),
        (4, "groupCall"),
        (2, "unknown"),
        (1, "groupCall"),
        (2, "groupCall"),
    ];
    let each = all.iter().enumerate().map(|(at, (amount, product))| {
        let start = format!("2024-01-0{}T00:00:00Z", 8 - at);
        record(
            &json!({
                "id": (at + 1).to_string(), "version": amount, "type": product,
                "startDateTime": start, "endDateTime": start,
            })
            .to_string(),
        )
    });
    each.collect::<anyhow::Result<_>>().unwrap()
}

/// One record with three sessions, whose `isTest` is true, false and null.
fn tests() -> Vec<Json> {
    let session = |id: &str, is_test: Json, more: Json| {
        let mut session = json!({
            "id": id, "startDateTime": "2024-01-01T00:00:00Z",
            "endDateTime": "2024-01-01T00:01:40.5Z", "isTest": is_test,
        });
        session.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        session
    };
    let text = json!({
        "id": "r", "version": 7, "startDateTime": "2024-01-01T02:00:00+02:00",
        "endDateTime": "2024-01-01T01:00:00Z", "modalities": ["audio", "video", "audio"],
        "sessions": [
            session("true", json!(true), json!({"failureInfo": {"stage": "midcall", "reason": "ab"}})),
            session("false", json!(false), json!({"failureInfo": {"stage": "afterlife", "reason": "Ab"}})),
            session("null", json!(null), json!({"segments": [{
                "id": "g", "startDateTime": "2024-01-01T00:00:00Z",
                "endDateTime": "2024-01-01T00:00:00Z",
                "media": [{"streams": [
                    {"streamDirection": "callerToCallee", "averagePacketLossRate": 0.5,
                        "averageJitter": "PT0.5S", "packetUtilization": 10},
                    {"streamDirection": "callerToCallee", "averagePacketLossRate": "INF",
                        "averageJitter": "PT1S", "packetUtilization": 20},
                    {"streamDirection": "callerToCallee", "averagePacketLossRate": "NaN"},
                ]}],
            }]})),
        ],
    });
    vec![record(&text.to_string()).unwrap()]
}

fn asked(set: RowSet, records: &[Json], query: &str) -> Answer {
    let encoded: Vec<_> = query
        .split('&')
        .map(|option| option.split_once('=').unwrap())
        .map(|(name, value)| format!("{name}={}", odata::percent::encode_query(value)))
        .collect();
    let now = DateTimeOffset::parse("2024-01-01T00:00:00Z").unwrap();
    let limits = Limits::default();
    let parsed =
        odata::parse_request(&generated::V1_0, path(set), &encoded.join("&"), &limits, now);
    let (_, query) = parsed.unwrap_or_else(|error| panic!("{query}: {error}"));
    let ty = Type::Structured(set.ty());
    let rows: Vec<_> = rows(records, set).iter().map(|row| typed(row, ty)).collect();
    answer(&query, &rows)
}

fn ids(answer: &Answer) -> String {
    let text = |row: &Value| match row.member("id") {
        Value::Text(text) => text.to_string(),
        other => format!("{other:?}"),
    };
    answer.rows.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// The sessions of [`tests`] that a condition keeps.
#[track_caller]
fn keeps(condition: &str, expected: &str) {
    let answer = asked(RowSet::Sessions, &tests(), &format!("$filter={condition}"));
    assert_eq!(ids(&answer), expected, "{condition}");
}

/// Whether a condition without names holds, or one with those of the record.
#[track_caller]
fn holds_for_record(condition: &str) {
    let answer = asked(RowSet::Records, &tests(), &format!("$filter={condition}"));
    assert_eq!(answer.count, 1, "{condition}");
    let answer = asked(RowSet::Records, &tests(), &format!("$filter=not ({condition})"));
    assert_eq!(answer.count, 0, "not {condition}");
}

#[test]
fn null_is_unknown_to_logic_and_a_value_to_equality() {
    keeps("isTest", "true");
    keeps("not isTest", "false");
    keeps("isTest or not isTest", "true false");
    keeps("isTest and true", "true");
    keeps("isTest or true", "true false null");
    keeps("not (isTest and false)", "true false null");
    keeps("isTest eq null", "null");
    keeps("isTest ne null", "true false");
    keeps("isTest ne true", "false null");
    keeps("not (isTest eq true)", "false null");
    keeps("isTest in (true,null)", "true null");
    keeps("isTest gt false", "true");
    keeps("isTest le true", "true false");
    keeps("not (isTest le true)", "null");
    keeps("null eq null", "true false null");
    keeps("null ge null", "true false null");
    keeps("null lt null", "");
    keeps("isTest le null", "null");
}

#[test]
fn null_passes_through_arithmetic_and_functions() {
    keeps("failureInfo/reason eq null", "null");
    keeps("length(failureInfo/reason) gt 0", "true false");
    keeps("not (length(failureInfo/reason) gt 0)", "null");
    keeps("contains(failureInfo/reason,'b')", "true false");
    keeps("not contains(failureInfo/reason,'b')", "");
    keeps("length(failureInfo/reason) add 1 eq null", "null");
    keeps("concat(failureInfo/reason,'c') eq null", "null");
}

#[test]
fn enumerations_are_equal_by_name_and_ordered_by_value() {
    keeps("failureInfo/stage eq 'midcall'", "true");
    keeps("failureInfo/stage ne 'midcall'", "false null");
    keeps("failureInfo/stage gt 'callSetup'", "true");
    keeps("failureInfo/stage le 'midcall'", "true");
}

#[test]
fn text_is_ordered_by_bytes_and_guids_have_no_case() {
    keeps("failureInfo/reason gt 'B'", "true");
    keeps("toupper(failureInfo/reason) eq 'AB'", "true false");
    let guid = "e523d2ed-2966-4b6b-925b-754a88034cc5";
    holds_for_record(&format!("'{guid}' eq '{}'", guid.to_uppercase()));
    holds_for_record(&format!("'{}' in ('{guid}')", guid.to_uppercase()));
    holds_for_record("'abc' ne 'ABC'");
}

#[test]
fn numbers_follow_their_kinds() {
    for condition in [
        "7 div 2 eq 3",
        "-7 div 2 eq -3",
        "7 divby 2 eq 3.5",
        "7 div 2.0 eq 3.5",
        "-7 mod 2 eq -1",
        "7 mod 0 eq null",
        "7 div 0 eq null",
        "7.5 div 0 eq INF",
        "5.5 mod 2 eq 1.5",
        "9223372036854775807 add 1 eq null",
        "9007199254740993 ne 9007199254740992.0",
        "1 eq 1.0",
        "INF gt 9223372036854775807",
        "INF eq INF",
        "round(2.5) eq 3",
        "round(-2.5) eq -3",
        "floor(-0.5) eq -1",
        "ceiling(0.5) eq 1",
        "version mul 2 eq 14",
    ] {
        holds_for_record(condition);
    }
}

#[test]
fn texts_are_counted_in_characters() {
    for condition in [
        "length('e\u{301}𝄞') eq 3",
        "indexof('a𝄞b','b') eq 2",
        "indexof('ab','c') eq -1",
        "substring('abc',1) eq 'bc'",
        "substring('abc',-2) eq 'bc'",
        "substring('abc',7) eq ''",
        "substring('abc',1,1) eq 'b'",
        "contains('abc','')",
        "tolower('İ') eq 'i\u{307}'",
        "toupper('ß') eq 'SS'",
        "trim('\u{a0}x\u{2003}') eq 'x'",
        "matchesPattern('abc','b')",
        "not matchesPattern('abc','^b')",
        "concat('a','b') eq 'ab'",
    ] {
        holds_for_record(condition);
    }
}

#[test]
fn instants_and_durations_are_exact() {
    for condition in [
        "startDateTime eq 2024-01-01T00:00:00Z",
        "totaloffsetminutes(startDateTime) eq 120",
        "totaloffsetminutes(endDateTime) eq 0",
        "hour(startDateTime) eq 2",
        "endDateTime sub startDateTime eq duration'PT1H'",
        "startDateTime add duration'PT0.0000001S' gt startDateTime",
        "date(endDateTime) eq 2024-01-01",
        "time(endDateTime) eq 01:00:00",
        "totalseconds(duration'PT1.5S') eq 1.5",
        "duration'PT1S' mul 1.5 eq duration'PT1.5S'",
        "duration'PT0.0000003S' div 2 eq duration'PT0.0000002S'",
        "fractionalseconds(2024-01-01T00:00:00.25Z) eq 0.25",
        "year(mindatetime()) eq 1",
        "second(maxdatetime()) eq 59",
        "now() eq 2024-01-01T00:00:00Z",
    ] {
        holds_for_record(condition);
    }
}

#[test]
fn lambdas_over_nothing_are_false_for_any_and_true_for_all() {
    keeps("segments/any()", "null");
    keeps("segments/any(g:g/id eq 'g')", "null");
    keeps("segments/all(g:g/id eq 'x')", "true false");
    keeps("segments/$count eq 0", "true false");
    keeps("segments/any(g:g/media/any(m:m/streams/any(s:s/averagePacketLossRate gt 0.5)))", "null");
    keeps("segments/any(g:g/media/any(m:m/streams/all(s:s/averagePacketLossRate gt 0)))", "");
    keeps("segments/any(g:g/id eq 'g' and $it/isTest eq null)", "null");
    holds_for_record("modalities/$count eq 3 and modalities/any(m:m eq 'video')");
    holds_for_record("hassubset(modalities,[\"audio\",\"audio\"])");
    holds_for_record("sessions/$count($filter=isTest ne true) eq 2");
}

#[test]
fn case_takes_the_first_that_holds() {
    keeps("case(isTest:1,not isTest:2,true:3) eq 3", "null");
    keeps("case(isTest:1,not isTest:2) eq null", "null");
}

#[test]
fn null_comes_first_and_the_rest_by_the_record() {
    let order = |keys: &str| ids(&asked(RowSet::Sessions, &tests(), &format!("$orderby={keys}")));
    assert_eq!(order("isTest"), "null false true");
    assert_eq!(order("isTest desc"), "true false null");
    assert_eq!(order("failureInfo/stage"), "null true false");
    assert_eq!(order("callRecordId"), "true false null");
    assert_eq!(order("callRecordId,id desc"), "true null false");
    let records = ids(&asked(RowSet::Records, &sales(), "$orderby=version desc&$skip=1&$top=3"));
    assert_eq!(records, "3 5 2");
}

#[test]
fn searches_find_words_in_what_the_schema_marks() {
    let text = json!({
        "id": "r", "startDateTime": "2024-01-01T00:00:00Z", "endDateTime": "2024-01-01T00:00:00Z",
        "joinWebUrl": "hidden",
        "organizer": {"user": {"id": "u", "displayName": "Abbie Wilkins"}},
        "participants_v2": [{"id": "p", "identity": {"phone": {"id": "+1 (555) 010-0182"}}}],
    });
    let records = [record(&text.to_string()).unwrap()];
    let is_found =
        |search: &str| asked(RowSet::Records, &records, &format!("$search={search}")).count == 1;
    for search in [
        "abbie",
        "WILKINS",
        "\"abbie wilkins\"",
        "wil*",
        "15550100182",
        "0182",
        "NOT nobody",
        "abbie AND NOT bob",
    ] {
        assert!(is_found(search), "{search}");
    }
    for search in ["hidden", "\"wilkins abbie\"", "abb", "NOT abbie", "abbie bob"] {
        assert!(!is_found(search), "{search}");
    }
}
