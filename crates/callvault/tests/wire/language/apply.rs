//! `$apply`: each transformation and method, chains of them, and options after them.

use serde_json::{Value, json};

use super::{Asked, RECORDS, is_same, report};

/// Without annotations, so that values can be compared.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let own = members.iter().filter(|(name, _)| !name.contains('@'));
            own.map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

fn agree(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, value)| b.get(name).is_some_and(|other| agree(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| agree(a, b))
        }
        (a, b) => is_same(a, b),
    }
}

/// Each query must give these items. Where `is_ordered` is false, their order does not matter.
pub(super) fn gives(asked: &mut Asked, base: &str, is_ordered: bool, table: &[(&str, Value)]) {
    let mut faults = Vec::new();
    for (query, expected) in table {
        let answer = asked.get(&format!("{RECORDS}{base}?$apply={query}"));
        let found = match answer.status {
            200 => plain(&answer.json()["value"]),
            _ => json!(answer.text()),
        };
        let is_right = if is_ordered {
            agree(&found, expected)
        } else {
            let (Some(found), Some(expected)) = (found.as_array(), expected.as_array()) else {
                faults.push(format!("{query}: {found}"));
                continue;
            };
            found.len() == expected.len()
                && expected.iter().all(|item| found.iter().any(|other| agree(item, other)))
        };
        if !is_right {
            faults.push(format!("{query}\n   expected {expected}\n   got      {found}"));
        }
    }
    report(&faults);
}

#[test]
fn aggregates() {
    let mut asked = Asked::new();
    let groups = "filter(type eq 'groupCall')";
    let of_groups: Vec<(String, Value)> = [
        ("aggregate(version with sum as x)", json!([{"x": 12}])),
        ("aggregate(version with min as x)", json!([{"x": 2}])),
        ("aggregate(version with max as x)", json!([{"x": 7}])),
        ("aggregate(version with average as x)", json!([{"x": 4.0}])),
        ("aggregate(version with countdistinct as x)", json!([{"x": 3}])),
        ("aggregate($count as x)", json!([{"x": 3}])),
        ("aggregate(version with callvault.median as x)", json!([{"x": 3.0}])),
        ("aggregate(version with callvault.percentile50 as x)", json!([{"x": 3.0}])),
        ("aggregate(version with callvault.percentile75 as x)", json!([{"x": 5.0}])),
        (
            "aggregate(version with sum as s,version mul 2 with sum as t,$count as n)",
            json!([{"s": 12, "t": 24, "n": 3}]),
        ),
        ("aggregate(endDateTime sub startDateTime with sum as x)", json!([{"x": "PT4H30M"}])),
        ("aggregate(startDateTime with min as x)", json!([{"x": "2025-03-01T09:30:00.5Z"}])),
        (
            "aggregate(joinWebUrl with max as x)",
            json!([{"x": "https://teams.example/l/meetup-join/19%3ameeting_XYZ"}]),
        ),
    ]
    .into_iter()
    .map(|(text, value)| (format!("{groups}/{text}"), value))
    .collect();
    let table: Vec<(&str, Value)> =
        of_groups.iter().map(|(text, value)| (&**text, value.clone())).collect();
    gives(&mut asked, "", true, &table);
    gives(
        &mut asked,
        "",
        true,
        &[
            ("aggregate($count as x)", json!([{"x": 8}])),
            ("aggregate(version with max as x)", json!([{"x": 9_007_199_254_740_993_i64}])),
            ("aggregate(type with countdistinct as x)", json!([{"x": 4}])),
            (
                "filter(false)/aggregate($count as n,version with sum as s)",
                json!([{"n": 0, "s": null}]),
            ),
            // Nulls are left out.
            ("aggregate(length(joinWebUrl) with average as x)", json!([{"x": 104.0 / 3.0}])),
            ("aggregate(sessions/$count as x)", json!([{"x": 9}])),
            ("compute(sessions/$count as n)/aggregate(n with max as x)", json!([{"x": 3}])),
            (
                "aggregate(sessions/segments/media/streams/packetUtilization with sum as x)",
                json!([{"x": 15_500}]),
            ),
            (
                "aggregate(sessions/segments/media/streams/packetUtilization with callvault.median as x)",
                json!([{"x": 2000.0}]),
            ),
            (
                "aggregate(sessions/segments/media/streams/packetUtilization with callvault.percentile90 as x)",
                json!([{"x": 4400.0}]),
            ),
        ],
    );
}

