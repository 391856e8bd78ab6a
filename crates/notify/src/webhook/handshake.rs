//! The validation of a webhook: it must repeat a token (Graph, "change notifications delivery",
//! validation).

use odata::percent::encode_query;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::{Webhooks, answered};
use crate::handshake::HandshakeError;

/// Sends a token to a webhook, which has to send it back.
pub(super) async fn handshake(
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
