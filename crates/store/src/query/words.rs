//! What the full-text index is asked for `$search`.

use odata::bound::Search;

/// An expression that every record with what is searched for meets; `None` if the words don't
/// lead to records.
pub(super) fn candidates(tenant_key: i64, search: &Search) -> Option<String> {
    let _ = (tenant_key, search);
    None
}

/// The row of the full-text index for a record.
pub(super) fn search_key(start: i64, record_key: i64) -> i64 {
    let bucket = start.div_euclid(640_000_000).clamp(-(1 << 27), (1 << 27) - 1);
    (bucket << 35) | record_key
}
