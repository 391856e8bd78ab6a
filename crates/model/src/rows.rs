//! Rows of lists over all records: sessions, segments and streams, each with the keys and times of
//! what it stands in, as JSON text made from fragments.
//!
//! Sessions and segments are copied as text. Only the segment of a stream is parsed.

use std::borrow::Cow;

use odata::edm::StructuredType;
use odata::json::{Member, Node, push_text, write_members, write_node};

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
}

impl RowSet {
    /// The type of a row.
    pub fn ty(self) -> &'static StructuredType {
        match self {
            Self::Records => &generated::CALL_RECORD,
            Self::Sessions => &generated::SESSION_ROW,
            Self::Segments => &generated::SEGMENT_ROW,
            Self::Streams => &generated::STREAM_ROW,
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
pub struct RecordKeys(Vec<u8>);

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
        Ok(Self(out))
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
    out.extend_from_slice(&record.0);
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
    out.extend_from_slice(&record.0);
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
        let media = self.media().get(media).ok_or(Corrupt)?;
        let stream = items(Some(media), "streams").get(stream).ok_or(Corrupt)?;
        out.push(b'{');
        // A collection of complex values may have nulls, which have no members.
        let own = stream.as_object().unwrap_or_default().to_vec();
        let own = without_names_of_row(own, &generated::STREAM_ROW);
        write_members(out, &own);
        out.extend_from_slice(if own.is_empty() { &record.0[1..] } else { &record.0 });
        push_id(out, "sessionId", session.id);
        for (name, name_in_row) in [
            ("id", "segmentId"),
            ("startDateTime", "segmentStartDateTime"),
            ("endDateTime", "segmentEndDateTime"),
        ] {
            push_member(out, name_in_row, self.segment.get(name).ok_or(Corrupt)?);
        }
        push_member(out, "mediaLabel", media.get("label").unwrap_or(&Node::Null));
        for name in OF_MEDIA {
            push_member(out, name, media.get(name).unwrap_or(&Node::Null));
        }
        for name in OF_SEGMENT {
            push_member(out, name, self.segment.get(name).unwrap_or(&Node::Null));
        }
        out.push(b'}');
        Ok(())
    }

    fn media(&self) -> &[Node<'a>] {
        items(Some(&self.segment), "media")
    }
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
