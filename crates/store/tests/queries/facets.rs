//! Random questions as pages ask them of streams and their ends: rows that meet a few conditions, with
//! calculated members, grouped in one way or in several at once.

use model::rows::RowSet;
use testkit::queries::{Asked, Random};

/// Of streams and of their ends.
const CONDITIONS: [&str; 16] = [
    "averagePacketLossRate gt 0.01",
    "averageJitter le duration'PT0.02S'",
    "averageJitter gt duration'PT0.0123456789S' or averageRoundTripTime eq null",
    "packetUtilization gt 100.5",
    "packetUtilization in (0,50,null)",
    "not (averageRoundTripTime lt duration'PT0.05S' and mediaLabel ne 'main-audio')",
    "mediaLabel in ('main-audio','main-video')",
    "callRecordType eq 'groupCall'",
    "callStartDateTime ge 2025-03-05T00:00:00Z",
    "callStartDateTime lt 2025-03-12T06:30:00.5Z",
    "hour(callStartDateTime) ge 9 and hour(callStartDateTime) lt 17",
    "date(callStartDateTime) ne 2025-03-10",
    "callvault.quality/verdict eq 'poor'",
    "wasMediaBypassed",
    "averageJitter lt maxJitter",
    "segmentEndDateTime ge segmentStartDateTime",
];
const CONDITIONS_OF_STREAMS: [&str; 4] = [
    "callerNetwork/connectionType eq 'wifi'",
    "streamDirection ne 'callerToCallee'",
    "contains(callerNetwork/subnet,'0')",
    "callerNetwork/subnet ne calleeNetwork/subnet",
];
const CONDITIONS_OF_LEGS: [&str; 7] = [
    "direction eq 'receiver'",
    "end eq 'caller' or isFirst",
    "network/connectionType eq 'wifi' and peerConnectionType ne 'wifi'",
    "isService ne true",
    "startswith(person/id,'4') or peerPerson/id eq null",
    "person/kind eq 'user'",
    "network/subnet ne peerSubnet",
];

/// Members that can be calculated, by their names.
const CALCULATED: [(&str, &str); 9] = [
    ("Day", "callvault.bucket(callStartDateTime,duration'P1D')"),
    ("Quarter", "callvault.bucket(segmentStartDateTime,duration'PT15M',duration'-PT5M')"),
    ("Date", "date(callStartDateTime)"),
    ("Hour", "hour(callStartDateTime)"),
    ("Poor", "case(averageJitter gt duration'PT0.015S':1,true:0)"),
    ("Class", "case(averagePacketLossRate gt 0.02:'high',averagePacketLossRate gt 0.001:'low')"),
    ("IsBad", "averageJitter gt duration'PT0.02S' or averagePacketLossRate ge 0.05"),
    ("Weight", "case(mediaLabel eq 'main-audio' and hour(callStartDateTime) lt 12:0.1,true:0.7)"),
    ("Delay", "averageJitter add averageRoundTripTime"),
];

const KEYS: [&str; 6] = [
    "mediaLabel",
    "callRecordType",
    "audioCodec",
    "callvault.quality/verdict",
    "wasMediaBypassed",
    "callRecordId",
];
const KEYS_OF_STREAMS: [&str; 4] = [
    "streamDirection",
    "callerNetwork/subnet",
    "callerNetwork/connectionType",
    "callerDevice/captureDeviceName",
];
const KEYS_OF_LEGS: [&str; 11] = [
    "end",
    "direction",
    "isFirst",
    "isService",
    "person/id",
    "person/kind",
    "peerPerson/id",
    "network/subnet",
    "network/connectionType",
    "peerSubnet",
    "device/captureDeviceName",
];

const FIGURES: [&str; 14] = [
    "$count as N",
    "averagePacketLossRate with average as Loss",
    "averagePacketLossRate with sum as LossSum",
    "averageJitter with average as Jitter",
    "averageJitter with callvault.percentile95 as P95",
    "averageRoundTripTime with sum as Rtt",
    "packetUtilization with sum as Packets",
    "maxPacketLossRate with max as Most",
    "averageAudioDegradation with min as Least",
    "averageAudioDegradation with callvault.median as Median",
    "callStartDateTime with max as Last",
    "audioCodec with countdistinct as Codecs",
    "averageRatioOfConcealedSamples with average as Concealed",
    "callRecordId with countdistinct as Calls",
];
/// Of calculated members, by their names.
const FIGURES_OF_CALCULATED: [(&str, &str); 6] = [
    ("Poor", "Poor with sum as K"),
    ("Poor", "Poor with average as Share"),
    ("Weight", "Weight with sum as Weights"),
    ("Weight", "Weight with callvault.percentile50 as MedianWeight"),
    ("Delay", "Delay with average as MeanDelay"),
    ("Hour", "Hour with max as Latest"),
];

/// A random question about streams, or about their ends.
pub(crate) fn question(set: RowSet, random: &mut Random) -> Asked {
    let (conditions, keys): (&[&str], &[&str]) = match set {
        RowSet::Legs => (&CONDITIONS_OF_LEGS, &KEYS_OF_LEGS),
        _ => (&CONDITIONS_OF_STREAMS, &KEYS_OF_STREAMS),
    };
    let conditions: Vec<&str> = CONDITIONS.iter().chain(conditions).copied().collect();
    let keys: Vec<&str> = KEYS.iter().chain(keys).copied().collect();
    let mut steps = Vec::new();
    for _ in 0..random.below(3) {
        steps.push(format!("filter({})", random.pick(&conditions)));
    }
    let count = random.below(4);
    let calculated = some(&CALCULATED, count, random);
    if !calculated.is_empty() {
        let members = calculated.iter().map(|(name, value)| format!("{value} as {name}"));
        steps.push(format!("compute({})", members.collect::<Vec<_>>().join(",")));
    }
    let names: Vec<&str> = calculated.iter().map(|(name, _)| *name).collect();
    let keys: Vec<&str> =
        keys.into_iter().chain(names.iter().copied().filter(|name| *name != "Delay")).collect();
    let of_members = FIGURES_OF_CALCULATED.iter().filter(|(name, _)| names.contains(name));
    let figures: Vec<&str> =
        FIGURES.iter().copied().chain(of_members.map(|(_, figure)| *figure)).collect();
    let grouping = |random: &mut Random| {
        let (keys_of, figures_of) = (random.below(3), 1 + random.below(3));
        let figures = some(&figures, figures_of, random).join(",");
        let keys = some(&keys, keys_of, random).join(",");
        let aggregate = format!("aggregate({figures})");
        let grouped =
            if keys.is_empty() { aggregate } else { format!("groupby(({keys}),{aggregate})") };
        match random.below(4) {
            0 => format!("filter({})/{grouped}", random.pick(&conditions)),
            _ => grouped,
        }
    };
    match random.below(3) {
        0 => {
            let branches: Vec<String> =
                (0..2 + random.below(4)).map(|_| grouping(random)).collect();
            steps.push(format!("concat({})", branches.join(",")));
        }
        _ => steps.push(grouping(random)),
    }
    Asked { apply: steps, ..Asked::default() }
}

/// So many of some, each once.
fn some<T: Copy>(all: &[T], count: usize, random: &mut Random) -> Vec<T> {
    let mut left = all.to_vec();
    let mut found = Vec::new();
    for _ in 0..count.min(left.len()) {
        found.push(left.swap_remove(random.below(left.len())));
    }
    found
}
