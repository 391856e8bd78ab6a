//! What is known about a stored record besides its members, as bits of one number.

/// The record came with `sessions@odata.nextLink`: there are sessions that were not in it.
pub const SESSIONS_INCOMPLETE: u32 = 1;
/// The record came with `participants_v2@odata.nextLink`.
pub const PARTICIPANTS_INCOMPLETE: u32 = 1 << 1;
/// `organizer` was made from `organizer_v2`.
pub const ORGANIZER_DERIVED: u32 = 1 << 2;
/// `participants` was made from `participants_v2`.
pub const PARTICIPANTS_DERIVED: u32 = 1 << 3;
/// `organizer_v2` was made from `organizer`.
pub const ORGANIZER_V2_DERIVED: u32 = 1 << 4;
/// `participants_v2` was made from `participants`.
pub const PARTICIPANTS_V2_DERIVED: u32 = 1 << 5;
/// Somewhere in the record stands an enumeration member that is not declared, or only behind the
/// sentinel; a plain copy would show it to clients that did not ask for such members.
pub const UNSETTLED_ENUM: u32 = 1 << 6;
/// Every instant of the record is in UTC and a whole number of ticks, and every number and duration is
/// small enough for a database to calculate with exactly. Records stored by earlier
/// builds don't have the bit. It shapes no answer.
pub const PLAIN_VALUES: u32 = 1 << 7;

/// The typed rows of the record, if it has such, have all columns of this build. Records stored by earlier
/// builds don't have the bit until they get them. It shapes no answer.
pub const ALL_COLUMNS: u32 = 1 << 8;
/// Bits that shape no answer.
pub const OF_STORE: u32 = PLAIN_VALUES | ALL_COLUMNS;

/// The bits of a record with typed rows of this build.
pub fn of_rows(are_plain: bool) -> u32 {
    ALL_COLUMNS | if are_plain { PLAIN_VALUES } else { 0 }
}

/// Names of the collections that were cut off when the record came in.
pub fn incomplete(flags: u32) -> Vec<&'static str> {
    [(SESSIONS_INCOMPLETE, "sessions"), (PARTICIPANTS_INCOMPLETE, "participants_v2")]
        .into_iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, name)| name)
        .collect()
}
