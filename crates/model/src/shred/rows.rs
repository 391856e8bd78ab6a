//! The typed rows below a record.

use std::sync::LazyLock;

use odata::edm::{Primitive, Property, Type};
use odata::json::{Member, Node};
use odata::primitive::{DateTimeOffset, Duration};

use super::reader::{get, instant};
use crate::columns::{self, Value};
use crate::generated;

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
    /// By [`crate::columns::SEGMENT`].
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

/// For each property of a mediaStream its place in [`columns::STREAM`], if it has one.
static SLOTS: LazyLock<Vec<Option<usize>>> = LazyLock::new(|| {
    let mut next = 0;
    let slot = |property: &Property| {
        property.column.map(|_| {
            next += 1;
            next
        })
    };
    generated::MEDIA_STREAM.properties.iter().map(slot).collect()
});

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
    pub(super) sessions: Vec<SessionRow>,
    pub(super) segments: Vec<SegmentRow>,
    pub(super) streams: Vec<StreamRow>,
    failures: i64,
    worst: [Option<f64>; 4],
}

impl Rows {
    /// Adds a session; its segments follow.
    pub(super) fn session(&mut self, id_key: Vec<u8>, members: &[Member<'_>]) {
        let is_test = match get(members, "isTest") {
            Some(Node::Bool(value)) => Value::Int(i64::from(*value)),
            _ => Value::Null,
        };
        let [start, end] = times(members);
        let failure = failure_stage(members);
        self.failures += i64::from(failure != Value::Null);
        let ordinal = self.sessions.len() as i64;
        let columns = vec![start, end, is_test, failure];
        self.sessions.push(SessionRow { ordinal, id_key, columns });
    }

    /// Adds a segment of the session that was added last.
    pub(super) fn segment(&mut self, index: usize, members: &[Member<'_>]) {
        let session = self.sessions.len() as i64 - 1;
        let [start, end] = times(members);
        let columns = vec![start, end, failure_stage(members)];
        self.segments.push(SegmentRow { session, ordinal: index as i64, columns });
        let media = get(members, "media").and_then(Node::as_array).unwrap_or_default();
        for (media_index, media) in media.iter().enumerate() {
            let label = match media.get("label") {
                Some(Node::String(text)) => Value::Text(text.value().into_owned()),
                _ => Value::Null,
            };
            let streams = media.get("streams").and_then(Node::as_array).unwrap_or_default();
            for (ordinal, stream) in streams.iter().enumerate() {
                let columns = stream_columns(label.clone(), stream);
                self.note_worst(&columns);
                self.streams.push(StreamRow {
                    session,
                    segment: index as i64,
                    media: media_index as i64,
                    ordinal: ordinal as i64,
                    columns,
                });
            }
        }
    }

    /// Appends what [`columns::CALL_RECORD`] sums up of everything below the record.
    pub(super) fn totals(&self, columns: &mut Vec<Value>) {
        for count in [self.sessions.len(), self.segments.len(), self.streams.len()] {
            columns.push(Value::Int(count as i64));
        }
        columns.push(Value::Int(self.failures));
        let [loss, jitter, round_trip, degradation] = self.worst;
        let ticks = |value: Option<f64>| value.map_or(Value::Null, |v| Value::Int(v as i64));
        let real = |value: Option<f64>| value.map_or(Value::Null, Value::Real);
        columns.extend([real(loss), ticks(jitter), ticks(round_trip), real(degradation)]);
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

fn times(members: &[Member<'_>]) -> [Value; 2] {
    ["startDateTime", "endDateTime"]
        .map(|name| instant(members, name).map_or(Value::Null, Value::Int))
}

fn failure_stage(members: &[Member<'_>]) -> Value {
    let stage = get(members, "failureInfo").and_then(|info| info.get("stage"));
    match stage {
        Some(Node::String(text)) => Value::Text(text.raw().to_owned()),
        _ => Value::Null,
    }
}

fn stream_columns(label: Value, stream: &Node<'_>) -> Vec<Value> {
    let mut columns = vec![Value::Null; columns::STREAM.len()];
    columns[0] = label;
    let properties = generated::MEDIA_STREAM.properties;
    let mut expected = 0;
    for member in stream.as_object().unwrap_or_default() {
        let is_next = properties.get(expected).is_some_and(|p| member.name.is(p.name));
        let index = if is_next {
            expected
        } else {
            let Some(index) = properties.iter().position(|p| member.name.is(p.name)) else {
                continue;
            };
            index
        };
        expected = index + 1;
        if let Some(slot) = SLOTS[index] {
            columns[slot] = typed(&member.value, &properties[index]);
        }
    }
    columns
}

/// The value of a property as a column holds it. The text was checked against the type before.
fn typed(node: &Node<'_>, property: &Property) -> Value {
    let Type::Primitive(primitive) = property.ty else {
        return node.as_text().map_or(Value::Null, |text| Value::Text(text.raw().to_owned()));
    };
    let value = match (primitive, node) {
        (Primitive::Boolean, Node::Bool(value)) => Some(Value::Int(i64::from(*value))),
        (Primitive::Int32 | Primitive::Int64, Node::Number(digits)) => {
            digits.parse().ok().map(Value::Int)
        }
        (_, Node::Number(digits)) => digits.parse().ok().map(Value::Real),
        (Primitive::DateTimeOffset, Node::String(text)) => {
            DateTimeOffset::parse(text.raw()).map(|instant| Value::Int(instant.0))
        }
        (Primitive::Duration, Node::String(text)) => {
            Duration::parse(text.raw()).map(|duration| Value::Int(duration.0))
        }
        (Primitive::String, Node::String(text)) => Some(Value::Text(text.value().into_owned())),
        _ => None,
    };
    value.unwrap_or(Value::Null)
}
