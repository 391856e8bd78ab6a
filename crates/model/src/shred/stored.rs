//! The typed rows of a record that is stored already, made again from its fragments.

use odata::edm::StructuredType;
use odata::json::{Member, Node};

use super::TypedRows;
use super::rows::{Rows, record_columns};
use crate::columns::Value;
use crate::fragment::{Corrupt, Fragments, Pack, RecordFragment};
use crate::generated;
use crate::key::key;

/// The rows that shredding the record would give now. Reads its fragments one by one.
pub fn stored_rows<S: Fragments>(stored: &mut S) -> Result<TypedRows, S::Error> {
    let mut rows = Rows::default();
    let mut fragment = Vec::new();
    stored.record(&mut fragment)?;
    let members = RecordFragment::members(&fragment)?;
    let mut columns = Vec::new();
    read_object(members, |members| {
        rows.add_words(members, &generated::CALL_RECORD);
        rows.note_values(members);
        columns = record_columns(members);
    })?;
    columns.push(Value::Int(read_participants(stored, &mut rows)?));
    let mut number = 0;
    while stored.session_pack(number, &mut fragment)? {
        for session in Pack::read(&fragment)?.items() {
            let session = session?;
            read_object(session.members, |members| {
                rows.add_words(members, &generated::SESSION);
                rows.session(key(session.id), members);
            })?;
            let segments = [b"[", session.inner, b"]"].concat();
            read_items(&segments, &generated::SEGMENT, &mut rows)?;
        }
        number += 1;
    }
    Ok(rows.finish(columns))
}

/// Adds the words of all participants; how many there are.
fn read_participants<S: Fragments>(stored: &mut S, rows: &mut Rows) -> Result<i64, S::Error> {
    let mut pack = Vec::new();
    let (mut number, mut count) = (0, 0);
    while stored.participant_pack(number, &mut pack)? {
        for participant in Pack::read(&pack)?.items() {
            let add = |members: &[Member<'_>]| rows.add_words(members, &generated::PARTICIPANT);
            read_object(participant?.members, add)?;
            count += 1;
        }
        number += 1;
    }
    Ok(count)
}

fn read_items(array: &[u8], ty: &'static StructuredType, rows: &mut Rows) -> Result<(), Corrupt> {
    let text = std::str::from_utf8(array).map_err(|_| Corrupt)?;
    let Ok(Node::Array(items)) = Node::parse(text) else { return Err(Corrupt) };
    for (index, item) in items.iter().enumerate() {
        let members = item.as_object().ok_or(Corrupt)?;
        rows.add_words(members, ty);
        rows.segment(index, members);
    }
    Ok(())
}

/// Reads members without braces.
fn read_object(members: &[u8], read: impl FnOnce(&[Member<'_>])) -> Result<(), Corrupt> {
    let object = [b"{", members, b"}"].concat();
    let text = std::str::from_utf8(&object).map_err(|_| Corrupt)?;
    let Ok(Node::Object(members)) = Node::parse(text) else { return Err(Corrupt) };
    read(&members);
    Ok(())
}
