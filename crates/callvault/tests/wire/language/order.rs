//! `$orderby`, `$top`, `$skip`, `$count`.

use super::{Asked, R8, RECORDS};

#[test]
fn orders() {
    Asked::new().lists(
        RECORDS,
        &[
            ("", "r8 r7 r6 r5 r4 r3 r2 r1"),
            // Records with the same start are ordered by id; items that compare equal keep their order.
            ("?$orderby=startDateTime", "r1 r2 r3 r4 r5 r6 r8 r7"),
            ("?$orderby=startDateTime asc", "r1 r2 r3 r4 r5 r6 r8 r7"),
            ("?$orderby=startDateTime desc", "r8 r7 r6 r5 r4 r3 r2 r1"),
            ("?$orderby=id", "r8 r1 r2 r3 r4 r5 r6 r7"),
            ("?$orderby=id desc", "r7 r6 r5 r4 r3 r2 r1 r8"),
            ("?$orderby=version,id desc", "r6 r4 r1 r8 r2 r3 r7 r5"),
            ("?$orderby=version desc,startDateTime", "r5 r7 r3 r2 r1 r4 r6 r8"),
            ("?$orderby=joinWebUrl", "r8 r6 r5 r4 r1 r3 r2 r7"),
            ("?$orderby=joinWebUrl desc", "r7 r2 r3 r8 r6 r5 r4 r1"),
            ("?$orderby=type", "r4 r7 r3 r2 r8 r6 r1 r5"),
            ("?$filter=type ne 'holoCall'&$orderby=type desc,id", "r8 r1 r6 r2 r3 r7 r4"),
        ],
    );
}

#[test]
fn orders_by_expressions() {
    Asked::new().lists(
        RECORDS,
        &[
            ("?$orderby=endDateTime sub startDateTime desc", "r7 r3 r2 r5 r1 r6 r8 r4"),
            ("?$orderby=sessions/$count desc", "r2 r7 r8 r6 r3 r1 r5 r4"),
            ("?$orderby=length(id),id", "r1 r2 r3 r4 r5 r6 r7 r8"),
            ("?$orderby=-version", "r5 r7 r3 r2 r8 r6 r4 r1"),
            ("?$orderby=contains(joinWebUrl,'teams')", "r8 r6 r5 r4 r1 r3 r7 r2"),
            ("?$orderby=sessions/any(s:s/failureInfo ne null) desc", "r6 r2 r8 r7 r5 r4 r3 r1"),
            ("?$orderby=organizer_v2/identity/user/displayName,id", "r8 r4 r1 r2 r5 r3 r6 r7"),
            (
                "?$orderby=organizer_v2/identity/user/displayName desc,id desc",
                "r7 r6 r3 r5 r2 r1 r4 r8",
            ),
            ("?$orderby=hour(startDateTime) desc,id", "r6 r8 r7 r1 r2 r5 r3 r4"),
            ("?$orderby=case(id eq 'r4':0,true:1),id", "r4 r8 r1 r2 r3 r5 r6 r7"),
            (
                "/callvault.streams?$orderby=averagePacketLossRate desc,streamId",
                "61 71 12 72 21 23 11 22",
            ),
            ("/callvault.streams?$orderby=maxPacketLossRate desc,streamId&$top=2", "23 11"),
        ],
    );
}

#[test]
fn parts_of_the_result() {
    Asked::new().lists(
        RECORDS,
        &[
            ("?$top=3", "r8 r7 r6"),
            ("?$top=0", ""),
            ("?$top=8", "r8 r7 r6 r5 r4 r3 r2 r1"),
            ("?$skip=6", "r2 r1"),
            ("?$skip=0&$top=1", "r8"),
            ("?$skip=2&$top=2", "r6 r5"),
            ("?$skip=8", ""),
            ("?$skip=1000000", ""),
            ("?$orderby=id&$skip=1&$top=2", "r1 r2"),
            ("?$filter=version eq 1&$orderby=id desc&$skip=1&$top=2", "r4 r1"),
            ("/r2/sessions?$orderby=startDateTime desc&$top=1", "r2b"),
            ("/r2/sessions?$skip=2", "r2c"),
            ("/r2/participants_v2?$orderby=id desc&$top=1", "visitor-7"),
        ],
    );
}

#[test]
fn counts_are_of_the_whole_result() {
    let mut asked = Asked::new();
    for (options, expected) in [
        ("?$count=true", 8),
        ("?$count=true&$top=1", 8),
        ("?$count=true&$skip=7", 8),
        ("?$count=true&$top=0", 8),
        ("?$count=true&$filter=version eq 1", 4),
        ("?$count=true&$search=jabra", 3),
        ("?$count=true&$search=jabra&$filter=version gt 1&$top=1", 2),
        ("/r2/sessions?$count=true&$top=1", 3),
        ("/r2/sessions?$count=true&$filter=isTest eq true", 1),
        ("/callvault.streams?$count=true&$top=2", 8),
    ] {
        let body = asked.body(&format!("{RECORDS}{options}"));
        assert_eq!(body["@odata.count"], expected, "{options}");
    }
    let body = asked.body(&format!("{RECORDS}?$count=false"));
    assert!(body.get("@odata.count").is_none(), "{body}");
    for (path, expected) in [
        ("/$count", "8"),
        ("/$count?$filter=version eq 1", "4"),
        ("/$count?$search=jabra", "3"),
        ("/$count?$search=jabra&$filter=version gt 1", "2"),
        ("/r2/sessions/$count", "3"),
        ("/r2/sessions/$count?$filter=isTest eq true", "1"),
        ("/r2/sessions/$count?$search=jabra", "1"),
        ("/r2/sessions/r2a/segments/$count?$filter=media/any()", "1"),
        ("/callvault.streams/$count?$filter=packetUtilization ge 3000", "3"),
    ] {
        let answer = asked.get(&format!("{RECORDS}{path}"));
        assert_eq!(answer.text(), expected, "{path}");
        assert!(answer.header("content-type").unwrap().starts_with("text/plain"), "{path}");
    }
    let count = asked.get(&format!("{RECORDS}/{R8}/sessions/$count"));
    assert_eq!(count.text(), "1");
}

