//! `join`, `outerjoin` and `isdefined` in `$apply`.

use serde_json::json;

use super::{Asked, RECORDS};

#[test]
fn records_are_joined_with_what_is_related_to_them() {
    let mut asked = Asked::new();
    let mut value = |query: &str| asked.body(&format!("{RECORDS}?$apply={query}"))["value"].clone();
    let pairs = |value: &serde_json::Value| {
        let pair = |item: &serde_json::Value| {
            let of = |name: &str| item[name].as_str().unwrap_or("-").to_owned();
            format!("{}:{}", of("id"), item["s"]["id"].as_str().unwrap_or("-"))
        };
        value.as_array().unwrap().iter().map(pair).collect::<Vec<_>>().join(" ")
    };
    let found = value("filter(version ge 2 and version le 7)/join(sessions as s)/orderby(id,s/id)");
    assert_eq!(pairs(&found), "r2:r2a r2:r2b r2:r2c r3:r3a r7:r7a r7:r7b");
    assert_eq!(found[0].get("sessions"), None);
    assert_eq!(found[0]["s"].get("segments"), None);
    let found = value(
        "filter(startswith(id,'r') and id lt 'r6')/outerjoin(sessions as s)/orderby(id,s/id)",
    );
    assert_eq!(pairs(&found), "r1:r1a r2:r2a r2:r2b r2:r2c r3:r3a r4:- r5:-");
    let found = value("outerjoin(sessions as s,filter(isTest))/filter(s ne null)");
    assert_eq!(pairs(&found), "r2:r2c");
    let found = value("join(sessions as s,orderby(id desc)/top(1))/filter(id eq 'r2')");
    assert_eq!(pairs(&found), "r2:r2c");
    let found = value(
        "join(sessions as s)/groupby((id),aggregate($count as n))/filter(n gt 1)/orderby(id)",
    );
    let counts: Vec<_> = found.as_array().unwrap().iter().map(|it| (&it["id"], &it["n"])).collect();
    assert_eq!(counts, [(&json!("r2"), &json!(3)), (&json!("r7"), &json!(2))]);
    let found = value("JOIN(sessions/segments AS g)/aggregate(g/id WITH CountDistinct AS n)");
    assert_eq!(found[0]["n"], 9);
    let found = value(
        "join(sessions as s,aggregate($count as n))/groupby((id),aggregate(s/n with max as n))/filter(n eq 3)",
    );
    assert_eq!(found[0]["id"], "r2");
    let count = asked.get(&format!("{RECORDS}/$count?$apply=join(sessions as s)")).text();
    assert_eq!(count, "9");
    let body = asked.body(&format!(
        "{RECORDS}/callvault.sessions()?$apply=outerjoin(segments as g)/groupby((id),aggregate($count as n))&$filter=n gt 1"
    ));
    assert_eq!(body["value"][0]["id"], "r2a");
}

#[test]
fn wrong_joins_are_refused_with_their_position() {
    Asked::new().refusals(&[
        (
            "?$apply=join(sessions as id)",
            400,
            "$apply",
            "The name 'id', which another member has, is not allowed here.",
        ),
        (
            "?$apply=join(version as v)",
            400,
            "$apply",
            "Type mismatch: a collection of entities or complex values expected but found Edm.Int64 at position 5 in 'join(version as v)'.",
        ),
        ("?$apply=join(sessions)", 400, "$apply", "'as' expected but found ')' at position 13 in 'join(sessions)'."),
        (
            "?$apply=join(sessions as s)/filter(s/x eq 1)",
            400,
            "$apply",
            "Unknown property 'x' at position 29 in 'join(sessions as s)/filter(s/x eq 1)'.",
        ),
        ("?$apply=nest(sessions as s)", 501, "$apply", "The transformation 'nest' is not supported yet."),
        (
            "?$apply=groupby((organizer_v2))",
            501,
            "$apply",
            "Grouping by an entity or a complex value is not supported yet.",
        ),
        (
            "?$apply=aggregate(sessions(id with max as m))",
            501,
            "$apply",
            "Figures of what is related to the items is not supported yet.",
        ),
        (
            "?$filter=version gt $these/aggregate(version with average)",
            501,
            "$filter",
            "A path from '$these' is not supported yet.",
        ),
    ]);
}

#[test]
fn members_that_were_aggregated_away_are_not_defined() {
    let mut asked = Asked::new();
    let mut count = |query: &str| asked.get(&format!("{RECORDS}/$count?{query}")).text();
    let rolled = "$apply=groupby((rollup($all,type)),aggregate($count as n))";
    assert_eq!(count(&format!("{rolled}/filter(isdefined(type))")), "4");
    assert_eq!(count(&format!("{rolled}/filter(not isdefined(type))")), "1");
    assert_eq!(count(&format!("{rolled}/filter(isdefined(version))")), "0");
    assert_eq!(count(&format!("{rolled}/filter(isdefined(n))")), "5");
    assert_eq!(count("$filter=isdefined(joinWebUrl)"), "8");
    let mixed = "$apply=concat(identity,aggregate($count as n))";
    assert_eq!(count(&format!("{mixed}/filter(isdefined(n))")), "1");
    assert_eq!(count(&format!("{mixed}/filter(isdefined(version))")), "8");
    asked.refusals(&[(
        "?$filter=isdefined(nothing)",
        400,
        "$filter",
        "Unknown property 'nothing' at position 10 in 'isdefined(nothing)'.",
    )]);
}

#[test]
fn names_of_the_language_have_any_case() {
    Asked::new().lists(
        RECORDS,
        &[
            ("?$apply=FILTER(version EQ 1)/OrderBy(id DESC)/Top(2)", "r6 r4"),
            ("?$apply=GroupBy((id),Aggregate($COUNT AS n))/Filter(id EQ 'r1')", "r1"),
            ("?$apply=TopCount(2,version)&$OrderBy=id", "r5 r7"),
            ("?filter=StartsWith(id,'r1')", "r1"),
            ("?$filter=modalities/Any(m:m EQ 'video')&orderby=id", "r2 r3 r7"),
        ],
    );
}
