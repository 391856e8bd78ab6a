//! Believable call records from a seed.
mod calendar;
mod calls;
mod client;
mod device;
mod endpoint;
mod json;
mod media;
mod mix;
mod names;
mod network;
mod persona;
mod plan;
mod population;
mod quality;
mod record;
mod rng;
mod session;
mod stream;

pub use calls::{Calls, Options};
pub use mix::Mix;
pub use network::BAD_SUBNETS;
