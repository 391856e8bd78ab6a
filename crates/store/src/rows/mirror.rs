//! Mirrors and their ledger. Instants are ticks of 100 ns since 1970, by the clock of the source unless it
//! says otherwise; hours are counted from 1970.

use model::{ShreddedRecord, TenantId};

use crate::rows::record::WriteResult;

/// A mirror, as it is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorSetup {
    /// Its name.
    pub name: String,
    /// Whose records it brings.
    pub tenant: TenantId,
    /// Source, application, rates: JSON, without secrets.
    pub settings: String,
    /// Whether the settings file has it, so that commands must not change it.
    pub is_of_file: bool,
    /// The first hour that it covers.
    pub begins: i64,
}

/// A mirror, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorRow {
    /// The store's own number of it.
    pub key: i64,
    /// What it is set up to do.
    pub setup: MirrorSetup,
    /// When it was made, by our clock.
    pub created: i64,
    /// How far the source's clock was ahead of ours; none before the first answer.
    pub skew: Option<i64>,
    /// When the source last answered, by our clock.
    pub heard: Option<i64>,
    /// Why nothing can be read at present, and since when (our clock).
    pub problem: Option<(String, i64)>,
}

/// What a process that runs a mirror must show with each of its writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MirrorLease {
    /// The mirror's number.
    pub mirror_key: i64,
    /// Grows with each holder of the lease.
    pub fence: i64,
}

/// A row of the source's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRecord {
    /// The id as listed.
    pub id: String,
    /// `startDateTime`.
    pub start: i64,
    /// The version.
    pub version: i64,
}

/// A stretch of the list of an hour that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSlice {
    /// The hour.
    pub hour: i64,
    /// When the pass over the hour began.
    pub began: i64,
    /// Up to which instant the pass has come.
    pub read_to: i64,
    /// Whether the hour is read to its end.
    pub is_last: bool,
    /// When records that are new become due.
    pub due_at: i64,
    /// All that was listed in it.
    pub rows: Vec<ListedRecord>,
    /// Those of the rows that start outside of the slice.
    pub outside: u64,
}

/// Where a record of the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LedgerState {
    /// It is to be read.
    Due,
    /// It is stored whole, in the version that was listed or a higher one.
    Settled,
    /// The source has forgotten it before it could be read.
    Gone,
    /// The source refuses it, or gives answers that can't be trusted.
    Refused,
    /// What the source gives is no record that can be kept.
    Unreadable,
    /// It was erased here.
    Erased,
}

impl LedgerState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Due, Self::Settled, Self::Gone, Self::Refused, Self::Unreadable, Self::Erased];

    /// Its name in the store and in what is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Settled => "settled",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
            Self::Erased => "erased",
        }
    }

    /// Whether a record in it is missing here.
    pub fn is_hole(self) -> bool {
        matches!(self, Self::Gone | Self::Refused | Self::Unreadable)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A record of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRecord {
    /// The id as it is compared.
    pub id_key: Vec<u8>,
    /// The id as listed.
    pub id: String,
    /// `startDateTime` as listed.
    pub start: i64,
    /// The highest version that was listed.
    pub wanted_version: i64,
    /// The highest version that was stored whole.
    pub stored_version: Option<i64>,
    /// Where it is.
    pub state: LedgerState,
    /// When it is to be read, if it is.
    pub due_at: Option<i64>,
    /// Tries that have failed since it became due.
    pub attempts: u32,
    /// When it was listed first.
    pub first_heard: i64,
    /// When it was last tried.
    pub last_tried: Option<i64>,
    /// The status of the last answer that was no success.
    pub last_status: Option<u32>,
    /// What was wrong then.
    pub last_error: Option<String>,
    /// The source's name of that request.
    pub request_id: Option<String>,
    /// Whether its version is to be asked for before it is read: a notification named it, and it is stored.
    pub asks_version: bool,
}

/// What has become of a record that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerChange {
    /// The id as it is compared.
    pub id_key: Vec<u8>,
    /// Where it is now.
    pub state: LedgerState,
    /// The version that is stored whole now, if it was stored.
    pub stored_version: Option<i64>,
    /// When it started, if it was stored.
    pub start: Option<i64>,
    /// When the try began.
    pub began_at: i64,
    /// How late it was heard of, if that can be said: the day (from 1970) and a number of minutes.
    pub delay: Option<(i64, i64)>,
    /// When it is to be tried again, if it is.
    pub due_at: Option<i64>,
    /// When it is to be tried again if a higher version was listed meanwhile.
    pub again_at: i64,
    /// Tries that have failed.
    pub attempts: u32,
    /// When it was tried.
    pub tried_at: i64,
    /// Status of an answer that was no success.
    pub status: Option<u32>,
    /// What was wrong.
    pub error: Option<String>,
    /// The source's name of the request.
    pub request_id: Option<String>,
}

/// A record that was read, and what the ledger is to say of it once it is written.
#[derive(Debug, Clone)]
pub struct MirrorRecord {
    /// The record.
    pub record: ShreddedRecord,
    /// What the ledger says then, unless the stored record of this version says something else.
    pub change: LedgerChange,
}

/// What came of a write of a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FencedResult<T> {
    /// It was done.
    Done(T),
    /// Another process holds the mirror by now, so nothing was written.
    Lost,
}

/// What came of records that were written; those that conflict have no entry in the ledger yet.
pub type MirrorResults = FencedResult<Vec<WriteResult>>;

/// A body that could not be kept as a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The id of the record as it is compared.
    pub id_key: Vec<u8>,
    /// `differs` or `unreadable`.
    pub kind: String,
    /// Of the body, so that the same one is kept once.
    pub hash: Vec<u8>,
    /// The version that it tells of; 0 where that can't be read.
    pub version: i64,
    /// When it came.
    pub at: i64,
    /// JSON Pointer to the value that differs or can't be read.
    pub place: String,
    /// The body, sealed.
    pub sealed: Vec<u8>,
}

/// What is known of the list of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HourRow {
    /// The hour.
    pub hour: i64,
    /// When the last finished pass over it began.
    pub passed: Option<i64>,
    /// Finished passes.
    pub passes: u64,
    /// Rows that the last finished pass saw.
    pub listed: u64,
    /// A pass that is not finished: when it began, and up to which instant it has come.
    pub unfinished: Option<(i64, i64)>,
    /// Rows that were listed for it though they start elsewhere.
    pub outside: u64,
}

/// How many records of an hour are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourCount {
    /// The hour.
    pub hour: i64,
    /// Where they are.
    pub state: LedgerState,
    /// How many.
    pub count: u64,
}

/// A record that the ledger calls settled, and that is not stored as it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerDifference {
    /// The id as it is compared.
    pub id_key: Vec<u8>,
    /// The id as listed.
    pub id: String,
    /// The version that was listed.
    pub wanted_version: i64,
    /// The version that is stored, if any is.
    pub stored_version: Option<i64>,
    /// Whether it is stored without some of its sessions or participants.
    pub is_incomplete: bool,
}

/// Evidence without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRow {
    /// The id as listed.
    pub id: String,
    /// `differs` or `unreadable`.
    pub kind: String,
    /// The version that it tells of.
    pub version: i64,
    /// When it came.
    pub at: i64,
    /// JSON Pointer to the value that differs or can't be read.
    pub place: String,
}
