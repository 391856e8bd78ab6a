//! The typed rows of a record and of what is below it.

use std::sync::LazyLock;

use odata::edm::StructuredType;
use odata::json::{Member, Node, Text};

use super::members::{get, instant};
use super::plain::are_plain;
use super::typed;
use crate::columns::{self, ENDS, TOLD_NULL, Value};
use crate::ends::person_key;
use crate::search::Collector;

/// What the store keeps for queries beside the fragments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TypedRows {
    /// By [`crate::columns::CALL_RECORD`].
    pub record: Vec<Value>,
    /// Of the sessions.
    pub sessions: Vec<SessionRow>,
    /// Of their segments.
    pub segments: Vec<SegmentRow>,
    /// Of the media of these.
    pub media: Vec<MediaRow>,
    /// Of the streams of these.
    pub streams: Vec<StreamRow>,
    /// The distinct words of everything that `$search` looks at, with spaces between.
    pub words: String,
    /// [`crate::flags::PLAIN_VALUES`]
    pub is_plain: bool,
}

/// A session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// Position in the record, from 0.
    pub ordinal: i64,
    /// The id as it is compared.
    pub id_key: Vec<u8>,
    /// By [`crate::columns::SESSION`].
    pub columns: Vec<Value>,
}

/// A segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentRow {
    /// The session's position in the record.
    pub session: i64,
    /// Position in the session, from 0.
    pub ordinal: i64,
    /// Who caller and callee are, `user/821809f5-…`, by the segment or else by its session; none for a
    /// service and for what is not known.
    pub parties: [Option<String>; 2],
    /// By [`crate::columns::SEGMENT`].
    pub columns: Vec<Value>,
}

/// A media of a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaRow {
    /// The session's position in the record.
    pub session: i64,
    /// The segment's position in the session.
    pub segment: i64,
    /// Position in the segment, from 0.
    pub ordinal: i64,
    /// By [`crate::columns::MEDIA`].
    pub columns: Vec<Value>,
}

/// A stream of a media of a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamRow {
    /// The session's position in the record.
    pub session: i64,
    /// The segment's position in the session.
    pub segment: i64,
    /// The media's position in the segment.
    pub media: i64,
    /// Position in the media, from 0.
    pub ordinal: i64,
    /// By [`crate::columns::STREAM`].
    pub columns: Vec<Value>,
}

/// Position of the label in [`columns::MEDIA`].
const MEDIA_LABEL: usize = 0;

/// Places in [`columns::STREAM`] of the figures that are summed up with the record.
static WORST: LazyLock<[Option<usize>; 4]> = LazyLock::new(|| {
    [
        "average_packet_loss_rate",
        "average_jitter",
        "average_round_trip_time",
        "average_audio_degradation",
    ]
    .map(|name| columns::STREAM.iter().position(|column| column.name == name))
});

/// Collects the rows of a record's sessions.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) rows: TypedRows,
    words: Collector,
    failures: i64,
    /// Who is at the ends of the session that was added last.
    parties: [Option<String>; 2],
    worst: [Option<f64>; 4],
    has_odd_values: bool,
}

