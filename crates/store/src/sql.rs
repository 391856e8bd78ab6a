//! SQL made at run time, and what of it is the same everywhere.
//!
//! Text comes from this crate's own literals only; every value travels as a bind. There is no
//! function that takes a run-time string as SQL.

pub(crate) mod fragment;
pub(crate) mod writer;

/// Whose wording a statement has, where the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Columns of a record as the reader takes them, of the table named `r`.
macro_rules! record_columns {
    () => {
        "r.record_key, r.id, r.version, r.is_current, r.start_date_time, r.end_date_time, \
         r.flags, r.content_hash, r.participant_count, r.session_count, r.fragment"
    };
}
pub(crate) use record_columns;
