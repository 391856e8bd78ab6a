//! Import of rows.

use super::*;

const SPAN: (&str, &str) = ("2025-05-18", "2025-05-19");
const IMPORT: &str = "/v1.0/communications/callRecords/callvault.importPstnCalls";
const NDJSON: [(&str, &str); 1] = [("Content-Type", "application/x-ndjson")];

fn charged(charge: f64) -> Value {
    let mut row = row("PstnCalls", 1, "2025-05-18T18:20:00Z");
    row["charge"] = json!(charge);
    row
}

fn told(client: &mut Client, rows: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let answer = client.send("POST", IMPORT, &NDJSON, lines.join("\n").as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.lines()
}

#[test]
fn a_row_that_is_imported_again_changes_or_stays() {
    let (_callvault, _server, mut client) = served();
    let mut more = charged(0.5);
    more["currency"] = json!("USD");
    let fewer = row("PstnCalls", 1, "2025-05-18T18:20:00Z");
    let lines = told(&mut client, &[charged(0.1), charged(0.1), charged(0.5), more, fewer]);
    let statuses: Vec<_> = lines.iter().map(|line| line["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["created", "unchanged", "replaced", "merged", "unchanged"]);
    assert_eq!((&lines[4]["line"], &lines[4]["id"]), (&json!(5), &charged(0.0)["id"]));
    let rows = rows_of(&mut client, &get(RECORDS, "PstnCalls", SPAN.0, SPAN.1));
    assert_eq!(
        (rows.len(), &rows[0]["charge"], &rows[0]["currency"]),
        (1, &json!(0.5), &json!("USD"))
    );
}

#[test]
fn a_row_that_moves_appears_at_its_new_place() {
    let (_callvault, _server, mut client) = served();
    let moved = row("PstnCalls", 1, "2025-06-18T18:20:00Z");
    told(&mut client, &[charged(0.1), moved]);
    assert_eq!(rows_of(&mut client, &get(RECORDS, "PstnCalls", SPAN.0, SPAN.1)).len(), 0);
    let later = get(RECORDS, "PstnCalls", "2025-06-18", "2025-06-19");
    assert_eq!(rows_of(&mut client, &later).len(), 1);
}

#[test]
fn lines_that_are_no_rows_are_rejected_at_their_place_and_the_others_kept() {
    let (_callvault, _server, mut client) = served();
    let mut wrong = charged(0.1);
    wrong["duration"] = json!("long");
    let lines = told(&mut client, &[wrong, charged(0.1), json!({"id": "1"})]);
    assert_eq!(lines[0]["error"]["target"], "/duration");
    assert_eq!((&lines[0]["status"], &lines[1]["status"]), (&json!("rejected"), &json!("created")));
    assert_eq!(lines[2]["error"]["target"], "/startDateTime");
    let record = charged(0.1).to_string().replace("startDateTime", "endDateTime").replacen(
        '{',
        "{\"startDateTime\":\"2025-05-18T00:00:00Z\",",
        1,
    );
    let refused = client.post(RECORDS, record.as_bytes());
    assert_eq!((refused.status, &refused.json()["error"]["target"]), (400, &json!("/callType")));
}

#[test]
fn a_response_of_graph_is_imported_unchanged() {
    let (_callvault, _server, mut client) = served();
    let answer = json!({"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x",
        "@odata.count": 1000, "@odata.nextLink": "https://graph.microsoft.com/v1.0/x?$skip=1000",
        "value": [charged(0.1)]});
    let answer = client.post(IMPORT, answer.to_string().as_bytes());
    assert_eq!(answer.json()["value"][0]["status"], "created", "{}", answer.text());
    let ours = client.get(&get(RECORDS, "PstnCalls", SPAN.0, SPAN.1));
    let again = client.post(IMPORT, &ours.body);
    assert_eq!(again.json()["value"][0]["status"], "unchanged", "{}", again.text());
}

#[test]
fn writing_takes_the_role_for_it() {
    let (callvault, server, _client) = served();
    let mut client = server.client().bearer(&callvault.token(TENANT, &[READ, PSTN]));
    assert_eq!(client.post(IMPORT, b"{\"rows\":[]}").status, 403);
}

#[test]
fn the_command_imports_each_kind_and_a_report_with_its_day() {
    let (callvault, _server, mut client) = served();
    let names = ["pstn", "direct-routing", "sms", "blocked", "dialout"];
    for ((log, _), kind) in LOGS.iter().zip(names) {
        let line = row(log, 1, "2025-05-18T18:20:00Z").to_string();
        let import = ["import", "--tenant", TENANT, "--kind", kind, "-"];
        for expected in ["\"created\":1", "\"unchanged\":1"] {
            let ended = callvault.run_with_input(&import, line.as_bytes());
            assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
            assert!(ended.stdout.contains(expected), "{kind}: {}", ended.stdout);
        }
        assert_eq!(rows_of(&mut client, &get(BETA, log, SPAN.0, SPAN.1)).len(), 1, "{kind}");
    }
    let report =
        json!({"value": [{"userId": "u", "currency": "USD", "totalCalls": 3}]}).to_string();
    let import = ["import", "--tenant", TENANT, "--kind", "dialout", "-"];
    let refused = callvault.run_with_input(&import, report.as_bytes());
    assert_eq!(refused.status.code(), Some(3));
    assert!(refused.stderr.contains("/value/0/@callvault.startDateTime"), "{}", refused.stderr);
    let dated = [&import[..5], &["--counted-from", "2025-06-01", "-"]].concat();
    callvault.run_with_input(&dated, report.as_bytes());
    let log = "PstnOnlineMeetingDialoutReport";
    assert_eq!(rows_of(&mut client, &get(BETA, log, "2025-06-01", "2025-06-02")).len(), 1);
}

#[test]
fn simulated_rows_agree_with_simulated_records() {
    let (callvault, _server, mut client) = served();
    let simulate = |kind: &str| {
        callvault.succeed(&["simulate", "--calls", "150", "--seed", "4", "--kind", kind])
    };
    for kind in ["records", "pstn", "direct-routing"] {
        let import = ["import", "--tenant", TENANT, "--kind", kind, "-"];
        let ended = callvault.run_with_input(&import, simulate(kind).as_bytes());
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    }
    let target = get(RECORDS, "DirectRoutingCalls", "2026-09-01", "2026-11-30");
    let target = format!("{target}?$expand=callvault.callRecord($select=id,startDateTime)");
    let rows = rows_of(&mut client, &target);
    assert!(rows.len() > 3, "{rows:?}");
    for row in rows {
        let record = &row["callvault.callRecord"];
        assert_eq!(record["id"], row["correlationId"]);
        assert_eq!(record["startDateTime"], row["startDateTime"]);
    }
}

#[test]
fn members_of_enumerations_that_nothing_declares_are_kept_and_told() {
    let (callvault, _server, mut client) = served();
    let mut wrong = row("PstnBlockedUsersLog", 1, "2025-05-18T18:20:00Z");
    wrong["userBlockMode"] = json!("blokced");
    let target = "/beta/communications/callRecords/callvault.importPstnBlockedUsersLog";
    let lines = client.send("POST", target, &NDJSON, wrong.to_string().as_bytes()).lines();
    assert_eq!(lines[0]["status"], "created", "{lines:?}");
    assert_eq!(lines[0]["warnings"][0]["target"], "/userBlockMode");
    let message = lines[0]["warnings"][0]["message"].as_str().unwrap();
    assert!(message.contains("did you mean 'blocked'?"), "{message}");
    let import = ["import", "--tenant", TENANT, "--kind", "blocked", "-"];
    let ended = callvault.run_with_input(&import, wrong.to_string().as_bytes());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let told = format!("-:1: warning: /userBlockMode: {message}");
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    // An enumeration that services do not add to.
    let mut wrong = charged(0.1);
    wrong["callDurationSource"] = json!("microsfot");
    let refused = told_of(&mut client, &wrong);
    assert!(
        refused.contains("'microsfot' is not a member of") && refused.contains("'microsoft'"),
        "{refused}"
    );
}

/// The message about a row that is rejected.
fn told_of(client: &mut Client, row: &Value) -> String {
    told(client, std::slice::from_ref(row))[0]["error"]["message"].as_str().unwrap().to_owned()
}
