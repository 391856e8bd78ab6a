//! The rules of subscriptions.

use serde_json::{Value, json};
use testkit::{OTHER_TENANT, Receiver, Reply, TENANT};

use super::{SUBSCRIPTIONS, Setup, soon, wish};
use crate::{READ, WRITE};

fn message(answer: &testkit::Answer) -> (u16, String, String) {
    let body = answer.json();
    let text = |name: &str| body["error"][name].as_str().unwrap_or_default().to_owned();
    (answer.status, text("code"), text("message"))
}

#[test]
fn a_subscription_is_created_read_changed_and_deleted() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    let until = soon(120);
    let made = setup.subscribe(&receiver, &json!({"expirationDateTime": until}));
    let id = made["id"].as_str().unwrap().to_owned();
    let context = made["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("/v1.0/$metadata#subscriptions/$entity"), "{context}");
    let names: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 16, "{names:?}");
    for (name, value) in [
        ("resource", json!("/communications/callRecords")),
        ("changeType", json!("created,updated")),
        ("clientState", json!("secret")),
        ("expirationDateTime", json!(until)),
        ("latestSupportedTlsVersion", json!("v1_2")),
        ("notificationQueryOptions", Value::Null),
        ("lifecycleNotificationUrl", Value::Null),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    // The handshake came before the answer, with the address's own query kept.
    let handshakes = receiver.received();
    assert_eq!(handshakes.len(), 1);
    assert_eq!(handshakes[0].method, "POST");
    assert!(handshakes[0].target.starts_with("/hook?code=a%20b&validationToken="));
    assert_eq!(handshakes[0].header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(handshakes[0].body.is_empty());

    let one = format!("{SUBSCRIPTIONS}/{id}");
    let shown = setup.client.get(&one).json();
    assert_eq!((&shown["clientState"], &shown["id"]), (&Value::Null, &json!(id)));
    let in_keys = setup.client.get(&format!("/beta/subscriptions('{id}')")).json();
    assert!(in_keys["@odata.context"].as_str().unwrap().contains("/beta/$metadata"));
    let listed = setup.client.get(SUBSCRIPTIONS).json();
    assert!(listed["@odata.context"].as_str().unwrap().ends_with("$metadata#subscriptions"));
    assert_eq!(listed["value"][0]["id"], json!(id));

    let longer = soon(240);
    let body = json!({
        "expirationDateTime": longer, "resource": "/communications/callRecords",
        "changeType": "created,updated", "clientState": "secret",
    });
    let json = [("Content-Type", "application/json")];
    let in_beta = one.replace("/v1.0", "/beta");
    let changed = setup.client.send("PATCH", &in_beta, &json, body.to_string().as_bytes());
    assert_eq!((changed.status, &changed.json()["expirationDateTime"]), (200, &json!(longer)));
    assert_eq!(receiver.received().len(), 2, "a renewal asks the address again");
    let wrong = json!({"resource": "communications/callRecords"}).to_string();
    let refused = setup.client.send("PATCH", &one, &json, wrong.as_bytes());
    assert_eq!((refused.status, refused.code()), (400, "InvalidRequest".to_owned()));

    let reauthorized = setup.client.post(&format!("{one}/reauthorize"), b"");
    assert_eq!((reauthorized.status, reauthorized.text()), (204, String::new()));
    let rotated = setup.client.post(&format!("{one}/callvault.rotateSecret"), b"");
    assert!(rotated.json()["value"].as_str().unwrap().starts_with("whsec_"), "{}", rotated.text());

    let deleted = setup.client.send("DELETE", &in_beta, &[], b"");
    assert_eq!((deleted.status, deleted.text()), (204, String::new()));
    let gone = message(&setup.client.get(&one));
    assert_eq!(gone.0, 404);
    assert_eq!(
        (gone.1.as_str(), gone.2.as_str()),
        ("ResourceNotFound", "The object was not found.")
    );
    assert_eq!(setup.client.send("DELETE", &one, &[], b"").status, 404);
    assert_eq!(setup.client.get(SUBSCRIPTIONS).json()["value"], json!([]));
}

#[test]
fn subscriptions_support_the_query_language() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    for kind in ["created", "updated"] {
        setup.subscribe(&receiver, &json!({"changeType": kind}));
    }
    let mut kinds = |options: &str| {
        let body = setup.client.get(&format!("{SUBSCRIPTIONS}?{options}")).json();
        let items = body["value"].as_array().unwrap().clone();
        let kinds: Vec<_> =
            items.iter().map(|item| item["changeType"].as_str().unwrap().to_owned()).collect();
        (kinds.join(" "), body["@odata.count"].as_i64(), items[0].as_object().unwrap().len())
    };
    assert_eq!(kinds("$filter=changeType%20eq%20'updated'").0, "updated");
    assert_eq!(
        kinds("$orderby=changeType%20desc&$top=1&$count=true"),
        ("updated".into(), Some(2), 15)
    );
    assert_eq!(kinds("$select=changeType").2, 1);
    assert_eq!(setup.client.get(&format!("{SUBSCRIPTIONS}/$count")).text(), "2");
    let wrong = setup.client.get(&format!("{SUBSCRIPTIONS}?$filter=changetype%20eq%20'x'"));
    assert!(wrong.text().contains("Did you mean 'changeType'?"), "{}", wrong.text());
}

