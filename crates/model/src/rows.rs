//! Rows of lists over all records: sessions, segments, streams and the ends of streams, each with the keys
//! and times of what it stands in, as JSON text made from fragments.
//!
//! Sessions and segments are copied as text. Only the segment of a stream is parsed.

use std::borrow::Cow;

use odata::edm::StructuredType;
use odata::json::{Member, Node, Text, push_text, write_members, write_node};
use odata::primitive::DateTimeOffset;

use crate::ends;
use crate::fragment::{Corrupt, Item, RecordFragment};
use crate::generated;

/// The member with the verdict on a record, a session or the row of a stream. It is made, never kept.
pub const QUALITY: &str = "callvault.quality";

/// Members without a verdict, which only a version of the store that gave none can have kept.
pub fn without_quality(members: &[u8]) -> Result<Cow<'_, [u8]>, Corrupt> {
    let text = std::str::from_utf8(members).map_err(|_| Corrupt)?;
    if !text.contains(QUALITY) && !text.contains("\\u") {
        return Ok(Cow::Borrowed(members));
    }
    let object = braced(members);
    let mut own = parse(&object)?;
    own.retain(|member| !member.name.is(QUALITY));
    let mut out = Vec::with_capacity(members.len());
    write_members(&mut out, &own);
    Ok(Cow::Owned(out))
}

/// What the rows of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowSet {
    /// Records.
    Records,
    /// Sessions of records.
    Sessions,
    /// Segments of these.
    Segments,
    /// Streams of the media of these.
    Streams,
    /// The two ends of each stream.
    Legs,
}

impl RowSet {
    /// The type of a row.
    pub fn ty(self) -> &'static StructuredType {
        match self {
            Self::Records => &generated::CALL_RECORD,
            Self::Sessions => &generated::SESSION_ROW,
            Self::Segments => &generated::SEGMENT_ROW,
            Self::Streams => &generated::STREAM_ROW,
            Self::Legs => &generated::LEG_ROW,
        }
    }
}

/// Members of a record and the names that they have in rows.
const OF_RECORD: [(&str, &str); 5] = [
    ("id", "callRecordId"),
    ("version", "callRecordVersion"),
    ("type", "callRecordType"),
    ("startDateTime", "callStartDateTime"),
    ("endDateTime", "callEndDateTime"),
];

/// Members of a media and of a segment that stream rows have under the same name.
const OF_MEDIA: [&str; 4] = ["callerNetwork", "calleeNetwork", "callerDevice", "calleeDevice"];
const OF_SEGMENT: [&str; 2] = ["caller", "callee"];

/// What the rows of one record say of it: JSON members, with a comma before each.
#[derive(Debug, Clone)]
pub struct RecordKeys {
    members: Vec<u8>,
    start: i64,
}

impl RecordKeys {
    /// Takes them from a record fragment.
    pub fn read(fragment: &[u8]) -> Result<Self, Corrupt> {
        let text = braced(RecordFragment::members(fragment)?);
        let members = parse(&text)?;
        let mut out = Vec::with_capacity(256);
        for (name, name_in_row) in OF_RECORD {
            let value = get(&members, name).ok_or(Corrupt)?;
            push_member(&mut out, name_in_row, value);
        }
        let start = get(&members, "startDateTime").and_then(Node::as_text).ok_or(Corrupt)?;
        let start = DateTimeOffset::parse(&start.value()).ok_or(Corrupt)?.0;
        Ok(Self { members: out, start })
    }

    /// When the call started, in ticks of 100 ns since 1970.
    pub fn start(&self) -> i64 {
        self.start
    }
}

/// Appends the row of a session; with its segments if they are asked for.
pub fn push_session(
    out: &mut Vec<u8>,
    record: &RecordKeys,
    session: &Item<'_>,
    with_segments: bool,
) -> Result<(), Corrupt> {
    out.push(b'{');
    push_own(out, session.members, &generated::SESSION_ROW)?;
    out.extend_from_slice(&record.members);
    if with_segments {
        out.extend_from_slice(b",\"segments\":[");
        out.extend_from_slice(session.inner);
        out.push(b']');
    }
    out.push(b'}');
    Ok(())
}

