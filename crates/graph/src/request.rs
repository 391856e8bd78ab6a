//! A request to a resource of Graph's API.

use crate::routes::Rows;
use crate::version::ApiVersion;

/// A request that passed the layers.
pub(crate) type Request = web::Request<Place>;

/// Where its path led.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) version: ApiVersion,
    /// What the server says of the version itself, in place of a resource.
    pub(crate) document: Option<Rows>,
}
