//! What tests share: a spawned Callvault, a small HTTP client, JSON compared leaf by leaf, and the
//! reference that judges answers to queries.
//!
//! For tests only. The client speaks just enough HTTP/1.1 to show a test exactly what came back.

pub mod http;
pub mod json;
pub mod nats;
pub mod postgres;
pub mod queries;
pub mod receiver;
pub mod reference;
pub mod server;

pub use http::{Answer, Client};
pub use nats::{Nats, Stored};
pub use postgres::Postgres;
pub use receiver::{Received, Receiver, Reply};
pub use server::{Callvault, Ended, Server};

/// The tenant that tests use unless they need two.
pub const TENANT: &str = "dc368399-474c-4d40-900c-6265431fd81f";
/// Another one.
pub const OTHER_TENANT: &str = "00000004-1111-4222-8333-000000007bbc";

/// A port that nobody listens on now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("a listener has an address").port()
}
