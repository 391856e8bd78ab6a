//! A whole call is judged stream by stream, and so are its people.

use odata::json::Node;
use quality::call::Call;
use quality::levels::Direction;
use quality::{Medium, Profiles, Verdict, sentence};

/// Two people and the service: a poor direction, a short one, a test, a session that was never set up.
const RECORD: &str = r##"{"id":"c1","sessions":[
 {"id":"s1","isTest":false,
  "caller":{"feedback":{"rating":"poor"}},"callee":{"feedback":{"rating":"notRated"}},
  "segments":[{"id":"g1",
   "caller":{"identity":{"user":{"id":"1","displayName":"Anna"}}},
   "callee":{"identity":{"user":{"id":"2","displayName":""}}},
   "media":[
    {"label":"main-audio","streams":[
     {"streamId":"10","streamDirection":"callerToCallee","packetUtilization":1200,"averagePacketLossRate":0.1301},
     {"streamId":"11","streamDirection":"calleeToCaller","packetUtilization":1200,"averagePacketLossRate":0.01}]},
    {"label":"data","streams":[{"streamId":"12","streamDirection":"callerToCallee","packetUtilization":9}]}]}]},
 {"id":"s2","isTest":false,"failureInfo":{"stage":"callSetup","reason":""},
  "segments":[{"id":"g2",
   "caller":{"associatedIdentity":{"id":"+15550101771","displayName":null}},
   "callee":{"@odata.type":"#microsoft.graph.callRecords.serviceEndpoint"},
   "media":[{"label":"main-video","streams":[{"streamDirection":"calleeToCaller","averageVideoFrameRate":3}]}]}]},
 {"id":"s3","isTest":true,"segments":[{"id":"g3","media":[{"label":"main-audio","streams":[
   {"packetUtilization":1200,"averagePacketLossRate":0.5}]}]}]}
]}"##;

#[test]
fn a_call_tells_who_heard_whom_and_counts_all_but_tests() {
    let profiles = Profiles::shipped();
    let record = Node::parse(RECORD).unwrap();
    let call = Call::of_json(&record, profiles.get("cqd-2021").unwrap());
    let streams = call.sessions.iter().flat_map(|session| &session.streams);
    let told: Vec<String> = streams
        .map(|stream| {
            let why = stream.outcome.headline().map(sentence::reason).unwrap_or_default();
            format!("{}: {} {why}", stream.people(), stream.outcome.verdict.name())
        })
        .collect();
    assert_eq!(
        told,
        [
            "2 heard Anna: poor 13.01 % of the packets were lost (poor above 10 %)",
            "Anna heard 2: good ",
            "2 saw Anna: notApplicable ",
            "+15550101771 saw others: poor 3 pictures a second (poor below 7)",
            "between ends of which the record says nothing: poor 50 % of the packets were lost (poor above 10 %)",
        ]
    );
    let counts = call.levels.counts();
    assert_eq!((counts.good, counts.poor, counts.unclassified), (1, 2, 0));
    assert_eq!(call.levels.verdict(), Verdict::Poor);
    let (person, by) = call.levels.people().nth(1).unwrap();
    assert_eq!((person, by[&(Medium::Audio, Direction::Heard)].poor), ("user/1", 0));
    assert_eq!((call.reliability.sessions, call.reliability.setup_failures), (2, 1));
    assert_eq!((call.ratings.rated, call.ratings.poor), (1, 1));
    assert_eq!(call.sessions[1].failure, Some(("callSetup".to_owned(), None)));
}

#[test]
fn a_record_without_sessions_says_nothing() {
    let profiles = Profiles::shipped();
    let record = Node::parse(r#"{"id":"c1","sessions":null}"#).unwrap();
    let call = Call::of_json(&record, profiles.get("cqd-2021").unwrap());
    assert_eq!(call.levels.verdict(), Verdict::NotApplicable);
}
