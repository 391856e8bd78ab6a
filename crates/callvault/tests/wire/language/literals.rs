//! Every literal.

use super::{ALL, Asked};

#[test]
fn null_and_truth_values() {
    Asked::new().filters(&[
        ("joinWebUrl eq null", "r1 r4 r5 r6 r8"),
        ("true", ALL),
        ("TRUE", ALL),
        ("false", ""),
        ("null", ""),
        ("sessions/any(s:s/isTest eq true)", "r2"),
        ("sessions/any(s:s/isTest)", "r2"),
        ("sessions/any(s:s/isTest eq null)", "r3"),
    ]);
}

#[test]
fn numbers() {
    Asked::new().filters(&[
        ("version eq 2", "r2"),
        ("version eq +2", "r2"),
        ("version eq -1", ""),
        // A double could not tell these two apart.
        ("version eq 9007199254740993", "r5"),
        ("version eq 9007199254740992", ""),
        ("version lt 9223372036854775807", ALL),
        ("version ge -9223372036854775808", ALL),
        ("version lt 9223372036854775808", ALL),
        ("version eq 2.0", "r2"),
        ("version lt 2.5", "r1 r2 r4 r6 r8"),
        ("version eq 3e0", "r3"),
        ("version gt 1E15", "r5"),
        ("version lt INF", ALL),
        ("version gt -INF", ALL),
        ("version lt NaN", ""),
        // All digits count beside whole numbers.
        ("version eq 3.00000000000000000001", ""),
        ("version ne 3.00000000000000000001", ALL),
        ("version in (3.0000000001)", ""),
        ("version in (3.0000000000000000000,7.00000000000000000001)", "r3"),
        ("version lt 3.00000000000000000001", "r1 r2 r3 r4 r6 r8"),
        ("version le 2.99999999999999999999", "r1 r2 r4 r6 r8"),
        ("version gt 6.99999999999999999999", "r5 r7"),
        ("version ge 7.00000000000000000001", "r5"),
        ("7.00000000000000000001 gt version", "r1 r2 r3 r4 r6 r7 r8"),
        ("not (version ge 7.00000000000000000001)", "r1 r2 r3 r4 r6 r7 r8"),
        ("version eq 9007199254740993.0", "r5"),
        ("version eq 9007199254740992.0", ""),
        ("version gt 9007199254740992.5", "r5"),
        ("version lt 9007199254740993.00000000001", ALL),
        ("version ge 9223372036854775808.5", ""),
        ("version gt -9223372036854775808.5", ALL),
        ("version gt 1e-400", ALL),
        ("sessions/$count in (3.0000000001)", ""),
        ("sessions/$count ge 2.9999999999999999999", "r2"),
    ]);
}

#[test]
fn strings() {
    Asked::new().filters(&[
        ("id eq 'r1'", "r1"),
        ("id eq 'R1'", ""),
        ("joinWebUrl eq ''", "r3"),
        ("participants_v2/any(p:p/identity/guest/displayName eq 'Zoë O''Neil')", "r2 r7"),
        ("participants_v2/any(p:p/identity/user/displayName eq 'Łukasz Żak')", "r3"),
        ("sessions/any(s:s/caller/userAgent/headerValue eq 'Zoë''s browser 🦊')", "r2"),
        ("participants_v2/any(p:p/id eq '+1 (555) 010-0182')", "r6 r8"),
        ("'a%2526b' eq concat('a','%2526b')", ALL),
        ("'''' eq '''' and length('''') eq 1", ALL),
    ]);
}