/// The segments of a session, each as text with its braces.
pub fn segments<'a>(session: &Item<'a>) -> Result<Vec<&'a str>, Corrupt> {
    let text = std::str::from_utf8(session.inner).map_err(|_| Corrupt)?;
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    let (mut is_string, mut is_escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            _ if is_string => {}
            b'{' => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            b'}' => {
                depth = depth.checked_sub(1).ok_or(Corrupt)?;
                if depth == 0 {
                    found.push(&text[start..=at]);
                }
            }
            _ => {}
        }
    }
    if depth == 0 && !is_string { Ok(found) } else { Err(Corrupt) }
}

/// Appends the row of a segment, given as [`segments`] has it.
pub fn push_segment(
    out: &mut Vec<u8>,
    record: &RecordKeys,
    session: &Item<'_>,
    segment: &str,
) -> Result<(), Corrupt> {
    let members = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    out.push(b'{');
    push_own(out, members.ok_or(Corrupt)?.as_bytes(), &generated::SEGMENT_ROW)?;
    out.extend_from_slice(&record.members);
    push_id(out, "sessionId", session.id);
    out.push(b'}');
    Ok(())
}

/// A segment, parsed, of which stream rows are made.
#[derive(Debug)]
pub struct StreamSource<'a> {
    segment: Node<'a>,
}

impl<'a> StreamSource<'a> {
    /// Parses a segment, given as [`segments`] has it.
    pub fn read(segment: &'a str) -> Result<Self, Corrupt> {
        Ok(Self { segment: Node::parse(segment).map_err(|_| Corrupt)? })
    }

    /// Positions of all streams: of the media in the segment, of the stream in the media.
    pub fn positions(&self) -> impl Iterator<Item = (usize, usize)> {
        self.media().iter().enumerate().flat_map(|(media, node)| {
            (0..items(Some(node), "streams").len()).map(move |stream| (media, stream))
        })
    }

    /// Appends the row of a stream.
    pub fn push(
        &self,
        out: &mut Vec<u8>,
        record: &RecordKeys,
        session: &Item<'_>,
        (media, stream): (usize, usize),
    ) -> Result<(), Corrupt> {
        let (media, stream) = self.stream(media, stream)?;
        self.push_stream(out, record, session, (media, stream, &generated::STREAM_ROW))?;
        for name in OF_MEDIA {
            push_value(out, name, media.get(name));
        }
        for name in OF_SEGMENT {
            push_value(out, name, self.segment.get(name));
        }
        out.push(b'}');
        Ok(())
    }

    /// Appends the row of an end of a stream, 0 the caller's or 1 the callee's, but its place and the brace
    /// at its end.
    pub fn push_leg(
        &self,
        out: &mut Vec<u8>,
        record: &RecordKeys,
        session: &Item<'_>,
        (media, stream, end): (usize, usize, usize),
    ) -> Result<(), Corrupt> {
        let (media, stream) = self.stream(media, stream)?;
        self.push_stream(out, record, session, (media, stream, &generated::LEG_ROW))?;
        let ends =
            OF_SEGMENT.map(|name| self.segment.get(name).filter(|end| end.as_object().is_some()));
        let leg = Leg { stream, media, ends, end };
        leg.push(out);
        Ok(())
    }

