//! OData's protocol around the query language: forms of JSON, links, versions, addresses, preconditions
//! and batches as multipart messages.

mod cors;
mod entity_ids;
mod links;
mod methods;
mod misspelt;
mod multipart;
mod nulls;
mod numbers;
mod page_sizes;
mod preconditions;
mod raw_addresses;
mod versions;

use testkit::{Callvault, Client, Server};

use super::{RECORDS, served};

/// An id with all that an address can't hold as it is.
const ID: &str = "k'1/ü %+&?#;";
/// The same as a key in an address.
const KEY: &str = "('k''1%2F%C3%BC%20%25%2B%26%3F%23%3B')";

/// A server with one record of that id, and one of each kind inside it, of ids that end with their number.
fn with_record() -> (Callvault, Server, Client) {
    let (callvault, server, mut client) = served();
    let answer = client.post(RECORDS, record().to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    (callvault, server, client)
}

fn record() -> serde_json::Value {
    let times = |mut value: serde_json::Value| {
        value["startDateTime"] = "2025-03-05T10:00:00Z".into();
        value["endDateTime"] = "2025-03-05T11:00:00Z".into();
        value
    };
    let id = |behind: &str| format!("{ID}{behind}");
    let person = |behind: &str| serde_json::json!({"user": {"id": id(behind), "displayName": "Abbie Wilkins"}});
    let stream =
        serde_json::json!({"streamId": "17", "packetUtilization": 9_007_199_254_740_993_i64});
    let segment = |behind: &str| {
        times(serde_json::json!({
            "id": id(behind), "media": [{"label": "main-audio", "streams": [stream]}],
        }))
    };
    let session = |behind: &str| {
        times(serde_json::json!({
            "id": id(behind), "modalities": ["audio"],
            "segments": [segment(&format!("{behind}0")), segment(&format!("{behind}1"))],
        }))
    };
    times(serde_json::json!({
        "id": ID, "version": 9_007_199_254_740_993_i64, "type": "groupCall", "modalities": ["audio"],
        "organizer_v2": {"id": ID, "identity": person("")},
        "participants_v2": [
            {"id": id("0"), "identity": person("0")}, {"id": id("1"), "identity": person("1")},
        ],
        "sessions": [session("0"), session("1")],
    }))
}
