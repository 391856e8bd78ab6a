//! HTTP as nobody should speak it: requests that two readers could part differently, odd hosts and
//! methods, oversized heads, JSON that is none, and connections that say nothing.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Result;

use super::arena::{Arena, must};
use super::client::{Client, beginning, is_json};
use super::record;
use crate::paths::CALL_RECORDS;
use crate::raw::{self, Answer};

/// Who listens to the admin and says nothing.
const SILENT: usize = 40;
/// The request that is hidden in another; nobody may answer it.
const HIDDEN: &str = "GET /v1.0/hidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
/// How long a connection that stays open is waited for.
const WAIT: Duration = Duration::from_secs(1);

/// Sends bytes and takes all that comes until the connection ends, or for so long.
fn exchange(address: SocketAddr, bytes: &[u8], wait: Duration) -> Result<Vec<Answer>, String> {
    let said = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).map_err(said)?;
    stream.set_read_timeout(Some(wait)).map_err(said)?;
    stream.set_write_timeout(Some(wait)).map_err(said)?;
    // Who has refused already takes no more.
    let _ = raw::send(&mut stream, &[bytes]);
    raw::answers(&raw::read_all(&mut stream).0)
}

/// Requests of which one reader sees one, and another two.
fn smuggled() -> Vec<(String, Vec<u8>)> {
    let head = "POST /v1.0/$batch HTTP/1.1\r\nHost: a\r\n";
    let length = HIDDEN.len();
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, bytes: String| all.push((name.to_owned(), bytes.into_bytes()));
    for (name, lines) in [
        ("length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
        ("chunks and length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"),
        ("two lengths", "Content-Length: 0\r\nContent-Length: 44\r\n"),
        ("two lengths in one", "Content-Length: 0, 44\r\n"),
        ("a length with a sign", "Content-Length: +0\r\n"),
        ("a length below nothing", "Content-Length: -1\r\n"),
        ("a length in hexadecimal", "Content-Length: 0x0\r\n"),
        ("a length with a space", "Content-Length: 0 1\r\n"),
        ("a length too large to count", "Content-Length: 18446744073709551616\r\n"),
        ("no length", "Content-Length:\r\n"),
        ("another coding", "Transfer-Encoding: xchunked\r\n"),
        ("chunks that are not the last", "Transfer-Encoding: chunked, identity\r\n"),
        ("identity", "Transfer-Encoding: identity\r\n"),
        ("chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ("chunks with a vertical tab", "Transfer-Encoding:\x0bchunked\r\n"),
        ("chunks before a colon", "Transfer-Encoding : chunked\r\n"),
        ("chunks on the next line", "Transfer-Encoding:\r\n chunked\r\n"),
        ("chunks in quotes", "Transfer-Encoding: \"chunked\"\r\n"),
        ("chunks with a NUL", "Transfer-Encoding: chunked\0\r\n"),
        ("a line that is folded", "X: a\r\n Transfer-Encoding: chunked\r\n"),
        ("a bare carriage return", "X: a\rTransfer-Encoding: chunked\r\n"),
        ("a NUL in a name", "Conte\0nt-Length: 0\r\n"),
        ("a space in a name", "Content Length: 0\r\n"),
        ("a line without a colon", "nonsense\r\n"),
        ("a name of nothing", ": a\r\n"),
    ] {
        add(name, format!("{head}{lines}\r\n0\r\n\r\n{HIDDEN}"));
    }
    for (name, chunks) in [
        ("a size with a sign", "+0\r\n\r\n"),
        ("a size in hexadecimal", "0x0\r\n\r\n"),
        ("a size too large to count", "FFFFFFFFFFFFFFFFF\r\n\r\n"),
        ("a size that is none", "g\r\n\r\n"),
        ("a size below nothing", "-1\r\n\r\n"),
        ("a chunk that is longer than its size", "1\r\nab\r\n0\r\n\r\n"),
        ("a bare line feed behind a size", "0\n\r\n"),
    ] {
        add(name, format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}{HIDDEN}"));
    }
    add(
        "a chunk of 1 MB of extension",
        format!("{head}Transfer-Encoding: chunked\r\n\r\n0;{}\r\n\r\n", "a".repeat(1 << 20)),
    );
    add(
        "trailers of 1 MB",
        format!("{head}Transfer-Encoding: chunked\r\n\r\n0\r\nX: {}\r\n\r\n", "a".repeat(1 << 20)),
    );
    add("HTTP/0.9", "GET /\r\n".to_owned());
    add(
        "a hidden request as a body",
        format!(
            "GET /v1.0/nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{HIDDEN}"
        ),
    );
    all
}

/// What was hidden is answered by nobody, unless all before it was understood as it had to be.
fn is_apart(name: &str, answers: &[Answer]) -> Result<(), String> {
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    must(statuses.iter().all(|status| *status < 500 || *status == 501), || {
        format!("{statuses:?}")
    })?;
    let is_one = answers.len() <= 1;
    must(is_one, || format!("{name} is answered {statuses:?}"))
}

/// Everything.
pub(super) fn http(arena: &mut Arena<'_>) -> Result<()> {
    let patience = arena.patience();
    let two = format!("GET /v1.0/nowhere HTTP/1.1\r\nHost: a\r\n\r\n{HIDDEN}");
    let both = exchange(arena.address, two.as_bytes(), patience);
    arena.tally.control(
        "two requests are answered twice",
        both.and_then(|it| must(it.len() == 2, || format!("{} answers", it.len()))),
    );
    for (name, bytes) in smuggled() {
        let outcome = exchange(arena.address, &bytes, WAIT);
        arena.tally.attack(&name, outcome.and_then(|answers| is_apart(&name, &answers)));
    }
    for line in ["GET / HTTP/9.9", "GET /a b HTTP/1.1", "GET nowhere HTTP/1.1", " / HTTP/1.1"] {
        let bytes = format!("{line}\r\nHost: a\r\nConnection: close\r\n\r\n");
        let outcome = exchange(arena.address, bytes.as_bytes(), patience).and_then(|answers| {
            let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            must(matches!(statuses[..], [400 | 404 | 405 | 501 | 505]), || format!("{statuses:?}"))
        });
        arena.tally.attack(line, outcome);
    }
    hosts(arena);
    heads(arena);
    methods(arena)?;
    bodies(arena)?;
    preface(arena);
    admin(arena)
}

/// Hosts that are none, or two.
fn hosts(arena: &mut Arena<'_>) {
    let ask = |arena: &Arena<'_>, lines: &str, version: &str| {
        let bytes = format!("GET /v1.0/nowhere HTTP/{version}\r\n{lines}Connection: close\r\n\r\n");
        exchange(arena.address, bytes.as_bytes(), arena.patience())
            .map(|all| all.iter().map(|answer| answer.status).collect::<Vec<_>>())
    };
    for lines in ["Host: a\r\n", "Host: a:80\r\n", "host: [::1]:8080\r\n", "Host: 127.0.0.1\r\n"] {
        let outcome = ask(arena, lines, "1.1")
            .and_then(|it| must(it == [404] || it == [401], || format!("{it:?}")));
        arena.tally.control(&format!("a sound {lines:?}"), outcome);
    }
    for lines in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a b\r\n",
        "Host: a\tb\r\n",
        "Host: a,b\r\n",
        "Host: a/b\r\n",
        "Host: a?b\r\n",
        "Host: a#b\r\n",
        "Host: user@a\r\n",
        "Host: a:b\r\n",
        "Host: a:1:2\r\n",
        "Host: [::1\r\n",
        "Host: a\\b\r\n",
        "Host: \"a\"\r\n",
        "Host: <a>\r\n",
    ] {
        let outcome =
            ask(arena, lines, "1.1").and_then(|it| must(it == [400], || format!("{it:?}")));
        arena.tally.attack(&format!("{lines:?}"), outcome);
    }
    // The old version knows no Host.
    let outcome =
        ask(arena, "", "1.0").and_then(|it| must(it == [404] || it == [401], || format!("{it:?}")));
    arena.tally.control("HTTP/1.0 without Host", outcome);
    // Contexts and links are those of the settings.
    let bytes = "GET /v1.0/ HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\
                 Forwarded: host=evil.example\r\nConnection: close\r\n\r\n";
    let outcome = exchange(arena.address, bytes.as_bytes(), arena.patience()).and_then(|all| {
        let says = all.iter().any(|answer| String::from_utf8_lossy(&answer.body).contains("evil"));
        must(!says && !all.is_empty(), || "an answer says what Host said".to_owned())
    });
    arena.tally.attack("a Host of others", outcome);
}

