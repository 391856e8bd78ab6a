//! Change notifications: subscriptions to records, and messages to subscribers, at least once.
//!
//! The change log of the store is the only source. A version that is committed goes from there into
//! a queue for each subscription that asks for it, in one transaction with the cursor of the log;
//! a message leaves its queue when its receiver has answered with success, or is given up after
//! hours of trying and said to be missed. So a process can end at any moment and nothing is lost.

mod address;
mod counters;
mod dispatch;
mod handshake;
mod named_server;
mod nats;
mod payload;
mod resource;
mod schedule;
mod secrets;
mod send_error;
mod subscription;
mod transport;
mod transports;
mod webhook;

pub use address::{Guard, NoNetwork};
pub use counters::Counters;
pub use dispatch::{ConditionLimits, Dispatcher};
pub use handshake::HandshakeError;
pub use secrets::{Secrets, Vault};
pub use send_error::reason_for_applications;
pub use subscription::{Changes, NewSubscription, Owner, Refusal, Rules};
pub use transports::Transports;