#[test]
fn groups_of_records() {
    let mut asked = Asked::new();
    gives(
        &mut asked,
        "",
        false,
        &[
            (
                "filter(type ne 'holoCall')/groupby((type))",
                json!([{"type": "unknown"}, {"type": "groupCall"}, {"type": "peerToPeer"}]),
            ),
            (
                "filter(type ne 'holoCall')/groupby((type),aggregate($count as n,version with max as m))",
                json!([
                    {"type": "unknown", "n": 1, "m": 1},
                    {"type": "groupCall", "n": 3, "m": 7},
                    {"type": "peerToPeer", "n": 3, "m": 1},
                ]),
            ),
            (
                "filter(type eq 'groupCall' or version eq 1)/groupby((type,version),aggregate($count as n))",
                json!([
                    {"type": "unknown", "version": 1, "n": 1},
                    {"type": "groupCall", "version": 2, "n": 1},
                    {"type": "groupCall", "version": 3, "n": 1},
                    {"type": "groupCall", "version": 7, "n": 1},
                    {"type": "peerToPeer", "version": 1, "n": 3},
                ]),
            ),
            (
                "filter(organizer_v2/identity/user/displayName ne null)/groupby((organizer_v2/identity/user/displayName),aggregate($count as n))",
                json!([
                    {"organizer_v2": {"identity": {"user": {"displayName": "Ann Lee"}}}, "n": 3},
                    {"organizer_v2": {"identity": {"user": {"displayName": "Bob Stone"}}}, "n": 3},
                ]),
            ),
            (
                "filter(type eq 'groupCall' or type eq 'peerToPeer')/groupby((rollup($all,type)),aggregate($count as n))",
                json!([{"n": 6}, {"type": "groupCall", "n": 3}, {"type": "peerToPeer", "n": 3}]),
            ),
            (
                "filter(type eq 'groupCall')/groupby((rollup(type,version)),aggregate($count as n))",
                json!([
                    {"type": "groupCall", "n": 3},
                    {"type": "groupCall", "version": 2, "n": 1},
                    {"type": "groupCall", "version": 3, "n": 1},
                    {"type": "groupCall", "version": 7, "n": 1},
                ]),
            ),
            (
                "filter(type ne 'holoCall')/groupby((type),topcount(1,version)/aggregate(version with max as m))",
                json!([
                    {"type": "unknown", "m": 1},
                    {"type": "groupCall", "m": 7},
                    {"type": "peerToPeer", "m": 1},
                ]),
            ),
            (
                "compute(hour(startDateTime) as hour)/groupby((hour),aggregate($count as n))/filter(n ge 2)",
                json!([
                    {"hour": 0, "n": 2},
                    {"hour": 9, "n": 2},
                    {"hour": 12, "n": 2},
                ]),
            ),
        ],
    );
}