impl Rows {
    /// Looks whether values are plain; sessions and segments are looked at as they are added.
    pub(super) fn note_values(&mut self, members: &[Member<'_>]) {
        self.has_odd_values |= !are_plain(members);
    }

    /// Adds what there is to search in an object of type `ty` and in what is inside.
    pub(super) fn add_words(&mut self, members: &[Member<'_>], ty: &'static StructuredType) {
        self.words.add(members, ty);
    }

    /// Adds a session; its segments follow.
    pub(super) fn session(&mut self, id_key: Vec<u8>, members: &[Member<'_>]) {
        self.note_values(members);
        let is_test = match get(members, "isTest") {
            Some(Node::Bool(value)) => Value::Int(i64::from(*value)),
            _ => Value::Null,
        };
        let [start, end] = times(members);
        let failure = failure_stage(members);
        self.failures += i64::from(failure != Value::Null);
        self.parties = ENDS.map(|(end, _)| get(members, end).and_then(person_key));
        let ordinal = self.rows.sessions.len() as i64;
        let columns = vec![start, end, is_test, failure];
        self.rows.sessions.push(SessionRow { ordinal, id_key, columns });
    }

    /// Adds a segment of the session that was added last.
    pub(super) fn segment(&mut self, index: usize, members: &[Member<'_>]) {
        self.note_values(members);
        let (session, segment) = (self.rows.sessions.len() as i64 - 1, index as i64);
        let [start, end] = times(members);
        let mut columns = vec![start, end, failure_stage(members)];
        typed::push_ends(&mut columns, members);
        let mut parties = self.parties.clone();
        for (end, of_session) in ENDS.iter().zip(&mut parties) {
            if let Some(endpoint) = get(members, end.0).filter(|it| it.as_object().is_some()) {
                *of_session = person_key(endpoint);
            }
        }
        self.rows.segments.push(SegmentRow { session, ordinal: segment, parties, columns });
        let media = get(members, "media").and_then(Node::as_array).unwrap_or_default();
        for (media, node) in (0..).zip(media) {
            let columns = typed::media(node);
            let label = columns[MEDIA_LABEL].clone();
            self.rows.media.push(MediaRow { session, segment, ordinal: media, columns });
            let streams = node.get("streams").and_then(Node::as_array).unwrap_or_default();
            for (ordinal, stream) in (0..).zip(streams) {
                let columns = typed::stream(label.clone(), stream);
                self.note_worst(&columns);
                self.rows.streams.push(StreamRow { session, segment, media, ordinal, columns });
            }
        }
    }

    /// The rows, with what [`columns::CALL_RECORD`] says of the record itself and what it sums up
    /// of everything below it.
    pub(super) fn finish(mut self, mut record: Vec<Value>) -> TypedRows {
        let rows = &mut self.rows;
        for count in [rows.sessions.len(), rows.segments.len(), rows.streams.len()] {
            record.push(Value::Int(count as i64));
        }
        record.push(Value::Int(self.failures));
        let [loss, jitter, round_trip, degradation] = self.worst;
        let ticks = |value: Option<f64>| value.map_or(Value::Null, |v| Value::Int(v as i64));
        let real = |value: Option<f64>| value.map_or(Value::Null, Value::Real);
        record.extend([real(loss), ticks(jitter), ticks(round_trip), real(degradation)]);
        rows.record = record;
        rows.words = self.words.finish();
        rows.is_plain = !self.has_odd_values;
        self.rows
    }

    fn note_worst(&mut self, columns: &[Value]) {
        for (worst, slot) in self.worst.iter_mut().zip(WORST.iter()) {
            let value = match slot.map(|slot| &columns[slot]) {
                Some(Value::Int(ticks)) => *ticks as f64,
                Some(Value::Real(value)) => *value,
                _ => continue,
            };
            *worst = Some(worst.map_or(value, |worst| worst.max(value)));
        }
    }
}

/// The columns of [`columns::CALL_RECORD`] that a record's own members fill.
pub(super) fn record_columns(members: &[Member<'_>]) -> Vec<Value> {
    let text = |name| match get(members, name) {
        Some(Node::String(text)) => Value::Text(text.value().into_owned()),
        _ => Value::Text(TOLD_NULL.to_owned()),
    };
    let modalities = get(members, "modalities").and_then(Node::as_array).unwrap_or_default();
    let mut modalities: Vec<_> =
        modalities.iter().filter_map(Node::as_text).map(Text::raw).collect();
    modalities.sort_unstable();
    vec![
        text("type"),
        Value::Text(modalities.join(",")),
        instant(members, "lastModifiedDateTime").map_or(Value::Null, Value::Int),
    ]
}

fn times(members: &[Member<'_>]) -> [Value; 2] {
    ["startDateTime", "endDateTime"]
        .map(|name| instant(members, name).map_or(Value::Null, Value::Int))
}

fn failure_stage(members: &[Member<'_>]) -> Value {
    let stage = get(members, "failureInfo").and_then(|info| info.get("stage"));
    match stage {
        Some(Node::String(text)) => Value::Text(text.raw().to_owned()),
        Some(_) => Value::Text(TOLD_NULL.to_owned()),
        None => Value::Null,
    }
}
