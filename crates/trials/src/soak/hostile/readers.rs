//! Those who ask for much and take it slowly, or not at all: what waits for them is bounded, and others
//! are answered.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::arena::{Arena, must};
use super::client::{batch, beginning};
use super::record;
use crate::paths::CALL_RECORDS;

const ID: &str = "e0000000-0000-4000-8000-000000000012";
/// Sessions of the large record, all on one page.
const SESSIONS: usize = 60;
/// Who reads slowly.
const READERS: usize = 24;
/// Who asks again and again on one connection and reads nothing.
const PIPELINING: usize = 64;

/// Sends bytes and reads nothing; the other side has to keep what it can't send.
fn unread(address: SocketAddr, bytes: &[u8]) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    // A pipe that is full takes no more, which is as good.
    let _ = stream.write_all(bytes);
    Ok(stream)
}

fn head(target: &str, token: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: callvault.example\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
}

/// All kinds of them.
pub(super) fn slow(arena: &mut Arena<'_>) -> Result<()> {
    let mut client = arena.attacker()?;
    // Without compression, the answer is as long as what came in.
    let letters = arena.size.of(600_000, 1_700_000);
    let text = record::large(ID, SESSIONS, letters);
    client.keep(&text)?;
    let whole = format!("{CALL_RECORDS}/{ID}?$expand=sessions");
    let answer = client.get(&whole).map_err(anyhow::Error::msg)?;
    let length = answer.body.len();
    arena
        .tally
        .control("who reads gets all of it", must(length > text.len(), || beginning(&answer)));
    drop(answer);
    ensure!(length > 30 << 20, "the answer has {length} bytes");

    let token = client.token.clone();
    let mut held = Vec::new();
    let mut hold = |arena: &mut Arena<'_>, what: &str, count: usize, bytes: &str| {
        for _ in 0..count {
            match unread(arena.address, bytes.as_bytes()) {
                Ok(stream) => held.push(stream),
                // Who is turned away takes no memory.
                Err(_) => break,
            }
        }
        thread::sleep(Duration::from_secs(arena.size.of(2, 8)));
        let mut other = match arena.attacker() {
            Ok(other) => other,
            Err(error) => return arena.tally.attack(what, Err(error.to_string())),
        };
        let outcome = other.get(&format!("{CALL_RECORDS}/$count"));
        let outcome =
            outcome.and_then(|it| must(matches!(it.status, 200 | 503), || beginning(&it)));
        arena.tally.attack(what, outcome);
        held.clear();
    };
    hold(arena, "slow readers of a large record", READERS, &head(&whole, &token));
    let one = head(&format!("{CALL_RECORDS}/{ID}"), &token);
    hold(arena, "readers of many small answers", PIPELINING, &one.repeat(arena.size.of(200, 800)));
    hold(
        arena,
        "pipelining readers of large answers",
        PIPELINING,
        &head(&whole, &token).repeat(20),
    );
    let body = batch(&["/communications/callRecords?$expand=sessions"; 20]);
    let batches = format!(
        "POST /v1.0/$batch HTTP/1.1\r\nHost: callvault.example\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    hold(arena, "batches of large lists", 4, &batches);
    in_the_end(arena, &whole, length)
}

/// Whoever reads at last gets everything, or hears that it is too much for now.
fn in_the_end(arena: &mut Arena<'_>, target: &str, length: usize) -> Result<()> {
    let mut client = arena.attacker()?;
    let mut stream = unread(arena.address, head(target, &client.token).as_bytes())?;
    thread::sleep(Duration::from_secs(1));
    stream.set_read_timeout(Some(arena.patience()))?;
    let mut taken = 0;
    let mut buffer = vec![0; 1 << 20];
    while taken < length {
        match stream.read(&mut buffer)? {
            0 => break,
            count => taken += count,
        }
    }
    arena.tally.attack(
        "a reader that begins late",
        must(taken >= length, || format!("{taken} of {length}")),
    );
    let outcome = client.get(&format!("{CALL_RECORDS}/$count"));
    arena.tally.attack(
        "who comes afterwards",
        outcome.and_then(|it| must(it.status == 200, || beginning(&it))),
    );
    Ok(())
}
