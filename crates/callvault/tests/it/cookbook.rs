//! Every query of `docs/query-cookbook.md` returns the response on the page. `CALLVAULT_COOKBOOK=write` writes
//! the responses again.

use std::fmt::Write as _;

use odata::json::{Node, write_node};
use testkit::Client;

use crate::{READ, callvault};

/// The tenant of simulated calls.
const TENANT: &str = "5f0b1a52-9a0e-4a6b-8f0e-0d5c6f6f2f11";
const PUBLIC_URL: &str = "https://calls.contoso.com";

fn path() -> String {
    format!("{}/../../docs/query-cookbook.md", env!("CARGO_MANIFEST_DIR"))
}

/// A part of the page: text, or a request with its response.
enum Piece {
    Text(String),
    Question { request: String, answer: String },
}

fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = page;
    while let Some((text, behind)) = rest.split_once("```http\n") {
        let (request, behind) = behind.split_once("```\n").unwrap();
        let (between, behind) = behind.split_once("```json\n").unwrap();
        assert!(between.trim().is_empty(), "an answer stands behind its question: {request}");
        let (answer, behind) = behind.split_once("```\n").unwrap();
        pieces.push(Piece::Text(text.to_owned()));
        pieces.push(Piece::Question { request: request.to_owned(), answer: answer.to_owned() });
        rest = behind;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}

/// The response to a request as the page shows it: `GET` and a URL on one or more lines, not percent-encoded.
fn ask(client: &mut Client, request: &str) -> String {
    let target = joined(request);
    let target = target.strip_prefix("GET ").unwrap().trim_end();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.replace('%', "%25").replace(' ', "%20").replace('"', "%22");
    let query = query.replace('+', "%2B").replace('#', "%23");
    let answer = client.get(&format!("{path}?{query}"));
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    match answer.header("content-type") {
        Some(form) if form.starts_with("text/plain") => answer.text().trim().to_owned(),
        _ => {
            let text = without_tokens(&answer.text());
            let mut pretty = String::new();
            write_pretty(&mut pretty, &Node::parse(&text).unwrap(), 0);
            pretty
        }
    }
}

/// Writes a value on lines of its own, each member in its order and each number digit for digit.
fn write_pretty(out: &mut String, node: &Node<'_>, depth: usize) {
    let (open, close, count) = match node {
        Node::Array(items) => ('[', ']', items.len()),
        Node::Object(members) => ('{', '}', members.len()),
        _ => ('"', '"', 0),
    };
    if count == 0 {
        let mut bytes = Vec::new();
        write_node(&mut bytes, node);
        out.push_str(&String::from_utf8(bytes).unwrap());
        return;
    }
    out.push(open);
    for at in 0..count {
        let comma = if at > 0 { "," } else { "" };
        write!(out, "{comma}\n{}", "  ".repeat(depth + 1)).unwrap();
        match node {
            Node::Array(items) => write_pretty(out, &items[at], depth + 1),
            Node::Object(members) => {
                write!(out, "\"{}\": ", members[at].name.raw()).unwrap();
                write_pretty(out, &members[at].value, depth + 1);
            }
            _ => {}
        }
    }
    write!(out, "\n{}{close}", "  ".repeat(depth)).unwrap();
}

/// Joins the lines of a request. A line that continues an option is joined with a space.
fn joined(request: &str) -> String {
    let mut target = String::new();
    for line in request.lines().map(str::trim) {
        let is_apart = target.is_empty() || line.starts_with(['&', '/']) || target.ends_with(',');
        target.push_str(if is_apart { "" } else { " " });
        target.push_str(line);
    }
    target
}

/// Replaces page tokens, which differ in each store.
fn without_tokens(text: &str) -> String {
    let Some((before, behind)) = text.split_once("$skiptoken=") else { return text.to_owned() };
    let end = behind.find('"').unwrap_or(behind.len());
    format!("{before}$skiptoken=…{}", &behind[end..])
}

#[test]
fn the_cookbook_has_the_actual_responses() {
    let callvault = callvault();
    let calls = callvault.succeed(&["simulate", "--calls", "2000", "--seed", "1"]);
    let imported = callvault.run_with_input(&["import", "--tenant", TENANT, "-"], calls.as_bytes());
    assert!(imported.status.success(), "{}", imported.stderr);
    let token = callvault.token(TENANT, &[READ]);
    let server = callvault.serve(&["--public-url", PUBLIC_URL]);
    let mut client = server.client().bearer(&token);

    let page = std::fs::read_to_string(path()).unwrap();
    let is_writing = std::env::var("CALLVAULT_COOKBOOK").is_ok_and(|mode| mode == "write");
    let (mut written, mut questions) = (String::new(), 0);
    for piece in pieces(&page) {
        match piece {
            Piece::Text(text) => written.push_str(&text),
            Piece::Question { request, answer } => {
                questions += 1;
                let found = ask(&mut client, &request);
                if !is_writing {
                    assert_eq!(found, answer.trim_end(), "{request}");
                }
                write!(written, "```http\n{request}```\n\n```json\n{found}\n```\n").unwrap();
            }
        }
    }
    assert!(questions >= 25, "{questions}");
    if is_writing {
        std::fs::write(path(), written).unwrap();
    }
}
