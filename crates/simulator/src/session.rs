//! One session: its ends, its segments, how it failed.

use crate::device::{self, Devices};
use crate::endpoint::{self, Feedback, Manner};
use crate::json::{self, Instants};
use crate::media::{AUDIO_LABEL, ReportedMedia, Terminal};
use crate::modality;
use crate::network::Attachment;
use crate::plan::{Leg, Outcome, Side, Telemetry};
use crate::planted::{self, Seat, StreamPlace, Targets, Trouble, Truth};
use crate::population::{self, Population};
use crate::quality::Quality;
use crate::rng::Rng;

/// Where in a leg's seed the parts of it begin.
mod tag {
    pub(super) const ENDS: u64 = 0;
    pub(super) const FAILURE: u64 = 1;
    pub(super) const MEDIA: u64 = 2;
}

/// What sessions are written from.
pub(crate) struct Writer<'a> {
    pub(crate) population: &'a Population,
    pub(crate) instants: &'a mut Instants,
    pub(crate) legacy: bool,
    /// Which version of the record it is.
    pub(crate) version: u64,
    pub(crate) targets: &'a Targets,
    pub(crate) truth: &'a mut Truth,
}

/// One end of a leg: where, with what, and what they thought.
struct End {
    attachment: Attachment,
    devices: Devices,
    trouble: Trouble,
    manner: Manner,
}

impl End {
    fn terminal(&self) -> Terminal<'_> {
        let Self { attachment, devices, trouble, .. } = self;
        Terminal { attachment, devices: *devices, trouble: *trouble }
    }

    /// All that is known of its path, device and software.
    fn quality(&self) -> Quality {
        self.attachment.quality.across(self.trouble.quality)
    }
}

/// Both ends of a leg.
struct Ends<'e> {
    caller: &'e End,
    callee: &'e End,
}

/// A part of a session between two of its hops.
struct Part {
    id: [u8; 16],
    start: i64,
    /// What stands in place of the caller or the callee of the session.
    caller: Option<Side>,
    callee: Option<Side>,
    is_sip: bool,
}

