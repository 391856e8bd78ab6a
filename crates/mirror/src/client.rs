//! Requests to the source: within its limits, to its own address only, and with what its answers say of
//! themselves.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, redirect};
use serde::Deserialize;

use crate::credential::Credential;
use crate::fault::{Fault, Refusal};
use crate::gate::Gate;
use crate::metrics::Counters;
use crate::rate::{Kind, Limiter};
use crate::retry_after;
use crate::settings::MirrorSettings;
use crate::source_clock::SourceClock;
use crate::token::{TokenFault, Tokens, cause};

/// Time to connect, and without a byte of an answer.
const CONNECTED_WITHIN: Duration = Duration::from_secs(20);
const SILENT_FOR: Duration = Duration::from_mins(1);
/// Times that a request is sent again after a 429, before others get their turn.
const AGAIN: u32 = 10;
/// The longest time between two looks whether to stop.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Bytes of an answer that is no success, of which the code is read.
const LARGEST_REFUSAL: usize = 64 << 10;
/// A page of a list, and a record with its first sessions, may be so large.
const LARGEST: usize = 128 << 20;

/// A source, and a client of it.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    tokens: Tokens,
    limiter: Mutex<Limiter>,
    began: Instant,
    pub(crate) clock: SourceClock,
    pub(crate) gate: Gate,
    pub(crate) counters: Arc<Counters>,
}

/// A request about something else than records.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    /// JSON.
    pub(crate) body: Option<String>,
}

/// The error of an answer (Graph, "Microsoft Graph error responses").
#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorCode,
}

#[derive(Deserialize)]
struct ErrorCode {
    code: String,
}

