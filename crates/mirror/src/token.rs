//! Tokens for the source (RFC 6749, section 4.4): one at a time, renewed before it ends.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::credential::Credential;
use crate::issuer_code::{self, Responsible};
use crate::settings::MirrorSettings;

/// The share of its life after which a token is renewed.
const RENEWED_AT: f64 = 0.8;
/// Time for an answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of an answer.
const LARGEST: usize = 256 << 10;
/// The shortest life that a token is believed to have, so that none is asked for with each request.
const SHORTEST: u64 = 60;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFault {
    /// The issuer refuses it.
    #[error("{message}")]
    Refused {
        /// Who can put it right.
        who: Responsible,
        /// Why, and what to do.
        message: String,
    },
    /// The issuer does not answer.
    #[error("the issuer of tokens does not answer: {0}")]
    Unreachable(String),
}

/// Gets tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    http: Client,
    url: Url,
    tenant: String,
    settings: MirrorSettings,
    credential: Credential,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Arc<str>,
    renewed_at: Instant,
    ends: Instant,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("ends", &self.ends).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refused {
    error: String,
    error_codes: Vec<u64>,
}

impl Tokens {
    /// Tokens of a tenant; `http` follows no redirects.
    pub(crate) fn new(
        http: Client,
        tenant: &str,
        settings: &MirrorSettings,
        credential: Credential,
    ) -> Result<Self, String> {
        let text = format!("{}/{tenant}/oauth2/v2.0/token", settings.authority);
        let url = Url::parse(&text).map_err(|error| format!("the address {text}: {error}"))?;
        let (tenant, settings) = (tenant.to_owned(), settings.clone());
        Ok(Self { http, url, tenant, settings, credential, held: Mutex::new(None) })
    }

    /// A token that is valid, and not `refused`, which the source took no longer.
    pub(crate) async fn get(&self, refused: Option<&Arc<str>>) -> Result<Arc<str>, TokenFault> {
        let mut held = self.held.lock().await;
        let now = Instant::now();
        let usable = held.as_ref().filter(|held| {
            now < held.ends && refused.is_none_or(|refused| !Arc::ptr_eq(refused, &held.token))
        });
        if let Some(usable) = usable.filter(|held| now < held.renewed_at) {
            return Ok(Arc::clone(&usable.token));
        }
        match self.ask().await {
            Ok(new) => {
                let token = Arc::clone(&new.token);
                *held = Some(new);
                Ok(token)
            }
            // The old one is good until its end.
            Err(TokenFault::Unreachable(_)) if usable.is_some() => {
                let old = usable.map(|held| Arc::clone(&held.token));
                old.ok_or_else(|| TokenFault::Unreachable("no token".to_owned()))
            }
            Err(fault) => Err(fault),
        }
    }

    async fn ask(&self) -> Result<Held, TokenFault> {
        let unreachable = |error: reqwest::Error| TokenFault::Unreachable(cause(&error));
        let began = Instant::now();
        let (application, now) = (&self.settings.application, unix_seconds());
        let proof = self.credential.fields((application, self.url.as_str()), now);
        let proof =
            proof.map_err(|message| TokenFault::Refused { who: Responsible::Operator, message })?;
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", application),
            ("scope", &self.settings.scope),
        ];
        fields.extend(proof.iter().map(|(name, value)| (*name, value.as_str())));
        let body = form(&fields);
        let request = self.http.post(self.url.clone()).timeout(ANSWERED_WITHIN);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let mut answer = request.body(body).send().await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(TokenFault::Unreachable("its answer is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(self.refused(status, &body));
        }
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| {
            let host = self.url.host_str().unwrap_or_default();
            TokenFault::Unreachable(format!("{host} answers 200 with something else than a token"))
        })?;
        self.check_tenant(&granted.access_token)?;
        let lives = Duration::from_secs(granted.expires_in.unwrap_or(0).max(SHORTEST));
        Ok(Held {
            token: granted.access_token.into(),
            renewed_at: began + lives.mul_f64(RENEWED_AT),
            ends: began + lives,
        })
    }

    fn refused(&self, status: u16, body: &[u8]) -> TokenFault {
        let Refused { error, error_codes } = serde_json::from_slice(body).unwrap_or_default();
        if status >= 500 || status == 429 {
            return TokenFault::Unreachable(format!("status {status}"));
        }
        let host = self.url.host_str().unwrap_or_default();
        let code = match error_codes.first() {
            Some(number) => format!("AADSTS{number}"),
            None if error.is_empty() => format!("status {status}"),
            None => error.chars().take(60).filter(char::is_ascii_graphic).collect(),
        };
        let (who, advice) = issuer_code::advice(error_codes.first().copied());
        let message = format!("{host} gives no token ({code}): {advice}");
        TokenFault::Refused { who, message }
    }

    /// A token of another tenant would fill this one with calls of strangers.
    fn check_tenant(&self, token: &str) -> Result<(), TokenFault> {
        match claim(token, "tid") {
            Some(tenant) if !tenant.eq_ignore_ascii_case(&self.tenant) => {
                let message = format!(
                    "the token is of another tenant than {}: check authority and application",
                    self.tenant
                );
                Err(TokenFault::Refused { who: Responsible::Operator, message })
            }
            _ => Ok(()),
        }
    }
}

/// The claims of a token, which is not verified: they decide only what is refused.
pub(crate) fn claims(token: &str) -> Option<serde_json::Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

fn claim(token: &str, name: &str) -> Option<String> {
    Some(claims(token)?.get(name)?.as_str()?.to_owned())
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_secs().cast_signed()
}

/// Fields as the body of a form.
fn form(fields: &[(&str, &str)]) -> String {
    let field =
        |(name, value): &(&str, &str)| format!("{name}={}", odata::percent::encode_query(value));
    fields.iter().map(field).collect::<Vec<_>>().join("&")
}

/// What lies at the bottom of an error, without the address, whose query says what is looked for.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if std::ptr::addr_eq(cause, error) {
        let kind = if error.is_timeout() { "timed out" } else { "the connection failed" };
        return kind.to_owned();
    }
    let words = cause.to_string();
    // rustls says so of what is no TLS at all; its error is not one of reqwest's types.
    if words.contains("InvalidContentType") {
        return "what answers there speaks HTTP, not TLS: begin the address with http://, or give the server a \
                certificate"
            .to_owned();
    }
    let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    if kind == Some(std::io::ErrorKind::ConnectionRefused) {
        return format!("{words}: check the address and the port, and that the server runs");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded() {
        let text = form(&[("a", "x&y=z +%~"), ("b", "é")]);
        assert!(text.starts_with("a=x%26y=z%20%2B%25"), "{text}");
        assert!(text.ends_with("&b=%C3%A9"), "{text}");
    }

    #[test]
    fn claims_are_read() {
        let payload = URL_SAFE_NO_PAD.encode(br#"{"tid":"t"}"#);
        assert_eq!(claim(&format!("h.{payload}.s"), "tid").as_deref(), Some("t"));
        assert_eq!(claim("opaque", "tid"), None);
    }
}
