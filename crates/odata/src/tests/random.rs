//! Properties over random requests: what is printed reads back to the same, and nothing panics.

use proptest::prelude::*;

use super::{list, parse};

/// The text of an expression of each type, on a call record.
fn text() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("id".to_owned()),
        Just("joinWebUrl".to_owned()),
        Just("organizer/tenantId".to_owned()),
        Just("organizer/anything".to_owned()),
        Just("organizer_v2/identity/displayName".to_owned()),
        Just(
            "sessions('a''b')/caller/microsoft.graph.callRecords.participantEndpoint/name"
                .to_owned()
        ),
        "\\PC{0,8}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        Just("null".to_owned()),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("concat({a},{b})")),
            (inner.clone(), -3..9_i32).prop_map(|(a, n)| format!("substring({a},{n})")),
            inner.clone().prop_map(|a| format!("toLower({a})")),
            inner.clone().prop_map(|a| format!("trim({a})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("case(version gt 5:{a},true:{b})")),
            Just("cast(version,Edm.String)".to_owned()),
        ]
    })
    .boxed()
}

fn number() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("version".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:?}")),
        Just("INF".to_owned()),
        Just("- version".to_owned()),
        Just("sessions/$count".to_owned()),
        Just("sessions/$count($filter=isTest;$search=a b)".to_owned()),
        Just("sessions/$filter(isTest eq true)/$count".to_owned()),
        Just("length(id)".to_owned()),
        Just("length(modalities)".to_owned()),
        Just("year(startDateTime)".to_owned()),
        Just("totalseconds(endDateTime sub startDateTime)".to_owned()),
    ];
    let operator = prop::sample::select(vec!["add", "sub", "mul", "div", "divby", "mod"]);
    leaf.prop_recursive(3, 8, 2, move |inner| {
        prop_oneof![
            (inner.clone(), operator.clone(), inner.clone())
                .prop_map(|(a, operator, b)| format!("({a}) {operator} ({b})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.clone().prop_map(|a| format!("round({a})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("case(true:{a},false:{b})")),
        ]
    })
    .boxed()
}

fn time() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("startDateTime".to_owned()),
        Just("endDateTime".to_owned()),
        Just("now()".to_owned()),
        (-60_000_000_000_000_000_i64..250_000_000_000_000_000)
            .prop_map(|ticks| crate::primitive::DateTimeOffset(ticks).to_string()),
    ];
    leaf.prop_recursive(2, 4, 1, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("({a}) add duration")),
            inner.clone().prop_map(|a| format!("({a}) sub 'PT1H30M'")),
            inner.clone().prop_map(|a| format!("({a}) add (2 mul duration)")),
            inner.prop_map(|a| format!(
                "case(true:{a},false:2025-01-01T00:00:00.000000000001+05:30)"
            )),
        ]
    })
    .boxed()
}

/// A condition on a call record.
fn condition() -> BoxedStrategy<String> {
    let operator = prop::sample::select(vec!["eq", "ne", "lt", "le", "gt", "ge"]);
    let compared = |values: BoxedStrategy<String>| {
        (values.clone(), operator.clone(), values)
            .prop_map(|(a, operator, b)| format!("({a}) {operator} ({b})"))
    };
    let leaf = prop_oneof![
        compared(text()),
        compared(number()),
        compared(time()),
        (text(), prop::collection::vec("[a-z']{0,3}", 0..4)).prop_map(|(a, items)| {
            let items: Vec<_> =
                items.iter().map(|item| format!("'{}'", item.replace('\'', "''"))).collect();
            format!("({a}) in ({})", items.join(","))
        }),
        (text(), text()).prop_map(|(a, b)| format!("contains({a},{b})")),
        prop::sample::select(vec!["groupCall", "PEERTOPEER", "1", "newest"])
            .prop_map(|member| format!("'{member}' eq type")),
        Just("type has callRecords.callType'groupCall'".to_owned()),
        Just("type in ('groupCall','unknown')".to_owned()),
        Just("hassubset(modalities,['audio','video'])".to_owned()),
        Just("'audio' in modalities".to_owned()),
        Just("modalities/any(m:m eq 'audio' or startswith(m,'v'))".to_owned()),
        Just("sessions/any()".to_owned()),
        Just("isof(organizer,microsoft.graph.identity)".to_owned()),
        Just("organizer eq null".to_owned()),
        Just("organizer/flag".to_owned()),
        Just("true".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| all.join(" and ")),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|all| format!("({})", all.join(" or "))),
            inner.clone().prop_map(|a| format!("not ({a})")),
            inner.clone().prop_map(|a| format!("({a}) eq (version gt 5)")),
            inner.clone().prop_map(|a| format!("sessions/any(s:s/isTest and ({a}))")),
            inner.prop_map(|a| format!(
                "sessions/all(x:x/segments/any(g:g/startDateTime gt x/startDateTime or ({a})))"
            )),
        ]
    })
    .boxed()
}

