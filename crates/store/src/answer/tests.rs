//! Statements of queries and SQLite's plans of them.

use model::generated;
use model::rows::RowSet::{self, Legs, Records, Segments, Sessions, Streams};
use odata::percent::encode_query;
use odata::primitive::DateTimeOffset;
use odata::{Limits, parse_request};

use super::chain::Chain;
use super::columns::Columns;
use super::explain::leading;
use super::logical::LogicalQuery;
use super::run::all_behind;
use super::{cost, word_buckets};
use crate::engine::{Connection, Dialect};
use crate::query::position::Position;
use crate::query::{Cost, RowQuery};
use crate::sql::{Bind, Statement};
use crate::tables::search::Tenant;
use crate::testing;

const TENANT: Tenant = Tenant {
    key: 7,
    dialect: Dialect::Sqlite,
    are_words_there: true,
    are_columns_there: true,
    has_plain_values: false,
    has_places: false,
};

fn query(rows: RowSet, options: &[(&str, &str)]) -> RowQuery {
    let function = match rows {
        Records => "",
        Sessions => "/callvault.sessions()",
        Segments => "/callvault.segments()",
        Streams => "/callvault.streams()",
        Legs => "/callvault.legs()",
    };
    let path = format!("communications/callRecords{function}");
    let options: Vec<String> =
        options.iter().map(|(name, value)| format!("{name}={}", encode_query(value))).collect();
    let now = DateTimeOffset(0);
    let (_, query) =
        parse_request(&generated::V1_0, &path, &options.join("&"), &Limits::default(), now)
            .unwrap();
    RowQuery { rows, query, not_before: None }
}

const LOSS: &str = "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:\
                    t/averagePacketLossRate gt 0.1 and t/averageJitter ge duration'PT0.03S'))))";
const WEEK: &str =
    "startDateTime ge 2026-03-02T00:00:00Z and startDateTime lt 2026-03-09T00:00:00Z";

/// Queries whose pages cost no more than what they give and what they leave out.
fn indexed() -> Vec<(&'static str, RowQuery)> {
    let filter = |rows, text: &str| query(rows, &[("$filter", text)]);
    let order = |rows, text: &str| query(rows, &[("$orderby", text)]);
    vec![
        ("records", query(Records, &[])),
        ("records_of_a_week", filter(Records, WEEK)),
        ("record_by_id", filter(Records, "id eq 'A'")),
        ("records_of_a_user", filter(Records, "participants_v2/any(p:p/id eq 'a')")),
        (
            "records_of_two_users_in_a_week",
            filter(
                Records,
                &format!(
                    "participants_v2/any(p:p/id eq 'a') and participants_v2/any(p:p/id eq 'b') \
                     and {WEEK}"
                ),
            ),
        ),
        (
            "records_of_one_of_two_users",
            filter(Records, "participants_v2/any(p:p/id in ('a','b'))"),
        ),
        (
            "records_by_type_and_length",
            filter(
                Records,
                "type eq 'groupCall' and endDateTime sub startDateTime gt duration'PT1H'",
            ),
        ),
        ("records_with_video", filter(Records, "modalities/any(m:m eq 'video')")),
        ("records_without_video", filter(Records, "not modalities/any(m:m eq 'video')")),
        ("records_with_a_poor_stream", filter(Records, &format!("{LOSS} and {WEEK}"))),
        ("records_without_a_poor_stream", filter(Records, &format!("not {LOSS}"))),
        (
            "records_with_a_poor_stream_in_a_subnet",
            filter(
                Records,
                "sessions/any(s:s/segments/any(g:g/media/any(m:m/callerNetwork/subnet eq '10.0.0.0' \
                 and m/streams/any(t:t/averagePacketLossRate gt 0.1))))",
            ),
        ),
        ("records_with_a_failed_session", filter(Records, "sessions/any(s:s/failureInfo ne null)")),
        ("records_all_of_whose_sessions_are_tests", filter(Records, "sessions/all(s:s/isTest)")),
        ("records_with_many_sessions", filter(Records, "sessions/$count gt 10")),
        (
            "records_by_what_only_json_has",
            filter(Records, "type eq 'groupCall' and contains(joinWebUrl,'x')"),
        ),
        ("records_by_end", order(Records, "endDateTime desc")),
        ("records_by_end_ascending", order(Records, "endDateTime")),
        ("records_by_start_ascending", order(Records, "startDateTime")),
        ("sessions", query(Sessions, &[])),
        ("sessions_of_a_record", filter(Sessions, "callRecordId eq 'A'")),
        ("sessions_that_failed", filter(Sessions, "failureInfo/stage ne null")),
        ("segments", query(Segments, &[])),
        (
            "segments_of_a_user",
            filter(
                Segments,
                "caller/microsoft.graph.callRecords.participantEndpoint/identity/user/id eq \
             '0bd36b2b-6d67-4b2f-8a4c-3a1c8c1f2f10'",
            ),
        ),
        ("streams", query(Streams, &[])),
        (
            "streams_of_a_subnet",
            filter(
                Streams,
                "callerNetwork/subnet eq '10.0.0.0' and averagePacketLossRate gt 0.1 \
                 and callStartDateTime ge 2026-03-02T00:00:00Z",
            ),
        ),
        ("streams_of_a_client", filter(Streams, "startswith(caller/userAgent/headerValue,'x')")),
    ]
}

