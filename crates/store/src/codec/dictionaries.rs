//! The dictionaries of a store, read once and shared by all threads, with encoders ready for use.

use std::sync::{Arc, Mutex, RwLock};

use model::fragment::FragmentKind;

use super::dictionary::{Dictionary, DictionaryRow, rows};
use super::encoder::Encoder;
use crate::Error;
use crate::engine::Opener;

/// Idle encoders that are kept: they have some MiB each.
const MOST_IDLE: usize = 9;

/// All dictionaries of a store.
pub(crate) struct Dictionaries {
    store: Opener,
    known: RwLock<Vec<Arc<Dictionary>>>,
    /// Encoders that nobody uses at the moment.
    idle: Mutex<Vec<Encoder>>,
}

impl Dictionaries {
    /// Fails when one of them is damaged: nothing written with it could be read, or the reverse.
    pub(crate) fn new(store: Opener, rows: Vec<DictionaryRow>) -> Result<Self, Error> {
        let prepare = |row| Dictionary::new(row).map(Arc::new);
        let known = rows.into_iter().map(prepare).collect::<Result<_, _>>()?;
        Ok(Self { store, known: RwLock::new(known), idle: Mutex::new(Vec::new()) })
    }

    /// An encoder with the latest dictionary of a kind.
    pub(super) fn encoder(&self, kind: FragmentKind) -> Encoder {
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

    /// Keeps an encoder for its next use.
    pub(super) fn keep(&self, encoder: Encoder) {
        let mut idle = self.idle.lock().expect("no one panics while holding it");
        if idle.len() >= MOST_IDLE {
            // The one that has waited longest may have a dictionary of before.
            idle.remove(0);
        }
        idle.push(encoder);
    }

    /// The dictionary that new fragments of a kind are written with: the latest.
    fn latest(&self, kind: FragmentKind) -> Option<Arc<Dictionary>> {
        let known = self.known.read().expect("no one panics while holding it");
        let of_kind = known.iter().filter(|dictionary| dictionary.row.kind == kind);
        of_kind.max_by_key(|dictionary| dictionary.row.key).cloned()
    }

    /// The dictionary of this number, be it one that another process has just added.
    pub(super) fn find(&self, key: u32) -> Result<Option<Arc<Dictionary>>, Error> {
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
