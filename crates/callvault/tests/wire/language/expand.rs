//! `$expand` with every nested option.

use serde_json::{Value, json};

use super::{Asked, RECORDS, names};

/// The names of the items of a member.
fn inside(body: &Value, member: &str) -> String {
    names(&body[member]).unwrap_or_else(|| panic!("no {member} in {body}"))
}

#[test]
fn options_of_expanded_collections() {
    let mut asked = Asked::new();
    for (options, expected) in [
        ("", "r2a r2b r2c"),
        ("($filter=isTest eq true)", "r2c"),
        ("($filter=failureInfo ne null or segments/$count eq 2)", "r2a r2b"),
        ("($orderby=startDateTime desc)", "r2b r2a r2c"),
        ("($orderby=id desc)", "r2c r2b r2a"),
        ("($top=1)", "r2a"),
        ("($skip=1)", "r2b r2c"),
        ("($skip=1;$top=1)", "r2b"),
        ("($orderby=id desc;$top=2)", "r2c r2b"),
        ("($top=0)", ""),
        ("($search=jabra)", "r2a"),
        ("($search=jabra OR midcall;$filter=isTest eq false)", "r2a"),
        ("($filter=startDateTime gt $it/startDateTime)", "r2b"),
        ("($filter=startDateTime gt @t;@t=2025-03-01T09:45:00Z)", "r2b"),
        ("($select=id)", "r2a r2b r2c"),
        ("($filter=@c)", "r2c"),
    ] {
        let alias = if options.contains("@c") { "&@c=isTest eq true" } else { "" };
        let body = asked.body(&format!("{RECORDS}/r2?$expand=sessions{options}{alias}"));
        assert_eq!(inside(&body, "sessions"), expected, "{options}");
        // The same expansion in a list.
        let target = format!("{RECORDS}?$filter=id eq 'r2'&$expand=sessions{options}{alias}");
        let list = asked.body(&target);
        assert_eq!(inside(&list["value"][0], "sessions"), expected, "{options} in a list");
    }
}

#[test]
fn counts_addresses_and_stars() {
    let mut asked = Asked::new();
    let body = asked.body(&format!("{RECORDS}/r2?$expand=sessions($count=true;$top=1)"));
    assert_eq!(
        (&body["sessions@odata.count"], inside(&body, "sessions")),
        (&json!(3), "r2a".into())
    );
    let body = asked.body(&format!(
        "{RECORDS}/r2?$expand=sessions($count=true;$filter=isTest eq false;$top=1)"
    ));
    assert_eq!(body["sessions@odata.count"], 2);

    let body = asked.body(&format!("{RECORDS}/r2?$expand=sessions/$count,participants_v2"));
    assert_eq!(body["sessions@odata.count"], 3);
    assert!(body.get("sessions").is_none(), "{body}");
    assert_eq!(body["participants_v2"].as_array().unwrap().len(), 2);
    let body = asked.body(&format!("{RECORDS}/r2?$expand=sessions/$count($filter=isTest eq true)"));
    assert_eq!(body["sessions@odata.count"], 1);
    let body = asked.body(&format!("{RECORDS}/r2?$expand=sessions/$count($search=jabra)"));
    assert_eq!(body["sessions@odata.count"], 1);

    let body = asked.body(&format!("{RECORDS}/r2?$expand=sessions/$ref"));
    let id = |session: &str| json!({"@odata.id": format!("communications/callRecords('r2')/sessions('{session}')")});
    let expected = json!([id("r2a"), id("r2b"), id("r2c")]);
    assert_eq!(body["sessions"], expected);
    let body = asked.body(&format!("{RECORDS}/r2?$expand=sessions/$ref($top=1;$orderby=id desc)"));
    assert_eq!(body["sessions"].as_array().unwrap().len(), 1);

    let body = asked.body(&format!("{RECORDS}/r2?$expand=*"));
    assert_eq!(inside(&body, "sessions"), "r2a r2b r2c");
    assert_eq!(body["participants_v2"].as_array().unwrap().len(), 2);
    assert_eq!(body["organizer_v2"]["identity"]["user"]["displayName"], "Ann Lee");
    assert!(body["sessions"][0].get("segments").is_none(), "{body}");
    let body = asked.body(&format!("{RECORDS}/r2?$expand=*,sessions($top=1)"));
    assert_eq!(inside(&body, "sessions"), "r2a");
    for levels in ["2", "max"] {
        let body = asked.body(&format!("{RECORDS}/r2?$expand=*($levels={levels})"));
        assert_eq!(inside(&body["sessions"][0], "segments"), "r2a1 r2a2", "{levels}");
    }
    let body = asked.body(&format!("{RECORDS}/r2?$expand=*/$ref"));
    assert!(body["sessions"][0]["@odata.id"].is_string(), "{body}");
}