#[test]
fn guids_are_equal_whatever_their_case_and_quotes() {
    Asked::new().filters(&[
        ("id eq E8000000-0000-4000-8000-0000000000AB", "r8"),
        ("id eq e8000000-0000-4000-8000-0000000000ab", "r8"),
        ("id eq 'e8000000-0000-4000-8000-0000000000ab'", "r8"),
        ("id ne 'e8000000-0000-4000-8000-0000000000AB'", "r1 r2 r3 r4 r5 r6 r7"),
        ("id in ('r1','e8000000-0000-4000-8000-0000000000aB')", "r1 r8"),
        ("participants_v2/any(p:p/id eq 'a1b2c3d4-0000-4000-8000-00000000000a')", "r1 r2 r5 r7"),
        ("participants_v2/any(p:p/id eq A1B2C3D4-0000-4000-8000-00000000000A)", "r1 r2 r5 r7"),
        ("organizer/user/id eq 'A1b2C3d4-0000-4000-8000-00000000000a'", "r1 r2 r5"),
        // And have one order, in lower case.
        ("id lt 'e8000000-0000-4000-8000-0000000000ab'", ""),
        ("id le 'e8000000-0000-4000-8000-0000000000ab'", "r8"),
        ("id lt 'e8000000-0000-4000-8000-0000000000ac'", "r8"),
        ("id gt 'E7000000-0000-4000-8000-0000000000AB' and id lt 'f'", "r8"),
        ("id gt 'Z'", ALL),
        ("organizer/user/id le 'a1b2c3d4-0000-4000-8000-00000000000a'", "r1 r2 r5"),
        ("organizer/user/id lt 'a1b2c3d4-0000-4000-8000-00000000000A'", ""),
        // As text they are what they are.
        ("startswith(id,'E8') or startswith(id,'e8')", "r8"),
        ("startswith(id,'e8')", ""),
    ]);
}

#[test]
fn guids_have_one_order_and_one_group_whatever_their_case() {
    let mut asked = Asked::new();
    asked.lists(
        super::RECORDS,
        &[
            (
                "?$filter=organizer/user/id ne null&$orderby=organizer/user/id,id",
                "r1 r2 r5 r3 r6 r7",
            ),
            (
                "?$filter=organizer/user/id ne null&$orderby=organizer/user/id desc,id",
                "r3 r6 r7 r1 r2 r5",
            ),
            ("?$apply=orderby(organizer/user/id desc,id)/top(4)", "r3 r6 r7 r1"),
            ("?$orderby=id&$top=2", "r8 r1"),
            ("?$orderby=id desc&$skip=6", "r1 r8"),
        ],
    );
    let known = "$apply=filter(organizer/user/id ne null)";
    let groups = format!("{known}/groupby((organizer/user/id),aggregate($count as n))");
    let body = asked.body(&format!("{}?{groups}", super::RECORDS));
    let counts: Vec<_> = body["value"].as_array().unwrap().iter().map(|it| &it["n"]).collect();
    assert_eq!(counts, [3, 3]);
    for (figure, expected) in [
        ("aggregate(organizer/user/id with countdistinct as n)", serde_json::json!(2)),
        (
            "aggregate(organizer/user/id with max as n)",
            "b1b2c3d4-0000-4000-8000-00000000000b".into(),
        ),
    ] {
        let body = asked.body(&format!("{}?{known}/{figure}", super::RECORDS));
        assert_eq!(body["value"][0]["n"], expected, "{figure}");
    }
}

#[test]
fn days_times_and_instants() {
    Asked::new().filters(&[
        ("date(startDateTime) eq 2025-03-01", "r1 r2"),
        ("startDateTime ge 2025-03-04", "r5 r6 r7 r8"),
        ("time(startDateTime) eq 12:00:00", "r7 r8"),
        ("time(startDateTime) eq 12:00", "r7 r8"),
        ("time(startDateTime) eq 09:30:00.5", "r2"),
        ("time(startDateTime) gt 23:59:59.9", "r6"),
        ("startDateTime eq 2025-03-01T23:15:00Z", "r3"),
        ("startDateTime eq 2025-03-02T00:15:00+01:00", "r3"),
        ("startDateTime eq 2025-03-01T09:30:00.500Z", "r2"),
        ("startDateTime eq 2025-03-01T04:00:00-05:00", "r1"),
        ("startDateTime eq 2025-03-01T09:00Z", "r1"),
        ("startDateTime eq 2025-03-01t09:00:00z", "r1"),
        ("startDateTime eq 2025-03-04T23:59:59.9999999Z", "r6"),
        ("startDateTime eq 2025-03-04T23:59:59.9999998Z", ""),
        ("endDateTime eq 2025-03-03T00:00:00.0000001Z", "r4"),
        ("startDateTime gt -0044-03-15T12:00:00Z", ALL),
    ]);
}

#[test]
fn durations() {
    Asked::new().filters(&[
        ("endDateTime sub startDateTime eq duration'PT1H'", "r2 r3"),
        ("endDateTime sub startDateTime eq duration'PT60M'", "r2 r3"),
        ("endDateTime sub startDateTime eq 'PT1H'", "r2 r3"),
        ("endDateTime sub startDateTime eq duration'PT2H30M'", "r7"),
        ("endDateTime sub startDateTime eq duration'PT0.0000001S'", "r4"),
        ("endDateTime sub startDateTime lt duration'P1D'", ALL),
        ("endDateTime sub startDateTime gt duration'-PT1S'", ALL),
        ("duration'P1DT1H' eq duration'PT25H'", ALL),
        (
            "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averageJitter eq duration'PT0.020S'))))",
            "r1",
        ),
    ]);
}