#[test]
fn groups_of_streams() {
    let mut asked = Asked::new();
    gives(
        &mut asked,
        "/callvault.streams",
        false,
        &[
            (
                "groupby((callerNetwork/subnet),aggregate(packetUtilization with sum as u,averageJitter with average as j,$count as n))/filter(n gt 1 or u gt 1)",
                json!([
                    {"callerNetwork": {"subnet": "10.1.1.0"}, "u": 11_500, "j": "PT0.01875S", "n": 5},
                    {"callerNetwork": {"subnet": "10.3.3.0"}, "u": 4000, "j": "PT0.03S", "n": 1},
                ]),
            ),
            (
                "filter(callerNetwork/subnet ne null)/groupby((callerNetwork/subnet,callRecordId),aggregate($count as n))",
                json!([
                    {"callerNetwork": {"subnet": "10.1.1.0"}, "callRecordId": "r1", "n": 2},
                    {"callerNetwork": {"subnet": "10.1.1.0"}, "callRecordId": "r2", "n": 2},
                    {"callerNetwork": {"subnet": "192.168.0.0"}, "callRecordId": "r2", "n": 1},
                    {"callerNetwork": {"subnet": "10.1.1.0"}, "callRecordId": "r7", "n": 1},
                    {"callerNetwork": {"subnet": "10.3.3.0"}, "callRecordId": "r7", "n": 1},
                ]),
            ),
            (
                "aggregate(maxPacketLossRate with max as hi,maxPacketLossRate with min as lo,averageRatioOfConcealedSamples with countdistinct as none)",
                json!([{"hi": "INF", "lo": 0.01, "none": 0}]),
            ),
        ],
    );
}

#[test]
fn transformations_that_keep_items() {
    let mut asked = Asked::new();
    asked.lists(
        RECORDS,
        &[
            ("?$apply=identity", "r8 r7 r6 r5 r4 r3 r2 r1"),
            ("?$apply=filter(version eq 1)", "r8 r6 r4 r1"),
            ("?$apply=filter(version eq 1)/filter(type eq 'unknown')", "r4"),
            ("?$apply=search(jabra)", "r7 r2 r1"),
            ("?$apply=search(jabra AND NOT neil)", "r1"),
            ("?$apply=orderby(id)", "r8 r1 r2 r3 r4 r5 r6 r7"),
            ("?$apply=orderby(version desc,id)/top(2)", "r5 r7"),
            ("?$apply=orderby(id)/skip(1)/top(2)", "r1 r2"),
            ("?$apply=skip(6)", "r2 r1"),
            ("?$apply=top(3)/skip(1)", "r7 r6"),
            ("?$apply=topcount(2,version)&$orderby=id", "r5 r7"),
            ("?$apply=bottomcount(4,version)&$orderby=id", "r8 r1 r4 r6"),
            ("?$apply=filter(version lt 100)/topsum(10,version)&$orderby=id", "r3 r7"),
            ("?$apply=filter(version lt 100)/bottomsum(4,version)&$orderby=id", "r8 r1 r4 r6"),
            // Of 16 in all.
            ("?$apply=filter(version lt 100)/toppercent(50,version)&$orderby=id", "r3 r7"),
            ("?$apply=filter(version lt 100)/bottompercent(25,version)&$orderby=id", "r8 r1 r4 r6"),
            ("?$apply=compute(version mul 2 as twice)/filter(twice eq 14)", "r7"),
            ("?$apply=filter(version eq 1)&$filter=type eq 'unknown'", "r4"),
            ("?$apply=filter(version eq 1)&$orderby=id desc&$skip=1&$top=2", "r4 r1"),
        ],
    );
    let body = asked
        .body(&format!("{RECORDS}?$apply=compute(version mul 2 as twice)/filter(twice eq 14)"));
    assert_eq!(body["value"][0]["twice"], 14);
}

