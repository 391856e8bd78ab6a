//! Bytes in a request line that no address may have: understood where they can mean nothing else, and
//! else refused in Graph's words.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use testkit::Client;

use super::super::record;
use super::{RECORDS, served};

/// Sends bytes on a connection of its own; the status of each answer, and what was received.
fn exchange(address: SocketAddr, bytes: &[u8]) -> (Vec<u16>, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let statuses = text.match_indices("HTTP/1.1 ");
    let statuses =
        statuses.filter_map(|(at, found)| text[at + found.len()..].get(..3)?.parse().ok());
    (statuses.collect(), text)
}

fn token(client: &Client) -> String {
    let (name, value) = &client.headers[0];
    format!("{name}: {value}\r\n")
}

fn get(target: &[u8], token: &str, connection: &str) -> Vec<u8> {
    let lines = format!(" HTTP/1.1\r\nHost: x\r\n{token}Connection: {connection}\r\n\r\n");
    [b"GET ", target, lines.as_bytes()].concat()
}

/// The error that an answer consists of, which has its length and an id.
fn error(text: &str) -> Value {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{text}");
    assert!(head.contains("content-type: application/json") && head.contains("date: "), "{text}");
    let error = serde_json::from_str::<Value>(body).unwrap()["error"].clone();
    let id = error["innerError"]["request-id"].as_str().unwrap();
    assert!(head.contains(&format!("request-id: {id}")), "{text}");
    error
}

#[test]
fn what_can_mean_nothing_else_is_understood() {
    let (_callvault, server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    let token = token(&client);
    for query in [
        "?$search=\"abbie%20wilkins\"",
        "?$filter=id%20ne%20'<>\\^`{|}'",
        "?$filter=id%20ne%20'\u{fc}\u{6771}'",
        "?x={\"a\":1}",
    ] {
        let target = format!("{RECORDS}{query}");
        let (statuses, text) = exchange(server.address, &get(target.as_bytes(), &token, "close"));
        assert_eq!(statuses, [200], "{query}: {text}");
        assert!(text.contains("\"id\":\"r1\""), "{query}: {text}");
    }
    // Also behind other requests on the connection, with a body or without.
    let target = format!("{RECORDS}?$search=\"abbie\"");
    let known = get(format!("{RECORDS}/r1").as_bytes(), &token, "keep-alive");
    let mut posted = format!(
        "POST {RECORDS}/$query HTTP/1.1\r\nHost: x\r\n{token}Content-Type: text/plain\r\n\
         Content-Length: 16\r\n\r\n$search=\"abbie\" "
    )
    .into_bytes();
    posted.extend(get(target.as_bytes(), &token, "keep-alive"));
    let last = get(target.as_bytes(), &token, "close");
    let (statuses, text) = exchange(server.address, &[known, posted, last].concat());
    assert_eq!(statuses, [200, 200, 200, 200], "{text}");
}

#[test]
fn everything_else_is_refused_in_graphs_words() {
    let (_callvault, server, client) = served();
    let token = token(&client);
    for (target, message) in [
        (&b"/v1.0/a b"[..], "The address has a blank at position 7: write it as %20."),
        (b"/v1.0/\ta", "The address has a tab at position 6: write it as %09."),
        (b"/v1.0/\x01", "The address has a control character at position 6: write it as %01."),
    ] {
        let (statuses, text) = exchange(server.address, &get(target, &token, "close"));
        assert_eq!(statuses, [400], "{text}");
        let error = error(&text);
        assert_eq!((&error["code"], &error["message"]), (&"BadRequest".into(), &message.into()));
        assert_eq!(error["target"], "url");
    }
    let head = [b"HEAD ", &get(b"/v1.0/a b", &token, "close")[4..]].concat();
    let (statuses, text) = exchange(server.address, &head);
    assert_eq!(statuses, [400], "{text}");
    assert!(text.ends_with("\r\n\r\n"), "an answer to HEAD has no body: {text}");
    for bytes in [&b"no request at all\r\n\r\n"[..], b"GET / HTTP/1.1\r\nno line\r\n\r\n"] {
        let (statuses, text) = exchange(server.address, bytes);
        assert_eq!(statuses, [400], "{text}");
        assert_eq!(error(&text)["code"], "BadRequest");
    }
    let long = format!("/{}", "a".repeat(70_000));
    let (statuses, text) = exchange(server.address, &get(long.as_bytes(), &token, "close"));
    assert!(matches!(statuses[..], [414 | 431]), "{text}");
    assert!(error(&text)["message"].is_string());
}

/// A frame of HTTP/2 (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes()[..], payload].concat()
}

/// HEADERS that ask for a target and end the stream; no line is indexed or compressed (RFC 7541
/// section 6.2.2).
fn asking(stream: u32, target: &str, token: &str) -> Vec<u8> {
    let text = |text: &str| {
        let mut out = Vec::new();
        let mut rest = text.len();
        if rest < 127 {
            out.push(rest as u8);
        } else {
            out.push(127);
            rest -= 127;
            while rest >= 128 {
                out.push((rest % 128) as u8 + 128);
                rest /= 128;
            }
            out.push(rest as u8);
        }
        [&out, text.as_bytes()].concat()
    };
    let line = |name: &str, value: &str| [vec![0], text(name), text(value)].concat();
    // GET and http are in the table that everybody has.
    let lines = [
        vec![0x82, 0x86],
        line(":path", target),
        line(":authority", "localhost"),
        line("authorization", token),
    ];
    frame(1, 5, stream, &lines.concat())
}

#[test]
fn over_http2_such_an_address_ends_its_own_stream_only() {
    let (_callvault, server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    let token = client.headers[0].1.clone();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let raw = asking(1, &format!("{RECORDS}?$search=\"abbie\""), &token);
    let encoded = asking(3, &format!("{RECORDS}?$search=%22abbie%22"), &token);
    stream.write_all(&[preface, frame(4, 0, 0, &[]), raw, encoded].concat()).unwrap();
    let mut ended = Vec::new();
    while ended.len() < 2 {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).unwrap();
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match head[3] {
            // RST_STREAM: a malformed message is PROTOCOL_ERROR (RFC 9113 section 8.1.1).
            3 => ended.push((id, format!("reset {payload:?}"))),
            // HEADERS: 200 is in the table.
            1 => ended.push((id, format!("headers {:#x}", payload[0]))),
            7 => panic!("the connection ends: {payload:?}"),
            _ => {}
        }
    }
    ended.sort();
    assert_eq!(ended, [(1, "reset [0, 0, 0, 1]".to_owned()), (3, "headers 0x88".to_owned())]);
}
