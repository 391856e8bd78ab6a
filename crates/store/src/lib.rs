//! The store: records, their versions and typed columns, and the log of what changed, in one
//! transaction each.
//!
//! All SQL of the house stands in this crate. [`Store`] is the front door; each thread that reads has a
//! [`Reader`] of its own. Neither shows which engine is behind it.
//!
//! The modules form layers, and each uses only those below it: the front door (`store`, `reader`,
//! `writer`, `transfer`), `maintenance`, `answer`, `cache`, `query`, `tables`, `codec`, `sql`, `engine`.

mod advisory_locks;
mod answer;
mod cache;
pub mod clock;
mod codec;
mod engine;
mod error;
mod maintenance;
mod options;
mod pending;
mod priority;
mod query;
mod reader;
mod rows;
mod sql;
mod state;
mod store;
mod tables;
#[cfg(test)]
mod testing;
mod transfer;
mod writer;

pub use advisory_locks::Claims;
pub use answer::cost;
pub use cache::change_feed::{Following, News, Seen};
pub use codec::{Codec, Packed, Unpacking};
pub use engine::Place;
pub use error::{Cause, Error};
pub use model::call::{CallEventRow, CallRow, Ending};
pub use options::{Options, Role};
pub use pending::Pending;
pub use priority::lower_priority;
pub use query::{Budget, Cost, Explanation, Found, RowPage, RowQuery, RowSet};
pub use reader::Reader;
pub use rows::call::{CallScope, ChainRecord, KeptEvent, WaitingChain};
pub use rows::log::{KeptLogRow, KeptRow, LogRange};
pub use rows::record::{
    AppRow, Change, ChangeRow, Diagnosis, Outcome, SigningKeyRow, StoredRecord, TableSize, Written,
};
pub use rows::subscription::{
    Added, Channel, CommittedVersion, CommittedVersions, Decision, DeliveryRow, DueEndpoint, Event,
    FailingEndpoint, Match, QueueSize, Sent, Settled, SubscriptionRow,
};
pub use store::Store;
pub use transfer::{Moved, Moving, transfer};
