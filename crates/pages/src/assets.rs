//! Files that pages load.

/// The style of all pages.
pub const STYLE: &str = include_str!("../assets/callvault.css");
/// Signs in with the code of a link, which stands behind its `#`.
pub const SIGN_IN: &str = include_str!("../assets/sign-in.js");

/// Where pages find these files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    /// Address of [`STYLE`].
    pub style: String,
    /// Address of [`SIGN_IN`].
    pub sign_in: String,
}
