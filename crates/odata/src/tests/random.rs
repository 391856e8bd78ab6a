//! Properties over random requests: what is printed reads back to the same, and nothing panics.

use proptest::prelude::*;

use super::{RECORD, list, parse};
use crate::bound::{ExpandItem, Expr, Operator, Query, Select, Selected};
use crate::literal::Literal;
use crate::names;
use crate::primitive::DateTimeOffset;
use crate::tests_model::MODEL;

fn filter() -> impl Strategy<Value = Expr> {
    let start = (
        prop::sample::select(vec![Operator::Lt, Operator::Le, Operator::Gt, Operator::Ge]),
        -60_000_000_000_000_000_i64..250_000_000_000_000_000,
    )
        .prop_map(|(operator, ticks)| Expr::Compare {
            path: vec![property(RECORD, "startDateTime")],
            operator,
            value: Literal::DateTimeOffset(DateTimeOffset(ticks)),
        });
    let participant = ("[a-z]{1,3}x", any::<String>()).prop_map(|(variable, id)| Expr::Any {
        navigation: property(RECORD, "participants_v2"),
        variable,
        body: Box::new(Expr::Compare {
            path: vec![property("microsoft.graph.callRecords.participant", "id")],
            operator: Operator::Eq,
            value: Literal::String(id),
        }),
    });
    prop::collection::vec(prop_oneof![start, participant], 1..5)
        .prop_map(|mut parts| if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
}

fn property(ty: &str, name: &str) -> &'static crate::edm::Property {
    names::property(MODEL.find_type(ty).unwrap(), name).unwrap()
}

/// A selection of members of `ty`, each at most once.
fn select(
    ty: &'static str,
    names: &'static [&'static str],
) -> impl Strategy<Value = Option<Select>> {
    let members = prop::sample::subsequence(names, 0..=names.len()).prop_shuffle();
    (any::<bool>(), members).prop_map(move |(all, names)| {
        let members: Vec<Selected> = names
            .into_iter()
            .map(|name| Selected {
                name: name.to_owned(),
                property: Some(property(ty, name)),
                select: None,
            })
            .collect();
        (all || !members.is_empty()).then_some(Select { all, members })
    })
}

fn query() -> impl Strategy<Value = Query> {
    const SESSION: &str = "microsoft.graph.callRecords.session";
    let sessions = (select(SESSION, &["id", "startDateTime", "caller", "segments"]), any::<bool>())
        .prop_map(|(select, with_segments)| ExpandItem {
            property: property(RECORD, "sessions"),
            query: Box::new(Query {
                select,
                expand: with_segments
                    .then(|| ExpandItem {
                        property: property(SESSION, "segments"),
                        query: Box::default(),
                    })
                    .into_iter()
                    .collect(),
                ..Query::default()
            }),
        });
    let organizer =
        Just(ExpandItem { property: property(RECORD, "organizer_v2"), query: Box::default() });
    (
        prop::option::of(filter()),
        select(RECORD, &["id", "version", "type", "organizer", "sessions"]),
        prop::option::of(sessions),
        prop::option::of(organizer),
        prop::option::of(0..=2_147_483_647_u64),
        any::<bool>(),
    )
        .prop_map(|(filter, select, sessions, organizer, top, count)| Query {
            filter,
            select,
            expand: sessions.into_iter().chain(organizer).collect(),
            top,
            count,
            ..Query::default()
        })
}

proptest! {
    #[test]
    fn a_printed_query_means_what_it_meant(query in query()) {
        let printed = query.to_query_string();
        prop_assert_eq!(list(&printed).map_err(|error| error.to_string()), Ok(query), "{}", printed);
    }

    #[test]
    fn a_printed_path_means_what_it_meant(id in "\\PC{1,20}", session in "[0-9a-f-]{1,20}") {
        for text in [
            format!("communications/callRecords/{}", crate::percent::encode_segment(&id)),
            format!("communications/callRecords/{}/sessions/{session}/segments",
                crate::percent::encode_segment(&id)),
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
