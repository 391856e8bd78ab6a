//! The built-in issuer over the wire.

use identity::{hash_secret, random_guid};
use model::TenantId;
use store::AppRow;

use super::rig::{APP, Rig, TENANT};
use crate::caller::role;

fn register(rig: &Rig, secret: &str) {
    let app = AppRow {
        client_id: APP.to_owned(),
        tenant: TenantId::parse(TENANT).unwrap(),
        name: "Reader".to_owned(),
        roles: vec![role::READ.to_owned()],
        secret_hash: hash_secret(secret),
        created: 0,
    };
    rig.store.put_app(app).wait().unwrap();
}

fn ask_token(rig: &Rig, tenant: &str, secret: &str) -> super::client::Answer {
    let form = format!(
        "client_id={APP}&client_secret={secret}&grant_type=client_credentials&scope=https%3A%2F%2F\
         graph.microsoft.com%2F.default"
    );
    let target = format!("/{tenant}/oauth2/v2.0/token?client-request-id=x");
    let headers = ["Content-Type: application/x-www-form-urlencoded"];
    rig.connect().ask_with("POST", &target, &headers, form.as_bytes())
}

#[test]
fn a_registered_application_gets_a_token_that_reads() {
    let rig = Rig::start();
    register(&rig, "s3cret");
    let answer = ask_token(&rig, TENANT, "s3cret");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let bearer = format!("Authorization: Bearer {}", json["access_token"].as_str().unwrap());
    let list = rig.ask("GET", "/v1.0/communications/callRecords", &[&bearer]);
    assert_eq!(list.status, 200, "{}", list.text());
}

#[test]
fn a_wrong_secret_and_a_foreign_tenant_get_none() {
    let rig = Rig::start();
    register(&rig, "s3cret");
    let foreign = random_guid();
    let cases = [
        (TENANT, "wrong", 401, "invalid_client"),
        (foreign.as_str(), "s3cret", 400, "unauthorized_client"),
    ];
    for (tenant, secret, status, error) in cases {
        let answer = ask_token(&rig, tenant, secret);
        assert_eq!(answer.status, status, "{}", answer.text());
        let error = format!("\"error\":\"{error}\"");
        assert!(answer.text().contains(&error), "{}", answer.text());
    }
}

#[test]
fn discovery_and_keys_are_there_for_tenants_and_nothing_else() {
    let rig = Rig::start();
    let mut connection = rig.connect();
    let discovery = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let answer = connection.ask("GET", &discovery, &[]);
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let url = &rig.running.as_ref().unwrap().public_url;
    assert_eq!(json["issuer"], format!("{url}/{TENANT}/v2.0"));
    assert_eq!(json["token_endpoint"], format!("{url}/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(json["jwks_uri"], format!("{url}/{TENANT}/discovery/v2.0/keys"));
    let keys = connection.ask("GET", &format!("/{TENANT}/discovery/v2.0/keys"), &[]);
    assert!(keys.text().contains("\"RSA\""), "{}", keys.text());
    let cases = [
        ("GET", "/contoso.com/v2.0/.well-known/openid-configuration", 404),
        ("GET", "/common/v2.0/.well-known/openid-configuration", 400),
        ("POST", discovery.as_str(), 405),
        ("GET", "/common/oauth2/v2.0/token", 400),
    ];
    for (method, target, status) in cases {
        assert_eq!(connection.ask(method, target, &[]).status, status, "{method} {target}");
    }
}
