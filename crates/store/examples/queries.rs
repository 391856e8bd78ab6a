//! Times questions about a store against SQL written by hand for the same file, in turns, and prints
//! for each the medians in microseconds and their ratio: `queries FILE FROM [NAME]` where FROM is the
//! first day of the week and month that are asked for (2026-10-01), and NAME what is in the name of
//! those questions that are asked, if not all are.
//!
//! What is written by hand gives the same rows in the same order, and unpacks and keeps the records of
//! a page, as ours does: whoever asks wants them.

#![allow(clippy::print_stdout, reason = "a command tells what it measured")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use model::TenantId;
use model::fragment::{Codec as _, FragmentKind};
use odata::eval::{Allowance, Meter};
use odata::primitive::{DateTimeOffset, TICKS_PER_DAY, TICKS_PER_SECOND};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use store::{Budget, Codec, Options, Reader, Role, RowQuery, RowSet, Store};

const PAGE: usize = 60;

/// A question and the statement that answers it as well as one can by hand.
struct Case {
    name: &'static str,
    rows: RowSet,
    options: String,
    ask: Ask,
    sql: &'static str,
    values: Vec<Value>,
}

/// What a page has of a record.
#[expect(dead_code, reason = "kept, as a page is, but not looked at")]
struct Record {
    id: String,
    version: i64,
    start: i64,
    hash: Vec<u8>,
    text: Vec<u8>,
}

enum Ask {
    Page,
    Count,
    Apply,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().context("which file?")?;
    let from = arguments.next().context("from which day?")?;
    let from = DateTimeOffset::parse(&from).context("no day")?.0;
    let asked = arguments.next().unwrap_or_default();
    let store = Store::open(&Options { create: false, ..Options::new(&file, Role::Tool) })?;
    let mut reader = store.reader()?;
    let tenant = reader.tenants()?.pop().context("the store is empty")?;
    let connection = Connection::open(&file)?;
    // Else a statement whose plan has to do with its values is prepared for each of them anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // As much as a reader of the store has.
    connection.pragma_update(None, "cache_size", -16 * 1024)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let mut codec = store.codec();
    let records: i64 = one(&connection, "SELECT count(*) FROM call_record WHERE is_current = 1")?;
    for case in cases(&connection, from)?.into_iter().filter(|case| case.name.contains(&asked)) {
        let mut ours = Vec::new();
        let mut by_hand = Vec::new();
        let limit = Instant::now() + Duration::from_secs(20);
        while ours.len() < 5 || (ours.len() < 201 && Instant::now() < limit) {
            let started = Instant::now();
            let found = answer(&mut reader, &tenant, &case)?;
            ours.push(started.elapsed());
            let started = Instant::now();
            let expected = run(&connection, &mut codec, &case)?;
            by_hand.push(started.elapsed());
            anyhow::ensure!(found == expected, "{}: {found} rows, not {expected}", case.name);
        }
        let (ours, by_hand) = (median(ours), median(by_hand));
        println!(
            "{records:>8} {:<28} {ours:>10.0} µs  SQL {by_hand:>10.0} µs  ratio {:.2}",
            case.name,
            ours / by_hand
        );
    }
    Ok(())
}

fn answer(reader: &mut Reader, tenant: &TenantId, case: &Case) -> Result<usize> {
    let path = match case.rows {
        RowSet::Streams => "/communications/callRecords/callvault.streams()",
        _ => "/communications/callRecords",
    };
    let limits = odata::Limits::default();
    let model = &model::generated::V1_0;
    let (_, query) = odata::parse_request(model, path, &case.options, &limits, DateTimeOffset(0))?;
    let query = RowQuery { rows: case.rows, query, not_before: None };
    let meter = Meter::new(Allowance::until(Instant::now() + Duration::from_mins(10)));
    let budget = Budget { rows_scanned: u64::MAX, groups: 100_000, meter };
    Ok(match case.ask {
        Ask::Page => reader.page(tenant, &query, None, PAGE, &budget)?.rows.len(),
        Ask::Count => reader.count_rows(tenant, &query, &budget)? as usize,
        Ask::Apply => reader.apply(tenant, &query, &budget)?.len(),
    })
}

