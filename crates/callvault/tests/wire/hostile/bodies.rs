//! Bodies of many empty or useless lines: they cost no more than their bytes, and end with an error.

use serde_json::{Value, json};
use testkit::{Callvault, Client, Server};

use crate::{RECORDS, record, served_with};

const IMPORT: &str = "/v1.0/communications/callRecords/callvault.import";
const EVENTS: &str = "/v1.0/communications/callvault.callEvents";
const PSTN: &str = "/v1.0/communications/callRecords/callvault.importPstnCalls";
const ROUTED: &str = "/v1.0/communications/callRecords/callvault.importDirectRoutingCalls";

fn served(rejections: usize) -> (Callvault, Server, Client) {
    served_with(&format!("[limits]\nrejections = {rejections}\n"))
}

/// The results of a body of lines.
fn lines(client: &mut Client, target: &str, lines: &[String]) -> Vec<Value> {
    let ndjson = [("Content-Type", "application/x-ndjson")];
    let answer = client.send("POST", target, &ndjson, lines.join("\n").as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.lines()
}

/// The results of the same body as one object.
fn object(client: &mut Client, target: &str, member: &str, lines: &[String]) -> Vec<Value> {
    let body = format!("{{\"{member}\":[{}]}}", lines.join(","));
    let answer = client.post(target, body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert!(answer["@odata.context"].as_str().unwrap().contains("$metadata#Collection("));
    answer["value"].as_array().unwrap().clone()
}

#[test]
fn too_many_rejections_in_a_row_end_a_body_with_an_error() {
    let (_callvault, _server, mut client) = served(5);
    for (target, member) in
        [(IMPORT, "records"), (EVENTS, "events"), (PSTN, "rows"), (ROUTED, "rows")]
    {
        for count in [0, 1, 5, 6, 300, 5_000] {
            let nothing = vec!["{}".to_owned(); count];
            for results in [
                lines(&mut client, target, &nothing),
                object(&mut client, target, member, &nothing),
            ] {
                let is_cut = count > 5;
                assert_eq!(results.len(), count.min(5) + usize::from(is_cut), "{results:?}");
                for (number, result) in (1..).zip(&results) {
                    assert_eq!(result["line"], number);
                    assert_eq!(result["status"], "rejected");
                }
                if is_cut {
                    assert_eq!(results[5]["error"]["code"], "tooManyRejections", "{target}");
                }
            }
        }
    }
}

#[test]
fn a_line_that_is_kept_lets_the_reading_go_on() {
    let (_callvault, _server, mut client) = served(3);
    let mut all = Vec::new();
    for number in 0..400 {
        all.extend(["{}".to_owned(), "{}".to_owned(), record(&format!("r-{number}"), 1, number)]);
    }
    let count = |results: &[Value], status: &str| {
        results.iter().filter(|result| result["status"] == status).count()
    };
    let results = lines(&mut client, IMPORT, &all);
    assert_eq!((results.len(), count(&results, "created")), (1_200, 400));
    let results = object(&mut client, IMPORT, "records", &all);
    assert_eq!((results.len(), count(&results, "unchanged")), (1_200, 400));

    // What follows the end is not stored.
    let mut cut = vec!["{}".to_owned(); 3];
    cut.push(record("behind", 1, 0));
    for results in [lines(&mut client, IMPORT, &cut), object(&mut client, IMPORT, "records", &cut)]
    {
        assert_eq!(results.len(), 4);
        assert_eq!(results[3]["error"]["code"], "tooManyRejections");
    }
    assert_eq!(client.get(&format!("{RECORDS}('behind')")).status, 404);

    // Records that are stored with other values are rejected too.
    let others = all.iter().filter(|line| line.len() > 2);
    let others: Vec<String> = others.map(|line| line.replace("peerToPeer", "groupCall")).collect();
    let results = lines(&mut client, IMPORT, &vec![others; 10].concat());
    assert_eq!(results.last().unwrap()["error"]["code"], "tooManyRejections");
    assert!(results.len() < 2_000, "{}", results.len());
}

/// The answer to millions of empty items is a thousand rejections and one error.
#[test]
fn millions_of_empty_lines_end_after_a_thousand_rejections() {
    let settings = "[limits]\ningest_bytes_in_flight = 16777216\n";
    let (_callvault, _server, mut client) = served_with(settings);
    for (target, member) in [(IMPORT, "records"), (EVENTS, "events"), (PSTN, "rows")] {
        let body = format!("{{\"{member}\":[{}{{}}]}}", "{},".repeat(3_000_000));
        let answer = client.post(target, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.body.len() < 512 * 1024, "{}", answer.body.len());
        let results = answer.json()["value"].as_array().unwrap().clone();
        assert_eq!(results.len(), 1_001);
        assert_eq!(results[1_000]["error"]["code"], "tooManyRejections");
        let message = results[1_000]["error"]["message"].as_str().unwrap();
        assert!(message.contains("line 1000 "), "{message}");
    }
}

#[test]
fn a_value_of_millions_of_empty_items_is_rejected() {
    let (_callvault, _server, mut client) = served(5);
    let nothing = format!("[{}0]", "{},".repeat(1_000_000));
    let member = format!("\"x\":{nothing},\"version\"");
    let record = record("r-1", 1, 1).replacen("\"version\"", &member, 1);
    let answer = client.post(RECORDS, record.as_bytes());
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("too many"), "{}", answer.text());
    let batch = format!("{{\"requests\":{nothing}}}");
    let answer = client.post("/v1.0/$batch", batch.as_bytes());
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("1 to 20 requests"), "{}", answer.text());
}

#[test]
fn a_rejection_repeats_little_of_what_came_in() {
    let (_callvault, _server, mut client) = served(5);
    let line = json!({"eventId": "e", "é".repeat(100_000): 1}).to_string();
    let results = object(&mut client, EVENTS, "events", &[line]);
    assert_eq!(results[0]["status"], "rejected");
    assert!(results[0].to_string().len() < 5_000, "{}", results[0].to_string().len());
}
