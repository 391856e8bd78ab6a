//! The built-in issuer: its tokens, its documents, its keys as they come and go.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use identity::{
    Denial, GRAPH_AUDIENCE, GRAPH_RESOURCE_ID, Grant, Issuer, MasterKey, OVERLAP, RecentTokens,
    SigningKey, Verifier, role, rotate,
};
use serde_json::{Value, json};

use crate::support::keys::Key;
use crate::support::{APP, NOW, OTHER_TENANT, TENANT, set, sign};

const URL: &str = "https://calls.contoso.example";

fn master() -> MasterKey {
    MasterKey::from_text(&"5".repeat(64)).expect("a key")
}

fn new_key(created: i64) -> SigningKey {
    SigningKey::generate(&master(), created).expect("made")
}

fn issuer(url: Option<&str>, keys: &[SigningKey]) -> Arc<Issuer> {
    Arc::new(Issuer::new(url, &master(), keys).expect("sound"))
}

fn verifier(issuer: &Arc<Issuer>) -> Verifier {
    Verifier::new(Some(Arc::clone(issuer)), None).expect("sound")
}

fn issue(issuer: &Issuer, ttl: i64, now: i64) -> String {
    let roles = [role::READ_CALL_RECORDS.to_owned(), role::WRITE_CALL_RECORDS.to_owned()];
    let grant = Grant { tenant: TENANT, app_id: APP, roles: &roles, ttl };
    issuer.issue(&grant, now).expect("issued")
}

/// A token with these claims, signed by the stored key itself.
fn forge(key: &SigningKey, claims: &Value) -> String {
    let purpose = format!("token signing key {}", key.kid);
    let private = master().open(&purpose, &key.sealed_private_key).expect("opened");
    let header = json!({"alg": "RS256", "kid": key.kid}).to_string();
    sign(&header, &claims.to_string(), &Key::from_pkcs8(&private), "RS256")
}

#[tokio::test]
async fn an_issued_token_says_who_may_what() {
    let issuer = issuer(Some(URL), &[new_key(0)]);
    let verifier = verifier(&issuer);
    let token = issue(&issuer, 3600, NOW);
    let caller = verifier.verify(&token, NOW).await.expect("good");
    assert_eq!((caller.tenant.as_str(), caller.app_id.as_str()), (TENANT, APP));
    assert_eq!(caller.roles, [role::READ_CALL_RECORDS, role::WRITE_CALL_RECORDS]);
    assert_eq!(caller.expires_at, NOW + 3600);
    assert!(verifier.verify(&token, NOW - 301).await.is_ok(), "it is remembered");
    let fresh = self::verifier(&issuer);
    assert_eq!(fresh.verify(&token, NOW - 301).await, Err(Denial::Early));
    assert_eq!(fresh.verify(&token, NOW + 3600 + 300).await, Err(Denial::Expired));
}

#[tokio::test]
async fn a_tool_that_does_not_know_the_address_makes_tokens_for_a_running_server() {
    let keys = [new_key(0)];
    let token = issue(&issuer(None, &keys), 60, NOW);
    for url in [Some(URL), Some("http://127.0.0.1:40123"), None] {
        let server = verifier(&issuer(url, &keys));
        assert_eq!(server.verify(&token, NOW).await.expect("good").tenant, TENANT);
    }
    let stranger = verifier(&issuer(Some(URL), &[new_key(0)]));
    assert_eq!(stranger.verify(&token, NOW).await, Err(Denial::UnknownKey));
}

