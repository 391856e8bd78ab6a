//! The two ends of a session or segment: people with their clients, and services.

use crate::json;
use crate::persona::{Kind, Persona};
use crate::plan::Side;
use crate::population::Population;
use crate::rng::Rng;

/// What a participant thought of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feedback {
    /// Never asked: telephones and services.
    None,
    NotRated,
    /// 1 (bad) to 5 (excellent), with complaints as bits in the order of [`TOKENS`].
    Rated(u8, u8),
}

const RATINGS: [&str; 5] = ["bad", "poor", "fair", "good", "excellent"];

const TOKENS: [&str; 8] = [
    "NoSound",
    "OtherNoSound",
    "Echo",
    "Noisy",
    "LowVolume",
    "Stopped",
    "DistortedSound",
    "Interruptions",
];

/// What people write when they rate.
const REMARKS: [&str; 4] = [
    "I could not follow the others.",
    "Sound came and went.",
    "Everything was fine.",
    "Video froze a few times, audio was good.",
];

impl Feedback {
    /// A rating, low when the network was `poor`.
    pub(crate) fn rated(rng: &mut Rng, poor: bool) -> Self {
        let rating = if poor { rng.between(1, 3) } else { rng.between(3, 5) } as u8;
        let complaints = if rating <= 3 { rng.bits() & rng.bits() } else { 0 } as u8;
        Self::Rated(rating, complaints)
    }

    fn write(self, out: &mut Vec<u8>) {
        let (rating, complaints) = match self {
            Self::None => return json::raw(out, "null"),
            Self::NotRated => {
                return json::raw(out, r#"{"text":null,"rating":"notRated","tokens":{}}"#);
            }
            Self::Rated(rating, complaints) => (rating, complaints),
        };
        json::raw(out, r#"{"text":"#);
        if complaints & 4 == 4 || rating == 5 {
            let remark =
                if rating >= 4 { 2 + usize::from(rating == 4) } else { usize::from(rating & 1) };
            json::string(out, REMARKS[remark]);
        } else {
            json::raw(out, "null");
        }
        json::raw(out, r#","rating":""#);
        json::raw(out, RATINGS[usize::from(rating) - 1]);
        json::raw(out, r#"","tokens":{"#);
        for (i, token) in TOKENS.into_iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            json::string(out, token);
            json::raw(out, if complaints >> i & 1 == 1 { ":true" } else { ":false" });
        }
        json::raw(out, "}}");
    }
}

/// How an endpoint of a person is written.
pub(crate) struct Manner {
    /// On a mobile client instead of the one at the desk.
    pub(crate) away: bool,
    /// The version of the client, where it isn't the person's own.
    pub(crate) version: Option<&'static str>,
    pub(crate) feedback: Feedback,
    /// Whether the deprecated `identity` holds data.
    pub(crate) legacy: bool,
}

/// Appends the endpoint of `side`. `variant` chooses how the conference service shows itself.
pub(crate) fn write(
    out: &mut Vec<u8>,
    population: &Population,
    side: Side,
    manner: &Manner,
    variant: u64,
) {
    match side {
        Side::Person(party) => write_person(out, population.get(party), manner),
        Side::Conference => match variant % 40 {
            0 => write_service(out, "skypeForBusinessAudioVideoMcu"),
            1 => write_service(out, "audioTeleconferencerController"),
            2 => write_service(out, "mediaController"),
            // Most often the service shows a client that tells nothing.
            _ => json::raw(
                out,
                "{\"@odata.type\":\"#microsoft.graph.callRecords.serviceEndpoint\",\
                 \"userAgent\":{\"@odata.type\":\"#microsoft.graph.callRecords.clientUserAgent\",\
                 \"headerValue\":null,\"applicationVersion\":null,\"platform\":\"unknown\",\
                 \"productFamily\":\"unknown\",\"communicationServiceId\":null,\
                 \"azureADAppId\":null}}",
            ),
        },
        Side::Gateway => write_service(out, "gateway"),
        Side::Mediation => write_service(out, "mediationServer"),
        Side::TestBot => write_service(out, "customBot"),
    }
}

fn write_person(out: &mut Vec<u8>, persona: &Persona, manner: &Manner) {
    json::raw(out, "{\"@odata.type\":\"#microsoft.graph.callRecords.participantEndpoint\",");
    let client = &persona.clients[usize::from(manner.away)];
    match manner.version {
        Some(version) => write_updated(out, client, version),
        None => out.extend_from_slice(client),
    }
    json::raw(out, r#","identity":"#);
    if manner.legacy {
        out.extend_from_slice(&persona.legacy);
    } else {
        json::raw(out, "null");
    }
    json::raw(out, r#","associatedIdentity":"#);
    out.extend_from_slice(&persona.associated);
    json::raw(out, r#","feedback":"#);
    let asked = !matches!(persona.kind, Kind::Phone | Kind::VoiceApplication);
    let feedback = if asked { manner.feedback } else { Feedback::None };
    feedback.write(out);
    out.push(b'}');
}

/// Appends `client` with another version.
fn write_updated(out: &mut Vec<u8>, client: &[u8], version: &str) {
    let at = |key: &[u8]| client.windows(key.len()).position(|window| window == key);
    let (key, next) = (b"\"applicationVersion\":", b",\"platform\":");
    let (Some(from), Some(to)) = (at(key), at(next)) else {
        return out.extend_from_slice(client);
    };
    out.extend_from_slice(&client[..from + key.len()]);
    json::string(out, version);
    out.extend_from_slice(&client[to..]);
}

fn write_service(out: &mut Vec<u8>, role: &str) {
    json::raw(
        out,
        "{\"@odata.type\":\"#microsoft.graph.callRecords.serviceEndpoint\",\
         \"userAgent\":{\"@odata.type\":\"#microsoft.graph.callRecords.serviceUserAgent\",\
         \"headerValue\":null,\"applicationVersion\":null,\"role\":\"",
    );
    json::raw(out, role);
    json::raw(out, "\"}}");
}
