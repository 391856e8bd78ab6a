//! Rows over all records of a tenant: sessions, segments, streams.

use serde_json::json;

use super::{Asked, RECORDS};

#[test]
fn rows_in_the_order_of_their_records_or_any_other() {
    Asked::new().lists(
        RECORDS,
        &[
            ("/callvault.sessions()", "r8a r7a r7b r6a r3a r2a r2b r2c r1a"),
            ("/callvault.sessions", "r8a r7a r7b r6a r3a r2a r2b r2c r1a"),
            ("/callvault.segments()", "r8a1 r7a1 r7b1 r6a1 r3a1 r2a1 r2a2 r2b1 r1a1"),
            ("/callvault.streams()", "71 72 61 21 22 23 11 12"),
            ("/callvault.sessions()?$orderby=id desc&$top=2", "r8a r7b"),
            ("/callvault.segments()?$orderby=callRecordId,id&$skip=1&$top=2", "r1a1 r2a1"),
            ("/callvault.streams()?$orderby=averageJitter desc,streamId&$top=3", "61 72 71"),
            ("/callvault.streams()?$orderby=packetUtilization,streamId", "23 61 72 11 12 21 71 22"),
            ("/callvault.streams()?$skip=6", "11 12"),
        ],
    );
}

#[test]
fn sessions() {
    let base = format!("{RECORDS}/callvault.sessions()");
    Asked::new().filters_of(
        &base,
        "",
        &[
            ("isTest eq true", "r2c"),
            ("failureInfo/stage eq 'callSetup'", "r6a"),
            ("failureInfo ne null", "r2b r6a"),
            ("segments/$count eq 2", "r2a"),
            ("caller eq null", "r2c"),
            ("callRecordId eq 'r7'", "r7a r7b"),
            ("callRecordId eq 'e8000000-0000-4000-8000-0000000000ab'", "r8a"),
            ("callRecordVersion eq 2", "r2a r2b r2c"),
            ("callRecordType eq 'peerToPeer'", "r1a r6a r8a"),
            ("callStartDateTime lt 2025-03-01T09:15:00Z", "r1a"),
            ("startDateTime gt callStartDateTime", "r2b"),
            ("endDateTime lt callEndDateTime", "r2c"),
            ("modalities/any(m:m eq 'video')", "r2a r3a r7b"),
            ("segments/any(g:g/media/any(m:m/label eq 'main-video'))", "r2a"),
            (
                "caller/microsoft.graph.callRecords.participantEndpoint/cpuCoresCount gt 4",
                "r1a r7a r7b",
            ),
            ("startswith(callRecordId,'r') and isTest eq null", "r3a"),
        ],
    );
}

#[test]
fn segments() {
    let base = format!("{RECORDS}/callvault.segments()");
    Asked::new().filters_of(
        &base,
        "",
        &[
            ("failureInfo ne null", "r6a1"),
            ("failureInfo/reason eq 'No answer'", "r6a1"),
            ("media/any()", "r1a1 r2a1 r2b1 r3a1 r6a1 r7a1 r7b1"),
            ("media/$count eq 2", "r2a1"),
            ("sessionId eq 'r2a'", "r2a1 r2a2"),
            ("callRecordType eq 'groupCall' and startDateTime gt callStartDateTime", "r2a2 r2b1"),
            (
                "media/any(m:m/streams/any(t:t/averageRoundTripTime ge duration'PT0.3S'))",
                "r1a1 r6a1",
            ),
            (
                "caller/userAgent/microsoft.graph.callRecords.clientUserAgent/platform eq 'web'",
                "r2b1",
            ),
            ("callEndDateTime sub callStartDateTime gt duration'PT2H'", "r7a1 r7b1"),
        ],
    );
}

