//! What every answer looks like.

use std::io::Read;

use super::rig::{Rig, TENANT};
use crate::caller::role;

const RECORD: &str = r#"{"id":"e523d2ed-2966-4b6b-925b-754a88034cc5","version":1,
    "type":"peerToPeer","modalities":["audio"],
    "startDateTime":"2026-11-01T10:00:00Z","endDateTime":"2026-11-01T10:05:00Z"}"#;
const RECORDS: &str = "/v1.0/communications/callRecords";
const ONE: &str = "/v1.0/communications/callRecords/e523d2ed-2966-4b6b-925b-754a88034cc5";

/// A server with one record, and a token that reads it.
fn with_record() -> (Rig, String) {
    let rig = Rig::start();
    let bearer = rig.bearer(&[role::READ, role::WRITE]);
    let headers = [bearer.as_str(), "Content-Type: application/json"];
    let answer = rig.connect().ask_with("POST", RECORDS, &headers, RECORD.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    (rig, bearer)
}

#[test]
fn without_a_token_the_answer_is_graphs_401() {
    let rig = Rig::start();
    let mut connection = rig.connect();
    let cases: [&[&str]; 4] = [
        &[],
        &["Authorization:"],
        &["Authorization: Basic YTpi"],
        &["Authorization: Bearer x.y.z", "Authorization: Bearer x.y.z"],
    ];
    for headers in cases {
        let answer = connection.ask("GET", RECORDS, headers);
        assert_eq!((answer.status, answer.code().as_str()), (401, "InvalidAuthenticationToken"));
        assert_eq!(
            answer.header("www-authenticate").unwrap(),
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/\
             oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\""
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    let answer = connection.ask("GET", RECORDS, &[]);
    assert!(answer.text().contains("\"message\":\"Access token is empty.\""), "{}", answer.text());
}

#[test]
fn without_the_role_the_answer_is_403_that_names_it_or_is_as_empty_as_graphs() {
    for (is_strict, message) in [
        (false, "The token has no role that this request needs: CallRecords.Read.All."),
        (true, ""),
    ] {
        let rig = Rig::with(|options| options.graph.is_strict = is_strict);
        let answer = rig.ask("GET", RECORDS, &[&rig.bearer(&["CallRecord-PstnCalls.Read.All"])]);
        assert_eq!((answer.status, answer.code().as_str()), (403, "Forbidden"));
        let message = format!("\"message\":\"{message}\"");
        assert!(answer.text().contains(&message), "{}", answer.text());
    }
    let rig = Rig::start();
    rig.ask("GET", RECORDS, &[&rig.bearer(&["CallRecord-PstnCalls.Read.All"])]);
    assert!(rig.metrics().contains("callvault_auth_failures_total{reason=\"role\"} 1"));
}

#[test]
fn every_answer_has_its_ids_and_the_lines_that_keep_it_safe() {
    let rig = Rig::start();
    let mut connection = rig.connect();
    let targets =
        [("GET", "/v1.0/$metadata"), ("GET", RECORDS), ("GET", "/nowhere"), ("TRACE", "/")];
    for (method, target) in targets {
        let answer = connection.ask(method, target, &["client-request-id: my-id.1"]);
        assert_eq!(answer.header("client-request-id"), Some("my-id.1"), "{target}");
        assert_eq!(answer.header("request-id").unwrap().len(), 36, "{target}");
        assert_eq!(answer.header("odata-version"), Some("4.0"), "{target}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
        assert_eq!(
            answer.header("vary"),
            Some("Accept, Accept-Encoding, Prefer, Authorization, OData-MaxVersion"),
            "{target}"
        );
        assert!(answer.header("server-timing").unwrap().contains("total;dur="), "{target}");
        assert!(answer.header("cache-control").is_some(), "{target}");
        assert_eq!(answer.header("strict-transport-security"), None, "this is no TLS");
    }
    let answer = connection.ask("GET", "/nowhere", &[]);
    let id = answer.header("request-id").unwrap();
    assert_eq!(answer.header("client-request-id"), Some(id));
    let inner = format!("\"request-id\":\"{id}\",\"client-request-id\":\"{id}\"}}}}}}");
    assert!(answer.text().ends_with(&inner), "{}", answer.text());
}

#[test]
fn head_tells_what_get_would_say_and_sends_no_body() {
    let (rig, bearer) = with_record();
    let mut connection = rig.connect();
    for (target, encoding) in [(ONE, "identity"), ("/v1.0/$metadata", "gzip"), ("/nowhere", "br")] {
        let encoding = format!("Accept-Encoding: {encoding}");
        let headers = [bearer.as_str(), encoding.as_str()];
        let get = connection.ask("GET", target, &headers);
        let head = connection.ask("HEAD", target, &headers);
        assert_eq!(head.status, get.status);
        for name in ["content-type", "content-encoding", "content-length", "etag", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{target} {name}");
        }
        assert!(head.body.is_empty());
    }
}

#[test]
fn a_client_that_has_the_answer_gets_304() {
    let (rig, bearer) = with_record();
    let mut connection = rig.connect();
    let first = connection.ask("GET", ONE, &[&bearer]);
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(
        first.header("content-type"),
        Some(
            "application/json; odata.metadata=minimal; odata.streaming=true; \
             IEEE754Compatible=false; charset=utf-8"
        )
    );
    let etag = first.header("etag").unwrap();
    assert!(etag.starts_with("W/\""));
    let condition = format!("If-None-Match: {etag}");
    for method in ["GET", "HEAD"] {
        let second = connection.ask(method, ONE, &[&bearer, &condition]);
        assert_eq!((second.status, second.header("etag")), (304, Some(etag)));
        assert_eq!(second.header("content-type"), None);
    }
    // What shapes the answer shapes its tag.
    let full = "Accept: application/json;odata.metadata=full";
    let other = connection.ask("GET", ONE, &[&bearer, &condition, full]);
    assert_eq!(other.status, 200);
}

#[test]
fn answers_come_in_the_encoding_that_the_client_ranks_highest() {
    let rig = Rig::start();
    let mut connection = rig.connect();
    let plain = connection.ask("GET", "/v1.0/$metadata", &[]);
    assert_eq!(plain.header("content-encoding"), None);
    assert!(plain.body.len() > 10_000);
    for (asked, expected) in [("gzip, deflate", "gzip"), ("br, gzip", "br"), ("zstd", "zstd")] {
        let line = format!("Accept-Encoding: {asked}");
        let answer = connection.ask("GET", "/v1.0/$metadata", &[&line]);
        assert_eq!(answer.header("content-encoding"), Some(expected));
        assert!(answer.body.len() < plain.body.len() / 3);
        let mut decoded = Vec::new();
        match expected {
            "gzip" => {
                flate2::read::GzDecoder::new(&*answer.body).read_to_end(&mut decoded).unwrap()
            }
            "br" => {
                brotli::Decompressor::new(&*answer.body, 4096).read_to_end(&mut decoded).unwrap()
            }
            _ => zstd::stream::read::Decoder::new(&*answer.body)
                .unwrap()
                .read_to_end(&mut decoded)
                .unwrap(),
        };
        assert_eq!(decoded, plain.body, "{expected}");
    }
    let small = connection.ask("GET", "/nowhere", &["Accept-Encoding: gzip"]);
    assert_eq!(small.header("content-encoding"), None);
}

#[test]
fn a_panic_is_a_500_with_a_request_id_and_the_server_lives_on() {
    let rig = Rig::start();
    let mut connection = rig.connect();
    for _ in 0..3 {
        let answer = connection.ask("GET", "/panic", &[]);
        assert_eq!((answer.status, answer.code().as_str()), (500, "generalException"));
        assert!(!answer.text().contains("on purpose"), "{}", answer.text());
        assert_eq!(answer.header("request-id").unwrap().len(), 36);
    }
    assert_eq!(connection.ask("GET", "/v1.0/$metadata", &[]).status, 200);
}

#[test]
fn a_form_that_is_not_there_is_406() {
    let rig = Rig::start();
    let mut connection = rig.connect();
    for headers in [["Accept: text/html"], ["Accept: application/json;odata.metadata=verbose"]] {
        let answer = connection.ask("GET", "/v1.0/$metadata", &headers);
        assert_eq!((answer.status, answer.code().as_str()), (406, "notAcceptable"));
    }
    let answer = connection.ask("GET", "/v1.0/$metadata?$format=json", &["Accept: text/html"]);
    assert_eq!(answer.status, 200);
}

#[test]
fn requests_are_counted_by_route_and_the_operators_port_tells() {
    let rig = Rig::start();
    let keys = format!("/{TENANT}/discovery/v2.0/keys");
    rig.ask("GET", &keys, &[]);
    rig.ask("GET", "/v1.0/communications", &[]);
    let metrics = rig.metrics();
    for line in [
        "callvault_requests_total{route=\"/{tenant}/discovery/v2.0/keys\",method=\"GET\",status=\"200\"} 1",
        "callvault_auth_failures_total{reason=\"empty\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let admin = rig.running.as_ref().unwrap().admin_address.unwrap();
    let mut connection = super::client::Connection::open(admin);
    for (target, status) in [("/healthz", 200), ("/readyz", 200), ("/v1.0/$metadata", 404)] {
        assert_eq!(connection.ask("GET", target, &[]).status, status, "{target}");
    }
    assert_eq!(connection.ask("POST", "/metrics", &[]).status, 405);
    assert_eq!(rig.ask("GET", "/metrics", &[]).status, 404, "not on the public port");
}