#[test]
fn wrong_orders_and_numbers_are_refused_with_their_position() {
    Asked::new().refusals(&[
        ("?$orderby=", 400, "$orderby", "Expression expected at position 0 in ''."),
        ("?$orderby=id down", 400, "$orderby", "End expected but found 'down' at position 3 in 'id down'."),
        ("?$orderby=id,", 400, "$orderby", "Expression expected at position 3 in 'id,'."),
        (
            "?$orderby=id,startDatetime desc",
            400,
            "$orderby",
            "Unknown property 'startDatetime' at position 3 in 'id,startDatetime desc'. Did you mean 'startDateTime'?",
        ),
        (
            "?$orderby=modalities",
            400,
            "$orderby",
            "Type mismatch: a single value expected but found Collection(microsoft.graph.callRecords.modality) at position 0 in 'modalities'.",
        ),
        (
            "?$orderby=organizer",
            400,
            "$orderby",
            "Type mismatch: a single value expected but found microsoft.graph.identitySet at position 0 in 'organizer'.",
        ),
        (
            "?$orderby=id,id,id,id,id,id,id,id,id",
            400,
            "$orderby",
            "Too much in '$orderby': keys, at most 8.",
        ),
        ("?$orderby=id&$orderby=id", 400, "$orderby", "The query option '$orderby' is given more than once."),
        ("/r1?$orderby=id", 400, "$orderby", "The query option '$orderby' on a single value is not allowed here."),
        ("?$top=-1", 400, "$top", "Number from 0 to 2147483647 expected but found '-' at position 0 in '-1'."),
        ("?$top=x", 400, "$top", "Number from 0 to 2147483647 expected but found 'x' at position 0 in 'x'."),
        (
            "?$top=99999999999",
            400,
            "$top",
            "Number from 0 to 2147483647 expected but found '99999999999' at position 0 in '99999999999'.",
        ),
        ("?$top=", 400, "$top", "Number from 0 to 2147483647 expected at position 0 in ''."),
        ("?$top=1&top=2", 400, "$top", "The query option '$top' is given more than once."),
        ("/r1?$top=1", 400, "$top", "The query option '$top' on a single value is not allowed here."),
        ("/$count?$skiptoken=x", 400, "$skiptoken", "The query option '$skiptoken' behind '/$count' is not allowed here."),
        ("/$count?$orderby=verson", 400, "$orderby", "Unknown property 'verson' at position 0 in 'verson'. Did you mean 'version'?"),
        (
            "?$skip=-1",
            400,
            "$skip",
            "Number from 0 to 9223372036854775807 expected but found '-' at position 0 in '-1'.",
        ),
        (
            "?$skip=1.5",
            400,
            "$skip",
            "Number from 0 to 9223372036854775807 expected but found '1.5' at position 0 in '1.5'.",
        ),
        ("/r1?$skip=1", 400, "$skip", "The query option '$skip' on a single value is not allowed here."),
        ("?$count=maybe", 400, "$count", "'true' or 'false' expected but found 'maybe' at position 0 in 'maybe'."),
        ("?$count=", 400, "$count", "'true' or 'false' expected at position 0 in ''."),
        ("/r1?$count=true", 400, "$count", "The query option '$count' on a single value is not allowed here."),
    ]);
}

#[test]
fn a_count_is_affected_by_nothing_that_chooses_what_is_shown() {
    let mut asked = Asked::new();
    for (path, expected) in [
        ("/$count?$top=1", "8"),
        ("/$count?$skip=3&$top=2&$orderby=version desc", "8"),
        ("/$count?$expand=sessions&$filter=version lt 3", "5"),
        ("/$filter(version lt 3)/$count?$top=1", "5"),
        ("/r2/sessions/$count?$top=1&$orderby=id&$expand=segments", "3"),
        ("/r2/participants_v2/$count?$skip=1", "2"),
        ("/callvault.sessions()/$count?$filter=callRecordId eq 'r2'&$top=1&$orderby=id", "3"),
        ("/r1/callvault.versions()/$count?$top=1", "1"),
        ("/r2/modalities/$count?$top=1", "2"),
        ("/$count?$apply=groupby((type))&$top=1", "4"),
    ] {
        let found = asked.get(&format!("{RECORDS}{path}")).text();
        let whole = path.split('?').next().unwrap();
        assert_eq!(found, expected, "{path} {}", asked.get(&format!("{RECORDS}{whole}")).text());
    }
}
