//! The functions: their URLs, parameters and pages.

use super::*;

const INSTANT: &str = "2025-05-18T18:20:00Z";

#[test]
fn each_log_is_read_by_its_function_with_its_context_and_the_number_of_rows() {
    let (_callvault, _server, mut client) = served();
    for (log, ty) in LOGS {
        put(&mut client, log, &[row(log, 1, INSTANT)]);
        let answer = client.get(&get(BETA, log, "2025-05-18", "2025-05-19"));
        let body = answer.json();
        let context = body["@odata.context"].as_str().unwrap();
        let expected = format!("/beta/$metadata#Collection(microsoft.graph.callRecords.{ty})");
        assert!(context.ends_with(&expected), "{context}");
        assert_eq!(
            (&body["@odata.count"], body["value"].as_array().unwrap().len()),
            (&json!(1), 1)
        );
        assert_eq!(body.get("@odata.nextLink"), None);
    }
}

#[test]
fn v1_has_two_of_the_logs() {
    let (_callvault, _server, mut client) = served();
    for (log, ty) in &LOGS[..2] {
        put(&mut client, log, &[row(log, 1, INSTANT)]);
        let body = client.get(&get(RECORDS, log, "2025-05-18", "2025-05-19")).json();
        let context = body["@odata.context"].as_str().unwrap();
        assert!(
            context.ends_with(&format!(
                "/v1.0/$metadata#Collection(microsoft.graph.callRecords.{ty})"
            ))
        );
        assert_eq!(body["@odata.count"], 1);
    }
    for (log, _) in &LOGS[2..] {
        let answer = client.get(&get(RECORDS, log, "2025-05-18", "2025-05-19"));
        assert_eq!(answer.status, 400, "{log}: {}", answer.text());
        assert!(answer.text().contains(&format!("the segment 'get{log}(")), "{}", answer.text());
    }
}

#[test]
fn functions_have_every_spelling_of_their_names_and_an_optional_comma() {
    let (_callvault, _server, mut client) = served();
    put(&mut client, "PstnCalls", &[row("PstnCalls", 1, INSTANT)]);
    let (from, to) = ("fromDateTime=2025-05-18", "toDateTime=2025-05-19");
    for name in ["", "callRecords.", "microsoft.graph.callRecords."] {
        for arguments in [
            format!("({from},{to})"),
            format!("({from}{to})"),
            format!("({to},{from})"),
            "(fromDateTime=@f,toDateTime=@t)?@f=2025-05-18&@t=2025-05-19".to_owned(),
            // As the SDKs send it: of Python, and of JavaScript.
            "(fromDateTime=2025-05-18T00%3A00%3A00%2B00%3A00toDateTime=2025-05-19T00%3A00%3A00%2B00%3A00)"
                .to_owned(),
            "(fromDateTime=2025-05-18T00%3A00%3A00.000Z,toDateTime=2025-05-19T00%3A00%3A00.000Z)"
                .to_owned(),
            "(fromDateTime%3D2025-05-18%2CtoDateTime%3D2025-05-19)".to_owned(),
        ] {
            let target = format!("{RECORDS}/{name}getPstnCalls{arguments}");
            assert_eq!(rows_of(&mut client, &target).len(), 1, "{target}");
        }
    }
}

#[test]
fn times_are_days_or_instants_in_any_zone() {
    let (_callvault, _server, mut client) = served();
    put(&mut client, "PstnCalls", &[row("PstnCalls", 1, INSTANT)]);
    for (from, to, count) in [
        ("2025-05-18", "2025-05-19", 1),
        ("2025-05-18T18:20:00Z", "2025-05-18T18:20:00Z", 1),
        ("2025-05-18T18:20:00.0000001Z", "2025-05-19", 0),
        ("2025-05-18T00:00:00.000%2B00:00", "2025-05-18T20:20:00.000%2B02:00", 1),
        ("2025-05-18T00:00:00.000%2B00:00", "2025-05-18T20:20:00.000%2B02:01", 0),
        ("2025-05-17", "2025-05-18", 0),
    ] {
        let target = get(RECORDS, "PstnCalls", from, to);
        assert_eq!(rows_of(&mut client, &target).len(), count, "{target}");
    }
}

