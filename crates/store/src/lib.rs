//! The store: records, their versions and typed columns, and the log of what changed, in one
//! transaction each.
//!
//! All SQL of the house stands in this crate. [`Store`] is the front door; whoever reads gets a
//! [`Reader`] of its own. Neither shows which engine is behind it.

mod answer;
mod call;
mod claims;
pub mod clock;
mod codec;
mod dictionary;
mod doctor;
mod engine;
mod error;
mod following;
mod kept;
mod log;
mod options;
mod packed;
mod pending;
mod postgres;
mod priority;
mod query;
mod reader;
mod record;
mod session;
mod snapshot;
mod sql;
mod sqlite;
mod store;
mod subscription;
mod tables;
mod transfer;
mod writer;

pub use answer::cost;
pub use call::{CallScope, ChainRecord, KeptEvent, WaitingChain};
pub use claims::Claims;
pub use codec::Codec;
pub use engine::Place;
pub use error::{Cause, Error};
pub use following::{Following, News, Seen};
pub use log::{KeptLogRow, KeptRow, LogRange};
pub use model::call::{CallEventRow, CallRow, Ending};
pub use options::{Options, Role};
pub use packed::{Packed, Unpacking};
pub use pending::Pending;
pub use priority::lower_priority;
pub use query::{Budget, Cost, Explanation, Found, RowPage, RowQuery, RowSet};
pub use reader::Reader;
pub use record::{
    AppRow, Change, ChangeRow, Diagnosis, Outcome, SigningKeyRow, StoredRecord, TableSize, Written,
};
pub use store::Store;
pub use subscription::{
    Added, Channel, CommittedVersion, CommittedVersions, Decision, DeliveryRow, DueEndpoint, Event,
    FailingEndpoint, Match, QueueSize, Sent, Settled, SubscriptionRow,
};
pub use transfer::{Moved, Moving, transfer};
