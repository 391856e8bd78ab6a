//! Records as the store keeps them, as plain JSON, and the rows that they give.

use model::fragment::{Pack, RecordFragment, Uncompressed};
use model::rows::RowSet;
use odata::json::Node;
use odata::primitive::DateTimeOffset;
use serde_json::{Map, Number, Value as Json};

use super::legs;

/// The whole record in canonical form, with sessions, segments and participants inside.
///
/// # Errors
/// When the text is not a record.
pub fn record(text: &str) -> anyhow::Result<Json> {
    let shredded = model::shred(text, &mut Uncompressed)?;
    let mut whole = object(RecordFragment::members(&shredded.record)?)?;
    let mut sessions = Vec::new();
    for pack in &shredded.session_packs {
        for item in Pack::read(pack)?.items() {
            let item = item?;
            let mut session = object(item.members)?;
            session.insert("segments".into(), json(&[b"[", item.inner, b"]"].concat())?);
            sessions.push(Json::Object(session));
        }
    }
    let mut participants = Vec::new();
    for pack in &shredded.participant_packs {
        for item in Pack::read(pack)?.items() {
            participants.push(Json::Object(object(item?.members)?));
        }
    }
    whole.insert("sessions".into(), Json::Array(sessions));
    whole.insert("participants_v2".into(), Json::Array(participants));
    Ok(Json::Object(whole))
}

/// The rows that records give, in the order of a collection that nothing else orders: by
/// `startDateTime` descending, `id` by its bytes, and the places in the record.
pub fn rows(records: &[Json], set: RowSet) -> Vec<Json> {
    let mut records: Vec<&Json> = records.iter().collect();
    let start = |record: &Json| {
        let text = record["startDateTime"].as_str().unwrap_or_default();
        DateTimeOffset::parse(text).unwrap_or_default()
    };
    records.sort_by(|a, b| {
        start(b).cmp(&start(a)).then_with(|| a["id"].as_str().cmp(&b["id"].as_str()))
    });
    let mut rows = Vec::new();
    for record in records {
        if set == RowSet::Records {
            rows.push(record.clone());
            continue;
        }
        for session in items(&record["sessions"]) {
            if set == RowSet::Sessions {
                rows.push(with(session, &of_record(record)));
                continue;
            }
            for segment in items(&session["segments"]) {
                let of_session = [of_record(record), vec![("sessionId", &session["id"])]].concat();
                if set == RowSet::Segments {
                    rows.push(with(segment, &of_session));
                    continue;
                }
                for media in items(&segment["media"]) {
                    if set == RowSet::Legs {
                        let of_session = with(&Json::Null, &of_session);
                        rows.extend(legs::of_media(&of_session, segment, media));
                        continue;
                    }
                    let more = [of_session.clone(), of_segment(segment, media)].concat();
                    rows.extend(items(&media["streams"]).iter().map(|stream| with(stream, &more)));
                }
            }
        }
    }
    rows
}

fn of_record(record: &Json) -> Vec<(&'static str, &Json)> {
    vec![
        ("callRecordId", &record["id"]),
        ("callRecordVersion", &record["version"]),
        ("callRecordType", &record["type"]),
        ("callStartDateTime", &record["startDateTime"]),
        ("callEndDateTime", &record["endDateTime"]),
    ]
}

fn of_segment<'a>(segment: &'a Json, media: &'a Json) -> Vec<(&'static str, &'a Json)> {
    vec![
        ("segmentId", &segment["id"]),
        ("segmentStartDateTime", &segment["startDateTime"]),
        ("segmentEndDateTime", &segment["endDateTime"]),
        ("mediaLabel", &media["label"]),
        ("callerNetwork", &media["callerNetwork"]),
        ("calleeNetwork", &media["calleeNetwork"]),
        ("callerDevice", &media["callerDevice"]),
        ("calleeDevice", &media["calleeDevice"]),
        ("caller", &segment["caller"]),
        ("callee", &segment["callee"]),
    ]
}

fn items(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn with(own: &Json, more: &[(&str, &Json)]) -> Json {
    let mut row = own.as_object().cloned().unwrap_or_default();
    for (name, value) in more {
        row.insert((*name).to_owned(), (*value).clone());
    }
    Json::Object(row)
}

fn object(members: &[u8]) -> anyhow::Result<Map<String, Json>> {
    match json(&[b"{", members, b"}"].concat())? {
        Json::Object(members) => Ok(members),
        other => anyhow::bail!("{other} is not an object"),
    }
}

/// JSON text as plain JSON. Numbers are read by the standard library, whose conversion is exact.
///
/// # Errors
/// When it is not JSON.
pub fn json(text: &[u8]) -> anyhow::Result<Json> {
    let text = std::str::from_utf8(text)?;
    Ok(plain(&Node::parse(text)?))
}

fn plain(node: &Node<'_>) -> Json {
    match node {
        Node::Null => Json::Null,
        Node::Bool(value) => Json::Bool(*value),
        Node::Number(digits) => {
            let whole = digits.parse::<i64>().ok().map(Number::from);
            let number = || digits.parse::<f64>().ok().and_then(Number::from_f64);
            whole.or_else(number).map_or(Json::Null, Json::Number)
        }
        Node::String(text) => Json::String(text.value().into_owned()),
        Node::Array(items) => Json::Array(items.iter().map(plain).collect()),
        Node::Object(members) => {
            let members = members.iter();
            let each =
                members.map(|member| (member.name.value().into_owned(), plain(&member.value)));
            Json::Object(each.collect())
        }
    }
}
