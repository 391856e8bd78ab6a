//! The rows of each table: what is put there, changed and asked, on any engine.

pub(crate) mod administration;
pub(crate) mod calls;
pub(crate) mod deliveries;
pub(crate) mod keys;
pub(crate) mod logs;
pub(crate) mod retention;
pub(crate) mod rows;
pub(crate) mod search;
pub(crate) mod stored;
pub(crate) mod subscriptions;
