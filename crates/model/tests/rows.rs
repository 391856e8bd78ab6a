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
                    if set == RowSet::Legs {
                        for end in 0..2 {
                            let mut out = Vec::new();
                            let (media, stream) = position;
                            let place = (media, stream, end);
                            source.push_leg(&mut out, &keys, &session, place).unwrap();
                            out.extend_from_slice(b",\"place\":null}");
                            texts.push(out);
                        }
                        continue;
                    }
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
    for set in [RowSet::Sessions, RowSet::Segments, RowSet::Streams, RowSet::Legs] {
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
fn each_stream_has_a_row_for_either_end() {
    let agent =
        |ty, more| format!(r##"{{"@odata.type":"#microsoft.graph.callRecords.{ty}"{more}}}"##);
    let client = agent("clientUserAgent", r#","platform":"windows""#);
    let service = agent("serviceUserAgent", r#","role":"mediationServer""#);
    let record = format!(
        r##"{{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:01:00Z",
        "sessions":[{{"id":"s","segments":[{{"id":"g",
            "caller":{{"@odata.type":"#microsoft.graph.callRecords.participantEndpoint","name":"LAP-1",
                "userAgent":{client},"identity":{{"phone":{{"id":"tel:+1 (555) 010-0182"}},
                "user":{{"id":"u"}}}},"feedback":{{"rating":"poor"}}}},
            "callee":{{"@odata.type":"#microsoft.graph.callRecords.serviceEndpoint","userAgent":{service}}},
            "media":[{{"label":"main-audio","callerNetwork":{{"subnet":"10.0.0.0","connectionType":"wifi"}},
                "calleeNetwork":{{"subnet":"10.1.0.0"}},"callerDevice":{{"captureDeviceName":"mic"}},
                "streams":[{{"streamId":"1","streamDirection":"callerToCallee"}},
                    {{"streamId":"2","streamDirection":"calleeToCaller"}}]}}]}}]}}]}}"##
    );
    let rows = rows(&record, RowSet::Legs);
    assert_eq!(rows.len(), 4);
    let paths = ["streamId", "end", "direction", "person/kind", "person/id", "endpointName"];
    let told = |row: &Node<'_>| paths.map(|path| text(row, path));
    let number = "+15550100182";
    assert_eq!(told(&rows[0]), ["1", "caller", "sender", "phone", number, "LAP-1"]);
    assert_eq!(told(&rows[1]), ["1", "callee", "receiver", "", "", ""]);
    assert_eq!(told(&rows[2]), ["2", "caller", "receiver", "phone", number, "LAP-1"]);
    let paths = ["network/subnet", "peerSubnet", "peerPerson/id", "peerConnectionType"];
    assert_eq!(paths.map(|path| text(&rows[0], path)), ["10.0.0.0", "10.1.0.0", "", "unknown"]);
    assert_eq!(paths.map(|path| text(&rows[3], path)), ["10.1.0.0", "10.0.0.0", number, "wifi"]);
    let flags = ["isService", "isFirst", "peerIsService"];
    let flag = |row: &Node<'static>, name: &str| row.get(name).cloned();
    assert_eq!(
        flags.map(|name| flag(&rows[0], name)),
        [false, false, true].map(|it| Some(Node::Bool(it)))
    );
    assert_eq!(
        flags.map(|name| flag(&rows[1], name)),
        [true, true, false].map(|it| Some(Node::Bool(it)))
    );
    assert_eq!(text(&rows[0], "peerPlatform"), "");
    assert_eq!(text(&rows[1], "peerPlatform"), "windows");
    assert_eq!(text(&rows[1], "userAgent/role"), "mediationServer");
    assert_eq!(text(&rows[0], "feedback/rating"), "poor");
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
