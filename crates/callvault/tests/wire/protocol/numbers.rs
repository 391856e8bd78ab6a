//! `IEEE754Compatible=true`: whole numbers of 64 bits and decimals are strings wherever they stand.

use serde_json::Value;
use testkit::Callvault;

use super::super::{READ, TENANT, callvault};
use super::{KEY, RECORDS, with_record};

const ACCEPT: (&str, &str) = ("Accept", "application/json;IEEE754Compatible=true");

/// Members that are numbers.
fn numbers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| numbers(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| numbers(item, at, found)),
        Value::Number(number) => found.push(format!("{at}={number}")),
        _ => {}
    }
}

#[test]
fn sixty_four_bits_and_decimals_are_strings_everywhere() {
    let (_callvault, _server, mut client) = with_record();
    let session = KEY.replace("%3B'", "%3B0'");
    for (path, strings) in [
        (format!("{KEY}/version"), "/value=9007199254740993"),
        (format!("{KEY}?$select=version"), "/version=9007199254740993"),
        ("?$select=version&$count=true".to_owned(), "/@odata.count=1"),
        (
            format!("{KEY}?$select=id&$expand=sessions($count=true;$select=id)"),
            "/sessions@odata.count=2",
        ),
        (format!("{KEY}?$select=id&$expand=sessions/$count"), "/sessions@odata.count=2"),
        (
            format!("{KEY}/sessions{session}?$select=id&$expand=segments($count=true;$select=id)"),
            "/segments@odata.count=2",
        ),
        (format!("{KEY}/sessions?$count=true&$select=id"), "/@odata.count=2"),
        (format!("{KEY}/modalities?$count=true"), "/@odata.count=1"),
        (format!("{KEY}?$compute=version add 1 as x&$select=x"), "/x=9007199254740994"),
        (format!("{KEY}?$compute=1.5 as x&$select=x"), "/x=1.5"),
        (format!("{KEY}?$compute=sessions/$count as x&$select=x"), "/x=2"),
        (format!("{KEY}/sessions?$compute=segments/$count as x&$select=x&$top=1"), "/value/x=2"),
        (
            format!(
                "{KEY}?$select=id&$expand=sessions($compute=segments/$count as x;$select=x;$top=1)"
            ),
            "/sessions/x=2",
        ),
        ("?$apply=aggregate($count as n)".to_owned(), "/value/n=1"),
        ("?$apply=groupby((version),aggregate($count as n))".to_owned(), "/value/n=1"),
        ("?$apply=aggregate(version with max as n)".to_owned(), "/value/n=9007199254740993"),
        ("?$apply=compute(version sub 1 as n)&$select=n".to_owned(), "/value/n=9007199254740992"),
        (format!("{KEY}/sessions?$apply=aggregate($count as n)"), "/value/n=2"),
        (
            "/callvault.streams()?$select=packetUtilization&$top=1".to_owned(),
            "/value/packetUtilization=9007199254740993",
        ),
        (
            "/callvault.segments()?$select=callRecordVersion&$top=1".to_owned(),
            "/value/callRecordVersion=9007199254740993",
        ),
        (format!("{KEY}/callvault.versions()?$select=version"), "/value/version=9007199254740993"),
    ] {
        for level in ["", ";odata.metadata=none", ";odata.metadata=full"] {
            let accept = format!("{}{level}", ACCEPT.1);
            let target = format!("{RECORDS}{path}");
            let answer = client.get_with(&target, &[("Accept", &accept)]);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let kind = answer.header("content-type").unwrap().to_owned();
            assert!(kind.contains("IEEE754Compatible=true"), "{path}: {kind}");
            let body = answer.json();
            let mut found = Vec::new();
            numbers(&body, "", &mut found);
            assert!(found.is_empty(), "{path}{level}: {found:?}");
            let (at, expected) = strings.split_once('=').unwrap();
            let at = at.replace("/value/", "/value/0/").replace("/sessions/", "/sessions/0/");
            let found = body.pointer(&at).and_then(Value::as_str);
            assert_eq!(found, Some(expected), "{path}{level}: {body}");
            let plain = client.get(&target).json();
            assert!(plain.pointer(&at).is_some_and(Value::is_number), "{path}: {plain}");
        }
    }
    // What the JSON of a string does not tell says its type.
    let body = client.get_with(&format!("{RECORDS}{KEY}?$compute=1.5 as x&$select=x"), &[ACCEPT]);
    assert_eq!(body.json()["x@odata.type"], "#Decimal");
    let bare = client.get_with(&format!("{RECORDS}{KEY}/version/$value"), &[("Accept", "*/*")]);
    assert_eq!(bare.text(), "9007199254740993");
}

#[test]
fn rows_of_logs_and_members_of_batches_too() {
    let callvault: Callvault = callvault();
    let row = r#"{"id":"p1","charge":0.25,"duration":7,"startDateTime":"2025-01-02T03:04:05Z","endDateTime":"2025-01-02T03:04:12Z"}"#;
    let file = callvault.folder().join("rows.ndjson");
    std::fs::write(&file, row).unwrap();
    callvault.succeed(&["import", "--kind", "pstn", "--tenant", TENANT, file.to_str().unwrap()]);
    let token = callvault.token(TENANT, &[READ, "CallRecord-PstnCalls.Read.All"]);
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&token);
    let rows = format!("{RECORDS}/getPstnCalls(fromDateTime=2025-01-01,toDateTime=2025-01-03)");
    let body = client.get_with(&rows, &[ACCEPT]).json();
    assert_eq!(
        (&body["value"][0]["charge"], &body["value"][0]["duration"]),
        (&"0.25".into(), &7.into())
    );
    let summed = format!("{rows}?$apply=aggregate(charge with sum as total)");
    let body = client.get_with(&summed, &[ACCEPT]).json();
    assert_eq!(body["value"][0]["total"], "0.25", "{body}");
    let batch = serde_json::json!({"requests": [{
        "id": "1", "method": "GET", "url": rows.strip_prefix("/v1.0").unwrap(),
        "headers": {"Accept": ACCEPT.1},
    }]});
    let body = client.post("/v1.0/$batch", batch.to_string().as_bytes()).json();
    assert_eq!(body["responses"][0]["body"]["value"][0]["charge"], "0.25", "{body}");
}
