//! Calls by their events, in whatever order these come, and the records of them.

use model::call::{CallRow, Ending};
use model::fragment::Uncompressed;
use model::{TenantId, shred};
use odata::json::{Node, write_node};

use crate::call::members;
use crate::event::{Event, EventError, events};
use crate::leg::Leg;
use crate::record::record;

const ABBIE: &str = r#""participant":{"user":{"id":"821809f5-0000-0000-0000-3b5136c0e777","displayName":"Abbie Wilkins","tenantId":"dc368399-474c-4d40-900c-6265431fd81f"}}"#;
const OWEN: &str = r#""participant":{"user":{"id":"f69e2c00-0000-0000-0000-185e5f5f5d8a","displayName":"Owen Franklin"}}"#;
const PHONE: &str = r#""participant":{"phone":{"id":"+15550100182"}}"#;

/// An event at a second of the call.
fn event(second: u32, ty: &str, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!(",{more}") };
    format!(
        r#"{{"eventId":"{second}-{ty}","callId":"leg-1","callChainId":"c4a1","time":"2026-11-20T10:00:{second:02}Z","type":"{ty}"{more}}}"#
    )
}

fn of_two() -> Vec<String> {
    let endpoint = r#""endpoint":{"userAgent":{"headerValue":"Linphone/5.2"}}"#;
    let media = r#""media":{"label":"main-audio","streams":[{"streamId":"1","streamDirection":"callerToCallee","averageJitter":"PT0.012S"}]}"#;
    vec![
        event(0, "started", &format!(r#"{ABBIE},"direction":"outgoing","subject":"Rent""#)),
        event(3, "participantJoined", &format!("{OWEN},{endpoint}")),
        event(20, "media", &format!("{OWEN},{media}")),
        event(25, "participantLeft", OWEN),
        event(26, "ended", ""),
    ]
}

fn call(ending: Ending) -> CallRow {
    CallRow { key: 1, id: "leg-1".to_owned(), chain_id: "c4a1".to_owned(), start: 0, ending }
}

fn read(texts: &[String]) -> Vec<Event<'_>> {
    events(texts).unwrap()
}

fn shown(texts: &[String], ending: Ending) -> String {
    let events = read(texts);
    let row = call(ending);
    let tenant = TenantId::parse("dc368399-474c-4d40-900c-6265431fd81f").unwrap();
    let mut out = Vec::new();
    write_node(&mut out, &Node::Object(members(&Leg::of(&row, &events), &tenant)));
    String::from_utf8(out).unwrap()
}

fn state(texts: &[String]) -> String {
    let is_over = texts.iter().any(|text| text.contains("\"ended\""));
    let text = shown(texts, if is_over { Ending::Ended } else { Ending::Open });
    let node = Node::parse(&text).unwrap();
    node.get("state").unwrap().as_text().unwrap().value().into_owned()
}

fn recorded(texts: &[String]) -> String {
    let events = read(texts);
    let row = call(Ending::Ended);
    let text = record("c4a1", 1, 17_952_624_000_000_000, &[Leg::of(&row, &events)]);
    shred(&text, &mut Uncompressed).unwrap();
    text
}

#[test]
fn a_call_moves_from_state_to_state() {
    let all = of_two();
    let states: Vec<String> = (1..=all.len()).map(|count| state(&all[..count])).collect();
    assert_eq!(states, ["establishing", "established", "established", "terminating", "terminated"]);
}

#[test]
fn a_meeting_goes_on_until_one_is_left() {
    let mut all = vec![event(0, "started", ABBIE)];
    all.push(event(1, "participantJoined", OWEN));
    all.push(event(2, "participantJoined", PHONE));
    all.push(event(3, "participantLeft", OWEN));
    assert_eq!(state(&all), "established");
    all.push(event(4, "participantLeft", PHONE));
    assert_eq!(state(&all), "terminating");
    all.push(event(5, "participantJoined", OWEN));
    assert_eq!(state(&all), "established");
}

#[test]
fn a_call_that_fails_says_why() {
    let failed = r#""failureInfo":{"stage":"callSetup","reason":"486 Busy Here"}"#;
    let mut all = vec![event(0, "started", ABBIE), event(2, "failed", failed)];
    assert_eq!(state(&all), "terminating");
    all.push(event(3, "ended", ""));
    let text = shown(&all, Ending::Ended);
    assert!(
        text.contains(r#""resultInfo":{"code":486,"message":"486 Busy Here","subcode":0}"#),
        "{text}"
    );
    let text = recorded(&all);
    assert_eq!(text.matches(r#""reason":"486 Busy Here""#).count(), 2, "{text}");
}

#[test]
fn the_order_of_arrival_makes_no_difference() {
    let mut all = of_two();
    let (call, record) = (shown(&all, Ending::Ended), recorded(&all));
    // Every order of five.
    let mut places = [0; 5];
    let mut at = 0;
    while at < 5 {
        if places[at] < at {
            all.swap(if at % 2 == 0 { 0 } else { places[at] }, at);
            assert_eq!(shown(&all, Ending::Ended), call);
            assert_eq!(recorded(&all), record);
            places[at] += 1;
            at = 0;
        } else {
            places[at] = 0;
            at += 1;
        }
    }
}

#[test]
fn a_call_is_shown_as_graph_shows_it() {
    insta::assert_snapshot!(pretty(&shown(&of_two(), Ending::Ended)));
}

#[test]
fn a_record_has_a_session_for_each_participant() {
    insta::assert_snapshot!(pretty(&recorded(&of_two())));
}

#[test]
fn each_time_in_a_call_is_a_segment_with_the_media_of_its_time() {
    let media = |label: &str| format!(r#"{OWEN},"media":{{"label":"{label}"}}"#);
    let all = vec![
        event(0, "started", ABBIE),
        event(1, "participantJoined", OWEN),
        event(2, "participantJoined", PHONE),
        event(5, "media", &media("main-audio")),
        event(6, "participantLeft", OWEN),
        event(10, "participantJoined", OWEN),
        event(15, "media", &media("main-video")),
        event(20, "ended", ""),
    ];
    let text = recorded(&all);
    let record = Node::parse(&text).unwrap();
    assert!(record.get("type").unwrap().as_text().unwrap().is("groupCall"));
    let sessions = record.get("sessions").unwrap().as_array().unwrap();
    assert_eq!(sessions.len(), 3);
    let segments = sessions[1].get("segments").unwrap().as_array().unwrap();
    let told: Vec<String> = segments
        .iter()
        .map(|segment| {
            let text = |name: &str| {
                segment.get(name).unwrap().as_text().unwrap().value()[17..19].to_owned()
            };
            let media = segment.get("media").unwrap().as_array().unwrap();
            let label = media[0].get("label").unwrap().as_text().unwrap().value().into_owned();
            format!("{} to {}: {label}", text("startDateTime"), text("endDateTime"))
        })
        .collect();
    assert_eq!(told, ["01 to 06: main-audio", "10 to 20: main-video"]);
}

#[test]
fn media_of_nobody_are_those_of_whoever_called() {
    let media = r#""media":{"label":"main-audio"}"#;
    let all = [event(0, "started", ABBIE), event(1, "media", media), event(2, "ended", "")];
    let text = recorded(&all);
    let record = Node::parse(&text).unwrap();
    assert_eq!(record.get("sessions").unwrap().as_array().unwrap().len(), 1);
    // And where nobody is known at all, they are not lost either.
    let text = recorded(&all[1..]);
    assert!(text.contains("main-audio"), "{text}");
    assert!(text.contains(r#""participants_v2":[]"#), "{text}");
}

#[test]
fn ids_stay_the_same_when_a_later_event_comes() {
    let all = of_two();
    let ids = |text: &str| {
        let record = Node::parse(text).unwrap();
        let sessions = record.get("sessions").unwrap().as_array().unwrap();
        let id = |it: &Node<'_>| it.get("id").unwrap().as_text().unwrap().value().into_owned();
        sessions.iter().map(id).collect::<Vec<_>>()
    };
    let more = [all.clone(), vec![event(10, "participantJoined", PHONE)]].concat();
    let (before, after) = (ids(&recorded(&all)), ids(&recorded(&more)));
    assert_eq!(before, after[..2]);
    assert_eq!(after.len(), 3);
}

#[test]
fn what_is_wrong_with_an_event_is_named() {
    let check = |text: &str| Event::check(text, 1).map(|_| ()).unwrap_err();
    let wrong = |ty: &str, more: &str| {
        let EventError { pointer, message, id } = check(&event(1, ty, more));
        assert_eq!(id.as_deref(), Some(format!("1-{ty}").as_str()));
        (pointer, message)
    };
    let pointers = [
        (wrong("begun", ""), "/type"),
        (wrong("participantJoined", ""), "/participant"),
        (wrong("media", r#""media":null"#), "/media"),
        (
            wrong("media", r#""media":{"streams":[{"averageJitter":"soon"}]}"#),
            "/media/streams/0/averageJitter",
        ),
        (wrong("started", r#""participant":{"user":{"id":7}}"#), "/participant/user/id"),
        (wrong("started", r#""endpoint":{"userAgent":7}"#), "/endpoint/userAgent"),
        (wrong("failed", r#""failureInfo":[]"#), "/failureInfo"),
        (wrong("started", r#""participant":{"user":{"displayName":"Abbie"}}"#), "/participant"),
        (
            wrong(
                "started",
                &format!(r#""participant":{{"phone":{{"id":"{}"}}}}"#, "5".repeat(300)),
            ),
            "/participant",
        ),
        (wrong("started", r#""direction":"up""#), "/direction"),
        (wrong("started", r#""subject":7"#), "/subject"),
        (wrong("started", r#""partcipant":{}"#), "/partcipant"),
    ];
    for ((pointer, message), expected) in pointers {
        assert_eq!(pointer, expected, "{message}");
    }
    let time = event(1, "ended", "").replace("2026-11-20T10:00:01Z", "yesterday");
    assert_eq!(check(&time).pointer, "/time");
    for missing in ["eventId", "callId", "callChainId", "time", "type"] {
        let text = event(1, "ended", "").replace(missing, "@x");
        assert_eq!(check(&text).pointer, format!("/{missing}"));
    }
    assert_eq!(check("{").pointer, "");
    assert_eq!(check("[]").message, "an event is a JSON object");
}

fn pretty(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}
