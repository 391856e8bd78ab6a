//! The server as its clients see it: every test talks to a running one over a socket.

mod answers;
mod client;
mod emulation;
mod lifetime;
mod limits;
mod rig;
mod tokens;
