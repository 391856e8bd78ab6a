//! Fragments put together as an answer: copying, with contexts and links between.
//!
//! `metadata` is always the absolute address of the metadata document up to and with `#`, and a
//! `path` the path of an entity as contexts write it (`communications/callRecords('…')`).

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

/// What an answer shows of a session.
#[derive(Debug, Clone, Copy)]
pub struct SessionForm<'a> {
    /// Show segments, with this text behind the context's path (`/segments`, or with a selection).
    pub segments: Option<&'a str>,
}

/// Appends a session with braces. `record` is the record's path.
pub fn push_session(
    out: &mut Vec<u8>,
    metadata: &str,
    record: &str,
    form: SessionForm<'_>,
    session: &Item<'_>,
) {
    out.push(b'{');
    out.extend_from_slice(session.members);
    if let Some(segments) = form.segments {
        push_segments_opening(out, metadata, record, session.id, segments);
        out.extend_from_slice(session.inner);
        out.push(b']');
    }
    out.push(b'}');
}

/// Appends what stands between a session's members and its segments. `segments` is the text behind the
/// context's path.
pub fn push_segments_opening(
    out: &mut Vec<u8>,
    metadata: &str,
    record: &str,
    session: &str,
    segments: &str,
) {
    out.push(b',');
    let key = context_key(session);
    let context = [metadata, record, "/sessions('", &key, "')", segments];
    push_annotation(out, "segments@odata.context", &context);
    out.extend_from_slice(b",\"segments\":[");
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

/// Appends `"name":"text"`; none of the parts needs escapes.
pub fn push_annotation(out: &mut Vec<u8>, name: &str, text: &[&str]) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":\"");
    for part in text {
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

/// A key as contexts write it: quotes doubled, and what an address can't hold percent-encoded.
fn context_key(id: &str) -> std::borrow::Cow<'_, str> {
    if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return id.into();
    }
    odata::percent::encode_segment(&id.replace('\'', "''")).into()
}