impl Writer<'_> {
    /// Appends the session of `leg`; `rates_late`: it is rated in version 2 and not before.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, leg: &Leg, rates_late: bool) {
        let mut rng = Rng::of(leg.seed, tag::ENDS);
        let is_rated = self.is_rated(&mut rng, leg, rates_late);
        let mut caller = self.end(&mut rng, leg, false);
        let mut callee = self.end(&mut rng, leg, true);
        let poor = caller.quality().across(callee.quality()).is_poor();
        let rated = Feedback::rated(&mut rng, poor || leg.outcome == Outcome::Dropped);
        let by_callee = rng.chance(400) && matches!(leg.callee, Side::Person(_));
        if is_rated {
            if by_callee { &mut callee } else { &mut caller }.manner.feedback = rated;
        }
        let variant = rng.bits();

        json::raw(out, r#"{"id":""#);
        json::guid(out, leg.id);
        json::raw(out, r#"","modalities":["#);
        write_modalities(out, leg.modalities);
        json::raw(out, "],");
        self.write_times(out, leg.start, leg.end);
        json::raw(out, r#","isTest":"#);
        json::raw(out, if leg.is_test { "true" } else { "false" });
        write_failure(out, leg);
        json::raw(out, r#","caller":"#);
        let caller_from = out.len();
        endpoint::write(out, self.population, leg.caller, &caller.manner, variant);
        let caller_at = caller_from..out.len();
        json::raw(out, r#","callee":"#);
        let callee_from = out.len();
        endpoint::write(out, self.population, leg.callee, &callee.manner, variant);
        let callee_at = callee_from..out.len();
        json::raw(out, r#","segments":["#);
        let mut rng = Rng::of(leg.seed, tag::MEDIA);
        let (parts, count) = split(leg, &mut rng);
        for (i, part) in parts[..count].iter().enumerate() {
            json::raw(out, if i == 0 { r#"{"id":""# } else { r#",{"id":""# });
            json::guid(out, part.id);
            json::raw(out, r#"","#);
            self.write_times(out, part.start, leg.end);
            write_failure(out, leg);
            json::raw(out, r#","caller":"#);
            match part.caller {
                Some(side) => endpoint::write(out, self.population, side, &UNASKED, variant),
                None => out.extend_from_within(caller_at.clone()),
            }
            json::raw(out, r#","callee":"#);
            match part.callee {
                Some(side) => endpoint::write(out, self.population, side, &UNASKED, variant),
                None => out.extend_from_within(callee_at.clone()),
            }
            json::raw(out, r#","media":["#);
            if self.is_reported(leg) {
                let ends = Ends { caller: &caller, callee: &callee };
                self.write_media(out, leg, part, &ends, &mut rng);
            }
            json::raw(out, "]}");
        }
        json::raw(out, "]}");
    }

    fn is_reported(&self, leg: &Leg) -> bool {
        let has_media = matches!(leg.outcome, Outcome::Completed | Outcome::Dropped);
        has_media
            && match leg.telemetry {
                Telemetry::Reported => true,
                Telemetry::Late => self.version > 1,
                Telemetry::Never => false,
            }
    }

    /// Few rate; who does so late (`rates_late`) is one reason for version 2.
    fn is_rated(&self, rng: &mut Rng, leg: &Leg, rates_late: bool) -> bool {
        let rates = rng.chance(40);
        let has_talked = matches!(leg.outcome, Outcome::Completed | Outcome::Dropped);
        has_talked && if rates_late { self.version > 1 } else { rates }
    }

    fn end(&self, rng: &mut Rng, leg: &Leg, is_callee: bool) -> End {
        let side = if is_callee { leg.callee } else { leg.caller };
        let persona = match side {
            Side::Person(party) => Some(self.population.get(party)),
            _ => None,
        };
        let away = rng.chance(180) && persona.is_some_and(|persona| !persona.fixed);
        let mut trouble = Trouble::NONE;
        let attachment = match persona {
            Some(persona) if !persona.is_service() => {
                let calm = !self.targets.is_empty();
                let mut attachment = Attachment::of(persona, away, rng, calm);
                let (leg_seed, leg_start) = (leg.seed, leg.start);
                let seat = Seat { persona, away, is_callee, leg_seed, leg_start };
                trouble = self.targets.trouble(&seat, &mut attachment);
                attachment
            }
            _ => Attachment::service(rng),
        };
        let devices = match persona {
            None => Devices::Unknown,
            Some(_) if away => Devices::Mobile,
            Some(_) if trouble.has_headset => Devices::Headset(&device::PLANTED),
            Some(persona) => Devices::Headset(device::headset(persona.trait_bits)),
        };
        let version = trouble.has_client.then_some(planted::CLIENT_VERSION);
        let manner = Manner { away, version, feedback: Feedback::NotRated, legacy: self.legacy };
        End { attachment, devices, trouble, manner }
    }

    fn write_times(&mut self, out: &mut Vec<u8>, start: i64, end: i64) {
        json::raw(out, r#""startDateTime":"#);
        self.instants.write(out, start);
        json::raw(out, r#","endDateTime":"#);
        self.instants.write(out, end);
    }

    fn write_media(
        &mut self,
        out: &mut Vec<u8>,
        leg: &Leg,
        part: &Part,
        ends: &Ends<'_>,
        rng: &mut Rng,
    ) {
        let relay = Attachment::service(rng);
        let is_conference = leg.callee == Side::Conference;
        let terminal = |end, replaced: Option<Side>| match replaced {
            Some(_) => {
                Terminal { attachment: &relay, devices: Devices::Unknown, trouble: Trouble::NONE }
            }
            None => End::terminal(end),
        };
        let reported = ReportedMedia {
            caller: terminal(ends.caller, part.caller),
            callee: terminal(ends.callee, part.callee),
            modalities: leg.modalities,
            start: part.start,
            end: leg.end,
            is_sip: part.is_sip,
            is_conference,
        };
        let streams = reported.write(out, self.instants, rng);
        let place = StreamPlace {
            session: leg.id,
            segment: part.id,
            label: AUDIO_LABEL,
            streams: &streams,
        };
        self.truth.streams(self.targets, &reported.caller.trouble, "caller", &place);
        self.truth.streams(self.targets, &reported.callee.trouble, "callee", &place);
    }
}

/// How services in the middle of a session are written: nobody asks them for feedback.
const UNASKED: Manner =
    Manner { away: false, version: None, feedback: Feedback::None, legacy: false };

/// The segments of a leg: one, but two when it crosses into the telephone network.
fn split(leg: &Leg, rng: &mut Rng) -> ([Part; 2], usize) {
    let is_phone = |side| matches!(side, Side::Person(party) if population::is_phone(party));
    let whole = |id, is_sip| Part { id, start: leg.start, caller: None, callee: None, is_sip };
    let second = rng.guid();
    let answered = leg.start + rng.below((leg.end - leg.start) as u64 / 4 + 1) as i64;
    let from_phone = is_phone(leg.caller);
    if leg.outcome == Outcome::Unanswered || !(from_phone || is_phone(leg.callee)) {
        return ([whole(leg.id, false), whole(second, false)], 1);
    }
    let (first_to, second_from) = if from_phone {
        (Side::Gateway, Side::Mediation)
    } else {
        (Side::Mediation, Side::Gateway)
    };
    let first = Part { callee: Some(first_to), ..whole(leg.id, from_phone) };
    let second = Part { caller: Some(second_from), start: answered, ..whole(second, !from_phone) };
    ([first, second], 2)
}

pub(crate) fn write_modalities(out: &mut Vec<u8>, set: u8) {
    let names = [
        (modality::AUDIO, "\"audio\""),
        (modality::VIDEO, "\"video\""),
        (modality::VIDEO_BASED_SCREEN_SHARING, "\"videoBasedScreenSharing\""),
        (modality::SCREEN_SHARING, "\"screenSharing\""),
        (modality::DATA, "\"data\""),
    ];
    let mut is_first = true;
    for (modality, name) in names {
        if set & modality != 0 {
            if !is_first {
                out.push(b',');
            }
            json::raw(out, name);
            is_first = false;
        }
    }
}

/// Reasons are free text, and most often there is none.
const SETUP_REASONS: [&str; 4] =
    ["", "", "Failed to establish a media connection.", "The callee declined before answering."];
const DROP_REASONS: [&str; 4] =
    ["", "", "Media connectivity was lost.", "Network change timed out."];

fn write_failure(out: &mut Vec<u8>, leg: &Leg) {
    let (stage, reasons) = match leg.outcome {
        Outcome::Completed | Outcome::Unanswered => {
            return json::raw(out, r#","failureInfo":null"#);
        }
        Outcome::SetupFailed => ("callSetup", &SETUP_REASONS[..]),
        Outcome::Dropped => ("midcall", &DROP_REASONS[..]),
    };
    json::raw(out, r#","failureInfo":{"stage":""#);
    json::raw(out, stage);
    json::raw(out, r#"","reason":"#);
    let reason = *Rng::of(leg.seed, tag::FAILURE).pick(reasons);
    json::string(out, reason);
    out.push(b'}');
}
