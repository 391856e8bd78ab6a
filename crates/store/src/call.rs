//! Calls and the events that tell of them, as rows.

use model::TenantId;

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

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptEvent {
    /// It is kept.
    New,
    /// The same event was kept before.
    Known,
    /// Another event of the same id was kept before.
    Conflict,
    /// Its call belongs to another chain, of this id.
    OtherChain(String),
}

/// How a call ended, if that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// No end is known.
    Open,
    /// An event told of its end.
    Ended,
    /// No event told of its end, and none is waited for any more.
    Abandoned,
}

impl Ending {
    pub(crate) fn of_number(number: i64) -> Self {
        match number {
            0 => Self::Open,
            1 => Self::Ended,
            _ => Self::Abandoned,
        }
    }

    pub(crate) fn number(self) -> i64 {
        self as i64
    }
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// Its number in this store.
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

/// Which calls are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallScope {
    /// Those of a chain, by the key of its id.
    pub chain: Option<Vec<u8>>,
    /// Those whose end is not known.
    pub open_only: bool,
}

/// A chain of calls that knows more than its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingChain {
    /// Its number in this store.
    pub key: i64,
    /// Whose.
    pub tenant: TenantId,
    /// Its id, which the record has as well.
    pub id: String,
    /// The number of its last event.
    pub last_event: i64,
    /// The newest version of the record; 0 before there is one.
    pub version: i64,
}

/// The record of a chain, to be written unless something of it has changed meanwhile.
#[derive(Debug, Clone)]
pub struct ChainRecord {
    /// The chain as the record was made of it.
    pub chain: WaitingChain,
    /// The record.
    pub record: model::Shredded,
}
