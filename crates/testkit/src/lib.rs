//! What tests share: a spawned Callvault, a small HTTP client, JSON compared leaf by leaf, and the
//! reference that judges answers to queries.
//!
//! For tests only. The client speaks just enough HTTP/1.1 to show a test exactly what came back.

pub mod certificates;
pub mod http;
pub mod json;
pub mod nats;
pub mod patience;
pub mod postgres;
mod prepared;
pub mod queries;
pub mod receiver;
pub mod reference;
pub mod server;
pub mod tokens;

use std::sync::atomic::{AtomicU32, Ordering};

pub use http::{Answer, Client};
pub use nats::{Nats, Stored};
pub use patience::{Gate, PATIENCE, until};
pub use postgres::Postgres;
pub use receiver::{Received, Receiver, Reply};
pub use server::{Callvault, Ended, Server};

/// The tenant that tests use unless they need two.
pub const TENANT: &str = "dc368399-474c-4d40-900c-6265431fd81f";
/// Another one.
pub const OTHER_TENANT: &str = "00000004-1111-4222-8333-000000007bbc";

/// A port that nobody listens on now, for what is stopped and started again. It is none of those that
/// systems give to outgoing connections: one of these could take it meanwhile, or, trying it again and
/// again, connect to itself.
///
/// # Panics
/// When all are taken.
pub fn lasting_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const RANGE: std::ops::Range<u32> = 20_000..32_000;
    let count = RANGE.end - RANGE.start;
    for _ in 0..count {
        let place = std::process::id() * 61 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(RANGE.start + place % count).expect("the range is of ports");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}
