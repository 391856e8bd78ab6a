//! Collections: lambdas, counts, keys and functions on whole collections.

use super::{ALL, Asked};

#[test]
fn any_and_all() {
    Asked::new().filters(&[
        ("modalities/any(m:m eq 'video')", "r2 r3 r7"),
        ("modalities/any()", "r1 r2 r3 r5 r6 r7 r8"),
        ("not modalities/any()", "r4"),
        ("modalities/all(m:m eq 'audio')", "r1 r4 r6"),
        ("modalities/all(m:m ne 'video')", "r1 r4 r5 r6 r8"),
        ("sessions/any()", "r1 r2 r3 r6 r7 r8"),
        ("sessions/all(s:s/segments/any())", "r1 r3 r4 r5 r6 r7 r8"),
        ("sessions/any(s:not s/segments/any())", "r2"),
        ("sessions/all(s:s/failureInfo eq null)", "r1 r3 r4 r5 r7 r8"),
        // What is null for a session is not true for it.
        ("sessions/all(s:s/failureInfo/reason gt 'A')", "r4 r5 r6"),
        ("sessions/any(s:s/failureInfo/reason eq 'No answer')", "r6"),
        ("sessions/any(s:s/isTest eq true or s/failureInfo/stage eq 'callSetup')", "r2 r6"),
        ("participants/any(p:p/user/displayName eq 'Bob Stone')", "r1 r3 r6 r7"),
        ("participants_v2/any(p:p/administrativeUnitInfos/any(u:u/id eq 'unit-2'))", "r1"),
    ]);
}

#[test]
fn lambdas_inside_lambdas() {
    Asked::new().filters(&[
        (
            "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averagePacketLossRate gt 0.1))))",
            "r1 r6 r7",
        ),
        (
            "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averagePacketLossRate eq 0.1))))",
            "r7",
        ),
        (
            "sessions/any(s:s/segments/any(g:g/media/any(m:m/label eq 'main-audio' and m/streams/all(t:t/packetUtilization ge 1000))))",
            "r1 r2 r7",
        ),
        (
            "sessions/all(s:s/segments/all(g:g/media/all(m:m/streams/all(t:t/wasMediaBypassed eq false))))",
            "r1 r3 r4 r5 r7 r8",
        ),
        (
            "sessions/any(s:s/segments/any(g:g/media/any(m:m/callerNetwork/traceRouteHops/any(h:h/hopCount eq 2 and h/roundTripTime ge duration'PT0.02S'))))",
            "r1",
        ),
        (
            "sessions/any(s:s/segments/any(g:g/media/any(m:m/callerNetwork/wifiBand eq 'frequency60GHz' and m/callerNetwork/wifiSignalStrength gt -50)))",
            "r7",
        ),
        // A variable reaches into what is inside, and the record itself is in reach everywhere.
        ("sessions/any(s:s/segments/any(g:g/startDateTime gt s/startDateTime))", "r2"),
        ("sessions/any(s:s/startDateTime gt startDateTime)", "r2"),
        ("sessions/any(s:s/segments/any(g:g/endDateTime lt endDateTime and s/isTest eq false))", "r2"),
        ("modalities/any(m:sessions/all(s:s/modalities/all(x:x ne m)))", "r3 r5"),
        (
            "sessions/any(a:a/isTest) and sessions/any(a:a/failureInfo/stage eq 'midcall')",
            "r2",
        ),
    ]);
}

#[test]
fn counts_keys_and_filters_in_paths() {
    Asked::new().filters(&[
        ("modalities/$count eq 2", "r2 r5 r7"),
        ("modalities/$count($filter=$this eq 'video') eq 1", "r2 r3 r7"),
        ("sessions/$count eq 0", "r4 r5"),
        ("sessions/$count ge 2", "r2 r7"),
        ("sessions/$count($filter=isTest eq true) eq 1", "r2"),
        ("sessions/$count($search=jabra) eq 1", "r1 r2 r7"),
        ("sessions/$count($filter=isTest eq false;$search=jabra) eq 1", "r1 r2 r7"),
        ("participants_v2/$count eq 3", "r7"),
        ("sessions/any(s:s/segments/$count eq 2)", "r2"),
        ("sessions/$filter(isTest eq true)/$count eq 1", "r2"),
        ("sessions/$filter(failureInfo ne null)/any(s:s/modalities/any())", "r2 r6"),
        ("participants_v2('visitor-7')/identity/guest/email eq 'zoe@visitor.example'", "r2 r7"),
        ("participants_v2(B1B2C3D4-0000-4000-8000-00000000000B)/id ne null", "r1 r3 r6 r7"),
        ("sessions('r2b')/failureInfo/stage eq 'midcall'", "r2"),
    ]);
}