/// What `$search` can ask for.
fn search() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        "[a-zA-Z0-9ü]{1,6}"
            .prop_filter("no operator", |word| { !["AND", "OR", "NOT"].contains(&word.as_str()) }),
        "\\PC{1,8}"
            .prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} AND ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} OR ({b})")),
            inner.prop_map(|a| format!("NOT ({a})")),
        ]
    })
    .boxed()
}

fn option(name: &'static str, value: BoxedStrategy<String>) -> BoxedStrategy<Option<String>> {
    prop::option::of(value.prop_map(move |value| format!("{name}={value}"))).boxed()
}

/// Items of `$select`, each at most once.
fn select(names: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::subsequence(names, 1..=names.len()).prop_map(|names| names.join(",")).boxed()
}

fn orderby(names: &'static [&'static str]) -> BoxedStrategy<String> {
    let key = (prop::sample::select(names), any::<bool>())
        .prop_map(|(name, down)| format!("{name}{}", if down { " desc" } else { " asc" }));
    prop::collection::vec(key, 1..4).prop_map(|keys| keys.join(",")).boxed()
}

fn expand() -> BoxedStrategy<String> {
    let nested = (
        option(
            "$filter",
            prop::sample::select(vec!["isTest", "$it/version gt 5 and long gt 'PT1H'", "id eq @p"])
                .prop_map(str::to_owned)
                .boxed(),
        ),
        option("$select", select(&["id", "startDateTime", "caller/userAgent", "long", "*"])),
        option("$orderby", orderby(&["startDateTime", "caller/userAgent", "long"])),
        option("$expand", Just("segments($top=5;$orderby=id)".to_owned()).boxed()),
        option("$top", (0..100_u32).prop_map(|n| n.to_string()).boxed()),
        option("$search", search()),
        option("$count", Just("true".to_owned()).boxed()),
    )
        .prop_map(|(a, b, c, d, e, f, g)| {
            let given = [a, b, c, d, e, f, g].into_iter().flatten();
            let compute = "$compute=startDateTime sub 2025-01-01 as long;@p='x'".to_owned();
            given.chain([compute]).collect::<Vec<_>>().join(";")
        });
    prop_oneof![
        Just("*".to_owned()),
        Just("*($levels=2)".to_owned()),
        Just("organizer_v2,*/$ref".to_owned()),
        Just("sessions/$count($filter=isTest;$search=a),participants_v2/$ref($top=3)".to_owned()),
        nested.prop_map(|options| format!("sessions({options}),participants_v2($skip=1)")),
    ]
    .boxed()
}

/// Transformations that keep what items have, and a last one that need not.
fn apply() -> BoxedStrategy<String> {
    let keeping = prop_oneof![
        Just("identity".to_owned()),
        condition().prop_map(|condition| format!("filter({condition})")),
        search().prop_map(|search| format!("search({search})")),
        orderby(&["id", "version", "organizer/x"]).prop_map(|keys| format!("orderby({keys})")),
        (0..99_u32).prop_map(|number| format!("topcount({number},version)/skip({number})")),
        (0..=100_u32).prop_map(|share| format!("bottompercent({share}.5e-1,year(endDateTime))")),
        Just("concat(identity,top(5),filter(version gt 5)/top(1))".to_owned()),
        Just("groupby((type),topsum(5,version))".to_owned()),
    ];
    let last = prop_oneof![
        Just("identity".to_owned()),
        (1..100_u32).prop_map(|n| format!("aggregate(version with callvault.percentile{n} as x)")),
        Just("groupby((id,version,type))".to_owned()),
        Just("groupby((rollup($all,id,version),organizer/x),aggregate($count as x))".to_owned()),
        Just(
            "groupby((id),aggregate(sessions/$count as a,sessions/segments/id with countdistinct \
             as x)/compute(a mul 2 as b))"
                .to_owned()
        ),
    ];
    (prop::collection::vec(keeping, 0..4), last)
        .prop_map(|(mut steps, last)| {
            steps.push(last);
            steps.join("/")
        })
        .boxed()
}

