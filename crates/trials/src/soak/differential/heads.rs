//! Requests by how they are written: header lines, methods, versions, bodies, and how their bytes come.

use super::super::client::Dice;
use super::request::{Case, Request};
use super::stock::{ORIGIN, Stock};
use super::targets::{one, plain};
use crate::paths::CALL_RECORDS;

/// A request whose bytes are changed in some places.
pub(super) fn odd_bytes(stock: &Stock, dice: &mut Dice) -> Case {
    let mut request = plain(stock, dice);
    for _ in 0..=dice.below(3) {
        let line = dice.below(request.lines.len() as u64 + 1) as usize;
        let bytes = request.lines.get_mut(line).unwrap_or(&mut request.start);
        let at = dice.below(bytes.len() as u64 + 1) as usize;
        let byte = match dice.below(3) {
            0 => dice.below(256) as u8,
            1 => dice.below(32) as u8,
            _ => one(dice, &[b"\r\n :\t\0?%/,;\"\\".as_slice()])[dice.below(13) as usize],
        };
        match dice.below(3) {
            0 => bytes.insert(at, byte),
            1 if at < bytes.len() => bytes[at] = byte,
            _ if at < bytes.len() => {
                bytes.remove(at);
            }
            _ => bytes.push(byte),
        }
    }
    request.into()
}

pub(super) fn header_forms(stock: &Stock, dice: &mut Dice) -> Case {
    let request = plain(stock, dice);
    let token = &stock.reader;
    let request = match dice.below(16) {
        0 => request.without("host").with("hOST: callvault.example"),
        1 => request.without("authorization").with(&format!("AUTHORIZATION:Bearer {token}")),
        2 => request.without("authorization").with(&format!("authorization:\t Bearer {token}\t ")),
        3 => request.with("Accept-Language : de"),
        4 => request.with("User-Agent: a\r\n b"),
        5 => request.with("User-Agent: a\r\n\tb\r\n "),
        6 => request.with("User-Agent: a").with("User-Agent: b"),
        7 => request.with_bytes(b"User-Agent: \xfc\xff"),
        8 => request.with_bytes(b"\xfcser: a"),
        9 => request.with("User-Agent:"),
        10 => request.with(": a"),
        11 => request.with("no colon"),
        12 => (0..dice.below(130)).fold(request, |it, n| it.with(&format!("traceparent: {n}"))),
        13 => request.with(&format!("User-Agent: {}", "x".repeat(dice.below(20_000) as usize))),
        14 => request.with("client-request-id: a b\"c"),
        _ => request.with("client-request-id: one").with("Client-Request-Id: two"),
    };
    request.into()
}

pub(super) fn conditions(stock: &Stock, dice: &mut Dice) -> Case {
    let (target, tag) = &stock.tags[dice.below(stock.tags.len() as u64) as usize];
    let strong = tag.trim_start_matches("W/");
    let hex = strong.trim_matches('"');
    let value: Vec<u8> = match dice.below(20) {
        0 => tag.clone().into_bytes(),
        1 => strong.to_owned().into_bytes(),
        2 => b"*".to_vec(),
        3 => b"\"*\"".to_vec(),
        4 => hex.to_owned().into_bytes(),
        5 => format!("\"a\", {tag}").into_bytes(),
        6 => format!("{tag} , \"b\"").into_bytes(),
        7 => format!("w/{strong}").into_bytes(),
        8 => format!("W/ {strong}").into_bytes(),
        9 => tag.to_uppercase().into_bytes(),
        10 => [tag.as_bytes(), b", \"\xfc\xfc\""].concat(),
        11 => [b"\"\xff\", ", tag.as_bytes()].concat(),
        12 => [tag.as_bytes(), ", \"ü\"".as_bytes()].concat(),
        13 => format!("\"a,b\", {tag}").into_bytes(),
        14 => format!("\"{hex},{hex}\"").into_bytes(),
        15 => format!("{tag}\t").into_bytes(),
        16 => Vec::new(),
        17 => format!("\"\u{e9}\",{tag}").into_bytes(),
        18 => format!("{tag},\"\u{1f4de}\"").into_bytes(),
        _ => format!("{tag}{}", ",\"x\"".repeat(300)).into_bytes(),
    };
    let mut request = Request::get(target, &stock.reader);
    let name = one(dice, &["If-None-Match: ", "if-none-match:", "If-None-Match: ", "If-Match: "]);
    request = request.with_bytes(&[name.as_bytes(), &value].concat());
    match dice.below(6) {
        0 => request.with(&format!("If-None-Match: {tag}")).into(),
        1 => request.with("If-Modified-Since: Thu, 01 Jan 2032 00:00:00 GMT").into(),
        _ => request.into(),
    }
}

