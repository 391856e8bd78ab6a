//! Expansions inside an item.

use super::*;
use crate::bound::{Computed, ExpandItem, ExpandKind, OrderKey, PathStep, Query, Search};
use crate::edm::Property;
use crate::eval::{Found, Members, Place, Presenter, Searcher, Shaper};
use Operator::{Eq, Ne};

const RECORD: &str = r##"{"@odata.type":"#x","id":"r","organizer_v2@odata.context":"old",
    "organizer_v2":{"id":"o"},"participants_v2":[{"id":"p"}],"sessions":[
      {"id":"s1","isTest":true,"segments":[{"id":"a"},{"id":"b"},{"id":"c"}]},
      {"id":"s2","isTest":false,"segments":[]},
      {"id":"s3","isTest":true}]}"##;

/// Writes down what it is told.
#[derive(Default)]
struct Notes {
    room: Option<usize>,
    found: Vec<Found>,
}

impl Presenter for Notes {
    fn room(&self, _: &Place<'_>) -> Option<usize> {
        self.room
    }

    fn keeps(&self, property: &'static Property) -> bool {
        property.name == "organizer_v2"
    }

    fn before(&mut self, place: &Place<'_>, members: &mut Members<'_>) {
        let name = place.expand.property.name;
        let owner = place.owner.node.get("id").and_then(Node::as_text).unwrap();
        let depth = std::iter::successors(place.parent, |place| place.parent).count();
        members.text(&[name, "@odata.context"], &[&"^".repeat(depth), &owner.value()]);
    }

    fn after(&mut self, place: &Place<'_>, found: Found, members: &mut Members<'_>) {
        self.found.push(found);
        if found.has_more {
            members.text(&[place.expand.property.name, "@odata.nextLink"], &["more"]);
        }
    }

    fn reference(&mut self, _: &Place<'_>, entity: Item<'_>) -> String {
        format!("http://{}", entity.node.get("id").and_then(Node::as_text).unwrap().value())
    }
}

fn expand(ty: &str, name: &str, kind: ExpandKind, query: Query) -> ExpandItem {
    let property = structured(ty).property(name).unwrap();
    ExpandItem { property, kind, query: Box::new(query) }
}

fn sessions(kind: ExpandKind, query: Query) -> Query {
    Query { expand: vec![expand("callRecord", "sessions", kind, query)], ..Query::default() }
}

fn shaped_by(query: &Query, notes: &mut Notes, searcher: &dyn Searcher) -> String {
    let node = Node::parse(RECORD).unwrap();
    let item = Item { node: &node, ty: Type::Structured(structured("callRecord")) };
    let mut out = Vec::new();
    Shaper::new(query).write(&mut out, item, searcher, notes);
    let out = String::from_utf8(out).unwrap();
    assert!(Node::parse(&out).is_ok(), "{out}");
    out
}

fn shaped(query: &Query) -> String {
    shaped_by(query, &mut Notes::default(), &NoSearch)
}

#[test]
fn what_is_not_expanded_is_taken_out_unless_it_is_kept() {
    let expected = r##"{"@odata.type":"#x","id":"r","organizer_v2@odata.context":"old","organizer_v2":{"id":"o"}}"##;
    assert_eq!(shaped(&Query::default()), expected);
}

