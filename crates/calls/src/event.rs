//! An event of a call: its members, and their check when it comes in.

use model::call::CallEventRow;
use model::fragment::Uncompressed;
use model::key::LONGEST_ID;
use odata::json::{Node, write_node};
use odata::primitive::DateTimeOffset;

use crate::endpoint;

const MEMBERS: [&str; 11] = [
    "eventId",
    "callId",
    "callChainId",
    "time",
    "type",
    "participant",
    "endpoint",
    "direction",
    "subject",
    "media",
    "failureInfo",
];

/// Where the members with a type of Graph's stand in the record by which they are checked.
const PLACES: [(&str, &str); 5] = [
    ("/sessions/0/segments/0/media/0", "/media"),
    ("/sessions/0/caller", "/endpoint"),
    ("/sessions/0/failureInfo", "/failureInfo"),
    ("/participants_v2/0/identity", "/participant"),
    ("/participants_v2/0/id", "/participant"),
];

/// What happened. In the order in which things of the same instant are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A call began; the participant called.
    Started,
    /// A participant came in.
    ParticipantJoined,
    /// Media went between a participant and the others.
    Media,
    /// Something failed, of a participant or of the call.
    Failed,
    /// A participant went.
    ParticipantLeft,
    /// The call is over.
    Ended,
}

impl Kind {
    const NAMES: [(&str, Self); 6] = [
        ("started", Self::Started),
        ("participantJoined", Self::ParticipantJoined),
        ("participantLeft", Self::ParticipantLeft),
        ("media", Self::Media),
        ("failed", Self::Failed),
        ("ended", Self::Ended),
    ];

    fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// The member that an event of this kind can't be without.
    fn needs(self) -> Option<&'static str> {
        match self {
            Self::ParticipantJoined | Self::ParticipantLeft => Some("participant"),
            Self::Media => Some("media"),
            Self::Started | Self::Failed | Self::Ended => None,
        }
    }
}

/// An event, read.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// Its id.
    pub id: String,
    /// When it happened (ticks).
    pub time: i64,
    /// What happened.
    pub kind: Kind,
    node: Node<'a>,
}

/// Why an event can't be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EventError {
    /// JSON Pointer to what is wrong; empty for text that is not JSON.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
    /// The id of the event, if it could be read.
    pub id: Option<String>,
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &'a str) -> Result<Self, EventError> {
        Self::of(Node::parse_foreign(text))
    }

    fn of(node: Result<Node<'a>, odata::json::Error>) -> Result<Self, EventError> {
        let node = node.map_err(|error| wrong("", error.to_string()))?;
        let Node::Object(members) = &node else {
            return Err(wrong("", "an event is a JSON object"));
        };
        let id = id(&node, "eventId")?;
        let with_id = |error: EventError| EventError { id: Some(id.clone()), ..error };
        let is_known = |name: &str| name.contains('@') || MEMBERS.contains(&name);
        if let Some(unknown) = members.iter().find(|member| !is_known(&member.name.value())) {
            let name = unknown.name.value();
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            return Err(with_id(wrong(pointer, format!("events have no member '{name}'"))));
        }
        let kind = kind(&node).map_err(with_id)?;
        let time = time(&node).map_err(with_id)?;
        if let Some(needed) = kind.needs()
            && matches!(node.get(needed), None | Some(Node::Null))
        {
            let message = format!("an event of this type needs '{needed}'");
            return Err(with_id(wrong(format!("/{needed}"), message)));
        }
        Ok(Self { id, time, kind, node })
    }

    /// The value of a member, unless it is null or missing.
    pub(crate) fn get(&self, name: &str) -> Option<&Node<'a>> {
        self.node.get(name).filter(|value| !matches!(value, Node::Null))
    }

    /// The event as JSON.
    pub fn into_node(self) -> Node<'a> {
        self.node
    }

    /// Reads and checks an event that comes in, on this line of a larger text.
    ///
    /// # Errors
    /// When it can't be kept; the pointer names the member.
    pub fn check(text: &'a str, line: u64) -> Result<(Self, CallEventRow), EventError> {
        let node = Node::parse_foreign(text).map_err(|error| error.from_line(line));
        let event = Self::of(node)?;
        let with_id = |error: EventError| EventError { id: Some(event.id.clone()), ..error };
        let call_id = id(&event.node, "callId").map_err(with_id)?;
        let chain_id = id(&event.node, "callChainId").map_err(with_id)?;
        event.check_direction().map_err(with_id)?;
        optional_text(&event.node, "subject").map_err(with_id)?;
        event.check_types().map_err(with_id)?;
        let mut body = Vec::with_capacity(text.len());
        write_node(&mut body, &event.node);
        let row = CallEventRow {
            id_key: model::key(&event.id),
            call_id,
            chain_id,
            time: event.time,
            is_media: event.kind == Kind::Media,
            is_end: event.kind == Kind::Ended,
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        Ok((event, row))
    }

    fn check_direction(&self) -> Result<(), EventError> {
        let direction = optional_text(&self.node, "direction")?;
        match direction.as_deref() {
            None | Some("incoming" | "outgoing") => Ok(()),
            Some(_) => Err(wrong("/direction", "a direction is incoming or outgoing")),
        }
    }

    /// Checks the members that go into a record by the rules for records.
    fn check_types(&self) -> Result<(), EventError> {
        let part = |name: &str| self.get(name).cloned();
        let parts = ["participant", "endpoint", "media", "failureInfo"].map(part);
        if parts.iter().all(Option::is_none) {
            return Ok(());
        }
        let [participant, endpoint, media, failure] = parts;
        let id = || ("id", Node::text("1"));
        let now = || Node::text(&DateTimeOffset(self.time).to_string());
        let segment = Node::object([id(), ("media", Node::Array(media.into_iter().collect()))]);
        // What is no object is checked as it is.
        let caller = match &endpoint {
            None | Some(Node::Object(_)) => {
                endpoint::endpoint(participant.as_ref(), endpoint.as_ref())
            }
            Some(other) => other.clone(),
        };
        let session = Node::object([
            id(),
            ("caller", caller),
            ("failureInfo", failure.unwrap_or(Node::Null)),
            ("segments", Node::Array(vec![segment])),
        ]);
        let participants = participant.as_ref().map(|identity| {
            let named = model::identity::entity_from_set(identity);
            named.unwrap_or_else(|| Node::object([id(), ("identity", identity.clone())]))
        });
        let record = Node::object([
            id(),
            ("startDateTime", now()),
            ("endDateTime", now()),
            ("participants_v2", Node::Array(participants.into_iter().collect())),
            ("sessions", Node::Array(vec![session])),
        ]);
        let mut out = Vec::new();
        write_node(&mut out, &record);
        model::shred(&String::from_utf8_lossy(&out), &mut Uncompressed)
            .map_err(|error| wrong(self.place(error.pointer()), error.to_string()))?;
        if participant.is_some_and(|set| model::identity::party(&set).is_none()) {
            return Err(wrong("/participant", "a participant needs an identity with an id"));
        }
        Ok(())
    }

    /// The pointer in the event for one in the record by which it was checked.
    fn place(&self, pointer: &str) -> String {
        // What an endpoint does not say itself, it has of the participant.
        let says_itself =
            |name: &str| self.get("endpoint").is_some_and(|it| it.get(name).is_some());
        if let Some(rest) = pointer.strip_prefix("/sessions/0/caller/identity")
            && !says_itself("identity")
        {
            return format!("/participant{rest}");
        }
        if pointer.starts_with("/sessions/0/caller/associatedIdentity")
            && !says_itself("associatedIdentity")
        {
            return "/participant".to_owned();
        }
        let found =
            PLACES.iter().find_map(|(there, here)| Some((here, pointer.strip_prefix(there)?)));
        found.map_or_else(String::new, |(here, rest)| format!("{here}{rest}"))
    }
}