/// Queries that have to sort what they find.
fn sorted() -> Vec<(&'static str, RowQuery)> {
    vec![
        ("records_by_version", query(Records, &[("$orderby", "version desc,endDateTime")])),
        (
            "records_by_end_before",
            query(
                Records,
                &[("$orderby", "endDateTime desc"), ("$filter", "startDateTime lt 2020-01-01")],
            ),
        ),
        ("streams_by_loss", query(Streams, &[("$orderby", "averagePacketLossRate desc")])),
        (
            "records_with_words",
            query(Records, &[("$search", "Megan AND NOT Adele"), ("$filter", WEEK)]),
        ),
        ("sessions_with_words", query(Sessions, &[("$search", "Megan")])),
    ]
}

fn shown(connection: &Connection, statement: &Statement) -> String {
    let plan = testing::explain(connection, statement);
    format!("{}\n{:?}\n{plan}", statement.text, statement.binds)
}

/// The statement of the first page, and of the one behind a row; where any values leave something open, those
/// for records of plain values.
fn pages(query: &RowQuery) -> Vec<Statement> {
    let logical = LogicalQuery::new(query);
    let plan = logical.plan(TENANT);
    let plan = if plan.residual.is_empty() {
        plan
    } else {
        logical.plan(Tenant { has_plain_values: true, ..TENANT })
    };
    let first = leading(&logical, &plan).unwrap();
    let Some(order) = plan.order.as_ref() else { return vec![first] };
    if word_buckets::is_served(&plan, &logical) {
        return vec![first];
    }
    let value = |_| Some(Bind::Int(15));
    let values = order.terms.iter().map(value).collect();
    let behind = Position { given: 60, skipped: 0, values };
    let next = plan.page(&all_behind(&plan, &behind)).unwrap();
    vec![first, next.finish(TENANT.dialect)]
}

#[test]
fn statements_and_their_plans_are_the_reviewed_ones() {
    let connection = testing::migrated();
    for (name, query) in indexed().into_iter().chain(sorted()) {
        let all: Vec<String> =
            pages(&query).iter().map(|statement| shown(&connection, statement)).collect();
        insta::assert_snapshot!(name, format!("{:?}\n\n{}", cost(&query), all.join("\n\n")));
    }
}

