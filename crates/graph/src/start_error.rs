//! Why a server could not start.

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no key to seal page tokens with.
    #[error("no key for page tokens is given")]
    NoPageTokenKey,
    /// The server beneath could not start.
    #[error(transparent)]
    Server(#[from] web::StartError),
}
