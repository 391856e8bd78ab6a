//! What can be typed.

mod emulating;
mod filling;
mod telling;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use model::TenantId;
use odata::primitive::DateTimeOffset;

use crate::settings::parse_time;

pub(crate) use emulating::{Emulation, EmulatorRequestLog};
pub(crate) use filling::{Import, Mix, Simulate};
pub(crate) use telling::{
    Deliveries, DeliveriesList, DeliveriesReplay, Subscriptions, SubscriptionsList,
    SubscriptionsWatch, Tail,
};

/// Keeps Microsoft Graph call records and serves them as Graph does.
#[derive(Debug, Parser)]
#[command(name = "callvault", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// Where the settings and the data are.
    #[command(flatten)]
    pub(crate) place: Place,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Settings file [default: callvault.toml in the working directory, if there is one]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CALLVAULT_CONFIG",
        help_heading = "Place"
    )]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the store and the keys [default: callvault-data]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "CALLVAULT_DATA_DIR",
        help_heading = "Place"
    )]
    pub(crate) data_dir: Option<PathBuf>,
    /// Store, as sqlite:PATH or postgres://… [default: callvault.db in the data folder]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "CALLVAULT_STORE",
        help_heading = "Place"
    )]
    pub(crate) store: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API until interrupted
    Serve(Serve),
    /// Serve simulated calls, to try things out
    Demo(Demo),
    /// Register applications that may ask for tokens
    #[command(subcommand)]
    App(App),
    /// Print a bearer token
    Token(Token),
    /// Print what clients sent to a server that emulates, and what they do wrong
    EmulatorRequestLog(EmulatorRequestLog),
    /// Put records from files into the store
    Import(Import),
    /// Print one record as a line of JSON
    Get(Get),
    /// Print records, or what is inside them: those that meet conditions, newest first
    List(List),
    /// Look at queries themselves
    #[command(subcommand)]
    Query(Query),
    /// Look at who is told of new and changed records
    #[command(subcommand)]
    Subscriptions(Subscriptions),
    /// Look at notifications that wait or were given up
    #[command(subcommand)]
    Deliveries(Deliveries),
    /// Follow the change log, a line of JSON for each change
    Tail(Tail),
    /// Copy a store to a file, also while it is served
    Backup(Backup),
    /// Print simulated calls as lines of JSON
    Simulate(Simulate),
    /// Bring the store to the form that this version needs, or move all of a store to another place
    Migrate(Migrate),
    /// Check the store and say how large it is
    Doctor,
    /// Print the version
    Version,
}

/// `migrate`
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Store to move from: sqlite:PATH or postgres://…; it may be in use
    #[arg(long, value_name = "URL", requires = "to")]
    pub(crate) from: Option<String>,
    /// Store to move to: an empty one, or where a move of the same has come to
    #[arg(long, value_name = "URL", requires = "from")]
    pub(crate) to: Option<String>,
}

/// `serve`
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) listening: Listening,
    /// Certificate chain in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Address under which clients reach the server; contexts and links begin with it
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Serve plain HTTP also on addresses that other machines can reach
    #[arg(long)]
    pub(crate) allow_plain_http: bool,
    #[command(flatten)]
    pub(crate) emulation: Emulation,
}

/// Flags of what listens.
#[derive(Debug, Args)]
pub(crate) struct Listening {
    /// Address of the API; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Address of health and metrics, or off [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDR:PORT|off", value_parser = admin_address)]
    pub(crate) admin_listen: Option<String>,
}

/// `demo`
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) listening: Listening,
    /// How many calls
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub(crate) calls: u64,
    /// Other calls for another number
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Calls of the 30 days before this time, the same whenever it is run [default: now]
    #[arg(long, value_name = "DATE", value_parser = time)]
    pub(crate) to: Option<DateTimeOffset>,
    /// Play a scenario on an empty store: its name, or a file
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["calls", "to", "faults"])]
    pub(crate) scenario: Option<String>,
    #[command(flatten)]
    pub(crate) emulation: Emulation,
}

/// `app`
#[derive(Debug, Subcommand)]
pub(crate) enum App {
    /// Register an application; its secret is shown this once
    Create(AppCreate),
    /// Print the registered applications
    List(AppList),
    /// Give an application a new secret, shown this once; the old one ends at once
    Rotate(AppName),
    /// Give an application other roles; tokens keep theirs until they expire, or as auth.recheck says
    Roles(AppRoles),
    /// Remove an application; tokens stay valid until they expire, or as auth.recheck says
    Delete(AppName),
}

