//! Functions on instants, dates, times of day and durations.

use super::{ALL, Asked};

#[test]
fn parts_of_instants_are_those_of_utc() {
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
        ("r3", "day(startDateTime)", "1"),
        ("r3", "hour(startDateTime)", "23"),
        ("r3", "minute(startDateTime)", "15"),
        ("r3", "date(startDateTime)", "2025-03-01"),
        ("r3", "time(startDateTime)", "23:15:00"),
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
fn in_conditions() {
    Asked::new().filters(&[
        (
            "year(startDateTime) eq 2025 and month(startDateTime) eq 3 and day(startDateTime) eq 1",
            "r1 r2 r3",
        ),
        ("hour(startDateTime) ge 12", "r3 r6 r7 r8"),
        ("minute(startDateTime) eq 0", "r1 r4 r5 r7 r8"),
        ("second(startDateTime) eq 59", "r6"),
        ("fractionalseconds(startDateTime) gt 0", "r2 r6"),
        ("date(startDateTime) eq date(endDateTime)", "r1 r2 r4 r5 r7 r8"),
        ("date(startDateTime) lt 2025-03-04", "r1 r2 r3 r4"),
        ("time(startDateTime) lt 09:00:00", "r4 r5"),
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
