//! Addresses that a server must not be led to by those who choose where it is to send: none is reached,
//! and what it says of one tells nothing of what is there.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use anyhow::{Context, Result};
use odata::primitive::DateTimeOffset;
use testkit::Receiver;

use super::arena::{ATTACKER, Arena, READ, must};
use super::client::{Client, beginning, error};
use crate::instance::Instance;
use crate::server_process::ServerProcess;
use xtask::repository::PROFILE;

/// Hosts that lead inside, or nowhere that is public. `PORT` is one on which somebody listens.
const HOSTS: [&str; 88] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "0.0.0.0",
    "0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "[::1%25lo]",
    "１２７.0.0.1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "10.0.0.1",
    "10.255.255.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "192.168.255.254",
    "100.64.0.1",
    "100.127.255.254",
    "169.254.169.254",
    "169.254.1.1",
    "0xa9fea9fe",
    "168.63.129.16",
    "metadata.google.internal",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[fdff::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[2001::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2002:c0a8:101::]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a00:1]",
    "[64:ff9b:1::101:101]",
    "[64:ff9b:1:a00:0:100:101:101]",
    "[64:ff9b:1:0:0:a00:1:0]",
    "[64:ff9b:1:a00:1::]",
    "[64:ff9b:1:fffe::a00:1]",
    "[64:ff9b:1:a9fe:a9:fe00::]",
    "[64:ff9b:1:7f00:0:100::]",
    "[2001:20::1]",
    "[2001:10::1]",
    "[2620:4f:8000::1]",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "192.0.0.8",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "0.1.2.3",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "user:secret@127.0.0.1",
    "127.0.0.1#@contoso.com",
    "contoso.com@127.0.0.1",
    "127.0.0.1?@contoso.com",
    "127.0.0.1%2f",
    "127.0.0.1%00.contoso.com",
    "internal",
];

/// Schemes, of which the first two and the last two are known.
const SCHEMES: [&str; 9] =
    ["https", "tls", "http", "nats", "file", "gopher", "ftp", "unix", "javascript"];

/// Texts that are no addresses.
const NO_ADDRESSES: [&str; 12] = [
    "",
    "https://",
    "https:///",
    "https:127.0.0.1",
    "//127.0.0.1/",
    "https://127.0.0.1:99999/",
    "https://127.0.0.1\r\nHost: a/",
    "https://a b/",
    "https://[::1/",
    "https://%31%32%37.0.0.1/",
    "\\\\127.0.0.1\\a",
    "https://127.0.0.1\\@contoso.com/",
];

/// Words of an inside that nobody outside may hear.
const CAUSES: [&str; 14] = [
    "refused",
    "os error",
    "errno",
    "timed out",
    "timeout",
    "resolve",
    "dns",
    "lookup",
    "unreachable",
    "certificate",
    "handshake failure",
    "connection",
    "no such host",
    "not known",
];

/// A subscription to one address.
fn wish(url: &str, other: Option<&str>) -> Result<String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let mut body = serde_json::json!({
        "changeType": "created", "notificationUrl": url, "resource": "communications/callRecords",
        "expirationDateTime": DateTimeOffset::from_unix_seconds(now.cast_signed() + 7_200).to_string(),
    });
    if let Some(other) = other {
        body["lifecycleNotificationUrl"] = other.into();
    }
    Ok(body.to_string())
}

/// A listener that counts who comes.
fn trap() -> Result<(u16, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind("0.0.0.0:0")?;
    let port = listener.local_addr()?.port();
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counting.fetch_add(1, Ordering::Relaxed);
            drop(stream);
        }
    });
    Ok((port, count))
}

/// A server that is as it is by default: no networks are allowed.
fn by_default(arena: &Arena<'_>) -> Result<(Instance, ServerProcess, Client)> {
    let instance = Instance::new(PROFILE, arena.instance.data().with_extension("addresses"))?;
    let mut command = instance.serve_command();
    for name in ["ALLOW_INSECURE_URLS", "ALLOW_NETWORKS"] {
        command.env_remove(format!("CALLVAULT_NOTIFICATIONS__{name}"));
    }
    let token = instance.token_in(ATTACKER, &[READ])?;
    let served = ServerProcess::start(command.stderr(Stdio::null()))?;
    let address = served.url.strip_prefix("http://").context("plain HTTP")?.parse()?;
    Ok((instance, served, Client::new(address, &token, testkit::PATIENCE)))
}