/// `app create`
#[derive(Debug, Args)]
pub(crate) struct AppCreate {
    /// Tenant whose records it may reach
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: TenantId,
    /// What you call it
    #[arg(long)]
    pub(crate) name: String,
    /// What it may do; can be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role())]
    pub(crate) roles: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `app list`
#[derive(Debug, Args)]
pub(crate) struct AppList {
    /// Only those of this tenant
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Print a JSON object for each
    #[arg(long)]
    pub(crate) json: bool,
}

/// `app roles`
#[derive(Debug, Args)]
pub(crate) struct AppRoles {
    /// Client id
    pub(crate) client_id: String,
    /// What it may do from now on; can be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role())]
    pub(crate) roles: Vec<String>,
}

/// `app rotate`, `app delete`
#[derive(Debug, Args)]
pub(crate) struct AppName {
    /// Client id
    pub(crate) client_id: String,
}

/// `token`
#[derive(Debug, Args)]
pub(crate) struct Token {
    /// Tenant that it is for
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: TenantId,
    /// What it allows; can be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role())]
    pub(crate) roles: Vec<String>,
    /// Client id of the application in whose name it is [default: the operator's own]
    #[arg(long, value_name = "ID")]
    pub(crate) app: Option<String>,
    /// How long it is valid: a number with s, m or h, at most 24h
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time_to_live)]
    pub(crate) ttl: Duration,
}

/// What of a record is printed.
#[derive(Debug, Args)]
pub(crate) struct Form {
    /// Tenant whose records they are [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Also print these, whole; can be given several times or with commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) expand: Vec<Expand>,
}

/// What can be printed with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Expand {
    /// Sessions without their segments
    Sessions,
    /// Sessions with their segments
    Segments,
    /// Participants
    #[value(name = "participants_v2")]
    Participants,
}

/// `get`
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// Id of the record
    pub(crate) id: String,
    /// This version instead of the latest
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<i64>,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// `list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Calls that started at this time or later (2026-11-01, 2026-11-01T08:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<DateTimeOffset>,
    /// Calls that started before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<DateTimeOffset>,
    /// Calls in which this id took part; given several times, all of them
    #[arg(long, value_name = "ID")]
    pub(crate) participant: Vec<String>,
    /// Only what meets this condition, as in $filter
    #[arg(long, value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// Only what contains these words, as in $search
    #[arg(long, value_name = "WORDS")]
    pub(crate) search: Option<String>,
    /// In this order, as in $orderby
    #[arg(long, value_name = "KEYS")]
    pub(crate) orderby: Option<String>,
    /// Only these members, as in $select
    #[arg(long, value_name = "MEMBERS", conflicts_with = "apply")]
    pub(crate) select: Option<String>,
    /// With these members computed, as in $compute
    #[arg(long, value_name = "MEMBERS")]
    pub(crate) compute: Option<String>,
    /// What these transformations make of them, as in $apply
    #[arg(long, value_name = "STEPS", conflicts_with = "expand")]
    pub(crate) apply: Option<String>,
    /// Of what
    #[arg(long, value_enum, default_value = "records")]
    pub(crate) of: Rows,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// How they are printed
    #[arg(long, value_enum, default_value = "ndjson")]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rows {
    /// Call records
    Records,
    /// Their sessions
    Sessions,
    /// Segments of their sessions
    Segments,
    /// Media streams of their segments
    Streams,
}

/// Forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// One JSON array
    Json,
    /// A line of JSON for each
    Ndjson,
    /// Comma-separated values, a column for each member
    Csv,
    /// Columns for people
    Table,
}

/// `query`
#[derive(Debug, Subcommand)]
pub(crate) enum Query {
    /// Print how a query is understood and answered: syntax tree, bound tree, SQL, engine's plan
    Explain(Explain),
}

/// `query explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The address behind the version, with its query, quoted:
    /// '/communications/callRecords?$filter=type eq %27groupCall%27'
    pub(crate) url: String,
    /// Tenant whose records they are [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: Option<TenantId>,
}

/// `backup`
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write; it must not exist
    pub(crate) file: PathBuf,
}

fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text).ok_or_else(|| "a tenant is a GUID".to_owned())
}

fn role() -> clap::builder::PossibleValuesParser {
    identity::role::ALL.into()
}

fn admin_address(text: &str) -> Result<String, String> {
    if text != "off" {
        text.parse::<SocketAddr>().map_err(|error| format!("{error}; or off"))?;
    }
    Ok(text.to_owned())
}

/// A point in time, or a day for its first moment in UTC.
fn time(text: &str) -> Result<DateTimeOffset, String> {
    DateTimeOffset::parse(text)
        .or_else(|| DateTimeOffset::parse(&format!("{text}T00:00:00Z")))
        .ok_or_else(|| "expected a date or a time like 2026-11-01T08:00:00Z".to_owned())
}

fn time_to_live(text: &str) -> Result<Duration, String> {
    let time = parse_time(text).ok_or("expected a number with s, m or h")?;
    if time.is_zero() || time.as_secs() > identity::MAX_TTL as u64 {
        return Err("a token is valid for 1s to 24h".to_owned());
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_to_live_have_units_and_a_limit() {
        assert_eq!(time_to_live("1h"), Ok(Duration::from_hours(1)));
        assert_eq!(time_to_live("90"), Ok(Duration::from_secs(90)));
        for text in ["", "0", "h", "2d", "25h", "-1m", "1.5h", "99999999999999999999h"] {
            assert!(time_to_live(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_means_its_first_moment() {
        assert_eq!(time("2026-11-01"), time("2026-11-01T00:00:00Z"));
        assert!(time("yesterday").is_err());
    }
}
