//! Whether whoever is behind an address wants notifications: it has to repeat a token (Graph,
//! "change notifications delivery", validation).

use odata::percent::encode_query;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::client::{Client, SendError};

/// Why an address may get no notifications, in Graph's words where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// No answer in time.
    #[error("Subscription validation request timed out.")]
    TimedOut,
    /// Another status than 200, or no connection.
    #[error(
        "Subscription validation request failed. Notification endpoint must respond with 200 OK to \
         validation request."
    )]
    NotOk,
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
    /// Nothing may be sent there.
    #[error("Subscription validation request failed: {0}.")]
    Address(&'static str),
}

/// Sends a token to an address, which has to send it back.
///
/// # Errors
/// When it does not; nothing was kept of it.
pub async fn validate(client: &Client, address: &str, token: &str) -> Result<(), HandshakeError> {
    let refused = |error: SendError| match error {
        SendError::Address(why) => HandshakeError::Address(why),
        SendError::TimedOut => HandshakeError::TimedOut,
        SendError::Broken(_) => HandshakeError::NotOk,
    };
    let mut url = client.address(address).map_err(refused)?;
    let pair = format!("validationToken={}", encode_query(token));
    let query = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{pair}"),
        _ => pair,
    };
    url.set_query(Some(&query));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, plain)]);
    let answer = client.post(url, headers, Vec::new()).await.map_err(refused)?;
    if answer.status != reqwest::StatusCode::OK {
        return Err(HandshakeError::NotOk);
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
