//! Addresses, in every spelling, and what they resolve to.

use super::*;
use crate::send_error::{FORBIDDEN, reason_for_applications};
use crate::transport::Message;

fn refused(transports: &Transports, text: &str) -> String {
    transports.address(text).unwrap_err().to_string()
}

#[test]
fn addresses_are_judged_in_every_spelling() {
    let transports = Transports::new(Guard::default(), false).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "0177.0.0.1",
        "0x7f.1",
        "2130706433",
        "017700000001",
        "127.0.0.1.",
        "10.0.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[fd00:ec2::254]",
        "\u{ff11}27.0.0.1",
        "%31%32%37.0.0.1",
    ] {
        assert_eq!(refused(&transports, &format!("https://{host}/x")), FORBIDDEN, "{host}");
    }
    for (text, why) in [
        ("http://contoso.com/", "the address begins with neither https:// nor tls://"),
        ("ftp://contoso.com/", "the address begins with neither https:// nor tls://"),
        ("https://user:secret@contoso.com/", "the address has a user name in it"),
        ("contoso.com", "the address is no URL"),
        ("https://", "the address is no URL"),
    ] {
        assert_eq!(refused(&transports, text), why, "{text}");
    }
    assert!(transports.address("https://1.1.1.1:8443/x?y=z").is_ok());
    assert!(transports.address("https://contoso.com").is_ok());
}

#[tokio::test]
async fn names_are_judged_by_what_they_resolve_to() {
    let sent = async |guard: Guard, text: &str| {
        let transports = Transports::new(guard, true).unwrap();
        let url = transports.address(text).unwrap();
        let message = Message { id: "1".to_owned(), headers: Vec::new(), body: Vec::new() };
        transports.of(&url).deliver(&url, message).await.unwrap_err().to_string()
    };
    for address in ["http://localhost:9/", "nats://localhost:9/calls", "tls://localhost:9/calls"] {
        assert_eq!(sent(Guard::default(), address).await, FORBIDDEN, "{address}");
        let allowed = Guard::allowing(["127.0.0.0/8", "::1"]).unwrap();
        let error = sent(allowed, address).await;
        assert!(error.contains("refused"), "{address}: {error}");
    }
}

#[test]
fn subjects_are_those_that_a_receiver_can_own() {
    let transports = Transports::new(Guard::default(), true).unwrap();
    assert!(transports.address("nats://nats.contoso.com/calls.records").is_ok());
    assert!(transports.address("tls://user:secret@nats.contoso.com:4223/calls").is_ok());
    for subject in [
        "",
        "/",
        "/a..b",
        "/.a",
        "/a.",
        "/a.*",
        "/a.>",
        "/a/b",
        "/$SYS.x",
        "/_INBOX.x",
        "/a%20b",
        "/a?b",
        "/a#b",
    ] {
        let error = refused(&transports, &format!("nats://nats.contoso.com{subject}"));
        assert!(error.contains("subject"), "{subject}: {error}");
    }
    for host in ["127.0.0.1", "[::1]", "0x7f.1", "2130706433", "127.1", "017700000001"] {
        assert_eq!(refused(&transports, &format!("nats://{host}/calls")), FORBIDDEN, "{host}");
    }
    assert_eq!(refused(&transports, "nats:///calls"), "the address has no host");
    let plain = Transports::new(Guard::default(), false).unwrap();
    assert!(plain.address("nats://nats.contoso.com/calls").is_err());
    assert!(plain.address("tls://nats.contoso.com/calls").is_ok());
}

/// What a caller is told of an address, and what the log is told.
async fn validated(guard: Guard, address: &str) -> (String, Option<String>) {
    let transports = Transports::new(guard, true).unwrap();
    let error = transports.validate(address, "token").await.unwrap_err();
    (error.to_string(), error.cause())
}

#[tokio::test]
async fn callers_are_told_the_same_of_every_name_that_leads_nowhere() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closes = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let allowed = || Guard::allowing(["127.0.0.0/8", "::1"]).unwrap();
    let expected = HandshakeError::NotOk { cause: String::new() }.to_string();
    for scheme in ["http", "https", "nats", "tls"] {
        let mut causes = std::collections::HashSet::new();
        for (what, guard, host) in [
            ("no address", Guard::default(), "nobody.invalid:9".to_owned()),
            ("a forbidden one", Guard::default(), "localhost:9".to_owned()),
            ("a forbidden one, open", Guard::default(), format!("localhost:{closes}")),
            ("nobody listens", allowed(), "localhost:9".to_owned()),
            ("closes at once", allowed(), format!("localhost:{closes}")),
        ] {
            let (told, cause) = validated(guard, &format!("{scheme}://{host}/calls")).await;
            assert_eq!(told, expected, "{scheme}, {what}");
            causes.insert(cause.unwrap());
        }
        assert!(causes.len() >= 4, "the log tells them apart: {causes:?}");
    }
    // Whether a name is forbidden can't be learnt by something else that is wrong, either.
    for host in ["nobody.invalid:9", "localhost:9"] {
        let (told, _) = validated(Guard::default(), &format!("nats://%ff@{host}/calls")).await;
        assert!(told.contains("user name"), "{host}: {told}");
    }
}

#[test]
fn applications_are_told_what_their_receivers_said_and_nothing_of_our_networks() {
    let answered = SendError::broken("the receiver answered 503").to_string();
    let silent = SendError::TimedOut.to_string();
    for reason in [&answered, &silent] {
        assert_eq!(reason_for_applications(reason), reason);
    }
    let hidden = [FORBIDDEN, "Connection refused (os error 111)", "Name or service not known"];
    let told = hidden.map(reason_for_applications);
    for (told, hidden) in told.into_iter().zip(hidden) {
        assert_eq!(told, reason_for_applications("anything else"), "{hidden}");
    }
}