/// Heads that are too large.
fn heads(arena: &mut Arena<'_>) {
    let head = |target: &str, lines: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n")
    };
    let target = |length: usize| head(&format!("/{}", "a".repeat(length)), "");
    let line = |length: usize| head("/", &format!("X: {}\r\n", "a".repeat(length)));
    let lines = |count: usize| head("/", &"X: a\r\n".repeat(count));
    for (name, bytes) in [
        ("an address of 60 KB", target(60 << 10)),
        ("an address of 1 MB", target(1 << 20)),
        ("a line of 20 KB", line(20 << 10)),
        ("a line of 1 MB", line(1 << 20)),
        ("101 lines", lines(101)),
        ("10,000 lines", lines(10_000)),
    ] {
        let answers = exchange(arena.address, bytes.as_bytes(), arena.patience());
        let outcome = answers.and_then(|answers| {
            let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            let is_refused = statuses.iter().all(|status| matches!(status, 400 | 414 | 431));
            must(is_refused && answers.len() <= 1, || format!("{statuses:?}"))
        });
        arena.tally.attack(name, outcome);
    }
}

fn methods(arena: &mut Arena<'_>) -> Result<()> {
    let mut client = arena.attacker()?;
    for method in ["TRACE", "CONNECT", "OPTIONS", "PROPFIND", "get", "X", "GET\u{1}", "PURGE"] {
        client.token = arena.attacker()?.token;
        let answer = client.ask(method, CALL_RECORDS, &[("Origin", "https://evil.example")], b"");
        let outcome = answer.and_then(|answer| {
            must(matches!(answer.status, 400 | 404 | 405 | 501), || format!("{}", answer.status))?;
            let shares = answer.lines.iter().any(|(name, _)| name.starts_with("access-control-"));
            must(!shares, || "it is shared with other origins".to_owned())
        });
        arena.tally.attack(&format!("the method {method:?}"), outcome);
    }
    for media in
        ["text/xml", "multipart/form-data; boundary=a", "application/octet-stream", "", "a"]
    {
        let answer = client.ask("POST", CALL_RECORDS, &[("Content-Type", media)], b"{}");
        let outcome =
            answer.and_then(|it| must(matches!(it.status, 400 | 415), || format!("{}", it.status)));
        arena.tally.attack(&format!("a body of {media:?}"), outcome);
    }
    Ok(())
}

