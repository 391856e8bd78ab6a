//! Fragments: finished JSON with the places where contexts and links go in.
//!
//! A record is kept as one record fragment, packs of up to [`SESSIONS_PER_PACK`] sessions and packs
//! of up to [`PARTICIPANTS_PER_PACK`] participants, the sizes of Graph's pages, so that an answer
//! copies a pack from end to end. Layouts, all numbers little-endian `u32`:
//!
//! - record: offset of `"organizer_v2":` in the members, or [`NOWHERE`]; the members without braces
//! - pack: number of items; for each item the lengths of its three parts; then the parts.
//!   The parts of a session are its id, its members without braces and without `segments`, and its
//!   segments without brackets. Those of a participant are its id, its members, and nothing.

use odata::json::{Member, Node, write_members};

/// Sessions that Graph gives inline and on a page.
pub const SESSIONS_PER_PACK: usize = 60;
/// Participants that Graph gives inline and on a page.
pub const PARTICIPANTS_PER_PACK: usize = 130;
/// Stands for a splice point that a fragment lacks.
pub const NOWHERE: u32 = u32::MAX;

/// Which of the three layouts, for the codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FragmentKind {
    /// A record's own members.
    Record,
    /// A pack of sessions.
    Sessions,
    /// A pack of participants.
    Participants,
}

/// Turns fragments into what the store keeps and back.
pub trait Codec {
    /// The form to keep.
    fn compress(&mut self, kind: FragmentKind, bytes: &[u8]) -> Vec<u8>;
    /// The fragment, put into `out` in place of what is there.
    fn decompress(
        &mut self,
        kind: FragmentKind,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Corrupt>;
}

/// Keeps fragments as they are: for records that are looked at and not stored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Uncompressed;

impl Codec for Uncompressed {
    fn compress(&mut self, _: FragmentKind, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }

    fn decompress(
        &mut self,
        _: FragmentKind,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Corrupt> {
        out.clear();
        out.extend_from_slice(bytes);
        Ok(())
    }
}

/// A fragment that does not have its layout: the store is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored fragment is damaged")]
pub struct Corrupt;

/// The fragments of a stored record, read one by one.
pub trait Fragments {
    /// Why reading fails.
    type Error: From<Corrupt>;
    /// Bits of [`crate::flags`].
    fn flags(&self) -> u32;
    /// Puts the record fragment, decompressed, in place of `out`.
    fn record(&mut self, out: &mut Vec<u8>) -> Result<(), Self::Error>;
    /// Puts the `number`-th pack of sessions, decompressed, in place of `out`; false if there is
    /// none.
    fn session_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Self::Error>;
    /// Puts the `number`-th pack of participants, decompressed, in place of `out`; false if there
    /// is none.
    fn participant_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Self::Error>;
}

/// A record fragment, read.
#[derive(Debug, Clone, Copy)]
pub struct RecordFragment<'a> {
    /// Members before `organizer_v2` (all of them if it is null), each but the last with a comma.
    pub head: &'a [u8],
    /// Members from `organizer_v2` on; empty if it is null.
    pub tail: &'a [u8],
}

impl<'a> RecordFragment<'a> {
    /// Reads the layout.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let (offset, members) = split_number(bytes)?;
        if offset == NOWHERE {
            return Ok(Self { head: members, tail: &[] });
        }
        let (head, tail) = members.split_at_checked(offset as usize).ok_or(Corrupt)?;
        Ok(Self { head, tail })
    }

    /// All members, without braces.
    pub fn members(bytes: &'a [u8]) -> Result<&'a [u8], Corrupt> {
        split_number(bytes).map(|(_, members)| members)
    }

    /// The fragment of a record with these members. A null `organizer_v2` has no context and so no place
    /// of its own.
    pub fn of(members: &[Member<'_>]) -> Vec<u8> {
        let mut text = Vec::with_capacity(1024);
        let mut organizer_at = None;
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            if member.name.is("organizer_v2") && !matches!(member.value, Node::Null) {
                organizer_at = Some(text.len());
            }
            write_members(&mut text, std::slice::from_ref(member));
        }
        Self::write(&text, organizer_at)
    }

    /// Writes the layout: members as text, and where `"organizer_v2":` stands in it.
    pub fn write(members: &[u8], organizer_at: Option<usize>) -> Vec<u8> {
        let offset = organizer_at.map_or(NOWHERE, |at| at as u32);
        let mut out = Vec::with_capacity(members.len() + 4);
        out.extend_from_slice(&offset.to_le_bytes());
        out.extend_from_slice(members);
        out
    }
}

/// Collects the items of a pack.
#[derive(Debug, Default)]
pub struct PackWriter {
    lengths: Vec<u8>,
    parts: Vec<u8>,
    count: u32,
}

impl PackWriter {
    /// Adds an item.
    pub fn push(&mut self, id: &[u8], members: &[u8], inner: &[u8]) {
        for part in [id, members, inner] {
            self.lengths.extend_from_slice(&(part.len() as u32).to_le_bytes());
            self.parts.extend_from_slice(part);
        }
        self.count += 1;
    }