#[test]
fn chains_branches_and_options_behind_them() {
    let mut asked = Asked::new();
    let by_type =
        "filter(type ne 'holoCall')/groupby((type),aggregate($count as n,version with sum as s))";
    let table = [
        (
            "concat(aggregate($count as n),filter(version eq 7)/aggregate($count as n))".to_owned(),
            json!([{"n": 8}, {"n": 1}]),
        ),
        (
            "compute(endDateTime sub startDateTime as took)/aggregate(took with max as x)"
                .to_owned(),
            json!([{"x": "PT2H30M"}]),
        ),
        ("search(jabra)/aggregate($count as x)".to_owned(), json!([{"x": 3}])),
        (
            format!("{by_type}&$orderby=n desc,type&$top=1"),
            json!([{"type": "groupCall", "n": 3, "s": 12}]),
        ),
        (
            format!("{by_type}&$filter=n gt 2&$orderby=type desc&$select=type"),
            json!([{"type": "peerToPeer"}, {"type": "groupCall"}]),
        ),
        (format!("{by_type}&$orderby=s&$skip=2"), json!([{"type": "groupCall", "n": 3, "s": 12}])),
        (
            format!("{by_type}&$compute=s div n as each&$orderby=each desc&$top=1&$select=each"),
            json!([{"each": 4}]),
        ),
        (format!("{by_type}/aggregate(n with max as m)"), json!([{"m": 3}])),
        (format!("{by_type}/filter(n eq 1)"), json!([{"type": "unknown", "n": 1, "s": 1}])),
        (
            format!("{by_type}/groupby((n),aggregate(s with sum as t))/orderby(n desc)"),
            json!([{"n": 3, "t": 15}, {"n": 1, "t": 1}]),
        ),
    ];
    let table: Vec<(&str, Value)> =
        table.iter().map(|(text, value)| (&**text, value.clone())).collect();
    gives(&mut asked, "", true, &table);
    let body = asked.body(&format!("{RECORDS}?$apply={by_type}&$count=true&$top=1"));
    assert_eq!(body["@odata.count"], 3);
    let count = asked.get(&format!("{RECORDS}/$count?$apply={by_type}"));
    assert_eq!(count.text(), "3");
    let count = asked.get(&format!("{RECORDS}/$count?$apply={by_type}&$filter=n gt 2"));
    assert_eq!(count.text(), "2");
}

const WRONG_TRANSFORMATIONS: &[(&str, u16, &str, &str)] = &[
    ("?$apply=", 400, "$apply", "Transformation expected at position 0 in ''."),
    (
        "?$apply=agregate($count as n)",
        400,
        "$apply",
        "Transformation expected but found 'agregate' at position 0 in 'agregate($count as n)'. Did you mean 'aggregate'?",
    ),
    (
        "?$apply=aggregate(version with sum)",
        400,
        "$apply",
        "'as' expected but found ')' at position 26 in 'aggregate(version with sum)'.",
    ),
    (
        "?$apply=aggregate(version with total as x)",
        400,
        "$apply",
        "Unknown function 'total' at position 23 in 'aggregate(version with total as x)'.",
    ),
    (
        "?$apply=aggregate(sessions/$count with sum as x)",
        400,
        "$apply",
        "'as' expected but found 'with' at position 26 in 'aggregate(sessions/$count with sum as x)'.",
    ),
    (
        "?$apply=aggregate(id with sum as x)",
        400,
        "$apply",
        "Type mismatch: a number or Edm.Duration expected but found Edm.String at position 10 in 'aggregate(id with sum as x)'.",
    ),
    (
        "?$apply=aggregate(verson with sum as x)",
        400,
        "$apply",
        "Unknown property 'verson' at position 10 in 'aggregate(verson with sum as x)'. Did you mean 'version'?",
    ),
    (
        "?$apply=groupby(type)",
        400,
        "$apply",
        "'(' expected but found 'type' at position 8 in 'groupby(type)'.",
    ),
    (
        "?$apply=groupby((typ))",
        400,
        "$apply",
        "Unknown property 'typ' at position 9 in 'groupby((typ))'. Did you mean 'type'?",
    ),
    (
        "?$apply=groupby((type))/aggregate(version with max as m)",
        400,
        "$apply",
        "Unknown property 'version' at position 26 in 'groupby((type))/aggregate(version with max as m)'.",
    ),
    (
        "?$apply=groupby((type))&$filter=version eq 1",
        400,
        "$filter",
        "Unknown property 'version' at position 0 in 'version eq 1'.",
    ),
    (
        "?$apply=filter(version)",
        400,
        "$apply",
        "Type mismatch: Edm.Boolean expected but found Edm.Int64 at position 7 in 'filter(version)'.",
    ),
    ("?$apply=filter(true", 400, "$apply", "')' expected at position 11 in 'filter(true'."),
    ("?$apply=identity/", 400, "$apply", "Transformation expected at position 9 in 'identity/'."),
    (
        "?$apply=topcount(2)",
        400,
        "$apply",
        "',' expected but found ')' at position 10 in 'topcount(2)'.",
    ),
    (
        "/r1?$apply=identity",
        400,
        "$apply",
        "The query option '$apply' on a single value is not allowed here.",
    ),
    (
        "?$apply=identity&$apply=identity",
        400,
        "$apply",
        "The query option '$apply' is given more than once.",
    ),
];

