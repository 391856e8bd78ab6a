//! Typed columns: what the store keeps beside the fragments so that queries need not read them.
//!
//! Which properties of a mediaStream have a column says the schema; the columns of the levels
//! above are few and stand here. Names are the schema's in snake_case.

use std::sync::LazyLock;

use odata::edm::{Primitive, Property, Type};

use crate::generated;

/// The value of a typed column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not known.
    Null,
    /// Integers, booleans (0, 1), instants and durations in ticks of 100 ns.
    Int(i64),
    /// `Edm.Single`, `Edm.Double`.
    Real(f64),
    /// Strings and enumeration members.
    Text(String),
}

/// How a column is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    /// 64-bit integer.
    Integer,
    /// 64-bit float.
    Real,
    /// UTF-8 text compared by its bytes.
    Text,
}

/// A typed column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Snake-case name.
    pub name: &'static str,
    /// How it is stored.
    pub affinity: Affinity,
}

const fn column(name: &'static str, affinity: Affinity) -> Column {
    Column { name, affinity }
}

/// Of a call record: its own enumerations, how much hangs below it, and the worst figures of all
/// its streams, which spare most questions a look at them.
pub static CALL_RECORD: &[Column] = &[
    column("type", Affinity::Text),
    column("modalities", Affinity::Text),
    column("last_modified_date_time", Affinity::Integer),
    column("participant_count", Affinity::Integer),
    column("session_count", Affinity::Integer),
    column("segment_count", Affinity::Integer),
    column("stream_count", Affinity::Integer),
    column("failure_count", Affinity::Integer),
    column("worst_average_packet_loss_rate", Affinity::Real),
    column("worst_average_jitter", Affinity::Integer),
    column("worst_average_round_trip_time", Affinity::Integer),
    column("worst_average_audio_degradation", Affinity::Real),
];

/// Position of `participant_count` in [`CALL_RECORD`].
pub const PARTICIPANT_COUNT: usize = 3;
/// Position of `session_count` in [`CALL_RECORD`].
pub const SESSION_COUNT: usize = 4;

/// Of a session.
pub static SESSION: &[Column] = &[
    column("start_date_time", Affinity::Integer),
    column("end_date_time", Affinity::Integer),
    column("is_test", Affinity::Integer),
    column("failure_stage", Affinity::Text),
];

/// Of a segment.
pub static SEGMENT: &[Column] = &[
    column("start_date_time", Affinity::Integer),
    column("end_date_time", Affinity::Integer),
    column("failure_stage", Affinity::Text),
];

/// Of a mediaStream: the label of its media, then what the schema marks.
pub static STREAM: LazyLock<Vec<Column>> = LazyLock::new(|| {
    std::iter::once(column("label", Affinity::Text))
        .chain(stream_properties().map(|(property, name)| column(name, affinity(property))))
        .collect()
});

/// The properties of a mediaStream that have a column, in the order of [`STREAM`] behind `label`.
pub(crate) fn stream_properties() -> impl Iterator<Item = (&'static Property, &'static str)> {
    generated::MEDIA_STREAM
        .properties
        .iter()
        .filter_map(|property| property.column.map(|name| (property, name)))
}

fn affinity(property: &Property) -> Affinity {
    match property.ty {
        Type::Primitive(Primitive::Single | Primitive::Double | Primitive::Decimal) => {
            Affinity::Real
        }
        Type::Primitive(
            Primitive::Boolean
            | Primitive::Int32
            | Primitive::Int64
            | Primitive::DateTimeOffset
            | Primitive::Duration,
        ) => Affinity::Integer,
        _ => Affinity::Text,
    }
}
