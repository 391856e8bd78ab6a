//! The query language: requests that are made to be costly to read, options in odd spellings, texts that
//! would be SQL, and page tokens of which a bit is another.

use anyhow::{Context, Result};
use odata::percent::encode_query;

use super::super::worst;
use super::arena::{Arena, OTHER, READ, must};
use super::client::{Client, beginning, json};
use super::record;
use crate::paths::CALL_RECORDS;

/// Literals that would be more than literals if they were SQL.
const LITERALS: [&str; 24] = [
    "x' OR '1'='1",
    "x'; DROP TABLE call_record;--",
    "x' UNION SELECT 1--",
    "x') OR (1=1",
    "%",
    "_",
    "%%%%",
    "\\",
    "\\'",
    "'",
    "''",
    "x\"",
    "x` ",
    "/*",
    "--",
    "$1",
    "?1",
    ":a",
    "@a",
    "\u{0}",
    "x'||'y",
    "${7*7}",
    "1;SELECT pg_sleep(5)",
    "x' AND (SELECT pg_sleep(5)) IS NULL--",
];

/// Everything.
pub(super) fn language(arena: &mut Arena<'_>) -> Result<()> {
    let mut client = arena.attacker()?;
    let lines: Vec<String> =
        (0..70).map(|n| record::small(&format!("00000000-0000-4000-8000-{n:012}"))).collect();
    let target = format!("{CALL_RECORDS}/callvault.import");
    let ndjson = [("Content-Type", "application/x-ndjson")];
    let kept = client.ask("POST", &target, &ndjson, lines.join("\n").as_bytes());
    arena.tally.control(
        "records are there",
        kept.and_then(|it| must(it.status == 200, || beginning(&it))),
    );
    let step = arena.size.of(13, 1);
    for worst::Request { name, url } in worst::requests().into_iter().step_by(step) {
        let outcome = client.get(&url).and_then(|answer| {
            let is_known = matches!(answer.status, 200 | 400 | 404 | 414 | 431 | 501);
            must(is_known, || format!("{} {}", answer.status, beginning(&answer)))
        });
        arena.tally.attack(&name, outcome);
    }
    literals(arena, &mut client);
    spellings(arena, &mut client);
    tokens(arena, &mut client)
}

/// Each literal in each place is that text: it finds nothing, and says nothing of an engine.
fn literals(arena: &mut Arena<'_>, client: &mut Client) {
    let count = |client: &mut Client, filter: &str| {
        client.get(&format!("{CALL_RECORDS}/$count?$filter={}", encode_query(filter)))
    };
    let all = count(client, "id ne 'x'");
    arena.tally.control(
        "a condition that holds finds all",
        all.and_then(|it| must(it.body == b"70", || beginning(&it))),
    );
    for text in LITERALS {
        let quoted = format!("'{}'", text.replace('\'', "''"));
        for filter in [
            format!("id eq {quoted}"),
            format!("contains(id,{quoted})"),
            format!("startswith(joinWebUrl,{quoted})"),
            format!("participants_v2/any(p:p/id eq {quoted})"),
            format!("sessions/any(s:s/id eq {quoted})"),
            format!("id in ({quoted},{quoted})"),
        ] {
            let outcome = count(client, &filter).and_then(|answer| {
                let is_nothing = answer.status == 400 || answer.body == b"0";
                let text = String::from_utf8_lossy(&answer.body).to_lowercase();
                let is_discreet = !["sqlite", "postgres", "syntax error at", "pg_"]
                    .iter()
                    .any(|it| text.contains(it) && !filter.contains(it));
                must(is_nothing && is_discreet, || {
                    format!("{} {}", answer.status, beginning(&answer))
                })
            });
            arena.tally.attack(&filter, outcome);
        }
        for options in [
            format!("$search={}", encode_query(&format!("\"{}\"", text.replace('"', "")))),
            format!("$orderby={}", encode_query(text)),
            format!("$select={}", encode_query(text)),
            format!("$apply=groupby(({}))", encode_query(text)),
            format!("$top={}", encode_query(text)),
            format!("$skiptoken={}", encode_query(text)),
        ] {
            let outcome = client.get(&format!("{CALL_RECORDS}?{options}")).and_then(|answer| {
                let is_known = matches!(answer.status, 200 | 400 | 501);
                must(is_known, || format!("{} {}", answer.status, beginning(&answer)))
            });
            arena.tally.attack(&options, outcome);
        }
    }
}

