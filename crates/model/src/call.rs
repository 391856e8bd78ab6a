//! A call before there is a record of it, and the events that tell of it, as plain values.

/// An event of a call, checked, to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEventRow {
    /// Its id, as it is compared.
    pub id_key: Vec<u8>,
    /// The id of its call, as it came.
    pub call_id: String,
    /// The id of the chain that the call belongs to, as it came.
    pub chain_id: String,
    /// When it happened (ticks).
    pub time: i64,
    /// It tells of media.
    pub is_media: bool,
    /// It tells that the call has ended.
    pub is_end: bool,
    /// The event as JSON.
    pub body: String,
}

/// How a call ended, if that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// No end is known.
    Open,
    /// An event says so.
    Ended,
    /// No event says so, and none is expected any more.
    Abandoned,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// Its number where it is kept.
    pub key: i64,
    /// Its id, as it came first.
    pub id: String,
    /// The id of its chain.
    pub chain_id: String,
    /// The time of its first event (ticks).
    pub start: i64,
    /// How it ended.
    pub ending: Ending,
}
