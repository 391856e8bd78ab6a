//! The JSON of rows, put together from fragments. The fragments that were read last stay, since rows of
//! one record come one behind the other.

use std::sync::Arc;

use ::places::Maps;
use model::fragment::{FragmentKind, Item, Pack, RecordFragment, SESSIONS_PER_PACK};
use model::rows::{self, RecordKeys, RowSet, StreamSource, without_quality};
use quality::member;

use super::parts::Parts;
use super::{place, verdicts};
use crate::cache::records::RecordCache;
use crate::codec::Codec;
use crate::engine::Connection;
use crate::rows::record::StoredRecord;
use crate::tables::fragments::Fragment;
use crate::tables::records;
use crate::{Cause, Error};

/// Which row of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowKey {
    pub(super) record_key: i64,
    pub(super) start: i64,
    pub(super) id: String,
    /// Places of what the row stands in, and its own, from the session on.
    pub(super) ordinals: Vec<i64>,
}

/// Reads rows.
pub(super) struct Loader<'c> {
    connection: &'c Connection,
    pub(super) codec: &'c mut Codec,
    cache: Option<&'c mut RecordCache>,
    keys: Option<(i64, RecordKeys)>,
    pack: Option<((i64, usize), Vec<u8>)>,
    /// Where ends are.
    maps: Option<Arc<Maps>>,
    /// Rows that a session or a segment has, by their places in it.
    inside: Option<(Container, Vec<ContainedRow>)>,
}

/// The session, or its segment, that rows stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Container {
    set: RowSet,
    record_key: i64,
    session: i64,
    segment: Option<i64>,
}

/// A row by its place in what it stands in.
struct ContainedRow {
    place: Vec<i64>,
    text: Vec<u8>,
}

