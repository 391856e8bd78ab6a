//! The server as its clients see it: tests talk to a running one over a socket, and those of its limits
//! of time to a single worker.

mod answers;
mod client;
mod emulation;
mod large;
mod lifetime;
mod limits;
mod rig;
mod still;
mod tokens;
