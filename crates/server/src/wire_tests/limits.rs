//! What the server does not put up with.

use std::time::{Duration, Instant};

use super::rig::{PATIENCE, Rig, TENANT};
use crate::auth::role;
use crate::throttle::{Allowance, Rates};

const LIST: &str = "/v1.0/communications/callRecords";

#[test]
fn a_url_over_the_limit_is_414() {
    let rig = Rig::start();
    let mut connection = rig.connect();
    let path = |length: usize| format!("/{}", "a".repeat(length - 1));
    assert_eq!(connection.ask("GET", &path(8 << 10), &[]).status, 404);
    let answer = connection.ask("GET", &path((8 << 10) + 1), &[]);
    assert_eq!((answer.status, answer.code().as_str()), (414, "uriTooLong"));
}

#[test]
fn headers_over_the_limit_are_431() {
    let rig = Rig::start();
    let line = format!("X-Long: {}", "a".repeat(16 << 10));
    let answer = rig.ask("GET", LIST, &[&line]);
    assert_eq!((answer.status, answer.code().as_str()), (431, "requestHeaderFieldsTooLarge"));
    let many: Vec<String> = (0..100).map(|number| format!("X-{number}: a")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(rig.ask("GET", LIST, &many).status, 431, "101 lines with Host");
    assert_eq!(rig.ask("GET", LIST, &many[1..]).status, 401, "100 lines");
    // Beyond what is buffered, hyper refuses by itself.
    let line = format!("X-Long: {}", "a".repeat(70 << 10));
    assert_eq!(rig.ask("GET", LIST, &[&line]).status, 431);
}

#[test]
fn methods_nobody_answers_are_405_and_say_which_are_answered() {
    let rig = Rig::start();
    let mut connection = rig.connect();
    for method in ["TRACE", "OPTIONS", "PROPFIND", "get"] {
        let answer = connection.ask(method, LIST, &[]);
        assert_eq!((answer.status, answer.code().as_str()), (405, "notAllowed"), "{method}");
        assert_eq!(answer.header("allow"), Some("GET, HEAD, POST, PUT, PATCH, DELETE"));
    }
    let bearer = rig.bearer(&[role::READ]);
    let answer = connection.ask("DELETE", LIST, &[&bearer]);
    assert_eq!((answer.status, answer.code().as_str()), (405, "notAllowed"));
}

#[test]
fn a_form_over_the_limit_is_413_whether_announced_or_not() {
    let rig = Rig::start();
    let token = format!("/{TENANT}/oauth2/v2.0/token");
    let body = vec![b'a'; (16 << 10) + 1];
    let answer = rig.connect().ask_with("POST", &token, &[], &body);
    assert_eq!((answer.status, answer.code().as_str()), (413, "requestTooLarge"));

    let mut connection = rig.connect();
    connection.send(format!(
        "POST {token} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        body.len()
    ));
    connection.send(&body);
    connection.send("\r\n0\r\n\r\n");
    assert_eq!(connection.answer("POST").status, 413);
}

#[test]
fn an_encoded_form_is_decoded_and_a_bomb_is_413() {
    use std::io::Write;
    let rig = Rig::start();
    let token = format!("/{TENANT}/oauth2/v2.0/token");
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let headers = ["Content-Encoding: gzip", "Content-Type: application/x-www-form-urlencoded"];
    let small = gzip(b"grant_type=password");
    let answer = rig.connect().ask_with("POST", &token, &headers, &small);
    assert!(answer.text().contains("unsupported_grant_type"), "{}", answer.text());
    let bomb = gzip(&vec![0; 10 << 20]);
    assert!(bomb.len() < 16 << 10);
    assert_eq!(rig.connect().ask_with("POST", &token, &headers, &bomb).status, 413);
    let answer = rig.connect().ask_with("POST", &token, &["Content-Encoding: compress"], &small);
    assert_eq!((answer.status, answer.code().as_str()), (415, "unsupportedMediaType"));
}

#[test]
fn malformed_requests_end_the_connection_with_400_or_silence() {
    let rig = Rig::start();
    let cases = [
        "GET\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n obs: fold\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    ];
    for case in cases {
        let mut connection = rig.connect();
        connection.send(case);
        let answer = connection.answer("GET");
        assert_eq!(answer.status, 400, "{case:?}");
        assert!(connection.is_closed_by_server(), "{case:?}");
    }
    assert_eq!(rig.ask("GET", "/v1.0/$metadata", &[]).status, 200);
}

#[test]
fn a_length_beside_chunks_does_not_hide_a_second_request() {
    let rig = Rig::start();
    let mut connection = rig.connect();
    connection.send(
        "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n\
         GET /v1.0/$metadata HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    assert_eq!(connection.answer("POST").status, 404);
    assert!(connection.is_closed_by_server());
}

#[test]
fn a_client_that_says_nothing_is_cut_off() {
    let rig = Rig::with(|options| options.limits.head = Duration::from_millis(100));
    assert!(rig.connect().is_closed_by_server());
}

#[test]
fn a_client_that_asks_nothing_more_is_cut_off() {
    let rig = Rig::with(|options| options.limits.idle = Duration::from_millis(100));
    let mut connection = rig.connect();
    assert_eq!(connection.ask("GET", "/nowhere", &[]).status, 404);
    assert!(connection.is_closed_by_server());
}

#[test]
fn a_body_that_stops_arriving_is_408() {
    let rig = Rig::with(|options| options.limits.body_idle = Duration::from_millis(100));
    let mut connection = rig.connect();
    connection.send(format!(
        "POST /{TENANT}/oauth2/v2.0/token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
    ));
    let answer = connection.answer("POST");
    assert_eq!((answer.status, answer.code().as_str()), (408, "requestTimeout"));
    assert!(connection.is_closed_by_server());
}

#[test]
fn connections_over_the_limit_wait_until_one_is_free() {
    let rig = Rig::with(|options| options.limits.connections = 2);
    let mut open: Vec<_> = (0..2).map(|_| rig.connect()).collect();
    for connection in &mut open {
        assert_eq!(connection.ask("GET", "/nowhere", &[]).status, 404);
    }
    let mut third = rig.connect();
    third.send("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
    // Time in which it could be answered, though it must not.
    third.0.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(third.0.peek(&mut [0]).is_err(), "it was answered at once");
    third.0.set_read_timeout(Some(PATIENCE)).unwrap();
    drop(open);
    assert_eq!(third.answer("GET").status, 404);
}

#[test]
fn an_application_over_its_rate_is_429_and_told_when_to_come_back() {
    const HOUR: Duration = Duration::from_hours(1);
    let application = Some(Allowance { count: 1, within: HOUR });
    let rates = Rates { application, ..Rates::default() };
    let rig = Rig::with(|options| options.limits.rates = Some(rates));
    let bearer = rig.bearer(&[role::READ]);
    let mut connection = rig.connect();
    let began = Instant::now();
    assert_ne!(connection.ask("GET", "/v1.0/communications", &[&bearer]).status, 429);
    let refused = connection.ask("GET", "/v1.0/communications", &[&bearer]);
    assert_eq!((refused.status, refused.code().as_str()), (429, "TooManyRequests"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    let wait = Duration::from_secs(wait);
    assert!(wait <= HOUR && HOUR <= wait + began.elapsed(), "{wait:?}");
}
