//! Comparisons, logic, and null in both.

use super::{ALL, Asked};

#[test]
fn comparisons() {
    Asked::new().filters(&[
        ("version eq 7", "r7"),
        ("version ne 1", "r2 r3 r5 r7"),
        ("version gt 2", "r3 r5 r7"),
        ("version ge 2", "r2 r3 r5 r7"),
        ("version lt 2", "r1 r4 r6 r8"),
        ("version le 2", "r1 r2 r4 r6 r8"),
        ("2 lt version", "r3 r5 r7"),
        ("startDateTime lt endDateTime", ALL),
        // By the bytes of UTF-8, so upper case comes first.
        ("id lt 'r3'", "r1 r2 r8"),
        ("id ge 'r6'", "r6 r7"),
        ("id gt 'Z'", ALL),
        ("participants_v2/any(p:p/identity/user/displayName gt 'z')", "r3"),
        ("sessions/any(s:s/isTest gt false)", "r2"),
        ("version EQ 7", "r7"),
    ]);
}

#[test]
fn enumerations_have_the_order_of_their_declared_values() {
    Asked::new().filters(&[
        ("type gt 'groupCall'", "r1 r6 r8"),
        ("type ge 'groupCall'", "r1 r2 r3 r6 r7 r8"),
        ("type le 'groupCall'", "r2 r3 r4 r7"),
        // The member of r5 is not declared, so it has no place.
        ("type lt 'unknownFutureValue'", "r1 r2 r3 r4 r6 r7 r8"),
        ("modalities/any(m:m gt 'audio')", "r2 r3 r7 r8"),
    ]);
}

#[test]
fn null_is_equal_to_null_and_neither_more_nor_less_than_anything() {
    Asked::new().filters(&[
        ("null eq null", ALL),
        ("null ne null", ""),
        ("null gt null", ""),
        ("null lt null", ""),
        // As much as more or equal (URL Conventions 5.1.1.1.4).
        ("null le null", ALL),
        ("null ge null", ALL),
        ("joinWebUrl le null", "r1 r4 r5 r6 r8"),
        ("null ge joinWebUrl", "r1 r4 r5 r6 r8"),
        ("joinWebUrl lt null", ""),
        ("joinWebUrl le joinWebUrl", ALL),
        ("joinWebUrl lt joinWebUrl", ""),
        ("not (joinWebUrl ge joinWebUrl)", ""),
        ("sessions/any(s:s/failureInfo/reason ge s/failureInfo/reason and s/id eq 'r1a')", "r1"),
        ("joinWebUrl eq null", "r1 r4 r5 r6 r8"),
        ("joinWebUrl ne null", "r2 r3 r7"),
        ("joinWebUrl ne 'x'", ALL),
        ("joinWebUrl gt 'a'", "r2 r7"),
        ("joinWebUrl le ''", "r3"),
        ("not (joinWebUrl gt 'a')", "r1 r3 r4 r5 r6 r8"),
        ("not (joinWebUrl eq null)", "r2 r3 r7"),
        ("organizer_v2 eq null", "r4"),
        ("organizer/user ne null", "r1 r2 r3 r5 r6 r7"),
        ("sessions/any(s:s/failureInfo ne null)", "r2 r6"),
    ]);
}

#[test]
fn and_or_and_not_know_three_values() {
    let teams = "contains(joinWebUrl,'teams')";
    let table = [
        ("{}", "r2 r7"),
        ("not {}", "r3"),
        ("{} eq null", "r1 r4 r5 r6 r8"),
        ("{} ne true", "r1 r3 r4 r5 r6 r8"),
        ("{} or id eq 'r1'", "r1 r2 r7"),
        ("{} and id eq 'r1'", ""),
        ("not ({} and id eq 'r1')", "r2 r3 r4 r5 r6 r7 r8"),
        ("not ({} or id eq 'r1')", "r3"),
        ("{} and null", ""),
        ("{} or null", "r2 r7"),
        ("not ({} and null)", "r3"),
        ("{} and false", ""),
        ("not ({} and false)", ALL),
        ("not (not {})", "r2 r7"),
    ];
    let table: Vec<(String, &str)> =
        table.iter().map(|(text, names)| (text.replace("{}", teams), *names)).collect();
    let table: Vec<(&str, &str)> = table.iter().map(|(text, names)| (&**text, *names)).collect();
    Asked::new().filters(&table);
}

#[test]
fn operators_bind_as_the_standard_says() {
    Asked::new().filters(&[
        ("id eq 'r1' or id eq 'r2' and version eq 9", "r1"),
        ("(id eq 'r1' or id eq 'r2') and version eq 2", "r2"),
        ("version add 1 mul 2 eq 5", "r3"),
        ("(version add 1) mul 2 eq 4", "r1 r4 r6 r8"),
        ("10 sub version sub 1 eq 6", "r3"),
        ("12 div version div 2 eq 3", "r2"),
        ("version gt 1 eq true", "r2 r3 r5 r7"),
        ("-version mul 2 eq -4", "r2"),
        ("not contains(id,'1') and version eq 1", "r4 r6 r8"),
    ]);
}

