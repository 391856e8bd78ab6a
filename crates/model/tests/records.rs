//! Records of the real service: what goes in comes out, and says the same when it comes again.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use model::columns::Table;
use model::fragment::{Corrupt, Fragments, Pack, RecordFragment, Uncompressed};
use model::merge::{Merge, merge};
use model::search::{Candidates, Query};
use model::shred::{TypedRows, stored_rows};
use model::{ShreddedRecord, Value, columns, flags, generated, shred};
use odata::bound::Search;
use odata::json::Node;

struct Kept<'a>(&'a ShreddedRecord);

impl Fragments for Kept<'_> {
    type Error = Corrupt;

    fn flags(&self) -> u32 {
        self.0.flags
    }

    fn record(&mut self, out: &mut Vec<u8>) -> Result<(), Corrupt> {
        out.clone_from(&self.0.record);
        Ok(())
    }

    fn session_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Corrupt> {
        let pack = self.0.session_packs.get(number);
        out.clone_from(pack.unwrap_or(&Vec::new()));
        Ok(pack.is_some())
    }

    fn participant_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Corrupt> {
        let pack = self.0.participant_packs.get(number);
        out.clone_from(pack.unwrap_or(&Vec::new()));
        Ok(pack.is_some())
    }
}

fn fixture(name: &str) -> String {
    let path = format!("{}/../../fixtures/call-records/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

const FIXTURES: [&str; 6] = [
    "basic-beta-2020",
    "expanded-beta-2020",
    "get-basic-v1",
    "get-expanded-v1",
    "get-participants_v2-v1",
    "group-expanded-2025",
];

fn shredded(text: &str) -> ShreddedRecord {
    shred(text, &mut Uncompressed).unwrap_or_else(|error| panic!("{}: {error}", error.pointer()))
}

/// The whole record as one text, without contexts.
fn whole(record: &ShreddedRecord) -> String {
    let mut out = b"{".to_vec();
    out.extend_from_slice(RecordFragment::members(&record.record).unwrap());
    for (name, packs) in
        [("sessions", &record.session_packs), ("participants_v2", &record.participant_packs)]
    {
        let mut items = Vec::new();
        for pack in packs {
            for item in Pack::read(pack).unwrap().items() {
                let item = item.unwrap();
                let mut text = [b"{", item.members].concat();
                if name == "sessions" {
                    text.extend_from_slice(&[b",\"segments\":[", item.inner, b"]"].concat());
                }
                text.push(b'}');
                items.push(String::from_utf8(text).unwrap());
            }
        }
        out.extend_from_slice(format!(",\"{name}\":[{}]", items.join(",")).as_bytes());
    }
    out.push(b'}');
    String::from_utf8(out).unwrap()
}

/// Asserts that every leaf of `part` stands in `all`, digit for digit.
fn assert_holds(all: &Node<'_>, part: &Node<'_>, at: &str) {
    match part {
        Node::Object(members) => {
            for member in members {
                let name = member.name.value();
                let is_rewritten = name.contains("@odata.context") || name.contains("nextLink");
                if !is_rewritten {
                    let at = format!("{at}/{name}");
                    let found = all.get(&name).unwrap_or_else(|| panic!("{at} is missing"));
                    assert_holds(found, &member.value, &at);
                }
            }
        }
        Node::Array(items) => {
            let found = all.as_array().unwrap_or_else(|| panic!("{at} is no array"));
            assert_eq!(found.len(), items.len(), "{at}");
            for (index, (found, item)) in found.iter().zip(items).enumerate() {
                assert_holds(found, item, &format!("{at}/{index}"));
            }
        }
        leaf => assert_eq!(all, leaf, "{at}"),
    }
}

#[test]
fn nothing_of_a_real_record_is_lost() {
    for name in FIXTURES {
        let text = fixture(name);
        let whole = whole(&shredded(&text));
        assert_holds(&Node::parse(&whole).unwrap(), &Node::parse(&text).unwrap(), name);
    }
}

#[test]
fn members_keep_the_order_in_which_they_came() {
    let record = shredded(&fixture("basic-beta-2020"));
    let fragment = RecordFragment::read(&record.record).unwrap();
    let head = String::from_utf8(fragment.head.to_vec()).unwrap();
    assert!(head.starts_with("\"version\":1,\"type\":\"peerToPeer\""), "{head}");
    assert!(head.ends_with("\"joinWebUrl\":null,"), "{head}");
    assert!(fragment.tail.starts_with(b"\"organizer_v2\":{"));
}

#[test]
fn the_canonical_form_says_nothing_new_of_the_same_record() {
    for name in FIXTURES {
        let text = fixture(name);
        let first = shredded(&text);
        let again = shredded(&whole(&first));
        assert!(
            matches!(merge(&mut Kept(&first), &again, &mut Uncompressed), Ok(Merge::Unchanged)),
            "{name}"
        );
        let again = shredded(&text);
        assert_eq!(first.content_hash, again.content_hash, "{name}");
    }
}

#[test]
fn a_basic_record_is_completed_by_an_expanded_one() {
    let basic = shredded(&fixture("basic-beta-2020"));
    let expanded = shredded(&fixture("expanded-beta-2020"));
    let Ok(Merge::Merged(merged)) = merge(&mut Kept(&basic), &expanded, &mut Uncompressed) else {
        panic!("not merged");
    };
    assert_eq!(merged.session_packs, expanded.session_packs);
    assert_eq!(flags::incomplete(merged.flags), ["sessions"]);
    assert!(matches!(merge(&mut Kept(&merged), &basic, &mut Uncompressed), Ok(Merge::Unchanged)));
}

#[test]
fn a_value_that_differs_is_a_conflict_at_its_place() {
    let stored = shredded(&fixture("expanded-beta-2020"));
    for (old, new, pointer) in [
        ("\"type\": \"peerToPeer\"", "\"type\": \"groupCall\"", "/type"),
        ("Abbie Wilkins", "Abbie Other", "/organizer/user/displayName"),
        (
            "EventRatio\": 0.27",
            "EventRatio\": 0.28",
            "/sessions/0/segments/0/media/0/callerNetwork/receivedQualityEventRatio",
        ),
    ] {
        let text = fixture("expanded-beta-2020").replacen(old, new, 1);
        let incoming = shredded(&text);
        match merge(&mut Kept(&stored), &incoming, &mut Uncompressed) {
            Ok(Merge::Conflict { pointer: found }) => assert_eq!(found, pointer),
            other => panic!("{pointer}: {other:?}"),
        }
    }
}

#[test]
fn sessions_that_were_cut_off_are_completed_and_complete_ones_are_not_added_to() {
    let record = |ids: &[&str], is_cut: bool| {
        let sessions: Vec<_> = ids
            .iter()
            .map(|id| {
                format!(
                    r#"{{"id":"{id}","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:01:00Z"}}"#
                )
            })
            .collect();
        let link = if is_cut { r#","sessions@odata.nextLink":"https://x""# } else { "" };
        shredded(&format!(
            r#"{{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:01:00Z","sessions":[{}]{link}}}"#,
            sessions.join(",")
        ))
    };
    let cut = record(&["1", "2"], true);
    let Ok(Merge::Merged(merged)) =
        merge(&mut Kept(&cut), &record(&["3"], true), &mut Uncompressed)
    else {
        panic!("not merged");
    };
    assert_eq!(merged.rows.sessions.len(), 3);
    assert_eq!(flags::incomplete(merged.flags), ["sessions"]);
    let all = record(&["1", "2", "3", "4"], false);
    let Ok(Merge::Merged(merged)) = merge(&mut Kept(&merged), &all, &mut Uncompressed) else {
        panic!("not completed");
    };
    assert!(flags::incomplete(merged.flags).is_empty());
    match merge(&mut Kept(&merged), &record(&["5"], true), &mut Uncompressed) {
        Ok(Merge::Conflict { pointer }) => assert_eq!(pointer, "/sessions/0"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_record_needs_is_asked_for_by_name() {
    for (text, pointer) in [
        (r#"{"startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:00:00Z"}"#, "/id"),
        (r#"{"id":"a","endDateTime":"2025-01-01T00:00:00Z"}"#, "/startDateTime"),
        (r#"{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":null}"#, "/endDateTime"),
        (r#"{"id":"a","startDateTime":"yesterday","endDateTime":"x"}"#, "/startDateTime"),
        (
            r#"{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:00:00Z","sessions":[{}]}"#,
            "/sessions/0/id",
        ),
        (
            r#"{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:00:00Z","sessions":[{"id":"A"},{"id":"A"}]}"#,
            "/sessions/1/id",
        ),
        (
            r#"{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:00:00Z","sessions":[{"id":"s","segments":[{"id":"x","media":[{"streams":[{"packetUtilization":1.5}]}]}]}]}"#,
            "/sessions/0/segments/0/media/0/streams/0/packetUtilization",
        ),
        (
            r#"{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:00:00Z","version":"x"}"#,
            "/version",
        ),
        (
            r#"{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:00:00Z","type":"not a name"}"#,
            "/type",
        ),
        ("[]", ""),
    ] {
        let error = shred(text, &mut Uncompressed).expect_err(text);
        assert_eq!(error.pointer(), pointer, "{text}: {error}");
    }
}

#[test]
fn typed_columns_hold_the_figures() {
    let record = shredded(&fixture("expanded-beta-2020"));
    let column = |name: &str| {
        let at = columns::CALL_RECORD.iter().position(|column| column.name == name).unwrap();
        record.rows.record[at].clone()
    };
    assert_eq!(column("type"), Value::Text("peerToPeer".into()));
    assert_eq!(column("participant_count"), Value::Int(2));
    assert_eq!(column("session_count"), Value::Int(1));
    assert_eq!(column("stream_count"), Value::Int(2));
    assert_eq!(column("worst_average_jitter"), Value::Int(160_000));
    assert_eq!(column("worst_average_packet_loss_rate"), Value::Real(0.013_816_93));
    assert_eq!(record.rows.record.len(), columns::CALL_RECORD.len());
    assert!(record.rows.streams.iter().all(|row| row.columns.len() == columns::STREAM.len()));
    assert!(record.rows.sessions.iter().all(|row| row.columns.len() == columns::SESSION.len()));
    assert!(record.rows.segments.iter().all(|row| row.columns.len() == columns::SEGMENT.len()));
    assert_eq!(record.participant_keys.len(), 2);
}

#[test]
fn the_rows_of_a_stored_record_are_those_that_it_was_stored_with() {
    for name in FIXTURES {
        let record = shredded(&fixture(name));
        let again = stored_rows(&mut Kept(&record)).unwrap();
        let words = |text: &str| {
            let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            words.sort_unstable();
            words
        };
        assert_eq!(words(&again.words), words(&record.rows.words), "{name}");
        let again = TypedRows { words: record.rows.words.clone(), ..again };
        assert_eq!(again, record.rows, "{name}");
    }
}

#[test]
fn every_word_of_a_record_finds_it() {
    for name in FIXTURES {
        let record = shredded(&fixture(name));
        let text = whole(&record);
        let node = Node::parse(&text).unwrap();
        let words: Vec<&str> = record.rows.words.split(' ').collect();
        assert!(words.len() > 5, "{name}: {words:?}");
        for word in words {
            let query = Query::new(&Search::Word(word.to_owned()));
            assert!(query.matches(&node, &generated::CALL_RECORD), "{name}: {word}");
            assert_eq!(query.candidates(), (Candidates::Word(word.to_owned()), true), "{name}");
        }
    }
}

#[test]
fn columns_hold_infinity_and_know_which_end_a_party_stands_at() {
    let record = shredded(
        r#"{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:01:00Z",
        "sessions":[{"id":"s","segments":[{"id":"g",
          "caller":{"userAgent":{"headerValue":"RTCC","role":"gateway","platform":"x"}},
          "callee":{"name":"LAPTOP","identity":{"user":{"id":"u"}},"userAgent":{"platform":"macOS"}},
          "media":[{"label":"main-audio","calleeNetwork":{"subnet":"10.0.0.0","wifiBand":"frequency24GHz"},
            "streams":[{"streamDirection":"callerToCallee","averagePacketLossRate":"INF","maxPacketLossRate":"NaN",
              "averageAudioDegradation":"-INF"}]}]}]}]}"#,
    );
    let value = |table: Table, row: &[Value], name: &str| {
        row[table.columns().iter().position(|column| column.name == name).unwrap()].clone()
    };
    let text = |text: &str| Value::Text(text.to_owned());
    for (name, expected) in [
        ("average_packet_loss_rate", Value::Real(f64::INFINITY)),
        ("max_packet_loss_rate", Value::Null),
        ("average_audio_degradation", Value::Real(f64::NEG_INFINITY)),
        ("label", text("main-audio")),
    ] {
        assert_eq!(value(Table::Stream, &record.rows.streams[0].columns, name), expected, "{name}");
    }
    for (name, expected) in [
        ("caller_is_participant", Value::Int(0)),
        ("caller_user_agent", text("RTCC")),
        ("caller_platform", Value::Null),
        ("callee_is_participant", Value::Int(1)),
        ("callee_user_id", text("u")),
        ("callee_associated_id", Value::Null),
        ("callee_platform", text("macOS")),
        ("callee_product_family", text("unknown")),
    ] {
        let found = value(Table::Segment, &record.rows.segments[0].columns, name);
        assert_eq!(found, expected, "{name}");
    }
    let media = &record.rows.media[0].columns;
    assert_eq!(value(Table::Media, media, "callee_network_subnet"), text("10.0.0.0"));
    assert_eq!(value(Table::Media, media, "callee_network_wifi_band"), text("frequency24GHz"));
    assert_eq!(value(Table::Media, media, "caller_network_wifi_band"), Value::Null);
}

#[test]
fn members_behind_the_sentinel_are_marked() {
    let text = r#"{"id":"a","startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:00:00Z","type":"holographic"}"#;
    assert_eq!(shredded(text).flags & flags::UNSETTLED_ENUM, flags::UNSETTLED_ENUM);
    assert_eq!(
        shredded(&text.replace("holographic", "groupCall")).flags & flags::UNSETTLED_ENUM,
        0
    );
}
