//! The zstd dictionaries of a store, read once and shared by all threads.
//!
//! zstd writes the number of the dictionary into each frame, so a fragment says itself which one
//! it needs, and fragments of old dictionaries stay readable for good.

use std::sync::{Arc, Mutex, RwLock};

use model::fragment::FragmentKind;
use zstd::zstd_safe::{CDict, DDict, get_dict_id_from_dict};

use crate::codec::{Encoder, LEVEL};
use crate::engine::{Connection, Opener};
use crate::{Cause, Error};

/// What the binary brings for a new store.
pub(crate) const SHIPPED: [Shipped; 3] = [
    Shipped { kind: FragmentKind::Record, body: include_bytes!("../dictionaries/record.zdict") },
    Shipped {
        kind: FragmentKind::Sessions,
        body: include_bytes!("../dictionaries/sessions.zdict"),
    },
    Shipped {
        kind: FragmentKind::Participants,
        body: include_bytes!("../dictionaries/participants.zdict"),
    },
];

/// BLAKE3 of dictionaries that earlier builds brought under numbers that were given again.
const EARLIER: [(u32, &str); 3] = [
    (1, "2450aea43b0e864cd2ee3fe9bcd28aca2afe12d0cb65d8dc7b3afefe9cfd53ed"),
    (2, "8205a869f6e78b20cf9138cca2bf06d49ce206a947223ee245d9ad4e9afcd812"),
    (3, "4455ff4fe7004e6d965e3c18bba5bb1f8555d7e62cd620484ec22296c4e274de"),
];

/// A dictionary in the binary; its number stands in its body.
pub(crate) struct Shipped {
    pub(crate) kind: FragmentKind,
    pub(crate) body: &'static [u8],
}

/// A row of table `dictionary`.
pub(crate) struct DictionaryRow {
    pub(crate) key: u32,
    pub(crate) kind: FragmentKind,
    pub(crate) body: Vec<u8>,
}

/// A dictionary, prepared for reading.
pub(crate) struct Dictionary {
    pub(crate) row: DictionaryRow,
    pub(crate) decoder: DDict<'static>,
}

/// All dictionaries of a store.
pub(crate) struct Dictionaries {
    store: Opener,
    known: RwLock<Vec<Arc<Dictionary>>>,
    /// Encoders that nobody uses at the moment.
    idle: Mutex<Vec<Encoder>>,
}

/// Idle encoders that are kept: they have some MiB each.
const MOST_IDLE: usize = 9;

impl Dictionaries {
    /// Fails when one of them is damaged: nothing written with it could be read, or the reverse.
    pub(crate) fn new(store: Opener, rows: Vec<DictionaryRow>) -> Result<Self, Error> {
        let prepare = |row| Dictionary::new(row).map(Arc::new);
        let known = rows.into_iter().map(prepare).collect::<Result<_, _>>()?;
        Ok(Self { store, known: RwLock::new(known), idle: Mutex::new(Vec::new()) })
    }

    /// An encoder with the latest dictionary of a kind.
    pub(crate) fn encoder(&self, kind: FragmentKind) -> Encoder {
        let latest = self.latest(kind);
        let dictionary = latest.as_ref().map(|dictionary| dictionary.row.key);
        let mut idle = self.idle.lock().expect("no one panics while holding it");
        let place = idle.iter().position(|idle| idle.kind == kind && idle.dictionary == dictionary);
        if let Some(place) = place {
            return idle.swap_remove(place);
        }
        drop(idle);
        Encoder::new(kind, latest.as_deref())
    }

    /// Keeps an encoder for whoever needs one next.
    pub(crate) fn keep(&self, encoder: Encoder) {
        let mut idle = self.idle.lock().expect("no one panics while holding it");
        if idle.len() >= MOST_IDLE {
            // The one that has waited longest may have a dictionary of before.
            idle.remove(0);
        }
        idle.push(encoder);
    }

    /// The dictionary that new fragments of a kind are written with: the latest.
    pub(crate) fn latest(&self, kind: FragmentKind) -> Option<Arc<Dictionary>> {
        let known = self.known.read().expect("no one panics while holding it");
        let of_kind = known.iter().filter(|dictionary| dictionary.row.kind == kind);
        of_kind.max_by_key(|dictionary| dictionary.row.key).cloned()
    }

    /// The dictionary of this number, be it one that another process has just added.
    pub(crate) fn find(&self, key: u32) -> Result<Option<Arc<Dictionary>>, Error> {
        if let Some(found) = self.find_known(key) {
            return Ok(Some(found));
        }
        let rows = rows(&self.store.reader()?)?;
        let mut known = self.known.write().expect("no one panics while holding it");
        for row in rows {
            if !known.iter().any(|dictionary| dictionary.row.key == row.key) {
                known.push(Arc::new(Dictionary::new(row)?));
            }
        }
        drop(known);
        Ok(self.find_known(key))
    }