#[test]
fn nested_options_apply_to_each_collection() {
    let segments = Query {
        filter: Some(compare(Ne, path("id"), text("a"))),
        orderby: vec![OrderKey { value: path("id"), is_descending: true }],
        count: true,
        top: Some(1),
        ..Query::default()
    };
    let inner = Query {
        filter: Some(compare(Eq, path("isTest"), boolean(true))),
        expand: vec![expand("session", "segments", ExpandKind::Entities, segments)],
        ..Query::default()
    };
    let text = shaped(&sessions(ExpandKind::Entities, inner));
    let expected = concat!(
        r#""sessions@odata.context":"r","sessions":[{"id":"s1","isTest":true,"#,
        r#""segments@odata.context":"^s1","segments@odata.count":2,"segments":[{"id":"c"}]},"#,
        r#"{"id":"s3","isTest":true,"#,
        r#""segments@odata.context":"^s3","segments@odata.count":0,"segments":[]}]}"#,
    );
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn what_does_not_fit_is_reported() {
    let mut notes = Notes { room: Some(2), ..Notes::default() };
    let query = sessions(ExpandKind::Entities, Query { skip: Some(0), ..Query::default() });
    let text = shaped_by(&query, &mut notes, &NoSearch);
    assert!(text.ends_with(r#""sessions@odata.nextLink":"more"}"#), "{text}");
    assert_eq!(notes.found, [Found { shown: 2, count: None, has_more: true }]);
    let mut notes = Notes { room: Some(2), ..Notes::default() };
    let query = sessions(ExpandKind::Entities, Query { top: Some(2), ..Query::default() });
    shaped_by(&query, &mut notes, &NoSearch);
    assert_eq!(notes.found, [Found { shown: 2, count: None, has_more: false }]);
}

#[test]
fn counts_and_references_stand_for_entities() {
    let filter = Some(compare(Eq, path("isTest"), boolean(true)));
    let of = |kind| shaped(&sessions(kind, Query { filter: filter.clone(), ..Query::default() }));
    let text = of(ExpandKind::Count);
    assert!(text.ends_with(r#","sessions@odata.count":2}"#), "{text}");
    let text = of(ExpandKind::Refs);
    let expected = r#""sessions":[{"@odata.id":"http://s1"},{"@odata.id":"http://s3"}]}"#;
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn calculated_members_see_the_outermost_item_and_are_appended() {
    let value = compare(Eq, from(Root::Outermost, "id"), path("id"));
    let count = with_steps(path("segments"), vec![PathStep::Count { filter: None, search: None }]);
    let query = Query {
        compute: vec![
            Computed { value, alias: "same".into() },
            Computed { value: count, alias: "n".into() },
        ],
        filter: Some(compare(Eq, path("n"), int(3))),
        ..Query::default()
    };
    let text = shaped(&sessions(ExpandKind::Entities, query));
    let expected = r##"[{"id":"s1","isTest":true,"same":false,"n@odata.type":"#Int64","n":3}]}"##;
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn single_entities_are_shaped_and_absent_ones_are_null() {
    let value = path("id");
    let query =
        Query { compute: vec![Computed { value, alias: "copy".into() }], ..Query::default() };
    let single = |query| Query {
        expand: vec![expand("callRecord", "organizer_v2", ExpandKind::Entities, query)],
        ..Query::default()
    };
    let text = shaped(&single(query));
    let expected = r#""organizer_v2@odata.context":"r","organizer_v2":{"id":"o","copy":"o"}}"#;
    assert!(text.ends_with(expected) && !text.contains("old"), "{text}");
    let node = Node::parse(r#"{"id":"r"}"#).unwrap();
    let item = Item { node: &node, ty: Type::Structured(structured("callRecord")) };
    let mut out = Vec::new();
    let query = single(Query::default());
    Shaper::new(&query).write(&mut out, item, &NoSearch, &mut Notes::default());
    assert!(out.ends_with(br#""organizer_v2":null}"#));
}

#[test]
fn searching_inside_an_expansion_asks_the_searcher() {
    struct Second;
    impl Searcher for Second {
        fn matches(&self, _: &Search, item: Item<'_>) -> bool {
            item.node.get("id").and_then(Node::as_text).is_some_and(|id| id.is("s2"))
        }
    }
    let search = Some(Search::Word("x".into()));
    let query = sessions(ExpandKind::Entities, Query { search, ..Query::default() });
    let text = shaped_by(&query, &mut Notes::default(), &Second);
    assert!(text.ends_with(r#""sessions":[{"id":"s2","isTest":false}]}"#), "{text}");
}
