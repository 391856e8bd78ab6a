//! Mirrors: a source that is emulated, and a mirror of it, both as spawned binaries.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod bad_week;
mod credentials;
mod doctor;
mod faults;
mod filling;
mod kills;
mod ledger;
mod metrics;
mod notified;
mod rig;