#[test]
fn wrong_transformations_are_refused_with_their_position() {
    Asked::new().refusals(WRONG_TRANSFORMATIONS);
}

#[test]
fn condition_of_the_path_comes_before_apply() {
    let mut asked = Asked::new();
    let group_calls = "/$filter(type eq 'groupCall')";
    gives(
        &mut asked,
        group_calls,
        true,
        &[
            ("aggregate($count as n)", json!([{"n": 3}])),
            ("filter(version gt 2)/aggregate($count as n)", json!([{"n": 2}])),
        ],
    );
    asked.lists(
        RECORDS,
        &[
            ("/$filter(type eq 'groupCall')?$apply=orderby(version)/top(2)", "r2 r3"),
            ("/$filter(type eq 'groupCall')?$apply=top(9)&$filter=version gt 2", "r7 r3"),
            (
                "/$filter(version gt 2)/$filter(type eq 'groupCall')?$apply=topcount(1,version)",
                "r7",
            ),
        ],
    );
}

#[test]
fn items_that_apply_keeps_are_what_they_were() {
    let mut asked = Asked::new();
    for options in [
        "$filter=sessions/$count gt 1",
        "$filter=sessions/any(s:s/isTest)&$count=true",
        "$search=\"Ann Lee\"",
        "$compute=sessions/$count as n&$orderby=n desc,id",
        "$orderby=sessions/$count desc,id&$top=3",
        "$expand=sessions($select=id)&$select=id",
    ] {
        let plain = asked.body(&format!("{RECORDS}?{options}"));
        assert_ne!(plain["value"], json!([]), "{options}");
        for apply in ["filter(version ge 1)", "identity", "orderby(startDateTime desc)"] {
            let kept = asked.body(&format!("{RECORDS}?$apply={apply}&{options}"));
            assert_eq!(kept["value"], plain["value"], "{apply} {options}");
        }
    }
}

#[test]
fn items_of_a_cut_list_keep_what_is_related_to_them() {
    let mut asked = Asked::new();
    let all = asked.names(&format!("{RECORDS}?$filter=sessions/$count gt 0&$orderby=id")).unwrap();
    let cut = "$apply=top(99)";
    for (options, expected) in [
        ("$filter=sessions/$count gt 0&$orderby=id", all.as_str()),
        ("$filter=sessions/any()&$orderby=id", all.as_str()),
    ] {
        let found = asked.names(&format!("{RECORDS}?{cut}&{options}")).unwrap();
        assert_eq!(found, expected, "{options}");
    }
    let whole = asked.body(&format!("{RECORDS}?{cut}&$filter=sessions/any()"));
    assert!(whole["value"][0].get("sessions").is_none(), "only $expand shows them");
    assert_eq!(asked.get(&format!("{RECORDS}/$count?$apply=top(2)")).text(), "2");
    assert_eq!(asked.get(&format!("{RECORDS}/$count?$apply=skip(7)")).text(), "1");
    let whole = asked.body(&format!("{RECORDS}?$apply=top(3)&$count=true"));
    assert_eq!(whole["@odata.count"], 3);
    let behind = "$expand behind an $apply that options can't say is not supported yet.";
    asked.refusals(&[
        ("?$apply=topcount(2,version)&$expand=sessions", 501, "$expand", behind),
        ("/r2/sessions?$apply=topcount(1,startDateTime)&$expand=segments", 501, "$expand", behind),
        (
            "/r2/modalities?$apply=aggregate($count as n)",
            501,
            "$apply",
            "$apply on the items of a property is not supported yet.",
        ),
    ]);
}