#[test]
fn functions_of_whole_collections() {
    Asked::new().filters(&[
        ("hassubset(modalities,[\"audio\",\"video\"])", "r2 r3 r7"),
        ("hassubset(modalities,[\"video\",\"audio\"])", "r2 r3 r7"),
        ("hassubset([\"audio\",\"video\"],modalities)", "r1 r2 r4 r6 r7"),
        ("hassubsequence(modalities,[\"audio\",\"video\"])", "r2 r3"),
        ("hassubsequence(modalities,[\"video\",\"audio\"])", "r7"),
        ("hassubsequence(modalities,[\"audio\",\"videoBasedScreenSharing\"])", "r3"),
        ("hassubsequence(modalities,[])", ALL),
        ("contains(modalities,[\"video\"])", "r2 r3 r7"),
        ("contains(modalities,[\"audio\",\"videoBasedScreenSharing\"])", ""),
        ("startswith(modalities,[\"audio\",\"video\"])", "r2 r3"),
        ("endswith(modalities,[\"audio\"])", "r1 r6 r7"),
        ("indexof(modalities,[\"video\"]) eq 1", "r2 r3"),
        ("indexof(modalities,[\"video\"]) eq -1", "r1 r4 r5 r6 r8"),
        ("length(modalities) eq 2", "r2 r5 r7"),
        ("length(substring(modalities,1)) eq 1", "r2 r5 r7"),
        ("length(concat(modalities,[\"data\"])) eq 2", "r1 r6 r8"),
    ]);
}

const WRONG_CONDITIONS: &[(&str, u16, &str, &str)] = &[
    (
        "?$filter=sessions/any(s:)",
        400,
        "$filter",
        "Expression expected but found ')' at position 15 in 'sessions/any(s:)'.",
    ),
    (
        "?$filter=sessions/any(s s/isTest)",
        400,
        "$filter",
        "':' expected but found 's' at position 15 in 'sessions/any(s s/isTest)'.",
    ),
    (
        "?$filter=sessions/any(:true)",
        400,
        "$filter",
        "Variable expected but found ':' at position 13 in 'sessions/any(:true)'.",
    ),
    (
        "?$filter=any(s:s/isTest)",
        400,
        "$filter",
        "Path before 'any', 'all' or 'aggregate' expected but found 'any' at position 0 in 'any(s:s/isTest)'.",
    ),
    (
        "?$filter=sessions/all()",
        400,
        "$filter",
        "Variable expected but found ')' at position 13 in 'sessions/all()'.",
    ),
    (
        "?$filter=sessions/any(s:s/isTset)",
        400,
        "$filter",
        "Unknown property 'isTset' at position 17 in 'sessions/any(s:s/isTset)'. Did you mean 'isTest'?",
    ),
    (
        "?$filter=modalities/any(m:m eq 5)",
        400,
        "$filter",
        "Type mismatch: microsoft.graph.callRecords.modality expected but found Edm.Int64 at position 22 in 'modalities/any(m:m eq 5)'.",
    ),
    (
        "?$filter=hassubset(modalities,version)",
        400,
        "$filter",
        "Type mismatch: a collection expected but found Edm.Int64 at position 21 in 'hassubset(modalities,version)'.",
    ),
    (
        "?$filter=sessions/$count($top=1) eq 1",
        400,
        "$filter",
        "The query option '$top' in the parentheses of '$count' is not allowed here.",
    ),
    (
        "?$filter=sessions/isTest eq true",
        400,
        "$filter",
        "A path through a collection without 'any' or 'all' is not allowed here.",
    ),
    (
        "?$filter=version/any()",
        400,
        "$filter",
        "A condition on items behind something that is no collection is not allowed here.",
    ),
    (
        "?$filter=sessions/any(s:s/segments/any(s:true))",
        400,
        "$filter",
        "'s' as a variable inside another 's' is not allowed here.",
    ),
];

#[test]
fn wrong_conditions_on_items_are_refused_with_their_position() {
    let deep = "a/any(b:".repeat(6);
    let deep = format!("?$filter={deep}true{}", ")".repeat(6));
    let mut asked = Asked::new();
    asked.refusals(WRONG_CONDITIONS);
    asked.refusals(&[(
        &deep,
        400,
        "$filter",
        "Too much in '$filter': levels of conditions on items, at most 5.",
    )]);
}
