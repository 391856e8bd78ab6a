//! Tokens that are signed well and say something wrong.

use identity::{Denied, Verifier};
use serde_json::{Value, json};

use crate::support::keys;
use crate::support::{
    APP, NOW, OTHER_TENANT, TEMPLATE, TENANT, claims, claims_with, config, header, issuer, set,
    sign, token, trusting, verifier,
};

/// A claim changed (null: taken away) and what becomes of the token.
type Case = (&'static str, Value, Option<Denied>);

async fn check(verifier: &Verifier, cases: Vec<Case>) {
    for (name, value, expected) in cases {
        let token = token(&claims_with(name, value.clone()));
        let outcome = verifier.verify(&token, NOW).await;
        assert_eq!(outcome.err(), expected, "{name} = {value}");
        assert_eq!(verifier.cached(&token, NOW).is_some(), expected.is_none(), "{name} = {value}");
    }
}

#[tokio::test]
async fn times_are_whole_seconds_with_a_leeway_of_five_minutes() {
    use Denied::{Early, Expired, Malformed};
    let (verifier, _provider) = verifier();
    check(
        &verifier,
        vec![
            ("exp", json!(NOW - 299), None),
            ("exp", json!(NOW - 300), Some(Expired)),
            ("exp", json!(NOW - 301), Some(Expired)),
            ("exp", json!(0), Some(Expired)),
            ("exp", json!(-1), Some(Expired)),
            ("exp", json!(i64::MIN), Some(Expired)),
            ("exp", json!(i64::MAX), None),
            ("exp", json!(1_u64 << 63), Some(Malformed)),
            ("exp", json!(NOW as f64 + 3600.0), Some(Malformed)),
            ("exp", json!(1e10), Some(Malformed)),
            ("exp", json!((NOW + 3600).to_string()), Some(Malformed)),
            ("exp", json!([NOW + 3600]), Some(Malformed)),
            ("exp", json!(true), Some(Malformed)),
            ("exp", Value::Null, Some(Malformed)),
            ("nbf", json!(NOW + 299), None),
            ("nbf", json!(NOW + 300), None),
            ("nbf", json!(NOW + 301), Some(Early)),
            ("nbf", json!(i64::MAX), Some(Early)),
            ("nbf", json!(NOW.to_string()), Some(Malformed)),
            ("nbf", json!(NOW as f64), Some(Malformed)),
            ("nbf", Value::Null, None),
            ("iat", Value::Null, None),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_token_must_be_meant_for_us() {
    use Denied::{Audience, Malformed};
    let (verifier, _provider) = verifier();
    check(
        &verifier,
        vec![
            ("aud", json!("api://other"), None),
            ("aud", json!(["x", "api://callvault"]), None),
            ("aud", json!("https://graph.microsoft.com"), Some(Audience)),
            ("aud", json!("api://callvault/"), Some(Audience)),
            ("aud", json!("api://callvaul"), Some(Audience)),
            ("aud", json!("API://CALLVAULT"), Some(Audience)),
            ("aud", json!("api://other api://callvault"), Some(Audience)),
            ("aud", json!(["x", "y"]), Some(Audience)),
            ("aud", json!([]), Some(Audience)),
            ("aud", json!(""), Some(Audience)),
            ("aud", Value::Null, Some(Audience)),
            ("aud", json!(["api://callvault", 1]), Some(Malformed)),
            ("aud", json!({"api://callvault": true}), Some(Malformed)),
        ],
    )
    .await;
}

#[tokio::test]
async fn issuer_and_tenant_must_be_a_pair_that_is_trusted() {
    use Denied::Issuer;
    let (verifier, _provider) = verifier();
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let other = TEMPLATE.replace("{tenantid}", OTHER_TENANT);
    let upper = TEMPLATE.replace("{tenantid}", &TENANT.to_uppercase());
    check(
        &verifier,
        vec![
            ("iss", json!(v1), Some(Issuer)),
            ("iss", json!(other), Some(Issuer)),
            ("iss", json!(upper), Some(Issuer)),
            ("iss", json!(format!("{}/", issuer())), Some(Issuer)),
            ("iss", json!(issuer().to_uppercase()), Some(Issuer)),
            (
                "iss",
                json!(issuer().replace("contoso.example", "contoso.example.evil")),
                Some(Issuer),
            ),
            ("iss", json!(TEMPLATE), Some(Issuer)),
            ("iss", json!([issuer()]), Some(Issuer)),
            ("iss", json!(""), Some(Issuer)),
            ("iss", Value::Null, Some(Issuer)),
            ("tid", json!(OTHER_TENANT), Some(Issuer)),
            ("tid", json!("common"), Some(Issuer)),
            ("tid", json!(""), Some(Issuer)),
            ("tid", json!([TENANT]), Some(Issuer)),
            ("tid", json!(format!("{{{TENANT}}}")), Some(Issuer)),
            ("tid", Value::Null, Some(Issuer)),
            ("tid", json!(TENANT.to_uppercase()), None),
        ],
    )
    .await;
    let token = token(&claims_with("tid", json!(TENANT.to_uppercase())));
    assert_eq!(verifier.verify(&token, NOW).await.expect("good").tenant, TENANT);
}

#[tokio::test]
async fn without_a_fixed_tenant_the_token_must_name_one() {
    let (_, provider) = verifier();
    let mut config = config();
    config.issuer = issuer();
    let verifier = trusting(&provider, vec![config]).expect("sound");
    check(
        &verifier,
        vec![
            ("ver", json!("1.0"), None),
            ("tid", Value::Null, Some(Denied::Tenant)),
            ("tid", json!("contoso"), Some(Denied::Tenant)),
            ("tid", json!(7), Some(Denied::Tenant)),
            // The issuer is its own tenant's only by what the operator says; this one is trusted
            // with every tenant that it names.
            ("tid", json!(OTHER_TENANT), None),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_a_user_may_is_not_what_an_application_may() {
    use Denied::Delegated;
    let (verifier, _provider) = verifier();
    check(
        &verifier,
        vec![
            ("idtyp", json!("user"), Some(Delegated)),
            ("idtyp", json!("App"), Some(Delegated)),
            ("idtyp", json!("device"), Some(Delegated)),
            ("idtyp", Value::Null, None),
            ("scp", json!("user_impersonation"), None),
        ],
    )
    .await;
    for roles in [json!(["CallRecords.Read.All"]), Value::Null] {
        for scopes in [json!("CallRecords.Read.All"), json!("")] {
            let mut claims = claims_with("idtyp", Value::Null);
            set(&mut claims, "roles", roles.clone());
            set(&mut claims, "scp", scopes);
            let outcome = verifier.verify(&token(&claims), NOW).await;
            assert_eq!(outcome, Err(Delegated), "{claims}");
        }
    }
    let mut expired = claims_with("idtyp", json!("user"));
    set(&mut expired, "exp", json!(NOW - 400));
    assert_eq!(verifier.verify(&token(&expired), NOW).await, Err(Denied::Expired));
}

#[tokio::test]
async fn id_tokens_and_refresh_tokens_are_no_access_tokens() {
    use Denied::NotAccessToken;
    let (verifier, _provider) = verifier();
    check(
        &verifier,
        vec![
            ("at_hash", json!("x"), Some(NotAccessToken)),
            ("c_hash", json!("x"), Some(NotAccessToken)),
            ("typ", json!("ID"), Some(NotAccessToken)),
            ("typ", json!("Refresh"), Some(NotAccessToken)),
            ("typ", json!("Bearer"), None),
            ("azp", Value::Null, Some(NotAccessToken)),
            ("azp", json!(""), Some(NotAccessToken)),
            ("azp", json!(7), Some(NotAccessToken)),
        ],
    )
    .await;
}

#[tokio::test]
async fn roles_that_are_none_leave_the_caller_without_any() {
    let (verifier, _provider) = verifier();
    for roles in [
        Value::Null,
        json!([]),
        json!("CallRecords.Read.All"),
        json!(["CallRecords.Read.All", 1]),
        json!({"CallRecords.Read.All": true}),
        json!([["CallRecords.Read.All"]]),
    ] {
        let token = token(&claims_with("roles", roles.clone()));
        let caller = verifier.verify(&token, NOW).await.expect("verified");
        assert_eq!(caller.roles, [""; 0], "{roles}");
        assert!(!caller.has_any(&identity::role::ALL));
    }
    for role in ["callrecords.read.all", "CallRecords.Read.AllX", " CallRecords.Read.All", ""] {
        let token = token(&claims_with("roles", json!([role])));
        let caller = verifier.verify(&token, NOW).await.expect("verified");
        assert!(!caller.has_any(&identity::role::ALL), "{role}");
    }
}

#[tokio::test]
async fn claims_that_can_be_read_in_two_ways_are_refused() {
    let (verifier, _provider) = verifier();
    let good = claims().to_string();
    let open = good.strip_suffix('}').expect("an object");
    for text in [
        format!(r#"{open},"tid":"{OTHER_TENANT}"}}"#),
        format!(r#"{open},"tid":"{TENANT}"}}"#),
        format!(r#"{open},"rol\u0065s":["Callvault.Admin"]}}"#),
        format!(r#"{open},"x":{{"a":1,"a":2}}}}"#),
        format!("{good}{good}"),
        format!("[{good}]"),
        format!("\u{feff}{good}"),
        open.to_owned(),
        format!(r#"{open},"x":"\ud800"}}"#),
        format!(r#"{open},"x":NaN}}"#),
    ] {
        let header = header(&keys::RSA, "RS256").to_string();
        let token = sign(&header, &text, &keys::RSA, "RS256");
        assert_eq!(verifier.verify(&token, NOW).await, Err(Denied::Malformed), "{text}");
    }
    let header = header(&keys::RSA, "RS256").to_string();
    let same = sign(&header, &format!("{open},\"x\":1}}"), &keys::RSA, "RS256");
    assert_eq!(verifier.verify(&same, NOW).await.expect("good").app_id, APP);
}

#[tokio::test]
async fn every_reason_has_graphs_words() {
    for (denied, message) in [
        (Denied::Empty, "Access token is empty."),
        (Denied::Malformed, "CompactToken parsing failed with error code: 80049217"),
        (Denied::Early, "Access token has expired or is not yet valid."),
        (Denied::Expired, "Lifetime validation failed, the token is expired."),
        (Denied::Audience, "Access token validation failure. Invalid audience."),
        (Denied::Issuer, "Access token validation failure. Invalid issuer."),
        (Denied::Signature, "Access token validation failure. Invalid signature."),
        (Denied::UnknownKey, "Access token validation failure. Invalid signature."),
        (Denied::Delegated, ""),
    ] {
        assert_eq!(denied.message(), message);
        assert_eq!(denied.is_forbidden(), denied == Denied::Delegated);
        assert!(!denied.is_unavailable());
    }
}
