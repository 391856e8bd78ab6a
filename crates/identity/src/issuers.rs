//! The identity providers that the operator trusts.

use std::sync::Arc;

use url::Url;

use crate::claims::{Policy, RolesClaim};
use crate::fetch::Fetch;
use crate::guid::normalize_tenant;
use crate::issuer_keys::IssuerKeys;
use crate::keyset::{TENANT_PLACE, fill};

/// A trusted issuer as it is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssuerConfig {
    /// The issuer's name, exactly as it is in `iss`. `{tenantid}` in it stands for the token's
    /// `tid`, as in Entra's documents.
    pub issuer: String,
    /// Audiences that are accepted. At least one; there is no default.
    pub audiences: Vec<String>,
    /// URL of the discovery document, when it isn't `{issuer}/.well-known/openid-configuration`.
    pub discovery: Option<String>,
    /// URL of the JWK Set; with it the discovery document is not fetched.
    pub jwks_uri: Option<String>,
    /// The tenant of all the issuer's tokens, a GUID; a token whose `tid` says another is refused. Without
    /// it the claim `tid` says the tenant.
    pub tenant: Option<String>,
    /// Where the application roles are, `roles` unless told: a claim's exact name, a JSON pointer,
    /// or names with dots between (`realm_access.roles`).
    pub roles_claim: Option<String>,
}

/// Issuers that are trusted beside the built-in one.
#[derive(Debug, Clone)]
pub struct TrustedIssuers {
    /// How each is configured.
    pub issuers: Vec<IssuerConfig>,
    /// Fetches their keys.
    pub fetcher: Arc<dyn Fetch>,
}

/// A trusted issuer can't be configured like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("trusted issuer {issuer:?}: {problem}")]
pub struct ConfigError {
    /// The issuer.
    pub issuer: String,
    /// What is wrong, for the operator.
    pub problem: String,
}

/// Where an issuer's keys are.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// A discovery document says it.
    Discovery(Url),
    /// The JWK Set itself.
    Jwks(Url),
}

/// A trusted issuer at work.
#[derive(Debug)]
pub(crate) struct TrustedIssuer {
    /// The issuer's name, with the tenant's place in it if it has one.
    pub(crate) name: String,
    pub(crate) source: KeySource,
    pub(crate) policy: Policy,
    pub(crate) keys: IssuerKeys,
}

impl TrustedIssuer {
    /// Checks what the operator wrote.
    pub(crate) fn new(config: IssuerConfig) -> Result<Self, ConfigError> {
        check(config.clone())
            .map_err(|problem| ConfigError { issuer: config.issuer.clone(), problem })
    }

    /// Whether tokens that say `iss` and `tid` are this issuer's.
    pub(crate) fn is(&self, issuer: &str, tenant: Option<&str>) -> bool {
        match tenant {
            Some(tenant) if self.name.contains(TENANT_PLACE) => fill(&self.name, tenant) == issuer,
            _ => self.name == issuer && !self.name.contains(TENANT_PLACE),
        }
    }
}

fn check(config: IssuerConfig) -> Result<TrustedIssuer, String> {
    let template = config.issuer.contains(TENANT_PLACE);
    if config.issuer.is_empty() {
        return Err("the issuer has no name".into());
    }
    if config.audiences.is_empty() || config.audiences.iter().any(String::is_empty) {
        return Err("audiences must be listed".into());
    }
    if template && config.tenant.is_some() {
        return Err(format!("an issuer with {TENANT_PLACE} takes its tenant from the token"));
    }
    let tenant = config
        .tenant
        .map(|tenant| normalize_tenant(&tenant).ok_or(format!("tenant {tenant:?} is not a GUID")))
        .transpose()?;
    let source = match (config.jwks_uri, config.discovery) {
        (Some(_), Some(_)) => return Err("jwks_uri and discovery exclude each other".into()),
        (Some(url), None) => KeySource::Jwks(key_url(&url)?),
        (None, Some(url)) => KeySource::Discovery(key_url(&url)?),
        (None, None) if template => {
            return Err(format!("an issuer with {TENANT_PLACE} needs discovery or jwks_uri"));
        }
        (None, None) => {
            let base = config.issuer.trim_end_matches('/');
            KeySource::Discovery(key_url(&format!("{base}/.well-known/openid-configuration"))?)
        }
    };
    let roles = RolesClaim::new(config.roles_claim.as_deref().unwrap_or("roles"));
    Ok(TrustedIssuer {
        name: config.issuer,
        source,
        policy: Policy { audiences: config.audiences, tenant, roles, is_own: false },
        keys: IssuerKeys::default(),
    })
}

