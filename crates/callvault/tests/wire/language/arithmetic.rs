//! Arithmetic with numbers, durations and instants.

use super::{ALL, Asked, RECORDS};

#[test]
fn numbers() {
    Asked::new().values(&[
        ("r2", "version add 3", "5"),
        ("r2", "version add 0.5", "2.5"),
        ("r1", "version sub 2", "-1"),
        ("r3", "version mul version", "9"),
        ("r2", "-version", "-2"),
        ("r2", "-(-version)", "2"),
        ("r7", "version div 2", "3"),
        ("r7", "-version div 2", "-3"),
        ("r7", "version div 2.0", "3.5"),
        ("r7", "version divby 2", "3.5"),
        ("r2", "version divby 2", "1.0"),
        ("r7", "version mod 4", "3"),
        ("r7", "-version mod 4", "-3"),
        ("r7", "version mod 2.5", "2.0"),
        // A double would round these.
        ("r5", "version add 1", "9007199254740994"),
        ("r5", "version sub 2", "9007199254740991"),
    ]);
}

#[test]
fn shares() {
    let mut asked = Asked::new();
    asked.values(&[
        ("r7", "callvault.ratio(version,2)", "3.5"),
        ("r7", "callvault.ratio(-version,0.5)", "-14.0"),
        ("r7", "callvault.ratio(version,0)", "null"),
        ("r7", "callvault.ratio(0,version)", "0.0"),
        ("r7", "callvault.ratio(null,version)", "null"),
        ("r7", "callvault.ratio(version,null)", "null"),
        ("r7", "callvault.wilson(0,version)", "0.0"),
        ("r7", "callvault.wilson(version,6)", "null"),
        ("r7", "callvault.wilson(-1,version)", "null"),
        ("r7", "callvault.wilson(0,0)", "null"),
        ("r7", "callvault.wilson(1,-version)", "null"),
        ("r7", "callvault.wilson(null,version)", "null"),
        ("r7", "round(callvault.wilson(1,2) mul 10000)", "945.0"),
        ("r7", "round(callvault.wilson(6,20) mul 10000)", "1455.0"),
        ("r7", "round(callvault.wilson(12,100) mul 10000)", "700.0"),
        ("r7", "round(callvault.wilson(110,1000) mul 10000)", "921.0"),
        ("r7", "round(callvault.wilson(version,version) mul 10000)", "6457.0"),
    ]);
    asked.filters(&[
        ("callvault.ratio(version,version) eq 1", ALL),
        ("callvault.ratio(version,3) gt 1", "r5 r7"),
        ("callvault.ratio(version,0) eq null", ALL),
        ("callvault.wilson(version,7) ne null", "r1 r2 r3 r4 r6 r7 r8"),
    ]);
}

#[test]
fn null_makes_null() {
    Asked::new().values(&[
        ("r1", "version add null", "null"),
        ("r1", "length(joinWebUrl) div 0", "null"),
        ("r1", "length(joinWebUrl) add 1", "null"),
        ("r1", "-length(joinWebUrl)", "null"),
    ]);
}

#[test]
fn fractions_have_infinity_and_nan() {
    let mut asked = Asked::new();
    asked.values(&[
        ("r7", "version divby 0", "INF"),
        ("r7", "version div 0.0", "INF"),
        ("r7", "-version div 0.0", "-INF"),
    ]);
    asked.filters(&[
        ("version div 0.0 eq INF", ALL),
        ("version mod 0.0 eq NaN", ""),
        ("version mod 0.0 ne NaN", ALL),
        ("version mod 0.0 eq null", ""),
        ("version mod 0.0 lt 1 or version mod 0.0 ge 1", ""),
        ("NaN eq NaN", ""),
    ]);
    let body = asked.body(&format!("{RECORDS}/r7?$compute=version mod 0.0 as x&$select=x"));
    assert_eq!(body["x"], "NaN");
    let streams = format!("{RECORDS}/callvault.streams()/$count");
    let of_nan = asked.get(&format!("{streams}?$filter=averagePacketLossRate eq NaN"));
    assert_eq!(of_nan.text(), "0");
}

