//! Whether single versions of a record meet conditions, for those who decide about notifications.

use model::rows::RowSet;
use odata::bound::Expr;
use odata::eval::{Exhausted, Meter};

use super::evaluation::{load, node};
use super::loader::Loader;
use super::parts::Parts;
use super::residual::ResidualFilter;
use super::run::{size_of, whole_text};
use crate::Error;
use crate::codec::Codec;
use crate::engine::Connection;
use crate::tables::keys::RecordId;
use crate::tables::records;

/// Whether a version of a record meets a condition although a higher one is stored by now; none if it is
/// the current one, or is not stored any more.
pub(crate) fn superseded_meets(
    connection: &Connection,
    codec: &mut Codec,
    (id, version): (RecordId<'_>, i64),
    (condition, meter): (&Expr, &Meter),
) -> Result<Option<bool>, Error> {
    let found: Option<i64> = connection.value(
        "SELECT record_key FROM call_record WHERE tenant_key = ?1 AND id_key = ?2 \
         AND version = ?3 AND is_current = 0",
        (id.tenant_key, id.id_key, version),
    )?;
    let Some(record_key) = found else { return Ok(None) };
    let filter = ResidualFilter::of_condition(RowSet::Records, condition);
    let mut loader = Loader::new(connection, codec, None);
    let record = loader.record(record_key)?;
    let text = whole_text(&mut loader, &record, filter.parts, meter);
    // A notification too many of one that can't be read is better than none, and it holds up no other.
    let text = text.as_deref().map_err(Clone::clone);
    match text.and_then(|text| load(text, meter)) {
        Err(Error::Corrupt(_)) => Ok(Some(true)),
        node => Ok(Some(filter.admits(&node?, meter)?)),
    }
}

/// Which conditions a version of a record meets, each as far as its meter goes; none if it is not stored
/// any more. The version is read once for all of them.
pub(crate) fn met_by(
    connection: &Connection,
    codec: &mut Codec,
    (id, version): (RecordId<'_>, i64),
    conditions: &[(&Expr, &Meter)],
) -> Result<Option<Vec<Result<bool, Exhausted>>>, Error> {
    let Some(record) = records::version(connection, codec, id, version)? else {
        return Ok(None);
    };
    let filter =
        |(condition, _): &(&Expr, &Meter)| ResidualFilter::of_condition(RowSet::Records, condition);
    let filters: Vec<_> = conditions.iter().map(filter).collect();
    let parts = filters.iter().map(|filter| filter.parts).fold(Parts::default(), Parts::and);
    // The whole of a large record is not read for those that can't look at it.
    let size = size_of(&record, parts);
    let is_loaded = conditions.iter().fold(false, |any, (_, meter)| meter.load(size) || any);
    if !is_loaded {
        let failed = |(_, meter): &(&Expr, &Meter)| meter.check().map(|()| false);
        return Ok(Some(conditions.iter().map(failed).collect()));
    }
    let text = Loader::new(connection, codec, None).record_text(&record, parts);
    // As above.
    let node = match text.as_deref().map_err(Clone::clone).and_then(node) {
        Err(Error::Corrupt(_)) => return Ok(Some(vec![Ok(true); filters.len()])),
        node => node?,
    };
    let length = text.as_ref().map_or(0, Vec::len);
    let met = filters.iter().zip(conditions).map(|(filter, (_, meter))| {
        meter.load(length);
        filter.admits(&node, meter)
    });
    Ok(Some(met.collect()))
}
