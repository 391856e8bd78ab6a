//! Tokens that are signed well and say something wrong.

use serde_json::{Value, json};

use super::{
    Hostile, OTHER_TENANT, TEMPLATE, TENANT, claims, claims_with, header, issuer, keys, sign, token,
};

/// All of them.
pub fn all(now: i64) -> Vec<Hostile> {
    [claimed(now), read_in_two_ways(now)].concat()
}

/// Tokens of which one claim is wrong.
pub fn claimed(now: i64) -> Vec<Hostile> {
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let other = TEMPLATE.replace("{tenantid}", OTHER_TENANT);
    let upper = TEMPLATE.replace("{tenantid}", &TENANT.to_uppercase());
    let table = [
        ("exp", json!(now - 300), "Expired"),
        ("exp", json!(now - 301), "Expired"),
        ("exp", json!(0), "Expired"),
        ("exp", json!(-1), "Expired"),
        ("exp", json!(i64::MIN), "Expired"),
        ("exp", json!(1_u64 << 63), "Malformed"),
        ("exp", json!(now as f64 + 3600.0), "Malformed"),
        ("exp", json!(1e10), "Malformed"),
        ("exp", json!((now + 3600).to_string()), "Malformed"),
        ("exp", json!([now + 3600]), "Malformed"),
        ("exp", json!(true), "Malformed"),
        ("exp", Value::Null, "Malformed"),
        ("nbf", json!(now + 301), "Early"),
        ("nbf", json!(i64::MAX), "Early"),
        ("nbf", json!(now.to_string()), "Malformed"),
        ("nbf", json!(now as f64), "Malformed"),
        ("aud", json!("https://graph.microsoft.com"), "Audience"),
        ("aud", json!("api://callvault/"), "Audience"),
        ("aud", json!("api://callvaul"), "Audience"),
        ("aud", json!("API://CALLVAULT"), "Audience"),
        ("aud", json!("api://other api://callvault"), "Audience"),
        ("aud", json!(["x", "y"]), "Audience"),
        ("aud", json!([]), "Audience"),
        ("aud", json!(""), "Audience"),
        ("aud", Value::Null, "Audience"),
        ("aud", json!(["api://callvault", 1]), "Malformed"),
        ("aud", json!({"api://callvault": true}), "Malformed"),
        ("iss", json!(v1), "Issuer"),
        ("iss", json!(other), "Issuer"),
        ("iss", json!(upper), "Issuer"),
        ("iss", json!(format!("{}/", issuer())), "Issuer"),
        ("iss", json!(issuer().to_uppercase()), "Issuer"),
        ("iss", json!(issuer().replace("contoso.example", "contoso.example.evil")), "Issuer"),
        ("iss", json!(TEMPLATE), "Issuer"),
        ("iss", json!([issuer()]), "Issuer"),
        ("iss", json!(""), "Issuer"),
        ("iss", Value::Null, "Issuer"),
        ("tid", json!(OTHER_TENANT), "Issuer"),
        ("tid", json!("common"), "Issuer"),
        ("tid", json!(""), "Issuer"),
        ("tid", json!([TENANT]), "Issuer"),
        ("tid", json!(format!("{{{TENANT}}}")), "Issuer"),
        ("tid", Value::Null, "Issuer"),
        ("idtyp", json!("user"), "Delegated"),
        ("idtyp", json!("App"), "Delegated"),
        ("idtyp", json!("device"), "Delegated"),
        ("at_hash", json!("x"), "NotAccessToken"),
        ("c_hash", json!("x"), "NotAccessToken"),
        ("typ", json!("ID"), "NotAccessToken"),
        ("typ", json!("Refresh"), "NotAccessToken"),
        ("azp", Value::Null, "NoApplication"),
        ("azp", json!(""), "NoApplication"),
        ("azp", json!(7), "NoApplication"),
    ];
    let hostile = table.into_iter().map(|(name, value, refused_as): (&str, Value, _)| Hostile {
        token: token(&claims_with(now, name, value)),
        refused_as,
    });
    hostile.collect()
}

/// Claims that two readers could understand differently.
pub fn read_in_two_ways(now: i64) -> Vec<Hostile> {
    let good = claims(now).to_string();
    let open = good.strip_suffix('}').unwrap_or(&good);
    let header = header(&keys::RSA, "RS256").to_string();
    let texts = [
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
    ];
    let sign = |text: String| sign(&header, &text, &keys::RSA, "RS256");
    texts.into_iter().map(|text| Hostile::from((sign(text), "Malformed"))).collect()
}

/// Tokens that are trusted, and whose roles are none.
pub fn without_roles(now: i64) -> Vec<String> {
    with_roles(
        now,
        [
            Value::Null,
            json!([]),
            json!("CallRecords.Read.All"),
            json!(["CallRecords.Read.All", 1]),
            json!({"CallRecords.Read.All": true}),
            json!([["CallRecords.Read.All"]]),
        ],
    )
}

/// Tokens that are trusted, and whose roles are not those that they look like.
pub fn misspelt_roles(now: i64) -> Vec<String> {
    let names = ["callrecords.read.all", "CallRecords.Read.AllX", " CallRecords.Read.All", ""];
    with_roles(now, names.map(|name| json!([name])))
}

fn with_roles(now: i64, roles: impl IntoIterator<Item = Value>) -> Vec<String> {
    roles.into_iter().map(|roles| token(&claims_with(now, "roles", roles))).collect()
}