    /// What a media and the segment say of the network at an end, 0 the caller's or 1 the callee's.
    pub fn network(&self, media: usize, end: usize) -> EndNetwork {
        let network = self.media().get(media).and_then(|media| media.get(OF_MEDIA[end]));
        let participant = self.segment.get(OF_SEGMENT[end]).filter(|it| ends::is_participant(it));
        let text = |object: Option<&Node<'_>>, name| {
            let text = object?.get(name)?.as_text()?;
            Some(text.value().into_owned())
        };
        EndNetwork {
            subnet: text(network, "subnet"),
            address: text(network, "ipAddress"),
            bssid: text(network, "basicServiceSetIdentifier"),
            reflexive_address: text(network, "reflexiveIPAddress"),
            endpoint_name: text(participant, "name"),
        }
    }

    fn stream(&self, media: usize, stream: usize) -> Result<(&Node<'a>, &Node<'a>), Corrupt> {
        let media = self.media().get(media).ok_or(Corrupt)?;
        Ok((media, items(Some(media), "streams").get(stream).ok_or(Corrupt)?))
    }

    /// Appends what rows of streams and of their ends have in common.
    fn push_stream(
        &self,
        out: &mut Vec<u8>,
        record: &RecordKeys,
        session: &Item<'_>,
        (media, stream, row): (&Node<'a>, &Node<'a>, &'static StructuredType),
    ) -> Result<(), Corrupt> {
        out.push(b'{');
        // A collection of complex values may have nulls, which have no members.
        let own = stream.as_object().unwrap_or_default().to_vec();
        let own = without_names_of_row(own, row);
        write_members(out, &own);
        out.extend_from_slice(if own.is_empty() { &record.members[1..] } else { &record.members });
        push_id(out, "sessionId", session.id);
        for (name, name_in_row) in [
            ("id", "segmentId"),
            ("startDateTime", "segmentStartDateTime"),
            ("endDateTime", "segmentEndDateTime"),
        ] {
            push_member(out, name_in_row, self.segment.get(name).ok_or(Corrupt)?);
        }
        push_value(out, "mediaLabel", media.get("label"));
        Ok(())
    }

    fn media(&self) -> &[Node<'a>] {
        items(Some(&self.segment), "media")
    }
}

/// What leads to the place of an end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndNetwork {
    /// `network/subnet`
    pub subnet: Option<String>,
    /// `network/ipAddress`
    pub address: Option<String>,
    /// `network/basicServiceSetIdentifier`
    pub bssid: Option<String>,
    /// `network/reflexiveIPAddress`
    pub reflexive_address: Option<String>,
    /// `name` of the participant's endpoint.
    pub endpoint_name: Option<String>,
}

/// An end of a stream.
struct Leg<'n, 'a> {
    stream: &'n Node<'a>,
    media: &'n Node<'a>,
    /// What the segment says of the caller and of the callee.
    ends: [Option<&'n Node<'a>>; 2],
    /// Which of the two it is.
    end: usize,
}

impl<'n, 'a> Leg<'n, 'a> {
    /// Appends what only rows of ends have, but the place.
    fn push(&self, out: &mut Vec<u8>) {
        let (own, peer) = (self.ends[self.end], self.ends[1 - self.end]);
        push_token(out, "end", Some(OF_SEGMENT[self.end]));
        push_token(out, "direction", self.direction());
        push_flag(out, "isService", own.map(ends::is_service));
        push_flag(out, "isFirst", Some(ends::first_end(self.ends) == self.end));
        push_person(out, "person", own);
        let participant = own.filter(|end| ends::is_participant(end));
        let member = |end: Option<&'n Node<'a>>, name| end.and_then(|end| end.get(name));
        push_value(out, "endpointName", member(participant, "name"));
        push_value(out, "identity", member(participant, "identity"));
        push_value(out, "associatedIdentity", member(participant, "associatedIdentity"));
        push_value(out, "userAgent", member(own, "userAgent"));
        push_value(out, "network", self.media.get(OF_MEDIA[self.end]));
        push_value(out, "device", self.media.get(OF_MEDIA[2 + self.end]));
        push_value(out, "feedback", member(participant, "feedback"));
        push_person(out, "peerPerson", peer);
        push_flag(out, "peerIsService", peer.map(ends::is_service));
        let network = self.media.get(OF_MEDIA[1 - self.end]);
        push_value(out, "peerSubnet", member(network, "subnet"));
        push_value(out, "peerConnectionType", member(network, "connectionType"));
        push_value(out, "peerPlatform", peer.and_then(ends::platform_name));
    }

