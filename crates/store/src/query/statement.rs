//! The statements of a plan.
//!
//! Pages are found by keyset: the next one begins behind the values that its last row has of the order's
//! terms, not behind so many rows. So each row is given once however the table changes between two pages,
//! and the thousandth page costs what the first one does. The condition that says "behind" is an `OR` of
//! one `AND` for each term, which no index can follow; therefore the leading term gets a bound of its own
//! (`start <= ?`), from which the index begins, and the `OR` only decides among the rows of one instant.

use model::columns::Table;
use model::rows::RowSet;

use super::access::{Access, StartRange};
use super::compiler::JoinedTables;
use super::order::Bound;
use super::places::{PlaceTable, PlaceTables, looks_at_places};
use super::plan::Plan;
use super::position::Position;
use super::scope::{alias_of, ordinals, row_ordinals, table_of};
use crate::Error;
use crate::engine::Dialect;
use crate::sql::{Alias, Bind, Sql, one_of};
use crate::tables::keys::{first_of_month, month};
use crate::tables::records::record_columns;
use crate::tables::search::search_keys;

/// As it stands in a statement and in the condition of its index.
const _: () = assert!(model::flags::PLAIN_VALUES == 128);

/// What a statement selects of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Projection {
    /// `record_columns!`.
    Records,
    /// Key, start and id of the record, then the row's ordinals.
    Keys,
}

/// Which of the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice<'p> {
    pub(crate) range: StartRange,
    pub(crate) behind: &'p Position,
    pub(crate) offset: u64,
    pub(crate) limit: Option<u64>,
    /// Of the places that the plan looks at, what rows in the range need.
    pub(crate) places: Option<&'p PlaceTables>,
}

/// What narrows the rows of a statement beside its plan.
#[derive(Debug, Default)]
struct Restriction<'r> {
    range: StartRange,
    /// Tables of places that the statement brings along.
    places: Option<&'r PlaceTables>,
    /// A bound on the leading term of the order, where that is not the start.
    bound: Option<Sql>,
    /// What rows behind the last one of the page before meet.
    behind: Option<Sql>,
}

impl Restriction<'_> {
    /// Takes a bound into the range of starts, and the condition, unless the range is behind it anyway.
    fn add(&mut self, bound: Bound, condition: Sql) {
        match bound {
            Bound::Until(start) => {
                if self.range.until.is_some_and(|until| until < start) {
                    return;
                }
                self.range.until = Some(start);
            }
            Bound::From(start) => {
                if self.range.from.is_some_and(|from| from > start) {
                    return;
                }
                self.range.from = Some(start);
            }
            Bound::Other(sql) => self.bound = Some(sql),
            Bound::None => {}
        }
        self.behind = Some(condition);
    }
}

