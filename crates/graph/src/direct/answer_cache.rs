//! AnswerCache of plain reads that are kept ready, by tenant and id.
//!
//! They are never stale: with each new state of the store the change log is read from where it was read
//! last, and what changed is forgotten before anything is given. A record is kept when it is asked for
//! a second time within a while, so that those who read through all records push nobody out.

use std::rc::Rc;

use model::{TenantId, key};
use quick_cache::unsync::Cache;
use quick_cache::{Equivalent, Weighter};
use store::{ChangeFeed, Doorkeeper, Error, FeedChanges, Reader, StoredRecord};

/// Bytes that an entry needs beside its answers.
const ENTRY: usize = 400;
/// What an entry weighs on average, roughly.
const USUAL: usize = 8 << 10;

/// AnswerCache of one thread.
pub(super) struct AnswerCache {
    cache: Cache<Key, Rc<CachedRecord>, Weight>,
    following: ChangeFeed,
    seen: Doorkeeper,
}

/// A record as it is shown, in the forms that it was asked for.
#[derive(Debug, Clone)]
pub(super) struct CachedRecord {
    /// Without its fragment.
    pub(super) record: Rc<StoredRecord>,
    bodies: Vec<(u64, Rc<[u8]>)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key(String, Vec<u8>);

#[derive(Hash)]
struct KeyRef<'k>(&'k str, &'k [u8]);

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Key, Rc<CachedRecord>> for Weight {
    fn weight(&self, _: &Key, known: &Rc<CachedRecord>) -> u64 {
        let bodies: usize = known.bodies.iter().map(|(_, body)| body.len()).sum();
        (ENTRY + bodies) as u64
    }
}

impl CachedRecord {
    /// The body of a form, by the form's number.
    pub(super) fn body(&self, form: u64) -> Option<&Rc<[u8]>> {
        self.bodies.iter().find(|(of, _)| *of == form).map(|(_, body)| body)
    }
}

impl AnswerCache {
    /// None yet, and never more than so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let cache = Cache::with_weighter(bytes / USUAL, bytes as u64, Weight);
        Self { cache, following: ChangeFeed::default(), seen: Doorkeeper::default() }
    }

    /// Forgets what has changed. Whether answers can be kept at all.
    pub(super) fn follow(&mut self, reader: &mut Reader) -> Result<bool, Error> {
        match reader.news(&mut self.following)? {
            None => return Ok(false),
            Some(FeedChanges::Anything) => self.cache.clear(),
            Some(FeedChanges::Changes(changes)) => {
                for change in changes {
                    match &change.id {
                        Some(id) => {
                            self.cache.remove(&KeyRef(change.tenant.as_str(), &key(id)));
                        }
                        // Of something that was erased since.
                        None => self.cache.clear(),
                    }
                }
            }
        }
        Ok(true)
    }

    /// What is known of a record.
    pub(super) fn find(&mut self, tenant: &TenantId, id_key: &[u8]) -> Option<Rc<CachedRecord>> {
        self.cache.get(&KeyRef(tenant.as_str(), id_key)).cloned()
    }

    /// Keeps the body of a form if the record was asked for lately. It must have been read after
    /// [`Self::follow`] was called last.
    pub(super) fn offer(
        &mut self,
        tenant: &TenantId,
        id_key: Vec<u8>,
        record: StoredRecord,
        form: u64,
        body: &[u8],
    ) {
        if !self.seen.again(&id_key) {
            return;
        }
        let of_before = self.find(tenant, &id_key);
        // What was known may be older than what was read just now.
        let is_same = |known: &&Rc<CachedRecord>| is_same(&known.record, &record);
        let mut bodies: Vec<(u64, Rc<[u8]>)> =
            of_before.as_ref().filter(is_same).map_or_else(Vec::new, |known| known.bodies.clone());
        bodies.push((form, body.into()));
        let known = CachedRecord {
            record: Rc::new(StoredRecord { fragment: Vec::new(), ..record }),
            bodies,
        };
        self.cache.insert(Key(tenant.as_str().to_owned(), id_key), Rc::new(known));
    }
}

/// Whether two reads of a record show the same.
fn is_same(one: &StoredRecord, other: &StoredRecord) -> bool {
    let of = |record: &StoredRecord| {
        (record.record_key, record.version, record.flags, record.content_hash)
    };
    of(one) == of(other)
}

impl std::fmt::Debug for AnswerCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerCache").field("kept", &self.cache.len()).finish_non_exhaustive()
    }
}
