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

pub use advisory_locks::AdvisoryLocks;
pub use answer::cost;
pub use cache::change_feed::{ChangeFeed, Doorkeeper, FeedChanges};
pub use codec::{Codec, FragmentReader, PackedFragment};
pub use engine::{Place, is_owned};
pub use error::{Cause, Error};
pub use model::call::{CallEventRow, CallRow, Ending};
pub use options::{Options, Role};
pub use pending::Pending;
pub use priority::lower_priority;
pub use query::{Budget, Cost, Explanation, ResultRow, RowPage, RowQuery, RowSet};
pub use reader::Reader;
pub use rows::call::{CallEventOutcome, CallScope, ChainRecord, DueChain};
pub use rows::change::{ChangeRange, ChangedRecord, ChangedRecords, LogPosition, RecordFate};
pub use rows::log::{LogRange, LogRowOutcome, StoredLogRow};
pub use rows::mirror::{
    Evidence, EvidenceRow, FencedResult, HourCount, HourRow, LedgerChange, LedgerDifference,
    LedgerRecord, LedgerState, ListedRecord, MirrorLease, MirrorRecord, MirrorResults, MirrorRow,
    MirrorSetup, ReadSlice,
};
pub use rows::mirror_reception::{
    DelayCount, MirrorGap, MirrorReception, MirrorSubscription, SubscriptionEvent,
};
pub use rows::page::{AccessRow, PageSessionRow, SignInLinkRow};
pub use rows::place_map::{
    NetworkUse, PlaceMapImport, PlaceMapOutcome, PlaceMapResult, PlaceMapRow,
};
pub use rows::profile::{ProfileOutcome, ProfileRow};
pub use rows::record::{
    AppCredential, AppRow, Change, ChangeRow, Diagnosis, Outcome, SigningKeyRow, StoredRecord,
    TableSize, WriteResult,
};
pub use rows::subscription::{
    Channel, CommittedVersion, CommittedVersions, Decision, DeliveryOutcome, DeliveryRow,
    DueEndpoint, Event, FailingEndpoint, Match, QueueSize, SentMessages, SubscriptionOutcome,
    SubscriptionRow,
};
pub use store::{CompactionReport, Store};
pub use transfer::{TransferProgress, TransferSummary, transfer};
