//! The statement that gives the rows of which blocks are made.

use model::columns::Table;

use super::scope::alias_of;
use crate::engine::Dialect;
use crate::sql::{Bind, Sql, Statement, one_of};
use crate::tables::block_columns::OF_STREAMS;

/// The streams of current records, which are given by their keys, in the order of rows: all columns of
/// [`OF_STREAMS`]. `first` and `last` are the least and the greatest of the keys.
pub(crate) fn of_streams(
    dialect: Dialect,
    record_keys: &[i64],
    (first, last): (i64, i64),
) -> Statement {
    let columns = OF_STREAMS.iter().map(|it| Sql::column(alias_of(it.table), it.name));
    let keys = record_keys.iter().copied().map(Bind::Int).collect();
    let keys = one_of(keys).expect("whole numbers of any number make a list");
    let mut sql = Sql::text("SELECT ")
        .append(Sql::join(columns, ", "))
        .push(" FROM call_record r CROSS JOIN stream t ON t.record_key = r.record_key")
        .push(" CROSS JOIN segment g ON g.record_key = t.record_key")
        .push(" AND g.session = t.session AND g.ordinal = t.segment")
        .push(" CROSS JOIN media m ON m.record_key = t.record_key")
        .push(" AND m.session = t.session AND m.segment = t.segment AND m.ordinal = t.media")
        .push(" WHERE r.is_current = 1 AND r.record_key")
        .append(keys);
    if dialect == Dialect::Postgres {
        // So that only the partitions of their months are looked into.
        for table in [Table::CallRecord, Table::Stream, Table::Segment, Table::Media] {
            let key = || Sql::column(alias_of(table), "record_key");
            sql = sql.push(" AND ").append(key()).push(" >= ").push_number(first);
            sql = sql.push(" AND ").append(key()).push(" <= ").push_number(last);
        }
    }
    sql.push(" ORDER BY r.start_date_time DESC, r.id, r.record_key")
        .push(", t.session, t.segment, t.media, t.ordinal")
        .finish(dialect)
}
