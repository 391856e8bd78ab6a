//! What the claims of a token must say before it counts, once its signature is verified.

use serde_json::{Map, Value};

use crate::caller::Caller;
use crate::denial::Denial;
use crate::guid::normalize_tenant;

/// The audience of Microsoft Graph, and of every token of the built-in issuer.
pub const GRAPH_AUDIENCE: &str = "https://graph.microsoft.com";
/// Graph's application id, the other name of the same audience.
pub const GRAPH_RESOURCE_ID: &str = "00000003-0000-0000-c000-000000000000";
/// Seconds that a token of the built-in issuer may live: 24 hours.
pub const MAX_TTL: i64 = 24 * 3600;
/// Seconds by which clocks may differ.
pub(crate) const LEEWAY: i64 = 300;

/// What an issuer's tokens are checked against.
#[derive(Debug)]
pub(crate) struct Policy {
    /// At least one of these must be in `aud`.
    pub(crate) audiences: Vec<String>,
    /// The tenant of every token of the issuer, which a `tid` must not contradict; without it the claim
    /// `tid` says it.
    pub(crate) tenant: Option<String>,
    /// Where the roles are.
    pub(crate) roles: RolesClaim,
    /// Whether it is the built-in issuer.
    pub(crate) is_own: bool,
}

/// Where a token has its application roles.
#[derive(Debug, Clone)]
pub(crate) struct RolesClaim(String);

impl RolesClaim {
    pub(crate) fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// The roles; none at all when the claim is absent or anything but an array of strings.
    ///
    /// The path is the claim's exact name, a JSON pointer (RFC 6901), or names with dots between.
    fn read(&self, claims: &Map<String, Value>) -> Vec<String> {
        let found = match self.0.strip_prefix('/') {
            _ if claims.contains_key(&self.0) => claims.get(&self.0),
            Some(pointer) => {
                let (first, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
                let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
                let first = first.replace("~1", "/").replace("~0", "~");
                claims.get(&first).and_then(|value| value.pointer(&rest))
            }
            None => {
                let mut names = self.0.split('.');
                let first = names.next().and_then(|name| claims.get(name));
                names.fold(first, |value, name| value?.get(name))
            }
        };
        found.and_then(Value::as_array).and_then(|roles| strings(roles)).unwrap_or_default()
    }
}

fn strings(values: &[Value]) -> Option<Vec<String>> {
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The claim `tid`, in lower case; `None` when there is none.
pub(crate) fn tenant_claim(claims: &Map<String, Value>) -> Result<Option<String>, Denial> {
    match claims.get("tid") {
        None => Ok(None),
        Some(Value::String(text)) => normalize_tenant(text).map(Some).ok_or(Denial::Tenant),
        Some(_) => Err(Denial::Tenant),
    }
}

/// Checks everything but issuer and signature, and says who calls.
pub(crate) fn check(
    claims: &Map<String, Value>,
    policy: &Policy,
    now: i64,
) -> Result<Caller, Denial> {
    check_kind(claims)?;
    check_audience(claims, &policy.audiences)?;
    let expires_at = check_times(claims, now)?;
    let tenant = match &policy.tenant {
        // A tid that says another tenant was not made for this one; one that is no GUID says something else.
        Some(fixed) => match tenant_claim(claims) {
            Ok(Some(named)) if named != *fixed => return Err(Denial::Tenant),
            _ => fixed.clone(),
        },
        None => tenant_claim(claims)?.ok_or(Denial::Tenant)?,
    };
    if is_delegated(claims) {
        return Err(Denial::Delegated);
    }
    let app_id = ["azp", "appid"]
        .iter()
        .find_map(|name| claims.get(*name))
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
        .ok_or(Denial::NoApplication)?;
    let roles = policy.roles.read(claims);
    Ok(Caller { tenant, app_id: app_id.to_owned(), roles, expires_at, is_own: policy.is_own })
}

/// ID tokens carry hashes of what they came with (OpenID Connect Core, 3.3.2.11); Keycloak says the
/// kind in a claim `typ`.
fn check_kind(claims: &Map<String, Value>) -> Result<(), Denial> {
    let bound = ["at_hash", "c_hash", "s_hash"].iter().any(|name| claims.contains_key(*name));
    let kind = claims.get("typ").and_then(Value::as_str).unwrap_or("Bearer");
    let other = ["ID", "Refresh", "Offline", "Logout"].iter().any(|k| kind.eq_ignore_ascii_case(k));
    if bound || other { Err(Denial::NotAccessToken) } else { Ok(()) }
}

fn check_audience(claims: &Map<String, Value>, accepted: &[String]) -> Result<(), Denial> {
    let named = match claims.get("aud") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => strings(many).ok_or(Denial::Malformed)?,
        Some(_) => return Err(Denial::Malformed),
        None => Vec::new(),
    };
    let meant = named.iter().any(|audience| accepted.contains(audience));
    if meant { Ok(()) } else { Err(Denial::Audience) }
}

/// Checks `nbf` (when given) and `exp` (always), whole seconds both; gives `exp`.
fn check_times(claims: &Map<String, Value>, now: i64) -> Result<i64, Denial> {
    let expires_at = claims.get("exp").and_then(Value::as_i64).ok_or(Denial::Malformed)?;
    if let Some(not_before) = claims.get("nbf") {
        let not_before = not_before.as_i64().ok_or(Denial::Malformed)?;
        if now.saturating_add(LEEWAY) < not_before {
            return Err(Denial::Early);
        }
    }
    if now >= expires_at.saturating_add(LEEWAY) { Err(Denial::Expired) } else { Ok(expires_at) }
}

/// Whether a user stands behind the token.
///
/// `idtyp` decides where the issuer gives it. Without it scopes do, also beside roles: a user's
/// token has in `roles` what the user may, not what the application may.
fn is_delegated(claims: &Map<String, Value>) -> bool {
    match claims.get("idtyp").and_then(Value::as_str) {
        Some(kind) => kind != "app",
        None => claims.contains_key("scp"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn roles(path: &str, claims: &Value) -> Vec<String> {
        RolesClaim::new(path).read(claims.as_object().expect("an object"))
    }

    #[test]
    fn roles_are_found_by_name_path_and_pointer() {
        let claims = json!({
            "roles": ["a"],
            "realm_access": {"roles": ["b", "c"]},
            "https://contoso.example/roles": ["d"],
            "resource_access": {"call.vault": {"roles": ["e"]}, "a/b": ["f"]},
        });
        assert_eq!(roles("roles", &claims), ["a"]);
        assert_eq!(roles("realm_access.roles", &claims), ["b", "c"]);
        assert_eq!(roles("https://contoso.example/roles", &claims), ["d"]);
        assert_eq!(roles("/resource_access/call.vault/roles", &claims), ["e"]);
        assert_eq!(roles("/resource_access/a~1b", &claims), ["f"]);
        assert_eq!(roles("/roles", &claims), ["a"]);
    }

    #[test]
    fn anything_but_an_array_of_strings_is_no_role() {
        for value in [json!("a"), json!(["a", 1]), json!({"a": true}), json!(null), json!(1)] {
            assert_eq!(roles("roles", &json!({"roles": value})), [""; 0], "{value}");
        }
        assert_eq!(roles("roles", &json!({"realm_access": {"roles": ["a"]}})), [""; 0]);
        assert_eq!(
            roles("realm_access.roles.x", &json!({"realm_access": {"roles": ["a"]}})),
            [""; 0]
        );
    }
}
