//! The built-in issuer: signs tokens for those who have no identity provider.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::claims::{GRAPH_AUDIENCE, GRAPH_RESOURCE_ID, MAX_TTL, Policy, RolesClaim};
use crate::documents;
use crate::guid::{normalize_tenant, random_guid};
use crate::keys::VerificationKey;
use crate::keyset::{self, KeySet};
use crate::master_key::MasterKey;
use crate::signing_key::{KeyError, SigningKey};

/// The application of tokens that an operator makes without naming one; the same in each tenant.
pub const OPERATOR_APP: &str = "ca11a017-0000-4000-8000-000000000001";

/// Stands for the public URL in tokens of a tool that doesn't know it. Every process with the same
/// keys trusts `callvault://{tenant}/v2.0`, whatever its own address.
const INTERNAL_BASE: &str = "callvault:/";

type Reload = Box<dyn Fn() -> Result<Vec<SigningKey>, String> + Send + Sync>;

/// What a token is to say.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The tenant, a GUID in lower case.
    pub tenant: &'a str,
    /// The application's client id.
    pub app_id: &'a str,
    /// Its roles.
    pub roles: &'a [String],
    /// Seconds that the token lives, at most [`MAX_TTL`].
    pub ttl: i64,
}

/// The built-in issuer with its signing keys.
pub struct Issuer {
    /// What issuer names begin with, without a slash at the end.
    base: String,
    master: MasterKey,
    ring: RwLock<Arc<KeyRing>>,
    reload: Option<Reload>,
    reloaded_at: AtomicI64,
    /// Moves on when a key goes, so that no token it signed is remembered.
    pub(crate) generation: Arc<AtomicU64>,
    pub(crate) policy: Policy,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Issuer").field("base", &self.base).finish_non_exhaustive()
    }
}

/// The stored keys, ready for use.
struct KeyRing {
    rows: Vec<SigningKey>,
    signer: Option<(String, RsaKeyPair)>,
    verifying: Arc<KeySet>,
}

impl Issuer {
    /// An issuer with these keys. Its name for a tenant is `{public_url}/{tenant}/v2.0`; without a
    /// public URL, in a tool beside a running server, `callvault://{tenant}/v2.0`, which the
    /// server trusts too.
    ///
    /// # Errors
    /// [`KeyError`] when a key is damaged, the one to sign with doesn't open, or the URL is none.
    pub fn new(
        public_url: Option<&str>,
        master: &MasterKey,
        keys: &[SigningKey],
    ) -> Result<Self, KeyError> {
        let base = public_url.map_or(Ok(INTERNAL_BASE), |url| {
            let parsed = url::Url::parse(url).ok();
            parsed
                .filter(|found| matches!(found.scheme(), "http" | "https"))
                .map(|_| url.trim_end_matches('/'))
                .ok_or_else(|| KeyError::PublicUrl(url.to_owned()))
        })?;
        Ok(Self {
            base: base.to_owned(),
            master: master.clone(),
            ring: RwLock::new(Arc::new(KeyRing::new(keys, master)?)),
            reload: None,
            reloaded_at: AtomicI64::new(i64::MIN),
            generation: Arc::default(),
            policy: Policy {
                audiences: vec![GRAPH_AUDIENCE.into(), GRAPH_RESOURCE_ID.into()],
                tenant: None,
                roles: RolesClaim::new("roles"),
                is_own: true,
            },
        })
    }

    /// Lets the issuer read its keys again when a token names one that it doesn't know: another
    /// process may have made it. The closure may block for as long as a small query takes, and is
    /// called at most once a second.
    #[must_use]
    pub fn with_reload(
        mut self,
        reload: impl Fn() -> Result<Vec<SigningKey>, String> + Send + Sync + 'static,
    ) -> Self {
        self.reload = Some(Box::new(reload));
        self
    }

