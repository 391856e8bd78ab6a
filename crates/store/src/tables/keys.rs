//! The layout of keys: months, records, packs, and the shards that rows lie in.
//!
//! A file numbers its records itself. On PostgreSQL a record's key begins with the month of its start,
//! by which the tables are partitioned.

use odata::primitive::{TICKS_PER_DAY, civil_from_days, days_from_civil};

use crate::engine::Connection;

/// Bits of a record's key below the month of its start.
const NUMBER_BITS: u32 = 34;
/// Packs of a record have keys side by side: its own key and 16 bits for their number.
pub(crate) const PACK_BITS: u32 = 16;
/// The last month that a key can tell; whatever starts later counts as of that month.
const LAST_MONTH: i64 = (1 << 12) - 1;

/// The month of an instant, counted from January 1970 on; what was before counts as of that one.
pub(crate) fn month(start: i64) -> i64 {
    let (year, month, _) = civil_from_days(start.div_euclid(TICKS_PER_DAY));
    ((year - 1_970) * 12 + month - 1).clamp(0, LAST_MONTH)
}

/// The first instant of a month, in ticks.
pub(crate) fn start_of_month(month: i64) -> i64 {
    days_from_civil(1_970 + month.div_euclid(12), month.rem_euclid(12) + 1, 1) * TICKS_PER_DAY
}

/// The first key of a month.
pub(crate) fn first_of_month(month: i64) -> i64 {
    month << NUMBER_BITS
}

/// The month of a key.
pub(crate) fn month_of(record_key: i64) -> i64 {
    record_key >> NUMBER_BITS
}

/// The key of a record's pack; none for a number that no pack can have.
pub(crate) fn pack_key(record_key: i64, number: usize) -> Option<i64> {
    (number < 1 << PACK_BITS).then_some(record_key << PACK_BITS | number as i64)
}

/// The keys of all packs of a record: the first one, and the first one behind them.
pub(crate) fn pack_keys(record_key: i64) -> (i64, i64) {
    (record_key << PACK_BITS, (record_key + 1) << PACK_BITS)
}

/// What names a record: its tenant's number, and the key of its id ([`model::key()`]).
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) struct RecordId<'i> {
    pub(crate) tenant_key: i64,
    pub(crate) id_key: &'i [u8],
}

impl RecordId<'_> {
    /// A hash of tenant and id (32-bit FNV-1a), by which an engine that spreads rows over machines keeps
    /// those of a record together.
    pub(crate) fn shard_key(self) -> i64 {
        let bytes = self.tenant_key.to_le_bytes();
        let hash = bytes.iter().chain(self.id_key).fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        });
        i64::from(hash.cast_signed())
    }
}

/// The shard of a record's rows on PostgreSQL; a file has none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shard(pub(crate) Option<i64>);

impl Shard {
    /// Of a record.
    pub(crate) fn of(connection: &Connection, id: RecordId<'_>) -> Self {
        match connection {
            Connection::Sqlite(_) => Self(None),
            Connection::Postgres(_) => Self(Some(id.shard_key())),
        }
    }
}

#[cfg(test)]
mod tests {
    use odata::primitive::DateTimeOffset;

    use super::*;

    #[test]
    fn months_begin_at_their_first_instant_and_follow_each_other() {
        let at = |text: &str| month(DateTimeOffset::parse(text).unwrap().0);
        assert_eq!(at("1970-01-31T23:59:59.9999999Z"), 0);
        assert_eq!(at("1970-02-01T00:00:00Z"), 1);
        assert_eq!(at("1969-12-31T00:00:00Z"), 0);
        assert_eq!(at("2000-02-29T23:59:59Z"), 361);
        assert_eq!(at("2000-03-01T00:00:00Z"), 362);
        assert_eq!(at("2026-11-26T18:00:00Z"), 56 * 12 + 10);
        assert_eq!(at("2026-12-31T23:59:59.9999999Z") + 1, at("2027-01-01T00:00:00Z"));
        assert_eq!(at("9999-12-31T00:00:00Z"), LAST_MONTH);
        for number in 1..LAST_MONTH {
            let start = start_of_month(number);
            assert_eq!((month(start - 1), month(start)), (number - 1, number));
        }
    }
}
