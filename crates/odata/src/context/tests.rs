//! Context URLs as Graph writes them.

use super::*;
use crate::tests::parse;

fn context(path: &str, query: &str) -> String {
    let (resource, query) = parse(path, query).unwrap();
    of(&resource, &query)
}

/// Paths and options, each with the context of its answer.
const CONTEXTS: &[(&str, &str, &str)] = &[
    ("communications/callRecords/x", "", "communications/callRecords/$entity"),
    ("communications/callRecords", "", "communications/callRecords"),
    (
        "communications/callRecords/x",
        "$expand=sessions",
        "communications/callRecords(sessions())/$entity",
    ),
    (
        "communications/callRecords('x')",
        "$expand=sessions($expand=segments)",
        "communications/callRecords(sessions(segments()))/$entity",
    ),
    (
        "communications/callRecords/x",
        "$select=participants_v2&$expand=participants_v2",
        "communications/callRecords(participants_v2())/$entity",
    ),
    (
        "communications/callRecords/x",
        "$expand=participants_v2,sessions",
        "communications/callRecords(participants_v2(),sessions())/$entity",
    ),
    (
        "communications/callRecords/x",
        "$select=id,version&$expand=sessions($select=id;$expand=segments)",
        "communications/callRecords(id,version,sessions(id,segments()))/$entity",
    ),
    (
        "communications/callRecords",
        "$select=id,organizer/id,*",
        "communications/callRecords(*,id,organizer/id)",
    ),
    (
        "communications/callRecords",
        "$select=id,sessions",
        "communications/callRecords(id,sessions)",
    ),
    ("communications/callRecords/x/sessions", "", "communications/callRecords('x')/sessions"),
    (
        "communications/callRecords/x/sessions",
        "$expand=segments",
        "communications/callRecords('x')/sessions(segments())",
    ),
    (
        "communications/callRecords/x/sessions/y",
        "",
        "communications/callRecords('x')/sessions/$entity",
    ),
    (
        "communications/callRecords/x/sessions/y/segments",
        "",
        "communications/callRecords('x')/sessions('y')/segments",
    ),
    (
        "communications/callRecords/x/sessions/y/segments/z",
        "$select=id",
        "communications/callRecords('x')/sessions('y')/segments(id)/$entity",
    ),
    (
        "communications/callRecords/x/organizer_v2",
        "",
        "communications/callRecords('x')/organizer_v2/$entity",
    ),
    (
        "communications/callRecords/O'Neil%20é/participants_v2",
        "",
        "communications/callRecords('O''Neil%20%C3%A9')/participants_v2",
    ),
    (
        "communications/callRecords/x/startDateTime",
        "",
        "communications/callRecords('x')/startDateTime",
    ),
    (
        "communications/callRecords/x/organizer",
        "$select=id",
        "communications/callRecords('x')/organizer(id)",
    ),
    (
        "communications/callRecords/getPstnCalls(fromDateTime=2019-11-01,toDateTime=2019-12-01)",
        "",
        "Collection(microsoft.graph.callRecords.pstnCallLogRow)",
    ),
    ("communications/callRecords/x/callvault.versions()", "", "communications/callRecords"),
    (
        "communications/callRecords/x/callvault.version(version=2)",
        "$expand=sessions",
        "communications/callRecords(sessions())/$entity",
    ),
    ("communications", "", "communications"),
    ("communications/callRecords/x/sessions/$ref", "", "Collection($ref)"),
    ("communications/callRecords/import", "", ""),
];

#[test]
fn contexts_of_answers_are_those_that_graph_writes() {
    for (path, query, expect) in CONTEXTS {
        assert_eq!(&context(path, query), expect, "{path}?{query}");
    }
}

#[test]
fn contexts_inside_an_answer_name_the_entity() {
    let (list, query) =
        parse("communications/callRecords", "$expand=organizer_v2,sessions($expand=segments)")
            .unwrap();
    let record = entity(&list, "x'y");
    assert_eq!(record, "communications/callRecords('x''y')");
    let (one, _) = parse("communications/callRecords/x'y", "").unwrap();
    assert_eq!(entity(&one, "x'y"), record);

    let [organizer, sessions] = query.expand.as_slice() else { panic!() };
    assert_eq!(
        nested(&record, organizer.property, &organizer.query),
        "communications/callRecords('x''y')/organizer_v2/$entity"
    );
    assert_eq!(
        nested(&record, sessions.property, &sessions.query),
        "communications/callRecords('x''y')/sessions(segments())"
    );

    let (session, query) =
        parse("communications/callRecords/x/sessions/s", "$expand=segments").unwrap();
    let path = entity(&session, "s");
    assert_eq!(
        nested(&path, query.expand[0].property, &query.expand[0].query),
        "communications/callRecords('x')/sessions('s')/segments"
    );
    let (organizer, _) = parse("communications/callRecords/x/organizer_v2", "").unwrap();
    assert_eq!(entity(&organizer, "o"), "communications/callRecords('x')/organizer_v2");
    let (version, _) =
        parse("communications/callRecords/x/callvault.version(version=2)", "").unwrap();
    assert_eq!(entity(&version, "x"), "communications/callRecords('x')");
}
