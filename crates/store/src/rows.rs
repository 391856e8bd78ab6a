//! Plain data that goes into the store and comes out of it.

pub(crate) mod call;
pub(crate) mod change;
pub(crate) mod log;
pub(crate) mod mirror;
pub(crate) mod mirror_reception;
pub(crate) mod page;
pub(crate) mod place_map;
pub(crate) mod profile;
pub(crate) mod record;
pub(crate) mod subscription;
