//! Subscriptions whose conditions go on without an end: no other tenant's notification waits for them.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use odata::primitive::DateTimeOffset;
use testkit::Receiver;

use super::arena::{Arena, READ, WRITE, must};
use super::client::{Client, beginning};
use super::record;

const SESSIONS: usize = 40;
/// Tenants that wait for notifications while one attacks.
const TENANTS: usize = 50;
/// A notification beside the attack may take so much longer than one without; two seconds are what a
/// condition may take.
const MOST_DELAY: Duration = Duration::from_secs(1);

fn tenant(number: usize) -> String {
    format!("50000000-0000-4000-8000-{number:012}")
}

/// Subscribes to records, with a condition if there is one.
fn subscribe(client: &mut Client, url: &str, filter: &str) -> Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let until = DateTimeOffset::from_unix_seconds(now.cast_signed() + 7_200);
    let body = format!(
        "{{\"changeType\":\"created,updated\",\"notificationUrl\":\"{url}\",\"clientState\":\"s\",\
         \"resource\":\"communications/callRecords{filter}\",\"expirationDateTime\":\"{until}\"}}"
    );
    let answer = client.post("/v1.0/subscriptions", body.as_bytes()).map_err(anyhow::Error::msg)?;
    ensure!(answer.status == 201, "{} {}", answer.status, beginning(&answer));
    Ok(())
}

fn condition() -> String {
    let inner = ["b", "c", "d", "e"].map(|name| format!("$it/sessions/all({name}:"));
    // Texts are left to the evaluator, where times would be compared by the engine.
    format!("?$filter=sessions/all(a:{}length(concat(a/id,e/id)) gt 0)))))", inner.concat())
}

/// Waits for so many items.
fn told(receiver: &Receiver, count: usize, patience: Duration) -> Result<Duration, String> {
    let began = Instant::now();
    while began.elapsed() < patience {
        if receiver.items().len() >= count {
            return Ok(began.elapsed());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(format!("{} of {count} are told after {patience:?}", receiver.items().len()))
}

/// One hostile tenant and some that are not.
pub(super) fn conditions(arena: &mut Arena<'_>) -> Result<()> {
    let count = arena.size.of(5, TENANTS);
    let receivers: Vec<Receiver> = (0..count).map(|_| Receiver::new()).collect();
    let mut clients = Vec::new();
    for (number, receiver) in receivers.iter().enumerate() {
        let mut client = arena.client(&tenant(number), &[READ, WRITE])?;
        subscribe(&mut client, &receiver.url("/told"), "")?;
        clients.push(client);
    }
    let keep_all = |clients: &mut [Client], round: &str| -> Result<()> {
        for client in clients {
            client.keep(&record::small(&format!("told-{round}")))?;
        }
        Ok(())
    };
    keep_all(&mut clients, "quiet")?;
    let mut quiet = Duration::ZERO;
    for receiver in &receivers {
        let took = told(receiver, 1, arena.patience());
        quiet = quiet.max(took.clone().unwrap_or_default());
        arena.tally.control("tenants are told without an attack", took.map(drop));
    }

    let hostile = Receiver::new();
    let mut attacker = arena.attacker()?;
    for number in 0..arena.size.of(2, 10) {
        subscribe(&mut attacker, &hostile.url(&format!("/{number}")), &condition())?;
    }
    let long = "e0000000-0000-4000-8000-000000000002";
    attacker.keep(&record::large(long, SESSIONS, 1))?;
    keep_all(&mut clients, "attacked")?;
    for receiver in &receivers {
        let took = told(receiver, 2, arena.patience());
        let is_late = |took: Duration| took > quiet + MOST_DELAY;
        let outcome = took.and_then(|took| {
            let is_judged = arena.size.of(false, true);
            must(!(is_judged && is_late(took)), || {
                format!("told after {took:.1?}, else {quiet:.1?}")
            })
        });
        arena.tally.attack("a tenant beside a condition without an end", outcome);
    }
    // What can't be decided counts as met.
    let met = told(&hostile, 1, arena.patience()).map(drop);
    arena.tally.attack("who subscribes by a condition without an end is told all the same", met);
    Ok(())
}
