//! Calls whose record is still to come: events tell of them, in any order, and when a chain of
//! calls is over its record is made of them.
//!
//! An event is kept as it came; what a call looks like and what its record says are worked out from
//! its events by their times, so the order in which they arrive makes no difference. A record is
//! written in one transaction with the note of which events it knows, so a process can end at any
//! moment and none is lost or told twice.

mod call;
mod event;
mod leg;
mod record;
mod recorder;

#[cfg(test)]
mod tests;

pub use call::members;
pub use event::{Event, EventError, Kind, events};
pub use leg::Leg;
pub use record::record;
pub use recorder::Recorder;
