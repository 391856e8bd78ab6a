//! The callRecord of a chain of calls: a session for each participant of each call, a segment for
//! each time that the participant was in it.
//!
//! In its sessions a participant is always the caller, so that media are seen from where they were
//! measured; the callee is the other one of two, else the service between them.

use odata::json::{Node, write_node};
use odata::primitive::DateTimeOffset;
use uuid::Builder;

use crate::endpoint::endpoint;
use crate::leg::{Leg, Party, Stay};

const SERVICE_ENDPOINT: &str = "#microsoft.graph.callRecords.serviceEndpoint";

/// What labels of media begin with or hold, and the modality of such media.
const MODALITIES: [(&str, &str); 5] = [
    ("audio", "audio"),
    ("screensharing", "screenSharing"),
    ("applicationsharing", "videoBasedScreenSharing"),
    ("video", "video"),
    ("data", "data"),
];

/// The JSON text of the record of these calls, the first one first; `made` is when (ticks).
pub fn record(id: &str, version: i64, made: i64, legs: &[Leg<'_>]) -> String {
    let sessions: Vec<Session<'_, '_>> = legs.iter().flat_map(sessions_of).collect();
    let starts = legs.iter().map(|leg| leg.start);
    let ends = legs.iter().map(|leg| leg.end).chain(sessions.iter().map(Session::end));
    let is_group = legs.iter().any(|leg| leg.parties.len() > 2);
    let (organizer, participants) = participants(legs);
    let mut modalities: Vec<&str> = Vec::new();
    for modality in sessions.iter().flat_map(Session::modalities) {
        if !modalities.contains(&modality) {
            modalities.push(modality);
        }
    }
    let record = Node::object([
        ("version", Node::Number(version.to_string().into())),
        ("type", Node::text(if is_group { "groupCall" } else { "peerToPeer" })),
        ("modalities", texts(&modalities)),
        ("lastModifiedDateTime", instant(made)),
        ("startDateTime", instant(starts.min().unwrap_or(made))),
        ("endDateTime", instant(ends.max().unwrap_or(made))),
        ("id", Node::text(id)),
        ("joinWebUrl", Node::Null),
        ("organizer_v2", organizer),
        ("participants_v2", Node::Array(participants)),
        ("sessions", Node::Array(sessions.iter().map(Session::node).collect())),
    ]);
    let mut out = Vec::new();
    write_node(&mut out, &record);
    String::from_utf8_lossy(&out).into_owned()
}

/// Who called first, and everyone, each once.
fn participants<'e>(legs: &[Leg<'e>]) -> (Node<'e>, Vec<Node<'e>>) {
    let parties = || legs.iter().flat_map(|leg| &leg.parties);
    let sets: Vec<Node<'e>> = parties().filter_map(|party| party.identity.cloned()).collect();
    let first = parties().find(|party| party.is_source).or_else(|| parties().next());
    let organizer =
        first.and_then(|party| party.identity.and_then(model::identity::entity_from_set));
    (organizer.unwrap_or(Node::Null), model::identity::participants_from_sets(&sets))
}

/// A participant in a call.
struct Session<'l, 'e> {
    leg: &'l Leg<'e>,
    party: &'l Party<'e>,
    number: usize,
    stays: Vec<Stay>,
}

fn sessions_of<'l, 'e>(leg: &'l Leg<'e>) -> impl Iterator<Item = Session<'l, 'e>> {
    leg.parties.iter().enumerate().map(|(number, party)| {
        let mut stays = party.stays.clone();
        // A participant who never joined was there as long as the call.
        if stays.is_empty() {
            stays.push(Stay { from: leg.start, to: Some(leg.end) });
        }
        Session { leg, party, number, stays }
    })
}

impl<'e> Session<'_, 'e> {
    fn end_of(&self, stay: &Stay) -> i64 {
        stay.to.unwrap_or(self.leg.end).max(stay.from)
    }

    fn start(&self) -> i64 {
        self.stays.first().map_or(self.leg.start, |stay| stay.from)
    }

    fn end(&self) -> i64 {
        self.stays.iter().map(|stay| self.end_of(stay)).max().unwrap_or(self.leg.end)
    }

    fn modalities(&self) -> Vec<&'static str> {
        let mut found = Vec::new();
        for (_, media) in &self.party.media {
            let label = media.get("label").and_then(Node::as_text);
            let label = label.map(|label| label.value().to_lowercase()).unwrap_or_default();
            let modality = MODALITIES.iter().find(|(part, _)| label.contains(part));
            if let Some((_, modality)) = modality
                && !found.contains(modality)
            {
                found.push(*modality);
            }
        }
        found
    }

    fn node(&self) -> Node<'e> {
        let segments = (0..self.stays.len()).map(|number| self.segment(number)).collect();
        Node::object([
            ("id", self.id("session")),
            ("caller", caller(self.party)),
            ("callee", self.callee()),
            ("failureInfo", self.failure()),
            ("modalities", texts(&self.modalities())),
            ("startDateTime", instant(self.start())),
            ("endDateTime", instant(self.end())),
            ("segments", Node::Array(segments)),
        ])
    }

    fn segment(&self, number: usize) -> Node<'e> {
        let stay = &self.stays[number];
        let is_last = number + 1 == self.stays.len();
        let media = self.party.media.iter().filter(|(time, _)| self.stay_at(*time) == number);
        Node::object([
            ("id", self.id(&format!("segment {number}"))),
            ("startDateTime", instant(stay.from)),
            ("endDateTime", instant(self.end_of(stay))),
            ("caller", caller(self.party)),
            ("callee", self.callee()),
            ("failureInfo", if is_last { self.failure() } else { Node::Null }),
            ("media", Node::Array(media.map(|(_, media)| (*media).clone()).collect())),
        ])
    }

    /// The stay that media reported at that time belong to: the last that had begun.
    fn stay_at(&self, time: i64) -> usize {
        self.stays.iter().rposition(|stay| stay.from <= time).unwrap_or(0)
    }

    fn failure(&self) -> Node<'e> {
        self.party.failure.or(self.leg.failure).cloned().unwrap_or(Node::Null)
    }

    fn callee(&self) -> Node<'e> {
        match self.leg.parties.as_slice() {
            [_, other] if self.number == 0 => caller(other),
            [other, _] => caller(other),
            _ => Node::object([("@odata.type", Node::text(SERVICE_ENDPOINT))]),
        }
    }

    /// An id that stays the same for a participant of a call in every version of the record.
    fn id(&self, what: &str) -> Node<'static> {
        let (member, id) = self.party.key().map_or(("", ""), |(member, id)| (*member, id));
        let mut hasher = blake3::Hasher::new();
        for part in [self.leg.chain_id, self.leg.id, member, id, what] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        Node::text(&Builder::from_custom_bytes(bytes).into_uuid().to_string())
    }
}

/// A participant's endpoint.
fn caller<'e>(party: &Party<'e>) -> Node<'e> {
    endpoint(party.identity, party.endpoint)
}

fn instant(ticks: i64) -> Node<'static> {
    Node::text(&DateTimeOffset(ticks).to_string())
}

fn texts(values: &[&str]) -> Node<'static> {
    Node::Array(values.iter().map(|value| Node::text(value)).collect())
}
