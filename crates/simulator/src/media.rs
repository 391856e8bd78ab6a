//! The media of a segment: networks, devices and streams of each label.

use crate::device::{self, Devices};
use crate::json::{self, Instants};
use crate::modality;
use crate::network::{Attachment, Connection};
use crate::planted::{GATE_PACKETS, Trouble};
use crate::rng::Rng;
use crate::stream::{Content, Stream};

/// The label of an audio medium.
pub(crate) const AUDIO_LABEL: &str = "main-audio";

const AUDIO_CODECS: [&str; 12] = [
    "satin",
    "satin",
    "satin",
    "satin",
    "satin",
    "satinFullband",
    "silkWide",
    "silkWide",
    "g722",
    "g722",
    "opus",
    "opus",
];
/// What telephone networks speak.
const SIP_CODECS: [&str; 4] = ["pcmu", "pcma", "g722", "pcmu"];
const VIDEO_CODECS: [&str; 6] = ["h264", "h264", "h264", "h264", "av1", "h264s"];

/// One side of a segment.
pub(crate) struct Terminal<'a> {
    pub(crate) attachment: &'a Attachment,
    /// Those of its audio.
    pub(crate) devices: Devices,
    pub(crate) trouble: Trouble,
}

/// A segment whose media were reported.
pub(crate) struct ReportedMedia<'a> {
    pub(crate) caller: Terminal<'a>,
    pub(crate) callee: Terminal<'a>,
    pub(crate) modalities: u8,
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// The segment is the telephone's side, spoken in SIP.
    pub(crate) is_sip: bool,
    /// Nobody hears this side in a conference: one direction can be idle.
    pub(crate) is_conference: bool,
}

impl ReportedMedia<'_> {
    /// Appends the items of `media`. Returns the ids of the streams that planted causes made poor.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        instants: &mut Instants,
        rng: &mut Rng,
    ) -> Vec<u64> {
        let mut poor = Vec::new();
        let transport = if rng.chance(930) { "udp" } else { "tcp" };
        let mut is_first = true;
        let labels = [
            (modality::AUDIO, AUDIO_LABEL),
            (modality::VIDEO, "main-video"),
            (modality::VIDEO_BASED_SCREEN_SHARING, "applicationsharing-video"),
            (modality::DATA, "data"),
        ];
        for (modality, label) in labels {
            if self.modalities & modality == 0 {
                continue;
            }
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            json::raw(out, r#"{"label":""#);
            json::raw(out, label);
            json::raw(out, r#"","callerNetwork":"#);
            let is_audio = modality == modality::AUDIO;
            self.caller.attachment.write(out, rng, is_audio, transport);
            json::raw(out, r#","calleeNetwork":"#);
            self.callee.attachment.write(out, rng, is_audio, transport);
            json::raw(out, r#","callerDevice":"#);
            self.caller.write_devices(out, rng, is_audio);
            json::raw(out, r#","calleeDevice":"#);
            self.callee.write_devices(out, rng, is_audio);
            json::raw(out, r#","streams":["#);
            poor.extend(self.write_streams(out, instants, rng, modality));
            json::raw(out, "]}");
        }
        poor
    }

    fn write_streams(
        &self,
        out: &mut Vec<u8>,
        instants: &mut Instants,
        rng: &mut Rng,
        modality: u8,
    ) -> Vec<u64> {
        let content = if modality == modality::AUDIO { Content::Audio } else { Content::Video };
        let (caller, callee) = (&self.caller, &self.callee);
        let mut quality = caller.attachment.quality.across(callee.attachment.quality);
        if content == Content::Audio {
            quality = quality.across(caller.trouble.quality).across(callee.trouble.quality);
        }
        let is_hit = !(caller.trouble.causes.is_empty() && callee.trouble.causes.is_empty());
        let mut poor = Vec::new();
        let codec = match (content, self.is_sip) {
            (Content::Audio, true) => *rng.pick(&SIP_CODECS),
            (Content::Audio, false) => *rng.pick(&AUDIO_CODECS),
            _ => *rng.pick(&VIDEO_CODECS),
        };
        let (forward, backward) = match modality {
            modality::AUDIO => (!(self.is_conference && rng.chance(150)), true),
            modality::VIDEO => (rng.chance(800), rng.chance(900)),
            // A screen goes one way.
            modality::VIDEO_BASED_SCREEN_SHARING => {
                let shares = rng.chance(400);
                (shares, !shares)
            }
            _ => (false, false),
        };
        let bypassed = self.is_sip && rng.chance(300);
        for (is_forward, is_used) in [(true, forward), (false, backward)] {
            if modality == modality::DATA && !is_forward {
                continue;
            }
            if !is_forward {
                out.push(b',');
            }
            let stream = Stream {
                content: if is_used { content } else { Content::Idle },
                forward: is_forward,
                quality: quality.varied(rng),
                seconds: ((self.end - self.start) / odata::primitive::TICKS_PER_SECOND) as u64 + 1,
                codec,
                sip: self.is_sip.then_some((self.start, self.end)),
                media_bypassed: bypassed,
            };
            let (id, packets) = stream.write(out, instants, rng);
            if is_hit && stream.content == Content::Audio && packets > GATE_PACKETS {
                poor.push(id);
            }
        }
        poor
    }
}

impl Terminal<'_> {
    fn write_devices(&self, out: &mut Vec<u8>, rng: &mut Rng, is_audio: bool) {
        let is_known = is_audio && self.attachment.connection != Connection::Service;
        device::write(out, rng, if is_known { self.devices } else { Devices::Unknown });
    }
}
