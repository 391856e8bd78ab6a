//! Writing JSON text, without white space.

use super::{Member, Node};

/// Appends a value.
pub fn write_node(out: &mut Vec<u8>, node: &Node<'_>) {
    match node {
        Node::Null => out.extend_from_slice(b"null"),
        Node::Bool(true) => out.extend_from_slice(b"true"),
        Node::Bool(false) => out.extend_from_slice(b"false"),
        Node::Number(text) => out.extend_from_slice(text.as_bytes()),
        Node::String(text) => push_quoted_raw(out, text.raw()),
        Node::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_node(out, item);
            }
            out.push(b']');
        }
        Node::Object(members) => {
            out.push(b'{');
            write_members(out, members);
            out.push(b'}');
        }
    }
}

/// Appends members with commas between them.
pub fn write_members(out: &mut Vec<u8>, members: &[Member<'_>]) {
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_quoted_raw(out, member.name.raw());
        out.push(b':');
        write_node(out, &member.value);
    }
}

/// Appends a JSON string that means `text`, with its quotes.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    push_text(out, text);
    out.push(b'"');
}

/// Appends `"name":"text"`.
pub fn push_member(out: &mut Vec<u8>, name: &str, text: &str) {
    push_string(out, name);
    out.push(b':');
    push_string(out, text);
}

/// Appends the inside of a JSON string, escaping what must be escaped.
pub fn push_text(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = first_to_escape(rest) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// The first byte that can't stand in a JSON string as it is (RFC 8259 section 7). Nearly all texts
/// have none, so bytes are looked at many at a time.
pub(super) fn first_to_escape(bytes: &[u8]) -> Option<usize> {
    const AT_ONCE: usize = 16;
    let must_be = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
    let (pieces, _) = bytes.as_chunks::<AT_ONCE>();
    let has_none =
        |piece: &[u8; AT_ONCE]| !piece.iter().fold(false, |any, byte| any | must_be(byte));
    let plain = AT_ONCE * pieces.iter().take_while(|piece| has_none(piece)).count();
    bytes[plain..].iter().position(must_be).map(|at| plain + at)
}

fn push_quoted_raw(out: &mut Vec<u8>, raw: &str) {
    out.push(b'"');
    out.extend_from_slice(raw.as_bytes());
    out.push(b'"');
}
