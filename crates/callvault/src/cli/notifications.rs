//! Arguments of the commands on notifications: `subscriptions`, `deliveries` and `tail`.

use clap::{Args, Subcommand};
use model::TenantId;

use super::values;

/// `subscriptions`
#[derive(Debug, Subcommand)]
pub(crate) enum Subscriptions {
    /// Print the live subscriptions, one line of JSON each
    List(SubscriptionsList),
    /// Subscribe and print each notification as a line of JSON until interrupted
    Watch(SubscriptionsWatch),
}

/// `subscriptions watch`
#[derive(Debug, Args)]
#[command(after_help = "\
The server on the same store sends notifications to this command over loopback. For that it needs\n\
the settings notifications.allow_insecure_urls = true and allow_networks = \"127.0.0.0/8\". This\n\
command reads the same settings.")]
pub(crate) struct SubscriptionsWatch {
    /// Tenant of the records [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Only records that meet this condition, as in $filter
    #[arg(long, value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// Types of changes: created, updated, or both
    #[arg(long, value_name = "TYPES", default_value = "created,updated")]
    pub(crate) change_type: String,
}

/// `subscriptions list`
#[derive(Debug, Args)]
pub(crate) struct SubscriptionsList {
    /// Only subscriptions of this tenant
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
}

/// `deliveries`
#[derive(Debug, Subcommand)]
pub(crate) enum Deliveries {
    /// Print the queued notifications, one line of JSON each
    List(DeliveriesList),
    /// Send notifications again that were given up
    Replay(DeliveriesReplay),
}

/// `deliveries list`
#[derive(Debug, Args)]
pub(crate) struct DeliveriesList {
    /// Only notifications of this tenant
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Print the notifications that were given up instead
    #[arg(long)]
    pub(crate) dead: bool,
}

/// `deliveries replay`
#[derive(Debug, Args)]
pub(crate) struct DeliveriesReplay {
    /// Id of the subscription
    pub(crate) subscription: String,
    /// Only this delivery
    #[arg(long, value_name = "NUMBER")]
    pub(crate) delivery: Option<i64>,
}

/// `tail`
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Only changes of this tenant
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Start after this entry
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
    pub(crate) after: i64,
    /// Exit at the last entry instead of waiting for more
    #[arg(long)]
    pub(crate) once: bool,
}
