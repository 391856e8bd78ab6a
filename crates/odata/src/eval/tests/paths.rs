//! Paths through members, collections, casts and lambdas.

use super::*;
use crate::bound::{Quantifier, Search};
use crate::eval::Searcher;
use Operator::{Eq, Gt};

const RECORD: &str = r##"{"id":"r1","version":2,"modalities":["audio","video"],
    "organizer":{"id":"u1","displayName":"Ann","tenantId":"T","Echo":true},
    "sessions":[
      {"id":"S1","isTest":true,"segments":[{"id":"a"},{"id":"b","startDateTime":"2020-01-01T00:00:00Z"}],
       "caller":{"@odata.type":"#microsoft.graph.callRecords.participantEndpoint","name":"pc"}},
      {"id":"S2","segments":[],
       "caller":{"@odata.type":"microsoft.graph.callRecords.endpoint","name":"server"}},
      {"id":"S3"}]}"##;

fn property(ty: &str, name: &str) -> PathStep {
    PathStep::Property(structured(ty).property(name).unwrap())
}

fn sessions(more: Vec<PathStep>) -> Expr {
    with_steps(with_steps(path(""), vec![property("callRecord", "sessions")]), more)
}

fn lambda(quantifier: Quantifier, name: &str, body: Expr) -> PathStep {
    PathStep::Lambda { quantifier, body: Some((name.to_owned(), Box::new(body))) }
}

fn count(filter: Option<Expr>, search: Option<&str>) -> PathStep {
    let search = search.map(|word| Search::Word(word.to_owned()));
    PathStep::Count { filter: filter.map(Box::new), search }
}

fn variable(name: &str, names: &str) -> Expr {
    from(Root::Variable(name.to_owned()), names)
}

#[test]
fn members_are_read_with_their_types_and_missing_ones_are_null() {
    assert_eq!(record(&path("version"), RECORD), "2");
    assert_eq!(record(&path("organizer/displayName"), RECORD), "\"Ann\"");
    assert_eq!(record(&path("organizer/tenantId"), RECORD), "\"T\"");
    assert_eq!(record(&path("organizer/Echo"), RECORD), "true");
    for missing in ["joinWebUrl", "organizer/x", "organizer_v2/identity/id", "version/x"] {
        assert_eq!(record(&path(missing), RECORD), "null", "{missing}");
    }
    assert_eq!(record(&path("modalities"), RECORD), "[\"audio\",\"video\"]");
}

#[test]
fn any_and_all_know_their_variable_and_the_item() {
    let is_video = compare(Eq, variable("m", ""), text("video"));
    let modalities = || path("modalities");
    for (quantifier, expected) in [(Quantifier::Any, "true"), (Quantifier::All, "false")] {
        let step = lambda(quantifier, "m", is_video.clone());
        assert_eq!(record(&with_steps(modalities(), vec![step]), RECORD), expected);
    }
    let inner = compare(Eq, variable("s", "id"), text("s2"));
    let both = expr(ExprKind::And(vec![inner, compare(Gt, path("version"), int(1))]));
    assert_eq!(record(&sessions(vec![lambda(Quantifier::Any, "s", both)]), RECORD), "false");
    let inner = compare(Eq, variable("s", "id"), text("S2"));
    let both = expr(ExprKind::And(vec![inner, compare(Gt, path("version"), int(1))]));
    assert_eq!(record(&sessions(vec![lambda(Quantifier::Any, "s", both)]), RECORD), "true");
}

#[test]
fn lambdas_nest_and_inner_ones_see_outer_variables() {
    let same = compare(Eq, variable("g", "id"), text("b"));
    let test = compare(Eq, variable("s", "isTest"), boolean(true));
    let segments = with_steps(
        variable("s", ""),
        vec![
            property("session", "segments"),
            lambda(Quantifier::Any, "g", expr(ExprKind::And(vec![same, test]))),
        ],
    );
    assert_eq!(record(&sessions(vec![lambda(Quantifier::Any, "s", segments)]), RECORD), "true");
}

