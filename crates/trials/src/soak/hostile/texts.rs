//! Texts that would be more than texts if anybody wrote them as they come, and records as deep as they
//! may be: whatever is taken is shown in every form, and every form is sound JSON that says the same.

use anyhow::Result;
use odata::percent::{encode_query, encode_segment};
use serde_json::{Value, json};

use super::arena::{Arena, must};
use super::client::{Client, batch, beginning, is_json, json as parsed};
use super::record;
use crate::paths::CALL_RECORDS;
use crate::raw::Answer;

/// Texts that end something, begin something, or can't be seen.
const HOSTILE: [&str; 22] = [
    "a\",\"evil\":\"x",
    "a\"",
    "\"",
    "\\",
    "a\\",
    "\\\",\"evil\":1,\"x\":\"",
    "a\u{0}b",
    "a\u{1}b",
    "a\nb",
    "a\r\nevil: x",
    "a\u{1b}[31mb",
    "a\u{7f}b",
    "a\u{2028}b",
    "a\u{202e}b\u{202c}",
    "\u{feff}a",
    "a'b",
    "a')/evil",
    "a/b?c=d&e#f%00",
    "..",
    "a b+c",
    "\u{1f4de}",
    "</script><!--",
];

/// A JSON text in which a member is planted, to see that it is found.
const PLANTED: &str = r#"{"id":"a","evil":"x"}"#;

/// Forms in which a record is shown, behind its address.
const FORMS: [&str; 8] = [
    "",
    "?$select=id",
    "?$expand=sessions($expand=segments),participants_v2",
    "?$compute=concat(id,'')%20as%20c&$select=c,id",
    "/callvault.versions()",
    "/callvault.version(version=1)",
    "/sessions",
    "/id",
];
/// Forms of a list.
const LISTS: [&str; 8] = [
    "",
    "?$select=id&$top=1000",
    "?$expand=sessions($expand=segments)",
    "?$apply=groupby((id))",
    "?$orderby=id",
    "?$filter=version%20ge%201&$count=true",
    "/callvault.sessions()",
    "/callvault.segments()?$expand=*",
];

/// A whole answer that is sound and says nothing of its own.
fn is_sound(answer: &Answer) -> Result<Value, String> {
    is_sound_as(answer, answer.status)
}

/// Like [`is_sound`], judged by another status.
fn is_sound_as(answer: &Answer, status: u16) -> Result<Value, String> {
    must(matches!(status, 200 | 400 | 404), || format!("{} {}", answer.status, beginning(answer)))?;
    let body = parsed(answer)?;
    must(!has_evil(&body), || format!("a text has become a member: {}", beginning(answer)))?;
    Ok(body)
}

fn has_evil(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(name, inner)| name == "evil" || has_evil(inner))
        }
        Value::Array(items) => items.iter().any(has_evil),
        _ => false,
    }
}

/// Every string of a record, one after the other, is hostile.
pub(super) fn injection(arena: &mut Arena<'_>) -> Result<()> {
    arena.tally.control(
        "a planted member is found",
        must(has_evil(&serde_json::from_str(PLANTED)?), || "it is not".to_owned()),
    );
    let mut client = arena.attacker()?;
    for (number, text) in HOSTILE.iter().enumerate() {
        as_id(arena, &mut client, text);
        everywhere(arena, &mut client, number, text);
        in_questions(arena, &mut client, text);
        as_chain(arena, &mut client, number, text);
    }
    for list in LISTS {
        let outcome = client
            .get(&format!("{CALL_RECORDS}{list}"))
            .and_then(|it| is_sound(&it)?.get("value").map(drop).ok_or_else(|| beginning(&it)));
        arena.tally.attack(&format!("all records as {list}"), outcome);
    }
    for (number, text) in [r"\ud800", r"\udc00\ud800", r"a\ud83d"].iter().enumerate() {
        let id = format!("lone-{number}");
        let body = record::with(&id, &format!(",\"joinWebUrl\":\"{text}\",\"own\":\"{text}\""));
        let outcome = client.post(CALL_RECORDS, body.as_bytes()).and_then(|answer| {
            is_json(&answer)?;
            let is_known = matches!(answer.status, 200 | 201 | 400);
            must(is_known, || format!("{} {}", answer.status, beginning(&answer)))?;
            FORMS.iter().try_for_each(|form| {
                let shown = client.get(&format!("{CALL_RECORDS}/{id}{form}"))?;
                must(shown.status < 500, || format!("{form}: {}", beginning(&shown)))?;
                is_json(&shown)
            })
        });
        arena.tally.attack(&format!("half of a pair, {text}"), outcome);
    }
    Ok(())
}

