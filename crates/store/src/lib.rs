//! The store: records, their versions and typed columns, and the log of what changed, in one
//! transaction each.
//!
//! All SQL of the house stands in this crate. [`Store`] is the front door; whoever reads gets a
//! [`Reader`] of its own. Neither shows which engine is behind it.

mod call;
mod codec;
mod dictionary;
mod error;
mod pending;
mod plan;
mod query;
mod record;
mod sql;
mod sqlite;
mod store;
mod subscription;

pub use call::{CallEventRow, CallRow, CallScope, ChainRecord, Ending, KeptEvent, WaitingChain};
pub use codec::Codec;
pub use error::{Cause, Error};
pub use pending::Pending;
pub use plan::{Cost, Filter, ListQuery};
pub use query::{Budget, Explanation, Found, RowPage, RowQuery, RowSet};
pub use record::{
    AppRow, Change, ChangeRow, Diagnosis, Outcome, SigningKeyRow, StoredRecord, TableSize, Written,
};
pub use sqlite::{Reader, cost};
pub use store::{Options, Role, Store};
pub use subscription::{
    Added, Channel, CommittedVersion, CommittedVersions, DeliveryRow, DueEndpoint, Event,
    FailingEndpoint, Match, QueueSize, Sent, Settled, SubscriptionRow,
};
