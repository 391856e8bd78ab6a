//! The telephone logs: import, Graph's functions, and the query language.

mod import;
mod join;
mod queries;
mod reading;
mod rows;

use serde_json::{Value, json};
use testkit::Client;

use super::{READ, RECORDS, TENANT, WRITE, all_pages, served, served_with};

const PSTN: &str = "CallRecord-PstnCalls.Read.All";
const BETA: &str = "/beta/communications/callRecords";

/// The logs: the name of the function and of the action without what they begin with, and the type
/// of a row.
const LOGS: [(&str, &str); 5] = [
    ("PstnCalls", "pstnCallLogRow"),
    ("DirectRoutingCalls", "directRoutingLogRow"),
    ("SmsLog", "smsLogRow"),
    ("PstnBlockedUsersLog", "pstnBlockedUsersLogRow"),
    ("PstnOnlineMeetingDialoutReport", "pstnOnlineMeetingDialoutReport"),
];

/// A small row of a log, at an instant.
fn row(log: &str, number: u64, time: &str) -> Value {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    match log {
        "PstnCalls" => json!({"id": id, "callId": format!("{number}_1@203.0.113.176"),
            "startDateTime": time, "duration": 219, "callType": "user_in"}),
        "DirectRoutingCalls" => json!({"id": id, "correlationId": format!("c{number}"),
            "startDateTime": time, "duration": 5, "callType": "ByotIn"}),
        "SmsLog" => json!({"smsId": id, "sentDateTime": time, "smsUnits": 1}),
        "PstnBlockedUsersLog" => json!({"userId": id, "blockDateTime": time,
            "userBlockMode": "blocked"}),
        _ => json!({"@callvault.startDateTime": time, "userId": id, "currency": "USD",
            "totalCalls": 1, "totalCallCharge": 0.25, "totalCallSeconds": 60}),
    }
}

/// Puts rows into a log, all of which are new.
fn put(client: &mut Client, log: &str, rows: &[Value]) {
    let body = json!({ "rows": rows }).to_string();
    let answer = client.post(&format!("{BETA}/callvault.import{log}"), body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let results = answer.json()["value"].clone();
    let statuses = results.as_array().unwrap().iter().map(|result| &result["status"]);
    assert!(statuses.clone().all(|status| status == "created"), "{results}");
    assert_eq!(statuses.count(), rows.len());
}

/// The address of a log's function.
fn get(root: &str, log: &str, from: &str, to: &str) -> String {
    format!("{root}/get{log}(fromDateTime={from},toDateTime={to})")
}

/// The rows of a page.
fn rows_of(client: &mut Client, target: &str) -> Vec<Value> {
    let answer = client.get(target);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.json()["value"].as_array().unwrap().clone()
}
