//! Plain data of those who follow the change log from where they left it.

/// A position in the change log that outlives the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPosition {
    /// Which log it is: another one after a copy was put in the store's place, or the store was moved.
    pub incarnation: String,
    /// The number of the entry that was read last; 0 before the first.
    pub sequence: i64,
    /// When that entry was committed, in ticks.
    pub committed_at: i64,
}

/// A part of the change log that is read in pages.
#[derive(Debug, Clone, Copy)]
pub struct ChangeRange {
    /// The number of the entry behind which it begins.
    pub since: i64,
    /// The number of the entry behind which this page begins.
    pub after: i64,
    /// The number of its last entry.
    pub until: i64,
}

/// Records that have changed, in the order of their last changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedRecords {
    /// Each once.
    pub records: Vec<ChangedRecord>,
    /// The last entry that was looked at.
    pub up_to: i64,
    /// Whether the range has no more.
    pub is_end: bool,
}

/// A record that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedRecord {
    /// Its id.
    pub id: String,
    /// What has become of it.
    pub fate: RecordFate,
}

/// What has become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFate {
    /// It was not there before.
    New,
    /// It was there before, or it may have been.
    Changed,
    /// It was erased.
    Erased,
}
