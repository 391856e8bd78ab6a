//! Every line has the members that Graph has, in Graph's order.

use simulator::{Calls, Mix};

use super::options;
use super::ordered::{Ordered, is_json};

const RECORD: &str = "id version type modalities lastModifiedDateTime startDateTime endDateTime \
    joinWebUrl organizer participants organizer_v2 sessions participants_v2";
const SESSION: &str = "id modalities startDateTime endDateTime isTest failureInfo caller callee \
    segments";
const SEGMENT: &str = "id startDateTime endDateTime failureInfo caller callee media";
const PARTICIPANT_ENDPOINT: &str = "@odata.type name cpuName cpuCoresCount \
    cpuProcessorSpeedInMhz userAgent identity associatedIdentity feedback";
const CLIENT_AGENT: &str = "@odata.type headerValue applicationVersion platform productFamily \
    communicationServiceId azureADAppId";
const SERVICE_AGENT: &str = "@odata.type headerValue applicationVersion role";
const MEDIA: &str = "label callerNetwork calleeNetwork callerDevice calleeDevice streams";
const NETWORK: &str = "ipAddress subnet linkSpeed connectionType port reflexiveIPAddress \
    relayIPAddress relayPort macAddress wifiMicrosoftDriver wifiMicrosoftDriverVersion \
    wifiVendorDriver wifiVendorDriverVersion wifiChannel wifiBand basicServiceSetIdentifier \
    wifiRadioType wifiSignalStrength wifiBatteryCharge dnsSuffix sentQualityEventRatio \
    receivedQualityEventRatio delayEventRatio bandwidthLowEventRatio networkTransportProtocol \
    traceRouteHops";
const DEVICE: &str = "captureDeviceName captureDeviceDriver renderDeviceName renderDeviceDriver \
    sentSignalLevel receivedSignalLevel sentNoiseLevel receivedNoiseLevel \
    initialSignalLevelRootMeanSquare cpuInsufficentEventRatio renderNotFunctioningEventRatio \
    captureNotFunctioningEventRatio deviceGlitchEventRatio lowSpeechToNoiseEventRatio \
    lowSpeechLevelEventRatio deviceClippingEventRatio howlingEventCount \
    renderZeroVolumeEventRatio renderMuteEventRatio micGlitchRate speakerGlitchRate";
const STREAM: &str = "streamId startDateTime endDateTime streamDirection averageAudioDegradation \
    averageJitter maxJitter averagePacketLossRate maxPacketLossRate \
    averageRatioOfConcealedSamples maxRatioOfConcealedSamples averageRoundTripTime \
    maxRoundTripTime packetUtilization averageBandwidthEstimate wasMediaBypassed \
    postForwardErrorCorrectionPacketLossRate averageVideoFrameLossPercentage \
    averageReceivedFrameRate lowFrameRateRatio averageVideoPacketLossRate averageVideoFrameRate \
    lowVideoProcessingCapabilityRatio averageAudioNetworkJitter maxAudioNetworkJitter audioCodec \
    videoCodec rmsFreezeDuration averageFreezeDuration isAudioForwardErrorCorrectionUsed";
const LEGACY_SET: &str = "acsUser spoolUser phone guest encrypted onPremises \
    acsApplicationInstance spoolApplicationInstance applicationInstance application device user";
const SET: &str = "endpointType acsUser spoolUser phone guest encrypted onPremises \
    acsApplicationInstance spoolApplicationInstance applicationInstance application device \
    azureCommunicationServicesUser assertedIdentity user";

fn expect(value: &Ordered, members: &str) {
    assert_eq!(value.keys(), members.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn every_line_has_the_declared_members_in_order() {
    for mix in [Mix::Realistic, Mix::Bench] {
        let mut lines = 0;
        for line in Calls::new(options(mix, 300)) {
            assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
            assert!(is_json(&line), "{}", String::from_utf8_lossy(&line));
            check_record(&serde_json::from_slice(&line).unwrap(), mix == Mix::Realistic);
            lines += 1;
        }
        assert!(lines >= 300);
    }
}

fn check_record(record: &Ordered, has_legacy: bool) {
    expect(record, RECORD);
    if has_legacy {
        expect(record.get("organizer"), LEGACY_SET);
        assert!(!record.get("participants").items().is_empty());
        record.get("participants").items().iter().for_each(|set| expect(set, LEGACY_SET));
    }
    let people = record.get("participants_v2").items();
    for person in people.iter().chain([record.get("organizer_v2")]) {
        expect(person, "id identity administrativeUnitInfos");
        expect(person.get("identity"), SET);
        if let user @ Ordered::Object(_) = person.get("identity").get("user") {
            expect(user, "@odata.type id displayName tenantId userPrincipalName");
        }
    }
    for session in record.get("sessions").items() {
        expect(session, SESSION);
        check_endpoint(session.get("caller"));
        check_endpoint(session.get("callee"));
        for segment in session.get("segments").items() {
            expect(segment, SEGMENT);
            check_endpoint(segment.get("caller"));
            check_endpoint(segment.get("callee"));
            segment.get("media").items().iter().for_each(check_media);
        }
    }
}

fn check_endpoint(endpoint: &Ordered) {
    if endpoint.keys().len() > 2 {
        expect(endpoint, PARTICIPANT_ENDPOINT);
    } else {
        expect(endpoint, "@odata.type userAgent");
    }
    let agent = endpoint.get("userAgent");
    let is_service = agent.keys().contains(&"role");
    expect(agent, if is_service { SERVICE_AGENT } else { CLIENT_AGENT });
}

fn check_media(media: &Ordered) {
    expect(media, MEDIA);
    for side in ["callerNetwork", "calleeNetwork"] {
        expect(media.get(side), NETWORK);
        for hop in media.get(side).get("traceRouteHops").items() {
            expect(hop, "hopCount ipAddress roundTripTime");
        }
    }
    expect(media.get("callerDevice"), DEVICE);
    expect(media.get("calleeDevice"), DEVICE);
    media.get("streams").items().iter().for_each(|stream| expect(stream, STREAM));
}