#[test]
fn whole_numbers_and_durations_without_a_result_fail_the_request() {
    let duration = "(endDateTime sub startDateTime)";
    let of_duration = format!("?$filter={duration} div 0 eq {duration}");
    Asked::new().refusals(&[
        ("?$filter=version div 0 eq 1", 400, "$filter", &zero("0", "$filter")),
        ("?$filter=id eq 'r7' and version mod 0 eq 1", 400, "$filter", &zero("15", "$filter")),
        ("?$orderby=version div (version sub version)", 400, "$orderby", &zero("0", "$orderby")),
        ("?$compute=1 add version div 0 as x", 400, "$compute", &zero("6", "$compute")),
        ("/r7?$compute=version div 0 as x", 400, "$compute", &zero("0", "$compute")),
        ("?$apply=aggregate(version div 0 with sum as x)", 400, "$apply", &zero("10", "$apply")),
        ("/$count?$filter=version div 0 eq 1", 400, "$filter", &zero("0", "$filter")),
        (
            "/callvault.streams()?$filter=packetUtilization div 0 eq 1",
            400,
            "$filter",
            &zero("0", "$filter"),
        ),
        (&of_duration, 400, "$filter", &zero("1", "$filter")),
        (
            "?$filter=version add 9223372036854775807 gt 1",
            400,
            "$filter",
            "Overflow in the calculation at position 0 of '$filter'.",
        ),
        (
            "?$filter=version mul version mul version mul version eq 1",
            400,
            "$filter",
            "Overflow in the calculation at position 0 of '$filter'.",
        ),
        ("?$filter=(version add 1) div 0 eq 1", 400, "$filter", &zero("1", "$filter")),
        ("?$filter=version add 1 sub 1 div 0 eq 1", 400, "$filter", &zero("18", "$filter")),
        ("?$filter=id ne 'é' and version div 0 eq 1", 400, "$filter", &zero("14", "$filter")),
        (
            "?$filter=id eq 'r1' and -(-9223372036854775808) gt 1",
            400,
            "$filter",
            "Overflow in the calculation at position 15 of '$filter'.",
        ),
        (
            "?$apply=compute(9223372036854775807 as big)/aggregate(big with sum as x)",
            400,
            "$apply",
            "Overflow in the calculation at position 46 of '$apply'.",
        ),
        (
            "?$apply=aggregate(version add 2000000000000000000 with sum as a)",
            400,
            "$apply",
            "Overflow in the calculation at position 10 of '$apply'.",
        ),
        (
            "?$apply=groupby((type),aggregate(duration'P10675198D' with sum as x))",
            400,
            "$apply",
            "Overflow in the calculation at position 25 of '$apply'.",
        ),
        (
            "?$apply=compute(duration'P10675199DT2H48M5.4775807S' as d)/aggregate(-(-d sub duration'PT0.0000001S') with sum as x)",
            400,
            "$apply",
            "Overflow in the calculation at position 61 of '$apply'.",
        ),
    ]);
}

fn zero(position: &str, option: &str) -> String {
    format!("Division by zero in the calculation at position {position} of '{option}'.")
}

#[test]
fn rounding() {
    Asked::new().values(&[
        ("r1", "round(2.5)", "3"),
        ("r1", "round(-2.5)", "-3"),
        ("r1", "round(2.4)", "2"),
        ("r1", "floor(2.7)", "2"),
        ("r1", "floor(-2.1)", "-3"),
        ("r1", "ceiling(2.1)", "3"),
        ("r1", "ceiling(-2.7)", "-2"),
        ("r7", "round(version divby 2)", "4"),
        ("r7", "floor(version divby 2)", "3"),
        ("r5", "round(version)", "9007199254740993"),
        ("r1", "round(length(joinWebUrl))", "null"),
    ]);
}

