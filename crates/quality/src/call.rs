//! A whole call: every stream judged, who it connected, and what follows for the call.

use model::ends::{party, person_key};
use odata::json::Node;

use crate::classify::classify;
use crate::figures::Figures;
use crate::levels::{Levels, People};
use crate::medium::Medium;
use crate::outcome::Outcome;
use crate::profile::Profile;
use crate::reliability::{Ratings, Reliability};
use crate::summary::{Summary, WorstReason};

/// A call record with its sessions and segments, judged by a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<'p> {
    /// In the order of the record.
    pub sessions: Vec<Session<'p>>,
    /// All streams of all sessions but tests.
    pub levels: Levels,
    /// How the sessions went.
    pub reliability: Reliability,
    /// What people said.
    pub ratings: Ratings,
}

/// A session of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Session<'p> {
    /// Its id.
    pub id: String,
    /// A test of a device or a network, which stands in no share.
    pub is_test: bool,
    /// What failed, and the reason that was given for it.
    pub failure: Option<(String, Option<String>)>,
    /// The streams of all segments.
    pub streams: Vec<Stream<'p>>,
}

/// A stream of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream<'p> {
    /// Id of its segment.
    pub segment: String,
    /// Label of its media.
    pub label: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// The end that sent it.
    pub sender: End,
    /// The end that received it.
    pub receiver: End,
    /// What the profile says of it.
    pub outcome: Outcome<'p>,
}

/// An end of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct End {
    /// Kind and id of the person or device, `user/821809f5-…`; none for a service and for what is not known.
    pub party: Option<String>,
    /// The name to show; none for a service.
    pub name: Option<String>,
    /// Whether the record says nothing of it.
    pub is_unknown: bool,
}

impl<'p> Call<'p> {
    /// Judges a record, as `get --expand segments` prints it. What the record lacks is not there.
    pub fn of_json(record: &Node<'_>, profile: &'p Profile) -> Self {
        let mut call = Self {
            sessions: Vec::new(),
            levels: Levels::default(),
            reliability: Reliability::default(),
            ratings: Ratings::default(),
        };
        for session in items(record, "sessions") {
            let session = call.session(session, profile);
            call.sessions.push(session);
        }
        call
    }

    fn session(&mut self, node: &Node<'_>, profile: &'p Profile) -> Session<'p> {
        let session = Session::of_json(node, profile);
        let stage = session.failure.as_ref().map(|(stage, _)| stage.as_str());
        self.reliability.add(Some(session.is_test), stage);
        for name in ["caller", "callee"] {
            let feedback = node.get(name).and_then(|end| end.get("feedback"));
            if let Some(rating) = feedback.and_then(|it| text(it, "rating")) {
                self.ratings.add(&rating);
            }
        }
        if !session.is_test {
            session.count(&mut self.levels);
        }
        session
    }

    /// The verdict on the call.
    pub fn summary(&self) -> Summary {
        let mut reason = WorstReason::default();
        let judged = self.sessions.iter().filter(|session| !session.is_test);
        let streams = judged.flat_map(|session| &session.streams);
        streams.for_each(|stream| reason.add(&stream.outcome));
        Summary::of(&self.levels, &reason)
    }
}

impl<'p> Session<'p> {
    /// Judges a session with its segments.
    pub fn of_json(node: &Node<'_>, profile: &'p Profile) -> Self {
        let is_test = matches!(node.get("isTest"), Some(Node::Bool(true)));
        let failure = node.get("failureInfo").and_then(|failure| {
            Some((text(failure, "stage")?, text(failure, "reason").filter(|it| !it.is_empty())))
        });
        let mut streams = Vec::new();
        for segment in items(node, "segments") {
            for media in items(segment, "media") {
                for stream in items(media, "streams") {
                    let ends = ["caller", "callee"].map(|name| end(node, segment, name));
                    streams.push(Stream::of_json(segment, (media, ends), stream, profile));
                }
            }
        }
        Self { id: text(node, "id").unwrap_or_default(), is_test, failure, streams }
    }