/// Options twice, encoded once and twice, in capitals, overlong.
fn spellings(arena: &mut Arena<'_>, client: &mut Client) {
    for (query, statuses) in [
        ("$top=1&$top=2", &[400][..]),
        ("$top=1&top=2", &[400]),
        ("$TOP=1", &[200]),
        ("%24top=1", &[200]),
        ("%2524top=1", &[200]),
        ("$top=%31", &[200]),
        ("$top=%2531", &[400]),
        ("$top=+1", &[200, 400]),
        ("$top=1%00", &[400]),
        ("$top=9223372036854775808", &[400]),
        ("$top=1e3", &[400]),
        ("$top=0x1", &[400]),
        ("$top=", &[400]),
        ("$top", &[400]),
        ("$skip=-1", &[400]),
        ("$filter=id%20eq%20'%C0%AF'", &[400]),
        ("$filter=id%20eq%20'%FF'", &[400]),
        ("$filter=id%20eq%20'%ED%A0%80'", &[400]),
        ("$filter=id%20eq%20'a", &[400]),
        ("$filter", &[400]),
        ("$filter=", &[400]),
        ("$filter=%", &[400]),
        ("$filter=true;DROP", &[400]),
        ("$expand=sessions($expand=segments($expand=sessions))", &[400]),
        ("$expand=*($levels=max)", &[200, 400, 501]),
        ("$orderby=id,id,id,id,id,id,id,id,id", &[400]),
        ("$select=*,*", &[200, 400]),
        ("$format=xml", &[400, 406]),
        ("$apply=groupby((nonsense))", &[400]),
        ("$compute=1%20as%20id", &[400]),
        ("&&&", &[200]),
        ("=1", &[200, 400]),
    ] {
        let outcome = client.get(&format!("{CALL_RECORDS}?{query}")).and_then(|answer| {
            must(statuses.contains(&answer.status), || {
                format!("{} {}", answer.status, beginning(&answer))
            })
        });
        arena.tally.attack(query, outcome);
    }
}

/// No bit of a page token can be changed, and it is of use to nobody else.
fn tokens(arena: &mut Arena<'_>, client: &mut Client) -> Result<()> {
    let page = client.get(&format!("{CALL_RECORDS}?$select=id")).map_err(anyhow::Error::msg)?;
    let page = json(&page).map_err(anyhow::Error::msg)?;
    let link = page["@odata.nextLink"].as_str().context("a page of 60 has a link")?.to_owned();
    let (front, token) = link.split_once("skiptoken=").context("a token")?;
    let path = front.split("//").nth(1).and_then(|rest| rest.split_once('/')).context("a path")?.1;
    let (token, rest) = token.split_at(token.find('&').unwrap_or(token.len()));
    let target = |token: &str| format!("/{path}skiptoken={token}{rest}");
    let followed = client.get(&target(token));
    arena.tally.control(
        "the link leads on",
        followed.and_then(|it| must(it.status == 200, || beginning(&it))),
    );
    let mut other = arena.client(OTHER, &[READ])?;
    let outcome =
        other.get(&target(token)).and_then(|it| must(it.status == 400, || beginning(&it)));
    arena.tally.attack("the link of another tenant", outcome);
    let step = arena.size.of(5, 1);
    for at in (0..token.len()).step_by(step) {
        for bit in (0..6).step_by(step) {
            let Some(changed) = flipped(token, at, bit) else { continue };
            let outcome = client
                .get(&target(&changed))
                .and_then(|it| must(it.status == 400, || beginning(&it)));
            arena.tally.attack(&format!("bit {bit} of character {at} of a page token"), outcome);
        }
    }
    for cut in (1..token.len()).step_by(step) {
        let outcome = client
            .get(&target(&token[..cut]))
            .and_then(|it| must(it.status == 400, || beginning(&it)));
        arena.tally.attack("a page token that is cut off", outcome);
    }
    Ok(())
}

/// The token with one bit of a character of base64url changed; none in what is not of its alphabet.
fn flipped(token: &str, at: usize, bit: usize) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = ALPHABET.iter().position(|byte| *byte == token.as_bytes()[at])?;
    let mut bytes = token.as_bytes().to_vec();
    bytes[at] = ALPHABET[value ^ (1 << bit)];
    String::from_utf8(bytes).ok()
}