#[test]
fn members_of_enumerations() {
    Asked::new().filters(&[
        ("type eq 'groupCall'", "r2 r3 r7"),
        ("type eq microsoft.graph.callRecords.callType'groupCall'", "r2 r3 r7"),
        ("type eq '1'", "r2 r3 r7"),
        ("type eq 'unknown'", "r4"),
        ("type ne 'peerToPeer'", "r2 r3 r4 r5 r7"),
        // A member that the schema does not know stays what it is.
        ("type eq 'holoCall'", "r5"),
        ("type eq 'unknownFutureValue'", ""),
        ("modalities/any(m:m eq 'hologram')", "r5"),
        // By their numbers and back.
        ("cast(type,Edm.Int32) eq 1", "r2 r3 r7"),
        ("cast(type,Edm.Int64) gt 1", "r1 r6 r8"),
        ("cast(type,Edm.Int32) eq null", "r5"),
        ("type eq cast(2,microsoft.graph.callRecords.callType)", "r1 r6 r8"),
        (
            "cast(cast(type,Edm.Int32),microsoft.graph.callRecords.callType) eq type",
            "r1 r2 r3 r4 r6 r7 r8",
        ),
        ("cast(9,microsoft.graph.callRecords.callType) eq null", ALL),
        ("cast('groupCall','microsoft.graph.callRecords.callType') eq type", "r2 r3 r7"),
    ]);
}

#[test]
fn lists_and_aliases() {
    let mut asked = Asked::new();
    asked.filters(&[
        ("id in ('r1','r3','nothing')", "r1 r3"),
        ("id in [\"r1\",\"r3\"]", "r1 r3"),
        ("version in (1,7.0)", "r1 r4 r6 r7 r8"),
        ("hassubset(modalities,[\"audio\",\"video\"])", "r2 r3 r7"),
        ("hassubset(modalities,[])", ALL),
    ]);
    asked.lists(
        super::RECORDS,
        &[
            ("?$filter=version eq @v&@v=7", "r7"),
            ("?$filter=version in (@a,@b)&@a=3&@b=7", "r7 r3"),
            ("?$filter=id in @list&@list=[\"r1\",\"r2\"]", "r2 r1"),
            ("?$filter=startDateTime add @by eq endDateTime&@by=duration'PT1H'", "r3 r2"),
            ("?$filter=@c&@c=version eq @v&@v=7", "r7"),
            ("?@unused=1&$filter=version eq 7", "r7"),
            // Without a value an alias is null.
            ("?$filter=version eq @v", ""),
            ("?$filter=version eq @v&@v=", ""),
            ("?$filter=version eq @v&@v", ""),
            ("?$filter=joinWebUrl eq @none&$orderby=id", "r8 r1 r4 r5 r6"),
            ("?$filter=id in (@a,'r1')", "r1"),
        ],
    );
}