    /// The verdict on the session, also on a test.
    pub fn summary(&self) -> Summary {
        let (mut levels, mut reason) = (Levels::default(), WorstReason::default());
        self.count(&mut levels);
        self.streams.iter().for_each(|stream| reason.add(&stream.outcome));
        Summary::of(&levels, &reason)
    }

    fn count(&self, levels: &mut Levels) {
        for stream in &self.streams {
            let people = People {
                sender: stream.sender.party.as_deref(),
                receiver: stream.receiver.party.as_deref(),
            };
            let medium = Medium::of_label(stream.label.as_deref());
            levels.add(medium, people, stream.outcome.verdict);
        }
    }
}

/// How many streams a session has.
pub(crate) fn streams(session: &Node<'_>) -> usize {
    let media = items(session, "segments").iter().flat_map(|segment| items(segment, "media"));
    media.map(|media| items(media, "streams").len()).sum()
}

/// An end of a segment; where that says nothing of it, of its session.
fn end(session: &Node<'_>, segment: &Node<'_>, name: &str) -> End {
    let of =
        |node: &Node<'_>| node.get(name).filter(|it| it.as_object().is_some()).map(End::of_json);
    let unknown = || End { is_unknown: true, ..End::default() };
    of(segment).or_else(|| of(session)).unwrap_or_else(unknown)
}

impl<'p> Stream<'p> {
    fn of_json(
        segment: &Node<'_>,
        (media, [caller, callee]): (&Node<'_>, [End; 2]),
        stream: &Node<'_>,
        profile: &'p Profile,
    ) -> Self {
        let is_to_caller = text(stream, "streamDirection").as_deref() == Some("calleeToCaller");
        let (sender, receiver) = if is_to_caller { (callee, caller) } else { (caller, callee) };
        let label = text(media, "label");
        let outcome = classify(profile, label.as_deref(), &Figures::of_json(stream));
        Self {
            segment: text(segment, "id").unwrap_or_default(),
            id: text(stream, "streamId"),
            label,
            sender,
            receiver,
            outcome,
        }
    }

    /// Who heard whom, or saw: from the receiver's side if that is a person, else from the sender's.
    pub fn people(&self) -> String {
        let is_heard = Medium::of_label(self.label.as_deref()) == Some(Medium::Audio);
        let verb = if is_heard { "heard" } else { "saw" };
        match (&self.receiver.name, &self.sender.name) {
            (Some(receiver), Some(sender)) => format!("{receiver} {verb} {sender}"),
            (Some(receiver), None) => format!("{receiver} {verb} others"),
            (None, Some(sender)) => format!("others {verb} {sender}"),
            (None, None) if self.receiver.is_unknown || self.sender.is_unknown => {
                "between ends of which the record says nothing".to_owned()
            }
            (None, None) => "between services".to_owned(),
        }
    }
}

impl End {
    /// Of an endpoint, by the party that it names.
    fn of_json(endpoint: &Node<'_>) -> Self {
        let Some((kind, id)) = party(endpoint) else { return Self::default() };
        let named = endpoint.get("identity").and_then(|set| set.get(kind));
        let named = named.or_else(|| endpoint.get("associatedIdentity"));
        let shown = named.and_then(|it| text(it, "displayName")).filter(|name| !name.is_empty());
        let name = shown.unwrap_or_else(|| id.clone());
        Self { party: person_key(endpoint), name: Some(name), is_unknown: false }
    }
}

fn items<'n, 'a>(node: &'n Node<'a>, name: &str) -> &'n [Node<'a>] {
    match node.get(name) {
        Some(Node::Array(items)) => items,
        _ => &[],
    }
}

fn text(node: &Node<'_>, name: &str) -> Option<String> {
    node.get(name)?.as_text().map(|text| text.value().into_owned())
}
