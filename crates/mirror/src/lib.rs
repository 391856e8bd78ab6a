//! Mirrors: fill a store from Microsoft Graph, or from another Callvault, and prove that nothing is missing.
//!
//! The list of the source, read hour by hour of the calls' starts, says what there is; the ledger in the store
//! says of each record that was listed what has become of it. What is decided is decided by pure modules
//! (`schedule`, `slices`, `rate`, `ledger`, `list_page`, `gather`), which tests run on simulated clocks; `client`
//! sends what they ask for, and `worker` brings it all together under the mirror's lease.

mod alarm;
mod client;
mod context;
mod credential;
mod delay;
mod doctor;
mod fault;
mod fetch;
mod gate;
mod gather;
pub mod hours;
mod issuer_code;
mod ledger;
mod list_page;
mod metrics;
mod pass;
mod plan;
mod probe;
mod rate;
mod reading;
mod receive;
mod reception;
mod report;
mod retry_after;
pub mod schedule;
mod service;
mod settings;
mod slices;
mod source_clock;
mod subscription;
mod token;
mod verify;
mod worker;

pub use alarm::Alarm;
pub use context::Seal;
pub use credential::{Credential, Secret};
pub use delay::quantile;
pub use doctor::{Check, Verdict, cause, doctor};
pub use issuer_code::Responsible;
pub use metrics::Metrics;
pub use probe::{Findings, probe};
pub use receive::{LARGEST, LARGEST_TOKEN};
pub use reception::{Address, Open, Receipt, Reception};
pub use report::{HourReport, Report, report};
pub use service::{keep_running, unsubscribe};
pub use settings::{
    Cloud, CredentialKind, MirrorSettings, NotificationSetting, Rate, check_address, is_name,
};
pub use verify::{Verification, verify};
pub use worker::{Figures, Goal, MirrorRun, RunError, RunReport, run};

/// What the mirrors of a process share.
#[derive(Debug, Default)]
pub struct Mirrors {
    /// What is counted of them.
    pub metrics: Metrics,
    /// Where they are notified.
    pub reception: Reception,
}
