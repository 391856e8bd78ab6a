//! SQL made at run time: from a [`Plan`] to a [`Statement`].
//!
//! Text comes from this crate's own literals only; every value travels as a bind. There is no
//! function that takes a run-time string as SQL.

pub(crate) mod fragment;
pub(crate) mod writer;

use crate::plan::Plan;
use writer::{Bind, Statement, Writer};

/// Whose wording a statement has, where the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Columns of a record as the reader takes them, of the table named `r`.
macro_rules! record_columns {
    () => {
        "r.record_key, r.id, r.version, r.is_current, r.start_date_time, r.end_date_time, \
         r.flags, r.content_hash, r.participant_count, r.session_count, r.fragment"
    };
}
pub(crate) use record_columns;

/// The records of a page.
pub(crate) fn list(plan: &Plan) -> Statement {
    let mut sql = Writer::new();
    sql.push_sql(concat!("SELECT ", record_columns!()));
    let dated = push_source(&mut sql, plan);
    if let Some((start, id)) = &plan.after {
        sql.push_sql(" AND (");
        sql.push_sql(dated);
        sql.push_sql(".start_date_time < ");
        sql.push_bind(Bind::Int(*start));
        sql.push_sql(" OR r.id > ");
        sql.push_bind(Bind::Text(id.clone()));
        sql.push_sql(")");
    }
    sql.push_sql(" ORDER BY ");
    sql.push_sql(dated);
    sql.push_sql(".start_date_time DESC, r.id");
    if let Some(limit) = plan.limit {
        sql.push_sql(" LIMIT ");
        sql.push_bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    }
    sql.finish()
}

/// How many records there are.
pub(crate) fn count(plan: &Plan) -> Statement {
    let mut sql = Writer::new();
    sql.push_sql("SELECT count(*)");
    push_source(&mut sql, plan);
    sql.finish()
}

/// Tables and conditions; gives the name of the table that leads in the order of start.
fn push_source(sql: &mut Writer, plan: &Plan) -> &'static str {
    let Some((first, others)) = plan.participants.split_first() else {
        sql.push_sql(" FROM call_record r WHERE r.tenant_key = ");
        sql.push_bind(Bind::Int(plan.tenant_key));
        sql.push_sql(" AND ");
        sql.push_sql("r.is_current = 1");
        push_bounds(sql, plan, "r");
        return "r";
    };
    sql.push_sql(
        " FROM participant p CROSS JOIN call_record r ON r.record_key = p.record_key \
         WHERE p.tenant_key = ",
    );
    sql.push_bind(Bind::Int(plan.tenant_key));
    sql.push_sql(" AND p.id_key = ");
    sql.push_bind(Bind::Bytes(first.clone()));
    push_bounds(sql, plan, "p");
    sql.push_sql(" AND ");
    sql.push_sql("r.is_current = 1");
    for other in others {
        sql.push_sql(" AND EXISTS (SELECT 1 FROM participant q WHERE q.tenant_key = ");
        sql.push_bind(Bind::Int(plan.tenant_key));
        sql.push_sql(" AND q.id_key = ");
        sql.push_bind(Bind::Bytes(other.clone()));
        sql.push_sql(" AND q.start_date_time = p.start_date_time AND q.record_key = p.record_key)");
    }
    "p"
}

fn push_bounds(sql: &mut Writer, plan: &Plan, table: &'static str) {
    for (bound, comparison) in
        [(plan.from, ".start_date_time >= "), (plan.until, ".start_date_time <= ")]
    {
        if let Some(bound) = bound {
            sql.push_sql(" AND ");
            sql.push_sql(table);
            sql.push_sql(comparison);
            sql.push_bind(Bind::Int(bound));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Filter, ListQuery};
    use crate::sqlite::testing;

    fn queries() -> Vec<(&'static str, ListQuery)> {
        let query = |filter, after| ListQuery { filter, after, limit: 60 };
        let bounds = Filter { start_from: Some(10), start_before: Some(20), ..Filter::default() };
        let one = Filter { participants: vec![vec![1]], ..Filter::default() };
        let two = Filter { participants: vec![vec![1], vec![2]], ..bounds.clone() };
        let after = Some((15, "b".to_owned()));
        vec![
            ("all", query(Filter::default(), None)),
            ("next_page", query(Filter::default(), after.clone())),
            ("bounds", query(bounds.clone(), None)),
            ("bounds_next_page", query(bounds, after.clone())),
            ("participant", query(one.clone(), None)),
            ("participant_next_page", query(one, after.clone())),
            ("two_participants_next_page", query(two, after)),
        ]
    }

    #[test]
    fn statements_and_their_plans_are_the_reviewed_ones() {
        let connection = testing::migrated();
        for (name, query) in queries() {
            let list = list(&Plan::list(7, &query));
            let count = count(&Plan::count(7, &query.filter));
            let shown = [list, count].map(|statement| {
                let plan = testing::explain(&connection, &statement);
                format!("{}\n{:?}\n{plan}", statement.text, statement.binds)
            });
            insta::assert_snapshot!(name, shown.join("\n\n"));
        }
    }

    #[test]
    fn no_list_looks_through_the_records() {
        let connection = testing::migrated();
        for (name, query) in queries() {
            let statement = list(&Plan::list(7, &query));
            let plan = testing::explain(&connection, &statement);
            assert!(!plan.contains("SCAN"), "{name}: {plan}");
        }
    }
}
