//! Nothing of a tenant is told to another: each one's records, calls and rows of logs hold a word that is
//! looked for in every byte that others get.

use std::time::{Duration, Instant};

use anyhow::Result;
use odata::percent::encode_query;
use serde_json::json;
use testkit::Receiver;

use super::super::client::Dice;
use super::arena::{Arena, READ, WRITE, must};
use super::client::{Client, batch, beginning, json as parsed};
use super::record;
use crate::paths::CALL_RECORDS;
use crate::raw::Answer;

const TENANTS: usize = 3;
const ADMIN: &str = "Callvault.Admin";
const PLACES: &str = "/callvault/places";

fn tenant(number: usize) -> String {
    format!("30000000-0000-4000-8000-{number:012}")
}

/// The name of a tenant's things, which others may know and say.
fn word(number: usize) -> String {
    format!("canary{number}")
}

/// What is in its things, which others may never hear and don't know.
fn secret(number: usize) -> String {
    format!("qxzj{number}vkwq{number}hhgz")
}

/// The id of a record of a tenant; every second one is a GUID, so that it is read the fast way.
fn id(number: usize, place: usize) -> String {
    if place.is_multiple_of(2) {
        format!("{number}ca00000-0000-4000-8000-{place:012}")
    } else {
        format!("{}-{place}", word(number))
    }
}

/// A tenant with its links, and whom it has told of its records.
struct Side {
    client: Client,
    links: Vec<String>,
    receiver: Receiver,
}

/// Fills the tenants, then lets each ask for what is another's.
pub(super) fn canaries(arena: &mut Arena<'_>) -> Result<()> {
    let records = arena.size.of(70, 1_000);
    let mut sides = Vec::new();
    for number in 0..TENANTS {
        sides.push(fill(arena, number, records)?);
    }
    for (number, side) in sides.iter_mut().enumerate() {
        let own = side.client.get(&format!("{CALL_RECORDS}/{}", id(number, 1)));
        let outcome = own.and_then(|answer| must(holds(&answer, number), || beginning(&answer)));
        arena.tally.control("a tenant finds its own word", outcome);
    }
    let mut dice = Dice::new(9);
    for _ in 0..arena.size.of(600, 20_000) {
        let asking = dice.below(TENANTS as u64) as usize;
        let other = (asking + 1 + dice.below(TENANTS as u64 - 1) as usize) % TENANTS;
        let (method, target, body) = question(&mut dice, other, records, &sides[other].links);
        let lines: &[(&str, &str)] =
            if body.is_empty() { &[] } else { &[("Content-Type", "application/json")] };
        let answer = sides[asking].client.ask(method, &target, lines, body.as_bytes());
        let is_link = sides[other].links.contains(&target);
        let outcome = answer.and_then(|answer| {
            let leaks =
                (0..TENANTS).filter(|number| *number != asking).any(|it| holds(&answer, it));
            let is_count = target.contains("/$count");
            let is_wrong = leaks
                || answer.status >= 500
                || (is_link && answer.status != 400)
                || (is_count && answer.body != b"0");
            must(!is_wrong, || format!("{} {}", answer.status, beginning(&answer)))
        });
        arena.tally.attack(&format!("{method} {target} of another"), outcome);
    }
    absent_alike(arena, &mut sides, records);
    told_apart(arena, &sides);
    Ok(())
}

/// Receivers have heard of their own tenant, and of no other.
fn told_apart(arena: &mut Arena<'_>, sides: &[Side]) {
    for (number, side) in sides.iter().enumerate() {
        let began = Instant::now();
        while side.receiver.messages().is_empty() && began.elapsed() < arena.patience() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let bodies: Vec<Vec<u8>> = side.receiver.messages().into_iter().map(|it| it.body).collect();
        let text = String::from_utf8_lossy(&bodies.concat()).into_owned();
        let is_told = text.contains(&tenant(number));
        arena.tally.control("a tenant is told of its records", must(is_told, || text.clone()));
        let others = (0..TENANTS).filter(|other| *other != number);
        let hears =
            others.filter(|it| text.contains(&word(*it)) || text.contains(&tenant(*it))).count();
        arena.tally.attack("notifications are of one's own", must(hears == 0, || text.clone()));
    }
}

