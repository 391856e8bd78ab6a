//! Paths as clients write them, with the steps they mean.

use crate::bound::{Resource, Step};
use crate::error::{Error, Kind};
use crate::literal::Literal;

fn bound(path: &str) -> Result<Resource, Error> {
    crate::tests::parse(path, "").map(|(resource, _)| resource)
}

/// The steps of a path in short, or the error's sentence.
fn steps(path: &str) -> String {
    steps_with(path, "")
}

fn steps_with(path: &str, query: &str) -> String {
    match crate::tests::parse(path, query) {
        Ok((resource, _)) => {
            resource.steps.iter().map(short).collect::<Vec<_>>().join(" ")
                + if resource.is_collection { " []" } else { "" }
        }
        Err(error) => error.to_string(),
    }
}

fn short(step: &Step) -> String {
    match step {
        Step::EntitySet { name, .. } | Step::Singleton { name, .. } => (*name).to_owned(),
        Step::Navigation(property) => property.name.to_owned(),
        Step::Property(property) => format!(".{}", property.name),
        Step::Key(key) => format!("<{key}>"),
        Step::Cast(ty) => format!("as {}", ty.name),
        Step::Operation { operation, namespace, arguments } => {
            let arguments: Vec<String> =
                arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{namespace}:{}({})", operation.name, arguments.join(","))
        }
        Step::Call(call) => call.to_string(),
        Step::Filter(condition) => format!("[{condition}]"),
        Step::Count => "$count".to_owned(),
        Step::Ref => "$ref".to_owned(),
        Step::Value => "$value".to_owned(),
    }
}

#[test]
fn keys_stand_as_segments_or_in_parentheses() {
    for path in [
        "communications/callRecords/a-1/sessions/b/segments/c",
        "/communications/callRecords('a-1')/sessions('b')/segments('c')/",
        "communications/callRecords(id='a-1')/sessions/b/segments(id='c')",
        "communications/callRecords%28%27a-1%27%29/sessions('b')/segments/c",
        "communications/callRecords(@a)/sessions(id=@b)/segments/c",
    ] {
        assert_eq!(
            steps_with(path, "@a='a-1'&@b='b'"),
            "communications callRecords <a-1> sessions <b> segments <c>",
            "{path}"
        );
    }
}

#[test]
fn a_key_may_hold_any_character() {
    for (path, key) in [
        ("communications/callRecords('O''Neil')", "O'Neil"),
        ("communications/callRecords('a%2Fb')", "a/b"),
        ("communications/callRecords/a%2Fb", "a/b"),
        ("communications/callRecords('a)(''b')", "a)('b"),
        ("communications/callRecords/+49%20(30)", "+49 (30)"),
        ("communications/callRecords('')", ""),
        (
            "communications/callRecords(e523d2ed-2966-4b6b-925b-754a88034cc5)",
            "e523d2ed-2966-4b6b-925b-754a88034cc5",
        ),
    ] {
        assert_eq!(steps(path), format!("communications callRecords <{key}>"), "{path}");
    }
}

#[test]
fn what_follows_an_entity_or_collection_is_told_apart() {
    let cases = [
        ("communications/callRecords/$count", "communications callRecords $count"),
        (
            "communications/callRecords/x/organizer_v2",
            "communications callRecords <x> organizer_v2",
        ),
        (
            "communications/callRecords/x/startDateTime/$value",
            "communications callRecords <x> .startDateTime $value",
        ),
        (
            "communications/callRecords/x/modalities",
            "communications callRecords <x> .modalities []",
        ),
        (
            "communications/callRecords/x/organizer/tenantId",
            "communications callRecords <x> .organizer .tenantId",
        ),
        (
            "communications/callRecords/x/sessions/$ref",
            "communications callRecords <x> sessions $ref []",
        ),
        (
            "communications/callRecords/x/sessions/y/caller/callRecords.participantEndpoint/name",
            "communications callRecords <x> sessions <y> .caller as microsoft.graph.callRecords.participantEndpoint .name",
        ),
    ];
    for (path, expect) in cases {
        assert_eq!(steps(path), expect, "{path}");
    }
}