#[test]
fn expansions_inside_expansions() {
    let mut asked = Asked::new();
    let segments = |options: &str| {
        format!("{RECORDS}/r2?$select=id&$expand=sessions($select=id;$expand=segments{options})")
    };
    for (options, expected) in [
        ("", ["r2a1 r2a2", "r2b1", ""]),
        ("($filter=media/any())", ["r2a1", "r2b1", ""]),
        ("($orderby=startDateTime desc)", ["r2a2 r2a1", "r2b1", ""]),
        ("($top=1)", ["r2a1", "r2b1", ""]),
        ("($skip=1)", ["r2a2", "", ""]),
        ("($select=id)", ["r2a1 r2a2", "r2b1", ""]),
        ("($search=jabra)", ["r2a1", "", ""]),
        ("($filter=startDateTime eq $it/startDateTime)", ["r2a1", "", ""]),
    ] {
        let body = asked.body(&segments(options));
        let sessions = body["sessions"].as_array().unwrap();
        let found: Vec<String> =
            sessions.iter().map(|session| inside(session, "segments")).collect();
        assert_eq!(found, expected, "{options}");
    }
    let body = asked.body(&segments("($count=true;$top=1)"));
    assert_eq!(body["sessions"][0]["segments@odata.count"], 2);
    let body = asked.body(&segments("/$count"));
    assert_eq!(body["sessions"][0]["segments@odata.count"], 2);
    let body = asked.body(&format!("{RECORDS}/r2/sessions?$expand=segments($filter=media/any())"));
    assert_eq!(inside(&body["value"][0], "segments"), "r2a1");
    let body = asked.body(&format!("{RECORDS}/r2/sessions/r2a?$expand=segments($orderby=id desc)"));
    assert_eq!(inside(&body, "segments"), "r2a2 r2a1");
    let computed = "/r2?$expand=sessions($compute=segments/$count as n;$select=id,n)";
    let body = asked.body(&format!("{RECORDS}{computed}"));
    let counts: Vec<&Value> =
        body["sessions"].as_array().unwrap().iter().map(|session| &session["n"]).collect();
    assert_eq!(counts, [2, 1, 0]);
}

#[test]
fn casts_inside_expansions() {
    let mut asked = Asked::new();
    let own = "microsoft.graph.callRecords.callRecord";
    let session = "microsoft.graph.callRecords.session";
    let plain = asked.body(&format!("{RECORDS}/r2?$expand=sessions($expand=segments)"));
    for expand in [
        format!("{own}/sessions($expand=segments)"),
        format!("sessions/{session}($expand=segments)"),
        format!("callRecords.callRecord/sessions/{session}($expand={session}/segments)"),
    ] {
        let body = asked.body(&format!("{RECORDS}/r2?$expand={expand}"));
        assert_eq!(body, plain, "{expand}");
        let list = asked.body(&format!("{RECORDS}?$filter=id eq 'r2'&$expand={expand}"));
        assert_eq!(list["value"][0]["sessions"], plain["sessions"], "{expand}");
    }
    let counted = format!("{RECORDS}/r2?$expand=sessions/{session}/$count");
    assert_eq!(asked.body(&counted)["sessions@odata.count"], 3);
    let refs = asked.body(&format!("{RECORDS}/r2?$expand=sessions/{session}/$ref"));
    assert_eq!(refs["sessions"].as_array().map(Vec::len), Some(3), "{refs}");
    for other in [
        format!("{session}/sessions"),
        format!("sessions/{own}"),
        "sessions/microsoft.graph.callRecords.participantEndpoint".to_owned(),
    ] {
        let answer = asked.get(&format!("{RECORDS}/r2?$expand={other}"));
        assert_eq!(answer.status, 400, "{other}: {}", answer.text());
    }
}

