//! Functions on instants, dates, times of day and durations.

use super::{ALL, Asked, RECORDS};

#[test]
fn parts_of_instants_are_those_of_their_own_zone() {
    Asked::new().values(&[
        ("r2", "year(startDateTime)", "2025"),
        ("r2", "month(startDateTime)", "3"),
        ("r2", "day(startDateTime)", "1"),
        ("r2", "hour(startDateTime)", "9"),
        ("r2", "minute(startDateTime)", "30"),
        ("r2", "second(startDateTime)", "0"),
        ("r2", "fractionalseconds(startDateTime)", "0.5"),
        ("r2", "date(startDateTime)", "2025-03-01"),
        ("r2", "time(startDateTime)", "09:30:00.5"),
        ("r2", "totaloffsetminutes(startDateTime)", "0"),
        // 00:15 on the second of March, an hour ahead.
        ("r3", "day(startDateTime)", "2"),
        ("r3", "hour(startDateTime)", "0"),
        ("r3", "minute(startDateTime)", "15"),
        ("r3", "date(startDateTime)", "2025-03-02"),
        ("r3", "time(startDateTime)", "00:15:00"),
        ("r3", "hour(startDateTime add duration'PT1H')", "1"),
        ("r3", "cast(startDateTime,Edm.Date)", "2025-03-02"),
        ("r1", "hour(2026-10-01T00:30:00+02:00)", "0"),
        ("r1", "date(2026-10-01T00:30:00+02:00)", "2026-10-01"),
        ("r1", "year(2026-01-01T00:30:00+02:00)", "2026"),
        ("r1", "month(2026-01-31T23:30:00-02:00)", "1"),
        ("r1", "day(2026-10-01T23:30:00-02:00)", "1"),
        ("r1", "minute(2026-10-01T00:10:00+05:30)", "10"),
        ("r1", "time(2026-10-01T00:10:00+05:30)", "00:10:00"),
        ("r1", "totaloffsetminutes(2026-10-01T00:30:00-05:30)", "-330"),
        ("r1", "date(maxdatetime())", "9999-12-31"),
        ("r3", "totaloffsetminutes(startDateTime)", "60"),
        ("r6", "second(startDateTime)", "59"),
        ("r6", "fractionalseconds(startDateTime)", "0.9999999"),
        ("r6", "date(startDateTime)", "2025-03-04"),
        ("r6", "date(endDateTime)", "2025-03-05"),
    ]);
}

#[test]
fn parts_of_other_values() {
    Asked::new().values(&[
        ("r1", "year(1969-12-31T23:59:59.5Z)", "1969"),
        ("r1", "second(1969-12-31T23:59:59.5Z)", "59"),
        ("r1", "fractionalseconds(1969-12-31T23:59:59.5Z)", "0.5"),
        ("r1", "month(2024-02-29)", "2"),
        ("r1", "day(2024-02-29)", "29"),
        ("r1", "day(2024-02-29T12:00:00Z add duration'P1D')", "1"),
        ("r1", "hour(12:34:56.7)", "12"),
        ("r1", "minute(12:34:56.7)", "34"),
        ("r1", "second(12:34:56.7)", "56"),
        ("r1", "fractionalseconds(12:34:56.7)", "0.7"),
        ("r1", "minute(time(startDateTime))", "0"),
        ("r1", "year(date(startDateTime))", "2025"),
        ("r6", "totalseconds(endDateTime sub startDateTime)", "30"),
        ("r2", "totalseconds(endDateTime sub startDateTime)", "3600"),
        ("r4", "totalseconds(endDateTime sub startDateTime)", "0.0000001"),
        ("r1", "totalseconds(duration'-PT1.5S')", "-1.5"),
        ("r1", "mindatetime()", "0001-01-01T00:00:00Z"),
        ("r1", "maxdatetime()", "9999-12-31T23:59:59.9999999Z"),
        ("r1", "year(null)", "null"),
        ("r1", "totalseconds(null)", "null"),
    ]);
}