#[test]
fn functions_go_by_short_and_qualified_names() {
    let arguments = "(fromDateTime=2019-11-01,toDateTime=2019-12-01T00:00:00%2B00:00)";
    for name in
        ["getPstnCalls", "microsoft.graph.callRecords.getPstnCalls", "callRecords.getPstnCalls"]
    {
        assert_eq!(
            steps(&format!("communications/callRecords/{name}{arguments}")),
            "communications callRecords microsoft.graph.callRecords:getPstnCalls(\
             fromDateTime=2019-11-01T00:00:00Z,toDateTime=2019-12-01T00:00:00Z) []"
        );
    }
    assert_eq!(
        steps("communications/callRecords/x/callvault.version(version=2)/sessions/y"),
        "communications callRecords <x> callvault:version(version=2) sessions <y>"
    );
    for path in ["callvault.versions()", "versions", "callvault.versions"] {
        assert_eq!(
            steps(&format!("communications/callRecords('x')/{path}")),
            "communications callRecords <x> callvault:versions() []"
        );
    }
    assert_eq!(
        steps("communications/callRecords/callvault.import"),
        "communications callRecords callvault:import()"
    );
}

#[test]
fn the_comma_that_a_template_library_drops_is_not_missed() {
    for (text, query) in [
        (
            "(fromDateTime=2019-11-01T00%3A00%3A00%2B00%3A00toDateTime=2019-12-01T00%3A00%3A00%2B00%3A00)",
            "",
        ),
        ("(fromDateTime=2019-11-01toDateTime=2019-12-01)", ""),
        ("(fromDateTime=2019-11-01T00:00:00ZtoDateTime=2019-12-01)", ""),
        ("(toDateTime=@b,fromDateTime=@a)", "@a=2019-11-01&@b=2019-12-01"),
        ("", "@fromDateTime=2019-11-01&@toDateTime=2019-12-01"),
    ] {
        assert_eq!(
            steps_with(&format!("communications/callRecords/getPstnCalls{text}"), query),
            "communications callRecords microsoft.graph.callRecords:getPstnCalls(\
             fromDateTime=2019-11-01T00:00:00Z,toDateTime=2019-12-01T00:00:00Z) []",
            "{text}"
        );
    }
}

#[test]
fn wrong_arguments_are_refused_with_their_place() {
    for (text, message) in [
        (
            "fromDateTime=,toDateTime=",
            "Expression expected at position 13 in 'fromDateTime=,toDateTime='.",
        ),
        (
            "fromDateTime=2019-11-01",
            "Parameter 'toDateTime' expected at position 23 in 'fromDateTime=2019-11-01'.",
        ),
        (
            "from=2019-11-01",
            "Name of a parameter expected but found 'from' at position 0 in 'from=2019-11-01'.",
        ),
        (
            "fromDateTime='x',toDateTime=2019-11-01",
            "Type mismatch: Edm.DateTimeOffset expected but found Edm.String at position 13 in 'fromDateTime='x',toDateTime=2019-11-01'.",
        ),
        (
            "fromDateTime=null,toDateTime=2019-11-01",
            "Type mismatch: Edm.DateTimeOffset expected but found null at position 13 in 'fromDateTime=null,toDateTime=2019-11-01'.",
        ),
        (
            "toDateTime=2019-11-01,toDateTime=2019-11-01",
            "The query option 'toDateTime' is given more than once.",
        ),
    ] {
        assert_eq!(steps(&format!("communications/callRecords/getPstnCalls({text})")), message);
    }
}

#[test]
fn segments_that_the_model_does_not_have_are_named() {
    let cases = [
        ("", ""),
        ("foo", "foo"),
        ("Communications", "Communications"),
        ("communications/callrecords", "callrecords"),
        ("communications/calls", "calls"),
        ("communications//callRecords", ""),
        ("communications/callRecords//", ""),
        ("communications/callRecords/x/foo", "foo"),
        ("communications/callRecords/x/sessions/y/participants_v2", "participants_v2"),
        ("communications/callRecords/$foo", "$foo"),
        ("communications/callRecords/x/$count", "$count"),
        ("communications/callRecords/$count/x", "x"),
        ("communications/callRecords/x/versions()/y", "y"),
        ("communications/callRecords/x/id/foo", "foo"),
        ("communications/callRecords('x'", "callRecords('x'"),
        ("communications('x')", "communications('x')"),
        ("communications/callRecords/x/organizer_v2('y')", "organizer_v2('y')"),
        ("communications/callRecords('x')('y')", "callRecords('x')('y')"),
    ];
    for (path, segment) in cases {
        let error = bound(path).unwrap_err();
        assert_eq!(error.kind, Kind::NotFound { segment: segment.to_owned() }, "{path}");
    }
    for path in ["communications/callRecords('x", "communications/callRecords(id=)"] {
        assert!(bound(path).is_err(), "{path}");
    }
}

