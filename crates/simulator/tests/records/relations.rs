//! Values that belong together do so.

use std::collections::{HashMap, HashSet};

use odata::primitive::{Duration, TICKS_PER_SECOND};
use serde_json::Value;
use simulator::{BAD_SUBNETS, Calls, Mix};

use super::{instant, items, media, options, text, time};

fn records(mix: Mix, calls: u64) -> impl Iterator<Item = Value> {
    Calls::new(options(mix, calls))
        .map(|line| serde_json::from_slice(&line).expect("a line is JSON"))
}

#[test]
fn times_nest_and_lie_in_the_span() {
    for record in records(Mix::Realistic, 400) {
        let (start, end) = (time(&record, "startDateTime"), time(&record, "endDateTime"));
        assert!(instant("2025-06-01") <= start && start <= end);
        assert!(end < time(&record, "lastModifiedDateTime"));
        assert!(time(&record, "lastModifiedDateTime") <= instant("2025-07-01"));
        let sessions = items(&record, "sessions");
        assert!(sessions.iter().any(|session| time(session, "startDateTime") == start));
        assert!(sessions.iter().any(|session| time(session, "endDateTime") == end));
        for session in sessions {
            let within = (time(session, "startDateTime"), time(session, "endDateTime"));
            assert!(start <= within.0 && within.0 <= within.1 && within.1 <= end);
            for segment in items(session, "segments") {
                let inner = (time(segment, "startDateTime"), time(segment, "endDateTime"));
                assert!(within.0 <= inner.0 && inner.0 <= inner.1 && inner.1 <= within.1);
                if within.0 == within.1 {
                    assert!(items(segment, "media").is_empty());
                }
            }
        }
    }
}

#[test]
fn ids_are_unique_and_modalities_are_those_of_the_sessions() {
    let mut seen = HashSet::new();
    for record in records(Mix::Realistic, 400) {
        if record["version"] == 1 {
            assert!(seen.insert(text(&record, "id").to_owned()));
        }
        let sessions = items(&record, "sessions");
        let ids: HashSet<_> = sessions.iter().map(|session| text(session, "id")).collect();
        assert_eq!(ids.len(), sessions.len());
        let below: HashSet<_> =
            sessions.iter().flat_map(|session| items(session, "modalities")).collect();
        assert_eq!(below, items(&record, "modalities").iter().collect());
        if record["type"] == "peerToPeer" {
            assert_eq!(sessions.len(), 1);
            assert_eq!(sessions[0]["id"], record["id"]);
            assert_eq!(sessions[0]["segments"][0]["id"], record["id"]);
        }
    }
}

#[test]
fn bad_subnets_are_bad_in_every_figure_and_no_others_are() {
    let mut streams_by_subnet: HashMap<bool, usize> = HashMap::new();
    for session in records(Mix::Realistic, 300).flat_map(|r| items(&r, "sessions").to_vec()) {
        for media in media(&session) {
            let is_bad = ["callerNetwork", "calleeNetwork"].into_iter().any(|side| {
                media[side]["subnet"].as_str().is_some_and(|subnet| BAD_SUBNETS.contains(&subnet))
            });
            for stream in items(media, "streams") {
                let Some(loss) = stream["averagePacketLossRate"].as_f64() else { continue };
                let milliseconds =
                    |name| Duration::parse(text(stream, name)).unwrap().0 * 1000 / TICKS_PER_SECOND;
                let bad = [
                    milliseconds("averageJitter") >= 30,
                    loss >= 0.05,
                    milliseconds("averageRoundTripTime") >= 300,
                ];
                assert_eq!(bad == [true; 3], is_bad, "{media}");
                *streams_by_subnet.entry(is_bad).or_default() += 1;
            }
        }
    }
    assert!(streams_by_subnet[&true] * 50 > streams_by_subnet[&false]);
    assert!(streams_by_subnet[&true] * 4 < streams_by_subnet[&false]);
}

#[test]
fn an_idle_direction_has_no_packets_and_no_figures() {
    let mut idle = 0;
    for session in records(Mix::Realistic, 300).flat_map(|r| items(&r, "sessions").to_vec()) {
        for stream in media(&session).flat_map(|media| items(media, "streams")) {
            let is_idle = stream["packetUtilization"] == 0;
            idle += i32::from(is_idle);
            for figure in ["averageJitter", "averagePacketLossRate", "averageBandwidthEstimate"] {
                assert_eq!(stream[figure].is_null(), is_idle, "{stream}");
            }
        }
    }
    assert!(idle > 50, "{idle}");
}

