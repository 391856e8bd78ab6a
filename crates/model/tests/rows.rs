//! Rows of sessions, segments and streams, made from the fragments of a record.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use model::fragment::{Pack, Uncompressed};
use model::rows::{RecordKeys, RowSet, StreamSource, push_segment, push_session, segments};
use model::shred;
use odata::json::Node;

/// All rows of a record's set, parsed.
fn rows(text: &str, set: RowSet) -> Vec<Node<'static>> {
    let record = shred(text, &mut Uncompressed).unwrap();
    let keys = RecordKeys::read(&record.record).unwrap();
    let mut texts = Vec::new();
    for pack in &record.session_packs {
        for session in Pack::read(pack).unwrap().items() {
            let session = session.unwrap();
            let mut out = Vec::new();
            if set == RowSet::Sessions {
                push_session(&mut out, &keys, &session, true).unwrap();
                texts.push(out);
                continue;
            }
            for segment in segments(&session).unwrap() {
                let mut out = Vec::new();
                if set == RowSet::Segments {
                    push_segment(&mut out, &keys, &session, segment).unwrap();
                    texts.push(out);
                    continue;
                }
                let source = StreamSource::read(segment).unwrap();
                for position in source.positions() {
                    let mut out = Vec::new();
                    source.push(&mut out, &keys, &session, position).unwrap();
                    texts.push(out);
                }
            }
        }
    }
    let parsed =
        |text: Vec<u8>| Node::parse(std::str::from_utf8(&text).unwrap()).unwrap().into_owned();
    texts.into_iter().map(parsed).collect()
}

fn fixture() -> String {
    let path = "../../fixtures/call-records/expanded-beta-2020.json";
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The text of a string, or nothing.
fn text(row: &Node<'_>, path: &str) -> String {
    let value = path.split('/').try_fold(row, |node, name| node.get(name));
    value.and_then(Node::as_text).map(|text| text.value().into_owned()).unwrap_or_default()
}

#[test]
fn a_row_has_every_member_that_its_type_declares() {
    let fixture = fixture();
    for set in [RowSet::Sessions, RowSet::Segments, RowSet::Streams] {
        let rows = rows(&fixture, set);
        assert!(!rows.is_empty(), "{set:?}");
        for row in rows {
            for property in set.ty().properties {
                assert!(row.get(property.name).is_some(), "{set:?} {}", property.name);
            }
        }
    }
}

#[test]
fn a_stream_row_tells_what_the_stream_stands_in() {
    let whole = Node::parse(&fixture()).unwrap().into_owned();
    let first =
        |node: &Node<'static>, name: &str| node.get(name).unwrap().as_array().unwrap()[0].clone();
    let session = first(&whole, "sessions");
    let segment = first(&session, "segments");
    let media = first(&segment, "media");
    let row = &rows(&fixture(), RowSet::Streams)[0];
    for (name, node, path) in [
        ("callRecordId", &whole, "id"),
        ("callStartDateTime", &whole, "startDateTime"),
        ("sessionId", &session, "id"),
        ("segmentId", &segment, "id"),
        ("segmentEndDateTime", &segment, "endDateTime"),
        ("mediaLabel", &media, "label"),
        ("callerNetwork/subnet", &media, "callerNetwork/subnet"),
        ("callerDevice/captureDeviceName", &media, "callerDevice/captureDeviceName"),
        ("caller/userAgent/platform", &segment, "caller/userAgent/platform"),
    ] {
        assert!(!text(node, path).is_empty(), "the fixture has {path}");
        assert_eq!(text(row, name), text(node, path), "{name}");
    }
}

#[test]
fn a_member_that_is_not_declared_does_not_stand_beside_one_of_the_row() {
    let record = r#"{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:01:00Z",
        "sessions":[{"id":"s}\"","\u0063allRecordId":"x","more":1,
            "segments":[{"id":"g","sessionId":"x","media":[{"streams":[
                {"streamDirection":"callerToCallee","caller":"x","more":2}]}]}]}]}"#;
    for set in [RowSet::Sessions, RowSet::Segments, RowSet::Streams] {
        let rows = rows(record, set);
        assert_eq!(rows.len(), 1, "{set:?}");
        assert_eq!(text(&rows[0], "callRecordId"), "a");
        assert_eq!(rows[0].get("more").is_some(), set != RowSet::Segments);
        if set != RowSet::Sessions {
            assert_eq!(text(&rows[0], "sessionId"), "s}\"");
        }
    }
}

#[test]
fn a_stream_that_is_null_has_a_row_of_what_it_stands_in() {
    let record = r#"{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:01:00Z",
        "sessions":[{"id":"s","segments":[{"id":"g","media":[null,{"label":"x","streams":[null]}]}]}]}"#;
    let rows = rows(record, RowSet::Streams);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (text(&rows[0], "segmentId"), text(&rows[0], "mediaLabel")),
        ("g".into(), "x".into())
    );
}
