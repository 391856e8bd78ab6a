//! What every answer that shows a call record needs of it.

use model::flags;
use odata::key;
use odata::primitive::TICKS_PER_DAY;
use store::{StoredRecord, clock};
use web::Problem;

/// Graph's answer to a record that is not there, be it absent, of another tenant or too old.
const NO_SUCH_RECORD: &str = "Could not find the requested call record. Records about calls or \
                              online meetings that started more than 30 days ago are not \
                              available.";

/// 404 in Graph's words for a call record.
pub(crate) fn not_found() -> Problem {
    Problem::not_there(NO_SUCH_RECORD)
}

/// A record's path as contexts write it.
pub(crate) fn record_path(row: &StoredRecord) -> String {
    format!("communications/callRecords{}", key::in_parentheses(&row.id))
}

/// Whether a record holds enumeration members that not everyone may see.
pub(crate) fn has_unsettled_enum(row: &StoredRecord) -> bool {
    row.flags & flags::UNSETTLED_ENUM != 0
}

/// The start before which records are not shown, where only those of so many days are.
pub(crate) fn oldest_shown(retention_view: Option<u32>) -> Option<i64> {
    let days = i64::from(retention_view?);
    Some(clock::now() - days * TICKS_PER_DAY)
}