fn run(connection: &Connection, codec: &mut Codec, case: &Case) -> Result<usize> {
    let mut statement = connection.prepare_cached(case.sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(&case.values))?;
    let (mut count, mut page) = (0, Vec::with_capacity(PAGE));
    while let Some(row) = rows.next()? {
        match case.ask {
            Ask::Page => {
                let mut record = Record {
                    id: row.get(1)?,
                    version: row.get(2)?,
                    start: row.get(3)?,
                    hash: row.get(4)?,
                    text: Vec::new(),
                };
                let packed = row.get_ref(0)?.as_blob()?;
                codec.decompress(FragmentKind::Record, packed, &mut record.text)?;
                page.push(record);
            }
            Ask::Count => return Ok(row.get::<_, i64>(0)? as usize),
            Ask::Apply => {}
        }
        count += 1;
    }
    std::hint::black_box(page);
    Ok(count)
}

/// What the questions are about.
struct Subject {
    tenant: i64,
    /// A participant, as it is stored and as it is asked for.
    participant: (Vec<u8>, String),
    from: i64,
    week: i64,
    month: i64,
}

impl Subject {
    fn of(connection: &Connection, from: i64) -> Result<Self> {
        let tenant: i64 = one(connection, "SELECT tenant_key FROM tenant")?;
        // Somebody who takes part often, as those do whose calls are looked at.
        let id_key: Vec<u8> = one(
            connection,
            "SELECT id_key FROM participant GROUP BY id_key ORDER BY count(*) DESC LIMIT 1 OFFSET 20",
        )?;
        // A user, or a number of a telephone.
        let id = guid(&id_key).or_else(|| String::from_utf8(id_key.clone()).ok());
        let id = id.context("the participant has no id")?;
        let (week, month) = (from + 7 * TICKS_PER_DAY, from + 30 * TICKS_PER_DAY);
        Ok(Self { tenant, participant: (id_key, id), from, week, month })
    }

    fn within(&self, name: &str, until: i64) -> String {
        let day = |ticks: i64| DateTimeOffset(ticks).to_string();
        format!("{name} ge {} and {name} lt {}", day(self.from), day(until))
    }
}

fn filter(text: &str) -> String {
    format!("$filter={}", odata::percent::encode_query(text))
}

fn cases(connection: &Connection, from: i64) -> Result<Vec<Case>> {
    let subject = Subject::of(connection, from)?;
    let mut cases = lists(&subject);
    cases.extend(figures(&subject));
    Ok(cases)
}