#[test]
fn wrong_keys_and_segments_that_are_not_built_are_told_apart() {
    let kind = |path: &str| bound(path).unwrap_err().kind;
    assert_eq!(
        kind("communications/callRecords(foo='x')"),
        Kind::UnknownProperty { name: "foo".into() }
    );
    for path in ["communications/callRecords()", "communications/callRecords('x','y')"] {
        assert!(matches!(kind(path), Kind::Malformed { .. }), "{path}");
    }
    assert!(matches!(kind("communications/callRecords/$each"), Kind::NotBuilt { .. }));
    assert!(matches!(kind("communications/callRecords/$query"), Kind::NotFound { .. }));
    assert!(matches!(kind("communications/callRecords/%zz"), Kind::Malformed { .. }));
}

#[test]
fn a_path_prints_keys_so_that_they_are_read_as_keys() {
    for (path, printed) in [
        ("communications/callRecords('e5-1')/sessions", "communications/callRecords/e5-1/sessions"),
        (
            "communications/callRecords('getPstnCalls')",
            "communications/callRecords('getPstnCalls')",
        ),
        ("communications/callRecords/+49", "communications/callRecords('+49')"),
        (
            "communications/callRecords/x/version(version=2)",
            "communications/callRecords('x')/callvault.version(version=2)",
        ),
    ] {
        let resource = bound(path).unwrap();
        assert_eq!(resource.to_string(), printed);
        assert_eq!(bound(printed).unwrap(), resource);
    }
    let resource = bound("communications/callRecords/x/version(version=2)").unwrap();
    let Some(Step::Operation { arguments, .. }) = resource.steps.last() else { panic!() };
    assert_eq!(arguments, &[("version", Literal::Integer(2))]);
}

#[test]
fn conditions_stand_in_paths() {
    for (path, query, expect) in [
        (
            "communications/callRecords/$filter(version%20gt%205)/$count",
            "",
            "communications callRecords [version gt 5] $count",
        ),
        (
            "communications/callRecords/$filter(@f)",
            "@f=sessions/any(s:s/isTest)",
            "communications callRecords [sessions/any(s:s/isTest)] []",
        ),
        (
            "communications/callRecords/$filter(sessions/any(s:s/id eq ')/('))/x/id",
            "",
            "communications callRecords [sessions/any(s:s/id eq ')/(')] <x> .id",
        ),
        (
            "communications/callRecords/x/sessions/%24filter%28isTest%29/$filter(id%20eq%20'a%2Fb')",
            "",
            "communications callRecords <x> sessions [isTest] [id eq 'a/b'] []",
        ),
        (
            "communications/callRecords/x/modalities/$filter($this eq 'audio')",
            "",
            "communications callRecords <x> .modalities [$this eq 'audio'] []",
        ),
    ] {
        assert_eq!(steps_with(path, query), expect, "{path}");
        let (resource, _) = crate::tests::parse(path, query).unwrap();
        assert_eq!(bound(&resource.to_string()).as_ref(), Ok(&resource), "{resource}");
    }
    for (path, message) in [
        ("$filter(foo eq 1)", "Unknown property 'foo' at position 0 in 'foo eq 1'."),
        ("$filter(id eq 'x'", "')' expected at position 17 in '$filter(id eq 'x''."),
        (
            "$filter(id)",
            "Type mismatch: Edm.Boolean expected but found Edm.String at position 0 in 'id'.",
        ),
        ("$filter()", "Expression expected at position 0 in ''."),
        ("x/$filter(id eq 'x')", "Resource not found for the segment '$filter(id eq 'x')'."),
    ] {
        assert_eq!(steps(&format!("communications/callRecords/{path}")), message, "{path}");
    }
}

#[test]
fn paths_lead_down_to_single_values() {
    for (path, expect) in [
        (
            "communications/callRecords/x/organizer_v2/identity/displayName/$value",
            "communications callRecords <x> organizer_v2 .identity .displayName $value",
        ),
        (
            "communications/callRecords/x/organizer/tenantId",
            "communications callRecords <x> .organizer .tenantId",
        ),
        (
            "communications/callRecords/x/modalities/$count",
            "communications callRecords <x> .modalities $count",
        ),
    ] {
        assert_eq!(steps(path), expect, "{path}");
    }
    assert!(crate::tests::parse("communications/callRecords/x/id/$value", "$select=id").is_err());
    assert!(
        crate::tests::parse("communications/callRecords/x/sessions/$ref", "$expand=segments")
            .is_err()
    );
}

#[test]
fn misspelt_operations_are_no_keys() {
    let path = "communications/callRecords/microsoft.graph.callRecords.getPstnCals()";
    let error = crate::tests::parse(path, "").unwrap_err();
    assert!(matches!(error.kind, Kind::NotFound { .. }), "{error}");
    assert!(error.to_string().contains("Did you mean 'microsoft.graph.callRecords.getPstnCalls'?"));
    assert!(crate::tests::parse("communications/callRecords/a.b", "").is_ok());
}