const WRONG_EXPANSIONS: &[(&str, u16, &str, &str)] = &[
    ("?$expand=", 400, "$expand", "Name of a property expected at position 0 in ''."),
    (
        "?$expand=session",
        400,
        "$expand",
        "Unknown property 'session' at position 0 in 'session'. Did you mean 'sessions'?",
    ),
    (
        "?$expand=version",
        400,
        "$expand",
        "Navigation property expected but found 'version' at position 0 in 'version'.",
    ),
    ("?$expand=sessions($foo=1)", 400, "$expand", "The query option '$foo' is not known."),
    (
        "?$expand=sessions($filtre=isTest)",
        400,
        "$expand",
        "The query option '$filtre' is not known. Did you mean '$filter'?",
    ),
    (
        "?$expand=sessions($top=1;$top=2)",
        400,
        "$top",
        "The query option '$top' is given more than once.",
    ),
    (
        "?$expand=sessions($filter=)",
        400,
        "$expand",
        "Expression expected but found ')' at position 17 in 'sessions($filter=)'.",
    ),
    (
        "?$expand=sessions($filter=isTset)",
        400,
        "$expand",
        "Unknown property 'isTset' at position 17 in 'sessions($filter=isTset)'. Did you mean 'isTest'?",
    ),
    (
        "?$expand=sessions($expand=segments($orderby=foo))",
        400,
        "$expand",
        "Unknown property 'foo' at position 35 in 'sessions($expand=segments($orderby=foo))'.",
    ),
    ("?$expand=sessions(", 400, "$expand", "Query option expected at position 9 in 'sessions('."),
    (
        "?$expand=sessions($top=1",
        400,
        "$expand",
        "')' expected at position 15 in 'sessions($top=1'.",
    ),
    (
        "?$expand=sessions($top=x)",
        400,
        "$expand",
        "Number from 0 to 2147483647 expected but found 'x' at position 14 in 'sessions($top=x)'.",
    ),
    (
        "?$expand=sessions,sessions",
        400,
        "$expand",
        "Expanding 'sessions' twice is not allowed here.",
    ),
    (
        "?$expand=organizer_v2($top=1)",
        400,
        "$expand",
        "The query option '$top' for 'organizer_v2', which is single, is not allowed here.",
    ),
    (
        "?$expand=sessions($skiptoken=x)",
        400,
        "$expand",
        "The query option '$skiptoken' inside $expand is not allowed here.",
    ),
    (
        "?$expand=sessions($levels=2)",
        400,
        "$expand",
        "The query option '$levels' for 'sessions', which leads to another type, is not allowed here.",
    ),
    (
        "?$expand=*($levels=9)",
        400,
        "$expand",
        "Too much in '$expand': levels of $expand, at most 4.",
    ),
    ("?$expand=*($top=1)", 400, "$expand", "The query option '$top' for '*' is not allowed here."),
    ("?$expand=*/$count", 400, "$expand", "'/$count' behind '*' is not allowed here."),
    (
        "/$count?$expand=session",
        400,
        "$expand",
        "Unknown property 'session' at position 0 in 'session'. Did you mean 'sessions'?",
    ),
];

#[test]
fn wrong_expansions_are_refused_with_their_position() {
    Asked::new().refusals(WRONG_EXPANSIONS);
}
