//! The query language over the wire: each literal, operator, function and option, with a response worked out
//! by hand from `fixtures/query/records.ndjson` (its README explains each record), and errors with their
//! positions.

mod addresses;
mod apply;
mod arithmetic;
mod calculating;
mod capabilities;
mod collections;
mod compute;
mod conformance;
mod expand;
mod joining;
mod literals;
mod logic;
mod order;
mod paging;
mod paths;
mod plus;
mod rows;
mod search;
mod select;
mod steps;
mod strict;
mod text;
mod time;
mod warnings;

use serde_json::{Value, json};
use testkit::{Answer, Callvault, Client, Server, TENANT};

use super::{READ, RECORDS, callvault};

/// The id of the record that tables call `r8`.
const R8: &str = "E8000000-0000-4000-8000-0000000000AB";

/// All records, as tables list them.
const ALL: &str = "r1 r2 r3 r4 r5 r6 r7 r8";

/// What lambda tables repeat.
const PARTICIPANT: &str = "microsoft.graph.callRecords.participantEndpoint";

/// A server with the fixed records, and a client that may read them.
struct Asked {
    client: Client,
    server: Server,
    callvault: Callvault,
}

impl Asked {
    fn new() -> Self {
        Self::with_settings("")
    }

    /// With lines of a settings file.
    fn with_settings(settings: &str) -> Self {
        let callvault = callvault();
        let records = format!("{}/../../fixtures/query/records.ndjson", env!("CARGO_MANIFEST_DIR"));
        let counts = callvault.succeed(&["import", "--tenant", TENANT, &records]);
        let counts: Value = serde_json::from_str(&counts).unwrap();
        assert_eq!((&counts["created"], &counts["replaced"]), (&json!(8), &json!(1)), "{counts}");
        let config = callvault.folder().join("callvault.toml");
        std::fs::write(&config, settings).unwrap();
        let token = callvault.token(TENANT, &[READ]);
        let server = callvault.serve(&["--config", config.to_str().unwrap()]);
        let client = server.client().bearer(&token);
        Self { client, server, callvault }
    }

    /// `GET` of a target as people write it: what a URL can't hold is percent-encoded.
    fn get(&mut self, target: &str) -> Answer {
        self.client.get(&encoded(target))
    }

    /// The body of an answer that must be 200.
    fn body(&mut self, target: &str) -> Value {
        let answer = self.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        answer.json()
    }

    /// The names of the items of a collection, in order.
    fn names(&mut self, target: &str) -> Result<String, String> {
        let answer = self.get(target);
        if answer.status != 200 {
            return Err(format!("{} {}", answer.status, answer.text()));
        }
        let body = answer.json();
        if body.get("@odata.nextLink").is_some() {
            return Err(format!("has a next link: {body}"));
        }
        names(&body["value"]).ok_or_else(|| body.to_string())
    }

    /// Each target behind `base` must give items of these names in this order.
    fn lists(&mut self, base: &str, table: &[(&str, &str)]) {
        let mut faults = Vec::new();
        for (target, expected) in table {
            let found = self.names(&format!("{base}{target}"));
            if found.as_deref() != Ok(expected) {
                faults.push(format!("{base}{target}\n   expected {expected}\n   got {found:?}"));
            }
        }
        report(&faults);
    }

    /// Checks that each condition keeps these records, in the list and in `/$count`.
    fn filters(&mut self, table: &[(&str, &str)]) {
        self.filters_of(RECORDS, "$select=id&", table);
    }

    /// Checks the conditions on another collection; names are in alphabetical order.
    fn filters_of(&mut self, base: &str, options: &str, table: &[(&str, &str)]) {
        let mut faults = Vec::new();
        for (filter, expected) in table {
            let filter = filter.replace('&', "%26");
            let found = self.names(&format!("{base}?{options}$filter={filter}"));
            let found = found.map(|names| sorted(&names));
            if found.as_deref() != Ok(expected) {
                faults.push(format!("{filter}\n   expected {expected}\n   got {found:?}"));
            }
            let count = self.get(&format!("{base}/$count?$filter={filter}")).text();
            if count != expected.split_whitespace().count().to_string() {
                faults.push(format!("{filter}\n   expected {expected}\n   counted {count}"));
            }
        }
        report(&faults);
    }

