//! Where was it? Maps from networks, access points, addresses and names of endpoints to places.
//!
//! [`read()`] takes a file of one of four kinds: buildings and endpoints in the forms of Microsoft's Call
//! Quality Dashboard, access points, and AS numbers. It gives a [`Map`], or every [`Fault`] of the file.
//! [`Maps`] are the versions of all maps of a tenant, and say what was valid at an instant; what they know
//! of an end of a call is a [`Place`].
//!
//! Pure: no I/O, no clock, no store.

mod address;
mod bssid;
mod fault;
mod kind;
mod map;
mod maps;
mod place;
mod read;
mod table;
mod texts;

pub use fault::{Column, Fault, Faults, Rule};
pub use kind::Kind;
pub use map::Map;
pub use maps::{MapVersion, Maps, MapsAt, Validity, is_name};
pub use place::{Endpoint, Place, Whereabouts};
pub use read::{LARGEST_FILE, MOST_ROWS, Note, Outcome, read};