/// JSON that is none, or that two readers would read differently.
fn bodies(arena: &mut Arena<'_>) -> Result<()> {
    let mut client = arena.attacker()?;
    let whole = record::small("json");
    let kept = client.post(CALL_RECORDS, whole.as_bytes());
    arena.tally.control(
        "sound JSON is taken",
        kept.and_then(|it| must(it.status == 201, || beginning(&it))),
    );
    for (number, body) in odd_bodies(&whole).iter().enumerate() {
        for target in [
            CALL_RECORDS.to_owned(),
            format!("{CALL_RECORDS}/callvault.import"),
            "/v1.0/$batch".to_owned(),
            "/v1.0/subscriptions".to_owned(),
        ] {
            let outcome = client.post(&target, body).and_then(|answer| {
                must(matches!(answer.status, 200 | 201 | 400 | 409 | 413), || {
                    format!("{} {}", answer.status, beginning(&answer))
                })?;
                is_json(&answer)
            });
            let shown = raw::shown(&body[..body.len().min(120)]);
            arena.tally.attack(&format!("body {number} to {target}: {shown}"), outcome);
        }
    }
    let shown = client.get(&format!("{CALL_RECORDS}/json")).and_then(|it| is_json(&it));
    arena.tally.attack("the record after all these", shown);
    Ok(())
}

