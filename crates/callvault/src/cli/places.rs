//! Arguments of `places`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use model::TenantId;
use places::Kind;

use super::values;

/// `places`
#[derive(Debug, Subcommand)]
pub(crate) enum Places {
    /// Read a file and print every fault in it
    Check(PlacesCheck),
    /// Import a file as a version of a map
    Import(PlacesImport),
    /// Print the maps and their versions
    List(PlacesList),
    /// Print the file of a map as it was imported
    Export(PlacesExport),
    /// Delete a map, or one of its versions
    Delete(PlacesDelete),
}

/// Which kind of file.
#[derive(Debug, Args)]
pub(crate) struct PlacesKind {
    /// What the file maps [default: what its columns show]
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    kind: Option<String>,
}

fn kinds() -> PossibleValuesParser {
    Kind::ALL.map(Kind::name).into()
}

impl PlacesKind {
    /// The kind, if one was named.
    pub(crate) fn get(&self) -> Option<Kind> {
        self.kind.as_deref().and_then(Kind::parse)
    }
}

/// `places check`
#[derive(Debug, Args)]
pub(crate) struct PlacesCheck {
    /// File of buildings, endpoints, access points or AS numbers
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) kind: PlacesKind,
}

/// `places import`
#[derive(Debug, Args)]
pub(crate) struct PlacesImport {
    /// File of buildings, endpoints, access points or AS numbers
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) kind: PlacesKind,
    /// Name of the map
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    /// Version of the map [default: the next one, if the newest says something else]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub(crate) version: Option<i64>,
    /// First day, or instant, for which it holds [default: all that was before]
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Last day for which it holds, or the instant at which it ends [default: open]
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Only print what the import would do
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Tenant of the map [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
}

/// `places list`
#[derive(Debug, Args)]
pub(crate) struct PlacesList {
    /// Tenant of the maps [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Print a line of JSON for each version
    #[arg(long)]
    pub(crate) json: bool,
}

/// `places export`
#[derive(Debug, Args)]
pub(crate) struct PlacesExport {
    /// Name of the map
    pub(crate) name: String,
    /// Version of the map instead of the newest
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<i64>,
    /// Tenant of the map [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
}

/// `places delete`
#[derive(Debug, Args)]
pub(crate) struct PlacesDelete {
    /// Name of the map
    pub(crate) name: String,
    /// Only this version
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<i64>,
    /// Tenant of the map [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
}

/// The name of a map.
fn name(text: &str) -> Result<String, String> {
    if places::is_name(text) {
        return Ok(text.to_owned());
    }
    Err("a name has 1 to 64 letters, digits, '-', '_' or '.', a letter or a digit first".to_owned())
}
