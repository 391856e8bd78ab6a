//! The registry of error codes: the status, the string and the meaning of each.
//!
//! The strings are Graph's where Graph is known to answer them for call records, else its generic
//! ones. A code is never reused for something else.

use http::StatusCode;

/// Names that Graph uses beside its usual ones, each with several statuses, for subscriptions.
pub mod special {
    /// What the service behind the resource refused: 400, 403 or 409.
    pub const EXTENSION_ERROR: &str = "ExtensionError";
    /// The body or a value in it: 400. Also an address that did not answer in time.
    pub const INVALID_REQUEST: &str = "InvalidRequest";
    /// An address that did not answer as it has to: 400.
    pub const VALIDATION_ERROR: &str = "ValidationError";
    /// In the answer to a body of many lines: too many in a row were rejected, so that the rest of the
    /// body was not read (`limits.rejections`).
    pub const TOO_MANY_REJECTIONS: &str = "tooManyRejections";
    /// No such subscription of the application: 404.
    pub const RESOURCE_NOT_FOUND: &str = "ResourceNotFound";
}

/// Why a request ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request can't be understood or contradicts itself.
    BadRequest,
    /// No token, or one that can't be trusted.
    Unauthenticated,
    /// A token that does not allow this.
    Forbidden,
    /// No such thing for this tenant.
    NotFound,
    /// The resource exists but not with this method.
    MethodNotAllowed,
    /// No form of the resource that `Accept` allows.
    NotAcceptable,
    /// The client stopped sending its request.
    RequestTimeout,
    /// The stored state and the request exclude each other.
    Conflict,
    /// What a link pointed into is gone.
    ResyncRequired,
    /// A precondition of the request does not hold.
    PreconditionFailed,
    /// The body is over the limit.
    TooLarge,
    /// The URL is over the limit.
    UriTooLong,
    /// A body of a type or encoding that can't be read.
    UnsupportedMediaType,
    /// What another one of the batch had to do before this one failed.
    FailedDependency,
    /// Too many requests.
    Throttled,
    /// The header lines are over the limit.
    HeadersTooLarge,
    /// A fault of the server.
    Internal,
    /// Valid OData that is not built.
    NotSupported,
    /// Something needed for the answer is missing for now.
    Unavailable,
}

impl Code {
    /// Every code, by status.
    pub const ALL: [Self; 19] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::Conflict,
        Self::ResyncRequired,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UriTooLong,
        Self::UnsupportedMediaType,
        Self::FailedDependency,
        Self::Throttled,
        Self::HeadersTooLarge,
        Self::Internal,
        Self::NotSupported,
        Self::Unavailable,
    ];

    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::ResyncRequired => StatusCode::GONE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::FailedDependency => StatusCode::FAILED_DEPENDENCY,
            Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotSupported => StatusCode::NOT_IMPLEMENTED,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The text of `error.code`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::Unauthenticated => "InvalidAuthenticationToken",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "notAllowed",
            Self::NotAcceptable => "notAcceptable",
            Self::RequestTimeout => "requestTimeout",
            Self::Conflict => "Conflict",
            Self::ResyncRequired => "resyncRequired",
            Self::PreconditionFailed => "resourceModified",
            Self::TooLarge => "requestTooLarge",
            Self::UriTooLong => "uriTooLong",
            Self::UnsupportedMediaType => "unsupportedMediaType",
            Self::FailedDependency => "FailedDependency",
            Self::Throttled => "TooManyRequests",
            Self::HeadersTooLarge => "requestHeaderFieldsTooLarge",
            Self::Internal => "generalException",
            Self::NotSupported => "notSupported",
            Self::Unavailable => "serviceNotAvailable",
        }
    }

    /// What the code means to a client and what the client can do about it: the text of the
    /// reference.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::BadRequest => {
                "The request can't be understood or contradicts itself. The message says where; \
                 for a record in the body, target is a JSON pointer. Sending it again unchanged \
                 does not help."
            }
            Self::Unauthenticated => {
                "The bearer token is missing, damaged, expired or not from a trusted issuer. Get \
                 a new token."
            }
            Self::Forbidden => {
                "The token is sound but lacks the application role that the resource needs, or \
                 is a user's token: only application permissions are served."
            }
            Self::NotFound => {
                "There is no such resource in the tenant of the token, or none that the \
                 configured retention still shows."
            }
            Self::MethodNotAllowed => {
                "The resource does not answer to this method. Allow lists those that it does \
                 answer to."
            }
            Self::NotAcceptable => {
                "Accept or $format asks for a form that the resource does not have."
            }
            Self::RequestTimeout => {
                "The body stopped arriving. What arrived was not used; send it again."
            }
            Self::Conflict => {
                "The record is stored in this version with another value. The message and target \
                 name the place. Send a higher version, or leave the record as it is."
            }
            Self::ResyncRequired => {
                "The link goes on with something that was erased since, or with changes that are told \
                 no more. Begin again without its $skiptoken or $deltatoken."
            }
            Self::PreconditionFailed => {
                "The resource is not in the state that If-Match names. Read it again."
            }
            Self::TooLarge => "The body, or what it inflates to, is over the limit.",
            Self::UriTooLong => "The URL is over the limit.",
            Self::UnsupportedMediaType => {
                "Content-Type or Content-Encoding of the body is none that the resource reads."
            }
            Self::FailedDependency => {
                "Another request of the batch failed, which this one depends on."
            }
            Self::Throttled => {
                "The application sends more requests than it is allowed. Wait for the seconds \
                 that Retry-After names."
            }
            Self::HeadersTooLarge => "The header lines of the request are over the limit.",
            Self::Internal => {
                "A fault of the server. Its log has the cause under the request id of the answer."
            }
            Self::NotSupported => {
                "The request is valid OData, but the feature that the message names is not built."
            }
            Self::Unavailable => {
                "The store or an issuer's keys can't be reached, or too much is in flight. Wait \
                 for the seconds that Retry-After names and send the same again."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_an_error_status_and_a_meaning() {
        for (index, code) in Code::ALL.into_iter().enumerate() {
            let status = code.status();
            assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
            assert!(code.meaning().ends_with('.'), "{code:?}");
            assert!(code.name().chars().all(|c| c.is_ascii_alphanumeric()), "{code:?}");
            for other in &Code::ALL[..index] {
                assert_ne!(other.name(), code.name());
                assert!(other.status() < status, "{other:?} before {code:?}");
            }
        }
    }
}
