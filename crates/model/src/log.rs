//! The rows of the telephone logs: how they are read, merged and shown (Graph, "getPstnCalls" and its
//! sisters).
//!
//! A row is checked against beta's type, which has every member that v1.0's has. It is kept as it
//! came; what is shown has all members that its version declares, and those that none does.

use odata::canonical::{Canonicaliser, UndeclaredName, absent};
use odata::edm::StructuredType;
use odata::json::{Member, Node, Pointer, Text, write_members};
use odata::primitive::{DateTimeOffset, TICKS_PER_DAY};

use crate::fragment::Corrupt;
use crate::generated::{CALL_RECORD as CALL_RECORD_TYPE, beta};
use crate::key::LONGEST_ID;
use crate::shred::Error;

pub use crate::telephone_log::{COUNTED_FROM, Log};

/// The member that leads to the record of a row's call.
pub const CALL_RECORD: &str = "callvault.callRecord";

/// A row, checked, to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Its log.
    pub log: Log,
    /// Its id as it came, if it has one.
    pub id: Option<String>,
    /// What identifies it.
    pub id_key: Vec<u8>,
    /// When it happened that ranges are measured by (ticks).
    pub time: i64,
    /// Its members as JSON, without those that say nothing.
    pub body: String,
    /// Members of enumerations that are kept though nothing declares them.
    pub undeclared: Vec<UndeclaredName>,
}

/// Reads and checks a row. `counted_from` is when the calls of a row of the dial-out report happened
/// that doesn't say so itself.
///
/// # Errors
/// When it can't be kept; the pointer names the member.
pub fn read(log: Log, text: &str, counted_from: Option<DateTimeOffset>) -> Result<LogRow, Error> {
    let node = Node::parse_foreign(text)?;
    let Node::Object(mut members) = node else {
        return Err(invalid("", format!("expected an object, found {}", node.kind())));
    };
    let is_link = |member: &Member<'_>| member.name.value().starts_with(CALL_RECORD);
    members.retain(|member| !is_link(member) && !member.name.is("@odata.type"));
    refuse_foreign(log, &members)?;
    if log == Log::BlockedUsers {
        settle_case(&mut members);
    }
    let resolve = |_: &'static StructuredType, _: &[Member<'_>]| None;
    let mut canonicaliser = Canonicaliser::new(resolve);
    canonicaliser.object(&mut members, log.ty(), &Pointer::Root)?;
    members.retain(|member| !is_nothing(&member.value) && !member.name.is("@odata.type"));
    if let (Log::DialoutReport, Some(counted_from)) = (log, counted_from)
        && !members.iter().any(|member| member.name.is(COUNTED_FROM))
    {
        let value = Node::String(Text::owned(counted_from.to_string()));
        members.insert(0, Member { name: Text::plain(COUNTED_FROM), value });
    }
    let time = time(log, &members)?;
    let id = id(log, &members)?;
    let mut body = vec![b'{'];
    write_members(&mut body, &members);
    body.push(b'}');
    let id_key = match &id {
        Some(id) => crate::key::key(id),
        None => name_of(log, &members, &body),
    };
    let body = String::from_utf8_lossy(&body).into_owned();
    let undeclared = canonicaliser.into_undeclared();
    Ok(LogRow { log, id, id_key, time, body, undeclared })
}

