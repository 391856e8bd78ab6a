//! From a row to the record of its call.

use super::*;

const USER: &str = "db03c14b-06eb-4189-939b-7cbf3a20ba27";

/// A call between a user and a telephone.
fn call(id: &str, start: &str, end: &str, number: &str) -> Value {
    json!({"id": id, "version": 1, "type": "peerToPeer", "modalities": ["audio"],
        "startDateTime": start, "endDateTime": end, "participants_v2": [
            {"id": USER, "identity": {"user": {"id": USER, "displayName": "Richard Malk"}}},
            {"id": number, "identity": {"phone": {"id": number}}}]})
}

fn record(client: &mut Client, record: &Value) {
    assert_eq!(client.post(RECORDS, record.to_string().as_bytes()).status, 201);
}

/// The id of the record that each row leads to, and by what.
fn joined(client: &mut Client, log: &str) -> Vec<(Value, Value)> {
    let target = get(RECORDS, log, "2025-05-18", "2025-05-19");
    let rows = rows_of(client, &format!("{target}?$expand=callvault.callRecord"));
    let pair = |row: &Value| {
        let by = row.get("callvault.callRecord@callvault.joinedBy").cloned();
        (row["callvault.callRecord"]["id"].clone(), by.unwrap_or_default())
    };
    rows.iter().map(pair).collect()
}

#[test]
fn direct_routing_names_the_record_by_its_correlation_id_not_by_its_id() {
    let (_callvault, _server, mut client) = served();
    let id = "11111111-0000-4000-8000-000000000001";
    record(&mut client, &call(id, "2025-05-18T10:00:00Z", "2025-05-18T10:05:00Z", "+15550100182"));
    let mut by_correlation = row("DirectRoutingCalls", 1, "2025-05-18T10:00:00Z");
    by_correlation["correlationId"] = json!(id.to_uppercase());
    by_correlation["callerNumber"] = json!("+15550100***");
    let mut by_id = row("DirectRoutingCalls", 2, "2025-05-18T10:00:01Z");
    by_id["id"] = json!(id);
    put(&mut client, "DirectRoutingCalls", &[by_correlation, by_id]);
    let nothing = (Value::Null, Value::Null);
    let found = (json!(id), json!("correlationId"));
    assert_eq!(joined(&mut client, "DirectRoutingCalls"), [found, nothing]);
}

#[test]
fn an_operators_row_names_the_record_by_the_id_of_its_call() {
    let (_callvault, _server, mut client) = served();
    let id = "11111111-0000-4000-8000-000000000002";
    record(&mut client, &call(id, "2025-05-18T10:00:00Z", "2025-05-18T10:05:00Z", "+15550100182"));
    let mut of_operator = row("PstnCalls", 1, "2025-05-18T10:00:00Z");
    of_operator["callId"] = json!(id);
    put(&mut client, "PstnCalls", &[of_operator]);
    assert_eq!(joined(&mut client, "PstnCalls"), [(json!(id), json!("callId"))]);
}

#[test]
fn a_calling_plans_row_joins_by_user_masked_number_and_time() {
    let (_callvault, _server, mut client) = served();
    let id = |n: u32| format!("11111111-0000-4000-8000-{n:012}");
    let (start, end) = ("2025-05-18T10:00:00Z", "2025-05-18T10:05:00Z");
    record(&mut client, &call(&id(1), start, end, "+15550100182"));
    record(&mut client, &call(&id(2), start, end, "+15550199999"));
    record(
        &mut client,
        &call(&id(3), "2025-05-18T12:00:00Z", "2025-05-18T12:05:00Z", "+15550100182"),
    );
    let plan = |number: u64, start: &str, caller: &str| {
        let mut row = row("PstnCalls", number, start);
        row["userId"] = json!(USER);
        row["callerNumber"] = json!(caller);
        row["calleeNumber"] = json!("+15550111111");
        row
    };
    put(
        &mut client,
        "PstnCalls",
        &[
            plan(1, "2025-05-18T10:00:00.5Z", "+15550100182"),
            plan(2, "2025-05-18T10:00:01Z", "+15550199***"),
            plan(3, "2025-05-18T10:00:02Z", "+15550300000"),
            plan(4, "2025-05-18T12:01:00Z", "+1555010****"),
            plan(5, "2025-05-18T15:00:00Z", "+15550100182"),
        ],
    );
    let found = |n: u32| (json!(id(n)), json!("participants"));
    let nothing = || (Value::Null, Value::Null);
    assert_eq!(
        joined(&mut client, "PstnCalls"),
        [found(1), found(2), nothing(), found(3), nothing()]
    );
}

#[test]
fn a_row_that_fits_two_records_joins_neither() {
    let (_callvault, _server, mut client) = served();
    for id in ["11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"] {
        record(
            &mut client,
            &call(id, "2025-05-18T10:00:00Z", "2025-05-18T10:05:00Z", "+15550100182"),
        );
    }
    let mut row = row("PstnCalls", 1, "2025-05-18T10:00:00Z");
    row["userId"] = json!(USER);
    row["callerNumber"] = json!("+15550100***");
    put(&mut client, "PstnCalls", &[row]);
    assert_eq!(joined(&mut client, "PstnCalls"), [(Value::Null, Value::Null)]);
}

