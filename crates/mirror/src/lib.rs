//! Mirrors: fill a store from Microsoft Graph, or from another Callvault, and prove that nothing is missing.
//!
//! The list of the source, read hour by hour of the calls' starts, says what there is; the ledger in the store
//! says of each record that was listed what has become of it. What is decided is decided by pure modules
//! (`schedule`, `slices`, `rate`, `ledger`, `list_page`, `gather`), which tests run on simulated clocks; `client`
//! sends what they ask for, and `worker` brings it all together under the mirror's lease.

mod client;
mod context;
mod fault;
mod fetch;
mod gate;
mod gather;
pub mod hours;
mod ledger;
mod list_page;
mod pass;
mod plan;
mod probe;
mod rate;
mod reading;
mod report;
mod retry_after;
pub mod schedule;
mod settings;
mod slices;
mod source_clock;
mod token;
mod verify;
mod worker;

pub use context::Seal;
pub use probe::{Findings, probe};
pub use report::{HourReport, Report, report};
pub use settings::{Cloud, MirrorSettings, Rate, check_address, is_name};
pub use token::Secret;
pub use verify::{Verification, verify};
pub use worker::{Figures, Goal, MirrorRun, Ran, RunError, keep_running, run};
