//! What the server does not put up with.

use std::time::{Duration, Instant};

use web::{Allowance, Rates};

use super::client::Connection;
use super::rig::{PATIENCE, Rig, TENANT};
use crate::caller::role;

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
        assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
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
    let bearer = rig.bearer(&[role::READ]);
    let mut open: Vec<_> = (0..2).map(|_| rig.connect()).collect();
    for connection in &mut open {
        assert_eq!(connection.ask("GET", LIST, &[&bearer]).status, 200);
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

/// Connections that keep the server waiting: for the rest of a body, the rest of a head, a first byte,
/// or another request.
fn dripping(rig: &Rig, count: usize) -> Vec<Connection> {
    let beginnings = [
        format!(
            "POST /{TENANT}/oauth2/v2.0/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"
        ),
        format!("POST {LIST} HTTP/1.1\r\nHost: x\r\nAuthorization: Bea"),
        String::new(),
        "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
    ];
    let mut open = Vec::new();
    for (_, beginning) in (0..count).zip(beginnings.iter().cycle()) {
        let mut connection = rig.connect();
        connection.send(beginning);
        open.push(connection);
    }
    open
}

#[test]
fn nobody_waits_for_those_who_drip_without_a_token() {
    const PLACES: usize = 16;
    let rig = Rig::with(|options| options.limits.connections = PLACES);
    let bearer = rig.bearer(&[role::READ]);
    let mut kept = rig.connect();
    assert_eq!(kept.ask("GET", LIST, &[&bearer]).status, 200);
    let mut slow = dripping(&rig, 2 * PLACES);
    for _ in 0..3 {
        assert_eq!(rig.ask("GET", LIST, &[&bearer]).status, 200);
        slow.extend(dripping(&rig, PLACES));
    }
    assert_eq!(kept.ask("GET", LIST, &[&bearer]).status, 200, "who showed a token stays");
    assert!(slow[0].is_closed_by_server(), "the first that came goes first");
}

#[test]
fn an_address_has_so_many_connections_and_no_more() {
    let rig = Rig::with(|options| options.limits.connections_per_address = 2);
    let bearer = rig.bearer(&[role::READ]);
    let mut open: Vec<_> = (0..2).map(|_| rig.connect()).collect();
    assert_eq!(open[0].ask("GET", LIST, &[&bearer]).status, 200);
    let mut third = rig.connect();
    assert_eq!(
        third.ask("GET", LIST, &[&bearer]).status,
        200,
        "it takes the place of a silent one"
    );
    assert!(open[1].is_closed_by_server());
    assert!(rig.connect().is_closed_by_server(), "nobody can go for it");
    assert_eq!(open[0].ask("GET", LIST, &[&bearer]).status, 200);
    drop(third);
    rig.wait_for_metric("callvault_connections 1");
    assert_eq!(rig.ask("GET", LIST, &[&bearer]).status, 200);
    rig.wait_for_metric("callvault_connections_refused_total 1");
}

#[test]
fn a_body_that_holds_more_than_it_may_is_not_inflated() {
    use std::io::Write;
    let rig = Rig::start();
    let bearer = rig.bearer(&[role::READ, role::WRITE]);
    let zeros = vec![b' '; 8 << 20];
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&zeros).unwrap();
        encoder.finish().unwrap()
    };
    let mut brotli = Vec::new();
    brotli::CompressorWriter::new(&mut brotli, 4096, 5, 24).write_all(&zeros).unwrap();
    let zstd = zstd::bulk::compress(&zeros, 3).unwrap();
    let form = "Content-Type: application/x-www-form-urlencoded";
    for (target, content_type) in [
        (format!("/{TENANT}/oauth2/v2.0/token"), form),
        (format!("{LIST}/$query"), "Content-Type: text/plain"),
        ("/v1.0/subscriptions".to_owned(), "Content-Type: application/json"),
    ] {
        for (name, body) in [("gzip", &gzip), ("br", &brotli), ("zstd", &zstd)] {
            let encoding = format!("Content-Encoding: {name}");
            let lines = [bearer.as_str(), &encoding, content_type];
            let lines = if target.contains("token") { &lines[1..] } else { &lines[..] };
            let answer = rig.connect().ask_with("POST", &target, lines, body);
            assert_eq!(answer.status, 413, "{target} {name}: {}", answer.text());
        }
        for name in ["gzip, gzip", "br, gzip", "deflate", "gzip, identity", "compress"] {
            let encoding = format!("Content-Encoding: {name}");
            let lines = [bearer.as_str(), &encoding, content_type];
            let lines = if target.contains("token") { &lines[1..] } else { &lines[..] };
            let answer = rig.connect().ask_with("POST", &target, lines, &gzip[..100]);
            assert_eq!(answer.status, 415, "{target} {name}: {}", answer.text());
        }
    }
}

#[test]
fn a_request_without_one_well_formed_host_is_400() {
    let rig = Rig::start();
    let bearer = rig.bearer(&[role::READ]);
    let record = format!("{LIST}/e523d2ed-2966-4b6b-925b-754a88034cc5");
    for target in [record.as_str(), LIST, "/nowhere", "/v1.0/$metadata"] {
        for hosts in [
            "",
            "Host: x\r\nHost: x\r\n",
            "Host: x\r\nHost: y\r\n",
            "Host: x y\r\n",
            "Host: \r\n",
            "Host: x/y\r\n",
            "Host: u@x\r\n",
        ] {
            let mut connection = rig.connect();
            connection.send(format!("GET {target} HTTP/1.1\r\n{hosts}{bearer}\r\n\r\n"));
            let answer = connection.answer("GET");
            assert_eq!(answer.status, 400, "{target} {hosts:?}");
            assert_eq!(answer.code(), "BadRequest");
        }
        let mut connection = rig.connect();
        connection.send(format!("GET {target} HTTP/1.1\r\nHost: [::1]:80\r\n{bearer}\r\n\r\n"));
        assert_ne!(connection.answer("GET").status, 400, "{target}");
    }
}

#[test]
fn silent_connections_do_not_keep_operators_from_asking() {
    let rig = Rig::start();
    let admin = rig.running.as_ref().unwrap().admin_address.unwrap();
    let mut asking = Connection::open(admin);
    assert_eq!(asking.ask("GET", "/healthz", &[]).status, 200);
    let mut silent: Vec<_> = (0..40).map(|_| Connection::open(admin)).collect();
    assert_eq!(Connection::open(admin).ask("GET", "/healthz", &[]).status, 200);
    assert_eq!(asking.ask("GET", "/healthz", &[]).status, 200, "who asked stays");
    assert!(silent[0].is_closed_by_server());
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
