//! Bodies that are far more than they seem, or never end: collections of nothing, a few bytes that
//! inflate to millions, and bytes that drip.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::arena::{ATTACKER, Arena, MOST_MEMORY, Size, memory, must};
use super::client::beginning;
use super::record;
use crate::paths::CALL_RECORDS;
use crate::raw::Answer;

/// What an answer to nothing may have at most.
const MOST_ANSWER: usize = 16 << 20;
/// By how much the memory of the server may grow when bodies are refused, in KiB.
const MOST_GROWTH: u64 = 12 << 10;
/// Bytes that a small body inflates to.
const INFLATED: usize = 16 << 20;
/// A request that drips may last so long, in the long form.
const LONGEST: Duration = Duration::from_secs(90);

/// How bytes are made few.
type Pack = fn(&[u8]) -> Vec<u8>;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut reader = brotli::CompressorReader::new(bytes, 64 << 10, 9, 22);
    // Reading from memory does not fail.
    let _ = reader.read_to_end(&mut out);
    out
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 9).unwrap_or_default()
}

/// An answer to something that holds nothing: refused, or of a bounded size.
fn is_bounded(answer: &Answer) -> Result<(), String> {
    must(answer.body.len() <= MOST_ANSWER, || {
        format!("{} MiB of answer", answer.body.len() >> 20)
    })?;
    must(matches!(answer.status, 200 | 400 | 413 | 503), || {
        format!("{} {}", answer.status, beginning(answer))
    })
}

/// Collections whose items are nothing, within the limits of bytes.
pub(super) fn collections(arena: &mut Arena<'_>) -> Result<()> {
    let mut client = arena.attacker()?;
    let communications = "/v1.0/communications";
    let good = json!({"events": [{
        "eventId": "e", "callId": "c", "callChainId": "h", "type": "started",
        "time": "2025-01-01T10:00:00Z", "participant": {"user": {"id": "u"}},
    }]});
    let accepted =
        client.post(&format!("{communications}/callvault.callEvents"), good.to_string().as_bytes());
    arena.tally.control(
        "an event is taken",
        accepted.and_then(|it| {
            must(it.body.windows(8).any(|word| word == b"accepted"), || beginning(&it))
        }),
    );
    // As much as fits into what a body may inflate to.
    let size = arena.size.of(6 << 20, 15 << 20);
    let beta = "/beta/communications/callRecords";
    for (target, name) in [
        (format!("{communications}/callvault.callEvents"), "events"),
        (format!("{CALL_RECORDS}/callvault.import"), "records"),
        (format!("{CALL_RECORDS}/callvault.importPstnCalls"), "rows"),
        (format!("{beta}/callvault.importSmsLog"), "rows"),
        ("/v1.0/$batch".to_owned(), "requests"),
    ] {
        for item in ["{}", "0", "[]", "\"\""] {
            let items = vec![item; size / (item.len() + 1)].join(",");
            let body = gzip(format!("{{\"{name}\":[{items}]}}").as_bytes());
            let lines = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
            let outcome = client.ask("POST", &target, &lines, &body);
            let what = format!("{} bytes of gzip with {name} that are {item}", body.len());
            arena.tally.attack(&what, outcome.and_then(|answer| is_bounded(&answer)));
            if arena.size == Size::Short {
                break;
            }
        }
        let lines = [("Content-Type", "application/x-ndjson"), ("Content-Encoding", "gzip")];
        let body = gzip("{}\n".repeat(size / 3).as_bytes());
        let outcome = client.ask("POST", &target, &lines, &body);
        arena.tally.attack(
            &format!("lines of nothing for {target}"),
            outcome.and_then(
                |answer| {
                    if answer.status == 415 { Ok(()) } else { is_bounded(&answer) }
                },
            ),
        );
    }
    within_records(arena)?;
    by_command(arena)
}