#[test]
fn nothing_has_no_items() {
    let nothing = || with_steps(path("x"), vec![]);
    let never = || lambda(Quantifier::Any, "x", boolean(true));
    let always = || lambda(Quantifier::All, "x", boolean(false));
    assert_eq!(record(&with_steps(nothing(), vec![never()]), RECORD), "false");
    assert_eq!(record(&with_steps(nothing(), vec![always()]), RECORD), "true");
    assert_eq!(record(&with_steps(path("x/y"), vec![count(None, None)]), RECORD), "0");
    let some = PathStep::Lambda { quantifier: Quantifier::Any, body: None };
    assert_eq!(record(&with_steps(nothing(), vec![some.clone()]), RECORD), "false");
    assert_eq!(record(&sessions(vec![some]), RECORD), "true");
}

#[test]
fn a_lambda_counts_null_as_not_met() {
    let body = variable("s", "isTest");
    assert_eq!(record(&sessions(vec![lambda(Quantifier::Any, "s", body.clone())]), RECORD), "true");
    assert_eq!(record(&sessions(vec![lambda(Quantifier::All, "s", body)]), RECORD), "false");
}

#[test]
fn counts_filter_and_search_their_items() {
    struct Ids;
    impl Searcher for Ids {
        fn matches(&self, search: &Search, item: Item<'_>) -> bool {
            let id = item.node.get("id").and_then(Node::as_text);
            matches!(search, Search::Word(word) if id.is_some_and(|id| id.is(word)))
        }
    }
    let is_test = compare(Eq, path("isTest"), boolean(true));
    assert_eq!(record(&sessions(vec![count(None, None)]), RECORD), "3");
    assert_eq!(record(&sessions(vec![count(Some(is_test.clone()), None)]), RECORD), "1");
    let filtered = vec![PathStep::Filter(Box::new(is_test)), count(None, None)];
    assert_eq!(record(&sessions(filtered), RECORD), "1");
    let node = Node::parse(RECORD).unwrap();
    let item = Item { node: &node, ty: Type::Structured(structured("callRecord")) };
    let program = Program::new(&sessions(vec![count(None, Some("S3"))]));
    assert!(
        program
            .value(&Scope::new(item, Environment { searcher: &Ids, ..environment() }))
            .equals(&Value::Int(1))
    );
    assert!(program.value(&Scope::new(item, environment())).equals(&Value::Int(0)));
}

#[test]
fn casts_lead_on_only_for_objects_of_the_type() {
    let cast = PathStep::Cast(structured("participantEndpoint"));
    let name = property("participantEndpoint", "name");
    let caller = vec![property("session", "caller"), cast, name];
    let named = |wanted: &str| {
        let end = with_steps(variable("s", ""), caller.clone());
        let body = compare(Eq, end, text(wanted));
        record(&sessions(vec![lambda(Quantifier::Any, "s", body)]), RECORD)
    };
    assert_eq!(named("pc"), "true");
    assert_eq!(named("server"), "false");
    let is_of = |name| {
        let caller = with_steps(variable("s", ""), vec![property("session", "caller")]);
        let ty = Type::Structured(structured(name));
        let body = expr(ExprKind::IsOf(Box::new(caller), ty));
        let matching = vec![lambda(Quantifier::All, "s", body)];
        record(&sessions(matching), &RECORD.replace(",\n      {\"id\":\"S3\"}", ""))
    };
    assert_eq!(is_of("endpoint"), "true");
    assert_eq!(is_of("participantEndpoint"), "false");
}

#[test]
fn keys_find_an_entity_of_a_collection() {
    let of = |key: &str| {
        let steps = vec![PathStep::Key(key.to_owned()), property("session", "isTest")];
        record(&sessions(steps), RECORD)
    };
    assert_eq!(of("S1"), "true");
    assert_eq!(of("S9"), "null");
}

#[test]
fn a_path_through_collections_gives_every_value() {
    let ids = sessions(vec![property("session", "segments"), property("segment", "id")]);
    let values = each(&ids, RECORD, Type::Structured(structured("callRecord")));
    assert_eq!(format!("{values:?}"), "[Text(\"a\"), Text(\"b\"), Null]");
    let counts = sessions(vec![property("session", "segments"), count(None, None)]);
    let values = each(&counts, RECORD, Type::Structured(structured("callRecord")));
    assert_eq!(format!("{values:?}"), "[Int(2), Int(0), Int(0)]");
}

#[test]
fn the_outermost_item_is_seen_from_inside() {
    let inner = compare(Eq, from(Root::Outermost, "id"), text("r1"));
    let filtered = vec![PathStep::Filter(Box::new(inner)), count(None, None)];
    assert_eq!(record(&sessions(filtered), RECORD), "3");
}