#[test]
fn wifi_members_are_filled_on_wifi_only() {
    for session in records(Mix::Realistic, 300).flat_map(|r| items(&r, "sessions").to_vec()) {
        for network in media(&session).flat_map(|m| [&m["callerNetwork"], &m["calleeNetwork"]]) {
            let is_wifi = network["connectionType"] == "wifi";
            assert_eq!(network["wifiChannel"].is_number(), is_wifi);
            assert_eq!(network["wifiSignalStrength"].is_number(), is_wifi);
            assert_eq!(network["wifiBand"] != "unknown", is_wifi);
            assert_eq!(network["wifiRadioType"] != "unknown", is_wifi);
        }
    }
}

#[test]
fn levels_are_negative_and_ratios_are_between_0_and_1() {
    for record in records(Mix::Realistic, 300) {
        visit(&record, &mut |name, value| {
            let Some(number) = value.as_f64() else { return };
            if name.ends_with("Level") {
                assert!(number < 0.0, "{name} {number}");
            }
            let is_ratio = name.ends_with("Ratio") || name.ends_with("LossRate");
            if is_ratio || name.contains("RatioOf") {
                assert!((0.0..=1.0).contains(&number), "{name} {number}");
            }
        });
    }
}

fn visit(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            see(name, member);
            visit(member, see);
        }),
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        _ => {}
    }
}

#[test]
fn telephones_have_two_segments_and_only_sip_streams_tell_their_times() {
    let (mut telephones, mut sip_streams) = (0, 0);
    for session in records(Mix::Realistic, 400).flat_map(|r| items(&r, "sessions").to_vec()) {
        let is_phone = |side: &str| !session[side]["identity"]["phone"].is_null();
        let is_answered = session["startDateTime"] != session["endDateTime"];
        let has_phone = is_phone("caller") || is_phone("callee");
        let segments = items(&session, "segments").len();
        assert_eq!(segments, if has_phone && is_answered { 2 } else { 1 }, "{session}");
        telephones += i32::from(segments == 2);
        for stream in media(&session).flat_map(|media| items(media, "streams")) {
            let is_sip = !stream["startDateTime"].is_null();
            assert!(has_phone || !is_sip);
            assert_eq!(is_sip, !stream["endDateTime"].is_null());
            sip_streams += i32::from(is_sip);
        }
    }
    assert!(telephones > 40 && sip_streams > 60, "{telephones} {sip_streams}");
}

#[test]
fn version_2_is_later_and_says_more() {
    let mut firsts: HashMap<String, Value> = HashMap::new();
    let (mut seconds, mut ratings) = (0, 0);
    for record in records(Mix::Realistic, 600) {
        if record["version"] == 1 {
            firsts.insert(text(&record, "id").to_owned(), record);
            continue;
        }
        seconds += 1;
        assert_eq!(record["version"], 2);
        let first = &firsts[text(&record, "id")];
        assert!(time(first, "lastModifiedDateTime") < time(&record, "lastModifiedDateTime"));
        for same in ["type", "startDateTime", "endDateTime", "organizer_v2", "participants_v2"] {
            assert_eq!(first[same], record[same]);
        }
        let (before, after) = (items(first, "sessions"), items(&record, "sessions"));
        assert_eq!(before.len(), after.len());
        ratings += ["caller", "callee"]
            .iter()
            .filter(|end| before[0][**end]["feedback"] != after[0][**end]["feedback"])
            .count();
        for (before, after) in before.iter().zip(after) {
            assert_eq!(before["id"], after["id"]);
            let kept: Vec<_> = media(after).collect();
            assert!(media(before).all(|media| kept.contains(&media)));
        }
    }
    assert!((25..80).contains(&seconds), "{seconds}");
    assert!(ratings * 2 > seconds, "{ratings} of {seconds}");
}

#[test]
fn a_participant_of_one_call_is_found_in_several() {
    let mut calls: HashMap<String, usize> = HashMap::new();
    for record in records(Mix::Bench, 1000) {
        for participant in items(&record, "participants_v2") {
            *calls.entry(text(participant, "id").to_owned()).or_default() += 1;
        }
    }
    let frequent = calls.values().filter(|calls| **calls >= 3).count();
    assert!(frequent > 100, "{frequent} of {}", calls.len());
}
