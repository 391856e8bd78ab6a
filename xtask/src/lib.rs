//! What `cargo xtask` and the crate `trials` both need to run other programs: where things are, and
//! how their output is passed on and their test results counted.

#![allow(clippy::print_stdout, reason = "a tool talks on its terminal")]

pub mod process;
pub mod repository;