#[test]
fn buckets_begin_where_a_clock_ahead_of_utc_shows_a_whole_number_of_sizes() {
    let mut asked = Asked::new();
    asked.values(&[
        ("r2", "callvault.bucket(startDateTime,duration'PT1H')", "2025-03-01T09:00:00Z"),
        ("r2", "callvault.bucket(startDateTime,duration'PT15M')", "2025-03-01T09:30:00Z"),
        ("r2", "callvault.bucket(startDateTime,duration'PT0.3S')", "2025-03-01T09:30:00.3Z"),
        // In UTC, whatever zone it was written in: 23:15 on the first of March.
        ("r3", "callvault.bucket(startDateTime,duration'PT1H')", "2025-03-01T23:00:00Z"),
        ("r3", "callvault.bucket(startDateTime,duration'P1D')", "2025-03-01T00:00:00Z"),
        (
            "r3",
            "callvault.bucket(startDateTime,duration'P1D',duration'PT1H')",
            "2025-03-01T23:00:00Z",
        ),
        (
            "r3",
            "callvault.bucket(startDateTime,duration'P1D',duration'-PT5H')",
            "2025-03-01T05:00:00Z",
        ),
        (
            "r3",
            "callvault.bucket(startDateTime,duration'PT1H',duration'PT5H45M')",
            "2025-03-01T23:15:00Z",
        ),
        ("r3", "hour(callvault.bucket(startDateTime,duration'PT6H'))", "18"),
        (
            "r3",
            "CALLVAULT.Bucket(startDateTime,duration'P1D') add duration'P1D'",
            "2025-03-02T00:00:00Z",
        ),
        // 1970 began on a Thursday.
        ("r1", "callvault.bucket(startDateTime,duration'P7D')", "2025-02-27T00:00:00Z"),
        (
            "r1",
            "callvault.bucket(startDateTime,duration'P7D',duration'P3D')",
            "2025-02-24T00:00:00Z",
        ),
        ("r1", "callvault.bucket(1969-12-31T23:59:59Z,duration'P1D')", "1969-12-31T00:00:00Z"),
        ("r1", "callvault.bucket(null,duration'P1D')", "null"),
        ("r1", "callvault.bucket(startDateTime,duration'P1D',null)", "null"),
    ]);
    asked.filters(&[
        ("callvault.bucket(startDateTime,duration'P1D') eq 2025-03-01T00:00:00Z", "r1 r2 r3"),
        (
            "callvault.bucket(endDateTime,duration'PT1H',duration'PT30M') ge startDateTime",
            "r2 r3 r5 r7",
        ),
        (
            "sessions/any(s:callvault.bucket(s/startDateTime,duration'P1D') lt s/startDateTime)",
            "r1 r2 r3 r6 r7 r8",
        ),
    ]);
    let alias =
        "?$filter=callvault.bucket(startDateTime,@s) eq 2025-03-01T00:00:00Z&@s=duration'P1D'";
    asked.lists(RECORDS, &[(alias, "r3 r2 r1")]);
}

#[test]
fn buckets_have_a_size() {
    Asked::new().refusals(&[
        (
            "?$filter=callvault.bucket(startDateTime,duration'PT0S') eq null",
            400,
            "$filter",
            "Literal of a duration above zero, of 366 days at most expected but found 'duration'PT0S'' at position 31 in 'callvault.bucket(startDateTime,duration'PT0S') eq null'.",
        ),
        (
            "?$apply=compute(callvault.bucket(startDateTime,duration'-P1D') as b)",
            400,
            "$apply",
            "Literal of a duration above zero, of 366 days at most expected but found 'duration'-P1D'' at position 39 in 'compute(callvault.bucket(startDateTime,duration'-P1D') as b)'.",
        ),
        (
            "?$orderby=callvault.bucket(startDateTime)",
            400,
            "$orderby",
            "2 or 3 arguments for 'callvault.bucket' expected but found '1' at position 0 in 'callvault.bucket(startDateTime)'.",
        ),
        (
            "?$filter=bucket(startDateTime,duration'P1D') eq null",
            400,
            "$filter",
            "Unknown function 'bucket' at position 0 in 'bucket(startDateTime,duration'P1D') eq null'.",
        ),
    ]);
}

