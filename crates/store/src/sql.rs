//! SQL made at run time, and what of it is the same everywhere.
//!
//! Text comes from this crate's own literals only; every value travels as a bind. There is no
//! function that takes a run-time string as SQL.

mod fragment;
mod list;
mod statement;

pub(crate) use fragment::{Alias, Sql};
pub(crate) use list::one_of;
pub(crate) use statement::{Bind, Statement};
