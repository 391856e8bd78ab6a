//! Fetches documents of identity providers over HTTP.

use identity::{Fetch, FetchAnswer, FetchFailure, FetchFuture, FetchLimits};
use reqwest::{Client, redirect};

/// One HTTP client for all fetches.
#[derive(Debug)]
pub(crate) struct HttpFetcher(Client);

impl HttpFetcher {
    /// # Errors
    /// When the system's trusted certificates can't be read.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            // A redirect would let another host decide which keys to trust.
            .redirect(redirect::Policy::none())
            .user_agent("callvault")
            .build()?;
        Ok(Self(client))
    }

    async fn get(&self, url: &str, limits: FetchLimits) -> Result<FetchAnswer, FetchFailure> {
        let failed = |error: reqwest::Error| FetchFailure::Failed(error.without_url().to_string());
        let mut answer = self.0.get(url).timeout(limits.time).send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        if status != 200 {
            return Ok(FetchAnswer { status, body });
        }
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > limits.bytes {
                return Err(FetchFailure::TooBig);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(FetchAnswer { status, body })
    }
}

impl Fetch for HttpFetcher {
    fn fetch<'a>(&'a self, url: &'a str, limits: FetchLimits) -> FetchFuture<'a> {
        Box::pin(self.get(url, limits))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use identity::{
        GRAPH_AUDIENCE, Grant, Issuer, IssuerConfig, MasterKey, OPERATOR_APP, SigningKey,
        TrustedIssuers, Verifier, role,
    };
    use testkit::receiver::{Receiver, Reply};

    use super::*;

    const LIMITS: FetchLimits = FetchLimits { bytes: 1_000, time: Duration::from_secs(30) };
    /// Seconds since 1970.
    const NOW: i64 = 1_800_000_000;
    const TENANT: &str = "11111111-1111-1111-1111-11111111aaaa";

    fn answering(reply: Reply) -> Receiver {
        Receiver::scripted(move |_, _| reply.clone())
    }

    fn answer(status: u16, body: &str) -> Reply {
        Reply::Answer(status, Vec::new(), body.to_owned())
    }

    async fn fetched(from: &Receiver, limits: FetchLimits) -> Result<FetchAnswer, FetchFailure> {
        let fetcher = HttpFetcher::new().expect("a client can be made");
        fetcher.fetch(&from.url("/keys"), limits).await
    }

    fn failure(outcome: Result<FetchAnswer, FetchFailure>) -> String {
        match outcome {
            Err(FetchFailure::Failed(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn an_answer_has_status_and_body() {
        let provider = answering(answer(200, "{}"));
        let body = b"{}".to_vec();
        assert_eq!(fetched(&provider, LIMITS).await, Ok(FetchAnswer { status: 200, body }));
        let request = &provider.received()[0];
        assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/keys"));
        assert_eq!(request.header("user-agent"), Some("callvault"));
        for status in [203, 404, 500] {
            let outcome = fetched(&answering(answer(status, "{}")), LIMITS).await;
            assert_eq!(outcome.expect("an answer").status, status);
        }
    }

    #[tokio::test]
    async fn no_redirect_is_followed() {
        let elsewhere = answering(answer(200, "{}"));
        for status in [301, 302, 307, 308] {
            let headers = vec![("Location", elsewhere.url("/keys"))];
            let provider = answering(Reply::Answer(status, headers, String::new()));
            let outcome = fetched(&provider, LIMITS).await;
            assert_eq!(outcome, Ok(FetchAnswer { status, body: Vec::new() }));
        }
        assert_eq!(elsewhere.received().len(), 0);
    }

    #[tokio::test]
    async fn a_body_is_limited() {
        let outcome = fetched(&answering(answer(200, &"x".repeat(1_000))), LIMITS).await;
        assert_eq!(outcome.expect("all of it").body.len(), 1_000);
        for length in [1_001, 5_000_000] {
            let outcome = fetched(&answering(answer(200, &"x".repeat(length))), LIMITS).await;
            assert_eq!(outcome, Err(FetchFailure::TooBig), "{length}");
        }
    }

    #[tokio::test]
    async fn a_slow_fetch_times_out() {
        let limits = FetchLimits { time: Duration::from_millis(50), ..LIMITS };
        failure(fetched(&answering(Reply::Never), limits).await);
    }

    #[tokio::test]
    async fn a_failure_does_not_contain_the_url() {
        let provider = answering(Reply::Hangs);
        let problem = failure(fetched(&provider, LIMITS).await);
        assert!(!problem.is_empty() && !problem.contains("127.0.0.1"), "{problem}");
    }

    #[tokio::test]
    async fn tokens_are_accepted_with_fetched_keys() {
        let master = MasterKey::from_text(&"5".repeat(64)).expect("a key");
        let keys = [SigningKey::generate(&master, NOW).expect("a key can be made")];
        let of = move |url: &str| Issuer::new(Some(url), &master, &keys).expect("sound");
        let theirs = of.clone();
        let provider = Receiver::scripted(move |request, _| {
            let issuer = theirs(&format!("http://{}", request.header("host").expect("one")));
            let is_document = request.target.ends_with("/openid-configuration");
            answer(200, &if is_document { issuer.discovery(TENANT) } else { issuer.jwks(NOW) })
        });
        let config = IssuerConfig {
            issuer: provider.url(&format!("/{TENANT}/v2.0")),
            audiences: vec![GRAPH_AUDIENCE.to_owned()],
            ..IssuerConfig::default()
        };
        let fetcher = Arc::new(HttpFetcher::new().expect("a client can be made"));
        let verifier = Verifier::new(None, Some(TrustedIssuers { issuers: vec![config], fetcher }));
        let verifier = verifier.expect("sound");
        let roles = [role::READ_CALL_RECORDS.to_owned()];
        let grant = Grant { tenant: TENANT, app_id: OPERATOR_APP, roles: &roles, ttl: 3_600 };
        let token = of(&provider.url("")).issue(&grant, NOW).expect("a token can be issued");
        let caller = verifier.verify(&token, NOW).await.expect("the token is accepted");
        assert_eq!((caller.tenant.as_str(), &caller.roles[..]), (TENANT, &roles[..]));
        assert_eq!(provider.received().len(), 2, "the document and the keys");
    }
}