    fn find_known(&self, key: u32) -> Option<Arc<Dictionary>> {
        let known = self.known.read().expect("no one panics while holding it");
        known.iter().find(|dictionary| dictionary.row.key == key).cloned()
    }
}

impl Dictionary {
    /// Fails when the row is not what was written, as far as that can be told: those that the binary
    /// brings are known byte for byte.
    fn new(row: DictionaryRow) -> Result<Self, Error> {
        let number = |body| get_dict_id_from_dict(body).map_or(0, std::num::NonZero::get);
        let shipped = SHIPPED.iter().find(|shipped| number(shipped.body) == row.key);
        if let Some(shipped) = shipped
            && (shipped.kind != row.kind || (shipped.body != row.body && !is_earlier(&row)))
        {
            return Err(damaged(row.key, "it is not the dictionary that has this number"));
        }
        if number(&row.body) != row.key {
            return Err(damaged(row.key, "its dictionary has another number"));
        }
        // What can be read with may still be nothing to write with.
        let is_writable = || CDict::try_create(&row.body, LEVEL).is_some();
        match DDict::try_create(&row.body) {
            Some(decoder) if shipped.is_some() || is_writable() => Ok(Self { row, decoder }),
            _ => Err(damaged(row.key, "its body is no dictionary")),
        }
    }
}

/// Whether an earlier build brought it.
fn is_earlier(row: &DictionaryRow) -> bool {
    let hash = blake3::hash(&row.body).to_hex();
    EARLIER.iter().any(|(number, known)| *number == row.key && *known == hash.as_str())
}

/// A row of table `dictionary` that can't be used.
fn damaged(key: u32, what: &str) -> Error {
    Error::Corrupt(Cause::new(format!("table dictionary, row {key}: {what}")))
}

/// Table `dictionary`.
pub(crate) fn rows(connection: &Connection) -> Result<Vec<DictionaryRow>, Error> {
    connection.all("SELECT dictionary_key, kind, body FROM dictionary", (), |row| {
        let (key, name): (u32, String) = (row.get(0)?, row.get(1)?);
        let unknown = || damaged(key, &format!("there is no kind {name:?}"));
        let kind = parse_kind(&name).ok_or_else(unknown)?;
        Ok(DictionaryRow { key, kind, body: row.get(2)? })
    })
}

/// How a kind is called in table `dictionary`.
pub(crate) fn kind_name(kind: FragmentKind) -> &'static str {
    match kind {
        FragmentKind::Record => "record",
        FragmentKind::Sessions => "sessions",
        FragmentKind::Participants => "participants",
    }
}

/// The kind of this name.
fn parse_kind(name: &str) -> Option<FragmentKind> {
    [FragmentKind::Record, FragmentKind::Sessions, FragmentKind::Participants]
        .into_iter()
        .find(|kind| kind_name(*kind) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(shipped: &Shipped, body: Vec<u8>) -> DictionaryRow {
        let key = get_dict_id_from_dict(shipped.body).map_or(0, std::num::NonZero::get);
        DictionaryRow { key, kind: shipped.kind, body }
    }

    #[test]
    fn every_flipped_bit_of_a_dictionary_is_told_with_its_row() {
        for shipped in &SHIPPED {
            let whole = row(shipped, shipped.body.to_vec());
            let key = whole.key;
            assert!(Dictionary::new(whole).is_ok());
            // All of the tables in front, and of the rest some.
            let of_content = (1_024 * 8..shipped.body.len() * 8).step_by(997);
            for bit in (0..1_024 * 8).chain(of_content) {
                let mut body = shipped.body.to_vec();
                body[bit / 8] ^= 1 << (bit % 8);
                let Err(Error::Corrupt(cause)) = Dictionary::new(row(shipped, body)) else {
                    panic!("bit {bit} of {key}")
                };
                let place = format!("table dictionary, row {key}:");
                assert!(cause.to_string().starts_with(&place), "{cause}");
            }
        }
    }

    #[test]
    fn a_dictionary_that_the_binary_does_not_know_is_tried_and_never_ends_the_process() {
        let shipped = &SHIPPED[0];
        // The number stands behind the magic number.
        let mut other = shipped.body.to_vec();
        other[4..8].copy_from_slice(&77_u32.to_le_bytes());
        let row = |body| DictionaryRow { key: 77, kind: shipped.kind, body };
        assert!(Dictionary::new(row(other.clone())).is_ok());
        for bit in 0..256 * 8 {
            let mut body = other.clone();
            body[bit / 8] ^= 1 << (bit % 8);
            if let Ok(dictionary) = Dictionary::new(row(body)) {
                drop(Encoder::new(shipped.kind, Some(&dictionary)));
            }
        }
        for length in 0..64 {
            assert!(Dictionary::new(row(other[..length].to_vec())).is_err(), "{length}");
        }
    }
}
