//! The command line: commands and their arguments.

mod app;
mod import;
mod keys;
mod list;
mod mirror;
mod notifications;
mod places;
mod quality;
mod request_log;
mod serve;
mod simulate;
mod ui;
mod values;
mod whole_store;

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use app::{
    App, AppCertificate, AppCreate, AppCredential, AppFederated, AppList, AppName, AppRoles, Token,
};
pub(crate) use import::Import;
pub(crate) use keys::Keys;
pub(crate) use list::{Expand, Explain, Get, List, Output, Query, Rows};
pub(crate) use mirror::{
    Mirror, MirrorAdd, MirrorDoctor, MirrorName, MirrorRun, MirrorStatus, MirrorVerify,
};
pub(crate) use notifications::{
    Deliveries, DeliveriesList, DeliveriesReplay, Subscriptions, SubscriptionsList,
    SubscriptionsWatch, Tail,
};
pub(crate) use places::{
    Places, PlacesCheck, PlacesDelete, PlacesExport, PlacesImport, PlacesList,
};
pub(crate) use quality::{Quality, QualityExplain, QualityProfiles};
pub(crate) use request_log::EmulatorRequestLog;
pub(crate) use serve::{Demo, Emulation, Listening, Serve};
pub(crate) use simulate::{Mix, PlantedCause, Simulate};
pub(crate) use ui::{AccessLog, Ui, UiLink, UiSignOut};
pub(crate) use whole_store::{Backup, Doctor, Erase, Migrate, Rebuild};

/// Keeps Microsoft Graph call records and serves them as Graph does.
#[derive(Debug, Parser)]
#[command(name = "callvault", version)]
pub(crate) struct Cli {
    /// Where the settings and the data are.
    #[command(flatten)]
    pub(crate) global: GlobalFlags,
    /// The command to run.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct GlobalFlags {
    /// Settings file [default: callvault.toml in the working directory, if it exists]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CALLVAULT_CONFIG",
        help_heading = "Global options"
    )]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the store and the keys [default: callvault-data]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "CALLVAULT_DATA_DIR",
        help_heading = "Global options"
    )]
    pub(crate) data_dir: Option<PathBuf>,
    /// Store, as sqlite:PATH or postgres://… [default: callvault.db in the data folder]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "CALLVAULT_STORE",
        help_heading = "Global options"
    )]
    pub(crate) store: Option<String>,
    /// Whether the data folder was named on the command line and not in the environment.
    #[arg(skip)]
    pub(crate) is_data_dir_flag: bool,
    /// Whether the store was.
    #[arg(skip)]
    pub(crate) is_store_flag: bool,
}

/// Parses the command line, and ends the process if it is wrong or asks for help.
pub(crate) fn parse() -> Cli {
    let matches = Cli::command().get_matches();
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut inner = &matches;
    while let Some((_, matches)) = inner.subcommand() {
        inner = matches;
    }
    let is_flag = |name| inner.value_source(name) == Some(ValueSource::CommandLine);
    cli.global.is_data_dir_flag = is_flag("data_dir");
    cli.global.is_store_flag = is_flag("store");
    cli
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API until interrupted
    Serve(Serve),
    /// Serve simulated calls to try things out
    Demo(Demo),
    /// Manage the applications that may get tokens
    #[command(subcommand)]
    App(App),
    /// Print a bearer token
    Token(Token),
    /// Make new keys if the master key is lost
    #[command(subcommand)]
    Keys(Keys),
    /// Print what clients sent to an emulator, and their mistakes
    EmulatorRequestLog(EmulatorRequestLog),
    /// Import records from files into the store
    Import(Import),
    /// Print one record as a line of JSON
    Get(Get),
    /// Print records, sessions, segments, streams or ends of streams that meet conditions, newest first
    List(List),
    /// Show how Callvault runs queries
    #[command(subcommand)]
    Query(Query),
    /// Say whether calls were good, and why
    #[command(subcommand)]
    Quality(Quality),
    /// Let people in to the pages: links, sessions
    #[command(subcommand)]
    Ui(Ui),
    /// Print who saw which calls on the pages, as lines of JSON
    AccessLog(AccessLog),
    /// Manage the maps that say where networks, access points and endpoints are
    #[command(subcommand)]
    Places(Places),
    /// Fill the store from Microsoft Graph or another Callvault, and prove that nothing is missing
    #[command(subcommand)]
    Mirror(Mirror),
    /// List subscriptions, or watch notifications
    #[command(subcommand)]
    Subscriptions(Subscriptions),
    /// List queued notifications, or replay those that were given up
    #[command(subcommand)]
    Deliveries(Deliveries),
    /// Follow the change log, one line of JSON per change
    Tail(Tail),
    /// Erase records, with all their versions
    Erase(Erase),
    /// Copy a SQLite store to a file, even while a server uses it
    Backup(Backup),
    /// Print simulated calls as lines of JSON
    Simulate(Simulate),
    /// Upgrade the store to this version, or move a whole store to another place
    Migrate(Migrate),
    /// Make the copy of streams in columns that a server otherwise makes, which answers questions about many
    Compact,
    /// Check the store and print its size
    Doctor(Doctor),
    /// Print the version
    Version,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_sound() {
        Cli::command().debug_assert();
    }
}
