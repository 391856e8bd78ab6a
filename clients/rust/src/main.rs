//! The community's Rust Graph client, graph-rs-sdk, unmodified, against a running Callvault.
//!
//! Run by `cargo xtask clients`, which says by environment variables where the server is, a bearer
//! token, and which records were imported (`CALLVAULT_RECORDS`, one expanded record a line). The
//! crate can neither be told a certificate nor an authority, so it comes by plain HTTP on loopback
//! with a ready token. Prints a line for each check and exits 1 if one failed.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use graph_rs_sdk::http::{ResponseExt, Url};
use graph_rs_sdk::{GraphClient, GraphClientConfiguration, ODataQuery};
use serde_json::Value;

const PAGE: usize = 60;

#[derive(Default)]
struct Checks {
    passed: u32,
    failed: u32,
}

impl Checks {
    /// Counts one check: `got` must equal `want`.
    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, got: T, want: T) {
        if got == want {
            self.passed += 1;
            println!("ok   {what}");
        } else {
            self.failed += 1;
            println!("FAIL {what}: got {got:.300?}, want {want:.300?}");
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let records = imported_records()?;
    let by_size = |record: &&Value| sessions_of(record).len();
    let meeting = records.values().max_by_key(by_size).ok_or("no records")?;
    let ordinary = records.values().filter(|record| by_size(record) <= PAGE).max_by_key(by_size);
    let ordinary = ordinary.ok_or("no ordinary record")?;

    let mut checks = Checks::default();
    let client = graph(&std::env::var("CALLVAULT_TOKEN")?)?;
    basic(&mut checks, &client, ordinary).await?;
    expansion(&mut checks, &client, ordinary).await?;
    listing(&mut checks, &client, &records).await?;
    options(&mut checks, &client, &records).await?;
    sessions(&mut checks, &client, meeting).await?;
    logs(&mut checks, &client).await?;
    errors(&mut checks, &client).await?;
    println!("{} passed, {} failed", checks.passed, checks.failed);
    Ok(if checks.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The newest version of each imported record, by id.
fn imported_records() -> Result<BTreeMap<String, Value>, Box<dyn Error>> {
    let mut newest: BTreeMap<String, Value> = BTreeMap::new();
    for line in std::fs::read_to_string(std::env::var("CALLVAULT_RECORDS")?)?.lines() {
        let record: Value = serde_json::from_str(line)?;
        let known = newest.get(text(&record, "id")).map_or(0, version);
        if version(&record) > known {
            newest.insert(text(&record, "id").to_owned(), record);
        }
    }
    Ok(newest)
}

/// The crate's client, pointed at the server instead of graph.microsoft.com.
fn graph(token: &str) -> Result<GraphClient, Box<dyn Error>> {
    let configuration = GraphClientConfiguration::new().access_token(token).https_only(false);
    let mut client = GraphClient::from(configuration);
    client.use_test_endpoint(&Url::parse(&format!("{}/v1.0", std::env::var("CALLVAULT_URL")?))?);
    Ok(client)
}

/// GET of one record by its id.
async fn basic(c: &mut Checks, client: &GraphClient, record: &Value) -> Result<(), Box<dyn Error>> {
    let item = client.communications().call_record(text(record, "id"));
    let answer: Value = item.get_call_records().send().await?.json().await?;
    for member in ["id", "version", "type", "modalities", "startDateTime", "endDateTime"] {
        c.equal(&format!("get: {member}"), &answer[member], &record[member]);
    }
    c.equal("get: sessions only when asked for", answer.get("sessions"), None);
    Ok(())
}

/// `$expand=sessions($expand=segments)`, with the derived types named.
async fn expansion(
    c: &mut Checks,
    client: &GraphClient,
    record: &Value,
) -> Result<(), Box<dyn Error>> {
    let item = client.communications().call_record(text(record, "id"));
    let request = item.get_call_records().expand(&["sessions($expand=segments)"]);
    let answer: Value = request.send().await?.json().await?;
    let (got, want) = (sessions_of(&answer), sessions_of(record));
    c.equal("expand: session ids", ids(got), ids(want));
    let segments = |sessions: &[Value]| -> Vec<String> {
        sessions.iter().flat_map(|s| ids(array(s, "segments"))).collect()
    };
    c.equal("expand: segment ids", segments(got), segments(want));
    let types = |sessions: &[Value]| -> Vec<(Value, Value)> {
        let agent = |s: &Value| s["caller"]["userAgent"]["@odata.type"].clone();
        sessions.iter().map(|s| (s["caller"]["@odata.type"].clone(), agent(s))).collect()
    };
    c.equal("expand: @odata.type of callers", types(got), types(want));
    Ok(())
}

/// The whole list by the crate's own paging.
async fn listing(
    c: &mut Checks,
    client: &GraphClient,
    records: &BTreeMap<String, Value>,
) -> Result<(), Box<dyn Error>> {
    let list = client.communications().call_records().list_call_records();
    let mut seen = Vec::new();
    for page in list.paging().json::<Value>().await? {
        seen.extend(ids(array(&page.into_body()?, "value")));
    }
    let all: Vec<String> = records.keys().cloned().collect();
    seen.sort();
    c.equal("list: all records, each once", seen, all);
    Ok(())
}

/// `$filter`, `$select`, `$top` and `$count`, spaces written as plus signs.
async fn options(
    c: &mut Checks,
    client: &GraphClient,
    records: &BTreeMap<String, Value>,
) -> Result<(), Box<dyn Error>> {
    let list = client.communications().call_records().list_call_records();
    let request = list
        .filter(&[
            "startDateTime ge 2000-01-01T00:00:00Z and startDateTime lt 2100-01-01T00:00:00Z",
        ])
        .select(&["id"])
        .top("3")
        .count("true");
    let response = request.send().await?;
    c.equal("options: answered", response.status().as_u16(), 200);
    let answer: Value = response.json().await?;
    c.equal("options: $top", array(&answer, "value").len(), 3);
    c.equal("options: $count", answer["@odata.count"].as_u64(), Some(records.len() as u64));
    c.equal("options: $select", array(&answer, "value")[0].get("version"), None);
    Ok(())
}

/// A meeting with more sessions than one page holds.
async fn sessions(
    c: &mut Checks,
    client: &GraphClient,
    meeting: &Value,
) -> Result<(), Box<dyn Error>> {
    let want = ids(sessions_of(meeting));
    c.equal("the records hold a meeting of more than 60 sessions", want.len() > PAGE, true);
    let mut got = Vec::new();
    let item = client.communications().call_record(text(meeting, "id"));
    for page in item.list_sessions().paging().json::<Value>().await? {
        got.extend(ids(array(&page.into_body()?, "value")));
    }
    c.equal("sessions: each once, in order", &got, &want);
    let count = item.get_sessions_count().send().await?.text().await?;
    c.equal("sessions: $count", count.trim_start_matches('\u{feff}'), &want.len().to_string());

    let request = item.get_call_records().expand(&["sessions"]);
    let answer: Value = request.send().await?.json().await?;
    c.equal("sessions: expansion is cut at 60", ids(sessions_of(&answer)), want[..PAGE].to_vec());
    let link = text(&answer, "sessions@odata.nextLink");
    c.equal("sessions: the rest is linked", link.is_empty(), false);
    Ok(())
}

/// The rows of a telephone log, by the crate's own paging.
async fn logs(c: &mut Checks, client: &GraphClient) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(std::env::var("CALLVAULT_ROWS")?)?;
    let rows = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let day =
        |row: Option<&Value>| row.map(|row| self::text(row, "startDateTime")[..10].to_owned());
    let by_start = |row: &&Value| self::text(row, "startDateTime").to_owned();
    let from = day(rows.iter().min_by_key(by_start)).ok_or("no rows")?;
    let to = day(rows.iter().max_by_key(by_start)).ok_or("no rows")? + "T23:59:59.9999999Z";
    let mut seen = Vec::new();
    let request = client.communications().call_records().get_pstn_calls(&from, &to);
    for page in request.paging().json::<Value>().await? {
        seen.extend(ids(array(&page.into_body()?, "value")));
    }
    let mut want = ids(&rows);
    (seen.sort(), want.sort());
    c.equal("getPstnCalls: all rows, each once", seen, want);
    Ok(())
}

/// Errors parse as the crate's error message, with code and request id.
async fn errors(c: &mut Checks, client: &GraphClient) -> Result<(), Box<dyn Error>> {
    let absent = "00000000-0000-4000-8000-000000000000";
    let request = client.communications().call_record(absent).get_call_records();
    let response = request.send().await?;
    c.equal("absent record: status", response.status().as_u16(), 404);
    let error = response.into_graph_error_message().await?.error;
    c.equal("absent record: code", error.code.as_deref(), Some("NotFound"));
    let request_id = error.inner_error.and_then(|inner| inner.request_id);
    c.equal("absent record: has a request id", request_id.is_some(), true);

    let stranger = graph("not.a.token")?;
    let list = stranger.communications().call_records().list_call_records();
    let response = list.send().await?;
    c.equal("a bad token: status", response.status().as_u16(), 401);
    let error = response.into_graph_error_message().await?.error;
    c.equal("a bad token: code", error.code.as_deref(), Some("InvalidAuthenticationToken"));
    Ok(())
}

fn version(record: &Value) -> i64 {
    record["version"].as_i64().unwrap_or(1)
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

fn array<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value[member].as_array().map_or(&[], Vec::as_slice)
}

fn sessions_of(record: &Value) -> &[Value] {
    array(record, "sessions")
}

fn ids(entities: &[Value]) -> Vec<String> {
    entities.iter().map(|entity| text(entity, "id").to_owned()).collect()
}
