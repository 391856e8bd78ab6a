//! One direction of one medium: `mediaStream`.

use crate::json::{self, Instants};
use crate::quality::Quality;
use crate::rng::Rng;

/// What flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Audio,
    Video,
    /// Nothing: the direction was negotiated and not used.
    Idle,
}

/// One stream to be written.
pub(crate) struct Stream<'a> {
    pub(crate) content: Content,
    /// From caller to callee, or back.
    pub(crate) forward: bool,
    pub(crate) quality: Quality,
    pub(crate) seconds: u64,
    pub(crate) codec: &'a str,
    /// Start and end in ticks: only SIP streams (gateways) tell them.
    pub(crate) sip: Option<(i64, i64)>,
    pub(crate) media_bypassed: bool,
}

impl Stream<'_> {
    /// Appends the stream. Returns its id and how many packets it had.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        instants: &mut Instants,
        rng: &mut Rng,
    ) -> (u64, u64) {
        json::raw(out, r#"{"streamId":""#);
        let id = rng.bits() >> 32;
        json::unsigned(out, id);
        match self.sip {
            Some((start, end)) => {
                json::raw(out, r#"","startDateTime":"#);
                instants.write(out, start);
                json::raw(out, r#","endDateTime":"#);
                instants.write(out, end);
            }
            None => json::raw(out, r#"","startDateTime":null,"endDateTime":null"#),
        }
        json::raw(
            out,
            if self.forward {
                r#","streamDirection":"callerToCallee","#
            } else {
                r#","streamDirection":"calleeToCaller","#
            },
        );
        let packets = match self.content {
            Content::Audio => self.write_audio(out, rng),
            Content::Video => self.write_video(out, rng),
            Content::Idle => {
                json::raw(out, IDLE);
                0
            }
        };
        (id, packets)
    }

    fn write_audio(&self, out: &mut Vec<u8>, rng: &mut Rng) -> u64 {
        let Quality { jitter_ms, loss_ppm, round_trip_ms, .. } = self.quality;
        json::raw(out, r#""averageAudioDegradation":"#);
        let degradation = loss_ppm * 6 / 10 + jitter_ms * 500 + rng.below(900);
        json::decimal(out, degradation.min(350_000), 5);
        self.write_transport(out, rng);
        json::raw(out, r#","averageRatioOfConcealedSamples":"#);
        let concealed = loss_ppm + jitter_ms * 150 + rng.below(700);
        ppm(out, concealed);
        json::raw(out, r#","maxRatioOfConcealedSamples":"#);
        ppm(out, concealed * 2 + rng.below(3_000));
        write_round_trip(out, rng, round_trip_ms);
        // 50 packets a second, fewer in silence.
        let packets = self.seconds * rng.between(22, 50);
        json::unsigned(out, packets);
        self.write_bandwidth(out);
        json::raw(
            out,
            ",\"postForwardErrorCorrectionPacketLossRate\":null,\
             \"averageVideoFrameLossPercentage\":null,\"averageReceivedFrameRate\":null,\
             \"lowFrameRateRatio\":null,\"averageVideoPacketLossRate\":null,\
             \"averageVideoFrameRate\":null,\"lowVideoProcessingCapabilityRatio\":null,\
             \"averageAudioNetworkJitter\":",
        );
        let network_jitter = jitter_ms * 3 + rng.below(15);
        json::milliseconds(out, network_jitter);
        json::raw(out, r#","maxAudioNetworkJitter":"#);
        json::milliseconds(out, network_jitter * 2 + rng.below(40));
        json::raw(out, r#","audioCodec":""#);
        json::raw(out, self.codec);
        json::raw(
            out,
            "\",\"videoCodec\":\"unknown\",\"rmsFreezeDuration\":null,\
             \"averageFreezeDuration\":null,\"isAudioForwardErrorCorrectionUsed\":",
        );
        json::raw(out, if loss_ppm > 10_000 { "true}" } else { "false}" });
        packets
    }

    fn write_video(&self, out: &mut Vec<u8>, rng: &mut Rng) -> u64 {
        let Quality { loss_ppm, round_trip_ms, .. } = self.quality;
        json::raw(out, r#""averageAudioDegradation":null"#);
        self.write_transport(out, rng);
        json::raw(
            out,
            r#","averageRatioOfConcealedSamples":null,"maxRatioOfConcealedSamples":null"#,
        );
        write_round_trip(out, rng, round_trip_ms);
        let packets = self.seconds * rng.between(60, 240);
        json::unsigned(out, packets);
        self.write_bandwidth(out);
        json::raw(out, r#","postForwardErrorCorrectionPacketLossRate":"#);
        ppm(out, loss_ppm / 4);
        json::raw(out, r#","averageVideoFrameLossPercentage":"#);
        // A percentage, not a ratio.
        json::decimal(out, (loss_ppm / 100 * 3).min(10_000), 2);
        // Tenths of a frame a second; a path that loses much is given fewer.
        let rate = if loss_ppm > 50_000 { rng.between(40, 140) } else { rng.between(140, 300) };
        json::raw(out, r#","averageReceivedFrameRate":"#);
        json::decimal(out, rate, 1);
        json::raw(out, r#","lowFrameRateRatio":"#);
        ppm(out, 75_u64.saturating_sub(rate) * 12_000);
        json::raw(out, r#","averageVideoPacketLossRate":"#);
        ppm(out, loss_ppm);
        json::raw(out, r#","averageVideoFrameRate":"#);
        json::decimal(out, rate, 1);
        json::raw(
            out,
            ",\"lowVideoProcessingCapabilityRatio\":0,\"averageAudioNetworkJitter\":null,\
             \"maxAudioNetworkJitter\":null,\"audioCodec\":\"unknown\",\"videoCodec\":\"",
        );
        json::raw(out, self.codec);
        json::raw(out, r#"","rmsFreezeDuration":"#);
        let freeze = loss_ppm / 120 + rng.below(30);
        json::milliseconds(out, freeze * 3 / 2);
        json::raw(out, r#","averageFreezeDuration":"#);
        json::milliseconds(out, freeze);
        json::raw(out, r#","isAudioForwardErrorCorrectionUsed":null}"#);
        packets
    }

    /// Jitter and packet loss, averages and peaks.
    fn write_transport(&self, out: &mut Vec<u8>, rng: &mut Rng) {
        let Quality { jitter_ms, loss_ppm, .. } = self.quality;
        json::raw(out, r#","averageJitter":"#);
        json::milliseconds(out, jitter_ms);
        json::raw(out, r#","maxJitter":"#);
        json::milliseconds(out, jitter_ms * 3 / 2 + rng.below(9));
        json::raw(out, r#","averagePacketLossRate":"#);
        ppm(out, loss_ppm);
        json::raw(out, r#","maxPacketLossRate":"#);
        ppm(out, loss_ppm * rng.between(110, 260) / 100);
    }

    fn write_bandwidth(&self, out: &mut Vec<u8>) {
        json::raw(out, r#","averageBandwidthEstimate":"#);
        json::unsigned(out, self.quality.bandwidth_kbps * 1000);
        json::raw(out, r#","wasMediaBypassed":"#);
        json::raw(out, if self.media_bypassed { "true" } else { "false" });
    }
}

/// What follows the direction of a stream that nothing went over.
const IDLE: &str = "\"averageAudioDegradation\":null,\"averageJitter\":null,\"maxJitter\":null,\
    \"averagePacketLossRate\":null,\"maxPacketLossRate\":null,\
    \"averageRatioOfConcealedSamples\":null,\"maxRatioOfConcealedSamples\":null,\
    \"averageRoundTripTime\":null,\"maxRoundTripTime\":null,\"packetUtilization\":0,\
    \"averageBandwidthEstimate\":null,\"wasMediaBypassed\":null,\
    \"postForwardErrorCorrectionPacketLossRate\":null,\
    \"averageVideoFrameLossPercentage\":null,\"averageReceivedFrameRate\":null,\
    \"lowFrameRateRatio\":null,\"averageVideoPacketLossRate\":null,\
    \"averageVideoFrameRate\":null,\"lowVideoProcessingCapabilityRatio\":null,\
    \"averageAudioNetworkJitter\":null,\"maxAudioNetworkJitter\":null,\
    \"audioCodec\":\"unknown\",\"videoCodec\":\"unknown\",\"rmsFreezeDuration\":null,\
    \"averageFreezeDuration\":null,\"isAudioForwardErrorCorrectionUsed\":null}";

/// Average and peak round trip, and the key of the packet count.
fn write_round_trip(out: &mut Vec<u8>, rng: &mut Rng, round_trip_ms: u64) {
    json::raw(out, r#","averageRoundTripTime":"#);
    json::milliseconds(out, round_trip_ms);
    json::raw(out, r#","maxRoundTripTime":"#);
    json::milliseconds(out, round_trip_ms * rng.between(110, 200) / 100);
    json::raw(out, r#","packetUtilization":"#);
}

/// A ratio of millionths, at most 1.
#[inline]
fn ppm(out: &mut Vec<u8>, millionths: u64) {
    // Below a ten-thousandth, .NET would print an exponent: nothing is lost by calling it none.
    let shown = if millionths < 100 { 0 } else { millionths.min(1_000_000) };
    json::decimal(out, shown, 6);
}
