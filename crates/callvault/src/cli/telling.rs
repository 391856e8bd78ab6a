//! Commands about those who are told of records.

use clap::{Args, Subcommand};
use model::TenantId;

use super::tenant;

/// `subscriptions`
#[derive(Debug, Subcommand)]
pub(crate) enum Subscriptions {
    /// Print the subscriptions that live, a line of JSON for each
    List(SubscriptionsList),
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
