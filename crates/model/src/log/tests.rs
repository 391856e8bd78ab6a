//! Rows as they come in, are told again, and are shown.

use odata::json::write_node;

use super::*;

const CALL: &str = r#"{"id":"9C4984C7-6c3c-427d-a30c-bd0b2eacee90","callId":"1_2@203.0.113.176",
    "userId":null,"startDateTime":"2019-11-01T00:00:08.2589935Z","duration":219,"charge":0.00,
    "administrativeUnitInfos":[],"grows":{"later":1}}"#;

fn shown(log: Log, ty: &'static StructuredType, body: &str) -> String {
    let mut out = Vec::new();
    write_node(&mut out, &show(log, ty, body).unwrap());
    String::from_utf8(out).unwrap()
}

#[test]
fn a_row_is_kept_digit_for_digit_and_shown_whole() {
    let row = read(Log::PstnCalls, CALL, None).unwrap();
    assert_eq!(row.id_key, crate::key::key("9c4984c7-6c3c-427d-a30c-bd0b2eacee90"));
    assert_eq!(DateTimeOffset(row.time).to_string(), "2019-11-01T00:00:08.2589935Z");
    assert!(row.body.contains(r#""charge":0.00"#) && !row.body.contains("null"), "{}", row.body);
    let beta = shown(Log::PstnCalls, Log::PstnCalls.ty(), &row.body);
    assert!(beta.contains(r#""charge":0.00"#), "{beta}");
    assert!(beta.contains(r#""otherPartyCountryCode":null"#), "{beta}");
    assert!(beta.ends_with(r#""administrativeUnitInfos":[],"grows":{"later":1}}"#), "{beta}");
    let v1 = shown(Log::PstnCalls, Log::PstnCalls.ty_of_v1().unwrap(), &row.body);
    assert!(v1.contains(r#""callDurationSource":null,"grows""#), "{v1}");
    assert!(!v1.contains("otherPartyCountryCode"), "{v1}");
}

#[test]
fn what_only_beta_has_is_not_shown_by_v1() {
    let text = CALL.replace(r#""userId":null"#, r#""otherPartyCountryCode":"US""#);
    let row = read(Log::PstnCalls, &text, None).unwrap();
    let v1 = shown(Log::PstnCalls, Log::PstnCalls.ty_of_v1().unwrap(), &row.body);
    assert!(!v1.contains("otherPartyCountryCode"), "{v1}");
}

#[test]
fn a_row_that_is_none_is_refused_at_its_place() {
    let cases = [
        (Log::PstnCalls, "[]", "", "expected an object"),
        (Log::PstnCalls, "{}", "/startDateTime", "needs 'startDateTime'"),
        (Log::PstnCalls, r#"{"startDateTime":"2019-11-01T00:00:00Z"}"#, "/id", "needs 'id'"),
        (Log::PstnCalls, r#"{"id":"1","id":"2"}"#, "", "twice"),
        (Log::PstnCalls, r#"{"id":"1","duration":"219"}"#, "/duration", "expected"),
        (Log::Sms, r#"{"sentDateTime":"yesterday"}"#, "/sentDateTime", "Edm.DateTimeOffset"),
        (Log::DialoutReport, r#"{"totalCalls":1}"#, "/@callvault.startDateTime", "when"),
        (Log::PstnCalls, "{", "", "the text ends"),
        (Log::PstnCalls, r#"{"id":"","startDateTime":"2019-11-01T00:00:00Z"}"#, "/id", "empty"),
        (Log::PstnCalls, r#"{"correlationId":"1"}"#, "/correlationId", "getDirectRoutingCalls"),
        (Log::DirectRoutingCalls, r#"{"callId":"1"}"#, "/callId", "getPstnCalls"),
        (Log::PstnCalls, r#"{"id":"1","sessions":[]}"#, "/sessions", "call records"),
    ];
    for (log, text, pointer, words) in cases {
        let error = read(log, text, None).unwrap_err();
        assert_eq!(error.pointer(), pointer, "{text}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn rows_without_ids_are_told_apart_by_what_they_say() {
    let key = |log, text: &str| read(log, text, None).unwrap().id_key;
    let sms = r#"{"smsId":"1","sentDateTime":"2022-10-06T11:15:48Z","smsUnits":1}"#;
    assert_eq!(key(Log::Sms, sms), key(Log::Sms, sms));
    assert_ne!(key(Log::Sms, sms), key(Log::Sms, &sms.replace("Units\":1", "Units\":2")));
    let day = |day: u32, calls: u32| {
        format!(
            r#"{{"@callvault.startDateTime":"2022-11-{day:02}T00:00:00Z","userId":"u",
                "currency":"USD","totalCalls":{calls}}}"#
        )
    };
    let report = |text: String| key(Log::DialoutReport, &text);
    assert_eq!(report(day(1, 5)), report(day(1, 6)), "a later sum of the same day");
    assert_ne!(report(day(1, 5)), report(day(2, 5)));
    let at_noon = day(1, 5).replace("T00:00:00Z", "T14:00:00+02:00");
    assert_eq!(report(at_noon), report(day(1, 5)), "the day counts");
}

#[test]
fn a_mode_is_kept_as_the_schema_writes_it() {
    let text =
        r#"{"userId":"u","blockDateTime":"2022-11-23T13:51:09.796Z","userBlockMode":"Blocked"}"#;
    let row = read(Log::BlockedUsers, text, None).unwrap();
    assert!(row.body.contains(r#""userBlockMode":"blocked""#), "{}", row.body);
}

#[test]
fn a_day_that_is_given_for_all_stands_in_rows_that_say_none() {
    let day = DateTimeOffset::parse("2022-11-01T00:00:00Z");
    let row = read(Log::DialoutReport, r#"{"userId":"u","totalCalls":1}"#, day).unwrap();
    assert_eq!(Some(DateTimeOffset(row.time)), day);
    let own = r#"{"@callvault.startDateTime":"2022-11-02T00:00:00Z","userId":"u"}"#;
    assert_ne!(read(Log::DialoutReport, own, day).unwrap().time, row.time);
}

#[test]
fn a_row_that_is_told_again_adds_changes_or_says_nothing_new() {
    let kept = r#"{"id":"1","duration":2,"charge":0.00}"#;
    assert_eq!(merge_row(kept, r#"{"charge":0.00,"id":"1"}"#), RowMerge::Unchanged);
    let more = merge_row(kept, r#"{"id":"1","currency":"USD"}"#);
    let expected = r#"{"id":"1","duration":2,"charge":0.00,"currency":"USD"}"#;
    assert_eq!(more, RowMerge::Merged(expected.to_owned()));
    let other = merge_row(kept, r#"{"id":"1","charge":0.50}"#);
    assert_eq!(other, RowMerge::Replaced(kept.replace("0.00", "0.50")));
}

#[test]
fn each_log_has_its_names_once() {
    for log in Log::ALL {
        assert_eq!(Log::of_name(log.name()), Some(log));
        assert_eq!(Log::of_function(&format!("get{}", log.title())), Some(log));
        assert_eq!(Log::of_action(&format!("import{}", log.title())), Some(log));
    }
    assert_eq!(Log::of_function("getPstnCall"), None);
}
