//! The typed rows below a record.

use crate::columns::Value;

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