#[test]
fn a_range_includes_its_start_and_except_for_direct_routing_its_end() {
    let (_callvault, _server, mut client) = served();
    for (log, _) in LOGS {
        put(&mut client, log, &[row(log, 1, "2025-05-18T00:00:00Z")]);
        let from = get(BETA, log, "2025-05-18", "2025-05-19");
        assert_eq!(rows_of(&mut client, &from).len(), 1, "{log} from");
        let to = get(BETA, log, "2025-05-17", "2025-05-18");
        let expected = usize::from(log != "DirectRoutingCalls");
        assert_eq!(rows_of(&mut client, &to).len(), expected, "{log} to");
    }
}

#[test]
fn a_range_applies_to_the_start_of_calls() {
    let (_callvault, _server, mut client) = served();
    let mut long = row("PstnCalls", 1, "2025-05-17T23:59:00Z");
    long["endDateTime"] = json!("2025-05-18T01:00:00Z");
    put(&mut client, "PstnCalls", &[long]);
    let mut rung = row("DirectRoutingCalls", 1, "2025-05-18T00:00:05Z");
    rung["inviteDateTime"] = json!("2025-05-17T23:59:55Z");
    put(&mut client, "DirectRoutingCalls", &[rung]);
    let mut count = |log, from, to| rows_of(&mut client, &get(BETA, log, from, to)).len();
    assert_eq!(count("PstnCalls", "2025-05-17", "2025-05-18"), 1);
    assert_eq!(count("PstnCalls", "2025-05-18", "2025-05-19"), 0);
    assert_eq!(count("DirectRoutingCalls", "2025-05-17", "2025-05-18"), 0);
    assert_eq!(count("DirectRoutingCalls", "2025-05-18", "2025-05-19"), 1);
}

#[test]
fn more_than_90_days_are_406_where_graph_has_that_limit() {
    let (_callvault, _server, mut client) = served();
    for (log, _) in LOGS {
        let status = |client: &mut Client, to: &str| {
            client.get(&get(BETA, log, "2025-01-01T00:00:00Z", to)).status
        };
        assert_eq!(status(&mut client, "2025-04-01T00:00:00Z"), 200, "{log}: 90 days");
        let expected = if log == "DirectRoutingCalls" { 200 } else { 406 };
        assert_eq!(status(&mut client, "2025-04-01T00:00:00.001Z"), expected, "{log}");
    }
    let refused = client.get(&get(RECORDS, "PstnCalls", "2024-01-01", "2025-01-01"));
    assert_eq!(refused.json()["error"]["target"], "toDateTime");
}

#[test]
fn empty_missing_or_unknown_parameters_are_400_with_their_position() {
    let (_callvault, _server, mut client) = served();
    let mut refused = |arguments: &str| {
        let answer = client.get(&format!("{RECORDS}/getPstnCalls{arguments}"));
        assert_eq!(answer.status, 400, "{arguments}: {}", answer.text());
        assert_eq!(answer.code(), "BadRequest");
        answer.json()["error"]["message"].as_str().unwrap().to_owned()
    };
    let message = "Expression expected at position 13 in 'fromDateTime=,toDateTime='.";
    assert_eq!(refused("(fromDateTime=,toDateTime=)"), message);
    assert!(refused("(fromDateTime=2025-05-18)").contains("Parameter 'toDateTime' expected"));
    assert!(refused("(from=2025-05-18,to=2025-05-19)").contains("Name of a parameter"));
    assert!(refused("(fromDateTime=yesterday,toDateTime=2025-05-19)").contains("position 13"));
    let order = refused("(fromDateTime=2025-05-19,toDateTime=2025-05-18)");
    assert!(order.contains("later than"), "{order}");
}

