//! What is kept of calls beside themselves: what became of their events, and their chains.

use model::TenantId;
use model::call::Ending;

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEventOutcome {
    /// It is stored.
    New,
    /// It was stored before.
    Known,
    /// Another event with its id was stored before.
    Conflict,
    /// Its call belongs to another chain, of this id.
    OtherChain(String),
}

/// The number that an ending is kept as.
pub(crate) fn number(ending: Ending) -> i64 {
    match ending {
        Ending::Open => 0,
        Ending::Ended => 1,
        Ending::Abandoned => 2,
    }
}

/// The ending of a number.
pub(crate) fn ending(number: i64) -> Ending {
    match number {
        0 => Ending::Open,
        1 => Ending::Ended,
        _ => Ending::Abandoned,
    }
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
pub struct DueChain {
    /// Its number in this store.
    pub key: i64,
    /// Its tenant.
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
    pub chain: DueChain,
    /// The record.
    pub record: model::ShreddedRecord,
}