#[test]
fn conditions_read_the_record_and_expand_returns_it() {
    let (callvault, server, mut client) = served();
    let id = |n: u32| format!("11111111-0000-4000-8000-{n:012}");
    let (start, end) = ("2025-05-18T10:00:00Z", "2025-05-18T10:05:00Z");
    let mut group = call(&id(1), start, end, "+15550100182");
    group["type"] = json!("groupCall");
    record(&mut client, &group);
    record(&mut client, &call(&id(2), start, end, "+15550100183"));
    let direct = |n: u32| {
        let mut row = row("DirectRoutingCalls", u64::from(n), start);
        row["correlationId"] = json!(id(n));
        row
    };
    put(&mut client, "DirectRoutingCalls", &[direct(1), direct(2), direct(3)]);
    let target = get(RECORDS, "DirectRoutingCalls", "2025-05-18", "2025-05-19");
    let mut rows = |options: &str| rows_of(&mut client, &format!("{target}?{options}"));
    let group = rows("$filter=callvault.callRecord/type%20eq%20%27groupCall%27");
    assert_eq!((group.len(), &group[0]["correlationId"]), (1, &json!(id(1))));
    assert_eq!(group[0].get("callvault.callRecord"), None, "not expanded");
    assert_eq!(rows("$filter=callvault.callRecord%20eq%20null").len(), 1);
    let sums = rows("$apply=groupby((callvault.callRecord/type),aggregate($count%20as%20n))");
    assert_eq!(sums.len(), 3, "{sums:?}");
    let expanded = rows(
        "$select=id&$expand=callvault.callRecord($select=id,type;$expand=participants_v2)\
         &$filter=callvault.callRecord/participants_v2/any(p:p/id%20eq%20%27%2B15550100183%27)",
    );
    assert_eq!(expanded.len(), 1, "{expanded:?}");
    let shown = &expanded[0]["callvault.callRecord"];
    assert_eq!((&shown["id"], &shown["type"]), (&json!(id(2)), &json!("peerToPeer")));
    assert_eq!(shown["participants_v2"].as_array().map(Vec::len), Some(2));
    assert_eq!((shown.get("startDateTime"), expanded[0].get("duration")), (None, None));

    let prefer = [("Prefer", "odata.maxpagesize=5000")];
    let page = client.get_with(&format!("{target}?$expand=callvault.callRecord"), &prefer);
    assert_eq!(page.header("preference-applied"), Some("odata.maxpagesize=60"));
    let full = [("Accept", "application/json;odata.metadata=full")];
    let asked = format!("{target}?$expand=callvault.callRecord&$top=1");
    let links = client.get_with(&asked, &full).json();
    let record = &links["value"][0]["callvault.callRecord"];
    let link = record["sessions@odata.navigationLink"].as_str().unwrap();
    assert_eq!(client.get(link).status, 200, "{link}");

    let mut of_logs = server.client().bearer(&callvault.token(TENANT, &[PSTN]));
    assert_eq!(of_logs.get(&target).status, 200);
    for options in
        ["$expand=callvault.callRecord", "$filter=callvault.callRecord/type%20eq%20%27groupCall%27"]
    {
        assert_eq!(of_logs.get(&format!("{target}?{options}")).status, 403, "{options}");
    }
}

#[test]
fn records_that_rows_are_decided_by_take_memory_one_after_the_other() {
    let (_callvault, _server, mut client) = served_with("[limits]\nquery_bytes = 1000000\n");
    let id = |n: u32| format!("11111111-0000-4000-8000-{n:012}");
    let at = |hour: u32, minute: u32| format!("2025-05-18T{hour:02}:{minute:02}:00Z");
    let guest = |n: u32| json!({"id": format!("guest-{n}"), "identity": {"guest": {"id": format!("guest-{n}")}}});
    for hour in 0..24 {
        let (start, end) = (at(hour, 0), at(hour, 30));
        let mut call = call(&id(hour), &start, &end, "+15550100182");
        let participants = call["participants_v2"].as_array_mut().unwrap();
        participants.extend((0..120).map(guest));
        record(&mut client, &call);
    }
    let plan = |hour: u32| {
        let mut row = row("PstnCalls", u64::from(hour), &at(hour, 0));
        row["userId"] = json!(USER);
        row["callerNumber"] = json!("+15550100182");
        row
    };
    put(&mut client, "PstnCalls", &(0..24).map(plan).collect::<Vec<_>>());
    let target = get(RECORDS, "PstnCalls", "2025-05-18", "2025-05-19");
    let condition = "$filter=callvault.callRecord/type%20eq%20%27peerToPeer%27";
    assert_eq!(rows_of(&mut client, &format!("{target}?{condition}")).len(), 24);
}
