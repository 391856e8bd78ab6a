//! The current version of a record where many nodes write: the key noted for its id leads to the one
//! part of the tables that has it.

use model::fragment::FragmentKind;

use super::leads::Leads;
use super::months::Months;
use crate::engine::{Connection, Value as _};
use crate::reader;
use crate::sql::record_columns;
use crate::tables::keys;
use crate::tables::stored::PACK_BITS;
use crate::{Codec, Error, StoredRecord};

/// How often a record is looked for that others replace while it is read.
const ATTEMPTS: u32 = 8;

/// A record, by its tenant and the key of its id.
pub(crate) type Asked<'a> = (i64, &'a [u8]);

/// The current version of a record.
pub(crate) fn record(
    connection: &Connection,
    months: &Months,
    codec: &mut Codec,
    (tenant_key, id_key): Asked<'_>,
) -> Result<Option<StoredRecord>, Error> {
    let Some(record_key) = keys::find(connection, tenant_key, id_key)? else { return Ok(None) };
    Found { connection, months, codec, id_key, pack: None }.read(record_key)
}

/// The same outside of a transaction, in a statement that also gives the first pack of its sessions,
/// if that is wanted. A key of before will do, if the row that it leads to is the current one.
pub(crate) fn at_once(
    connection: &Connection,
    (months, leads): (&Months, &Leads),
    codec: &mut Codec,
    (tenant_key, id_key): Asked<'_>,
    pack: Option<&mut Vec<u8>>,
) -> Result<Option<StoredRecord>, Error> {
    let mut found = Found { connection, months, codec, id_key, pack };
    if let Some(record_key) = leads.find(tenant_key, id_key)
        && let Some(record) = found.by_key(record_key)?
    {
        return Ok(Some(record));
    }
    for _ in 0..ATTEMPTS {
        let Some(record_key) = keys::find(connection, tenant_key, id_key)? else {
            return Ok(None);
        };
        if let Some(record) = found.by_key(record_key)? {
            leads.note(tenant_key, id_key, record_key);
            return Ok(Some(record));
        }
    }
    Err(Error::Busy)
}

/// Where a record is read, and where it goes.
struct Found<'f> {
    connection: &'f Connection,
    months: &'f Months,
    codec: &'f mut Codec,
    id_key: &'f [u8],
    pack: Option<&'f mut Vec<u8>>,
}

impl Found<'_> {
    /// The version of this key, if it is the current one of the record.
    fn by_key(&mut self, record_key: i64) -> Result<Option<StoredRecord>, Error> {
        match self.read(record_key) {
            // Its part has just gone.
            Err(Error::Again) => Ok(None),
            read => read,
        }
    }

    fn read(&mut self, record_key: i64) -> Result<Option<StoredRecord>, Error> {
        let Self { connection, months, codec, id_key, pack } = self;
        let of = |whole| months.table(connection, whole, record_key);
        let pack_key = record_key << PACK_BITS;
        let mut values = vec![record_key.field(), id_key.field()];
        let (mut fragment, mut join) = ("", String::new());
        if pack.is_some() {
            // Given, not calculated from the version's: so it leads to one part in every plan.
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
            reader::record(row, codec)
        });
        read.inspect_err(|error| months.forget_if_gone(error))
    }
}