/// Bodies made of a sound one.
fn odd_bodies(whole: &str) -> Vec<Vec<u8>> {
    let with = |members: &str| record::with("json", members).into_bytes();
    vec![
        with(",\"id\":\"other\""),
        with(",\"version\":2"),
        with(",\"own\":{\"a\":1,\"a\":2}"),
        with(",\"own\":1e400"),
        with(",\"own\":-0"),
        with(",\"own\":9007199254740993"),
        with(",\"own\":01"),
        with(",\"own\":+1"),
        with(",\"own\":.5"),
        with(",\"own\":1."),
        with(",\"own\":NaN"),
        with(",\"own\":Infinity"),
        with(",\"own\":'a'"),
        with(",\"own\":\"\\x41\""),
        with(",\"own\":\"\\ud800\""),
        with(",\"own\":\"\u{1}\""),
        with(",\"own\":tru"),
        with(",\"own\":[1,]"),
        with(",\"own\":[1 2]"),
        with(",\"own\":/**/1"),
        with(",own:1"),
        with(","),
        [b"\xef\xbb\xbf".as_slice(), whole.as_bytes()].concat(),
        [whole.as_bytes(), b" x"].concat(),
        [whole.as_bytes(), whole.as_bytes()].concat(),
        [whole.as_bytes(), b"\0"].concat(),
        whole.as_bytes()[..whole.len() - 1].to_vec(),
        whole.replace('"', "'").into_bytes(),
        whole.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        with(",\"own\":\"\u{fffe}\""),
        [with(",\"own\":\""), b"\xff\"}".to_vec()].concat(),
        "[".repeat(100_000).into_bytes(),
        "{\"a\":".repeat(100_000).into_bytes(),
        format!("{}1{}", "[".repeat(65), "]".repeat(65)).into_bytes(),
        b"null".to_vec(),
        b"1".to_vec(),
        b"\"\"".to_vec(),
        b"true".to_vec(),
        b"".to_vec(),
        b" \n\t ".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        with(&format!(",\"own\":{}", "9".repeat(100_000))),
        with(&format!(",\"own\":\"{}", "\\".repeat(99_999))),
        with(&format!(",\"{}\":1", "a".repeat(100_000))),
        with(&",\"own\":1".repeat(2)),
        with(",\"\":1"),
        with(",\"@odata.type\":\"#evil\""),
        with(",\"startDateTime\":\"9999-99-99T00:00:00Z\""),
        with(",\"__proto__\":{\"a\":1}"),
        with(",\"$ref\":\"#\""),
    ]
}

/// HTTP/2 that is none.
fn preface(arena: &mut Arena<'_>) {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = b"\0\0\0\x04\0\0\0\0\0";
    for (name, rest) in [
        ("a frame of 16 MB", &b"\xff\xff\xff\0\0\0\0\0\x01"[..]),
        ("headers without an end", &b"\0\0\x01\x01\0\0\0\0\x01\x82"[..]),
        ("CONTINUATION without headers", &b"\0\0\x01\x09\0\0\0\0\x01\x82"[..]),
        ("a window of nothing", &b"\0\0\x04\x08\0\0\0\0\0\0\0\0\0"[..]),
        ("an even stream", &b"\0\0\x01\x01\x05\0\0\0\x02\x82"[..]),
        ("garbage", &b"\x16\x03\x01\x02\0\x01\0\x01\xfc"[..]),
    ] {
        let bytes = [&preface[..], settings, rest].concat();
        let stream = TcpStream::connect(arena.address);
        let outcome = stream.map_err(|error| error.to_string()).and_then(|mut stream| {
            stream
                .set_read_timeout(Some(Duration::from_millis(500)))
                .map_err(|it| it.to_string())?;
            // Whatever it says to that, it goes on answering others.
            let _ = raw::send(&mut stream, &[&bytes]);
            drop(raw::read_all(&mut stream));
            let answer = arena.stranger().get("/v1.0/")?;
            must(answer.status == 200, || beginning(&answer))
        });
        arena.tally.attack(&format!("HTTP/2 with {name}"), outcome);
    }
}

/// Who watches the server is answered, whoever else is connected.
fn admin(arena: &mut Arena<'_>) -> Result<()> {
    let health = |arena: &Arena<'_>| {
        let answer = Client::new(arena.admin, "", arena.patience()).get("/healthz")?;
        must(answer.status == 200, || beginning(&answer))
    };
    let outcome = health(arena);
    arena.tally.control("health is told", outcome);
    let mut silent = Vec::new();
    for number in 0..SILENT {
        let mut stream = TcpStream::connect(arena.admin)?;
        if number % 2 == 0 {
            raw::send(&mut stream, &[b"GET /healthz HTTP/1.1\r\nHost: "])?;
        }
        silent.push(stream);
    }
    // Soon: whoever asks for health gives up after some seconds.
    let answer = Client::new(arena.admin, "", Duration::from_secs(5)).get("/healthz");
    let outcome = answer.and_then(|answer| must(answer.status == 200, || beginning(&answer)));
    arena.tally.attack(&format!("health beside {SILENT} that say nothing"), outcome);
    Ok(())
}
