//! Tokens for the source, by client secret (RFC 6749, section 4.4): one at a time, renewed before it ends.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::settings::MirrorSettings;

/// The share of its life after which a token is renewed.
const RENEWED_AT: f64 = 0.8;
/// Time for an answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of an answer.
const LARGEST: usize = 256 << 10;
/// The shortest life that a token is believed to have, so that none is asked for with each request.
const SHORTEST: u64 = 60;

/// A client secret. It is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// From its text, without the line end of a file.
    pub fn new(text: &str) -> Self {
        Self(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Whether it has no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its bytes, to be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFault {
    /// The issuer refuses it.
    #[error("{0}")]
    Refused(String),
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
    secret: Secret,
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
        secret: Secret,
    ) -> Result<Self, String> {
        let text = format!("{}/{tenant}/oauth2/v2.0/token", settings.authority);
        let url = Url::parse(&text).map_err(|error| format!("the address {text}: {error}"))?;
        let (tenant, settings) = (tenant.to_owned(), settings.clone());
        Ok(Self { http, url, tenant, settings, secret, held: Mutex::new(None) })
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
        let secret = String::from_utf8_lossy(self.secret.as_bytes());
        let body = form(&[
            ("grant_type", "client_credentials"),
            ("client_id", &self.settings.application),
            ("client_secret", &secret),
            ("scope", &self.settings.scope),
        ]);
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
        let advice = match error_codes.first() {
            Some(7_000_215) => "the secret is wrong: give the secret's value, not its id",
            Some(7_000_222) => {
                "the secret has expired: make a new one, and run `mirror add` with it"
            }
            Some(700_016) => "the tenant has no such application: check both, and the consent",
            Some(90_002) => "there is no such tenant",
            Some(7_000_112) => "the application is disabled in the tenant",
            _ => "check tenant, application and secret",
        };
        TokenFault::Refused(format!("{host} gives no token ({code}): {advice}"))
    }

    /// A token of another tenant would fill this one with calls of strangers.
    fn check_tenant(&self, token: &str) -> Result<(), TokenFault> {
        match claim(token, "tid") {
            Some(tenant) if !tenant.eq_ignore_ascii_case(&self.tenant) => {
                Err(TokenFault::Refused(format!(
                    "the token is of another tenant than {}: check authority and application",
                    self.tenant
                )))
            }
            _ => Ok(()),
        }
    }
}

/// A claim of a token, which is not verified: it decides only what is refused.
fn claim(token: &str, name: &str) -> Option<String> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    Some(claims.get(name)?.as_str()?.to_owned())
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
    cause.to_string()
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

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hush\r\n");
        assert_eq!(secret.as_bytes(), b"hush");
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
