//! The keys of one issuer, and which of them a token must be signed with.

use serde_json::Value;

use crate::denial::Denial;
use crate::jws::Jws;
use crate::keys::VerificationKey;
use crate::strict_json;

/// Keys that one set may have; what follows is not read.
const MAX_KEYS: usize = 256;

/// The usable keys of an issuer.
#[derive(Debug, Default)]
pub(crate) struct KeySet(pub(crate) Vec<VerificationKey>);

impl KeySet {
    /// Reads a JWK Set (RFC 7517, section 5). Keys that can't verify are left out; `None` when the
    /// text is no such set or nothing is left.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let set = strict_json::object(text)?;
        let keys: Vec<_> = set
            .get("keys")?
            .as_array()?
            .iter()
            .take(MAX_KEYS)
            .filter_map(VerificationKey::from_jwk)
            .collect();
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// The key that the token names and that may be used for it, at the time `now`.
    ///
    /// A token without a key id is taken only if exactly one key fits it. A key that is limited to
    /// an issuer serves no other: `tenant` fills the limit's `{tenantid}`.
    pub(crate) fn select(
        &self,
        token: &Jws<'_>,
        issuer: &str,
        tenant: Option<&str>,
        now: i64,
    ) -> Result<&VerificationKey, Denial> {
        let named: Vec<_> = self
            .0
            .iter()
            .filter(|key| key.not_after.is_none_or(|end| now < end))
            .filter(|key| token.kid.is_none() || key.kid == token.kid)
            .collect();
        let fitting: Vec<_> = named.iter().filter(|key| key.allows(token.algorithm)).collect();
        let mut serving = fitting.iter().filter(|key| serves(key, issuer, tenant));
        match (serving.next(), &token.kid) {
            (Some(key), Some(_)) => Ok(key),
            (Some(key), None) if serving.next().is_none() => Ok(key),
            (_, None) => Err(Denial::UnknownKey),
            (None, Some(_)) if named.is_empty() => Err(Denial::UnknownKey),
            (None, Some(_)) if fitting.is_empty() => Err(Denial::Algorithm),
            (None, Some(_)) => Err(Denial::Issuer),
        }
    }

    /// Whether every key of `other` is in this set too, with the same limits.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|theirs| self.0.iter().any(|ours| ours.same(theirs)))
    }
}

fn serves(key: &VerificationKey, issuer: &str, tenant: Option<&str>) -> bool {
    match (&key.issuer, tenant) {
        (None, _) => true,
        (Some(limit), Some(tenant)) => fill(limit, tenant) == issuer,
        (Some(limit), None) => limit == issuer,
    }
}

/// The place in an issuer's name that stands for the tenant, as Entra writes it.
pub(crate) const TENANT_PLACE: &str = "{tenantid}";

/// An issuer's name with its tenant filled in.
pub(crate) fn fill(template: &str, tenant: &str) -> String {
    template.replace(TENANT_PLACE, tenant)
}

/// The `keys` member of a set made of these JWKs.
pub(crate) fn to_json(jwks: impl Iterator<Item = Value>) -> String {
    serde_json::json!({ "keys": jwks.collect::<Vec<_>>() }).to_string()
}
