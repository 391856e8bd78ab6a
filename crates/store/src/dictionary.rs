//! The zstd dictionaries of a store, read once and shared by all threads.
//!
//! zstd writes the number of the dictionary into each frame, so a fragment says itself which one
//! it needs, and fragments of old dictionaries stay readable for good.

use std::sync::{Arc, Mutex, RwLock};

use model::fragment::FragmentKind;
use zstd::zstd_safe::DDict;

use crate::codec::Encoder;
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
    pub(crate) fn new(store: Opener, rows: Vec<DictionaryRow>) -> Self {
        let known = rows.into_iter().map(|row| Arc::new(Dictionary::new(row))).collect();
        Self { store, known: RwLock::new(known), idle: Mutex::new(Vec::new()) }
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
                known.push(Arc::new(Dictionary::new(row)));
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
    fn new(row: DictionaryRow) -> Self {
        Self { decoder: DDict::create(&row.body), row }
    }
}

/// Table `dictionary`.
pub(crate) fn rows(connection: &Connection) -> Result<Vec<DictionaryRow>, Error> {
    connection.all("SELECT dictionary_key, kind, body FROM dictionary", (), |row| {
        let name: String = row.get(1)?;
        let unknown = || Error::Corrupt(Cause::new(format!("a dictionary of unknown kind {name}")));
        let kind = parse_kind(&name).ok_or_else(unknown)?;
        Ok(DictionaryRow { key: row.get(0)?, kind, body: row.get(2)? })
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
