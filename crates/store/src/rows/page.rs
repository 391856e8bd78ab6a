//! People who look at the pages, and what they looked at.

use model::TenantId;

/// A link by which somebody signs in, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLinkRow {
    /// BLAKE3 of its code.
    pub code_hash: [u8; 32],
    /// Whose calls it opens.
    pub tenant: TenantId,
    /// Whom it is made for, as the access log shall name them.
    pub name: String,
    /// What they may see.
    pub roles: Vec<String>,
    /// The instant (ticks) from which on it no longer opens anything.
    pub expires: i64,
}

/// The session of somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSessionRow {
    /// BLAKE3 of what the cookie holds.
    pub id_hash: [u8; 32],
    /// Whose calls it opens.
    pub tenant: TenantId,
    /// Who it is.
    pub name: String,
    /// What they may see.
    pub roles: Vec<String>,
    /// When they signed in (ticks).
    pub created: i64,
    /// When they were seen last, to the minute.
    pub used: i64,
    /// The instant from which on it no longer opens anything.
    pub expires: i64,
}

/// A line of the access log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRow {
    /// When (ticks).
    pub at: i64,
    /// Whose calls they are.
    pub tenant: TenantId,
    /// Who looked.
    pub name: String,
    /// At which page.
    pub page: String,
    /// Id of the call; none for lists.
    pub subject: Option<String>,
    /// BLAKE3 of the question of a list.
    pub digest: Option<Vec<u8>>,
    /// How many calls a list showed.
    pub count: Option<i64>,
}
