//! Statements of a planned query.

use model::columns::Table;
use model::rows::RowSet;

use super::order::Bound;
use super::planned::{Access, Planned};
use super::position::Position;
use super::scope::{alias_of, ordinals, table_of};
use crate::Error;
use crate::sql::fragment::{Alias, Sql};
use crate::sql::writer::Bind;
use crate::sql::{Engine, record_columns};
use crate::tables::keys::{first_of_month, month};
use crate::tables::search::search_keys;

/// What a statement selects of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selected {
    /// `record_columns!`.
    Records,
    /// Key, start and id of the record, then the row's ordinals.
    Keys,
}

/// Which of the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window<'p> {
    pub(crate) behind: &'p Position,
    pub(crate) offset: u64,
    pub(crate) limit: Option<u64>,
}

impl Planned<'_> {
    /// What a page needs of each row. Records that nothing else has to be asked of are read by their
    /// keys, where some may be in memory.
    pub(crate) fn selected(&self) -> Selected {
        let is_kept = self.engine == Engine::Sqlite && self.is_exact();
        let is_direct = self.set == RowSet::Records && self.is_in_order() && !is_kept;
        if is_direct { Selected::Records } else { Selected::Keys }
    }

    /// The rows of a window, in the order if SQL knows it.
    pub(crate) fn page(&self, window: &Window<'_>) -> Result<Sql, Error> {
        let mut sql = match self.selected() {
            Selected::Records => Sql::text(concat!("SELECT ", record_columns!())),
            Selected::Keys => self.select_keys(),
        };
        let mut narrowed = self.clone();
        let mut behind = None;
        if let Some(order) = &self.order {
            for extra in order.extras() {
                sql = sql.push(", ").append(extra.clone());
            }
            behind = order.behind(window.behind)?;
        }
        narrowed.behind = behind.and_then(|(bound, condition)| narrowed.narrow(bound, condition));
        sql = sql.append(narrowed.source());
        if let Some(order) = &self.order {
            sql = sql.append(order.sql());
        }
        if let Some(limit) = window.limit {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            sql = sql.push(" LIMIT ").push_bind(Bind::Int(limit));
            if window.offset > 0 {
                let offset = i64::try_from(window.offset).unwrap_or(i64::MAX);
                sql = sql.push(" OFFSET ").push_bind(Bind::Int(offset));
            }
        }
        Ok(sql)
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> Sql {
        Sql::text("SELECT count(*)").append(self.source())
    }

    /// The start of the record behind the first so many, by the range of starts alone.
    pub(crate) fn start_after(&self, count: u64) -> Sql {
        let mut conditions =
            vec![Sql::text("r.tenant_key = ").push_bind(Bind::Int(self.tenant_key))];
        conditions.push(Sql::text("r.is_current = 1"));
        conditions.extend(self.bounds("r"));
        conditions.extend(self.key_bounds(Alias::of("r")));
        Sql::text("SELECT r.start_date_time FROM call_record r INDEXED BY call_record_by_start")
            .push(" WHERE ")
            .append(Sql::join(conditions, " AND "))
            .push(" ORDER BY r.start_date_time DESC LIMIT 1 OFFSET ")
            .push_bind(Bind::Int(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// Records that the full-text index leads to, the latest bucket of starts first.
    pub(crate) fn by_words(&self) -> Sql {
        self.select_keys()
            .push_either(", f.rowid", ", f.search_key")
            .append(self.source())
            .push_either(" ORDER BY f.rowid DESC", " ORDER BY f.search_key DESC")
    }

    /// Columns of all rows in their order, behind the record's key and the row's ordinals.
    pub(crate) fn columns(&self, columns: &[Sql]) -> Sql {
        let table = table_of(self.set);
        let mut sql = Sql::text("SELECT r.record_key");
        for name in ordinals(table) {
            sql = sql.push(", ").push_column(alias_of(table), name);
        }
        for column in columns {
            sql = sql.push(", ").append(column.clone());
        }
        sql = sql.append(self.source());
        match &self.order {
            Some(order) => sql.append(order.sql()),
            None => sql,
        }
    }

    fn select_keys(&self) -> Sql {
        let mut sql = Sql::text("SELECT r.record_key, r.start_date_time, r.id");
        let table = table_of(self.set);
        for name in ordinals(table) {
            sql = sql.push(", ").push_column(alias_of(table), name);
        }
        sql
    }

    /// Takes the bound into the range of starts; the condition, unless the range is behind it.
    fn narrow(&mut self, bound: Bound, condition: Sql) -> Option<Sql> {
        match bound {
            Bound::Until(start) => {
                if self.until.is_some_and(|until| until < start) {
                    return None;
                }
                self.until = Some(start);
            }
            Bound::From(start) => {
                if self.from.is_some_and(|from| from > start) {
                    return None;
                }
                self.from = Some(start);
            }
            Bound::Other(sql) => self.conditions.push(sql),
            Bound::None => {}
        }
        Some(condition)
    }

    /// FROM and WHERE.
    pub(crate) fn source(&self) -> Sql {
        let joins = self.joins();
        let mut conditions = Vec::new();
        let tenant = |sql: Sql| sql.push(" = ").push_bind(Bind::Int(self.tenant_key));
        let is_current = Sql::text("r.is_current = 1");
        let from = match &self.access {
            Access::Participants(keys) => {
                conditions.push(tenant(Sql::text("p.tenant_key")));
                let first = keys.first().cloned().unwrap_or_default();
                conditions.push(Sql::text("p.id_key = ").push_bind(Bind::Bytes(first)));
                conditions.extend(self.bounds("p"));
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
                conditions.extend(self.search_bounds());
                conditions.push(tenant(Sql::text("r.tenant_key")));
                conditions.push(is_current);
                conditions.extend(self.bounds("r"));
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
                conditions.extend(self.bounds("r"));
                Sql::text(" FROM call_record r INDEXED BY call_record_by_id")
            }
            Access::Start | Access::End => {
                conditions.push(tenant(Sql::text("r.tenant_key")));
                conditions.push(is_current);
                conditions.extend(self.bounds("r"));
                let is_plain = self.conditions.is_empty() && self.is_in_order();
                Sql::text(match self.access {
                    Access::End => " FROM call_record r INDEXED BY call_record_by_end",
                    _ if is_plain && joins.is_empty() => " FROM call_record r",
                    _ => " FROM call_record r INDEXED BY call_record_by_start",
                })
            }
        };
        conditions.extend(self.aliases().flat_map(|alias| self.key_bounds(alias)));
        conditions.extend(self.conditions.iter().chain(&self.behind).cloned());
        from.append(joins).push(" WHERE ").append(Sql::join(conditions, " AND "))
    }

    fn bounds(&self, table: &'static str) -> Vec<Sql> {
        let start = |text| Sql::text(table).push(text);
        let from = self.from.map(|at| start(".start_date_time >= ").push_bind(Bind::Int(at)));
        let until = self.until.map(|at| start(".start_date_time <= ").push_bind(Bind::Int(at)));
        from.into_iter().chain(until).collect()
    }

    /// The same of keys, where keys begin with the month of the start and tables are parted by them: so
    /// that no more parts are looked into than there are months.
    fn key_bounds(&self, table: Alias) -> impl Iterator<Item = Sql> + use<> {
        let is_parted = self.engine == Engine::Postgres;
        let bound = move |comparison, month| {
            let key = Sql::column(table, "record_key").push(comparison);
            key.push_number(first_of_month(month))
        };
        let from = self.from.map(|from| bound(" >= ", month(from)));
        let until = self.until.map(|until| bound(" < ", month(until) + 1));
        from.into_iter().chain(until).filter(move |_| is_parted)
    }

    /// The tables that lead to the rows and have them.
    fn aliases(&self) -> impl Iterator<Item = Alias> {
        let leading = match self.access {
            Access::Participants(_) => Some(Alias::of("p")),
            Access::Search(_) => Some(Alias::of("f")),
            Access::Start | Access::End | Access::Id(_) => None,
        };
        let own = table_of(self.set);
        let below = [Table::Session, Table::Segment, Table::Media, Table::Stream].into_iter();
        let below =
            below.filter(move |table| *table == own || *table < own && self.joined.has(*table));
        leading.into_iter().chain([Alias::of("r")]).chain(below.map(alias_of))
    }

    /// Rows of the full-text index are numbered by start before the record's key.
    fn search_bounds(&self) -> Vec<Sql> {
        let (least, greatest) =
            search_keys(self.from.unwrap_or(i64::MIN), self.until.unwrap_or(i64::MAX));
        let key = || Sql::either("f.rowid", "f.search_key");
        let from = key().push(" >= ").push_bind(Bind::Int(least));
        let until = key().push(" <= ").push_bind(Bind::Int(greatest));
        let from = self.from.map(|_| from);
        from.into_iter().chain(self.until.map(|_| until)).collect()
    }

    fn takes_part(&self, key: &[u8]) -> Sql {
        Sql::text("EXISTS (SELECT 1 FROM participant q WHERE q.tenant_key = ")
            .push_bind(Bind::Int(self.tenant_key))
            .push(" AND q.id_key = ")
            .push_bind(Bind::Bytes(key.to_vec()))
            .push(" AND q.start_date_time = p.start_date_time AND q.record_key = p.record_key)")
    }

    /// The tables of the rows below the record, and those above them that are needed.
    fn joins(&self) -> Sql {
        let own = match self.set {
            RowSet::Records => return Sql::new(),
            RowSet::Sessions => " CROSS JOIN session s ON s.record_key = r.record_key",
            RowSet::Segments => " CROSS JOIN segment g ON g.record_key = r.record_key",
            RowSet::Streams => " CROSS JOIN stream t ON t.record_key = r.record_key",
        };
        let mut sql = Sql::text(own);
        let table = table_of(self.set);
        for (above, text) in [
            (Table::Session, " CROSS JOIN session s ON "),
            (Table::Segment, " CROSS JOIN segment g ON "),
            (Table::Media, " CROSS JOIN media m ON "),
        ] {
            if above < table && self.joined.has(above) {
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