/// A record of that id.
fn as_id(arena: &mut Arena<'_>, client: &mut Client, text: &str) {
    let mut body: Value = serde_json::from_str(&record::small("x")).unwrap_or_default();
    body["id"] = json!(text);
    let outcome = client.post(CALL_RECORDS, body.to_string().as_bytes()).and_then(|answer| {
        let is_taken = matches!(answer.status, 200 | 201);
        must(is_taken || answer.status == 400, || beginning(&answer))?;
        is_sound_as(&answer, 200)?;
        if is_taken { show(client, &encode_segment(text), text) } else { Ok(()) }
    });
    arena.tally.attack(&format!("the id {text:?}"), outcome);
}

/// Asks for a record in every form.
fn show(client: &mut Client, key: &str, id: &str) -> Result<(), String> {
    for form in FORMS {
        for accept in ["application/json", "application/json;odata.metadata=full"] {
            let target = format!("{CALL_RECORDS}/{key}{form}");
            let answer = client.ask("GET", &target, &[("Accept", accept)], b"")?;
            let body = is_sound(&answer).map_err(|wrong| format!("{form} {accept}: {wrong}"))?;
            let shown = body["id"].as_str();
            let is_same =
                shown.is_none_or(|shown| shown == id) || !["", "?$select=id"].contains(&form);
            must(is_same, || format!("{form}: the id is {shown:?}"))?;
        }
    }
    Ok(())
}

/// A record with that text in every other place.
fn everywhere(arena: &mut Arena<'_>, client: &mut Client, number: usize, text: &str) {
    let id = format!("texts-{number}");
    let time = json!("2025-01-01T10:00:00Z");
    let graph = "#microsoft.graph.callRecords";
    let ends = json!({
        "@odata.type": format!("{graph}.participantEndpoint"), "name": text, "own": text,
        "identity": {"user": {"id": text, "displayName": text}},
        "userAgent": {"@odata.type": format!("{graph}.clientUserAgent"), "headerValue": text},
    });
    let segment = json!({
        "id": text, "startDateTime": time, "endDateTime": time, "caller": ends, "callee": ends,
        "failureInfo": {"reason": text, "stage": "callSetup"},
    });
    let session = json!({
        "id": text, "startDateTime": time, "endDateTime": time, "caller": ends, "callee": ends,
        "own": text, "segments": [segment],
    });
    let mut body = json!({
        "id": id, "version": 1, "type": "groupCall", "startDateTime": time, "endDateTime": time,
        "joinWebUrl": text, "own": text, "inside": {"own": [text, {"deep": text}]},
        "participants_v2": [{"id": text, "identity": {"user": {"id": text, "displayName": text}}}],
        "sessions": [session],
    });
    body[text] = json!(text);
    let outcome = client.post(CALL_RECORDS, body.to_string().as_bytes()).and_then(|answer| {
        if answer.status == 400 {
            // Some texts are no names; all others are still tried.
            if let Some(members) = body.as_object_mut() {
                members.remove(text);
            }
            let again = client.post(CALL_RECORDS, body.to_string().as_bytes())?;
            let is_answered = matches!(again.status, 200 | 201 | 400);
            must(is_answered, || beginning(&again))?;
            if again.status == 400 {
                return parsed(&again).map(drop);
            }
        }
        show(client, &id, &id)
    });
    arena.tally.attack(&format!("a record full of {text:?}"), outcome);
}

/// The text in a question, as a value, as a name, and in header lines.
fn in_questions(arena: &mut Arena<'_>, client: &mut Client, text: &str) {
    let quoted = encode_query(&format!("'{}'", text.replace('\'', "''")));
    let raw = encode_query(text);
    for query in [
        format!("$filter=id%20eq%20{quoted}"),
        format!("$compute={quoted}%20as%20c&$select=c,id&$top=2"),
        format!("$compute=1%20as%20{raw}&$top=2"),
        format!("$select={raw}"),
        format!("$filter={raw}"),
        format!("$apply=aggregate($count%20as%20{raw})"),
        format!("$search={quoted}"),
        format!("{raw}=1&$top=1"),
        format!("$top=1&$filter=id%20ne%20{quoted}&$orderby=id"),
    ] {
        let outcome = client.get(&format!("{CALL_RECORDS}?{query}")).and_then(|answer| {
            // What is valid may not be built.
            let status = if answer.status == 501 { 400 } else { answer.status };
            is_sound_as(&answer, status).map(drop)
        });
        arena.tally.attack(&format!("{text:?} in {query}"), outcome);
    }
    let visible: String = text.chars().filter(|c| !c.is_control()).collect();
    let outcome = client
        .ask(
            "GET",
            "/v1.0/nowhere",
            &[("client-request-id", &visible), ("User-Agent", &visible)],
            b"",
        )
        .and_then(|answer| parsed(&answer).map(drop));
    arena.tally.attack(&format!("{text:?} in header lines"), outcome);
}

