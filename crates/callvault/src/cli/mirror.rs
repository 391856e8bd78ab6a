//! Arguments of `mirror`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Subcommand};
use mirror::{Cloud, NotificationSetting};
use model::TenantId;
use odata::primitive::DateTimeOffset;

use super::values;

/// `mirror`
#[derive(Debug, Subcommand)]
pub(crate) enum Mirror {
    /// Set up a mirror, or give it other settings or another secret
    Add(Box<MirrorAdd>),
    /// Read what the source has, until interrupted
    Run(MirrorRun),
    /// Say what is here, what is missing, and why; exit status 3 if something needs attention
    Status(MirrorStatus),
    /// Compare the source with the store; exit status 3 if they differ
    Verify(MirrorVerify),
    /// Say why there is no data, and who has to do what; exit status 3 if something is wrong
    Doctor(MirrorDoctor),
    /// Remove a mirror and its ledger; the records stay
    Remove(MirrorName),
}

/// `mirror add`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("credential").required(true))]
pub(crate) struct MirrorAdd {
    /// Name of the mirror
    #[arg(value_parser = name)]
    pub(crate) name: String,
    /// Tenant whose records it brings
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: TenantId,
    /// Client id of the application that reads them
    #[arg(long, value_name = "ID")]
    pub(crate) application: String,
    /// File with the client secret, or - for standard input; it is kept encrypted in the store
    #[arg(long, value_name = "FILE|-", group = "credential")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Environment variable with the client secret
    #[arg(long, value_name = "NAME", group = "credential")]
    pub(crate) secret_env: Option<String>,
    /// PEM file with a certificate of the application and its private key; both are kept encrypted in the
    /// store
    #[arg(long, value_name = "FILE", group = "credential")]
    pub(crate) certificate_file: Option<PathBuf>,
    /// File with a token of another issuer that the application trusts; it is read again for each token
    #[arg(long, value_name = "FILE", group = "credential")]
    pub(crate) federated_token_file: Option<PathBuf>,
    /// Microsoft's cloud
    #[arg(long, value_name = "CLOUD", default_value = "global", value_parser = clouds())]
    cloud: String,
    /// Address of another source that answers as Graph does, such as a Callvault, before /v1.0
    #[arg(long, value_name = "URL", conflicts_with = "cloud", value_parser = url)]
    pub(crate) source: Option<String>,
    /// Address of its issuer of tokens, before the tenant [default: the source's]
    #[arg(long, value_name = "URL", requires = "source", value_parser = url)]
    pub(crate) authority: Option<String>,
    /// How fast the source may be asked: within Graph's limits, or as fast as it answers
    #[arg(long, value_name = "RATE", default_value = "graph", value_parser = ["graph", "off"])]
    rate: String,
    /// Public address of the server, before /callvault/mirror, at which the source notifies
    /// [default: server.public_url if it begins with https]
    #[arg(long, value_name = "URL", value_parser = url)]
    notification_url: Option<String>,
    /// Have the source not notify: the list alone
    #[arg(long, conflicts_with = "notification_url")]
    no_notifications: bool,
    /// Days before now from which on calls are brought
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(i64).range(0..=30))]
    pub(crate) backfill_days: i64,
    /// Only look at the source, and print what it is like
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn clouds() -> PossibleValuesParser {
    Cloud::ALL.map(Cloud::name).into()
}

impl MirrorAdd {
    /// The cloud.
    pub(crate) fn cloud(&self) -> Cloud {
        Cloud::parse(&self.cloud).unwrap_or(Cloud::Global)
    }

    /// Whether the source notifies.
    pub(crate) fn notifications(&self) -> NotificationSetting {
        match &self.notification_url {
            _ if self.no_notifications => NotificationSetting::Off,
            Some(url) => NotificationSetting::At(url.clone()),
            None => NotificationSetting::Auto,
        }
    }

    /// How fast the source may be asked.
    pub(crate) fn rate(&self) -> mirror::Rate {
        if self.rate == "off" { mirror::Rate::Off } else { mirror::Rate::Graph }
    }
}

/// `mirror run`
#[derive(Debug, Args)]
pub(crate) struct MirrorRun {
    /// Name of the mirror [default: the only one]
    pub(crate) name: Option<String>,
    /// Stop when everything that the source lists is here; exit status 3 if something is missing
    #[arg(long, conflicts_with = "once")]
    pub(crate) until_complete: bool,
    /// Stop when nothing is due, also if something has to be tried again later
    #[arg(long)]
    pub(crate) once: bool,
}

/// `mirror status`
#[derive(Debug, Args)]
pub(crate) struct MirrorStatus {
    /// Name of the mirror [default: all]
    pub(crate) name: Option<String>,
    /// Print a line for each hour, too
    #[arg(long)]
    pub(crate) hours: bool,
    /// Print a JSON object for each mirror
    #[arg(long)]
    pub(crate) json: bool,
}

/// `mirror verify`
#[derive(Debug, Args)]
pub(crate) struct MirrorVerify {
    /// Name of the mirror [default: the only one]
    pub(crate) name: Option<String>,
    /// First hour of starts [default: the first that the source still lists whole]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) from: Option<DateTimeOffset>,
    /// The hour behind the last [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) to: Option<DateTimeOffset>,
    /// Read so many records once more, too, and compare every value
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1000")]
    pub(crate) deep: Option<usize>,
}

/// `mirror doctor`
#[derive(Debug, Args)]
pub(crate) struct MirrorDoctor {
    /// Name of the mirror [default: the only one]
    pub(crate) name: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `mirror remove`
#[derive(Debug, Args)]
pub(crate) struct MirrorName {
    /// Name of the mirror
    pub(crate) name: String,
}

/// The name of a mirror.
fn name(text: &str) -> Result<String, String> {
    if mirror::is_name(text) {
        return Ok(text.to_owned());
    }
    Err("a name has 1 to 64 letters, digits, '-', '_' or '.', a letter or a digit first".to_owned())
}

/// The address of a source.
fn url(text: &str) -> Result<String, String> {
    mirror::check_address(text).map(|()| text.to_owned())
}
