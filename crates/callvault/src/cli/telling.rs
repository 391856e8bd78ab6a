//! Commands about those who are told of records.

use clap::{Args, Subcommand};
use model::TenantId;

use super::tenant;

/// `subscriptions`
#[derive(Debug, Subcommand)]
pub(crate) enum Subscriptions {
    /// Print the subscriptions that live, a line of JSON for each
    List(SubscriptionsList),
    /// Subscribe, and print each notification as a line of JSON, until interrupted
    Watch(SubscriptionsWatch),
}

/// `subscriptions watch`
#[derive(Debug, Args)]
#[command(after_help = "\
The server that runs on the store tells a receiver of this command on the loopback, for which it\n\
needs the settings notifications.allow_insecure_urls = true and allow_networks = \"127.0.0.0/8\";\n\
this command reads the same settings.")]
pub(crate) struct SubscriptionsWatch {
    /// Tenant whose records are watched
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: TenantId,
    /// Only records that meet this condition, as in $filter
    #[arg(long, value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// Which changes: created, updated, or both
    #[arg(long, value_name = "TYPES", default_value = "created,updated")]
    pub(crate) change_type: String,
}

/// `subscriptions list`
#[derive(Debug, Args)]
pub(crate) struct SubscriptionsList {
    /// Only those of this tenant
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: Option<TenantId>,
}

/// `deliveries`
#[derive(Debug, Subcommand)]
pub(crate) enum Deliveries {
    /// Print the notifications that wait to be delivered, a line of JSON for each
    List(DeliveriesList),
    /// Send again what was given up
    Replay(DeliveriesReplay),
}

/// `deliveries list`
#[derive(Debug, Args)]
pub(crate) struct DeliveriesList {
    /// Only those of this tenant
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Those that were given up
    #[arg(long)]
    pub(crate) dead: bool,
}

/// `deliveries replay`
#[derive(Debug, Args)]
pub(crate) struct DeliveriesReplay {
    /// Id of the subscription
    pub(crate) subscription: String,
    /// Only this one
    #[arg(long, value_name = "NUMBER")]
    pub(crate) delivery: Option<i64>,
}

/// `tail`
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Only changes of this tenant
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Begin behind this entry
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
    pub(crate) after: i64,
    /// End at the last entry instead of waiting for more
    #[arg(long)]
    pub(crate) once: bool,
}
