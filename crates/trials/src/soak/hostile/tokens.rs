//! Tokens that nobody may let in, over the wire: an identity provider of the trial is trusted, whose
//! keys and documents are those of the tests of `identity`.

use std::fs;
use std::process::Stdio;
use std::time::SystemTime;

use anyhow::{Context, Result};
use testkit::receiver::{Receiver, Reply};
use testkit::tokens::{self, AUDIENCE, TEMPLATE, hostile, keys, misstated};

use super::arena::{Arena, must};
use super::client::{Client, beginning, error};
use crate::paths::CALL_RECORDS;
use crate::server_process::ServerProcess;
use xtask::repository::PROFILE;

/// How often keys of an unknown id may make the server ask the provider, in the time of the trial.
const MOST_FETCHES: usize = 6;

/// Every one of them, by a read of the fast way, one by the layers, and a write.
pub(super) fn wrong(arena: &mut Arena<'_>) -> Result<()> {
    let documents = keys::published();
    let provider = Receiver::scripted(move |_, _| {
        Reply::Answer(200, vec![("Content-Type", "application/json".to_owned())], documents.clone())
    });
    let folder = arena.instance.data().with_extension("tokens");
    let instance = crate::instance::Instance::new(PROFILE, folder)?;
    fs::create_dir_all(instance.data())?;
    let config = instance.data().join("callvault.toml");
    let settings = format!(
        "[[auth.issuers]]\nissuer = \"{TEMPLATE}\"\naudiences = [\"api://other\", \"{AUDIENCE}\"]\n\
         jwks_uri = \"{}\"\n",
        provider.url("/keys")
    );
    fs::write(&config, settings)?;
    let mut served = ServerProcess::start(
        instance.serve_command().arg("--config").arg(&config).stderr(Stdio::null()),
    )?;
    let address = served.url.strip_prefix("http://").context("plain HTTP")?.parse()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs().cast_signed();
    let new = |token: &str| Client::new(address, token, testkit::PATIENCE);
    let good = tokens::token(&tokens::claims(now));
    control(arena, &mut new(&good));
    let mut client = new("");
    for (number, case) in hostile(now).into_iter().enumerate() {
        // White space at the end of a line is no part of it; and what is early becomes good meanwhile.
        if case.token.trim() != case.token || case.refused_as == "Early" {
            continue;
        }
        client.token = case.token;
        let what = format!("token {number}, {}", case.refused_as);
        arena.tally.attack(&what, refused(&mut client));
    }
    client.token = tokens::token(&tokens::claims_with(now, "nbf", (now + 3_600).into()));
    arena.tally.attack("a token of the next hour", refused(&mut client));
    for token in [misstated::without_roles(now), misstated::misspelt_roles(now)].concat() {
        client.token = token;
        let outcome = client
            .get(CALL_RECORDS)
            .and_then(|answer| must(answer.status == 403, || beginning(&answer)));
        arena.tally.attack("a token without a role", outcome);
    }
    written_otherwise(arena, &mut client, &good);
    unknown_keys(arena, &mut client, now);
    let fetched = provider.received().len();
    let outcome = must(fetched <= MOST_FETCHES, || format!("it asked {fetched} times"));
    arena.tally.attack("how often the provider is asked for keys", outcome);
    control(arena, &mut new(&good));
    let has_ended = served.has_ended()?;
    arena
        .tally
        .attack("the server of all these tokens", must(!has_ended, || "it has ended".to_owned()));
    Ok(())
}

/// The good token is let in, and a request that is let in is told from one that is not.
fn control(arena: &mut Arena<'_>, client: &mut Client) {
    let answer = client.get(CALL_RECORDS);
    let outcome = answer.and_then(|answer| must(answer.status == 200, || beginning(&answer)));
    arena.tally.control("a good token is let in", outcome);
    arena.tally.control(
        "it would be told if a token were let in",
        match refused(client) {
            Err(_) => Ok(()),
            Ok(()) => Err("it was not".to_owned()),
        },
    );
}

/// Each way is shut.
fn refused(client: &mut Client) -> Result<(), String> {
    let record = format!("{CALL_RECORDS}/e523d2ed-2966-4b6b-925b-754a88034cc5");
    for (method, target) in
        [("GET", &*record), ("GET", CALL_RECORDS), ("POST", CALL_RECORDS), ("POST", "/v1.0/$batch")]
    {
        let lines = [("Content-Type", "application/json")];
        let answer =
            client.ask(method, target, &lines, if method == "GET" { b"" } else { b"{}" })?;
        let is_refused = matches!(answer.status, 401 | 403 | 431);
        must(is_refused, || {
            format!("{method} {target}: {} {}", answer.status, beginning(&answer))
        })?;
        let is_challenged = answer.status != 401 || answer.line("www-authenticate").is_some();
        must(is_challenged, || format!("{method} {target}: no challenge"))?;
        let (code, message) = error(&answer);
        let tells = message.to_lowercase();
        if answer.status == 431 {
            // So large a head is refused before anybody can word it.
            continue;
        }
        let is_discreet = ["panic", "sql", "file", ".rs"].iter().all(|word| !tells.contains(word));
        must(!code.is_empty() && is_discreet, || beginning(&answer))?;
    }
    Ok(())
}

/// The good token, where or as no token may be.
fn written_otherwise(arena: &mut Arena<'_>, client: &mut Client, good: &str) {
    client.token = String::new();
    for (name, target, value) in [
        ("in the query", format!("{CALL_RECORDS}?access_token={good}"), None),
        ("by Basic", CALL_RECORDS.to_owned(), Some(format!("Basic {good}"))),
        ("by DPoP", CALL_RECORDS.to_owned(), Some(format!("DPoP {good}"))),
        ("in quotes", CALL_RECORDS.to_owned(), Some(format!("Bearer \"{good}\""))),
        ("twice in a line", CALL_RECORDS.to_owned(), Some(format!("Bearer {good}, Bearer {good}"))),
        ("with its name", CALL_RECORDS.to_owned(), Some(format!("Bearer token={good}"))),
        ("without a scheme", CALL_RECORDS.to_owned(), Some(good.to_owned())),
    ] {
        let line = value.as_deref().map(|value| ("Authorization", value));
        let lines: Vec<_> = line.into_iter().collect();
        let answer = client.ask("GET", &target, &lines, b"");
        let outcome = answer.and_then(|answer| must(answer.status == 401, || beginning(&answer)));
        arena.tally.attack(&format!("a good token {name}"), outcome);
    }
    let value = format!("Bearer {good}");
    let twice = [("Authorization", &*value), ("Authorization", &*value)];
    let answer = client.ask("GET", CALL_RECORDS, &twice, b"");
    let outcome = answer.and_then(|answer| must(answer.status == 401, || beginning(&answer)));
    arena.tally.attack("a good token in two lines", outcome);
}

/// A flood of keys that nobody has.
fn unknown_keys(arena: &mut Arena<'_>, client: &mut Client, now: i64) {
    let claims = tokens::claims(now).to_string();
    for number in 0..arena.size.of(100, 1_000) {
        let header = format!("{{\"alg\":\"RS256\",\"kid\":\"unknown-{number}\"}}");
        client.token = format!("{}.{}.c2ln", tokens::encode(header), tokens::encode(&claims));
        let answer = client.get(CALL_RECORDS);
        let outcome = answer.and_then(|answer| must(answer.status == 401, || beginning(&answer)));
        arena.tally.attack("a key that nobody has", outcome);
    }
}