/// A URL that keys may come from: whoever answers there decides who gets in, so it is HTTPS, or
/// plain HTTP on this machine.
pub(crate) fn key_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() == "https" || (url.scheme() == "http" && loopback) {
        Ok(url)
    } else {
        Err(format!("{text:?} is not an https URL"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "11111111-1111-1111-1111-111111111111";
    const ENTRA: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

    fn config(issuer: &str) -> IssuerConfig {
        IssuerConfig {
            issuer: issuer.into(),
            audiences: vec!["api://callvault".into()],
            ..IssuerConfig::default()
        }
    }

    fn problem(config: IssuerConfig) -> String {
        TrustedIssuer::new(config).expect_err("refused").problem
    }

    #[test]
    fn the_tenant_fills_its_place_in_the_issuer() {
        let keys = Some("https://login.microsoftonline.com/common/discovery/v2.0/keys".to_owned());
        let entra = TrustedIssuer::new(IssuerConfig { jwks_uri: keys, ..config(ENTRA) });
        let entra = entra.expect("sound");
        let name = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        assert!(entra.is(&name, Some(TENANT)));
        assert!(!entra.is(&name, None));
        assert!(!entra.is(&format!("{name}/"), Some(TENANT)));
        assert!(!entra.is(&name, Some("22222222-2222-2222-2222-222222222222")));
        assert!(!entra.is(ENTRA, None));
        assert!(!entra.is(ENTRA, Some(TENANT)));
    }

    #[test]
    fn a_plain_issuer_is_compared_exactly() {
        let plain =
            TrustedIssuer::new(config("https://id.contoso.example/realms/r")).expect("sound");
        assert!(plain.is("https://id.contoso.example/realms/r", Some(TENANT)));
        assert!(plain.is("https://id.contoso.example/realms/r", None));
        assert!(!plain.is("https://id.contoso.example/realms/r/", None));
        assert!(!plain.is("https://ID.contoso.example/realms/r", None));
        let KeySource::Discovery(url) = plain.source else { panic!("by discovery") };
        assert_eq!(
            url.as_str(),
            "https://id.contoso.example/realms/r/.well-known/openid-configuration"
        );
    }

    #[test]
    fn what_cannot_be_trusted_is_refused_with_the_reason() {
        let plain = || config("https://id.contoso.example");
        let some = |text: &str| Some(text.to_owned());
        for (config, reason) in [
            (config(""), "no name"),
            (IssuerConfig { audiences: Vec::new(), ..plain() }, "audiences must be listed"),
            (
                IssuerConfig { audiences: vec![String::new()], ..plain() },
                "audiences must be listed",
            ),
            (IssuerConfig { tenant: some("contoso"), ..plain() }, "not a GUID"),
            (IssuerConfig { tenant: some(TENANT), ..config(ENTRA) }, "takes its tenant"),
            (config(ENTRA), "needs discovery or jwks_uri"),
            (IssuerConfig { jwks_uri: some("keys"), ..plain() }, "not a URL"),
            (IssuerConfig { jwks_uri: some("http://id.contoso.example/k"), ..plain() }, "https"),
            (IssuerConfig { discovery: some("file:///etc/keys"), ..plain() }, "https"),
            (config("http://id.contoso.example"), "https"),
        ] {
            let found = problem(config);
            assert!(found.contains(reason), "{found}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for url in ["http://127.0.0.1:9/k", "http://[::1]:9/k", "http://localhost/k", "https://a/k"]
        {
            assert!(key_url(url).is_ok(), "{url}");
        }
        for url in ["http://localhost.evil.example/k", "http://127.0.0.1.evil.example/k"] {
            assert!(key_url(url).is_err(), "{url}");
        }
    }
}
