//! Questions that go on within one record, and values that grow: each ends with the name of the budget
//! that it used up, and nobody else notices.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use odata::percent::encode_query;

use super::arena::{Arena, Size, must};
use super::client::{Client, batch, beginning, error, json};
use super::record;
use crate::paths::CALL_RECORDS;
use crate::raw::Answer;

/// Sessions of the record that is asked about: five lambdas inside each other look at 102 million rows.
const SESSIONS: usize = 40;
const ID: &str = "e0000000-0000-4000-8000-000000000001";
/// The time that a question may take is two seconds, within a tenth.
const MOST_TIME: Duration = Duration::from_millis(2_200);
/// Such questions at once, in the long form.
const AT_ONCE: usize = 64;

/// A condition on sessions within sessions, five levels of it. `kind` is `any` or `all`, and `is_so`
/// what decides nothing before everything was looked at.
fn nested(kind: &str, is_so: &str) -> String {
    let inner = ["b", "c", "d", "e"].map(|name| format!("$it/sessions/{kind}({name}:"));
    format!("sessions/{kind}(a:{}{is_so})))))", inner.concat())
}

/// Every place of an address in which a condition can stand, and a body that holds it.
fn places(condition: &str) -> Vec<(&'static str, String, Option<String>)> {
    let text = encode_query(condition);
    let own = encode_query(&format!("id eq '{ID}' and "));
    let case = encode_query(&format!("case({condition}:1,true:2)"));
    let one = format!("id%20eq%20'{ID}'");
    let query = format!("$filter={own}{text}");
    let batch = batch(&[&format!("/communications/callRecords?{query}")]);
    let summed =
        format!("filter({one})/compute({case}%20as%20c)/aggregate(c%20with%20sum%20as%20s)");
    vec![
        ("$filter of one record", format!("{CALL_RECORDS}?{query}"), None),
        ("$filter of all", format!("{CALL_RECORDS}?$filter={text}"), None),
        ("$count", format!("{CALL_RECORDS}/$count?{query}"), None),
        ("a path", format!("{CALL_RECORDS}/$filter({text})/$count"), None),
        ("$orderby", format!("{CALL_RECORDS}?$filter={one}&$orderby={case}"), None),
        (
            "$compute",
            format!("{CALL_RECORDS}?$filter={one}&$compute={case}%20as%20c&$select=c"),
            None,
        ),
        (
            "$compute of a record",
            format!("{CALL_RECORDS}/{ID}?$compute={case}%20as%20c&$select=c"),
            None,
        ),
        ("$apply", format!("{CALL_RECORDS}?$apply=filter({own}{text})"), None),
        ("$apply with a figure", format!("{CALL_RECORDS}?$apply={summed}"), None),
        ("$query", format!("{CALL_RECORDS}/$query"), Some(query)),
        ("$batch", "/v1.0/$batch".to_owned(), Some(batch)),
    ]
}

fn asked(client: &mut Client, target: &str, body: Option<&String>) -> Result<Answer, String> {
    match body {
        None => client.get(target),
        Some(body) if target.ends_with("$batch") => client.post(target, body.as_bytes()),
        Some(body) => {
            client.ask("POST", target, &[("Content-Type", "text/plain")], body.as_bytes())
        }
    }
}

/// Whether an answer says that the record meets the condition, or that it does not.
fn is_right(place: &str, is_met: bool, answer: &Answer) -> Result<bool, String> {
    let body = json(answer)?;
    let body = if place == "$batch" { &body["responses"][0]["body"] } else { &body };
    let first = &body["value"][0];
    let figure = if is_met { 1 } else { 2 };
    Ok(match place {
        "$count" | "a path" => *body == u64::from(is_met),
        "$orderby" => first["id"] == ID,
        "$compute" => first["c"] == figure,
        "$compute of a record" => body["c"] == figure,
        "$apply with a figure" => first["s"] == figure,
        _ if is_met => first["id"] == ID,
        _ => body["value"].as_array().is_some_and(Vec::is_empty),
    })
}

/// Whether an answer tells of the budget that was used up.
pub(super) fn names_budget(answer: &Answer) -> Result<(), String> {
    let mut status = u64::from(answer.status);
    let (mut code, mut message) = error(answer);
    let body = json(answer)?;
    if let Some(inner) = body["responses"].get(0) {
        status = inner["status"].as_u64().unwrap_or(0);
        let text =
            |name: &str| inner["body"]["error"][name].as_str().unwrap_or_default().to_owned();
        (code, message) = (text("code"), text("message"));
    }
    let words = ["limit", "at most", "longer", "memory", "steps", "budget", "more than", "at once"];
    let is_named = words.iter().any(|word| message.contains(word)) && !code.is_empty();
    let is_refused = matches!(status, 400 | 503);
    must(is_refused && is_named, || {
        format!("{status}, and no budget is named: {}", beginning(answer))
    })
}