#[test]
fn pages_have_a_thousand_rows_and_a_link_with_skip() {
    let (_callvault, _server, mut client) = served();
    let minute = |number: u64| format!("2025-05-18T{:02}:{:02}:00Z", number / 60 % 24, number % 60);
    let rows: Vec<Value> = (0..2_300).map(|i| row("PstnCalls", i, &minute(i % 97))).collect();
    put(&mut client, "PstnCalls", &rows);
    let target = get(RECORDS, "PstnCalls", "2025-05-18", "2025-05-19");
    let first = client.get(&target).json();
    assert_eq!(
        (&first["@odata.count"], first["value"].as_array().unwrap().len()),
        (&json!(1_000), 1_000)
    );
    let link = first["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with("http") && link.ends_with("?$skip=1000"), "{link}");
    let second = client.get(link).json();
    assert!(second["@odata.nextLink"].as_str().unwrap().ends_with("?$skip=2000"));
    let last = client.get(second["@odata.nextLink"].as_str().unwrap()).json();
    assert_eq!((&last["@odata.count"], last.get("@odata.nextLink")), (&json!(300), None));
    let all = all_pages(&mut client, &target);
    let starts: Vec<&str> = all.iter().map(|row| row["startDateTime"].as_str().unwrap()).collect();
    assert!(starts.is_sorted(), "the earliest first");
    let ids: std::collections::HashSet<_> = all.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(ids.len(), 2_300, "each once");
    let small = client.get_with(&target, &[("Prefer", "odata.maxpagesize=7")]).json();
    assert_eq!(small["@odata.count"], 7);
    assert!(small["@odata.nextLink"].as_str().unwrap().ends_with("?$skip=7"));
    let large = client.get_with(&target, &[("Prefer", "odata.maxpagesize=5000")]);
    assert_eq!(large.header("preference-applied"), Some("odata.maxpagesize=1000"));
}

#[test]
fn a_full_page_without_more_rows_is_the_last() {
    let (_callvault, _server, mut client) = served();
    let rows: Vec<Value> = (0..1_000).map(|i| row("PstnCalls", i, INSTANT)).collect();
    put(&mut client, "PstnCalls", &rows);
    let body = client.get(&get(RECORDS, "PstnCalls", "2025-05-18", "2025-05-19")).json();
    assert_eq!((&body["@odata.count"], body.get("@odata.nextLink")), (&json!(1_000), None));
}

#[test]
fn either_of_two_roles_suffices_and_tenants_have_separate_rows() {
    let (callvault, server, mut client) = served();
    put(&mut client, "PstnCalls", &[row("PstnCalls", 1, INSTANT)]);
    let target = get(RECORDS, "PstnCalls", "2025-05-18", "2025-05-19");
    let asked = |tenant: &str, role: &str| {
        let mut client = server.client().bearer(&callvault.token(tenant, &[role]));
        let answer = client.get(&target);
        (answer.status, answer.json()["@odata.count"].clone())
    };
    assert_eq!(asked(TENANT, READ), (200, json!(1)));
    assert_eq!(asked(TENANT, PSTN), (200, json!(1)));
    assert_eq!(asked(TENANT, WRITE).0, 403);
    assert_eq!(asked(testkit::OTHER_TENANT, PSTN), (200, json!(0)));
    assert_eq!(server.client().get(&target).status, 401);
    let mut reader = server.client().bearer(&callvault.token(TENANT, &[PSTN]));
    assert_eq!(reader.get(RECORDS).status, 403, "it opens no records");
}

#[test]
fn the_functions_only_read_and_the_actions_only_write() {
    let (_callvault, _server, mut client) = served();
    let posted = client.post(&get(RECORDS, "PstnCalls", "2025-05-18", "2025-05-19"), b"{}");
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET, HEAD")));
    let got = client.get(&format!("{RECORDS}/callvault.importPstnCalls"));
    assert_eq!((got.status, got.header("allow")), (405, Some("POST")));
}
