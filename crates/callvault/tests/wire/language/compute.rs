//! `$compute`.

use serde_json::json;

use super::{Asked, RECORDS};

#[test]
fn computed_members_are_shown_filtered_and_sorted_by() {
    let mut asked = Asked::new();
    let twice = "$compute=version mul 2 as twice";
    asked.lists(
        RECORDS,
        &[
            ("?$compute=version mul 2 as twice&$filter=twice eq 14", "r7"),
            ("?$compute=version mul 2 as twice&$orderby=twice desc,id&$top=2", "r5 r7"),
            ("?$compute=version add 1 as a,a mul 2 as b&$filter=b eq 8", "r3"),
            ("?$compute=length(id) as l&$orderby=l desc,id&$top=2", "r8 r1"),
            ("?$compute=sessions/$count as n&$filter=n ge 2&$orderby=n", "r7 r2"),
            ("/r2/sessions?$compute=segments/$count as n&$filter=n eq 2", "r2a"),
            ("/r2/sessions?$compute=segments/$count as n&$orderby=n", "r2c r2b r2a"),
            ("/callvault.streams?$compute=packetUtilization div 1000 as x&$select=x&$orderby=x desc&$top=3", "5 4 3"),
        ],
    );
    let body = asked.body(&format!("{RECORDS}?{twice}&$select=id,twice&$filter=version eq 7"));
    assert_eq!(body["value"][0]["twice"], 14);
    let body = asked.body(&format!("{RECORDS}/r1?{twice}"));
    assert_eq!((&body["twice"], &body["version"]), (&json!(2), &json!(1)));
    let body = asked.body(&format!("{RECORDS}/r1?{twice}&$select=*"));
    assert_eq!((&body["twice"], &body["version"]), (&json!(2), &json!(1)));
    let body = asked.body(&format!("{RECORDS}/r1?{twice}&$select=version"));
    assert!(body.get("twice").is_none(), "{body}");
    let options =
        "$compute=segments/$count as n,endDateTime sub startDateTime as took&$select=id,n,took";
    let body = asked.body(&format!("{RECORDS}/r2/sessions/r2b?{options}"));
    assert_eq!((&body["n"], &body["took"]), (&json!(1), &json!("PT30M0.5S")));
}

#[test]
fn wrong_computations_are_refused_with_their_position() {
    Asked::new().refusals(&[
        ("?$compute=", 400, "$compute", "Expression expected at position 0 in ''."),
        ("?$compute=version", 400, "$compute", "'as' expected at position 7 in 'version'."),
        (
            "?$compute=version as",
            400,
            "$compute",
            "Name of the computed property expected at position 10 in 'version as'.",
        ),
        (
            "?$compute=version as x,",
            400,
            "$compute",
            "Expression expected at position 13 in 'version as x,'.",
        ),
        (
            "?$compute=version as id",
            400,
            "$compute",
            "The name 'id', which another member has, is not allowed here.",
        ),
        (
            "?$compute=1 as x,2 as x",
            400,
            "$compute",
            "The name 'x', which another member has, is not allowed here.",
        ),
        (
            "?$compute=verson as x",
            400,
            "$compute",
            "Unknown property 'verson' at position 0 in 'verson as x'. Did you mean 'version'?",
        ),
        (
            "?$compute=modalities as x",
            400,
            "$compute",
            "Type mismatch: a single value expected but found Collection(microsoft.graph.callRecords.modality) at position 0 in 'modalities as x'.",
        ),
        (
            "?$compute=b as a,1 as b",
            400,
            "$compute",
            "Unknown property 'b' at position 0 in 'b as a,1 as b'.",
        ),
        (
            "?$compute=version mul 2 as twice&$filter=twize eq 2",
            400,
            "$filter",
            "Unknown property 'twize' at position 0 in 'twize eq 2'. Did you mean 'twice'?",
        ),
        ("/$count?$compute=1 as x", 400, "$compute", "The query option '$compute' behind '/$count' is not allowed here."),
    ]);
}
