//! Maps of places: files with a name, a version and a time for which they hold. Instants are ticks.

/// A file that comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceMapImport {
    /// Name of the map.
    pub name: String,
    /// Which version it is to be; none is the newest if that says the same, or else the next.
    pub version: Option<i64>,
    /// What it maps.
    pub kind: &'static str,
    /// The first instant at which it holds and the first at which it no longer does; none leaves that of
    /// a version that is there as it is.
    pub validity: Option<(Option<i64>, Option<i64>)>,
    /// How many rows it has.
    pub rows: i64,
    /// Who imports it.
    pub imported_by: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// Whether it is only said what would be done.
    pub is_dry_run: bool,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceMapResult {
    /// What was done.
    pub outcome: PlaceMapOutcome,
    /// The version that it is, or would have been.
    pub version: i64,
}

/// What was done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceMapOutcome {
    /// The version was not there.
    Created,
    /// The version is there with the same content; when it holds is new.
    Changed,
    /// The version is there as it came.
    Unchanged,
    /// The version is there with other content. Nothing was written.
    OtherContent,
    /// A map of this name maps something else. Nothing was written.
    OtherKind,
}

impl PlaceMapOutcome {
    /// The word for it in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::OtherContent | Self::OtherKind => "conflict",
        }
    }
}

/// A version of a map, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceMapRow {
    /// Name of the map.
    pub name: String,
    /// Its version.
    pub version: i64,
    /// What it maps.
    pub kind: String,
    /// The first instant at which it holds.
    pub valid_from: Option<i64>,
    /// The first instant at which it no longer does.
    pub valid_to: Option<i64>,
    /// BLAKE3 of the file.
    pub content_hash: Vec<u8>,
    /// How many rows it has.
    pub rows: i64,
    /// When it was imported.
    pub imported: i64,
    /// By whom.
    pub imported_by: String,
}

/// What leads to a place, as the ends of streams have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkUse {
    /// `network/subnet` for buildings, `network/basicServiceSetIdentifier` for access points,
    /// `network/reflexiveIPAddress` for AS numbers, `endpointName` for endpoints.
    pub key: Option<String>,
    /// `network/ipAddress`, where that was asked for.
    pub address: Option<String>,
    /// How many streams have an end there; one whose ends both are counts twice.
    pub streams: u64,
}