#[tokio::test]
async fn only_the_own_issuer_names_and_audiences_count_even_by_the_own_key() {
    let key = new_key(0);
    let issuer = issuer(Some(URL), std::slice::from_ref(&key));
    let verifier = verifier(&issuer);
    let good = json!({
        "aud": GRAPH_AUDIENCE, "iss": format!("{URL}/{TENANT}/v2.0"), "exp": NOW + 60,
        "tid": TENANT, "azp": APP, "roles": [],
    });
    for (name, value, expected) in [
        ("aud", json!(GRAPH_RESOURCE_ID), None),
        ("iss", json!(format!("callvault://{TENANT}/v2.0")), None),
        ("aud", json!("https://graph.microsoft.com/"), Some(Denial::Audience)),
        ("iss", json!(format!("https://other.example/{TENANT}/v2.0")), Some(Denial::Issuer)),
        ("iss", json!(format!("{URL}/{OTHER_TENANT}/v2.0")), Some(Denial::Tenant)),
        ("tid", json!(OTHER_TENANT), Some(Denial::Tenant)),
        ("tid", json!("common"), Some(Denial::Tenant)),
        ("tid", Value::Null, Some(Denial::Tenant)),
        ("scp", json!("x"), Some(Denial::Delegated)),
    ] {
        let mut claims = good.clone();
        set(&mut claims, name, value.clone());
        let outcome = verifier.verify(&forge(&key, &claims), NOW).await;
        assert_eq!(outcome.err(), expected, "{name} = {value}");
    }
}

#[tokio::test]
async fn after_a_rotation_the_new_key_signs_and_the_old_one_counts_for_its_time() {
    let mut keys = vec![new_key(NOW - 100)];
    let issuer = issuer(Some(URL), &keys);
    let verifier = verifier(&issuer);
    let old = issue(&issuer, 24 * 3600, NOW);
    assert!(verifier.verify(&old, NOW).await.is_ok());

    let new = rotate(&mut keys, &master(), NOW, OVERLAP).expect("rotated");
    keys.push(new);
    issuer.set_keys(&keys).expect("sound");
    let end = NOW + OVERLAP;
    for kid in [&keys[0].kid, &keys[1].kid] {
        assert!(issuer.jwks(end - 1).contains(kid.as_str()));
    }
    assert!(!issuer.jwks(end).contains(&keys[0].kid), "not published any more");
    let new = issue(&issuer, 24 * 3600, NOW);
    let header = new.split('.').next().expect("a header");
    assert_ne!(header, old.split('.').next().expect("a header"), "another key signs");
    assert!(verifier.verify(&old, NOW + 24 * 3600).await.is_ok());
    assert!(verifier.verify(&new, NOW).await.is_ok());

    keys.remove(0);
    issuer.set_keys(&keys).expect("sound");
    assert_eq!(verifier.cached(&old, NOW), None, "forgotten with its key");
    assert_eq!(verifier.verify(&old, NOW).await, Err(Denial::UnknownKey));
    assert!(verifier.verify(&new, NOW).await.is_ok());
}

#[tokio::test]
async fn a_remembered_token_ends_with_its_key() {
    let mut keys = vec![new_key(0)];
    let token = issue(&issuer(None, &keys), 3600, NOW);
    rotate(&mut keys, &master(), NOW, 60).expect("rotated");
    let verifier = verifier(&issuer(None, &keys));
    assert!(verifier.verify(&token, NOW).await.is_ok());
    assert!(verifier.cached(&token, NOW + 59).is_some());
    assert_eq!(verifier.cached(&token, NOW + 60), None);
    assert_eq!(verifier.verify(&token, NOW + 60).await, Err(Denial::UnknownKey));
}

#[tokio::test]
async fn a_stolen_key_ends_at_once() {
    let mut keys = vec![new_key(0)];
    let issuer = issuer(Some(URL), &keys);
    let verifier = verifier(&issuer);
    let token = issue(&issuer, 3600, NOW);
    assert!(verifier.verify(&token, NOW).await.is_ok());
    let new = rotate(&mut keys, &master(), NOW, 0).expect("rotated");
    keys.push(new);
    issuer.set_keys(&keys).expect("sound");
    assert_eq!(verifier.cached(&token, NOW), None);
    assert_eq!(verifier.verify(&token, NOW).await, Err(Denial::UnknownKey));
}