/// All of them.
pub(super) fn inside(arena: &mut Arena<'_>) -> Result<()> {
    let (_instance, _served, mut client) = by_default(arena)?;
    let (port, reached) = trap()?;
    // Where the loopback is allowed, such a wish reaches the trap's kind.
    let receiver = Receiver::new();
    let mut allowed = arena.client(ATTACKER, &[READ])?;
    let made = allowed.post("/v1.0/subscriptions", wish(&receiver.url("/x"), None)?.as_bytes());
    arena.tally.control(
        "an address that is allowed is reached",
        made.and_then(|it| {
            must(it.status == 201 && !receiver.received().is_empty(), || beginning(&it))
        }),
    );
    let schemes = arena.size.of(&SCHEMES[..2], &SCHEMES[..]);
    for host in HOSTS {
        for scheme in schemes {
            let url = match host.find(['#', '?', '%']) {
                Some(at) if !host.starts_with('[') => {
                    format!("{scheme}://{}:{port}{}/calls", &host[..at], &host[at..])
                }
                _ => format!("{scheme}://{host}:{port}/calls"),
            };
            refused(arena, &mut client, &wish(&url, None)?, &url);
        }
        let url = format!("https://{host}:{port}/life");
        refused(arena, &mut client, &wish("https://127.0.0.1:1/", Some(&url))?, &url);
    }
    for text in NO_ADDRESSES {
        refused(arena, &mut client, &wish(text, None)?, text);
    }
    let long = format!("https://127.0.0.1:{port}/{}", "a".repeat(9_000));
    refused(arena, &mut client, &wish(&long, None)?, "an address of 9 KB");
    let count = reached.load(Ordering::Relaxed);
    arena
        .tally
        .attack("who listens inside hears nothing", must(count == 0, || format!("{count} came")));
    alike(arena, &mut client, port)
}

/// No subscription is made, and the reason is no cause.
fn refused(arena: &mut Arena<'_>, client: &mut Client, wish: &str, what: &str) {
    let outcome = client.post("/v1.0/subscriptions", wish.as_bytes()).and_then(|answer| {
        must(answer.status == 400, || format!("{} {}", answer.status, beginning(&answer)))?;
        let (_, message) = error(&answer);
        let message = message.to_lowercase();
        let cause = CAUSES.iter().find(|cause| message.contains(*cause));
        // That an address has to answer in time is a rule, which is told of all alike.
        must(cause.is_none() || message.contains("validation"), || message.clone())
    });
    arena.tally.attack(&format!("a subscription to {what}"), outcome);
}

/// A name that is not there, a port that is shut, one that is open, and an address inside are answered
/// in the same words, whichever the scheme.
fn alike(arena: &mut Arena<'_>, client: &mut Client, open: u16) -> Result<()> {
    let shut = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let hosts = [
        "no-such-name.invalid:443".to_owned(),
        format!("127.0.0.1:{open}"),
        format!("127.0.0.1:{shut}"),
        format!("localhost:{shut}"),
        "10.0.0.1:4222".to_owned(),
        "no-such-name.example:4222".to_owned(),
        "[::1]:4222".to_owned(),
        "internal:4222".to_owned(),
    ];
    let mut words = Vec::new();
    for scheme in ["https", "tls"] {
        for host in &hosts {
            let url = format!("{scheme}://{host}/calls");
            let answer = client.post("/v1.0/subscriptions", wish(&url, None)?.as_bytes());
            let said = answer.map(|answer| {
                let (code, message) = error(&answer);
                format!(
                    "{} {code} {}",
                    answer.status,
                    message.replace(host.as_str(), "HOST").replace(scheme, "SCHEME")
                )
            });
            words.push((url, said));
        }
    }
    // What an address that is written out says of itself, everybody knows; a name tells nothing.
    let is_literal = |url: &str| {
        let host = url.split_once("://").map_or("", |(_, host)| host);
        host.starts_with(|first: char| first == '[' || first.is_ascii_digit())
    };
    let firsts = [false, true].map(|literal| {
        let first = words.iter().find(|(url, _)| is_literal(url) == literal);
        first.and_then(|(_, said)| said.as_ref().ok().cloned()).unwrap_or_default()
    });
    for (url, said) in words {
        let first = &firsts[usize::from(is_literal(&url))];
        let outcome =
            said.and_then(|said| must(said == *first, || format!("{said:?}, others {first:?}")));
        arena.tally.attack(&format!("what is said of {url}"), outcome);
    }
    Ok(())
}
