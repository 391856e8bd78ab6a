//! Typed columns: what the store keeps beside the fragments so that queries need not read them.
//!
//! Which properties of networks, devices, user agents and streams have a column says the schema;
//! the others are few and stand here. Names are the schema's in snake_case.

mod lookup;

use std::sync::LazyLock;

use odata::edm::{Primitive, Property, StructuredType, Type};

use crate::generated;

pub use lookup::{ColumnRef, Kind, find};

/// A table of typed columns. All but the first hold rows of current versions only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// A row for each version of a record.
    CallRecord,
    /// A row for each session.
    Session,
    /// A row for each segment.
    Segment,
    /// A row for each media of a segment.
    Media,
    /// A row for each stream of a media.
    Stream,
}

impl Table {
    /// All, from the record down.
    pub const ALL: [Self; 5] =
        [Self::CallRecord, Self::Session, Self::Segment, Self::Media, Self::Stream];

    /// Snake-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::CallRecord => "call_record",
            Self::Session => "session",
            Self::Segment => "segment",
            Self::Media => "media",
            Self::Stream => "stream",
        }
    }

    /// Its typed columns in the order in which rows have their values.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::CallRecord => CALL_RECORD,
            Self::Session => SESSION,
            Self::Segment => &SEGMENT,
            Self::Media => &MEDIA,
            Self::Stream => &STREAM,
        }
    }

    /// Its columns with verdicts, which stand behind the others and are made from them.
    pub fn verdicts(self) -> &'static [Column] {
        match self {
            Self::CallRecord | Self::Session => CALL_QUALITY,
            Self::Stream => STREAM_QUALITY,
            Self::Segment | Self::Media => &[],
        }
    }
}

/// Members that have columns since the latest steps of the schema, and how the names of these columns end.
/// Verdicts and all that only rows of ends have are as young. Until the records of earlier builds have them,
/// no query may rely on them.
const RECENT: [(&str, &str); 13] = [
    ("applicationVersion", "_application_version"),
    ("basicServiceSetIdentifier", "_basic_service_set_identifier"),
    ("captureNotFunctioningEventRatio", "_capture_not_functioning_event_ratio"),
    ("cpuInsufficentEventRatio", "_cpu_insufficent_event_ratio"),
    ("linkSpeed", "_link_speed"),
    ("networkTransportProtocol", "_network_transport_protocol"),
    ("rating", "_feedback_rating"),
    ("reflexiveIPAddress", "_reflexive_ip_address"),
    ("relayIPAddress", "_relay_ip_address"),
    ("renderNotFunctioningEventRatio", "_render_not_functioning_event_ratio"),
    ("role", "_service_role"),
    ("wifiChannel", "_wifi_channel"),
    ("wifiSignalStrength", "_wifi_signal_strength"),
];

/// How the names of columns end that only rows of ends have.
const OF_ENDS: [&str; 5] =
    ["_is_service", "_person_kind", "_person_id", "_endpoint_name", "first_end"];

/// Whether records that earlier builds stored lack the column until they are stored anew.
pub fn is_recent(column: &str) -> bool {
    let ends = RECENT.iter().map(|(_, end)| end).chain(&OF_ENDS);
    column.starts_with("quality_") || ends.into_iter().any(|end| column.ends_with(end))
}

/// Members whose columns are such, beside those of rows of ends.
pub fn recent_members() -> impl Iterator<Item = &'static str> {
    RECENT.iter().map(|(member, _)| *member).chain([crate::rows::QUALITY])
}

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

/// What the column of an enumeration with a default has where the record says null: the column is
/// NULL only where there is no such object, which conditions on the object rely on.
pub const TOLD_NULL: &str = "";

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

/// Of a segment: its times, what failed and which end is the first one (0 the caller), then [`END`] of the caller and of the callee.
pub static SEGMENT: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let own = [
        column("start_date_time", Affinity::Integer),
        column("end_date_time", Affinity::Integer),
        column("failure_stage", Affinity::Text),
        column("first_end", Affinity::Integer),
    ];
    own.into_iter().chain(ends()).collect()
});

/// Of an endpoint, with `caller_` or `callee_` before the names: whether it is a
/// participantEndpoint (else it is another kind; null if there is none), `identity/user/id`,
/// `associatedIdentity/id`, `feedback/rating`, the role of a service's user agent, whether it is a service,
/// kind and id of who is there (the id only where it is none of the two before), its `name`, and what the
/// schema marks of the user agent.
pub static END: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let own = [
        column("is_participant", Affinity::Integer),
        column("user_id", Affinity::Text),
        column("associated_id", Affinity::Text),
        column("feedback_rating", Affinity::Text),
        column("service_role", Affinity::Text),
        column("is_service", Affinity::Integer),
        column("person_kind", Affinity::Text),
        column("person_id", Affinity::Text),
        column("endpoint_name", Affinity::Text),
    ];
    own.into_iter().chain(marked(&generated::CLIENT_USER_AGENT)).collect()
});