#[test]
fn in_conditions() {
    Asked::new().filters(&[
        (
            "year(startDateTime) eq 2025 and month(startDateTime) eq 3 and day(startDateTime) eq 1",
            "r1 r2",
        ),
        ("hour(startDateTime) ge 12", "r6 r7 r8"),
        ("hour(startDateTime) eq 0", "r3 r4"),
        ("minute(startDateTime) eq 0", "r1 r4 r5 r7 r8"),
        ("second(startDateTime) eq 59", "r6"),
        ("fractionalseconds(startDateTime) gt 0", "r2 r6"),
        ("date(startDateTime) eq date(endDateTime)", "r1 r2 r3 r4 r5 r7 r8"),
        ("date(startDateTime) lt 2025-03-04", "r1 r2 r3 r4"),
        ("time(startDateTime) lt 09:00:00", "r3 r4 r5"),
        ("totaloffsetminutes(startDateTime) eq 60", "r3"),
        ("totalseconds(endDateTime sub startDateTime) lt 30.5", "r4 r6 r8"),
        ("startDateTime lt now()", ALL),
        ("now() sub startDateTime gt duration'P1D'", ALL),
        ("now() eq now()", ALL),
        ("startDateTime gt mindatetime() and startDateTime lt maxdatetime()", ALL),
        ("sessions/any(s:s/startDateTime gt 2025-03-01T09:59:59Z and year(s/endDateTime) eq 2025)", "r2 r3 r6 r7 r8"),
    ]);
}

#[test]
fn wrong_calls_are_refused_with_their_position() {
    Asked::new().refusals(&[
        (
            "?$filter=year(id) eq 1",
            400,
            "$filter",
            "Type mismatch: Edm.DateTimeOffset or Edm.Date expected but found Edm.String at position 5 in 'year(id) eq 1'.",
        ),
        (
            "?$filter=hour(date(startDateTime)) eq 1",
            400,
            "$filter",
            "Type mismatch: Edm.DateTimeOffset or Edm.TimeOfDay expected but found Edm.Date at position 5 in 'hour(date(startDateTime)) eq 1'.",
        ),
        (
            "?$filter=totalseconds(startDateTime) eq 1",
            400,
            "$filter",
            "Type mismatch: Edm.Duration expected but found Edm.DateTimeOffset at position 13 in 'totalseconds(startDateTime) eq 1'.",
        ),
        (
            "?$filter=startDateTime lt now(1)",
            400,
            "$filter",
            "0 arguments for 'now' expected but found '1' at position 17 in 'startDateTime lt now(1)'.",
        ),
        (
            "?$filter=year() eq 1",
            400,
            "$filter",
            "1 argument for 'year' expected but found '0' at position 0 in 'year() eq 1'.",
        ),
        (
            "?$filter=date(startDateTime) eq 2025-02-30",
            400,
            "$filter",
            "Date, or date and time with offset expected but found '2025' at position 23 in 'date(startDateTime) eq 2025-02-30'.",
        ),
        (
            "?$filter=startDateTime gt 12:00:00",
            400,
            "$filter",
            "Type mismatch: Edm.DateTimeOffset expected but found Edm.TimeOfDay at position 17 in 'startDateTime gt 12:00:00'.",
        ),
    ]);
}

