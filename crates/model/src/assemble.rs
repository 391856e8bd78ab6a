//! Fragments put together as an answer: copying, with contexts and links between.
//!
//! `metadata` is always the absolute address of the metadata document up to and with `#`, and a
//! `path` the path of an entity as contexts write it (`communications/callRecords('…')`).

use odata::json::{push_string, push_text};
use odata::key;

use crate::fragment::{Corrupt, Item, Pack, RecordFragment};

/// Appends a record's members without braces.
pub fn push_record(
    out: &mut Vec<u8>,
    metadata: &str,
    path: &str,
    fragment: &[u8],
) -> Result<(), Corrupt> {
    let fragment = RecordFragment::read(fragment)?;
    out.extend_from_slice(fragment.head);
    if !fragment.tail.is_empty() {
        push_annotation(
            out,
            "organizer_v2@odata.context",
            &[metadata, path, "/organizer_v2/$entity"],
        );
        out.push(b',');
        out.extend_from_slice(fragment.tail);
    }
    Ok(())
}

/// What an answer shows of the sessions of a record beside their members.
#[derive(Debug, Clone)]
pub struct SessionForm(Option<Segments>);

/// What stands around a session's key in front of its segments, to be copied.
#[derive(Debug, Clone)]
struct Segments {
    before: Vec<u8>,
    behind: Vec<u8>,
}

impl SessionForm {
    /// No segments.
    pub const ALONE: Self = Self(None);

    /// With segments. `record` is the record's path, `segments` the text behind the path of a session
    /// in their context (`/segments`, or with a selection).
    pub fn with_segments(metadata: &str, record: &str, segments: &str) -> Self {
        let mut before = b",\"segments@odata.context\":\"".to_vec();
        for text in [metadata, record, "/sessions('"] {
            push_text(&mut before, text);
        }
        let mut behind = b"')".to_vec();
        push_text(&mut behind, segments);
        behind.extend_from_slice(b"\",\"segments\":[");
        Self(Some(Segments { before, behind }))
    }

    /// Whether segments are shown.
    pub fn has_segments(&self) -> bool {
        self.0.is_some()
    }

    /// Appends what stands between the members of a session and its segments, if these are shown.
    pub fn push_opening(&self, out: &mut Vec<u8>, session: &str) {
        if let Some(Segments { before, behind }) = &self.0 {
            out.extend_from_slice(before);
            key::push(out, session);
            out.extend_from_slice(behind);
        }
    }
}

/// Appends a session with braces.
pub fn push_session(out: &mut Vec<u8>, form: &SessionForm, session: &Item<'_>) {
    out.push(b'{');
    out.extend_from_slice(session.members);
    if form.has_segments() {
        form.push_opening(out, session.id);
        out.extend_from_slice(session.inner);
        out.push(b']');
    }
    out.push(b'}');
}

/// Appends a participant with braces.
pub fn push_participant(out: &mut Vec<u8>, participant: &Item<'_>) {
    out.push(b'{');
    out.extend_from_slice(participant.members);
    out.push(b'}');
}

/// Appends the items of a pack from the `skip`-th on, `take` at most, with commas between them and
/// before the first unless `is_first`; how many there were.
pub fn push_items(
    out: &mut Vec<u8>,
    pack: &[u8],
    window: Window,
    mut push: impl FnMut(&mut Vec<u8>, &Item<'_>),
) -> Result<usize, Corrupt> {
    let mut count = 0;
    for item in Pack::read(pack)?.items().skip(window.skip).take(window.take) {
        if count > 0 || !window.is_first {
            out.push(b',');
        }
        push(out, &item?);
        count += 1;
    }
    Ok(count)
}

/// Which items of a pack go into an answer.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Items to leave out at the start.
    pub skip: usize,
    /// Most items to show.
    pub take: usize,
    /// Whether nothing stands before them in the array.
    pub is_first: bool,
}

/// Appends `"name":"text"`, the text in parts.
pub fn push_annotation(out: &mut Vec<u8>, name: &str, text: &[&str]) {
    push_string(out, name);
    out.extend_from_slice(b":\"");
    for part in text {
        push_text(out, part);
    }
    out.push(b'"');
}