    /// Each expression must have this value for this record: as a computed member, and in a
    /// condition. Values are written as literals.
    fn values(&mut self, table: &[(&str, &str, &str)]) {
        let mut faults = Vec::new();
        for (record, expression, literal) in table {
            let id = if *record == "r8" { R8 } else { record };
            let expected = value_of(literal);
            let target = format!("{RECORDS}/{id}?$compute={expression} as x&$select=x");
            let answer = self.get(&target);
            let found = (answer.status == 200).then(|| answer.json()["x"].clone());
            if !found.is_some_and(|found| is_same(&found, &expected)) {
                let text = answer.text();
                faults
                    .push(format!("{record}: {expression}\n   expected {expected}\n   got {text}"));
            }
            let filter = format!("id eq '{id}' and ({expression}) eq {literal}");
            let found = self.names(&format!("{RECORDS}?$select=id&$filter={filter}"));
            if found.as_deref() != Ok(record) {
                faults.push(format!("{filter}\n   expected {record}\n   got {found:?}"));
            }
        }
        report(&faults);
    }

    /// Each target must be refused with this status, target (if any) and message.
    fn refusals(&mut self, table: &[(&str, u16, &str, &str)]) {
        let mut faults = Vec::new();
        for (target, status, place, message) in table {
            let answer = self.get(&format!("{RECORDS}{target}"));
            let code = match status {
                400 => "BadRequest",
                404 => "NotFound",
                501 => "notSupported",
                other => panic!("{other} is not in the table"),
            };
            let error = answer.json()["error"].clone();
            let place = if place.is_empty() { Value::Null } else { json!(place) };
            let expected = (json!(status), json!(code), place, json!(message));
            let found = (
                json!(answer.status),
                error["code"].clone(),
                error["target"].clone(),
                error["message"].clone(),
            );
            if found != expected {
                faults.push(format!("{target}\n   expected {expected:?}\n   got      {found:?}"));
            }
        }
        report(&faults);
    }
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Names of items, separated by spaces: ids, or what distinguishes items without ids.
fn names(items: &Value) -> Option<String> {
    let name = |item: &Value| {
        let key = ["id", "streamId", "label", "x"].into_iter().find_map(|key| item.get(key))?;
        let text = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        Some(text.replace(R8, "r8"))
    };
    let names: Option<Vec<String>> = items.as_array()?.iter().map(name).collect();
    names.map(|names| names.join(" "))
}

fn sorted(names: &str) -> String {
    let mut names: Vec<&str> = names.split_whitespace().collect();
    names.sort_unstable();
    names.join(" ")
}

/// A literal of the query language as JSON writes its value.
fn value_of(literal: &str) -> Value {
    let text = literal.strip_prefix("duration").unwrap_or(literal);
    match text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        Some(text) => json!(text.replace("''", "'")),
        None => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    }
}

/// Whether two values are equal; numbers by their value, however they are written.
fn is_same(a: &Value, b: &Value) -> bool {
    let is_whole = |value: &Value| value.is_i64() || value.is_u64();
    match (a.as_f64(), b.as_f64()) {
        (Some(x), Some(y)) if !(is_whole(a) && is_whole(b)) => (x - y).abs() <= x.abs() * 1e-12,
        _ => a == b,
    }
}

/// Percent-encodes what a URL can't hold. Structure (`/ ? & =`) and escapes stay.
pub(super) fn encoded(target: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in target.bytes() {
        match byte {
            b'+'
            | b'#'
            | b'"'
            | b'<'
            | b'>'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'|'
            | b'^'
            | b'\\'
            | b'`'
            | 0..=32
            | 127..=255 => {
                let _ = write!(out, "%{byte:02X}");
            }
            _ => out.push(char::from(byte)),
        }
    }
    out
}
