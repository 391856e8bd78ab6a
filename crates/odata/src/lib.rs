//! The OData language and data formats, knowing nothing of calls, tables or HTTP.
//!
//! Pure: no I/O, no async, no SQL, no status codes. What there is to know of a particular service
//! comes in as [`edm`] tables.

pub mod edm;
pub mod json;
pub mod primitive;