impl Plan<'_> {
    /// What a page needs of each row. Records that nothing else has to be asked of are read by their
    /// keys, where some may be in memory.
    pub(crate) fn projection(&self) -> Projection {
        let is_kept = self.tenant.dialect == Dialect::Sqlite && self.is_exact();
        let is_direct = self.set == RowSet::Records && self.is_in_order() && !is_kept;
        if is_direct { Projection::Records } else { Projection::Keys }
    }

    /// The rows of a slice, in the order if SQL knows it.
    pub(crate) fn page(&self, slice: &Slice<'_>) -> Result<Sql, Error> {
        let mut sql = match self.projection() {
            Projection::Records => Sql::text(concat!("SELECT ", record_columns!())),
            Projection::Keys => with(slice.places).append(self.select_keys()),
        };
        let (range, places) = (slice.range, slice.places);
        let mut restriction = Restriction { range, places, ..Restriction::default() };
        if let Some(order) = &self.order {
            for extra in order.extras() {
                sql = sql.push(", ").append(extra.clone());
            }
            if let Some((bound, condition)) = order.behind(slice.behind)? {
                restriction.add(bound, condition);
            }
        }
        sql = sql.append(self.source(restriction, self.joined));
        if let Some(order) = &self.order {
            sql = sql.append(order.sql());
        }
        if let Some(limit) = slice.limit {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            sql = sql.push(" LIMIT ").push_bind(Bind::Int(limit));
            if slice.offset > 0 {
                let offset = i64::try_from(slice.offset).unwrap_or(i64::MAX);
                sql = sql.push(" OFFSET ").push_bind(Bind::Int(offset));
            }
        }
        Ok(sql)
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> Sql {
        with(self.places.as_ref()).push("SELECT count(*)").append(self.all(self.range))
    }

    /// The start of the record behind the first so many, by the range of starts alone.
    pub(crate) fn start_after(&self, range: StartRange, count: u64) -> Sql {
        let mut conditions =
            vec![Sql::text("r.tenant_key = ").push_bind(Bind::Int(self.tenant.key))];
        conditions.push(Sql::text("r.is_current = 1"));
        conditions.extend(bounds(range, "r"));
        conditions.extend(self.key_bounds(range, Alias::of("r")));
        Sql::text("SELECT r.start_date_time FROM call_record r INDEXED BY call_record_by_start")
            .push(" WHERE ")
            .append(Sql::join(conditions, " AND "))
            .push(" ORDER BY r.start_date_time DESC LIMIT 1 OFFSET ")
            .push_bind(Bind::Int(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// Records that the full-text index leads to, the latest bucket of starts first.
    pub(crate) fn by_words(&self, range: StartRange) -> Sql {
        self.select_keys()
            .push_either(", f.rowid", ", f.search_key")
            .append(self.all(range))
            .push_either(" ORDER BY f.rowid DESC", " ORDER BY f.search_key DESC")
    }

    /// Columns of all rows in their order, behind the record's key and the row's ordinals; `joined` are
    /// the tables that these columns need.
    pub(crate) fn columns(&self, columns: &[Sql], mut joined: JoinedTables) -> Sql {
        joined.add(self.joined);
        let places = self.places.as_ref();
        let mut sql = with(places).push("SELECT r.record_key");
        for ordinal in row_ordinals(self.set) {
            sql = sql.push(", ").append(ordinal);
        }
        for column in columns {
            sql = sql.push(", ").append(column.clone());
        }
        let all = Restriction { range: self.range, places, ..Restriction::default() };
        sql = sql.append(self.source(all, joined));
        match &self.order {
            Some(order) => sql.append(order.sql()),
            None => sql,
        }
    }

    /// A record in the range that has other than plain values ([`model::flags::PLAIN_VALUES`]).
    pub(crate) fn odd_records(&self) -> Sql {
        self.odd("SELECT 1", self.range).push(" LIMIT 1")
    }

    /// What is selected of the records `o` in a range that have other than plain values.
    fn odd(&self, select: &'static str, range: StartRange) -> Sql {
        let tenant = Sql::text("o.tenant_key = ").push_bind(Bind::Int(self.tenant.key));
        // The index has the same condition.
        let odd = Sql::text("o.is_current = 1 AND o.flags & 128 = 0");
        let conditions = [tenant, odd].into_iter().chain(bounds(range, "o"));
        Sql::text(select)
            .push(" FROM call_record o INDEXED BY call_record_with_odd_values WHERE ")
            .append(Sql::join(conditions, " AND "))
    }

    fn select_keys(&self) -> Sql {
        let mut sql = Sql::text("SELECT r.record_key, r.start_date_time, r.id");
        for ordinal in row_ordinals(self.set) {
            sql = sql.push(", ").append(ordinal);
        }
        sql
    }

    /// What leads to the places of a table, of all rows of a range that the conditions let through which look
    /// at no place; each key once.
    pub(crate) fn place_keys(&self, table: PlaceTable, range: StartRange) -> Sql {
        let mut joined = self.joined.without_places();
        joined.note(table.source());
        let select = Sql::text("SELECT DISTINCT ").append(table.key());
        let plan = Plan {
            access: self.access.clone(),
            parties: self.parties.clone(),
            conditions: self.conditions.iter().filter(|it| !looks_at_places(it)).cloned().collect(),
            residual: Vec::new(),
            searches: Vec::new(),
            order: None,
            places: None,
            ..*self
        };
        select.append(plan.source(Restriction { range, ..Restriction::default() }, joined))
    }

    /// FROM and WHERE of all rows of a range.
    fn all(&self, range: StartRange) -> Sql {
        let places = self.places.as_ref();
        self.source(Restriction { range, places, ..Restriction::default() }, self.joined)
    }

    /// FROM and WHERE.
    fn source(&self, restriction: Restriction<'_>, mut joined: JoinedTables) -> Sql {
        let Restriction { range, places, bound, behind } = restriction;
        if let Some(places) = places {
            joined.add(places.sources());
        }
        let mut joins = self.joins(joined);
        if let Some(places) = places {
            joins = joins.append(places.joins());
        }
        let mut conditions = Vec::new();
        let tenant = |sql: Sql| sql.push(" = ").push_bind(Bind::Int(self.tenant.key));
        let is_current = Sql::text("r.is_current = 1");
        let from = match &self.access {
            Access::Participants(keys) => {
                conditions.push(tenant(Sql::text("p.tenant_key")));
                let first = keys.first().cloned().unwrap_or_default();
                conditions.push(Sql::text("p.id_key = ").push_bind(Bind::Bytes(first)));
                conditions.extend(bounds(range, "p"));
                conditions.push(is_current);
                conditions.extend(keys.iter().skip(1).map(|key| self.takes_part(key)));
                Sql::text(
                    " FROM participant p CROSS JOIN call_record r ON r.record_key = p.record_key",
                )
            }
            Access::Search(words) => {
                let matched = Sql::either("f.record_search MATCH ", "f.words @@ CAST(");
                let matched = matched.push_bind(Bind::Text(words.clone()));
                conditions.push(matched.push_either("", " AS tsquery)"));
                conditions.extend(search_bounds(range));
                conditions.push(tenant(Sql::text("r.tenant_key")));
                conditions.push(is_current);
                conditions.extend(bounds(range, "r"));
                Sql::either(
                    " FROM record_search f CROSS JOIN call_record r \
                     ON r.record_key = f.rowid & 34359738367",
                    " FROM record_search f CROSS JOIN call_record r \
                     ON r.record_key = f.record_key",
                )
            }
            Access::Id(key) => {
                conditions.push(tenant(Sql::text("r.tenant_key")));
                conditions.push(Sql::text("r.id_key = ").push_bind(Bind::Bytes(key.clone())));
                conditions.push(is_current);
                conditions.extend(bounds(range, "r"));
                Sql::text(" FROM call_record r INDEXED BY call_record_by_id")
            }
            Access::Ids(keys) => {
                conditions.push(tenant(Sql::either("r.tenant_key", "k.tenant_key")));
                conditions.push(Sql::either("r.id_key", "k.id_key").append(one_of_keys(keys)));
                conditions.push(is_current);
                conditions.extend(bounds(range, "r"));
                Sql::either(
                    " FROM call_record r INDEXED BY call_record_by_id",
                    " FROM record_key k CROSS JOIN call_record r ON r.record_key = k.record_key",
                )
            }
            Access::Behind(sequence) => {
                conditions.extend([tenant(Sql::text("r.tenant_key")), is_current]);
                conditions.extend(bounds(range, "r"));
                self.changed_or_odd(*sequence, range)
            }
            Access::Start | Access::End => {
                conditions.extend([tenant(Sql::text("r.tenant_key")), is_current]);
                conditions.extend(bounds(range, "r"));
                let is_plain = self.is_unconditional() && bound.is_none() && self.is_in_order();
                Sql::text(match self.access {
                    Access::End => " FROM call_record r INDEXED BY call_record_by_end",
                    _ if is_plain && joins.is_empty() => " FROM call_record r",
                    _ => " FROM call_record r INDEXED BY call_record_by_start",
                })
            }
        };
        let aliases = self.aliases(joined);
        conditions.extend(aliases.flat_map(|alias| self.key_bounds(range, alias)));
        conditions.extend(self.parties.iter().map(|keys| self.one_takes_part(keys, range)));
        conditions.extend(self.conditions.iter().cloned().chain(bound).chain(behind));
        from.append(joins).push(" WHERE ").append(Sql::join(conditions, " AND "))
    }

    /// FROM the records about which the change log has an entry behind one of its own, or that have other than
    /// plain values.
    fn changed_or_odd(&self, sequence: i64, range: StartRange) -> Sql {
        Sql::text(" FROM (SELECT l.record_key FROM change_log l WHERE l.tenant_key = ")
            .push_bind(Bind::Int(self.tenant.key))
            .push(" AND l.sequence > ")
            .push_bind(Bind::Int(sequence))
            .push(" UNION ")
            .append(self.odd("SELECT o.record_key", range))
            .push(") c CROSS JOIN call_record r ON r.record_key = c.record_key")
    }

    /// The range of starts as one of keys, where these begin with the month of the start and tables are
    /// partitioned by them: so no more partitions are looked into than there are months.
    fn key_bounds(&self, range: StartRange, table: Alias) -> impl Iterator<Item = Sql> + use<> {
        let is_partitioned = self.tenant.dialect == Dialect::Postgres;
        let bound = move |comparison, month| {
            let key = Sql::column(table, "record_key").push(comparison);
            key.push_number(first_of_month(month))
        };
        let from = range.from.map(|from| bound(" >= ", month(from)));
        let until = range.until.map(|until| bound(" < ", month(until) + 1));
        from.into_iter().chain(until).filter(move |_| is_partitioned)
    }

    /// The tables that lead to the rows and have them.
    fn aliases(&self, joined: JoinedTables) -> impl Iterator<Item = Alias> {
        let leading = match self.access {
            Access::Participants(_) => Some(Alias::of("p")),
            Access::Search(_) => Some(Alias::of("f")),
            Access::Start | Access::End | Access::Id(_) | Access::Ids(_) | Access::Behind(_) => {
                None
            }
        };
        let own = table_of(self.set);
        let below = [Table::Session, Table::Segment, Table::Media, Table::Stream].into_iter();
        let below = below.filter(move |table| *table == own || *table < own && joined.has(*table));
        leading.into_iter().chain([Alias::of("r")]).chain(below.map(alias_of))
    }

    fn takes_part(&self, key: &[u8]) -> Sql {
        Sql::text("EXISTS (SELECT 1 FROM participant q WHERE q.tenant_key = ")
            .push_bind(Bind::Int(self.tenant.key))
            .push(" AND q.id_key = ")
            .push_bind(Bind::Bytes(key.to_vec()))
            .push(" AND q.start_date_time = p.start_date_time AND q.record_key = p.record_key)")
    }

    /// One of many takes part: the records of them all are looked for together, within the range.
    fn one_takes_part(&self, keys: &[Vec<u8>], range: StartRange) -> Sql {
        let mut conditions =
            vec![Sql::text("q.tenant_key = ").push_bind(Bind::Int(self.tenant.key))];
        conditions.push(Sql::text("q.id_key").append(one_of_keys(keys)));
        conditions.extend(bounds(range, "q"));
        conditions.extend(self.key_bounds(range, Alias::of("q")));
        Sql::text("r.record_key IN (SELECT q.record_key FROM participant q WHERE ")
            .append(Sql::join(conditions, " AND "))
            .push(")")
    }

    /// The tables of the rows below the record, and those above them that are needed.
    fn joins(&self, joined: JoinedTables) -> Sql {
        let own = match self.set {
            RowSet::Records => return Sql::new(),
            RowSet::Sessions => " CROSS JOIN session s ON s.record_key = r.record_key",
            RowSet::Segments => " CROSS JOIN segment g ON g.record_key = r.record_key",
            RowSet::Streams => " CROSS JOIN stream t ON t.record_key = r.record_key",
            // The caller's end and the callee's.
            RowSet::Legs => {
                " CROSS JOIN stream t ON t.record_key = r.record_key \
                 CROSS JOIN (SELECT 0 AS ordinal UNION ALL SELECT 1) e"
            }
        };
        let mut sql = Sql::text(own);
        let table = table_of(self.set);
        for (above, text) in [
            (Table::Session, " CROSS JOIN session s ON "),
            (Table::Segment, " CROSS JOIN segment g ON "),
            (Table::Media, " CROSS JOIN media m ON "),
        ] {
            if above < table && joined.has(above) {
                let (one, other) = (alias_of(above), alias_of(table));
                sql = sql.push(text).push_column(one, "record_key").push(" = ");
                sql = sql.push_column(other, "record_key");
                for (column, same) in ordinals(above).iter().zip(ordinals(table)) {
                    sql = sql.push(" AND ").push_column(one, column).push(" = ");
                    sql = sql.push_column(other, same);
                }
            }
        }
        sql
    }
}

/// WITH tables of places, in front of a statement.
fn with(places: Option<&PlaceTables>) -> Sql {
    places.map_or_else(Sql::new, PlaceTables::with)
}

/// `IN` with the keys of ids.
fn one_of_keys(keys: &[Vec<u8>]) -> Sql {
    let keys = keys.iter().cloned().map(Bind::Bytes).collect();
    one_of(keys).expect("keys of any number make a list")
}

/// The range of starts as conditions on a table.
fn bounds(range: StartRange, table: &'static str) -> impl Iterator<Item = Sql> {
    let start = move |text| Sql::text(table).push(text);
    let from = range.from.map(|at| start(".start_date_time >= ").push_bind(Bind::Int(at)));
    let until = range.until.map(|at| start(".start_date_time <= ").push_bind(Bind::Int(at)));
    from.into_iter().chain(until)
}

/// The range of starts as conditions on the full-text index, whose rows are numbered by start before the
/// record's key.
fn search_bounds(range: StartRange) -> impl Iterator<Item = Sql> {
    let StartRange { from, until } = range;
    let (least, greatest) = search_keys(from.unwrap_or(i64::MIN), until.unwrap_or(i64::MAX));
    let key = || Sql::either("f.rowid", "f.search_key");
    let from = from.map(|_| key().push(" >= ").push_bind(Bind::Int(least)));
    let until = until.map(|_| key().push(" <= ").push_bind(Bind::Int(greatest)));
    from.into_iter().chain(until)
}
