//! The pages of a server, as it starts.

use model::TenantId;

/// All pages.
#[derive(Debug)]
pub struct Site {
    /// Whom it signs in by itself, in a demo.
    pub auto_sign_in: Option<AutoSignIn>,
}

/// Signs in visitors from this machine.
#[derive(Debug, Clone)]
pub struct AutoSignIn {
    /// Whose calls they see.
    pub tenant: TenantId,
    /// What the access log calls them.
    pub name: String,
}
