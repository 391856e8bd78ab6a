//! `graph.strict = on`: what Graph documents is answered, everything else is rejected.

use super::{Asked, RECORDS};

fn strict() -> Asked {
    Asked::with_settings("[graph]\nstrict = \"on\"\n")
}

#[test]
fn what_graph_documents_is_answered() {
    let mut asked = strict();
    for (target, status) in [
        ("", 200),
        ("?$filter=startDateTime ge 2025-03-04T00:00:00Z", 200),
        (
            "?$filter=startDateTime gt 2025-03-04T00:00:00Z and startDateTime le 2025-03-05T00:00:00Z",
            200,
        ),
        ("?$filter=participants_v2/any(p:p/id eq 'visitor-7')", 200),
        (
            "?$filter=startDateTime ge 2025-03-04T00:00:00Z and startDateTime lt 2025-04-01T00:00:00Z and participants_v2/any(p:p/id eq 'visitor-7')",
            200,
        ),
        ("?$select=id,startDateTime", 200),
        ("/r1", 200),
        ("/r1?$select=id", 200),
        ("/r1?$expand=sessions", 200),
        ("/r1?$expand=sessions($expand=segments)", 200),
        ("/r1?$expand=sessions($select=id;$expand=segments($select=id)),participants_v2", 200),
        ("/r1/sessions", 200),
        ("/r1/sessions?$expand=segments", 200),
        ("/r1/organizer_v2", 200),
        ("/r1/organizer_v2?$select=id", 200),
        ("/r1/participants_v2", 200),
        ("/r1/participants_v2?$select=id", 200),
        ("/r1/participants_v2/a1b2c3d4-0000-4000-8000-00000000000a", 200),
        // What is ours stays as it is.
        ("/callvault.streams()?$filter=packetUtilization gt 0&$orderby=streamId&$top=1", 200),
        ("/r1/callvault.versions()", 200),
    ] {
        let answer = asked.get(&format!("{RECORDS}{target}"));
        assert_eq!(answer.status, status, "{target}: {}", answer.text());
    }
    // Pages go on.
    let first = asked.client.get_with(RECORDS, &[("Prefer", "odata.maxpagesize=3")]).json();
    let link = first["@odata.nextLink"].as_str().unwrap().to_owned();
    assert_eq!(asked.client.get(&link).status, 200);
}

#[test]
fn everything_else_is_refused() {
    let option = |name: &str| {
        format!("The query option '{name}' is not supported on this resource (graph.strict is on).")
    };
    let condition = "This condition is not supported on this resource (graph.strict is on).";
    let path = "This path is not supported on this resource (graph.strict is on).";
    let verdict =
        "The member 'callvault.quality' is not supported on this resource (graph.strict is on).";
    let inside = |name: &str| {
        format!("'{name}' inside $expand is not supported on this resource (graph.strict is on).")
    };
    let table = [
        ("?$orderby=id", "$orderby", option("$orderby")),
        ("?$top=1", "$top", option("$top")),
        ("?$skip=1", "$skip", option("$skip")),
        ("?$count=true", "$count", option("$count")),
        ("?$search=x", "$search", option("$search")),
        ("?$expand=sessions", "$expand", option("$expand")),
        ("?$compute=1 as x", "$compute", option("$compute")),
        ("?$apply=identity", "$apply", option("$apply")),
        ("?$filter=type eq 'groupCall'", "$filter", condition.to_owned()),
        ("?$filter=startDateTime eq 2025-03-04T00:00:00Z", "$filter", condition.to_owned()),
        ("?$filter=endDateTime gt 2025-03-04T00:00:00Z", "$filter", condition.to_owned()),
        (
            "?$filter=startDateTime gt 2025-03-04T00:00:00Z or startDateTime lt 2025-03-01T00:00:00Z",
            "$filter",
            condition.to_owned(),
        ),
        ("?$filter=startDateTime lt endDateTime", "$filter", condition.to_owned()),
        ("?$filter=not participants_v2/any(p:p/id eq 'x')", "$filter", condition.to_owned()),
        ("?$filter=participants_v2/any(p:p/id ne 'x')", "$filter", condition.to_owned()),
        ("?$filter=participants_v2/all(p:p/id eq 'x')", "$filter", condition.to_owned()),
        ("?$filter=participants/any(p:p/user/id eq 'x')", "$filter", condition.to_owned()),
        ("/$count", "path", path.to_owned()),
        ("/$ref", "path", path.to_owned()),
        ("/$filter(version eq 1)", "path", path.to_owned()),
        ("?$select=id,callvault.quality", "$select", verdict.to_owned()),
        ("/r1?$expand=sessions($select=callvault.quality)", "$select", verdict.to_owned()),
        ("/r1?$compute=1 as x", "$compute", option("$compute")),
        ("/r1?$expand=sessions($filter=isTest eq true)", "$expand", inside("$filter")),
        ("/r1?$expand=sessions($top=1)", "$expand", inside("$top")),
        ("/r1?$expand=sessions($expand=segments($top=1))", "$expand", inside("$top")),
        ("/r1?$expand=participants_v2/$ref", "$expand", inside("/$ref")),
        ("/r1?$expand=sessions/$count", "$expand", inside("/$count")),
        ("/r1/startDateTime", "path", path.to_owned()),
        ("/r1/startDateTime/$value", "path", path.to_owned()),
        ("/r1/sessions?$filter=isTest eq true", "$filter", option("$filter")),
        ("/r1/sessions?$top=1", "$top", option("$top")),
        ("/r1/sessions/$count", "path", path.to_owned()),
        ("/r1/participants_v2?$filter=id eq 'x'", "$filter", option("$filter")),
        ("/r1/participants_v2?$orderby=id", "$orderby", option("$orderby")),
        ("/r1/organizer_v2?$compute=1 as x", "$compute", option("$compute")),
    ];
    let table: Vec<(&str, u16, &str, &str)> =
        table.iter().map(|(target, place, message)| (*target, 400, *place, &**message)).collect();
    strict().refusals(&table);
}