#[test]
fn membership_and_flags() {
    Asked::new().filters(&[
        ("version in (1,7)", "r1 r4 r6 r7 r8"),
        ("type in ('groupCall','unknown')", "r2 r3 r4 r7"),
        ("type in ('holoCall')", "r5"),
        ("not (id in ('r1'))", "r2 r3 r4 r5 r6 r7 r8"),
        ("joinWebUrl in (null,'')", "r1 r3 r4 r5 r6 r8"),
        ("startDateTime in (2025-03-03,2025-03-01T23:15:00Z)", "r3 r4"),
        ("'video' in modalities", "r2 r3 r7"),
        ("type has 'groupCall'", "r2 r3 r7"),
        ("type has microsoft.graph.callRecords.callType'peerToPeer'", "r1 r6 r8"),
    ]);
}

#[test]
fn incompatible_types_are_refused_with_their_position() {
    let many: Vec<String> = (0..201).map(|number| number.to_string()).collect();
    let many = format!("?$filter=version in ({})", many.join(","));
    let deep = format!("?$filter={}true{}", "(".repeat(40), ")".repeat(40));
    let nodes = format!("?$filter=true{}", " or true".repeat(200));
    let long = format!("?$filter=id eq '{}'", "x".repeat(4200));
    Asked::new().refusals(&[
        ("?$filter=version eq", 400, "$filter", "Expression expected at position 10 in 'version eq'."),
        (
            "?$filter=version eq 'x'",
            400,
            "$filter",
            "Type mismatch: Edm.Int64 expected but found Edm.String at position 11 in 'version eq 'x''.",
        ),
        (
            "?$filter=version and true",
            400,
            "$filter",
            "Type mismatch: Edm.Boolean expected but found Edm.Int64 at position 0 in 'version and true'.",
        ),
        (
            "?$filter=not id",
            400,
            "$filter",
            "Type mismatch: Edm.Boolean expected but found Edm.String at position 4 in 'not id'.",
        ),
        ("?$filter=version", 400, "$filter", "Type mismatch: Edm.Boolean expected but found Edm.Int64 at position 0 in 'version'."),
        ("?$filter=(id eq 'r1'", 400, "$filter", "')' expected at position 11 in '(id eq 'r1''."),
        ("?$filter=id eq 'r1')", 400, "$filter", "End expected but found ')' at position 10 in 'id eq 'r1')'."),
        ("?$filter=id equals 'r1'", 400, "$filter", "End expected but found 'equals' at position 3 in 'id equals 'r1''."),
        ("?$filter=modalities eq ['audio']", 501, "$filter", "Comparing collections is not supported yet."),
        (
            "?$filter=modalities eq 'audio'",
            400,
            "$filter",
            "Type mismatch: a single value expected but found Collection(microsoft.graph.callRecords.modality) at position 0 in 'modalities eq 'audio''.",
        ),
        (
            "?$filter=organizer gt null",
            400,
            "$filter",
            "Type mismatch: a value that has an order expected but found microsoft.graph.identitySet at position 0 in 'organizer gt null'.",
        ),
        (
            "?$filter=id in 'r1'",
            400,
            "$filter",
            "Type mismatch: a collection expected but found Edm.String at position 6 in 'id in 'r1''.",
        ),
        ("?$filter=id in ('r1'", 400, "$filter", "')' expected at position 11 in 'id in ('r1''."),
        (
            "?$filter=version in (1,'x')",
            400,
            "$filter",
            "Type mismatch: Edm.Int64 expected but found Edm.String at position 14 in 'version in (1,'x')'.",
        ),
        (
            "?$filter=id has 'r1'",
            400,
            "$filter",
            "Type mismatch: a value of an enumeration expected but found Edm.String at position 0 in 'id has 'r1''.",
        ),
        (&many, 400, "$filter", "Too much in '$filter': items of a list, at most 200. POST …/$query takes more."),
        (&deep, 400, "$filter", "Too much in '$filter': levels of nesting, at most 32."),
        (&nodes, 400, "$filter", "Too much in '$filter': nodes of expressions, at most 200. POST …/$query takes more."),
        (&long, 400, "$filter", "Too much in '$filter': bytes, at most 4096. POST …/$query takes more."),
        ("?$filter=", 400, "$filter", "Expression expected at position 0 in ''."),
        ("?$filter=true&$filter=true", 400, "$filter", "The query option '$filter' is given more than once."),
        ("?$fliter=true", 400, "$fliter", "The query option '$fliter' is not known. Did you mean '$filter'?"),
        ("/r1?$filter=true", 400, "$filter", "The query option '$filter' on a single value is not allowed here."),
    ]);
}
