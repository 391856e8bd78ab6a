//! What is kept in memory of the store from one read to the next, and how it stays true.
//!
//! A file's writes are seen only through new snapshots, so [`change_feed`] can say before each read what
//! has changed: what is kept of that is forgotten. On PostgreSQL the writes of other nodes show at once,
//! and nothing is kept but keys ([`record_keys`]), whose rows say themselves whether they are still
//! current. Of maps of places ([`maps`]) a snapshot says which there are.

pub(crate) mod change_feed;
pub(crate) mod columns;
pub(crate) mod current;
pub(crate) mod maps;
pub(crate) mod record_keys;
pub(crate) mod records;