fn fill(arena: &Arena<'_>, number: usize, records: usize) -> Result<Side> {
    let mut client = arena.client(&tenant(number), &[READ, WRITE, ADMIN])?;
    let (word, secret) = (word(number), secret(number));
    let receiver = Receiver::new();
    let token = client.token.clone();
    arena.instance.subscribe(
        &token,
        "created",
        "communications/callRecords",
        &receiver.url("/told"),
    )?;
    let mut lines = String::new();
    for place in 0..records {
        let identity =
            format!("{{\"user\":{{\"id\":\"{word}-{place}\",\"displayName\":\"{secret}\"}}}}");
        let members = format!(
            ",\"joinWebUrl\":\"https://contoso.com/{secret}\",\
             \"participants_v2\":[{{\"id\":\"{word}-{place}\",\"identity\":{identity}}}],\
             \"sessions\":[{{\"id\":\"{word}-s\",\"startDateTime\":\"2025-01-01T10:00:00Z\",\
             \"endDateTime\":\"2025-01-01T10:00:00Z\",\"own\":\"{secret}\"}}]"
        );
        lines += &record::with(&id(number, place), &members);
        lines.push('\n');
    }
    let target = format!("{CALL_RECORDS}/callvault.import");
    let ndjson = [("Content-Type", "application/x-ndjson")];
    let answer =
        client.ask("POST", &target, &ndjson, lines.as_bytes()).map_err(anyhow::Error::msg)?;
    anyhow::ensure!(answer.status == 200, "{}", beginning(&answer));
    let event = json!({"events": [{
        "eventId": word, "callId": word, "callChainId": format!("{word}-call"), "subject": secret,
        "time": "2025-01-01T10:00:00Z", "type": "started", "participant": {"user": {"id": secret}},
    }]});
    let told =
        client.post("/v1.0/communications/callvault.callEvents", event.to_string().as_bytes());
    told.map_err(anyhow::Error::msg)?;
    let row = json!({"rows": [{"id": "00000000-0000-4000-8000-000000000001", "callId": secret,
        "startDateTime": "2025-05-18T18:20:00Z", "duration": 219, "callType": "user_in"}]});
    let told = client
        .post(&format!("{CALL_RECORDS}/callvault.importPstnCalls"), row.to_string().as_bytes());
    told.map_err(anyhow::Error::msg)?;
    let csv = [("Content-Type", "text/csv")];
    let map = format!("{secret},{secret},,,,,\n");
    let answer = client.ask("POST", &format!("{PLACES}?name={word}"), &csv, map.as_bytes());
    let answer = answer.map_err(anyhow::Error::msg)?;
    anyhow::ensure!(answer.status == 201, "{}", beginning(&answer));
    let mut links = Vec::new();
    for options in ["", "?$expand=sessions", "?$select=id&$orderby=id", "/callvault.sessions()"] {
        let page = client.get(&format!("{CALL_RECORDS}{options}")).map_err(anyhow::Error::msg)?;
        let page = parsed(&page).map_err(anyhow::Error::msg)?;
        if let Some(link) = page["@odata.nextLink"].as_str() {
            let path =
                link.split("//").nth(1).and_then(|rest| rest.find('/').map(|at| &rest[at..]));
            links.extend(path.map(str::to_owned));
        }
    }
    anyhow::ensure!(!links.is_empty(), "no page has a link");
    Ok(Side { client, links, receiver })
}

