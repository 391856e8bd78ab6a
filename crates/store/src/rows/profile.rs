//! Profiles of the owner, by which streams are judged.

/// A version of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// The digest of its rules.
    pub content_hash: [u8; 32],
    /// The profile as TOML.
    pub body: String,
}

/// What became of a profile that was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileOutcome {
    /// The version was not there.
    Created,
    /// The version is there with the same rules.
    Unchanged,
    /// The version is there with other rules. Nothing was written.
    OtherContent,
}