pub(super) fn accepted(stock: &Stock, dice: &mut Dice) -> Case {
    let value = one(
        dice,
        &[
            "*/*",
            "application/json",
            "APPLICATION/JSON",
            "application/*",
            "application/json;odata.metadata=none",
            "application/json;odata.metadata=full",
            "application/json; odata.metadata=minimal",
            "application/json;IEEE754Compatible=true",
            "application/json;q=0",
            "application/xml",
            "text/html, */*;q=0.1",
            "application/json;charset=utf-16",
            "nonsense",
            "",
            ", ,",
        ],
    );
    plain(stock, dice).without("accept:").with(&format!("Accept: {value}")).into()
}

pub(super) fn codings(stock: &Stock, dice: &mut Dice) -> Case {
    let value = one(
        dice,
        &[
            "gzip",
            "br",
            "zstd",
            "deflate",
            "gzip, br",
            "identity",
            "IDENTITY",
            "identity;q=0",
            "*;q=0",
            "*",
            "gzip;q=0.5, br;q=0.4",
            "x-gzip",
            "",
        ],
    );
    plain(stock, dice).without("accept-encoding").with(&format!("Accept-Encoding: {value}")).into()
}

pub(super) fn preferences(stock: &Stock, dice: &mut Dice) -> Case {
    let value = one(
        dice,
        &[
            "odata.maxpagesize=5",
            "omit-values=nulls",
            "include-unknown-enum-members",
            "return=minimal",
            "nothing-known",
            "odata.maxpagesize=x",
            "omit-values=\"nulls\"",
            "",
            "a=b;c=d, omit-values=nulls",
        ],
    );
    let request = plain(stock, dice).with(&format!("Prefer: {value}"));
    match dice.below(4) {
        0 => request.with("Prefer: omit-values=nulls").into(),
        1 => request.with("OData-Version: 4.0").into(),
        2 => request.with("OData-MaxVersion: 3.0").into(),
        _ => request.into(),
    }
}

pub(super) fn authorizations(stock: &Stock, dice: &mut Dice) -> Case {
    let token = &stock.reader;
    let request = plain(stock, dice).without("authorization");
    let line = match dice.below(18) {
        0 => return request.into(),
        1 => String::new(),
        2 => format!("bearer {token}"),
        3 => format!("BEARER {token}"),
        4 => format!("Bearer  {token}"),
        5 => format!("Bearer\t{token}"),
        6 => format!("Bearer{token}"),
        7 => format!("Bearer {token} "),
        8 => format!("Bearer {token}."),
        9 => format!("Bearer \"{token}\""),
        10 => "Bearer".to_owned(),
        11 => "Basic Zm9vOmJhcg==".to_owned(),
        12 => format!("Bearer {}", stock.outsider),
        13 => format!("Bearer {}", &token[..token.len() - 1]),
        14 => format!("Bearer {token}, Bearer {token}"),
        15 => format!("DPoP {token}"),
        16 => format!("Bearer {}", "a".repeat(dice.below(30_000) as usize)),
        _ => {
            let twice = request.with(&format!("Authorization: Bearer {token}"));
            return twice.with(&format!("Authorization: Bearer {token}")).into();
        }
    };
    request.with(&format!("Authorization: {line}")).into()
}

pub(super) fn origins(stock: &Stock, dice: &mut Dice) -> Case {
    let origin = one(
        dice,
        &[ORIGIN, "https://other.contoso.com", "null", "*", "", "https://app.contoso.com/"],
    );
    let request = plain(stock, dice).with(&format!("Origin: {origin}"));
    match dice.below(4) {
        0 => request.with("Access-Control-Request-Method: GET").into(),
        1 => request.with(&format!("Origin: {ORIGIN}")).into(),
        _ => request.into(),
    }
}

pub(super) fn hosts(stock: &Stock, dice: &mut Dice) -> Case {
    let request = plain(stock, dice);
    let host = match dice.below(16) {
        0 => return request.without("host").into(),
        1 => return request.with("Host: callvault.example").into(),
        2 => return request.with("Host: other.example").into(),
        3 => "",
        4 => "a b",
        5 => "a,b",
        6 => "a:1:2",
        7 => "[::1]:80",
        8 => "[::1",
        9 => "user@a",
        10 => "a/b",
        11 => "a?b",
        12 => "\"a\"",
        13 => "a:99999",
        14 => "127.0.0.1:8080",
        _ => return request.without("host").with_bytes(b"Host: \xfc.example").into(),
    };
    request.without("host").with(&format!("Host: {host}")).into()
}

