//! The commands, one in each file.

mod access_log;
mod app;
mod app_credential;
mod background;
mod backup;
mod certificate;
mod compact;
mod demo;
mod doctor;
mod emulation;
mod erase;
mod get;
mod import;
mod import_report;
mod list;
mod list_writer;
mod migrate;
mod mirror;
mod mirror_doctor;
mod mirror_report;
mod mirrors;
mod opening;
mod places;
mod profiles;
mod quality;
mod query;
mod record_json;
mod registered_app;
mod request_log;
mod reset;
mod scenario;
mod serve;
mod service;
mod setup;
mod simulate;
mod simulated;
mod subscriptions;
mod table;
mod tail;
mod tenants;
mod token;
mod tour;
mod ui;
mod version;
mod watch;

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cli::{Cli, Command, Keys, Query, Subscriptions};
use crate::size_limit;

/// Exit status of a command that has done a part and has reported the rest.
const PARTLY_DONE: u8 = 3;

/// Runs a command.
pub(crate) fn run(cli: Cli) -> Result<ExitCode> {
    size_limit::ignore_signal().context("ignoring SIGXFSZ")?;
    let global = cli.global;
    let settings = || setup::tool_settings(&global);
    match cli.command {
        Command::Version => version::run(),
        Command::Simulate(args) => simulate::run(&args),
        Command::Serve(args) => serve::run(&args, &global),
        Command::Demo(args) => demo::run(&args, &global),
        Command::App(args) => app::run(args, &settings()?),
        Command::Token(args) => token::run(&args, &settings()?),
        Command::Keys(Keys::Reset) => reset::run(&settings()?),
        Command::EmulatorRequestLog(args) => request_log::run(&args),
        Command::Import(args) => import::run(&args, &settings()?),
        Command::Get(args) => get::run(&args, &settings()?),
        Command::List(args) => list::run(&args, &settings()?),
        Command::Query(Query::Explain(args)) => query::explain(&args, &settings()?),
        Command::Places(args) => places::run(&args, settings),
        Command::Quality(args) => quality::run(&args, settings),
        Command::Ui(args) => ui::run(&args, &settings()?),
        Command::AccessLog(args) => access_log::run(&args, &settings()?),
        Command::Mirror(args) => mirror::run(&args, &settings()?),
        Command::Subscriptions(Subscriptions::List(args)) => {
            subscriptions::list(&args, &settings()?)
        }
        Command::Subscriptions(Subscriptions::Watch(args)) => watch::run(&args, &settings()?),
        Command::Deliveries(args) => subscriptions::deliveries(&args, &settings()?),
        Command::Tail(args) => tail::run(&args, &settings()?),
        Command::Erase(args) => erase::run(&args, &settings()?),
        Command::Backup(args) => backup::run(&args, &settings()?),
        Command::Migrate(args) => migrate::run(&args, &settings()?),
        Command::Compact => compact::run(&settings()?),
        Command::Doctor(args) => doctor::run(&args, &settings()?),
    }
}
