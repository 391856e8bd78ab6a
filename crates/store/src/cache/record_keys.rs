//! Keys of the current versions of records that were read before, on PostgreSQL. A key from here saves
//! the look-up of the key; the row that it leads to says whether it is still the current version.

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use crate::tables::keys::RecordId;

/// How many keys are kept.
const KEYS: usize = 65_536;

/// Keys by tenant and the key of the id.
#[derive(Debug)]
pub(crate) struct RecordKeyCache(Cache<OwnedId, i64>);

/// A [`RecordId`] with bytes of its own, hashed alike: a look-up copies nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OwnedId {
    tenant_key: i64,
    id_key: Box<[u8]>,
}

impl Equivalent<OwnedId> for RecordId<'_> {
    fn equivalent(&self, owned: &OwnedId) -> bool {
        self.tenant_key == owned.tenant_key && *self.id_key == *owned.id_key
    }
}

impl Default for RecordKeyCache {
    fn default() -> Self {
        Self(Cache::new(KEYS))
    }
}

impl RecordKeyCache {
    pub(super) fn find(&self, id: RecordId<'_>) -> Option<i64> {
        self.0.get(&id)
    }

    pub(super) fn insert(&self, id: RecordId<'_>, record_key: i64) {
        let owned = OwnedId { tenant_key: id.tenant_key, id_key: id.id_key.into() };
        self.0.insert(owned, record_key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(tenant_key: i64, id_key: &[u8]) -> RecordId<'_> {
        RecordId { tenant_key, id_key }
    }

    #[test]
    fn what_is_asked_for_again_stays_and_no_more_is_kept_than_there_is_room_for() {
        let cache = RecordKeyCache::default();
        cache.insert(id(9, b"kept"), 7);
        assert_eq!((cache.find(id(9, b"kept")), cache.find(id(2, b"kept"))), (Some(7), None));
        let numbers = 0..KEYS as i64;
        for tenant in 0..3 {
            for number in numbers.clone() {
                cache.insert(id(tenant, &number.to_le_bytes()), number);
            }
            assert_eq!(cache.find(id(9, b"kept")), Some(7));
        }
        let is_kept =
            |tenant, number: &i64| cache.find(id(tenant, &number.to_le_bytes())).is_some();
        let count = |tenant| numbers.clone().filter(|number| is_kept(tenant, number)).count();
        let kept: usize = (0..3).map(count).sum();
        assert!(kept as u64 <= cache.0.capacity(), "{kept}");
    }
}