/// The verdict on a call or a session ([`generated::CALL_QUALITY`]); all null until it is judged.
pub static CALL_QUALITY: &[Column] = &[
    column("quality_verdict", Affinity::Text),
    column("quality_reason", Affinity::Text),
    column("quality_audio_good", Affinity::Integer),
    column("quality_audio_poor", Affinity::Integer),
    column("quality_audio_unclassified", Affinity::Integer),
    column("quality_video_good", Affinity::Integer),
    column("quality_video_poor", Affinity::Integer),
    column("quality_video_unclassified", Affinity::Integer),
    column("quality_screen_sharing_good", Affinity::Integer),
    column("quality_screen_sharing_poor", Affinity::Integer),
    column("quality_screen_sharing_unclassified", Affinity::Integer),
    column("quality_heard_good", Affinity::Integer),
    column("quality_heard_poor", Affinity::Integer),
    column("quality_heard_unclassified", Affinity::Integer),
    column("quality_was_heard_good", Affinity::Integer),
    column("quality_was_heard_poor", Affinity::Integer),
    column("quality_was_heard_unclassified", Affinity::Integer),
    column("quality_people", Affinity::Integer),
    column("quality_poor_people", Affinity::Integer),
    column("quality_poor_share", Affinity::Real),
    column("quality_is_poor", Affinity::Integer),
];

/// The verdict on a stream ([`generated::STREAM_QUALITY`]); null until it is judged.
pub static STREAM_QUALITY: &[Column] =
    &[column("quality_verdict", Affinity::Text), column("quality_reason", Affinity::Text)];

/// Of a media: its label, then what the schema marks of its networks and devices, with
/// `caller_network_`, `callee_network_`, `caller_device_` or `callee_device_` before the names.
pub static MEDIA: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let inside = MEDIA_PARTS.iter().flat_map(|part| {
        marked(part.ty).map(|inner| column(joined(part.prefix, inner.name), inner.affinity))
    });
    marked(&generated::MEDIA).chain(inside).collect()
});

/// Of a mediaStream: the label of its media, then what the schema marks.
pub static STREAM: LazyLock<Vec<Column>> =
    LazyLock::new(|| marked(&generated::MEDIA).chain(marked(&generated::MEDIA_STREAM)).collect());

/// An end of a connection: the property's name, and what stands before the names of its columns.
pub(crate) const ENDS: [(&str, &str); 2] = [("caller", "caller_"), ("callee", "callee_")];

/// A property of a media whose value has columns.
pub(crate) struct MediaPart {
    pub(crate) property: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) ty: &'static StructuredType,
}

/// In the order of [`MEDIA`].
pub(crate) static MEDIA_PARTS: [MediaPart; 4] = [
    MediaPart {
        property: "callerNetwork",
        prefix: "caller_network_",
        ty: &generated::NETWORK_INFO,
    },
    MediaPart {
        property: "calleeNetwork",
        prefix: "callee_network_",
        ty: &generated::NETWORK_INFO,
    },
    MediaPart { property: "callerDevice", prefix: "caller_device_", ty: &generated::DEVICE_INFO },
    MediaPart { property: "calleeDevice", prefix: "callee_device_", ty: &generated::DEVICE_INFO },
];

fn ends() -> impl Iterator<Item = Column> {
    ENDS.into_iter().flat_map(|(_, prefix)| {
        END.iter().map(move |inner| column(joined(prefix, inner.name), inner.affinity))
    })
}

/// A name for the life of the process; made once for each column.
fn joined(prefix: &str, name: &str) -> &'static str {
    String::leak(format!("{prefix}{name}"))
}

/// The properties of a type that the schema gives a column.
fn marked(ty: &'static StructuredType) -> impl Iterator<Item = Column> {
    let properties = ty.properties.iter();
    properties.filter_map(|property| Some(column(property.column?, affinity(property))))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recent_is_a_column_that_its_member_leads_to() {
        let all: Vec<_> = Table::ALL.iter().flat_map(|table| table.columns()).collect();
        for end in RECENT.iter().map(|(_, end)| *end).chain(OF_ENDS) {
            assert!(all.iter().any(|column| column.name.ends_with(end)), "{end}");
        }
        let types =
            [&generated::NETWORK_INFO, &generated::DEVICE_INFO, &generated::CLIENT_USER_AGENT];
        let own = [&generated::USER_FEEDBACK, &generated::SERVICE_USER_AGENT];
        for (member, end) in RECENT {
            let mut marked = types.iter().filter_map(|ty| ty.property(member)?.column);
            let is_own = own.iter().any(|ty| ty.property(member).is_some());
            assert!(is_own || marked.any(|column| end == format!("_{column}")), "{member}");
        }
    }
}
