//! Paths: complex values, known and unknown members of open types, type casts, `cast`, `isof`,
//! `case`, `$it`.

use super::{ALL, Asked, RECORDS};

/// `{p}`, `{s}` … stand for what the tables repeat.
fn filters(table: &[(&str, &str)]) {
    let table: Vec<(String, &str)> = table
        .iter()
        .map(|(text, names)| {
            let text = text
                .replace("{participant}", "microsoft.graph.callRecords.participantEndpoint")
                .replace("{service}", "microsoft.graph.callRecords.serviceEndpoint")
                .replace("{client agent}", "microsoft.graph.callRecords.clientUserAgent")
                .replace("{service agent}", "microsoft.graph.callRecords.serviceUserAgent")
                .replace(
                    "{tokens}",
                    "s/caller/microsoft.graph.callRecords.participantEndpoint/feedback/tokens",
                );
            (text, *names)
        })
        .collect();
    let table: Vec<(&str, &str)> = table.iter().map(|(text, names)| (&**text, *names)).collect();
    Asked::new().filters(&table);
}

#[test]
fn complex_values_and_open_types() {
    filters(&[
        ("organizer_v2/identity/user/displayName eq 'Ann Lee'", "r1 r2 r5"),
        ("organizer_v2/identity/phone/id eq '+1 (555) 010-0182'", "r8"),
        ("organizer/user/displayName eq 'Bob Stone'", "r3 r6 r7"),
        ("organizer/phone/id ne null", "r8"),
        ("organizer_v2/identity/user/tenantId eq 'dc368399-474c-4d40-900c-6265431fd81f'", "r1 r5"),
        (
            "participants_v2/any(p:p/identity/user/userPrincipalName eq 'lukasz@contoso.example')",
            "r3",
        ),
        ("participants_v2/any(p:p/identity/guest/email eq 'zoe@visitor.example')", "r2 r7"),
        ("organizer_v2/identity/user/nobodyKnows eq null", ALL),
        ("sessions/any(s:{tokens}/Echo eq true)", "r1 r7"),
        ("sessions/any(s:{tokens}/Echo)", "r1 r7"),
        ("sessions/any(s:{tokens}/Echo eq false)", "r7"),
        ("sessions/any(s:{tokens}/Lag eq 2)", "r1"),
        ("sessions/any(s:{tokens}/Lag gt 1.5)", "r1 r7"),
        ("sessions/any(s:{tokens}/Lag add 1 eq 6)", "r7"),
        ("sessions/any(s:{tokens}/note eq 'it''s fine')", "r1"),
        ("sessions/any(s:contains({tokens}/note,'fine'))", "r1"),
        // A value of another type is not equal, not less and not more.
        ("sessions/any(s:{tokens}/Lag eq 'x')", ""),
        ("sessions/any(s:{tokens}/Lag ne 'x')", "r1 r2 r3 r6 r7 r8"),
        ("sessions/any(s:{tokens}/Lag lt 'x')", ""),
        ("sessions/any(s:length({tokens}/Lag) eq 1)", ""),
        ("sessions/any(s:{tokens}/nothing eq null)", "r1 r2 r3 r6 r7 r8"),
        ("sessions/any(s:s/caller/{participant}/feedback/rating eq 'bad')", "r7"),
        ("sessions/any(s:s/caller/{participant}/feedback/rating ge 'good')", "r1"),
        ("sessions/any(s:s/caller/{participant}/feedback/text eq 'Echo, echo!')", "r7"),
    ]);
}

#[test]
fn type_casts() {
    filters(&[
        ("sessions/any(s:s/caller/{participant}/cpuCoresCount ge 8)", "r1 r7"),
        (
            "sessions/any(s:s/caller/{participant}/identity/user/displayName eq 'Ann Lee')",
            "r1 r2 r7",
        ),
        ("sessions/any(s:s/caller/{participant}/identity/phone/id ne null)", "r8"),
        ("sessions/any(s:s/callee/userAgent/{service agent}/role eq 'mediationServer')", "r6"),
        ("sessions/any(s:s/callee/userAgent/{service agent}/role eq 'mediaController')", "r3"),
        // The end of r6 that has this agent is a participant.
        (
            "sessions/any(s:s/callee/{service}/userAgent/{service agent}/role eq 'mediationServer')",
            "",
        ),
        ("sessions/any(s:s/callee/{service} ne null)", "r2 r3 r7"),
        ("sessions/any(s:s/caller/userAgent/{client agent}/platform eq 'windows')", "r1 r2 r6 r7"),
        ("sessions/any(s:s/caller/userAgent/{client agent}/platform eq 'quantumOS')", "r7"),
        ("sessions/any(s:s/caller/userAgent/{client agent}/platform in ('web','macOS'))", "r2 r3"),
        (
            "sessions/any(s:s/caller/userAgent/{client agent}/productFamily eq 'skypeForBusiness')",
            "r6",
        ),
        ("sessions/any(s:s/callee/userAgent/headerValue eq 'MCU/2.0')", "r2 r7"),
        ("microsoft.graph.callRecords.callRecord/version eq 7", "r7"),
    ]);
}

