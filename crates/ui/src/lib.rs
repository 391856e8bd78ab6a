//! The pages for people, as a server answers them: addresses, signing in, who may see what, and the questions
//! behind each page. The HTML itself is of `pages`.
//!
//! A page is made of questions to the API, asked in this process with the limits of any other query. Nobody sees
//! a call before the access log has a line of it.

mod address;
mod answer;
mod assets;
mod cookies;
mod forms;
mod page;
mod parameters;
mod questions;
mod sign_in;
mod site;
mod view;
mod visitor;

pub use site::{AutoSignIn, Site};

/// The role that opens all calls of a tenant.
pub const READER: &str = "Callvault.Reader";

/// BLAKE3 of the code of a link, or of what a cookie holds.
pub fn hash(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

/// Characters of a secret: 32 bytes in Base64 without padding.
pub(crate) const SECRET_LENGTH: usize = 43;

/// A new secret for a link or a cookie: 256 bits, as letters that an address may have.
pub fn new_secret() -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(identity::random_key())
}
