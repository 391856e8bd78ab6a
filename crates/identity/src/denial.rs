//! Why a token isn't accepted, and what the caller gets to know of that.

/// Why a request has no caller.
///
/// `Display` names the cause for the log; [`Denial::message`] is what the client reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Denial {
    /// No Authorization header, another scheme than Bearer, or nothing after it.
    #[error("no bearer token")]
    Empty,
    /// Not a signed JWT in the one form that is accepted, or a claim of a wrong type.
    #[error("malformed token")]
    Malformed,
    /// `none`, HMAC, an unknown algorithm, or one that doesn't fit the key.
    #[error("signature algorithm refused")]
    Algorithm,
    /// The issuer has no such key.
    #[error("unknown signing key")]
    UnknownKey,
    /// The signature is not by the key.
    #[error("wrong signature")]
    Signature,
    /// Nobody trusts this issuer, or the key is not meant for it.
    #[error("issuer not trusted")]
    Issuer,
    /// Made for another service.
    #[error("wrong audience: none of its aud is among the issuer's audiences")]
    Audience,
    /// `nbf` is in the future, beyond the leeway.
    #[error("not yet valid")]
    Early,
    /// `exp` is in the past, beyond the leeway.
    #[error("expired")]
    Expired,
    /// No tenant, or one that is not a GUID or not the issuer's.
    #[error("wrong tenant: its tid is missing, no GUID, or another than that of its issuer")]
    Tenant,
    /// An ID token or a refresh token, which say nothing about an application's rights.
    #[error("not an access token: its typ or its hashes are those of an ID or refresh token")]
    NotAccessToken,
    /// Neither `azp` nor `appid`, so nobody knows which application it was issued to.
    #[error("no application: the token has neither azp nor appid")]
    NoApplication,
    /// A user's token. Call records are for applications only.
    #[error("delegated token: it is a user's, and call records are for applications only")]
    Delegated,
    /// Its application was deleted, or has no more a role that the token has.
    #[error("the application is gone or has lost a role")]
    Application,
    /// The issuer is trusted, but its keys couldn't be fetched yet or are too old.
    #[error("the issuer's keys are not available")]
    KeysUnavailable,
}

impl Denial {
    /// The message for the client, as Microsoft Graph words it.
    ///
    /// Where Graph's own words for a cause aren't known, they follow the pattern of those that are.
    pub fn message(self) -> &'static str {
        match self {
            Self::Empty => "Access token is empty.",
            Self::Malformed => "CompactToken parsing failed with error code: 80049217",
            Self::Algorithm | Self::UnknownKey | Self::Signature => {
                "Access token validation failure. Invalid signature."
            }
            Self::Issuer | Self::Tenant => "Access token validation failure. Invalid issuer.",
            Self::Audience => "Access token validation failure. Invalid audience.",
            Self::NotAccessToken | Self::NoApplication => "Access token validation failure.",
            Self::Early => "Access token has expired or is not yet valid.",
            Self::Expired => "Lifetime validation failed, the token is expired.",
            Self::Application => {
                "Access token validation failure. The application was deleted or has lost a role."
            }
            // Graph answers delegated tokens on call records with an empty message.
            Self::Delegated => "",
            Self::KeysUnavailable => "The signing keys of the token's issuer are not available.",
        }
    }

    /// Whether the token is genuine but can never be enough: status 403 instead of 401.
    pub fn is_forbidden(self) -> bool {
        self == Self::Delegated
    }

    /// Whether the fault is on this side and trying again later can help: status 503.
    pub fn is_unavailable(self) -> bool {
        self == Self::KeysUnavailable
    }
}
