//! The current version of a record on PostgreSQL, where many nodes write: table `record_key` leads to
//! the one partition that has it.

use model::fragment::FragmentKind;

use super::record_keys::RecordKeyCache;
use crate::Error;
use crate::codec::Codec;
use crate::engine::{Connection, Value as _};
use crate::rows::record::StoredRecord;
use crate::tables::keys::{PACK_BITS, RecordId};
use crate::tables::partitions::Partitions;
use crate::tables::record_keys;
use crate::tables::records::{self, record_columns};

/// How often a record is looked for that others replace while it is read.
const ATTEMPTS: u32 = 8;

/// Reads the current version of a record on one connection.
pub(crate) struct CurrentVersion<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) partitions: &'c Partitions,
    pub(crate) codec: &'c mut Codec,
    pub(crate) id: RecordId<'c>,
    /// Where the first pack of its sessions goes, if that is read with it.
    pub(crate) pack: Option<&'c mut Vec<u8>>,
}

impl CurrentVersion<'_> {
    /// Reads it within a transaction, whose snapshot has the key and the row that it leads to.
    pub(crate) fn read(mut self) -> Result<Option<StoredRecord>, Error> {
        match record_keys::find(self.connection, self.id)? {
            Some(record_key) => self.by_key(record_key),
            None => Ok(None),
        }
    }

    /// Reads it outside of a transaction, in one statement if its key is in the cache.
    ///
    /// Each statement sees the commits before it, so between the look-up of a key and that of its row
    /// another node may replace the version. The row then says that it is not the current one, and the
    /// key is looked up again. The same check makes keys of any age safe to try, so the cache needs no
    /// word of what other nodes write.
    pub(crate) fn read_at_once(
        mut self,
        cache: &RecordKeyCache,
    ) -> Result<Option<StoredRecord>, Error> {
        if let Some(record_key) = cache.find(self.id)
            && let Some(record) = self.by_key_if_stored(record_key)?
        {
            return Ok(Some(record));
        }
        for _ in 0..ATTEMPTS {
            let Some(record_key) = record_keys::find(self.connection, self.id)? else {
                return Ok(None);
            };
            if let Some(record) = self.by_key_if_stored(record_key)? {
                cache.insert(self.id, record_key);
                return Ok(Some(record));
            }
        }
        Err(Error::Busy)
    }

    /// The version of this key, if it is the current one of the record; none also if its partition has
    /// just been dropped.
    fn by_key_if_stored(&mut self, record_key: i64) -> Result<Option<StoredRecord>, Error> {
        match self.by_key(record_key) {
            Err(Error::Again) => Ok(None),
            read => read,
        }
    }

    /// The version of this key, if it is the current one of the record.
    fn by_key(&mut self, record_key: i64) -> Result<Option<StoredRecord>, Error> {
        let Self { connection, partitions, codec, id, pack } = self;
        let of = |whole| partitions.table(connection, whole, record_key);
        let pack_key = record_key << PACK_BITS;
        let mut values = vec![record_key.field(), id.id_key.field()];
        let (mut fragment, mut join) = ("", String::new());
        if pack.is_some() {
            // Given, not calculated from the version's: so it leads to one partition in every plan.
            values.push(pack_key.field());
            fragment = ", p.fragment";
            join = format!(" LEFT JOIN {} p ON p.pack_key = ?3", of("session_pack")?);
        }
        let text = format!(
            concat!(
                "SELECT ",
                record_columns!(),
                "{} FROM {} r{} WHERE r.record_key = ?1 AND r.id_key = ?2 AND r.is_current = 1"
            ),
            fragment,
            of("call_record")?,
            join
        );
        let read = connection.first(&text, values.as_slice(), |row| {
            if let Some(pack) = pack {
                pack.clear();
                if let Some(fragment) = row.get::<Option<Vec<u8>>>(11)? {
                    codec.unpack(FragmentKind::Sessions, &fragment, pack)?;
                }
            }
            records::read(row, codec)
        });
        read.inspect_err(|error| partitions.forget_if_gone(error))
    }
}