fn lists(subject: &Subject) -> Vec<Case> {
    let int = Value::Integer;
    let (id_key, id) = &subject.participant;
    let tenant = subject.tenant;
    vec![
        Case {
            name: "time range and user",
            rows: RowSet::Records,
            options: filter(&format!(
                "{} and participants_v2/any(p:p/id eq '{id}')",
                subject.within("startDateTime", subject.month)
            )),
            ask: Ask::Page,
            sql: "SELECT r.fragment, r.id, r.version, r.start_date_time, r.content_hash FROM participant p CROSS JOIN call_record r \
                  ON r.record_key = p.record_key WHERE p.tenant_key = ?1 AND p.id_key = ?2 \
                  AND p.start_date_time >= ?3 AND p.start_date_time < ?4 AND r.is_current = 1 \
                  ORDER BY p.start_date_time DESC, r.id LIMIT 60",
            values: vec![
                int(subject.tenant),
                Value::Blob(id_key.clone()),
                int(subject.from),
                int(subject.month),
            ],
        },
        Case {
            name: "type and duration",
            rows: RowSet::Records,
            options: filter(
                "type eq 'groupCall' and endDateTime sub startDateTime gt duration'PT30M'",
            ),
            ask: Ask::Page,
            sql: "SELECT fragment, id, version, start_date_time, content_hash FROM call_record WHERE tenant_key = ?1 AND is_current = 1 \
                  AND type = 'groupCall' AND end_date_time - start_date_time > ?2 \
                  ORDER BY start_date_time DESC, id LIMIT 60",
            values: vec![int(subject.tenant), int(1800 * TICKS_PER_SECOND)],
        },
        Case {
            name: "poor stream within a week",
            rows: RowSet::Records,
            options: filter(&format!(
                "{} and sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averagePacketLossRate gt 0.1))))",
                subject.within("startDateTime", subject.week)
            )),
            ask: Ask::Page,
            sql: "SELECT fragment, id, version, start_date_time, content_hash FROM call_record r WHERE tenant_key = ?1 AND is_current = 1 \
                  AND start_date_time >= ?2 AND start_date_time < ?3 AND worst_average_packet_loss_rate > 0.1 \
                  AND EXISTS (SELECT 1 FROM stream t WHERE t.record_key = r.record_key AND t.average_packet_loss_rate > 0.1) \
                  ORDER BY start_date_time DESC, id LIMIT 60",
            values: vec![int(subject.tenant), int(subject.from), int(subject.week)],
        },
        Case {
            name: "order of ends",
            rows: RowSet::Records,
            options: "$orderby=endDateTime%20desc".to_owned(),
            ask: Ask::Page,
            sql: "SELECT fragment, id, version, start_date_time, content_hash FROM call_record WHERE tenant_key = ?1 AND is_current = 1 \
                  ORDER BY end_date_time DESC, start_date_time DESC, id LIMIT 60",
            values: vec![int(subject.tenant)],
        },
        Case {
            name: "search of a device's name",
            rows: RowSet::Records,
            options: "$search=fabrikam%20AND%20voyage".to_owned(),
            ask: Ask::Page,
            sql: "SELECT r.fragment, r.id, r.version, r.start_date_time, r.content_hash FROM record_search s CROSS JOIN call_record r \
                  ON r.record_key = s.rowid & 34359738367 WHERE record_search MATCH ?2 AND r.tenant_key = ?1 \
                  AND r.is_current = 1 ORDER BY s.rowid DESC LIMIT 60",
            values: vec![
                int(subject.tenant),
                Value::Text(format!("\"{tenant}·fabrikam\" AND \"{tenant}·voyage\"")),
            ],
        },
    ]
}

fn figures(subject: &Subject) -> Vec<Case> {
    let int = Value::Integer;
    vec![
        Case {
            name: "count with filter",
            rows: RowSet::Records,
            options: filter(&format!(
                "{} and type eq 'groupCall'",
                subject.within("startDateTime", subject.week)
            )),
            ask: Ask::Count,
            sql: "SELECT count(*) FROM call_record WHERE tenant_key = ?1 AND is_current = 1 \
                  AND start_date_time >= ?2 AND start_date_time < ?3 AND type = 'groupCall'",
            values: vec![int(subject.tenant), int(subject.from), int(subject.week)],
        },
        Case {
            name: "streams by subnet, 30 days",
            rows: RowSet::Streams,
            options: format!(
                "$apply={}",
                odata::percent::encode_query(&format!(
                    "filter({})/groupby((callerNetwork/subnet),aggregate(averagePacketLossRate with average as loss,$count as streams))",
                    subject.within("callStartDateTime", subject.month)
                ))
            ),
            ask: Ask::Apply,
            sql: "SELECT m.caller_network_subnet, avg(t.average_packet_loss_rate), count(*) FROM call_record r \
                  CROSS JOIN stream t ON t.record_key = r.record_key CROSS JOIN media m ON m.record_key = t.record_key \
                  AND m.session = t.session AND m.segment = t.segment AND m.ordinal = t.media \
                  WHERE r.tenant_key = ?1 AND r.is_current = 1 AND r.start_date_time >= ?2 AND r.start_date_time < ?3 \
                  GROUP BY m.caller_network_subnet",
            values: vec![int(subject.tenant), int(subject.from), int(subject.month)],
        },
    ]
}

fn one<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> Result<T> {
    Ok(connection.query_row(sql, (), |row| row.get(0))?)
}

/// A GUID from the bytes by which ids are compared.
fn guid(key: &[u8]) -> Option<String> {
    if key.len() != 16 {
        return None;
    }
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    let hex: String =
        key.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect();
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Some(parts.join("-"))
}

/// In microseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}