fn query() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &["id", "version", "type", "organizer", "sessions", "twice", "*"];
    const KEYS: &[&str] = &["id", "version", "type", "organizer/x", "year(endDateTime)", "twice"];
    (
        option("$apply", apply()),
        option("$compute", Just("version mul 2 as twice,twice add 1 as more".to_owned()).boxed()),
        option("$filter", condition()),
        option("$search", search()),
        option("$orderby", orderby(KEYS)),
        option("$select", select(NAMES)),
        option("$expand", expand()),
        option("$skip", any::<u32>().prop_map(|n| n.to_string()).boxed()),
        option("$top", (0..=2_147_483_647_u64).prop_map(|n| n.to_string()).boxed()),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i)| {
            let given = [a, b, c, d, e, f, g, h, i].into_iter().flatten();
            let encoded = given.map(|option| crate::percent::encode_query(&option));
            encoded.collect::<Vec<_>>().join("&")
        })
}

proptest! {
    #[test]
    fn a_condition_of_the_right_types_is_bound(condition in condition()) {
        let text = format!("$filter={}", crate::percent::encode_query(&condition));
        match list(&text).map_err(|error| (error.kind.clone(), error.to_string())) {
            Ok(_) | Err((crate::error::Kind::TooMuch { .. }, _)) => {}
            Err((_, message)) if message.contains("as a variable inside another") => {}
            Err((_, message)) => prop_assert!(false, "{condition}: {message}"),
        }
    }

    #[test]
    fn a_printed_query_means_what_it_meant(query in query()) {
        let Ok(bound) = list(&query) else { return Ok(()) };
        let printed = bound.to_query_string();
        prop_assert_eq!(list(&printed).map_err(|error| error.to_string()), Ok(bound), "{}", printed);
    }

    #[test]
    fn printed_transformations_mean_what_they_meant(apply in apply()) {
        let bound = list(&format!("$apply={}", crate::percent::encode_query(&apply)));
        let bound = match bound {
            Err(error) if matches!(error.kind, crate::error::Kind::TooMuch { .. })
                || error.to_string().contains("as a variable inside another") => return Ok(()),
            bound => bound.map_err(|error| TestCaseError::fail(format!("{apply}: {error}")))?,
        };
        let printed = bound.to_query_string();
        prop_assert_eq!(list(&printed).map_err(|error| error.to_string()), Ok(bound), "{}", printed);
    }

    #[test]
    fn a_printed_path_means_what_it_meant(
        id in "\\PC{1,20}",
        session in "[0-9a-f-]{1,20}",
        condition in condition(),
    ) {
        let id = crate::percent::encode_segment(&id);
        let condition = crate::percent::encode_segment(&condition);
        for text in [
            format!("communications/callRecords/{id}"),
            format!("communications/callRecords/{id}/sessions/{session}/segments"),
            format!("communications/callRecords/$filter({condition})/$count"),
        ] {
            let Ok((resource, _)) = parse(&text, "") else { continue };
            let printed = resource.to_string();
            prop_assert_eq!(parse(&printed, "").map(|(it, _)| it), Ok(resource), "{}", printed);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(path in "\\PC{0,60}", query in "\\PC{0,120}") {
        let _ = parse(&path, &query);
        let _ = parse(&format!("communications/callRecords{path}"), &query);
        for option in ["filter", "expand", "select", "search", "orderby", "compute", "apply"] {
            let _ = list(&format!("{option}={query}"));
            let _ = list(&format!("expand=sessions({option}={query})"));
        }
    }

    #[test]
    fn no_run_of_tokens_makes_the_reader_panic(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "(", ")", "/", ",", ":", ";", "=", "'", "\"", "[", "]", "{", "}", "*", "-", ".", " ",
            "$", "@p", "$it", "$count", "$filter=", "$expand=", "any", "all", "not", "and", "eq",
            "in", "has", "case", "cast", "id", "sessions", "participants_v2", "startDateTime", "p",
            "2025-05-01", "T00:00:00", "Z", "12:30", "5", "1e5", "null", "true", "duration'PT1S'",
            "%27", "%", "%2F", "ü", "\u{7}", "microsoft.graph.identity", "e523d2ed-2966-4b6b-",
            "$filter(", "aggregate(", "groupby((", "with", "sum", "as", "rollup(", "$all",
        ]), 0..30)
    ) {
        let text = tokens.concat();
        for option in ["filter", "expand", "select", "search", "orderby", "compute", "apply"] {
            let _ = list(&format!("{option}={text}&@p={text}"));
        }
        let _ = parse(&format!("communications/callRecords/{text}"), "");
        let _ = parse(&format!("communications/callRecords({text})/sessions/{text}"), "@p=1");
        let _ = parse(&format!("communications/callRecords/getPstnCalls({text})"), "");
    }
}