/// Whether an answer holds what only a tenant may hear, in any byte.
fn holds(answer: &Answer, number: usize) -> bool {
    let secret = secret(number);
    let in_lines = answer.lines.iter().any(|(_, value)| value.contains(&secret));
    in_lines || answer.body.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// A question about what is another's.
fn question(
    dice: &mut Dice,
    other: usize,
    records: usize,
    links: &[String],
) -> (&'static str, String, String) {
    let own = id(other, dice.below(records as u64) as usize);
    let word = word(other);
    let quoted = encode_query(&format!("'{own}'"));
    let get = |target: String| ("GET", target, String::new());
    match dice.below(27) {
        0 => get(format!("{CALL_RECORDS}/{own}")),
        1 => get(format!("{CALL_RECORDS}/{own}?$expand=sessions($expand=segments)")),
        2 => get(format!("{CALL_RECORDS}/{own}/sessions/{word}-s")),
        3 => get(format!("{CALL_RECORDS}?$filter=id%20eq%20{quoted}")),
        4 => get(format!("{CALL_RECORDS}?$search={word}")),
        5 => {
            get(format!("{CALL_RECORDS}?$filter=participants_v2/any(p:startswith(p/id,'{word}'))"))
        }
        6 => get(links[dice.below(links.len() as u64) as usize].clone()),
        7 => get(format!("{CALL_RECORDS}?$orderby=id%20desc&$top={}", dice.below(100))),
        8 => get(format!("{CALL_RECORDS}/$count?$filter=id%20eq%20{quoted}")),
        9 => {
            get(format!("{CALL_RECORDS}/callvault.sessions()?$top=50&$filter=id%20eq%20'{word}-s'"))
        }
        10 => get(format!("{CALL_RECORDS}?$apply=groupby((id))")),
        11 => {
            get(format!("{CALL_RECORDS}?$apply=groupby((joinWebUrl),aggregate($count%20as%20n))"))
        }
        12 => get(format!("/v1.0/communications/calls/{word}")),
        13 => get("/v1.0/communications/calls?$top=100".to_owned()),
        14 => get(format!(
            "{CALL_RECORDS}/getPstnCalls(fromDateTime=2025-05-18,toDateTime=2025-05-19)"
        )),
        15 => get("/v1.0/subscriptions".to_owned()),
        16 => get(format!("{CALL_RECORDS}/{own}/callvault.versions()")),
        17 => {
            let records = "/communications/callRecords";
            let urls = [format!("{records}/{own}"), format!("{records}?$search={word}")];
            let body = batch(&[&*urls[0], &*urls[1]]);
            ("POST", "/v1.0/$batch".to_owned(), body)
        }
        18 => get("/v1.0/communications/callvault.deliveries()".to_owned()),
        19 => ("PATCH", format!("/v1.0/subscriptions/{own}"), "{}".to_owned()),
        20 => ("DELETE", format!("/v1.0/subscriptions/{own}"), String::new()),
        21 => get(format!("{CALL_RECORDS}/delta?$filter=id%20eq%20{quoted}")),
        22 => get(format!("{CALL_RECORDS}/delta?$expand=sessions")),
        23 => get(PLACES.to_owned()),
        24 => get(format!("{PLACES}/{word}")),
        25 => ("DELETE", format!("{PLACES}/{word}"), String::new()),
        _ => get(format!(
            "{CALL_RECORDS}?$filter=startswith(joinWebUrl,'https://contoso.com/')&$orderby=joinWebUrl"
        )),
    }
}

/// What is another's is answered byte by byte as what does not exist.
fn absent_alike(arena: &mut Arena<'_>, sides: &mut [Side], records: usize) {
    let lasting = |answer: Answer| {
        let id = answer.line("request-id").unwrap_or("no id").to_owned();
        let body = String::from_utf8_lossy(&answer.body).replace(&id, "");
        let body: String =
            body.split("\"date\":\"").map(|part| part.get(20..).unwrap_or(part)).collect();
        let names: Vec<String> = answer.lines.iter().map(|(name, _)| name.clone()).collect();
        (answer.status, names, body.len())
    };
    for place in 0..arena.size.of(20, 250) {
        for (asking, other) in [(0, 1), (1, 2)] {
            let foreign = id(other, (2 * place) % records);
            let absent = format!("{}ffffff{}", &foreign[..1], &foreign[7..]);
            let client = &mut sides[asking].client;
            let foreign = client.get(&format!("{CALL_RECORDS}/{foreign}"));
            let absent = client.get(&format!("{CALL_RECORDS}/{absent}"));
            let outcome = foreign.and_then(|foreign| {
                let (foreign, absent) = (lasting(foreign), lasting(absent?));
                must(foreign == absent && foreign.0 == 404, || {
                    format!("{foreign:?} and {absent:?}")
                })
            });
            arena.tally.attack("what is another's is as what is not there", outcome);
        }
    }
}