/// Members of a record that are many and nothing.
fn within_records(arena: &mut Arena<'_>) -> Result<()> {
    let mut client = arena.attacker()?;
    let count = arena.size.of(200_000, 5_000_000);
    for (place, item) in
        [("sessions", "{}"), ("participants_v2", "{}"), ("modalities", "\"a\""), ("own", "[]")]
    {
        let members = format!(",\"{place}\":[{}]", vec![item; count].join(","));
        let body = gzip(record::with("many", &members).as_bytes());
        let lines = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
        let outcome = client.ask("POST", CALL_RECORDS, &lines, &body).and_then(|answer| {
            let is_taken = answer.status == 201 && place == "own";
            if is_taken { Ok(()) } else { is_bounded(&answer) }
        });
        arena.tally.attack(&format!("{count} of {place} that are {item}"), outcome);
    }
    Ok(())
}

/// Lists of empty records for the command that imports files.
fn by_command(arena: &mut Arena<'_>) -> Result<()> {
    let file = arena.instance.data().with_extension("nothing.json");
    let count = arena.size.of(1_000_000, 20_000_000);
    std::fs::write(&file, format!("{{\"value\":[{}]}}", vec!["{}"; count].join(",")))?;
    let mut command = arena.instance.command(&["import", "--tenant", ATTACKER]);
    command.arg(&file).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut import = command.spawn()?;
    let began = Instant::now();
    let (mut peak, mut is_over) = (0, false);
    while began.elapsed() < arena.patience() * 2 && !is_over {
        peak = peak.max(memory(import.id(), "VmHWM:").unwrap_or(0));
        is_over = import.try_wait()?.is_some() || peak > 3 * MOST_MEMORY;
        std::thread::sleep(Duration::from_millis(10));
    }
    // It may have ended by itself.
    let _ = import.kill();
    import.wait()?;
    std::fs::remove_file(&file)?;
    let outcome = must(peak <= MOST_MEMORY, || format!("{} MiB", peak >> 10));
    arena.tally.attack(&format!("the command reads {count} items of nothing"), outcome);
    Ok(())
}

/// Few bytes that inflate to many, where few are allowed.
pub(super) fn inflation(arena: &mut Arena<'_>) -> Result<()> {
    let zeros = vec![0; INFLATED];
    let form = b"grant_type=client_credentials";
    let mut stranger = arena.stranger();
    let token = format!("/{ATTACKER}/oauth2/v2.0/token");
    let codings: [(&str, Pack); 3] = [("br", brotli), ("gzip", gzip), ("zstd", zstd)];
    let mut ask = |target: &str, media: &str, coding: &str, body: &[u8]| {
        stranger.ask("POST", target, &[("Content-Type", media), ("Content-Encoding", coding)], body)
    };
    let media = "application/x-www-form-urlencoded";
    for (coding, pack) in codings {
        let usual = ask(&token, media, coding, &pack(form));
        arena.tally.control(
            &format!("a form in {coding} is read"),
            usual.and_then(|it| must(matches!(it.status, 400 | 401), || beginning(&it))),
        );
    }
    let before = arena.peak()?;
    for (coding, pack) in codings {
        let body = pack(&zeros);
        for _ in 0..arena.size.of(5, 400) {
            let outcome = ask(&token, media, coding, &body).and_then(|answer| {
                must(matches!(answer.status, 400 | 401 | 413), || beginning(&answer))
            });
            arena
                .tally
                .attack(&format!("{} bytes of {coding} without a token", body.len()), outcome);
        }
    }
    let grown = arena.peak()?.saturating_sub(before);
    let outcome = must(grown <= MOST_GROWTH, || format!("the memory grew by {grown} KiB"));
    arena.tally.attack("the memory that refused bodies take", outcome);
    with_token(arena, &zeros)
}