pub(super) fn methods(stock: &Stock, dice: &mut Dice) -> Case {
    let method = one(
        dice,
        &[
            "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "Get",
            "GETS", "PURGE", "G\tET", "", "M-SEARCH", "GET/",
        ],
    );
    plain(stock, dice).by(method).into()
}

pub(super) fn versions(stock: &Stock, dice: &mut Dice) -> Case {
    let mut request = plain(stock, dice);
    let target =
        String::from_utf8_lossy(&request.start).split(' ').nth(1).unwrap_or("/").to_owned();
    request.start = match dice.below(12) {
        0..=2 => format!("GET {target} HTTP/1.0"),
        3 => format!("GET {target} HTTP/0.9"),
        4 => format!("GET {target} HTTP/1.2"),
        5 => format!("GET {target} HTTP/3.0"),
        6 => format!("GET {target} http/1.1"),
        7 => format!("GET {target}"),
        8 => format!("GET  {target} HTTP/1.1"),
        9 => format!("GET {target}  HTTP/1.1"),
        10 => format!("GET {target} HTTP/1.1 "),
        _ => format!("\r\nGET {target} HTTP/1.1"),
    }
    .into_bytes();
    match dice.below(4) {
        0 => request.with("Connection: keep-alive").into(),
        1 => request.with("Connection: close").into(),
        2 => request.without("host").into(),
        _ => request.into(),
    }
}

/// Reads with bodies, of lengths that are told in one way or the other.
pub(super) fn bodies(stock: &Stock, dice: &mut Dice) -> Case {
    let mut request = plain(stock, dice);
    if dice.below(3) == 0 {
        request = request.by("POST");
    }
    let (line, body): (&str, &[u8]) = match dice.below(12) {
        0 => ("Content-Length: 0", b""),
        1 => ("Content-Length: 2", b"{}"),
        2 => ("Content-Length: +2", b"{}"),
        3 => ("Content-Length: 0x2", b"{}"),
        4 => ("Content-Length: 2, 2", b"{}"),
        5 => ("Content-Length: 2\r\nContent-Length: 3", b"{}}"),
        6 => ("Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n"),
        7 => ("Transfer-Encoding: chunked", b"2;a=b\r\n{}\r\n0\r\nTrailer: x\r\n\r\n"),
        8 => ("Transfer-Encoding: chunked\r\nContent-Length: 2", b"2\r\n{}\r\n0\r\n\r\n"),
        9 => ("Transfer-Encoding: gzip, chunked", b"0\r\n\r\n"),
        10 => ("Transfer-Encoding: chunked, identity", b"0\r\n\r\n"),
        _ => ("Transfer-Encoding: xchunked", b"0\r\n\r\n"),
    };
    request.body = body.to_vec();
    request = request.with(line);
    match dice.below(4) {
        0 => request.with("Expect: 100-continue").into(),
        1 => request.with("Upgrade: h2c").with("Connection: upgrade, http2-settings").into(),
        _ => request.into(),
    }
}

/// Several requests that come at once.
pub(super) fn pipelined(stock: &Stock, dice: &mut Dice) -> Case {
    let mut requests = Vec::new();
    for _ in 0..2 + dice.below(6) {
        requests.push(match dice.below(8) {
            0 => Request::get(&format!("{CALL_RECORDS}?$top=1"), &stock.reader),
            1 => Request::get("/nowhere", &stock.reader),
            2 => plain(stock, dice).by("HEAD"),
            3 => Request::sending("POST", "/v1.0/$batch", &stock.reader, b"{\"requests\":[]}"),
            _ => plain(stock, dice),
        });
    }
    Case { requests, cuts: Vec::new() }
}

/// Requests that come in pieces.
pub(super) fn pieces(stock: &Stock, dice: &mut Dice) -> Case {
    let mut case = match dice.below(4) {
        0 => pipelined(stock, dice),
        1 => conditions(stock, dice),
        _ => plain(stock, dice).into(),
    };
    let length = case.bytes().len() as u64;
    case.cuts = (0..=dice.below(3)).map(|_| 1 + dice.below(length) as usize).collect();
    case.cuts.sort_unstable();
    case
}

/// A few requests, each cut in two at each of its bytes.
pub(super) fn parted_everywhere(stock: &Stock) -> Vec<Case> {
    let (target, tag) = &stock.tags[0];
    let known = Request::get(target, &stock.reader).with(&format!("If-None-Match: {tag}"));
    let two = vec![Request::get(target, &stock.reader), Request::get("/nowhere", "t")];
    let mut all = Vec::new();
    for requests in [vec![known], two] {
        let whole = Case { requests, cuts: Vec::new() };
        let parted = (1..whole.bytes().len()).map(|at| Case { cuts: vec![at], ..whole.clone() });
        all.extend(parted);
    }
    all
}