/// Refuses what only rows of another log, or call records, have: it was meant for somewhere else.
fn refuse_foreign(log: Log, members: &[Member<'_>]) -> Result<(), Error> {
    let others = || Log::ALL.into_iter().filter(|other| *other != log);
    for member in members {
        let name = member.name.value();
        if log.ty().property(&name).is_some() {
            continue;
        }
        let other = others().find(|other| other.ty().property(&name).is_some());
        let (of, how) = match other {
            Some(other) => {
                let (title, name) = (other.title(), other.name());
                (format!("rows of get{title}"), format!("--kind {name} or callvault.import{title}"))
            }
            None if CALL_RECORD_TYPE.property(&name).is_some() => {
                ("call records".to_owned(), "--kind records or callvault.import".to_owned())
            }
            None => continue,
        };
        let title = log.title();
        let message =
            format!("rows of get{title} have no '{name}', {of} have: import them with {how}");
        return Err(invalid(&format!("/{name}"), message));
    }
    Ok(())
}

/// Graph's page writes the members of this enumeration with a capital, its schema without.
fn settle_case(members: &mut [Member<'_>]) {
    let mode = members.iter_mut().find(|member| member.name.is("userBlockMode"));
    if let Some(Member { value: Node::String(text), .. }) = mode {
        let mut declared = beta::PSTN_USER_BLOCK_MODE.members.iter().map(|(name, _)| *name);
        let written = text.value().into_owned();
        if let Some(known) = declared.find(|known| known.eq_ignore_ascii_case(&written)) {
            *text = Text::plain(known);
        }
    }
}

fn time(log: Log, members: &[Member<'_>]) -> Result<i64, Error> {
    let name = log.time_member();
    let pointer = format!("/{name}");
    match members.iter().find(|member| member.name.is(name)).map(|member| &member.value) {
        None if log == Log::DialoutReport => {
            let message = format!(
                "the row does not say when its calls happened: give it '{name}', or say it for all"
            );
            Err(invalid(&pointer, message))
        }
        None => Err(invalid(&pointer, format!("a row needs '{name}'"))),
        Some(Node::String(text)) => match DateTimeOffset::parse(&text.value()) {
            Some(time) if log == Log::DialoutReport => Ok(day(time.0) * TICKS_PER_DAY),
            Some(time) => Ok(time.0),
            None => Err(invalid(&pointer, "expected an instant such as 2026-11-28T22:00:00Z")),
        },
        Some(_) => Err(invalid(&pointer, "expected text")),
    }
}

fn id(log: Log, members: &[Member<'_>]) -> Result<Option<String>, Error> {
    let is_needed = matches!(log, Log::PstnCalls | Log::DirectRoutingCalls);
    let found = members.iter().find(|member| member.name.is("id")).map(|member| &member.value);
    match found {
        Some(Node::String(text)) => match text.value().into_owned() {
            id if id.is_empty() => Err(invalid("/id", "an id is not empty")),
            id if id.len() > LONGEST_ID => {
                Err(invalid("/id", format!("an id has at most {LONGEST_ID} bytes")))
            }
            id => Ok(Some(id)),
        },
        Some(_) => Err(invalid("/id", "expected text")),
        None if is_needed => Err(invalid("/id", "a row needs 'id'")),
        None => Ok(None),
    }
}

/// The day of an instant (ticks), counted from 1970 in UTC.
fn day(ticks: i64) -> i64 {
    ticks.div_euclid(TICKS_PER_DAY)
}

/// What identifies a row without an id.
fn name_of(log: Log, members: &[Member<'_>], body: &[u8]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    if log.names().is_empty() {
        hasher.update(body);
    }
    for name in log.names() {
        let value = members.iter().find(|member| member.name.is(name));
        let text = match value.map(|member| &member.value) {
            // However the day is written.
            Some(Node::String(text)) if *name == COUNTED_FROM => {
                DateTimeOffset::parse(&text.value()).map_or(0, |time| day(time.0)).to_string()
            }
            Some(Node::String(text)) => text.value().into_owned(),
            _ => String::new(),
        };
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    hasher.finalize().as_bytes()[..16].to_vec()
}

/// What a row that is kept already says anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowMerge {
    /// Nothing new.
    Unchanged,
    /// More than was known: the row with it.
    Merged(String),
    /// Something else than was known: the row with it.
    Replaced(String),
}

/// Merges a row that came again into the one that is kept. Members that it leaves out stay.
pub fn merge_row(kept: &str, told: &str) -> RowMerge {
    let (Ok(Node::Object(mut members)), Ok(Node::Object(new))) =
        (Node::parse(kept), Node::parse(told))
    else {
        return RowMerge::Replaced(told.to_owned());
    };
    let (mut adds, mut differs) = (false, false);
    for member in new {
        match members.iter_mut().find(|known| known.name == member.name) {
            Some(known) if known.value == member.value => {}
            Some(known) => {
                differs = true;
                known.value = member.value;
            }
            None => {
                adds = true;
                members.push(member);
            }
        }
    }
    let mut body = vec![b'{'];
    write_members(&mut body, &members);
    body.push(b'}');
    let body = String::from_utf8_lossy(&body).into_owned();
    match (adds, differs) {
        (_, true) => RowMerge::Replaced(body),
        (true, false) => RowMerge::Merged(body),
        (false, false) => RowMerge::Unchanged,
    }
}

/// A kept row as a version of the API shows it: all members that `ty` declares, in its order, then
/// those that no version declares.
pub fn show<'a>(log: Log, ty: &'static StructuredType, kept: &'a str) -> Result<Node<'a>, Corrupt> {
    let Ok(Node::Object(mut members)) = Node::parse(kept) else { return Err(Corrupt) };
    let mut shown = Vec::with_capacity(ty.properties.len() + 2);
    for property in ty.properties {
        let found = members.iter().position(|member| member.name.is(property.name));
        let value = match found {
            Some(index) => members.remove(index).value,
            None => absent(property),
        };
        shown.push(Member { name: Text::plain(property.name), value });
    }
    let is_of_other_version =
        |member: &Member<'_>| log.ty().property(&member.name.value()).is_some();
    shown.extend(members.into_iter().filter(|member| !is_of_other_version(member)));
    Ok(Node::Object(shown))
}

/// Whether a value says nothing.
fn is_nothing(value: &Node<'_>) -> bool {
    matches!(value, Node::Null) || matches!(value, Node::Array(items) if items.is_empty())
}

fn invalid(pointer: &str, message: impl Into<String>) -> Error {
    Error::Invalid { pointer: pointer.to_owned(), message: message.into() }
}

#[cfg(test)]
mod tests;
