//! Scripts of other origins in a browser (`server.cors_origins`).

use testkit::{Answer, Client};

use super::super::{record, served, served_with};
use super::RECORDS;

const APP: &str = "https://app.contoso.com";

fn preflight(client: &mut Client, target: &str, origin: &str) -> Answer {
    let lines = [
        ("Origin", origin),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,content-type"),
    ];
    client.send("OPTIONS", target, &lines, b"")
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

#[test]
fn without_the_setting_no_script_reads_anything() {
    let (_callvault, _server, mut client) = served();
    assert_eq!(preflight(&mut client, RECORDS, APP).status, 405);
    let answer = client.get_with(RECORDS, &[("Origin", APP)]);
    assert_eq!((answer.status, allowed(&answer)), (200, None));
    assert!(!answer.header("vary").unwrap().contains("Origin"));
}

#[test]
fn scripts_of_named_origins_read_every_answer() {
    let (_callvault, server, mut client) =
        served_with(&format!("server.cors_origins = [\"{APP}\"]\n"));
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    for target in [
        RECORDS,
        "/v1.0/$batch",
        "/v1.0/x",
        "/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token",
    ] {
        let answer = preflight(&mut server.client(), target, APP);
        assert_eq!((answer.status, allowed(&answer)), (204, Some(APP)), "{target}");
        let line = |name: &str| answer.header(name).unwrap_or_default().to_owned();
        assert!(line("access-control-allow-methods").contains("PATCH"), "{target}");
        assert_eq!(line("access-control-allow-headers"), "authorization,content-type");
        assert!(line("vary").contains("Origin"), "{target}");
        let other = preflight(&mut client, target, "https://other.contoso.com");
        assert_eq!((other.status, allowed(&other)), (405, None), "{target}");
    }
    for (target, status) in [
        (RECORDS, 200),
        (&format!("{RECORDS}/r1"), 200),
        (&format!("{RECORDS}/none"), 404),
        ("/v1.0/$metadata", 200),
    ] {
        let answer = client.get_with(target, &[("Origin", APP)]);
        assert_eq!((answer.status, allowed(&answer)), (status, Some(APP)), "{target}");
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("ETag") && exposed.contains("request-id"), "{exposed}");
        let other = client.get_with(target, &[("Origin", "https://other.contoso.com")]);
        assert_eq!((other.status, allowed(&other)), (status, None), "{target}");
        for answer in [&answer, &other, &client.get(target)] {
            assert!(answer.header("vary").unwrap().contains("Origin"), "{target}");
        }
    }
    let refused = server.client().get_with(RECORDS, &[("Origin", APP)]);
    assert_eq!((refused.status, allowed(&refused)), (401, Some(APP)));
}

#[test]
fn any_origin_may_but_nowhere_below_our_own_addresses() {
    let (_callvault, _server, mut client) = served_with("server.cors_origins = [\"*\"]\n");
    let answer = client.get_with(RECORDS, &[("Origin", "null")]);
    assert_eq!(allowed(&answer), Some("*"));
    assert!(!answer.header("vary").unwrap().contains("Origin"));
    for target in ["/ui", "/ui/x", "/callvault/flat/", "/callvault"] {
        assert_eq!(allowed(&client.get_with(target, &[("Origin", APP)])), None, "{target}");
        assert_ne!(preflight(&mut client, target, APP).status, 204, "{target}");
    }
}
