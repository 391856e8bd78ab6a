//! Plain data that goes into the store and comes out of it. Instants are ticks of 100 ns since
//! 1970.

use model::TenantId;

/// A version of a record, as stored.
#[derive(Debug, Clone)]
pub struct StoredRecord {
    /// The store's own number of this version; never used again for another one.
    pub record_key: i64,
    /// The id as it came with this version.
    pub id: String,
    /// The version.
    pub version: i64,
    /// Whether no higher version is stored.
    pub is_current: bool,
    /// `startDateTime`.
    pub start: i64,
    /// `endDateTime`.
    pub end: i64,
    /// Bits of [`model::flags`].
    pub flags: u32,
    /// First half of [`model::ShreddedRecord::content_hash`].
    pub content_hash: [u8; 16],
    /// Number of participants stored.
    pub participant_count: i64,
    /// Number of sessions stored.
    pub session_count: i64,
    /// The record fragment, decompressed; see [`model::fragment::RecordFragment`].
    pub fragment: Vec<u8>,
}

/// What writing a record came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteResult {
    /// What was done.
    pub outcome: Outcome,
    /// The id as stored with this version.
    pub id: String,
    /// The id as it is compared.
    pub id_key: Vec<u8>,
    /// The version that was written.
    pub version: i64,
    /// Bits of [`model::flags`] of what is stored now.
    pub flags: u32,
}

/// What was done with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The first version of the record to be stored.
    Created,
    /// It is the highest version now; the one before went to history.
    Replaced,
    /// The version was there already and has learned something.
    Merged,
    /// The version was there already and says all of it.
    Unchanged,
    /// A higher version is stored; this one went to history.
    Archived,
    /// The version is there already and says something else. Nothing was written.
    Conflict {
        /// JSON Pointer (RFC 6901) into the record that came.
        pointer: String,
    },
}

/// What an entry of the change log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// [`Outcome::Created`].
    Created,
    /// [`Outcome::Replaced`].
    Replaced,
    /// [`Outcome::Merged`].
    Merged,
    /// [`Outcome::Archived`].
    Archived,
    /// The version has left the store for good.
    Erased,
}

impl Change {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced => "replaced",
            Self::Merged => "merged",
            Self::Archived => "archived",
            Self::Erased => "erased",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Created, Self::Replaced, Self::Merged, Self::Archived, Self::Erased]
            .into_iter()
            .find(|change| change.name() == name)
    }
}

/// An entry of the change log, committed together with what it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Ascends in the order of commits; has gaps.
    pub sequence: i64,
    /// The tenant of the record.
    pub tenant: TenantId,
    /// [`StoredRecord::record_key`] of the version.
    pub record_key: i64,
    /// The record's id; none of an older change of what was erased since.
    pub id: Option<String>,
    /// The version.
    pub version: i64,
    /// What happened to it.
    pub change: Change,
    /// When the transaction began to commit.
    pub committed_at: i64,
}

/// An application that the built-in issuer gives tokens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRow {
    /// Its GUID.
    pub client_id: String,
    /// Where it may read.
    pub tenant: TenantId,
    /// For people.
    pub name: String,
    /// Application roles.
    pub roles: Vec<String>,
    /// Argon2id hash of its secret, in PHC form.
    pub secret_hash: String,
    /// When it was made.
    pub created: i64,
}

/// What an application may show in place of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCredential {
    /// The application.
    pub client_id: String,
    /// The thumbprint of a certificate, or what federated tokens are called.
    pub name: String,
    /// `certificate` or `federated`.
    pub kind: String,
    /// The certificate as PEM, or the issuer with its keys as JSON.
    pub body: String,
    /// When it was given, in seconds since 1970.
    pub created: i64,
}

/// A key that the built-in issuer signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyRow {
    /// Its name in token headers.
    pub kid: String,
    /// JWS algorithm (RFC 7518).
    pub algorithm: String,
    /// Private key under the master key.
    pub sealed_private_key: Vec<u8>,
    /// Public key as JWK text.
    pub public_jwk: String,
    /// When it was made.
    pub created: i64,
    /// From when on no token signed by it is accepted.
    pub not_after: Option<i64>,
}

/// The state of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// What is wrong, a sentence each; empty if nothing is.
    pub problems: Vec<String>,
    /// The tables, the biggest first.
    pub tables: Vec<TableSize>,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
}

/// How much a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// Number of rows.
    pub rows: u64,
    /// Bytes of its pages and those of its indexes.
    pub bytes: u64,
}
