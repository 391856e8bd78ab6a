//! The discovery document of the built-in issuer (OpenID Connect Discovery 1.0, section 3), in the
//! form in which Entra's client libraries look for it.

use serde_json::{Value, json};

use crate::claims::GRAPH_AUDIENCE;

/// The document of one tenant of the issuer whose names begin with `base`.
///
/// The authorization endpoint is named because clients insist on it; there is no login to be had.
pub(crate) fn discovery(base: &str, tenant: &str) -> Value {
    json!({
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
        "response_modes_supported": ["query"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["token"],
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": [format!("{}/.default", GRAPH_AUDIENCE)],
        "issuer": format!("{base}/{tenant}/v2.0"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
        "claims_supported":
            ["sub", "iss", "aud", "exp", "iat", "nbf", "tid", "azp", "appid", "idtyp", "roles", "ver"],
        "tenant_region_scope": null,
    })
}