impl<'c> Loader<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        codec: &'c mut Codec,
        cache: Option<&'c mut RecordCache>,
    ) -> Self {
        Self { connection, codec, cache, keys: None, pack: None, maps: None, inside: None }
    }

    /// With maps of places, for rows of ends.
    pub(super) fn with_maps(self, maps: Option<Arc<Maps>>) -> Self {
        Self { maps, ..self }
    }

    /// A record by its key.
    pub(super) fn record(&mut self, record_key: i64) -> Result<Arc<StoredRecord>, Error> {
        if let Some(found) = self.cache.as_mut().and_then(|cache| cache.find(record_key)) {
            return Ok(found);
        }
        let found = records::by_key(self.connection, self.codec, record_key)?;
        let found = Arc::new(found.ok_or_else(|| damaged("a record is missing"))?);
        if let Some(cache) = &mut self.cache
            && !found.fragment.is_empty()
        {
            cache.offer(&found);
        }
        Ok(found)
    }

    /// A record as JSON, with the parts that are wanted.
    pub(super) fn record_text(
        &mut self,
        record: &StoredRecord,
        parts: Parts,
    ) -> Result<Vec<u8>, Error> {
        let mut out = vec![b'{'];
        let members = RecordFragment::members(&record.fragment)?;
        out.extend_from_slice(&if parts.quality {
            without_quality(members)?
        } else {
            members.into()
        });
        let mut pack = Vec::new();
        if parts.sessions {
            out.extend_from_slice(b",\"sessions\":[");
            let mut fragment = Fragment::first(FragmentKind::Sessions, record.record_key);
            while fragment.read(self.connection, self.codec, &mut pack)? {
                push_items(&mut out, &pack, parts.quality, |out, item| {
                    out.extend_from_slice(b",\"segments\":[");
                    out.extend_from_slice(item.inner);
                    out.push(b']');
                    if parts.quality { verdicts::push_session(out, item) } else { Ok(()) }
                })?;
                fragment.number += 1;
            }
            out.push(b']');
        }
        if parts.participants {
            out.extend_from_slice(b",\"participants_v2\":[");
            let mut fragment = Fragment::first(FragmentKind::Participants, record.record_key);
            while fragment.read(self.connection, self.codec, &mut pack)? {
                push_items(&mut out, &pack, false, |_, _| Ok(()))?;
                fragment.number += 1;
            }
            out.push(b']');
        }
        if parts.quality {
            let verdict = verdicts::of_record(self.connection, self.codec, record)?;
            member::push(&mut out, &verdict);
        }
        out.push(b'}');
        Ok(out)
    }

    /// A row of any set as JSON.
    pub(super) fn row_text(
        &mut self,
        set: RowSet,
        key: &RowKey,
        parts: Parts,
    ) -> Result<Vec<u8>, Error> {
        let of_session = key.ordinals.first().copied().unwrap_or_default();
        match set {
            RowSet::Records => {
                let record = self.record(key.record_key)?;
                self.record_text(&record, parts)
            }
            RowSet::Sessions => {
                self.load(key.record_key, of_session)?;
                let mut out = Vec::new();
                let session = self.session(of_session)?;
                rows::push_session(&mut out, self.record_keys()?, &session, parts.segments)?;
                if parts.quality {
                    out.pop();
                    verdicts::push_session(&mut out, &session)?;
                    out.push(b'}');
                }
                Ok(out)
            }
            RowSet::Segments => self.row_inside(set, key),
            RowSet::Streams | RowSet::Legs => {
                let row = self.row_inside(set, key)?;
                if parts.quality { verdicts::with_stream_s(row) } else { Ok(row) }
            }
        }
    }

    fn row_inside(&mut self, set: RowSet, key: &RowKey) -> Result<Vec<u8>, Error> {
        let (session, rest) =
            key.ordinals.split_first().ok_or_else(|| damaged("a row has no place"))?;
        let segment = if set == RowSet::Segments { None } else { rest.first().copied() };
        let inside = Container { set, record_key: key.record_key, session: *session, segment };
        if self.inside.as_ref().is_none_or(|(known, _)| *known != inside) {
            self.load(key.record_key, *session)?;
            let rows = self.rows_inside(inside)?;
            self.inside = Some((inside, rows));
        }
        let place = if segment.is_some() { &rest[1..] } else { rest };
        let rows = self.inside.iter().flat_map(|(_, rows)| rows);
        let found = rows.into_iter().find(|row| row.place == place);
        found.map(|row| row.text.clone()).ok_or_else(|| damaged("a row is missing"))
    }

    fn rows_inside(&self, inside: Container) -> Result<Vec<ContainedRow>, Error> {
        let session = self.session(inside.session)?;
        let keys = self.record_keys()?;
        let segments = rows::segments(&session)?;
        let mut found = Vec::new();
        let Some(segment) = inside.segment else {
            for (ordinal, segment) in (0..).zip(segments) {
                let mut out = Vec::new();
                rows::push_segment(&mut out, keys, &session, segment)?;
                found.push(ContainedRow { place: vec![ordinal], text: out });
            }
            return Ok(found);
        };
        let segment = usize::try_from(segment).ok().and_then(|at| segments.get(at).copied());
        let source = StreamSource::read(segment.ok_or_else(|| damaged("a segment is missing"))?)?;
        let maps = self.maps.as_deref().filter(|maps| !maps.is_empty());
        let maps = maps.map(|maps| maps.at(keys.start()));
        for (media, stream) in source.positions() {
            if inside.set == RowSet::Legs {
                for end in 0..2 {
                    let mut out = Vec::new();
                    source.push_leg(&mut out, keys, &session, (media, stream, end))?;
                    place::push(&mut out, maps.as_ref().map(|it| (it, source.network(media, end))));
                    let at = vec![media as i64, stream as i64, end as i64];
                    found.push(ContainedRow { place: at, text: out });
                }
                continue;
            }
            let mut out = Vec::new();
            source.push(&mut out, keys, &session, (media, stream))?;
            found.push(ContainedRow { place: vec![media as i64, stream as i64], text: out });
        }
        Ok(found)
    }

    /// Makes sure that the record's keys and the pack with the session are at hand.
    fn load(&mut self, record_key: i64, session: i64) -> Result<(), Error> {
        if self.keys.as_ref().is_none_or(|(known, _)| *known != record_key) {
            self.keys = Some((record_key, RecordKeys::read(&self.fragment(record_key)?)?));
        }
        let number = pack_of(session);
        if self.pack.as_ref().is_none_or(|(known, _)| *known != (record_key, number)) {
            let mut pack = self.pack.take().map(|(_, pack)| pack).unwrap_or_default();
            let fragment = Fragment { kind: FragmentKind::Sessions, record_key, number };
            if !fragment.read(self.connection, self.codec, &mut pack)? {
                return Err(damaged("a pack is missing"));
            }
            self.pack = Some(((record_key, number), pack));
        }
        Ok(())
    }

    fn fragment(&mut self, record_key: i64) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let fragment = Fragment::first(FragmentKind::Record, record_key);
        if !fragment.read(self.connection, self.codec, &mut out)? {
            return Err(damaged("a record is missing"));
        }
        Ok(out)
    }

    fn record_keys(&self) -> Result<&RecordKeys, Error> {
        let keys = self.keys.as_ref().map(|(_, keys)| keys);
        keys.ok_or_else(|| damaged("a record is missing"))
    }

    fn session(&self, ordinal: i64) -> Result<Item<'_>, Error> {
        let pack = self.pack.as_ref().map(|(_, pack)| pack.as_slice()).unwrap_or_default();
        let at = usize::try_from(ordinal).unwrap_or(0) % SESSIONS_PER_PACK;
        let item = Pack::read(pack)?.items().nth(at);
        Ok(item.ok_or_else(|| damaged("a session is missing"))??)
    }
}

fn pack_of(session: i64) -> usize {
    usize::try_from(session).unwrap_or(0) / SESSIONS_PER_PACK
}

/// Appends the items of a pack as objects, with commas between them and behind what is there.
fn push_items(
    out: &mut Vec<u8>,
    pack: &[u8],
    are_judged: bool,
    push_more: impl Fn(&mut Vec<u8>, &Item<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    for item in Pack::read(pack)?.items() {
        let item = item?;
        if out.last() != Some(&b'[') {
            out.push(b',');
        }
        out.push(b'{');
        let members = item.members;
        out.extend_from_slice(&if are_judged { without_quality(members)? } else { members.into() });
        push_more(out, &item)?;
        out.push(b'}');
    }
    Ok(())
}

fn damaged(what: &'static str) -> Error {
    Error::Corrupt(Cause::new(what))
}