#[test]
fn durations_and_instants() {
    Asked::new().values(&[
        ("r1", "endDateTime sub startDateTime", "duration'PT10M'"),
        ("r1", "startDateTime sub endDateTime", "duration'-PT10M'"),
        ("r1", "-(endDateTime sub startDateTime)", "duration'-PT10M'"),
        ("r7", "endDateTime sub startDateTime", "duration'PT2H30M'"),
        ("r4", "endDateTime sub startDateTime", "duration'PT0.0000001S'"),
        ("r1", "startDateTime add duration'PT1H'", "2025-03-01T10:00:00Z"),
        ("r1", "startDateTime sub duration'P1D'", "2025-02-28T09:00:00Z"),
        ("r3", "startDateTime add duration'PT0.5S'", "2025-03-02T00:15:00.5+01:00"),
        ("r1", "(endDateTime sub startDateTime) add duration'PT1S'", "duration'PT10M1S'"),
        ("r1", "(endDateTime sub startDateTime) sub duration'PT1H'", "duration'-PT50M'"),
        ("r1", "(endDateTime sub startDateTime) mul 2", "duration'PT20M'"),
        ("r1", "2 mul (endDateTime sub startDateTime)", "duration'PT20M'"),
        ("r1", "(endDateTime sub startDateTime) mul 0.5", "duration'PT5M'"),
        ("r1", "(endDateTime sub startDateTime) div 4", "duration'PT2M30S'"),
        ("r1", "(endDateTime sub startDateTime) divby 4", "duration'PT2M30S'"),
        ("r4", "(endDateTime sub startDateTime) mul 2.4", "duration'PT0.0000002S'"),
        ("r1", "endDateTime add null", "null"),
    ]);
}

#[test]
fn in_conditions() {
    Asked::new().filters(&[
        ("endDateTime sub startDateTime gt duration'PT30M'", "r2 r3 r7"),
        ("endDateTime sub startDateTime ge duration'PT30M'", "r2 r3 r5 r7"),
        ("startDateTime add duration'PT1H' le endDateTime", "r2 r3 r7"),
        ("totalseconds(endDateTime sub startDateTime) div 60 eq 10", "r1"),
        ("version mul 2 gt 5", "r3 r5 r7"),
        ("version mod 2 eq 0", "r2"),
        (
            "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averagePacketLossRate mul 2 eq 0.125))))",
            "r2",
        ),
    ]);
}

#[test]
fn impossible_arithmetic_is_refused_with_its_position() {
    let chain = format!("?$filter=version{} eq 1", " add 1".repeat(65));
    Asked::new().refusals(&[
        (
            "?$filter=id add 1 eq 2",
            400,
            "$filter",
            "Type mismatch: a number expected but found Edm.String at position 0 in 'id add 1 eq 2'.",
        ),
        (
            "?$filter=startDateTime add 1 gt now()",
            400,
            "$filter",
            "Type mismatch: Edm.Duration expected but found Edm.Int64 at position 18 in 'startDateTime add 1 gt now()'.",
        ),
        (
            "?$filter=startDateTime mul 2 eq null",
            400,
            "$filter",
            "Type mismatch: a number expected but found Edm.DateTimeOffset at position 0 in 'startDateTime mul 2 eq null'.",
        ),
        (
            "?$filter=(endDateTime sub startDateTime) divby duration'PT1S' eq 600",
            400,
            "$filter",
            "Type mismatch: a number expected but found Edm.Duration at position 38 in '(endDateTime sub startDateTime) divby duration'PT1S' eq 600'.",
        ),
        ("?$filter=version add", 400, "$filter", "Expression expected at position 11 in 'version add'."),
        (
            "?$filter=modalities add 1 eq 2",
            400,
            "$filter",
            "Type mismatch: a number, Edm.Duration or Edm.DateTimeOffset expected but found Collection(microsoft.graph.callRecords.modality) at position 0 in 'modalities add 1 eq 2'.",
        ),
        (
            "?$filter=-id eq 1",
            400,
            "$filter",
            "Type mismatch: a number or Edm.Duration expected but found Edm.String at position 1 in '-id eq 1'.",
        ),
        (
            "?$filter=round(id) eq 1",
            400,
            "$filter",
            "Type mismatch: a number expected but found Edm.String at position 6 in 'round(id) eq 1'.",
        ),
        (
            "?$filter=floor() eq 1",
            400,
            "$filter",
            "1 argument for 'floor' expected but found '0' at position 0 in 'floor() eq 1'.",
        ),
        (
            "?$filter=ceiling(1,2) eq 1",
            400,
            "$filter",
            "1 argument for 'ceiling' expected but found '2' at position 0 in 'ceiling(1,2) eq 1'.",
        ),
        (&chain, 400, "$filter", "Too much in '$filter': operators in a row, at most 64."),
    ]);
}