/// Questions without an end, one after the other and many at once.
pub(super) fn questions(arena: &mut Arena<'_>) -> Result<()> {
    let mut client = arena.attacker()?;
    client.keep(&record::large(ID, SESSIONS, 1))?;
    let harmless =
        encode_query(&format!("id eq '{ID}' and sessions/all(a:a/startDateTime le a/endDateTime)"));
    let answer = client.get(&format!("{CALL_RECORDS}/$count?$filter={harmless}"));
    arena.tally.control(
        "a short question is answered",
        answer.and_then(|it| must(it.body == b"1", || beginning(&it))),
    );
    // The texts are left to the evaluator.
    let evaluated = nested("all", "length(concat(a/id,e/id)) gt 0");
    // The times have columns: the engine may have an answer in time, which then has to be right.
    let all = nested("all", "a/startDateTime le e/endDateTime");
    let any = nested("any", "a/startDateTime gt e/endDateTime");
    let conditions = match arena.size {
        Size::Short => vec![(evaluated.clone(), None)],
        Size::Long => vec![(evaluated.clone(), None), (all, Some(true)), (any, Some(false))],
    };
    let few = arena.size.of(4, usize::MAX);
    for (condition, truth) in conditions {
        for (place, target, body) in places(&condition).into_iter().take(few) {
            let began = Instant::now();
            let answer = asked(&mut client, &target, body.as_ref());
            let took = began.elapsed();
            let outcome = answer.and_then(|answer| match truth {
                Some(is_met) if answer.status == 200 && is_right(place, is_met, &answer)? => Ok(()),
                _ => names_budget(&answer),
            });
            arena.tally.attack(&format!("a question without an end in {place}"), outcome);
            if arena.size == Size::Long {
                let in_time = must(took <= MOST_TIME, || format!("answered after {took:.1?}"));
                arena.tally.attack(&format!("the time of a question in {place}"), in_time);
            }
        }
    }
    let target = format!(
        "{CALL_RECORDS}?$filter={}",
        encode_query(&format!("id eq '{ID}' and {evaluated}"))
    );
    at_once(arena, &target)
}

/// Many of them at once; each is refused with a name.
fn at_once(arena: &mut Arena<'_>, target: &str) -> Result<()> {
    let count = arena.size.of(4, AT_ONCE);
    let mut clients = Vec::new();
    let token = arena.attacker()?.token;
    for _ in 0..count {
        clients.push(Client::new(arena.address, &token, arena.patience()));
    }
    let asking: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            let target = target.to_owned();
            thread::spawn(move || client.get(&target).and_then(|answer| names_budget(&answer)))
        })
        .collect();
    for one in asking {
        let outcome = one.join().unwrap_or_else(|_| Err("a thread of the trial failed".to_owned()));
        arena.tally.attack("one of many questions without an end", outcome);
    }
    Ok(())
}

/// Members of `$compute` of which each is twice the one before.
fn doubled(function: &str, levels: usize) -> String {
    let twice = |level: usize| format!("{function}(c{0},c{0}) as c{level}", level - 1);
    let members: Vec<String> =
        [format!("{function}(id,id) as c0")].into_iter().chain((1..levels).map(twice)).collect();
    members.join(",")
}

fn of_levels(levels: usize) -> String {
    let compute = encode_query(&doubled("concat", levels));
    format!("{CALL_RECORDS}/{ID}?$select=c{}&$compute={compute}", levels - 1)
}

/// Questions whose answers are far larger than what they are asked of.
pub(super) fn growth(arena: &mut Arena<'_>) -> Result<()> {
    let mut client = arena.attacker()?;
    client.keep(&record::large(ID, 4, 1))?;
    let answer = client.get(&of_levels(3)).and_then(|answer| json(&answer));
    arena.tally.control(
        "three levels are answered",
        answer
            .and_then(|body| must(body["c2"].as_str() == Some(&ID.repeat(8)), || body.to_string())),
    );
    // So often that the neighbour's times are more than a few.
    for _ in 0..arena.size.of(1, 20) {
        grow(arena, &mut client);
    }
    Ok(())
}

/// Each such question once.
fn grow(arena: &mut Arena<'_>, client: &mut Client) {
    for levels in arena.size.of(vec![20, 22], vec![17, 18, 19, 20, 21, 22, 24, 28]) {
        let outcome = client.get(&of_levels(levels)).and_then(|answer| {
            // What fits is answered.
            if answer.status == 200 && levels < 19 { Ok(()) } else { names_budget(&answer) }
        });
        arena.tally.attack(&format!("$compute of {levels} levels"), outcome);
    }
    let levels = 20;
    let list = encode_query(&doubled("concat", levels));
    let last = levels - 1;
    let inside = format!("sessions($compute={list};$select=c{last})");
    let branches = "concat(".repeat(12) + "identity" + &",identity)".repeat(12);
    let apply = format!("filter(id eq '{ID}')/{branches}");
    for (name, query) in [
        ("$compute of a list", format!("?$compute={list}&$select=c{last}&$top=1")),
        (
            "$compute in $filter",
            format!("?$compute={list}&$filter=length(c{last})%20gt%201&$select=id"),
        ),
        ("$compute in $orderby", format!("?$compute={list}&$orderby=c{last}&$select=id")),
        ("$compute in $expand", format!("/{ID}?$expand={inside}")),
        ("compute in $apply", format!("?$apply=compute({list})/groupby((c{last}))")),
        ("branches of $apply", format!("?$apply={}", encode_query(&apply))),
    ] {
        let outcome = client.get(&format!("{CALL_RECORDS}{query}")).and_then(|answer| {
            let is_little = answer.status == 200 && answer.body.len() < 1 << 20;
            if is_little && name == "branches of $apply" { Ok(()) } else { names_budget(&answer) }
        });
        arena.tally.attack(name, outcome);
    }
}