#[tokio::test]
async fn what_a_thread_remembers_counts_no_longer_than_what_all_do() {
    let mut keys = vec![new_key(0)];
    let issuer = issuer(Some(URL), &keys);
    let verifier = verifier(&issuer);
    let token = issue(&issuer, 3600, NOW);
    let mut recent = RecentTokens::new();
    assert_eq!(recent.caller(&verifier, &token, NOW), None, "verified by nobody");
    let caller = verifier.verify(&token, NOW).await.expect("sound");
    for _ in 0..2 {
        assert_eq!(recent.caller(&verifier, &token, NOW), Some(Arc::clone(&caller)));
    }
    assert_eq!(recent.caller(&verifier, &format!("x{token}"), NOW), None, "another token");
    assert_eq!(recent.caller(&verifier, &token, NOW + 2 * 3600), None, "its time is over");
    assert!(recent.caller(&verifier, &token, NOW).is_some());
    let new = rotate(&mut keys, &master(), NOW, 0).expect("rotated");
    keys.push(new);
    issuer.set_keys(&keys).expect("sound");
    assert_eq!(recent.caller(&verifier, &token, NOW), None, "its key has gone");
}

#[tokio::test]
async fn a_key_that_another_process_made_is_read_when_a_token_names_it() {
    let stored = Arc::new(Mutex::new(vec![new_key(0)]));
    let reads = Arc::new(AtomicUsize::new(0));
    let first = stored.lock().expect("sound").clone();
    let issuer = Issuer::new(Some(URL), &master(), &first).expect("sound").with_reload({
        let (stored, reads) = (Arc::clone(&stored), Arc::clone(&reads));
        move || {
            reads.fetch_add(1, Ordering::SeqCst);
            Ok(stored.lock().expect("sound").clone())
        }
    });
    let issuer = Arc::new(issuer);
    let verifier = verifier(&issuer);
    let unknown = issue(&self::issuer(None, &[new_key(0)]), 60, NOW);
    for _ in 0..100 {
        assert_eq!(verifier.verify(&unknown, NOW).await, Err(Denial::UnknownKey));
    }
    assert_eq!(reads.load(Ordering::SeqCst), 1, "at most once a second");

    let new = rotate(&mut stored.lock().expect("sound"), &master(), NOW, OVERLAP).expect("rotated");
    stored.lock().expect("sound").push(new);
    let token = issue(&self::issuer(None, &stored.lock().expect("sound")), 60, NOW);
    assert!(verifier.verify(&token, NOW + 1).await.is_ok());
}

#[tokio::test]
async fn a_failing_reload_leaves_the_keys_as_they_are() {
    let keys = [new_key(0)];
    let failing = || Err("the disk is gone".to_owned());
    let issuer = Issuer::new(Some(URL), &master(), &keys).expect("sound").with_reload(failing);
    let issuer = Arc::new(issuer);
    let verifier = verifier(&issuer);
    verifier.refresh(NOW).await;
    assert!(verifier.verify(&issue(&issuer, 60, NOW), NOW).await.is_ok());
}

#[test]
fn the_discovery_document_has_what_entras_clients_look_for() {
    let issuer = issuer(Some("https://calls.contoso.example/"), &[]);
    let document: Value = serde_json::from_str(&issuer.discovery(TENANT)).expect("JSON");
    for (name, path) in [
        ("issuer", "/v2.0"),
        ("token_endpoint", "/oauth2/v2.0/token"),
        ("authorization_endpoint", "/oauth2/v2.0/authorize"),
        ("jwks_uri", "/discovery/v2.0/keys"),
    ] {
        assert_eq!(document[name], format!("{URL}/{TENANT}{path}"), "{name}");
    }
}

#[tokio::test]
async fn the_published_keys_verify_for_somebody_else() {
    let issuer = issuer(Some(URL), &[new_key(0)]);
    let set: Value = serde_json::from_str(&issuer.jwks(NOW)).expect("JSON");
    let keys = set["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 1);
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(keys[0].get(member).is_none(), "{member} is private");
    }
    let jwk = serde_json::from_value(keys[0].clone()).expect("a JWK");
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("usable");
    let mut checks = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    checks.set_audience(&[GRAPH_AUDIENCE]);
    checks.set_issuer(&[format!("{URL}/{TENANT}/v2.0")]);
    let token = issue(&issuer, 3600, jsonwebtoken::get_current_timestamp() as i64);
    let read = jsonwebtoken::decode::<Value>(&token, &key, &checks).expect("verified");
    assert_eq!(read.claims["appid"], APP);
    assert_eq!(read.claims["idtyp"], "app");
}
