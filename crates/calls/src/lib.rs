//! Calls whose record is still to come: events tell of them, in any order, and when a chain of
//! calls is over its record is made of them.
//!
//! An event is kept as it came; what a call looks like and what its record says are worked out from
//! its events by their times, so the order in which they arrive makes no difference.
//!
//! Pure: no I/O, and no knowledge of where calls are kept or when a record of them is due.

mod call;
mod endpoint;
mod event;
mod leg;
mod record;

#[cfg(test)]
mod tests;

pub use call::members;
pub use event::{Event, EventError, Kind, events};
pub use leg::Leg;
pub use record::record;
