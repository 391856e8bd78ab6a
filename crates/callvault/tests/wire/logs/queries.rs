//! The query language on rows, and what `graph.strict` leaves of it.

use super::*;

/// The same of the other version.
const OF_V1: &str =
    "/v1.0/communications/callRecords/getPstnCalls(fromDateTime=2025-05-18,toDateTime=2025-05-19)";
const TARGET: &str =
    "/beta/communications/callRecords/getPstnCalls(fromDateTime=2025-05-18,toDateTime=2025-05-19)";

/// Rows of 90 calls of three kinds.
fn rows() -> Vec<Value> {
    let call = |i: u64| {
        let mut row = row("PstnCalls", i, &format!("2025-05-18T{:02}:{:02}:00Z", i / 60, i % 60));
        row["callType"] = json!(["user_in", "user_out", "conf_in"][i as usize % 3]);
        row["duration"] = json!(i);
        row["userDisplayName"] = json!(if i == 7 { "Abbie Wilkins" } else { "Richard Malk" });
        row
    };
    (0..90).map(call).collect()
}

fn asked(client: &mut Client, options: &str) -> Value {
    let answer = client.get(&format!("{TARGET}?{}", options.replace(' ', "%20")));
    assert_eq!(answer.status, 200, "{options}: {}", answer.text());
    answer.json()
}

#[test]
fn all_options_work_on_rows() {
    let (_callvault, _server, mut client) = served();
    put(&mut client, "PstnCalls", &rows());
    let mut ask = |options: &str| asked(&mut client, options);
    let filtered = ask("$filter=callType eq 'user_in' and duration ge 60&$select=id,duration");
    assert_eq!(
        (&filtered["@odata.count"], filtered["value"].as_array().unwrap().len()),
        (&json!(10), 10)
    );
    assert_eq!(filtered["value"][0].as_object().unwrap().len(), 2);
    let ordered = ask("$orderby=duration desc&$top=2");
    let durations: Vec<_> =
        ordered["value"].as_array().unwrap().iter().map(|row| &row["duration"]).collect();
    assert_eq!(durations, [89, 88]);
    let counted = ask("$filter=callType eq 'conf_in'&$count=true&$top=1");
    assert_eq!(
        (&counted["@odata.count"], counted["value"].as_array().unwrap().len()),
        (&json!(30), 1)
    );
    assert_eq!(ask("$search=wilkins")["@odata.count"], 1);
    let of_v1 = client.get(&format!("{OF_V1}?$search=wilkins")).json();
    assert_eq!(of_v1["@odata.count"], 1);
    let mut ask = |options: &str| asked(&mut client, options);
    let computed = ask("$compute=duration div 60 as minutes&$filter=minutes ge 1&$top=1");
    assert_eq!(computed["value"][0]["minutes"], 1);
    let sums =
        ask("$apply=groupby((callType),aggregate(duration with sum as seconds,$count as calls))");
    let sums = sums["value"].as_array().unwrap();
    assert_eq!(sums.len(), 3);
    assert_eq!(sums.iter().map(|sum| sum["calls"].as_u64().unwrap()).sum::<u64>(), 90);
    let metadata = client.get_with(TARGET, &[("Accept", "application/json;odata.metadata=none")]);
    assert_eq!(
        (metadata.json().get("@odata.context"), &metadata.json()["@odata.count"]),
        (None, &json!(90))
    );
}

#[test]
fn pages_of_a_query_continue_it() {
    let (_callvault, _server, mut client) = served();
    put(&mut client, "PstnCalls", &rows());
    for options in ["$filter=duration ge 10", "$orderby=duration desc&$filter=duration ge 10"] {
        let mut target = format!("{TARGET}?{}", options.replace(' ', "%20"));
        let mut seen = Vec::new();
        loop {
            let page = client.get_with(&target, &[("Prefer", "odata.maxpagesize=13")]).json();
            seen.extend(
                page["value"].as_array().unwrap().iter().map(|row| row["duration"].as_u64()),
            );
            let Some(link) = page["@odata.nextLink"].as_str() else { break };
            assert!(link.contains("$skiptoken="), "{link}");
            target = link.to_owned();
        }
        let distinct: std::collections::HashSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (80, 80), "{options}");
    }
    let refused = client.get(&format!("{TARGET}?$filter=callTyp%20eq%20%27x%27"));
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("callType"), "a suggestion: {}", refused.text());
}

#[test]
fn options_are_ignored_where_graph_ignores_them() {
    let (_callvault, _server, mut client) = served_with("[graph]\nstrict = 'on'\n");
    put(&mut client, "PstnCalls", &rows());
    let options = "$filter=callType eq 'user_in'&$top=1&$orderby=duration desc&$count=true";
    let body = asked(&mut client, options);
    assert_eq!((&body["@odata.count"], body["value"].as_array().unwrap().len()), (&json!(90), 90));
    assert_eq!(body["value"][0]["duration"], 0);
    assert_eq!(asked(&mut client, "$skip=80")["@odata.count"], 10);
}
