//! Pages for people: what they show comes in, HTML goes out. Nothing here knows a store, HTTP or OData, so each
//! page and each of its states can be tested by itself.
//!
//! Everything that is shown is text of strangers: `maud` escapes it, [`format::visible`] marks what would
//! change the direction of the text around it or is no letter at all.

pub mod assets;
pub mod call;
pub mod calls;
pub mod format;
pub mod frame;
pub mod message;
pub mod overview;
pub mod sign_in;