#[test]
fn errors_have_the_messages_of_graph() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    let extension = |reason: &str| {
        format!("Operation: Create; Exception: [Status Code: BadRequest; Reason: {reason}]")
    };
    let payload = "Could not process subscription creation payload. Are all property names \
                   spelled and camelCased properly?";
    let table = [
        (
            json!({"expirationDateTime": soon(4_232)}),
            "ExtensionError",
            extension("Subscription expiration can only be 4230 minutes in the future."),
        ),
        (
            json!({"expirationDateTime": null}),
            "InvalidRequest",
            "expirationDateTime is a required property for subscription creation".to_owned(),
        ),
        (json!({"ChangeType": "created"}), "InvalidRequest", payload.to_owned()),
        (json!({"clientState": 5}), "InvalidRequest", payload.to_owned()),
        (
            json!({"clientState": "x".repeat(129)}),
            "InvalidRequest",
            "clientState can have 128 characters at most.".to_owned(),
        ),
        (
            json!({"notificationUrl": "EventHub:https://contoso.vault.azure.net/x"}),
            "InvalidRequest",
            "This service sends notifications to https:// addresses, not to Azure's event services."
                .to_owned(),
        ),
        (
            json!({"resource": "/users"}),
            "InvalidRequest",
            "The resource '/users' can not be subscribed to, only communications/callRecords."
                .to_owned(),
        ),
    ];
    for (changes, code, expected) in table {
        let answer = setup.client.post(SUBSCRIPTIONS, wish(&receiver, &changes).as_bytes());
        assert_eq!(message(&answer), (400, code.to_owned(), expected), "{changes}");
    }
    assert!(receiver.received().is_empty(), "nobody is asked about what is refused");
    let earliest = soon(44);
    let short = setup.subscribe(&receiver, &json!({"expirationDateTime": soon(-60)}));
    let (expires, latest) = (short["expirationDateTime"].as_str().unwrap(), soon(46));
    assert!(expires >= earliest.as_str() && expires <= latest.as_str(), "{expires}");
}

#[test]
fn an_address_must_confirm_its_validation() {
    let mut setup = Setup::new();
    let text = |kind: &str| vec![("Content-Type", kind.to_owned())];
    let failed = "Subscription validation request failed. ";
    let table = [
        (
            Receiver::scripted(|_, _| Reply::status(500)),
            "ValidationError",
            "Notification endpoint must respond with 200 OK to validation request.",
        ),
        (
            Receiver::scripted(|_, _| Reply::status(202)),
            "ValidationError",
            "Notification endpoint must respond with 200 OK to validation request.",
        ),
        (
            Receiver::scripted(move |_, _| Reply::Answer(200, text("text/plain"), "x".to_owned())),
            "ValidationError",
            "Response must exactly match validationToken query parameter.",
        ),
        (
            Receiver::scripted(move |request, _| {
                let token = request.validation_token().unwrap_or_default();
                Reply::Answer(200, text("text/html"), token)
            }),
            "ValidationError",
            "Notification endpoint must respond with content type text/plain.",
        ),
        (
            Receiver::scripted(|_, _| Reply::Hangs),
            "ValidationError",
            "Notification endpoint must respond with 200 OK to validation request.",
        ),
    ];
    for (receiver, code, expected) in &table {
        let answer = setup.client.post(SUBSCRIPTIONS, wish(receiver, &json!({})).as_bytes());
        let expected = (400, (*code).to_owned(), format!("{failed}{expected}"));
        assert_eq!(message(&answer), expected);
    }
    let late = Receiver::scripted(|_, _| Reply::Never);
    let answer = setup.client.post(SUBSCRIPTIONS, wish(&late, &json!({})).as_bytes());
    let expected = "Subscription validation request timed out.".to_owned();
    assert_eq!(message(&answer), (400, "InvalidRequest".to_owned(), expected));
    let (good, bad) = (Receiver::new(), Receiver::scripted(|_, _| Reply::status(404)));
    let lifecycle = json!({"lifecycleNotificationUrl": bad.url("/life")});
    let answer = setup.client.post(SUBSCRIPTIONS, wish(&good, &lifecycle).as_bytes());
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(setup.client.get(SUBSCRIPTIONS).json()["value"], json!([]));
}

