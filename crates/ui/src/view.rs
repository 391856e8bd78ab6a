//! What each page shows, from the answers of the API.

pub(crate) mod call;
pub(crate) mod calls;
mod ends;
pub(crate) mod overview;
