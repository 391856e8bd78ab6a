//! The same answer in all the forms that a request can ask for.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use model::generated;
use model::variation::{Shape, Subject, vary};
use odata::MetadataLevel;
use odata::bound::{Query, Select, SelectedMember};
use odata::edm::Type;

const RECORD: &str = r##"{"@odata.context":"https://x/v1.0/$metadata#communications/callRecords/$entity","id":"a","version":12,"type":"holographic","modalities":["audio","smell"],"startDateTime":"2025-01-01T00:00:00Z","joinWebUrl":null,"organizer":{"application":null,"user":{"id":"u"}},"participants":[],"organizer_v2@odata.context":"https://x/v1.0/$metadata#communications/callRecords('a')/organizer_v2/$entity","organizer_v2":{"id":"u","identity":{"user":{"id":"u","displayName":""}}},"sessions@odata.context":"c","sessions":[{"id":"s","caller":{"@odata.type":"#microsoft.graph.callRecords.participantEndpoint","name":"pc","identity":{"user":{"id":"u"}},"feedback":{"rating":"poor","tokens":{}}}}],"sessions@odata.nextLink":"https://x/next"}"##;

fn subject() -> Subject<'static> {
    Subject {
        ty: Type::Structured(&generated::CALL_RECORD),
        is_collection: false,
        path: "communications/callRecords('a')",
        root: "https://x/v1.0/",
    }
}

fn varied(query: &Query, shape: Shape) -> String {
    String::from_utf8(vary(RECORD.as_bytes(), &subject(), query, &shape).unwrap()).unwrap()
}

fn everything() -> Shape {
    Shape { unknown_enum_members: true, ..Shape::default() }
}

#[test]
fn without_wishes_nothing_changes() {
    assert_eq!(varied(&Query::default(), everything()), RECORD);
}

#[test]
fn level_none_keeps_only_links_and_counts() {
    let shape = Shape { metadata: MetadataLevel::None, ..everything() };
    let text = varied(&Query::default(), shape);
    assert!(!text.contains("@odata.context") && !text.contains("@odata.type"), "{text}");
    assert!(text.contains(r#""sessions@odata.nextLink":"https://x/next""#), "{text}");
}

#[test]
fn members_behind_the_sentinel_are_shown_only_on_demand() {
    let text = varied(&Query::default(), Shape::default());
    assert!(text.contains(r#""type":"unknownFutureValue""#), "{text}");
    assert!(text.contains(r#"["audio","unknownFutureValue"]"#), "{text}");
}

#[test]
fn nulls_empty_texts_and_empty_arrays_can_be_left_out_and_empty_objects_stay() {
    let text = varied(&Query::default(), Shape { omit_nulls: true, ..everything() });
    for gone in ["joinWebUrl", "participants\"", "displayName", "application"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    assert!(text.contains(r#""tokens":{}"#), "{text}");
}

#[test]
fn large_integers_become_strings_on_demand() {
    let text = varied(&Query::default(), Shape { ieee754_compatible: true, ..everything() });
    assert!(text.contains(r#""version":"12""#), "{text}");
}

#[test]
fn legacy_identities_can_be_switched_off() {
    let text = varied(&Query::default(), Shape { legacy_identities: false, ..everything() });
    assert!(text.contains(r#""organizer":null,"participants":[]"#), "{text}");
    assert!(text.contains(r#""identity":null,"feedback""#), "{text}");
    assert!(text.contains(r#""organizer_v2":{"id":"u""#), "{text}");
}

#[test]
fn a_selection_keeps_what_it_names_and_what_is_expanded() {
    let property = generated::CALL_RECORD.property("id");
    let members = vec![SelectedMember { name: "id".into(), property, ..SelectedMember::default() }];
    let query = Query { select: Some(Select { all: false, members }), ..Query::default() };
    let text = varied(&query, everything());
    assert_eq!(
        text,
        r#"{"@odata.context":"https://x/v1.0/$metadata#communications/callRecords/$entity","id":"a"}"#
    );
}

#[test]
fn level_full_tells_types_ids_and_links() {
    let shape = Shape { metadata: MetadataLevel::Full, ..everything() };
    let text = varied(&Query::default(), shape);
    for part in [
        r##""@odata.type":"#microsoft.graph.callRecords.callRecord""##,
        r#""@odata.id":"communications/callRecords('a')""#,
        r##""version@odata.type":"#Int64","version":12"##,
        r##""modalities@odata.type":"#Collection(microsoft.graph.callRecords.modality)""##,
        r#""participants_v2@odata.navigationLink":"https://x/v1.0/communications/callRecords('a')/participants_v2""#,
        r#""@odata.id":"communications/callRecords('a')/sessions('s')""#,
        r##""@odata.type":"#microsoft.graph.callRecords.userFeedback""##,
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(text.starts_with(r#"{"@odata.context""#), "{text}");
    // Also beside what is expanded, and before what else is said of it.
    let link = r#""sessions@odata.navigationLink":"https://x/v1.0/communications/callRecords('a')/sessions","sessions@odata.context""#;
    assert!(text.contains(link), "{text}");
}