#[test]
fn calculated_members_keep_the_zone() {
    let mut asked = Asked::new();
    for of in [
        "$compute=startDateTime as s,hour(s) as x&$filter=x eq 0&$orderby=id",
        "$apply=compute(startDateTime as s)/compute(hour(s) as x)/filter(x eq 0)/orderby(id)",
        "$filter=hour(startDateTime) eq 0&$orderby=hour(startDateTime),id",
    ] {
        let body = asked.body(&format!("{RECORDS}?{of}"));
        let ids: Vec<_> = body["value"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
        assert_eq!(ids, ["r3", "r4"], "{of}");
    }
    let hours = "$apply=compute(hour(startDateTime) as h)/groupby((h),aggregate($count as n))";
    let body = asked.body(&format!("{RECORDS}?{hours}/filter(h eq 0)"));
    assert_eq!(body["value"][0]["n"], 2);
    let body = asked.body(&format!("{RECORDS}/r3?$compute=startDateTime as x&$select=x"));
    assert_eq!(body["x"], "2025-03-02T00:15:00+01:00");
    // Of many rows with zones of their own.
    let body = asked.body(&format!(
        "{RECORDS}?$apply=filter(id eq 'r3')/aggregate(startDateTime with max as x)"
    ));
    assert_eq!(body["value"][0]["x"], "2025-03-01T23:15:00Z");
}

#[test]
fn what_lies_between_ticks_is_compared_exactly() {
    let mut asked = Asked::new();
    asked.filters(&[
        ("2026-10-01T00:00:00.123456789012Z eq 2026-10-01T00:00:00.1234567Z", ""),
        ("2026-10-01T00:00:00.123456789012Z gt 2026-10-01T00:00:00.1234567Z", ALL),
        ("2026-10-01T00:00:00.123456789012Z eq 2026-10-01T02:00:00.123456789012+02:00", ALL),
        ("startDateTime lt 2025-03-01T09:00:00.000000000001Z", "r1"),
        ("startDateTime le 2025-03-01T08:59:59.999999999999Z", ""),
        ("startDateTime gt 2025-03-10T11:59:59.999999999999Z", "r7 r8"),
        ("startDateTime ge 2025-03-10T12:00:00.000000000001Z", ""),
        ("startDateTime eq 2025-03-10T12:00:00.000000000001Z", ""),
        ("startDateTime ne 2025-03-10T12:00:00.000000000001Z", ALL),
        ("startDateTime in (2025-03-10T12:00:00.000000000001Z)", ""),
        ("not (startDateTime lt 2025-03-10T12:00:00.000000000001Z)", ""),
        ("endDateTime lt 2025-03-01T09:10:00.00000000001Z", "r1"),
        ("endDateTime le 2025-03-01T09:09:59.99999999999Z", ""),
        ("time(startDateTime) lt 00:00:00.000000000001", "r4"),
        ("endDateTime sub startDateTime lt duration'PT5.000000000001S'", "r4 r8"),
        ("endDateTime sub startDateTime lt duration'PT4.999999999999S'", "r4"),
        ("duration'PT0.000000000001S' gt duration'PT0S'", ALL),
        ("fractionalseconds(2026-10-01T00:00:00.123456789012Z) eq 0.123456789012", ALL),
    ]);
    asked.filters_of(
        &format!("{RECORDS}/callvault.streams()"),
        "$orderby=streamId&",
        &[
            ("averageJitter lt duration'PT0.005000000001S'", "11"),
            ("averageJitter le duration'PT0.004999999999S'", ""),
            ("averageJitter gt duration'PT0.099999999999S'", "61"),
            ("averageJitter eq duration'PT0.100000000001S'", ""),
        ],
    );
}

#[test]
fn days_are_calculated_with() {
    let mut asked = Asked::new();
    asked.values(&[
        ("r1", "2026-10-03 sub 2026-10-01", "duration'P2D'"),
        ("r1", "date(endDateTime) sub date(startDateTime)", "duration'PT0S'"),
        ("r6", "date(endDateTime) sub date(startDateTime)", "duration'P1D'"),
        ("r6", "date(startDateTime) add duration'P1D'", "2025-03-05"),
        ("r6", "date(startDateTime) sub duration'P1DT1H'", "2025-03-02"),
        ("r1", "2026-10-01 add duration'PT36H'", "2026-10-02"),
        ("r1", "endDateTime sub startDateTime", "duration'PT10M'"),
    ]);
    asked.filters(&[
        ("startDateTime ge 2025-03-11 sub duration'P7D'", "r5 r6 r7 r8"),
        ("startDateTime sub 2025-03-10 ge duration'PT12H'", "r7 r8"),
    ]);
    asked.refusals(&[
        (
            "?$filter=date(startDateTime) add duration'P10675199D' ge 2025-01-01",
            400,
            "$filter",
            "Overflow in the calculation at position 0 of '$filter'.",
        ),
        (
            "?$filter=2025-01-01 add 2025-01-01 ge 2025-01-01",
            400,
            "$filter",
            "Type mismatch: Edm.Duration expected but found Edm.Date at position 15 in '2025-01-01 add 2025-01-01 ge 2025-01-01'.",
        ),
    ]);
}

/// A record, with a session, that begins and ends between two ticks of 100 ns.
const BETWEEN_TICKS: &str = r#"{"id":"fine","startDateTime":"2025-05-01T00:00:00.123456789Z","endDateTime":"2025-05-01T00:00:01.1234567Z","lastModifiedDateTime":"2025-05-01T00:00:01.12345678Z","sessions":[{"id":"fs","startDateTime":"2025-05-01T00:00:00.123456789Z","endDateTime":"2025-05-01T00:00:01.1234567Z","segments":[{"id":"fg","startDateTime":"2025-05-01T00:00:00.123456789Z","endDateTime":"2025-05-01T00:00:01Z","media":[{"label":"main-audio","streams":[{"streamId":"1","averageJitter":"PT0.030000001S","maxJitter":"-PT0.030000001S"}]}]}]}]}"#;

#[test]
fn what_a_record_states_between_two_ticks_is_compared_exactly() {
    let mut asked = Asked::new();
    let import = ["import", "--tenant", testkit::TENANT, "-"];
    let ended = asked.callvault.run_with_input(&import, BETWEEN_TICKS.as_bytes());
    assert!(ended.status.success(), "{}", ended.stderr);
    let (tick, next) = ("2025-05-01T00:00:00.1234567Z", "2025-05-01T00:00:00.1234568Z");
    let (exactly, ahead) =
        ("2025-05-01T00:00:00.123456789Z", "2025-05-01T02:00:00.123456789%2B02:00");
    let mut table = Vec::new();
    for (literal, order) in [(tick, 1), (next, -1), (exactly, 0), (ahead, 0)] {
        for (operator, holds) in [
            ("eq", order == 0),
            ("ne", order != 0),
            ("lt", order < 0),
            ("le", order <= 0),
            ("gt", order > 0),
            ("ge", order >= 0),
        ] {
            for condition in [
                format!("startDateTime {operator} {literal}"),
                format!("not (not (startDateTime {operator} {literal}))"),
                format!("sessions/any(s:s/startDateTime {operator} {literal})"),
                format!("sessions/any(s:s/segments/any(g:g/startDateTime {operator} {literal}))"),
            ] {
                table.push((format!("id eq 'fine' and {condition}"), holds));
            }
            if operator != "ne" {
                // Without the id the index of starts leads.
                let near = "startDateTime ge 2025-05-01 and startDateTime lt 2025-05-02";
                table.push((format!("startDateTime {operator} {literal} and {near}"), holds));
            }
        }
        table.push((format!("id eq 'fine' and startDateTime in ({literal})"), order == 0));
    }
    let stream = |condition: &str| {
        format!("sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/{condition}))))")
    };
    for (condition, holds) in [
        ("lastModifiedDateTime gt endDateTime".to_owned(), true),
        ("lastModifiedDateTime eq endDateTime".to_owned(), false),
        ("endDateTime sub startDateTime lt duration'PT1S'".to_owned(), true),
        ("endDateTime sub startDateTime eq duration'PT0.999999911S'".to_owned(), true),
        (stream("averageJitter gt duration'PT0.03S'"), true),
        (stream("averageJitter eq duration'PT0.03S'"), false),
        (stream("averageJitter le duration'PT0.03S'"), false),
        (stream("averageJitter lt duration'PT0.0300001S'"), true),
        (stream("maxJitter lt duration'-PT0.03S'"), true),
        (stream("maxJitter ge duration'-PT0.03S'"), false),
        (stream("averageJitter gt null"), false),
    ] {
        table.push((format!("id eq 'fine' and {condition}"), holds));
    }
    let seconds = stream("x").replace("t/x", "totalseconds(t/averageJitter) gt 0.03");
    table.push((format!("id eq 'fine' and {seconds}"), true));
    let mut faults = Vec::new();
    for (condition, holds) in &table {
        let condition = condition.replace("%2B", "+");
        let found = asked.get(&format!("{RECORDS}/$count?$filter={condition}")).text();
        if found != u8::from(*holds).to_string() {
            faults.push(format!("{condition}: {found}"));
        }
    }
    super::report(&faults);
}