const INVALID_VALUES: &[(&str, u16, &str, &str)] = &[
    (
        "?$filter=id eq 'r1",
        400,
        "$filter",
        "String that ends with a quote expected but found ''' at position 6 in 'id eq 'r1'.",
    ),
    (
        "?$filter=startDateTime gt 2025-13-01",
        400,
        "$filter",
        "Date, or date and time with offset expected but found '2025' at position 17 in 'startDateTime gt 2025-13-01'.",
    ),
    (
        "?$filter=startDateTime gt 2025-03-01T09:00:00",
        400,
        "$filter",
        "Date, or date and time with offset expected but found '2025' at position 17 in 'startDateTime gt 2025-03-01T09:00:00'.",
    ),
    (
        "?$filter=startDateTime gt '2025-03-01T09:00:00Z'",
        400,
        "$filter",
        "Type mismatch: Edm.DateTimeOffset expected but found Edm.String at position 17 in 'startDateTime gt '2025-03-01T09:00:00Z''.",
    ),
    (
        "?$filter=endDateTime sub startDateTime eq duration'1h'",
        400,
        "$filter",
        "Valid duration literal expected but found 'duration' at position 33 in 'endDateTime sub startDateTime eq duration'1h''.",
    ),
    (
        "?$filter=version eq 1.2.3",
        400,
        "$filter",
        "End expected but found '.3' at position 14 in 'version eq 1.2.3'.",
    ),
    (
        "?$filter=type eq microsoft.graph.callRecords.callTpye'groupCall'",
        400,
        "$filter",
        "Unknown type 'microsoft.graph.callRecords.callTpye' at position 8 in 'type eq microsoft.graph.callRecords.callTpye'groupCall''. Did you mean 'microsoft.graph.callRecords.callType'?",
    ),
    (
        "?$filter=sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/streamDirection eq 'callerToCalle'))))",
        400,
        "$filter",
        "Unknown member 'callerToCalle' of microsoft.graph.callRecords.mediaStreamDirection at position 83 in 'sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/streamDirection eq 'callerToCalle'))))'. Did you mean 'callerToCallee'?",
    ),
    (
        "?$filter=type in ('groupCal')",
        400,
        "$filter",
        "Unknown member 'groupCal' of microsoft.graph.callRecords.callType at position 9 in 'type in ('groupCal')'. Did you mean 'groupCall'?",
    ),
    (
        "?$filter=modalities/any(m:m eq 'vidoe')",
        400,
        "$filter",
        "Unknown member 'vidoe' of microsoft.graph.callRecords.modality at position 22 in 'modalities/any(m:m eq 'vidoe')'. Did you mean 'video'?",
    ),
    (
        "?$filter=callvault.quality/verdict eq 'bad'",
        400,
        "$filter",
        "Unknown member 'bad' of callvault.verdict at position 29 in 'callvault.quality/verdict eq 'bad''. Its members: good, poor, unclassified, notApplicable.",
    ),
    ("?$filter=id eq binary'AQID'", 501, "$filter", "A value of Edm.Binary is not supported yet."),
    (
        "?$filter=version eq @v&@v='x",
        400,
        "@v",
        "String that ends with a quote expected but found ''' at position 0 in ''x'.",
    ),
    (
        "?$filter=version eq @v&@v=1&@v=2",
        400,
        "@v",
        "The query option '@v' is given more than once.",
    ),
    (
        "?$filter=version eq @a&@a=@b&@b=@a",
        400,
        "@b",
        "Value that does not use itself expected but found '@a' at position 0 in '@a'.",
    ),
];

#[test]
fn invalid_values_are_refused_with_their_position() {
    Asked::new().refusals(INVALID_VALUES);
}

#[test]
fn numbers_that_are_written_out_are_compared_by_all_their_digits() {
    let table: Vec<(String, &str)> = [
        ("1.00000000000000000001 eq 1.0", false),
        ("1.00000000000000000001 ne 1.0", true),
        ("3.00000000000000000001 gt 3", true),
        ("not (3.00000000000000000001 gt 3)", false),
        ("3.00000000000000000001 eq 3.00000000000000000002", false),
        ("-1.00000000000000000001 lt -1.0", true),
        ("12345678901234567890123 gt 12345678901234567890122.5", true),
        ("9007199254740993.0 eq 9007199254740993", true),
        ("9007199254740993 eq 9007199254740992.0", false),
        ("1.50 eq 15e-1", true),
        ("1e400 gt 1e399", true),
        ("1 le 1.0", true),
        ("1.00000000000000000001 in (1.0,2)", false),
        ("1 in (2,1.000)", true),
        ("1.00000000000000000001 lt INF", true),
        ("1.0 eq NaN", false),
        ("@a gt 3", true),
    ]
    .into_iter()
    .flat_map(|(condition, holds)| {
        let expected = if holds { ALL } else { "" };
        // Decided by the database where it can be, and by our own evaluator.
        let own = format!("({condition}) or matchesPattern(id,'^$')");
        [(condition.to_owned(), expected), (own, expected)]
    })
    .collect();
    let mut asked = Asked::new();
    for (condition, expected) in &table {
        let condition = condition.replace("@a", "3.00000000000000000001");
        asked.filters(&[(condition.as_str(), expected)]);
    }
    let alias = "$select=id&$filter=@a gt 3&@a=3.00000000000000000001";
    assert_eq!(
        asked.names(&format!("{}?{alias}&$orderby=id", super::RECORDS)).unwrap().len(),
        ALL.len()
    );
    asked.values(&[
        ("r1", "case(1.00000000000000000001 gt 1.0:1,true:2)", "1"),
        ("r1", "3.00000000000000000001 eq 3.0", "false"),
    ]);
}