#[test]
fn only_the_application_that_created_it_sees_a_subscription() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    let made = setup.subscribe(&receiver, &json!({}));
    let one = format!("{SUBSCRIPTIONS}/{}", made["id"].as_str().unwrap());
    let create = ["app", "create", "--json", "--tenant", TENANT, "--name", "other", "--role", READ];
    let app: Value = serde_json::from_str(&setup.callvault.succeed(&create)).unwrap();
    let app = app["clientId"].as_str().unwrap();
    let command = ["token", "--tenant", TENANT, "--role", READ, "--app", app];
    let strangers = [
        setup.callvault.succeed(&command).trim().to_owned(),
        setup.callvault.token(OTHER_TENANT, &[READ]),
    ];
    for token in strangers {
        let mut client = setup.server.as_ref().unwrap().client().bearer(&token);
        assert_eq!(client.get(SUBSCRIPTIONS).json()["value"], json!([]));
        assert_eq!(client.get(&one).status, 404);
        assert_eq!(client.send("DELETE", &one, &[], b"").status, 404);
        for action in ["reauthorize", "callvault.rotateSecret", "callvault.replay"] {
            assert_eq!(client.post(&format!("{one}/{action}"), b"").status, 404, "{action}");
        }
        let json = [("Content-Type", "application/json")];
        assert_eq!(client.send("PATCH", &one, &json, b"{}").status, 404);
    }
    let token = setup.callvault.token(TENANT, &[WRITE]);
    let mut client = setup.server.as_ref().unwrap().client().bearer(&token);
    let (status, code, text) =
        message(&client.post(SUBSCRIPTIONS, wish(&receiver, &json!({})).as_bytes()));
    assert_eq!((status, code.as_str()), (403, "ExtensionError"));
    assert!(text.contains("The request is not authorized for this user or application."), "{text}");
    assert_eq!(setup.client.get(&one).status, 200);
}

#[test]
fn duplicates_and_too_many_are_refused() {
    let settings = format!("{}subscriptions_per_tenant = 2\n", super::SETTINGS);
    let mut setup = Setup::with_settings(&settings);
    let receiver = Receiver::new();
    setup.subscribe(&receiver, &json!({}));
    let again = setup.client.post(SUBSCRIPTIONS, wish(&receiver, &json!({})).as_bytes());
    assert_eq!((again.status, again.code()), (409, "ExtensionError".to_owned()));
    assert!(again.text().contains("[Status Code: Conflict; Reason: A subscription already exists"));
    setup.subscribe(&receiver, &json!({"changeType": "created"}));
    let more = wish(&receiver, &json!({"changeType": "updated"}));
    let (status, code, text) = message(&setup.client.post(SUBSCRIPTIONS, more.as_bytes()));
    assert_eq!((status, code.as_str()), (403, "ExtensionError"));
    assert!(text.contains("Maximum number of subscriptions has been reached"), "{text}");
}

#[test]
fn by_default_only_addresses_on_the_public_internet_are_notified() {
    let mut setup = Setup::with_settings("[notifications]\nallow_insecure_urls = true\n");
    let receiver = Receiver::new();
    let port = receiver.url("").rsplit_once(':').unwrap().1.to_owned();
    let hosts = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.255.255.254",
        "0177.0.0.1",
        "0177.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.0.0.1.",
        "\u{ff11}27.0.0.1",
        "%31%32%37.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:a00:1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::1]",
        "[2002:c0a8:101::1]",
        "[2001:db8::1]",
        "[100::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "100.64.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ];
    // A forbidden name or number, in whatever spelling.
    assert!(hosts.len() > 40);
    for host in hosts {
        let url = format!("http://{host}:{port}/hook");
        let body = wish(&receiver, &json!({"notificationUrl": url}));
        let answer = setup.client.post(SUBSCRIPTIONS, body.as_bytes());
        assert_eq!(answer.status, 400, "{host}: {}", answer.text());
        // A name is judged when a connection is made, which fails like any other.
        let is_name = host.to_lowercase().starts_with("localhost");
        assert!(is_name || answer.text().contains("does not send to"), "{host}: {}", answer.text());
    }
    assert!(receiver.received().is_empty());
    let mut strict = Setup::with_settings("[notifications]\nallow_networks = [\"127.0.0.1\"]\n");
    let answer = strict.client.post(SUBSCRIPTIONS, wish(&receiver, &json!({})).as_bytes());
    assert!(answer.text().contains("begins with neither https:// nor tls://"), "{}", answer.text());
}