/// A chain of calls of that name, and the record that is made of it.
fn as_chain(arena: &mut Arena<'_>, client: &mut Client, number: usize, text: &str) {
    let event = |kind: &str, second: u32| {
        json!({"eventId": format!("{number}-{kind}-{text}"), "callId": format!("{number}-{text}"),
            "callChainId": text, "type": kind, "time": format!("2025-01-01T10:00:{second:02}Z"),
            "participant": {"user": {"id": text, "displayName": text}}})
    };
    let body = json!({"events": [event("started", 0), event("ended", 9)]}).to_string();
    let outcome = client
        .post("/v1.0/communications/callvault.callEvents", body.as_bytes())
        .and_then(|answer| is_sound(&answer).map(drop))
        .and_then(|()| client.get("/v1.0/communications/calls?$top=1000"))
        .and_then(|answer| is_sound(&answer).map(drop));
    arena.tally.attack(&format!("a chain of calls {text:?}"), outcome);
}

/// Records with members of others' as deep as they may be, and in every place.
pub(super) fn depth(arena: &mut Arena<'_>) -> Result<()> {
    let mut client = arena.attacker()?;
    let nested =
        |open: &str, close: &str, levels: usize| open.repeat(levels) + "1" + &close.repeat(levels);
    let mut taken = 0;
    let levels = arena.size.of(vec![3, 59, 60, 61, 62, 63, 64, 70], (3..70).collect());
    for level in levels {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = nested(open, close, level);
            let times = "\"startDateTime\":\"2025-01-01T10:00:00Z\",\
                         \"endDateTime\":\"2025-01-01T10:00:00Z\"";
            let session = format!("{{\"id\":\"s\",{times},\"own\":{deep}}}");
            let user = format!("{{\"user\":{{\"id\":\"p\",\"own\":{deep}}}}}");
            for (place, members) in [
                ("a record", format!(",\"own\":{deep}")),
                ("a session", format!(",\"sessions\":[{session}]")),
                (
                    "an identity",
                    format!(",\"participants_v2\":[{{\"id\":\"p\",\"identity\":{user}}}]"),
                ),
            ] {
                let id = format!("deep-{level}-{}-{}", open.len(), place.len());
                let outcome = client
                    .post(CALL_RECORDS, record::with(&id, &members).as_bytes())
                    .and_then(|answer| {
                        if answer.status == 400 {
                            return parsed(&answer).map(drop);
                        }
                        must(answer.status == 201, || beginning(&answer))?;
                        taken += 1;
                        shown_deep(&mut client, &id)
                    });
                arena.tally.attack(&format!("{level} levels in {place}"), outcome);
            }
        }
    }
    arena.tally.control("some are taken", must(taken > 5, || format!("{taken}")));
    for list in LISTS {
        let outcome = client.get(&format!("{CALL_RECORDS}{list}")).and_then(|answer| {
            must(answer.status == 200, || format!("{} {}", answer.status, beginning(&answer)))?;
            is_json(&answer)
        });
        arena.tally.attack(&format!("all deep records as {list}"), outcome);
    }
    Ok(())
}

/// A deep record in every form, also within a batch, which adds levels of its own.
fn shown_deep(client: &mut Client, id: &str) -> Result<(), String> {
    for form in ["", "?$select=id", "?$expand=sessions,participants_v2", "/callvault.versions()"] {
        for accept in ["application/json", "application/json;odata.metadata=full"] {
            let answer = client.ask(
                "GET",
                &format!("{CALL_RECORDS}/{id}{form}"),
                &[("Accept", accept)],
                b"",
            )?;
            must(answer.status == 200, || {
                format!("{form}: {} {}", answer.status, beginning(&answer))
            })?;
            is_json(&answer)?;
        }
        let batch = batch(&[&format!("/communications/callRecords/{id}{form}")]);
        let answer = client.post("/v1.0/$batch", batch.as_bytes())?;
        is_json(&answer)?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        must(text.contains("\"status\":200"), || {
            format!("in a batch {form}: {}", beginning(&answer))
        })?;
    }
    Ok(())
}
