//! The member `callvault.quality` of records, sessions and rows of streams, made from their JSON.

use model::rows::QUALITY;
use odata::json::{Node, write_node};

use crate::call::{Call, Session};
use crate::classify::classify;
use crate::figures::Figures;
use crate::profile::Profile;

/// Of the row of a stream.
pub fn of_stream(row: &Node<'_>, profile: &Profile) -> Node<'static> {
    let label = row.get("mediaLabel").and_then(Node::as_text).map(|label| label.value());
    classify(profile, label.as_deref(), &Figures::of_json(row)).to_node()
}

/// Of a session with its segments.
pub fn of_session(session: &Node<'_>, profile: &Profile) -> Node<'static> {
    Session::of_json(session, profile).summary().to_node(profile)
}

/// Of a record with all sessions and their segments.
pub fn of_record(record: &Node<'_>, profile: &Profile) -> Node<'static> {
    Call::of_json(record, profile).summary().to_node(profile)
}

/// Appends the member with a verdict behind other members.
pub fn push(out: &mut Vec<u8>, verdict: &Node<'_>) {
    out.extend_from_slice(format!(",\"{QUALITY}\":").as_bytes());
    write_node(out, verdict);
}
