//! Whether whoever is behind an address wants notifications: it has to repeat a token (Graph,
//! "change notifications delivery", validation).

use odata::percent::encode_query;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::transport::SendError;
use crate::webhook::{Webhooks, answered};

/// Why an address may get no notifications, in Graph's words where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// No answer in time.
    #[error("Subscription validation request timed out.")]
    TimedOut,
    /// Another status than 200, no connection, no address, or none that messages may go to: whoever
    /// asks is not told which, and could else look at our networks through us.
    #[error(
        "Subscription validation request failed. Notification endpoint must respond with 200 OK to \
         validation request."
    )]
    NotOk {
        /// Which it is, for the log alone.
        cause: String,
    },
    /// Another text than the token.
    #[error(
        "Subscription validation request failed. Response must exactly match validationToken query \
         parameter."
    )]
    OtherToken,
    /// Something else than plain text.
    #[error(
        "Subscription validation request failed. Notification endpoint must respond with content \
         type text/plain."
    )]
    OtherType,
    /// Nothing may be sent there, as the address itself says.
    #[error("Subscription validation request failed: {0}.")]
    Address(&'static str),
}

impl HandshakeError {
    /// What the log is told beside it.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::NotOk { cause } => Some(cause),
            _ => None,
        }
    }
}

impl From<SendError> for HandshakeError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Address(why) => Self::Address(why),
            SendError::TimedOut => Self::TimedOut,
            SendError::Broken { reason, .. } => Self::NotOk { cause: reason },
        }
    }
}

/// Sends a token to a webhook, which has to send it back.
pub(crate) async fn handshake(
    webhooks: &Webhooks,
    url: &Url,
    token: &str,
) -> Result<(), HandshakeError> {
    let mut url = url.clone();
    let pair = format!("validationToken={}", encode_query(token));
    let query = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{pair}"),
        _ => pair,
    };
    url.set_query(Some(&query));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, plain)]);
    let answer = webhooks.post(url, headers, Vec::new()).await?;
    if answer.status != reqwest::StatusCode::OK {
        let cause = answered(answer.status);
        return Err(HandshakeError::NotOk { cause });
    }
    let media_type = answer.content_type.as_deref().unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("text/plain") {
        return Err(HandshakeError::OtherType);
    }
    if answer.body != token.as_bytes() {
        return Err(HandshakeError::OtherToken);
    }
    Ok(())
}
