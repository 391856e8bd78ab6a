//! The verifier as its users see it: tokens in, callers or reasons out.

mod built_in;
mod good_tokens;
mod key_fetching;
mod support;
mod wrong_claims;
mod wrong_signatures;
