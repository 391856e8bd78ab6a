//! HTTP: connections, TLS, layers, limits, negotiation and errors, for one [`Application`] behind them.
//!
//! hyper without a framework, a thread per core. Each worker thread has an event loop and its own
//! connection to the store, so answering a request takes no lock and no hop to another thread.
//! [`start()`] is the way in, and [`layers`] has every layer in order. This crate knows no resource:
//! what a path leads to and what stands there, the application says.

mod accept;
mod activity;
mod admin;
pub mod answer_budget;
mod application;
pub mod auth;
mod blocking;
pub mod body;
mod clock;
mod compression;
pub mod connection;
pub mod connection_table;
mod connections;
mod cors;
mod exchange;
mod framing;
pub mod header_lines;
pub mod host;
pub mod layers;
mod limits;
mod listeners;
mod metrics;
pub mod negotiate;
mod options;
mod plain_http;
mod preconditions;
pub mod problem;
mod public_url;
mod receive;
mod registrations;
mod request;
pub mod request_id;
pub mod response;
mod response_body;
mod route;
pub mod serve;
mod start_error;
pub mod stream;
mod throttle;
mod timings;
pub mod tls;
mod turns;
mod worker;

pub use activity::{Activity, Times};
pub use application::{Application, Entry, FastWay, Handover, NoFastWay};
pub use blocking::elsewhere_if_large;
pub use clock::unix_seconds;
pub use cors::Cors;
pub use exchange::Exchange;
pub use limits::{Limits, MEMORY, Memory};
pub use listeners::Listeners;
pub use metrics::write_family;
pub use options::{MakeIssuer, Metrics, Options, TlsFiles};
pub use problem::{Code, Problem};
pub use receive::receive;
pub use request::{Arrival, Request, without_query_segment};
pub use response::Response;
pub use route::Route;
pub use serve::{Running, start};
pub use start_error::StartError;
pub use throttle::{Allowance, Charge, Rates, Subject, Throttle};
pub use timings::{Timings, Trace};
pub use turns::{Turn, TurnQueue};
pub use worker::{Shared, Worker};
