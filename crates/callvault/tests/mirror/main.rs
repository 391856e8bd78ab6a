//! Mirrors: a source that is emulated, and a mirror of it, both as spawned binaries.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod bad_week;
mod faults;
mod filling;
mod kills;
mod ledger;
mod rig;
