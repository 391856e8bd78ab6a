//! How often things happen, and how big records are.

use std::collections::BTreeMap;

use serde_json::Value;
use simulator::{Calls, Mix};

use super::{items, media, options, text};

#[test]
fn bench_records_have_10_kb_and_2_sessions_in_the_mean() {
    const CALLS: u64 = 5_000;
    let (mut bytes, mut sessions, mut most) = (0, 0, 0);
    for line in Calls::new(options(Mix::Bench, CALLS)) {
        let line = String::from_utf8(line).unwrap();
        let of_record = line.matches("\"isTest\":").count();
        assert_eq!(line.matches("\"version\":1,").count(), 1);
        (bytes, sessions, most) = (bytes + line.len(), sessions + of_record, most.max(of_record));
    }
    let mean = bytes as u64 / CALLS;
    assert!((9_500..10_500).contains(&mean), "{mean}");
    let mean = sessions as f64 / CALLS as f64;
    assert!((1.9..2.1).contains(&mean), "{mean}");
    assert!((20..=60).contains(&most), "{most}");
}

#[test]
fn a_meeting_of_2000_comes_among_the_first_calls() {
    let line =
        Calls::new(options(Mix::Realistic, 701)).max_by_key(Vec::len).expect("there are calls");
    let record: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(items(&record, "participants_v2").len(), 2000);
    assert_eq!(items(&record, "participants").len(), 130);
    let sessions = items(&record, "sessions").len();
    assert!((2_800..3_200).contains(&sessions), "{sessions}");
}

/// What there is in some thousand calls, and how often at least.
const LEAST: &[(&str, usize)] = &[
    ("is user", 2000),
    ("is phone", 100),
    ("is guest", 50),
    ("is azureCommunicationServicesUser", 3),
    ("test true", 5),
    ("failure \"callSetup\"", 15),
    ("failure \"midcall\"", 40),
    ("\"audio\"", 2000),
    ("\"video\"", 300),
    ("\"videoBasedScreenSharing\"", 200),
    ("\"screenSharing\"", 20),
    ("\"data\"", 50),
    ("main-audio", 1000),
    ("main-video", 300),
    ("applicationsharing-video", 100),
    ("data", 50),
    ("#microsoft.graph.callRecords.serviceEndpoint", 1000),
    ("role \"skypeForBusinessAutoAttendant\" platform null", 20),
    ("role \"skypeForBusinessCallQueues\" platform null", 15),
    ("role null platform \"windows\"", 1000),
    ("role null platform \"roomSystem\"", 10),
    ("by \"wired\"", 500),
    ("by \"wifi\"", 300),
    ("by \"mobile\"", 80),
    ("by \"tunnel\"", 50),
    ("over \"tcp\"", 50),
    ("traced true", 100),
    ("codec \"satin\" \"unknown\"", 500),
    ("codec \"g722\" \"unknown\"", 100),
    ("codec \"unknown\" \"h264\"", 200),
    ("codec \"unknown\" \"unknown\"", 100),
    ("rated \"good\"", 10),
    ("rated \"notRated\"", 2000),
];

#[test]
fn everything_that_a_tenant_has_occurs_in_its_share() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut tally = |key: String| *seen.entry(key).or_default() += 1;
    for line in Calls::new(options(Mix::Realistic, 690)).chain(Calls::new(options(Mix::Bench, 700)))
    {
        let record: Value = serde_json::from_slice(&line).unwrap();
        tally(text(&record, "type").to_owned());
        for participant in items(&record, "participants_v2") {
            let set = participant["identity"].as_object().unwrap();
            let filled: Vec<_> = set.iter().filter(|(_, member)| !member.is_null()).collect();
            assert_eq!(filled.len(), 1);
            assert_eq!(filled[0].1["id"], participant["id"]);
            tally(format!("is {}", filled[0].0));
        }
        for session in items(&record, "sessions") {
            tally("session".to_owned());
            tally(format!("test {}", session["isTest"]));
            tally(format!("failure {}", session["failureInfo"]["stage"]));
            for modality in items(session, "modalities") {
                tally(modality.to_string());
            }
            for end in ["caller", "callee"] {
                tally(text(&session[end], "@odata.type").to_owned());
                let agent = &session[end]["userAgent"];
                tally(format!("role {} platform {}", agent["role"], agent["platform"]));
                tally(format!("rated {}", session[end]["feedback"]["rating"]));
            }
            for media in media(session) {
                tally(text(media, "label").to_owned());
                tally(format!("by {}", media["callerNetwork"]["connectionType"]));
                tally(format!("over {}", media["callerNetwork"]["networkTransportProtocol"]));
                let hops = items(&media["callerNetwork"], "traceRouteHops").len();
                tally(format!("traced {}", hops > 0));
                for stream in items(media, "streams") {
                    tally(format!("codec {} {}", stream["audioCodec"], stream["videoCodec"]));
                }
            }
        }
    }
    let peers = seen["peerToPeer"] * 100 / (seen["peerToPeer"] + seen["groupCall"]);
    assert!((50..70).contains(&peers), "{peers} %");
    for (what, least) in LEAST {
        let times = seen.get(*what).copied().unwrap_or(0);
        assert!(times >= *least, "{what}: {times} of at least {least} in {seen:#?}");
    }
}