/// Events that were kept, by their times; those of the same instant, as it can have happened.
///
/// # Errors
/// When one of them is none.
pub fn events(bodies: &[String]) -> Result<Vec<Event<'_>>, EventError> {
    let mut events =
        bodies.iter().map(|body| Event::of(Node::parse(body))).collect::<Result<Vec<_>, _>>()?;
    events.sort_by(|a, b| (a.time, a.kind, &a.id).cmp(&(b.time, b.kind, &b.id)));
    Ok(events)
}

fn wrong(pointer: impl Into<String>, message: impl Into<String>) -> EventError {
    EventError { pointer: pointer.into(), message: message.into(), id: None }
}

fn id(node: &Node<'_>, name: &str) -> Result<String, EventError> {
    let pointer = || format!("/{name}");
    match optional_text(node, name)? {
        None => Err(wrong(pointer(), format!("an event needs '{name}'"))),
        Some(id) if id.is_empty() => Err(wrong(pointer(), "an id is not empty")),
        Some(id) if id.len() > LONGEST_ID => {
            Err(wrong(pointer(), format!("an id has at most {LONGEST_ID} bytes")))
        }
        Some(id) => Ok(id),
    }
}

fn kind(node: &Node<'_>) -> Result<Kind, EventError> {
    let Some(name) = optional_text(node, "type")? else {
        return Err(wrong("/type", "an event needs 'type'"));
    };
    Kind::parse(&name).ok_or_else(|| {
        let names = Kind::NAMES.map(|(name, _)| name).join(", ");
        wrong("/type", format!("'{name}' is none of the types {names}"))
    })
}

fn time(node: &Node<'_>) -> Result<i64, EventError> {
    let Some(text) = optional_text(node, "time")? else {
        return Err(wrong("/time", "an event needs 'time'"));
    };
    let time = DateTimeOffset::parse(&text);
    time.map(|time| time.0)
        .ok_or_else(|| wrong("/time", "expected an instant such as 2026-11-28T22:00:00Z"))
}

fn optional_text(node: &Node<'_>, name: &str) -> Result<Option<String>, EventError> {
    match node.get(name) {
        None | Some(Node::Null) => Ok(None),
        Some(Node::String(text)) => Ok(Some(text.value().into_owned())),
        Some(_) => Err(wrong(format!("/{name}"), "expected text")),
    }
}
