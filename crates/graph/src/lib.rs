//! Graph's API for call records, and what of our own stands beside it: resources, `$batch`, the built-in
//! issuer's addresses, and those of an emulator.
//!
//! `routes` is the table of every route, `dispatch` leads a request to what answers it. Plain reads of a
//! record and of what is inside it are copied by a file for each; every other question is answered by
//! the composer (`compose`), which knows no HTTP and so serves the command line too ([`Local`]). `direct`
//! is the fast way of the reads that are asked for most. HTTP itself is the crate `web`.

mod app;
mod batch;
mod call_events;
mod caller;
mod calls;
mod capabilities;
mod compose;
mod copy;
mod copying;
mod deliveries;
mod delta;
mod demands;
mod destination;
mod direct;
mod dispatch;
mod emulated;
mod emulation;
mod entity_id;
mod erase;
mod form;
mod front_page;
mod import;
mod intake;
mod items;
mod kept_json;
mod label;
mod large;
mod lister;
mod local;
mod logs;
mod metadata;
mod metrics;
mod mirror_notices;
mod ndjson;
mod oauth;
mod options;
mod page_text;
pub mod pages;
mod paging;
pub mod place_maps;
mod posted_query;
mod preconditions;
mod query_form;
mod query_limits;
mod questions;
mod read_request;
mod record;
mod request;
mod routes;
mod scope;
mod start;
mod start_error;
mod strict;
mod subscriptions;
mod tag;
mod target;
mod throttling;
mod token_service;
mod tracking;
mod unsupported;
mod urls;
mod version;
mod warning;
#[cfg(test)]
mod wire_tests;
mod worker;
mod write;

pub use local::{Local, LocalError};
pub use options::{GraphSettings, Notifications, QuerySettings, ServerOptions};
pub use query_limits::QueryLimits;
pub use start::start;
pub use start_error::StartError;
pub use throttling::GRAPH_RATES;
pub use warning::{uses_recent_columns, warning};
