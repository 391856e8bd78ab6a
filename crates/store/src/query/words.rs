//! What the full-text index is asked for `$search`.

use model::rows::RowSet;
use model::search::{Candidates, Query};
use odata::bound::Search;

use crate::tables::search::{Tenant, match_text};

/// A search as an expression for the index of whole records.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) text: String,
    /// Every row that it leads to contains what is searched for.
    pub(super) is_exact: bool,
}

/// What leads to all rows of a set that contain what is searched for; `None` if the words don't.
pub(super) fn words(tenant: Tenant, set: RowSet, search: &Search) -> Option<Words> {
    let (candidates, is_exact) = Query::new(search).candidates();
    if set == RowSet::Records {
        return Some(Words { text: match_text(tenant, &candidates)?, is_exact });
    }
    let text = match_text(tenant, &contained(candidates))?;
    Some(Words { text, is_exact: false })
}

/// What a record has when something inside it meets the search: another part of it may well have
/// what that one lacks.
fn contained(candidates: Candidates) -> Candidates {
    match candidates {
        Candidates::Except(all, _) => contained(*all),
        Candidates::And(parts) => Candidates::And(parts.into_iter().map(contained).collect()),
        Candidates::Or(parts) => Candidates::Or(parts.into_iter().map(contained).collect()),
        other => other,
    }
}