#[test]
fn pages_of_indexed_queries_neither_scan_nor_sort() {
    let connection = testing::migrated();
    for (name, query) in indexed() {
        for statement in pages(&query) {
            let plan = testing::explain(&connection, &statement);
            // Rows of one instant may be sorted: there are few.
            let plan = plan.replace("USE TEMP B-TREE FOR LAST", "");
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{name}: {plan}");
        }
    }
}

#[test]
fn plain_lists_cost_what_they_answer() {
    for name in ["records", "records_of_a_week", "records_of_a_user"] {
        let (_, query) = indexed().into_iter().find(|(known, _)| *known == name).unwrap();
        assert_eq!(cost(&query), Cost::Bounded, "{name}");
    }
}

#[test]
fn aggregates_over_columns_are_one_statement_over_the_index_by_start() {
    let connection = testing::migrated();
    for (name, rows, apply) in [
        (
            "streams_by_subnet",
            Streams,
            "filter(callStartDateTime ge 2026-03-02T00:00:00Z and callStartDateTime lt \
             2026-04-01T00:00:00Z)/groupby((callerNetwork/subnet),\
             aggregate(averagePacketLossRate with average as loss,$count as n))",
        ),
        ("records_by_type", Records, "groupby((type),aggregate($count as n))"),
        ("sessions_by_test", Sessions, "groupby((callRecordType,isTest),aggregate($count as n))"),
    ] {
        let query = query(rows, &[("$apply", apply)]);
        let chain = Chain::new(&query, query.query.apply.as_ref().unwrap());
        let plan = chain.input.plan(TENANT);
        let columns = Columns::new(&chain, &plan).expect("columns are enough");
        let shown = shown(&connection, &columns.statement());
        assert!(!shown.contains("SCAN") && !shown.contains("TEMP B-TREE"), "{name}: {shown}");
        insta::assert_snapshot!(name, shown);
    }
}

#[test]
fn what_is_calculated_of_plain_values_is_part_of_the_statement() {
    let connection = testing::migrated();
    for (name, rows, apply) in [
        (
            "poor_streams_by_day",
            Streams,
            "compute(date(callStartDateTime) as day,case(packetUtilization gt 500 and \
             (averagePacketLossRate gt 0.1 or averageJitter gt duration'PT0.03S'):1,true:0) as poor)\
             /groupby((day),aggregate(poor with sum as k,$count as n))",
        ),
        (
            "sessions_by_hour",
            Sessions,
            "filter(year(startDateTime) eq 2026)/compute(hour(startDateTime) as h)\
             /groupby((h),aggregate(id with countdistinct as n))",
        ),
        (
            "records_by_quarter_of_an_hour",
            Records,
            "compute(callvault.bucket(startDateTime,duration'PT15M',duration'PT5H30M') as at)\
             /groupby((at),aggregate($count as n))",
        ),
        (
            "shares_of_packets",
            Streams,
            "aggregate(callvault.ratio(packetUtilization,7) with sum as a,\
             callvault.wilson(1,packetUtilization) with max as b,\
             averageJitter mul 0.5 with sum as c,averageJitter div 3 with sum as d,\
             packetUtilization mod 7 with sum as e)",
        ),
    ] {
        let query = query(rows, &[("$apply", apply)]);
        let chain = Chain::new(&query, query.query.apply.as_ref().unwrap());
        let mut all = Vec::new();
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let tenant = Tenant { dialect, has_plain_values: true, ..TENANT };
            let plan = chain.input.plan(tenant);
            assert!(plan.is_exact(), "{name}");
            let columns = Columns::new(&chain, &plan).expect("columns are enough");
            let statement = columns.statement();
            all.push(match dialect {
                Dialect::Sqlite => shown(&connection, &statement),
                Dialect::Postgres => statement.text,
            });
            let odd = plan.odd_records().finish(dialect);
            if dialect == Dialect::Sqlite {
                let plan = testing::explain(&connection, &odd);
                assert!(plan.contains("call_record_with_odd_values"), "{plan}");
            }
        }
        insta::assert_snapshot!(name, all.join("\n\n"));
    }
}