    /// Whether the end sent the stream or received it.
    fn direction(&self) -> Option<&'static str> {
        let direction = self.stream.get("streamDirection")?.as_text()?;
        let sender = ["callerToCallee", "calleeToCaller"].iter().position(|it| direction.is(it))?;
        Some(if sender == self.end { "sender" } else { "receiver" })
    }
}

fn push_value(out: &mut Vec<u8>, name: &str, value: Option<&Node<'_>>) {
    push_member(out, name, value.unwrap_or(&Node::Null));
}

fn push_token(out: &mut Vec<u8>, name: &str, token: Option<&str>) {
    push_member(out, name, &token.map_or(Node::Null, |token| Node::String(Text::of(token))));
}

fn push_flag(out: &mut Vec<u8>, name: &str, flag: Option<bool>) {
    push_member(out, name, &flag.map_or(Node::Null, Node::Bool));
}

fn push_person(out: &mut Vec<u8>, name: &str, end: Option<&Node<'_>>) {
    let person = end.and_then(ends::person).map(|(kind, id)| {
        let text = |name, text: &str| Member {
            name: Text::plain(name),
            value: Node::String(Text::of(text).into_owned()),
        };
        Node::Object(vec![text("kind", kind), text("id", &id)])
    });
    push_member(out, name, &person.unwrap_or(Node::Null));
}

fn items<'n, 'a>(node: Option<&'n Node<'a>>, name: &str) -> &'n [Node<'a>] {
    node.and_then(|node| node.get(name)).and_then(Node::as_array).unwrap_or_default()
}

/// Appends the members of a session or segment. One that is not declared may have the name of a
/// member of the row, which must not stand there twice.
fn push_own(
    out: &mut Vec<u8>,
    members: &[u8],
    row: &'static StructuredType,
) -> Result<(), Corrupt> {
    let text = std::str::from_utf8(members).map_err(|_| Corrupt)?;
    let may_clash =
        ["\"callRecord", "\"callStart", "\"callEnd", "\"sessionId", "\"callvault", "\\u"]
            .iter()
            .any(|start| text.contains(start));
    if may_clash {
        let text = braced(members);
        write_members(out, &without_names_of_row(parse(&text)?, row));
    } else {
        out.extend_from_slice(members);
    }
    Ok(())
}

fn without_names_of_row<'a>(
    mut members: Vec<Member<'a>>,
    row: &'static StructuredType,
) -> Vec<Member<'a>> {
    members.retain(|member| {
        if member.name.is(QUALITY) {
            return false;
        }
        let declared = row.property(&member.name.value());
        declared.is_none_or(|property| property.is_inherited)
    });
    members
}

fn braced(members: &[u8]) -> Vec<u8> {
    [b"{", members, b"}"].concat()
}

fn parse(object: &[u8]) -> Result<Vec<Member<'_>>, Corrupt> {
    let text = std::str::from_utf8(object).map_err(|_| Corrupt)?;
    match Node::parse(text) {
        Ok(Node::Object(members)) => Ok(members),
        _ => Err(Corrupt),
    }
}

fn get<'n, 'a>(members: &'n [Member<'a>], name: &str) -> Option<&'n Node<'a>> {
    members.iter().find(|member| member.name.is(name)).map(|member| &member.value)
}

fn push_member(out: &mut Vec<u8>, name: &str, value: &Node<'_>) {
    push_name(out, name);
    write_node(out, value);
}

fn push_id(out: &mut Vec<u8>, name: &str, id: &str) {
    push_name(out, name);
    out.push(b'"');
    push_text(out, id);
    out.push(b'"');
}

fn push_name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}