impl Client {
    /// A client of a source, which has sent nothing yet.
    ///
    /// # Errors
    /// When an address is none, or the system has no trusted certificates.
    pub(crate) fn new(
        tenant: &str,
        settings: &MirrorSettings,
        credential: Credential,
        (skew, counters): (Option<i64>, Arc<Counters>),
    ) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECTED_WITHIN)
            .read_timeout(SILENT_FOR)
            .gzip(true)
            .user_agent(concat!("Callvault/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| cause(&error))?;
        let base = Url::parse(&format!("{}/v1.0/", settings.source))
            .map_err(|error| format!("the source {}: {error}", settings.source))?;
        Ok(Self {
            tokens: Tokens::new(http.clone(), tenant, settings, credential)?,
            http,
            base,
            limiter: Mutex::new(Limiter::new(settings.rate.limits(), Duration::ZERO)),
            began: Instant::now(),
            clock: SourceClock::new(skew),
            gate: Gate::open(Instant::now()),
            counters,
        })
    }

    /// The address of something below the version.
    pub(crate) fn url(&self, path_and_query: &str) -> Result<Url, Fault> {
        let url = self.base.join(path_and_query);
        url.map_err(|error| Fault::Unsound(format!("no address can be made: {error}")))
    }

    /// The address that a link of the source leads to, which must be one of the source: the token goes there.
    pub(crate) fn link(&self, text: &str) -> Result<Url, Fault> {
        let url =
            Url::parse(text).map_err(|_| Fault::Unsound("a nextLink is no address".to_owned()))?;
        let is_own = url.scheme() == self.base.scheme()
            && url.host() == self.base.host()
            && url.port_or_known_default() == self.base.port_or_known_default()
            && url.username().is_empty();
        if is_own {
            return Ok(url);
        }
        let (found, own) = (url.origin().ascii_serialization(), self.base.origin());
        Err(Fault::Unsound(format!(
            "a nextLink leads to {found}, and not to the source {}: if that is the source's own name for \
             itself, give it as --source",
            own.ascii_serialization()
        )))
    }

    /// Gets the text of an answer with the status 200.
    pub(crate) async fn get(&self, kind: Kind<'_>, url: &Url) -> Result<String, Fault> {
        self.send(kind, &Ask { method: Method::GET, url, body: None }).await
    }

    /// Asks something of the mirror's subscription; the text of a good answer.
    pub(crate) async fn ask(&self, ask: Ask<'_>) -> Result<String, Fault> {
        self.send(Kind::Subscription, &ask).await
    }

    async fn send(&self, kind: Kind<'_>, ask: &Ask<'_>) -> Result<String, Fault> {
        let mut refused_token = None;
        for _ in 0..AGAIN {
            self.wait(kind).await?;
            let token = self.tokens.get(refused_token.as_ref()).await.map_err(of_token)?;
            let sent = self.request(ask, &token).send().await;
            let answer = match sent {
                Ok(answer) => answer,
                Err(error) => {
                    self.counters.request(kind.name(), 0);
                    self.limiter().failed(None, self.now());
                    return Err(Fault::Broken(cause(&error)));
                }
            };
            let status = answer.status();
            self.counters.request(kind.name(), status.as_u16());
            let date = header(answer.headers(), DATE.as_str())
                .and_then(|date| httpdate::parse_http_date(date).ok());
            if let Some(date) = date {
                self.clock.heard(date);
            }
            match status {
                StatusCode::OK => return self.text(kind, answer).await,
                StatusCode::CREATED | StatusCode::ACCEPTED | StatusCode::NO_CONTENT
                    if kind == Kind::Subscription =>
                {
                    return self.text(kind, answer).await;
                }
                StatusCode::TOO_MANY_REQUESTS => self.throttled(kind, &answer, date),
                StatusCode::UNAUTHORIZED if refused_token.is_none() => refused_token = Some(token),
                _ => return Err(self.refusal(kind, answer, date).await),
            }
        }
        Err(Fault::Throttled)
    }

    fn request(&self, ask: &Ask<'_>, token: &str) -> RequestBuilder {
        let request = self.http.request(ask.method.clone(), ask.url.clone());
        let request = request
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header("prefer", "include-unknown-enum-members")
            .header("accept", "application/json");
        match &ask.body {
            None => request,
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.clone()),
        }
    }

    fn throttled(&self, kind: Kind<'_>, answer: &Response, date: Option<SystemTime>) {
        let wait = header(answer.headers(), RETRY_AFTER.as_str())
            .and_then(|text| retry_after::parse(text, date));
        tracing::info!(?wait, "the source asks to wait");
        let (mut limiter, now) = (self.limiter(), self.now());
        limiter.refused(kind, wait, jitter(), now);
        self.counters.throttled(limiter.closed_for(kind, now));
    }

    /// A token, to be looked at.
    pub(crate) async fn token(&self) -> Result<Arc<str>, TokenFault> {
        self.tokens.get(None).await
    }

    /// Asks for an address without a token: whether anything answers there, and with which status.
    ///
    /// # Errors
    /// Why nothing does.
    pub(crate) async fn reach(&self, address: &str) -> Result<u16, String> {
        let answer = self.http.get(address).send().await.map_err(|error| cause(&error))?;
        let date = header(answer.headers(), DATE.as_str());
        if let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) {
            self.clock.heard(date);
        }
        Ok(answer.status().as_u16())
    }

    /// Requests a second that are allowed at present, by bucket.
    pub(crate) fn rates(&self) -> Vec<(&'static str, f64)> {
        self.limiter().rates()
    }

    /// Waits until a request may be sent.
    async fn wait(&self, kind: Kind<'_>) -> Result<(), Fault> {
        loop {
            if !self.gate.is_open() {
                return Err(Fault::Stopped);
            }
            let taken = self.limiter().take(kind, self.now());
            match taken {
                Ok(()) => return Ok(()),
                Err(wait) => tokio::time::sleep(wait.min(LOOK_EVERY)).await,
            }
        }
    }

    async fn text(&self, kind: Kind<'_>, mut answer: Response) -> Result<String, Fault> {
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST => {
                    return Err(Fault::Unsound(format!("an answer has more than {LARGEST} bytes")));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    self.limiter().failed(None, self.now());
                    return Err(Fault::Broken(cause(&error)));
                }
            }
        }
        self.limiter().succeeded(kind, self.now());
        String::from_utf8(body).map_err(|_| Fault::Unsound("an answer is no UTF-8".to_owned()))
    }

    async fn refusal(
        &self,
        kind: Kind<'_>,
        mut answer: Response,
        date: Option<SystemTime>,
    ) -> Fault {
        let status = answer.status();
        let wait = header(answer.headers(), RETRY_AFTER.as_str())
            .and_then(|text| retry_after::parse(text, date));
        let request_id = header(answer.headers(), "request-id").map(shortened);
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            if body.len() + chunk.len() > LARGEST_REFUSAL {
                break;
            }
            body.extend_from_slice(&chunk);
        }
        let code = serde_json::from_slice::<ErrorBody>(&body).ok();
        let code = code.map(|body| shortened(&body.error.code)).filter(|code| !code.is_empty());
        let refusal = Refusal { status: status.as_u16(), code, request_id, wait };
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            self.limiter().failed(wait, self.now());
            return Fault::Unavailable(refusal);
        }
        self.limiter().succeeded(kind, self.now());
        match status.as_u16() {
            404 | 410 => Fault::NotFound(refusal),
            401 => Fault::Denied(
                "the source does not take the token (401): check that authority and source belong \
                 together"
                    .to_owned(),
            ),
            403 => Fault::Denied(
                "the source denies access (403): the application needs the role CallRecords.Read.All, \
                 with the consent of an administrator; a token that was given before lacks it for up to \
                 an hour"
                    .to_owned(),
            ),
            300..=399 => Fault::Unsound(format!("the source redirects ({status}), which is not followed")),
            _ => Fault::Refused(refusal),
        }
    }

    fn limiter(&self) -> std::sync::MutexGuard<'_, Limiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

fn of_token(fault: TokenFault) -> Fault {
    match fault {
        TokenFault::Refused { message, .. } => Fault::Denied(message),
        TokenFault::Unreachable(_) => Fault::Broken(fault.to_string()),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What a stranger names something, for a log.
fn shortened(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(80).collect()
}

/// A number from 0 to 1, another one each time.
pub(crate) fn jitter() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    random as f64 / u64::MAX as f64
}