/// Compressed zeros for every address that reads a body within another limit.
fn with_token(arena: &mut Arena<'_>, zeros: &[u8]) -> Result<()> {
    let mut client = arena.attacker()?;
    let body = brotli(zeros);
    let before = arena.peak()?;
    let targets = [
        ("POST", "/v1.0/$batch".to_owned(), "application/json"),
        ("POST", "/v1.0/subscriptions".to_owned(), "application/json"),
        ("PATCH", "/v1.0/subscriptions/none".to_owned(), "application/json"),
        ("POST", format!("{CALL_RECORDS}/$query"), "text/plain"),
        ("POST", "/v1.0/communications/callvault.callEvents".to_owned(), "application/json"),
    ];
    let rounds = arena.size.of(1, 20);
    for (method, target, media) in targets.iter().cycle().take(rounds * targets.len()) {
        let lines = [("Content-Type", *media), ("Content-Encoding", "br")];
        let outcome = client.ask(method, target, &lines, &body).and_then(|answer| {
            must(matches!(answer.status, 400 | 404 | 413), || {
                format!("{} {}", answer.status, beginning(&answer))
            })
        });
        arena.tally.attack(&format!("{} bytes of br for {target}", body.len()), outcome);
    }
    let grown = arena.peak()?.saturating_sub(before);
    // The longest that is taken is inflated whole, and what threads had of it stays with them for a while.
    let most = MOST_GROWTH + 5 * (INFLATED as u64 >> 10);
    let outcome = must(grown <= most, || format!("the memory grew by {grown} KiB"));
    arena.tally.attack("the memory that such bodies take with a token", outcome);
    Ok(())
}

/// A request whose body never ends.
fn dripping(address: SocketAddr, target: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_millis(1)))?;
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: callvault.example\r\nContent-Length: 10000\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    Ok(stream)
}

/// Whether the other side still waits for more of it; one byte more is sent to see.
fn is_open(stream: &mut TcpStream) -> bool {
    let is_taken = stream.write_all(b"a").is_ok();
    let mut buffer = [0; 512];
    match stream.peek(&mut buffer) {
        Ok(_) => false,
        Err(error) => {
            is_taken
                && matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                )
        }
    }
}

/// Bodies that drip, of those who have no token.
pub(super) fn slow(arena: &mut Arena<'_>) -> Result<()> {
    let target = format!("/{ATTACKER}/oauth2/v2.0/token");
    let few = arena.size.of(20, 100);
    let mut streams = Vec::new();
    for _ in 0..few {
        streams.push(dripping(arena.address, &target)?);
    }
    let began = Instant::now();
    let still = streams.iter_mut().map(is_open).filter(|is_open| *is_open).count();
    arena.tally.control("they drip at first", must(still == few, || format!("{still} of {few}")));
    if arena.size == Size::Long {
        while began.elapsed() < LONGEST && !streams.is_empty() {
            std::thread::sleep(Duration::from_secs(8));
            streams.retain_mut(is_open);
        }
        let left = streams.len();
        let outcome = must(left == 0, || format!("{left} of {few} are open after {LONGEST:?}"));
        arena.tally.attack("bodies of a byte each eight seconds", outcome);
    }
    drop(streams);
    // More than there are seats.
    let many = 1_100;
    let mut streams: Vec<TcpStream> = Vec::new();
    for _ in 0..many {
        // Who is turned away is one fewer.
        streams.extend(dripping(arena.address, &target));
    }
    let count = streams.len();
    arena.tally.control("so many can connect", must(count > 900, || format!("{count} of {many}")));
    let began = Instant::now();
    let answer = arena.attacker()?.get(&format!("{CALL_RECORDS}?$top=1"));
    let took = began.elapsed();
    let outcome = answer.and_then(|it| must(it.status == 200, || beginning(&it)));
    arena.tally.attack(&format!("a request beside {many} that drip"), outcome);
    if arena.size == Size::Long {
        let outcome = must(took < Duration::from_secs(2), || format!("answered after {took:.1?}"));
        arena.tally.attack(&format!("its time beside {many} that drip"), outcome);
    }
    Ok(())
}
