//! Rows of the ends of streams, worked out apart from the code: from the descriptions of their members in
//! the schema.

use model::generated::CLIENT_PLATFORM;
use serde_json::{Value as Json, json};

/// The names of an identity set in the order in which they name a party.
const KINDS: [&str; 15] = [
    "acsUser",
    "spoolUser",
    "phone",
    "guest",
    "encrypted",
    "onPremises",
    "acsApplicationInstance",
    "spoolApplicationInstance",
    "azureApplicationInstance",
    "applicationInstance",
    "application",
    "device",
    "azureCommunicationServicesUser",
    "assertedIdentity",
    "user",
];

/// Both ends of all streams of a media; of the place nothing is known.
pub(super) fn of_media(of_session: &Json, segment: &Json, media: &Json) -> Vec<Json> {
    let mut rows = Vec::new();
    for stream in media["streams"].as_array().into_iter().flatten() {
        for (end, peer) in [("caller", "callee"), ("callee", "caller")] {
            let mut row = stream.as_object().cloned().unwrap_or_default();
            row.extend(of_session.as_object().cloned().unwrap_or_default());
            row.extend(own(segment, media, (end, peer)).as_object().cloned().unwrap_or_default());
            let sends = match stream["streamDirection"].as_str() {
                Some("callerToCallee") => json!(end == "caller"),
                Some("calleeToCaller") => json!(end == "callee"),
                _ => Json::Null,
            };
            let direction = sends.as_bool().map(|sends| if sends { "sender" } else { "receiver" });
            row.insert("direction".into(), json!(direction));
            rows.push(Json::Object(row));
        }
    }
    rows
}

fn own(segment: &Json, media: &Json, (end, peer): (&str, &str)) -> Json {
    let (own, other) = (&segment[end], &segment[peer]);
    let network = |end: &str| &media[format!("{end}Network")];
    let participant = if is(own, "participantEndpoint") { own } else { &Json::Null };
    let platform = |end: &Json| {
        let agent = Some(&end["userAgent"]).filter(|agent| is(agent, "clientUserAgent"));
        agent.map_or(Json::Null, |agent| agent["platform"].clone())
    };
    let rank = |end: &Json| {
        let name = platform(end);
        let position = CLIENT_PLATFORM.members.iter().find(|(member, _)| name == *member);
        (is_service(end) != Some(true), position.map_or(i64::MAX, |(_, value)| *value))
    };
    let is_first = match rank(own).cmp(&rank(other)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => end == "caller",
        std::cmp::Ordering::Greater => false,
    };
    json!({
        "segmentId": segment["id"],
        "segmentStartDateTime": segment["startDateTime"],
        "segmentEndDateTime": segment["endDateTime"],
        "mediaLabel": media["label"],
        "end": end,
        "isService": is_service(own),
        "isFirst": is_first,
        "person": person(own),
        "endpointName": participant["name"],
        "identity": participant["identity"],
        "associatedIdentity": participant["associatedIdentity"],
        "userAgent": own["userAgent"],
        "network": network(end),
        "device": media[format!("{end}Device")],
        "feedback": participant["feedback"],
        "peerPerson": person(other),
        "peerIsService": is_service(other),
        "peerSubnet": network(peer)["subnet"],
        "peerConnectionType": network(peer)["connectionType"],
        "peerPlatform": platform(other),
        "place": null,
    })
}

fn is(object: &Json, ty: &str) -> bool {
    object["@odata.type"].as_str().is_some_and(|stated| stated.ends_with(&format!(".{ty}")))
}

fn is_service(end: &Json) -> Option<bool> {
    let agent = &end["userAgent"];
    let is_of_service = is(agent, "serviceUserAgent")
        || !is(agent, "clientUserAgent") && is(end, "serviceEndpoint");
    end.is_object().then_some(is_of_service)
}

fn person(end: &Json) -> Json {
    let named = KINDS.iter().find_map(|kind| Some((*kind, end["identity"][kind]["id"].as_str()?)));
    let associated = || {
        let id = end["associatedIdentity"]["id"].as_str()?;
        Some((if id.starts_with('+') { "phone" } else { "user" }, id))
    };
    let Some((kind, id)) = named.or_else(associated) else { return Json::Null };
    if kind != "phone" {
        return json!({"kind": kind, "id": id});
    }
    let number = id.trim_start_matches("tel:").split(';').next().unwrap_or_default();
    let digits: String = number.chars().filter(|letter| !" -.()/".contains(*letter)).collect();
    let is_e164 = digits.starts_with('+')
        && (2..=16).contains(&digits.len())
        && digits[1..].chars().all(|letter| letter.is_ascii_digit());
    json!({"kind": kind, "id": if is_e164 { &digits } else { id }})
}
