//! The HTTP side of Callvault: Graph's routes, the built-in issuer's, health and metrics.
//!
//! hyper without a framework, a thread per core: each worker thread has an event loop, a
//! connection to the store and all else that a request needs, so that answering one takes no
//! lock and no hop to another thread. [`start`] is the way in; `layers` is every layer in
//! order, `router` every route.

mod accept;
mod admin;
mod auth;
mod batch;
mod body;
mod compression;
mod connection;
mod crowd;
mod direct;
mod emulation;
mod exchange;
mod framing;
mod front_page;
mod graph;
mod host;
mod layers;
mod metrics;
mod negotiate;
mod oauth;
mod options;
mod outflow;
mod problem;
mod questions;
mod receive;
mod registrations;
mod request;
mod request_id;
mod response;
mod router;
mod serve;
mod throttle;
mod tls;
#[cfg(test)]
mod wire_tests;
mod worker;

pub use graph::{Local, LocalError, QueryLimits};
pub use options::{
    GraphSettings, Limits, MEMORY, MakeIssuer, Memory, Notifications, QuerySettings, ServerOptions,
    StartError, TlsFiles,
};
pub use problem::Code;
pub use receive::receive;
pub use serve::{Running, start};
pub use throttle::{Allowance, Charged, Rates, Subject, Throttle};