    /// Replaces the keys, after a rotation.
    ///
    /// # Errors
    /// As [`Issuer::new`]; the keys stay what they were then.
    pub fn set_keys(&self, keys: &[SigningKey]) -> Result<(), KeyError> {
        let old = self.ring();
        if old.rows == keys {
            return Ok(());
        }
        let new = Arc::new(KeyRing::new(keys, &self.master)?);
        let kept = new.verifying.covers(&old.verifying);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = new;
        if !kept {
            self.generation.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Reads the keys again, if there is a way to and it wasn't done in this second already.
    pub(crate) fn reload(&self, now: i64) {
        let Some(reload) = &self.reload else { return };
        if self.reloaded_at.swap(now, Ordering::Relaxed) == now {
            return;
        }
        let outcome =
            reload().and_then(|keys| self.set_keys(&keys).map_err(|error| error.to_string()));
        if let Err(error) = outcome {
            tracing::error!(error, "cannot read the signing keys again");
        }
    }

    /// Signs a token.
    ///
    /// # Errors
    /// [`KeyError::NoSigningKey`], [`KeyError::Lifetime`], [`KeyError::Tenant`].
    pub fn issue(&self, grant: &Grant<'_>, now: i64) -> Result<String, KeyError> {
        if !(1..=MAX_TTL).contains(&grant.ttl) {
            return Err(KeyError::Lifetime);
        }
        if normalize_tenant(grant.tenant).as_deref() != Some(grant.tenant) {
            return Err(KeyError::Tenant);
        }
        let ring = self.ring();
        let (kid, pair) = ring.signer.as_ref().ok_or(KeyError::NoSigningKey)?;
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": kid});
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", part(header), part(self.claims(grant, now)));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| KeyError::Cryptography("sign"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The claims that Entra has in an application's token, `appid` (v1) and `azp` (v2) both.
    fn claims(&self, grant: &Grant<'_>, now: i64) -> Value {
        json!({
            "aud": GRAPH_AUDIENCE,
            "iss": self.name(grant.tenant),
            "iat": now,
            "nbf": now,
            "exp": now + grant.ttl,
            "appid": grant.app_id,
            "appidacr": "1",
            "azp": grant.app_id,
            "azpacr": "1",
            "idtyp": "app",
            "oid": grant.app_id,
            "roles": grant.roles,
            "sub": grant.app_id,
            "tid": grant.tenant,
            "uti": URL_SAFE_NO_PAD.encode(crate::random::bytes::<16>()),
            "jti": random_guid(),
            "ver": "2.0",
        })
    }

    /// The OpenID Connect discovery document of a tenant, as JSON: what
    /// `/{tenant}/v2.0/.well-known/openid-configuration` answers.
    pub fn discovery(&self, tenant: &str) -> String {
        documents::discovery(&self.base, tenant).to_string()
    }

    /// The published keys as a JWK Set: what `/{tenant}/discovery/v2.0/keys` answers.
    pub fn jwks(&self, now: i64) -> String {
        let ring = self.ring();
        let alive = ring.rows.iter().filter(|row| row.not_after.is_none_or(|end| now < end));
        keyset::to_json(alive.filter_map(|row| serde_json::from_str(&row.public_jwk).ok()))
    }

    /// The tenant, when this is one of the issuer's own names.
    pub(crate) fn tenant_of(&self, name: &str) -> Option<String> {
        let tenant = [self.base.as_str(), INTERNAL_BASE]
            .iter()
            .find_map(|base| name.strip_prefix(base)?.strip_prefix('/')?.strip_suffix("/v2.0"))?;
        normalize_tenant(tenant).filter(|normal| normal == tenant)
    }

    /// The keys that tokens are verified with.
    pub(crate) fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.ring().verifying)
    }

    fn name(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0", self.base)
    }

    /// What assertions of applications of a tenant may be for: the address of the token endpoint, and the
    /// issuer itself.
    pub(crate) fn audiences(&self, tenant: &str) -> [String; 2] {
        [format!("{}/{tenant}/oauth2/v2.0/token", self.base), self.name(tenant)]
    }

    fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeyRing {
    /// The newest key without an end signs; all of them verify.
    fn new(rows: &[SigningKey], master: &MasterKey) -> Result<Self, KeyError> {
        let newest = rows
            .iter()
            .filter(|row| row.not_after.is_none())
            .max_by_key(|row| (row.created, &row.kid));
        let signer = newest.map(|row| Ok((row.kid.clone(), row.open(master)?))).transpose()?;
        let verifying = rows.iter().map(verifying_key).collect::<Result<_, _>>()?;
        Ok(Self { rows: rows.to_vec(), signer, verifying: Arc::new(KeySet(verifying)) })
    }
}

fn verifying_key(row: &SigningKey) -> Result<VerificationKey, KeyError> {
    let jwk = serde_json::from_str::<Value>(&row.public_jwk).ok();
    let mut key = jwk
        .and_then(|jwk| VerificationKey::from_jwk(&jwk))
        .filter(|key| key.kid.as_ref() == Some(&row.kid))
        .ok_or_else(|| KeyError::Damaged { kid: row.kid.clone() })?;
    key.not_after = row.not_after;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "11111111-1111-1111-1111-111111111111";

    fn issuer(public_url: Option<&str>, keys: &[SigningKey]) -> Result<Issuer, KeyError> {
        Issuer::new(public_url, &MasterKey::from_text(&"5".repeat(64)).expect("a key"), keys)
    }

    #[test]
    fn only_the_own_names_lead_to_a_tenant() {
        let issuer = issuer(Some("https://calls.contoso.example/"), &[]).expect("no key needed");
        for name in [
            format!("https://calls.contoso.example/{TENANT}/v2.0"),
            format!("callvault://{TENANT}/v2.0"),
        ] {
            assert_eq!(issuer.tenant_of(&name).as_deref(), Some(TENANT), "{name}");
        }
        for name in [
            format!("https://calls.contoso.example/{TENANT}/v2.0/"),
            format!("https://calls.contoso.example/{TENANT}/"),
            format!("https://calls.contoso.example//{TENANT}/v2.0"),
            format!("https://calls.contoso.example.evil.example/{TENANT}/v2.0"),
            format!("http://calls.contoso.example/{TENANT}/v2.0"),
            "https://calls.contoso.example/ABCDEFAB-1111-1111-1111-111111111111/v2.0".into(),
            "https://calls.contoso.example/common/v2.0".into(),
            format!("callvault:/{TENANT}/v2.0"),
            String::new(),
        ] {
            assert_eq!(issuer.tenant_of(&name), None, "{name}");
        }
    }

    #[test]
    fn a_public_url_is_an_http_url() {
        for url in
            ["", "calls.contoso.example", "ftp://calls.contoso.example", "https://", "callvault:/"]
        {
            assert!(matches!(issuer(Some(url), &[]), Err(KeyError::PublicUrl(_))), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_issued_is_refused() {
        let issuer = issuer(None, &[]).expect("no key needed");
        let grant = Grant { tenant: TENANT, app_id: OPERATOR_APP, roles: &[], ttl: 60 };
        assert_eq!(issuer.issue(&grant, 0), Err(KeyError::NoSigningKey));
        for ttl in [0, -1, MAX_TTL + 1, i64::MAX] {
            assert_eq!(issuer.issue(&Grant { ttl, ..grant }, 0), Err(KeyError::Lifetime), "{ttl}");
        }
        for tenant in ["common", "", "ABCDEFAB-1111-1111-1111-111111111111"] {
            let wrong = Grant { tenant, ..grant };
            assert_eq!(issuer.issue(&wrong, 0), Err(KeyError::Tenant), "{tenant}");
        }
    }

    #[test]
    fn a_damaged_public_key_is_named() {
        let master = MasterKey::from_text(&"5".repeat(64)).expect("a key");
        let key = SigningKey::generate(&master, 0).expect("made");
        let renamed = SigningKey { kid: "other".into(), not_after: Some(9), ..key.clone() };
        let empty = SigningKey { public_jwk: "{}".into(), ..key };
        for (row, kid) in [(&renamed, "other"), (&empty, empty.kid.as_str())] {
            let error = issuer(None, std::slice::from_ref(row)).expect_err("damaged");
            assert_eq!(error, KeyError::Damaged { kid: kid.into() });
        }
    }
}