    /// Number of items so far.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The pack, leaving this one empty.
    pub fn take(&mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.lengths.len() + self.parts.len());
        out.extend_from_slice(&self.count.to_le_bytes());
        out.append(&mut self.lengths);
        out.append(&mut self.parts);
        self.count = 0;
        out
    }
}

/// An item of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// The id as it came.
    pub id: &'a str,
    /// Members without braces.
    pub members: &'a [u8],
    /// Of a session, its segments without brackets.
    pub inner: &'a [u8],
}

/// A pack, read.
#[derive(Debug, Clone, Copy)]
pub struct Pack<'a> {
    lengths: &'a [u8],
    parts: &'a [u8],
}

impl<'a> Pack<'a> {
    /// Reads the layout.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let (count, rest) = split_number(bytes)?;
        let table = (count as usize).checked_mul(12).ok_or(Corrupt)?;
        let (lengths, parts) = rest.split_at_checked(table).ok_or(Corrupt)?;
        Ok(Self { lengths, parts })
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.lengths.len() / 12
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The items in order; a damaged one ends them with an error.
    pub fn items(self) -> impl Iterator<Item = Result<Item<'a>, Corrupt>> {
        let mut parts = self.parts;
        self.lengths.chunks_exact(12).map(move |lengths| {
            let mut part = |at: usize| -> Result<&'a [u8], Corrupt> {
                let (length, _) = split_number(&lengths[at..])?;
                let (part, rest) = parts.split_at_checked(length as usize).ok_or(Corrupt)?;
                parts = rest;
                Ok(part)
            };
            let (id, members, inner) = (part(0)?, part(4)?, part(8)?);
            Ok(Item { id: std::str::from_utf8(id).map_err(|_| Corrupt)?, members, inner })
        })
    }
}

fn split_number(bytes: &[u8]) -> Result<(u32, &[u8]), Corrupt> {
    let (number, rest) = bytes.split_first_chunk::<4>().ok_or(Corrupt)?;
    Ok((u32::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_give_back_their_items_in_order() {
        let mut writer = PackWriter::default();
        writer.push(b"a", b"\"id\":\"a\"", b"{},{}");
        writer.push(b"b", b"\"id\":\"b\"", b"");
        let bytes = writer.take();
        assert!(writer.is_empty());
        let items: Vec<_> = Pack::read(&bytes).unwrap().items().map(Result::unwrap).collect();
        assert_eq!(items.len(), 2);
        assert_eq!((items[0].id, items[0].inner), ("a", b"{},{}".as_slice()));
        assert_eq!(items[1].members, b"\"id\":\"b\"");
    }

    #[test]
    fn a_damaged_pack_is_an_error_and_never_a_panic() {
        let mut writer = PackWriter::default();
        writer.push(b"a", b"members", b"inner");
        let bytes = writer.take();
        for cut in 0..bytes.len() {
            let sound = Pack::read(&bytes[..cut])
                .is_ok_and(|pack| pack.items().collect::<Result<Vec<_>, _>>().is_ok());
            assert!(!sound, "cut at {cut}");
        }
    }

    #[test]
    fn a_record_fragment_splits_where_the_organizer_stands() {
        let bytes = RecordFragment::write(b"\"id\":1,\"organizer_v2\":{}", Some(7));
        let fragment = RecordFragment::read(&bytes).unwrap();
        assert_eq!(fragment.tail, b"\"organizer_v2\":{}");
        let bytes = RecordFragment::write(b"\"id\":1", None);
        assert!(RecordFragment::read(&bytes).unwrap().tail.is_empty());
    }
}