#[test]
fn isof_and_cast() {
    filters(&[
        ("isof(version,Edm.Int64)", ALL),
        ("isof(version,Edm.String)", ""),
        ("isof(type,microsoft.graph.callRecords.callType)", ALL),
        ("isof(microsoft.graph.callRecords.callRecord)", ALL),
        ("sessions/any(s:isof(s/callee,{service}))", "r2 r3 r7"),
        // As Graph's own documents write it.
        ("sessions/any(s:isof(s/callee,'{service}'))", "r2 r3 r7"),
        ("sessions/any(s:cast(s/callee,'{service}') ne null)", "r2 r3 r7"),
        ("isof('microsoft.graph.callRecords.callRecord')", ALL),
        ("sessions/any(s:isof(s/caller/userAgent,{client agent}))", "r1 r2 r3 r6 r7"),
        ("cast(version,Edm.String) eq '7'", "r7"),
        ("cast(id,Edm.Int64) eq null", ALL),
        ("cast('5',Edm.Int32) eq 5", ALL),
        ("cast(version,Edm.Double) divby 2 eq 3.5", "r7"),
        ("cast(startDateTime,Edm.String) eq '2025-03-01T09:00:00Z'", "r1"),
        ("cast(startDateTime,Edm.Date) eq 2025-03-03", "r4"),
        ("cast(startDateTime,Edm.TimeOfDay) eq 12:00:00", "r7 r8"),
        ("cast(type,Edm.String) eq 'holoCall'", "r5"),
        ("cast('groupCall',microsoft.graph.callRecords.callType) eq type", "r2 r3 r7"),
        ("cast('PT1H',Edm.Duration) eq endDateTime sub startDateTime", "r2 r3"),
        ("cast('2025-03-01T09:00:00Z',Edm.DateTimeOffset) eq startDateTime", "r1"),
        ("cast('true',Edm.Boolean)", ALL),
        ("cast(null,Edm.String) eq null", ALL),
        ("cast(joinWebUrl,Edm.String) eq null", "r1 r4 r5 r6 r8"),
    ]);
}

#[test]
fn case_and_it() {
    filters(&[
        ("case(version eq 1:'one',version eq 2:'two',true:'more') eq 'one'", "r1 r4 r6 r8"),
        ("case(version eq 1:'one',version eq 2:'two',true:'more') eq 'more'", "r3 r5 r7"),
        ("case(version eq 1:'one') eq null", "r2 r3 r5 r7"),
        ("case(joinWebUrl gt '':1,joinWebUrl eq '':2) ne null", "r2 r3 r7"),
        ("$it/version eq 7", "r7"),
        ("modalities/any(m:m eq 'video' and $it/version gt 2)", "r3 r7"),
    ]);
}

#[test]
fn beta_speaks_the_same_language() {
    let beta = RECORDS.replace("v1.0", "beta");
    Asked::new().lists(
        &beta,
        &[
            ("?$filter=version eq 7", "r7"),
            ("?$filter=type eq 'groupCall'&$orderby=version", "r2 r3 r7"),
            ("/callvault.sessions?$filter=isTest eq true", "r2c"),
        ],
    );
}

const UNKNOWN_NAMES: &[(&str, u16, &str, &str)] = &[
    (
        "?$filter=startDateTme gt now()",
        400,
        "$filter",
        "Unknown property 'startDateTme' at position 0 in 'startDateTme gt now()'. Did you mean 'startDateTime'?",
    ),
    (
        "?$filter=nothingLikeIt eq 1",
        400,
        "$filter",
        "Unknown property 'nothingLikeIt' at position 0 in 'nothingLikeIt eq 1'.",
    ),
    (
        "?$filter=sessions/any(s:s/caller/name eq 'x')",
        400,
        "$filter",
        "Unknown property 'name' at position 24 in 'sessions/any(s:s/caller/name eq 'x')'. Did you mean 'microsoft.graph.callRecords.participantEndpoint/name'?",
    ),
    (
        "?$filter=version/x eq 1",
        400,
        "$filter",
        "Unknown property 'x' at position 8 in 'version/x eq 1'.",
    ),
    (
        "?$filter=organizer_v2/microsoft.graph.callRecords.sesion/id eq 'x'",
        400,
        "$filter",
        "Unknown type 'microsoft.graph.callRecords.sesion' at position 13 in 'organizer_v2/microsoft.graph.callRecords.sesion/id eq 'x''. Did you mean 'microsoft.graph.callRecords.session'?",
    ),
    (
        "?$filter=cast(id,Edm.Foo) eq 1",
        400,
        "$filter",
        "Unknown type 'Edm.Foo' at position 8 in 'cast(id,Edm.Foo) eq 1'.",
    ),
    (
        "?$filter=cast(organizer,Edm.Int32) eq 1",
        400,
        "$filter",
        "Type mismatch: a value that Edm.Int32 can be made of expected but found microsoft.graph.identitySet at position 5 in 'cast(organizer,Edm.Int32) eq 1'.",
    ),
    (
        "?$filter=cast(id,Edm.Binary) eq null",
        501,
        "$filter",
        "The type 'Edm.Binary' is not supported yet.",
    ),
    ("?$filter=isof(id)", 400, "$filter", "Unknown type 'id' at position 5 in 'isof(id)'."),
    (
        "?$filter=case(version:1) eq 1",
        400,
        "$filter",
        "Type mismatch: Edm.Boolean expected but found Edm.Int64 at position 5 in 'case(version:1) eq 1'.",
    ),
    (
        "?$filter=case(true) eq 1",
        400,
        "$filter",
        "':' expected but found ')' at position 9 in 'case(true) eq 1'.",
    ),
    (
        "?$filter=case(true:1,false:'x') eq 1",
        400,
        "$filter",
        "Type mismatch: Edm.Int64 expected but found Edm.String at position 18 in 'case(true:1,false:'x') eq 1'.",
    ),
    (
        "?$filter=$root/communications/callRecords('r1')/version eq 1",
        501,
        "$filter",
        "A path from '$root' is not supported yet.",
    ),
    (
        "?$filter=$that/version eq 1",
        400,
        "$filter",
        "Expression expected but found '$that' at position 0 in '$that/version eq 1'.",
    ),
];

#[test]
fn unknown_names_are_refused_with_their_position() {
    Asked::new().refusals(UNKNOWN_NAMES);
}