#[test]
fn streams() {
    let base = format!("{RECORDS}/callvault.streams()");
    Asked::new().filters_of(
        &base,
        "",
        &[
            ("averagePacketLossRate gt 0.1", "12 61 71"),
            ("averagePacketLossRate ge 0.1", "12 61 71 72"),
            ("averagePacketLossRate eq 0", "11"),
            ("averagePacketLossRate eq null", "22"),
            ("maxPacketLossRate eq INF", "23"),
            ("maxPacketLossRate gt 1e300", "23"),
            ("averageRatioOfConcealedSamples eq null", "11 12 21 22 23 61 71 72"),
            ("averageVideoFrameLossPercentage eq -INF", "23"),
            ("averageVideoFrameLossPercentage lt 0", "23"),
            ("callRecordId eq 'r2'", "21 22 23"),
            ("sessionId eq 'r2b'", "23"),
            ("segmentId eq 'r2a1'", "21 22"),
            ("callRecordType eq 'peerToPeer'", "11 12 61"),
            ("callRecordVersion eq 7", "71 72"),
            ("callStartDateTime ge 2025-03-04", "61 71 72"),
            ("segmentStartDateTime ge 2025-03-01T10:00:00Z and callRecordId eq 'r2'", "23"),
            ("segmentEndDateTime lt callEndDateTime", "21 22"),
            ("mediaLabel eq 'main-video'", "22"),
            ("callerNetwork/subnet eq '10.1.1.0'", "11 12 21 22 72"),
            ("callerNetwork/subnet eq null", "61"),
            ("callerNetwork/connectionType eq 'wifi'", "23 71"),
            ("callerNetwork/connectionType gt 'wifi'", "61"),
            ("callerNetwork/wifiBand eq 'frequency60GHz'", "71"),
            ("callerNetwork/wifiSignalStrength lt -50", "23"),
            ("callerNetwork/linkSpeed ge 1000000000", "11 12"),
            ("calleeNetwork/wifiChannel eq 36", "11 12"),
            ("calleeNetwork eq null", "21 22 23 61 71 72"),
            ("callerNetwork/traceRouteHops/any(h:h/hopCount eq 2)", "11 12"),
            ("callerNetwork/traceRouteHops/$count eq 0", "21 22 23 61 71 72"),
            ("callerDevice/captureDeviceName eq 'Jabra Evolve 75'", "11 12 21 71"),
            ("contains(calleeDevice/captureDeviceName,'Größe')", "11 12"),
            ("callerDevice/sentSignalLevel eq -20", "11 12"),
            ("callerDevice/initialSignalLevelRootMeanSquare eq 0.5", "11 12"),
            (
                "caller/userAgent/microsoft.graph.callRecords.clientUserAgent/platform eq 'windows'",
                "11 12 21 22 61 71",
            ),
            (
                "caller/microsoft.graph.callRecords.participantEndpoint/identity/user/id eq 'a1b2c3d4-0000-4000-8000-00000000000a'",
                "11 12 21 22 71",
            ),
            ("audioCodec eq 'warpCodec'", "71"),
            ("audioCodec gt 'opus'", "12 21"),
            ("audioCodec eq null", "22 23"),
            ("videoCodec eq 'h264'", "22"),
            ("averageJitter gt duration'PT0.02S'", "61 71 72"),
            ("maxJitter ne null", "11"),
            ("averageFreezeDuration eq duration'PT1.5S'", "22"),
            ("totalseconds(averageRoundTripTime) gt 0.1", "12 61 71"),
            ("wasMediaBypassed eq true", "61"),
            ("streamDirection eq 'calleeToCaller'", "12 72"),
            ("packetUtilization ge 3000", "21 22 71"),
            ("averageVideoFrameRate gt 29", "22"),
            ("averageAudioDegradation gt 0.5 or averagePacketLossRate eq 0.1", "61 71 72"),
        ],
    );
}

#[test]
fn rows_show_what_they_belong_to() {
    let mut asked = Asked::new();
    let row = asked.body(&format!("{RECORDS}/callvault.streams()?$filter=streamId eq '23'"));
    let row = &row["value"][0];
    for (member, expected) in [
        ("callRecordId", json!("r2")),
        ("callRecordVersion", json!(2)),
        ("callRecordType", json!("groupCall")),
        ("callStartDateTime", json!("2025-03-01T09:30:00.5Z")),
        ("callEndDateTime", json!("2025-03-01T10:30:00.5Z")),
        ("sessionId", json!("r2b")),
        ("segmentId", json!("r2b1")),
        ("segmentStartDateTime", json!("2025-03-01T10:00:00Z")),
        ("segmentEndDateTime", json!("2025-03-01T10:30:00.5Z")),
        ("mediaLabel", json!("main-audio")),
        ("maxPacketLossRate", json!("INF")),
        ("averagePacketLossRate", json!(0.0625)),
    ] {
        assert_eq!(row[member], expected, "{member}");
    }
    assert_eq!(row["callerNetwork"]["wifiBand"], "frequency24GHz");
    assert_eq!(row["caller"]["userAgent"]["platform"], "web");
    assert_eq!(row["callee"]["userAgent"]["role"], "skypeForBusinessAudioVideoMcu");

    let options = "$filter=id eq 'r2a'&$select=id,callRecordId&$expand=segments($select=id)";
    let row = asked.body(&format!("{RECORDS}/callvault.sessions()?{options}"));
    let row = &row["value"][0];
    assert_eq!((&row["id"], &row["callRecordId"]), (&json!("r2a"), &json!("r2")));
    let segments: Vec<&str> =
        row["segments"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(segments, ["r2a1", "r2a2"]);
    let row = asked.body(&format!("{RECORDS}/callvault.segments()?$filter=id eq 'r2a2'"));
    assert_eq!(row["value"][0]["media"], json!([]));
    let address = &asked.server.address;
    assert_eq!(
        row["@odata.context"],
        format!("http://{address}/v1.0/$metadata#Collection(callvault.segmentRow)")
    );
}

#[test]
fn members_unknown_to_a_row_are_refused_with_their_position() {
    Asked::new().refusals(&[
        (
            "/callvault.streams()?$filter=packetLoss gt 0",
            400,
            "$filter",
            "Unknown property 'packetLoss' at position 0 in 'packetLoss gt 0'.",
        ),
        (
            "/callvault.sessions()?$filter=callRecordID eq 'x'",
            400,
            "$filter",
            "Unknown property 'callRecordID' at position 0 in 'callRecordID eq 'x''. Did you mean 'callRecordId'?",
        ),
        (
            "/callvault.segments()?$expand=media",
            400,
            "$expand",
            "Navigation property expected but found 'media' at position 0 in 'media'.",
        ),
        (
            "/callvault.sessions()?$orderby=segments",
            400,
            "$orderby",
            "Type mismatch: a single value expected but found Collection(microsoft.graph.callRecords.segment) at position 0 in 'segments'.",
        ),
        (
            "/callvault.strems()",
            400,
            "path",
            "Resource not found for the segment 'callvault.strems()'. Did you mean 'callvault.streams'?",
        ),
    ]);
}
