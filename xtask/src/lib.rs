//! What `cargo xtask` and the crate `trials` both need to run other programs: where things are, and
//! how their output is passed on and their test results counted.

pub mod process;
pub mod repository;
