//! Applications by their client ids.

use anyhow::{Context, Result};
use store::{AppRow, Store};

/// An application that is registered.
pub(super) fn find(store: &Store, client_id: &str) -> Result<AppRow> {
    store.reader()?.app(client_id)?.with_context(|| unknown(client_id))
}

/// What is said where there is none.
pub(super) fn unknown(client_id: &str) -> String {
    format!("no application has the client id {client_id}: `callvault app list` prints them")
}
