//! The content of rows.

use super::*;

const SPAN: (&str, &str) = ("2025-05-18", "2025-05-19");

fn read(client: &mut Client, root: &str, log: &str) -> Vec<Value> {
    rows_of(client, &get(root, log, SPAN.0, SPAN.1))
}

#[test]
fn rows_of_v1_are_flat_and_beta_has_more() {
    let (_callvault, _server, mut client) = served();
    let mut one = row("PstnCalls", 1, "2025-05-18T18:20:00Z");
    one["otherPartyCountryCode"] = json!("US");
    one["clientPublicIpV4Address"] = json!("203.0.113.7");
    one["administrativeUnitInfos"] = json!([{"id": "unit"}]);
    put(&mut client, "PstnCalls", &[one.clone()]);
    let (v1, beta) =
        (read(&mut client, RECORDS, "PstnCalls"), read(&mut client, BETA, "PstnCalls"));
    for name in ["otherPartyCountryCode", "clientPublicIpV4Address", "administrativeUnitInfos"] {
        assert_eq!(v1[0].get(name), None, "{name}");
        assert_eq!(beta[0][name], one[name], "{name}");
    }
}

#[test]
fn rows_have_all_declared_members_in_their_order() {
    let (_callvault, _server, mut client) = served();
    put(&mut client, "PstnCalls", &[row("PstnCalls", 1, "2025-05-18T18:20:00Z")]);
    put(&mut client, "SmsLog", &[row("SmsLog", 1, "2025-05-18T18:20:00Z")]);
    let text = client.get(&get(RECORDS, "PstnCalls", SPAN.0, SPAN.1)).text();
    let place = |name: &str| text.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name}"));
    let names = "id callId userId userPrincipalName userDisplayName startDateTime endDateTime \
                 duration charge callType currency calleeNumber usageCountryCode \
                 tenantCountryCode connectionCharge callerNumber destinationContext \
                 destinationName conferenceId licenseCapability inventoryType operator \
                 callDurationSource";
    let places: Vec<usize> = names.split_whitespace().map(place).collect();
    assert!(places.is_sorted(), "{text}");
    let sms = read(&mut client, BETA, "SmsLog");
    assert_eq!((&sms[0]["id"], &sms[0]["administrativeUnitInfos"]), (&Value::Null, &json!([])));
}

#[test]
fn numbers_times_and_masks_stay_unchanged() {
    let (_callvault, _server, mut client) = served();
    let pstn = r#"{"id":"9c4984c7-6c3c-427d-a30c-bd0b2eacee90","callId":"1_2@203.0.113.176",
        "userId":null,"startDateTime":"2025-05-18T00:00:08.2589935Z","duration":219,
        "charge":0.00,"connectionCharge":0.050,"callType":"ucap_in","conferenceId":null}"#;
    let direct = r#"{"id":"9e8bba57-dc14-533a-a7dd-f0da6575eed1","correlationId":"c98e1515",
        "startDateTime":"2025-05-18T00:00:25.105Z","failureDateTime":"0001-01-01T00:00:00Z",
        "successfulCall":true,"callerNumber":"+12345678***","calleeNumber":"+01234567***",
        "finalSipCode":0,"callEndSubReason":540000,"finalSipCodePhrase":"BYE"}"#;
    for (log, row) in [("PstnCalls", pstn), ("DirectRoutingCalls", direct)] {
        let body = format!("{{\"rows\":[{row}]}}");
        let answer = client.post(&format!("{RECORDS}/callvault.import{log}"), body.as_bytes());
        assert_eq!(answer.json()["value"][0]["status"], "created", "{}", answer.text());
    }
    let text = client.get(&get(RECORDS, "PstnCalls", SPAN.0, SPAN.1)).text();
    for kept in [
        r#""charge":0.00,"#,
        r#""connectionCharge":0.050,"#,
        r#""startDateTime":"2025-05-18T00:00:08.2589935Z""#,
        r#""userId":null"#,
        r#""duration":219,"#,
    ] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    let direct = &read(&mut client, RECORDS, "DirectRoutingCalls")[0];
    assert_eq!(direct["failureDateTime"], "0001-01-01T00:00:00Z");
    assert_eq!(
        (&direct["callerNumber"], &direct["finalSipCode"]),
        (&json!("+12345678***"), &json!(0))
    );
}

#[test]
fn blocking_modes_are_those_of_the_schema() {
    let (_callvault, _server, mut client) = served();
    let mode = |number, mode: &str| {
        let mut row = row("PstnBlockedUsersLog", number, "2025-05-18T18:20:00Z");
        row["userBlockMode"] = json!(mode);
        row
    };
    put(
        &mut client,
        "PstnBlockedUsersLog",
        &[mode(1, "Blocked"), mode(2, "unblocked"), mode(3, "paused")],
    );
    let target = get(BETA, "PstnBlockedUsersLog", SPAN.0, SPAN.1);
    let modes = |answer: testkit::Answer| {
        let rows = answer.json()["value"].as_array().unwrap().clone();
        rows.iter().map(|row| row["userBlockMode"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(modes(client.get(&target)), ["blocked", "unblocked", "unknownFutureValue"]);
    let prefer = [("Prefer", "include-unknown-enum-members")];
    assert_eq!(modes(client.get_with(&target, &prefer)), ["blocked", "unblocked", "paused"]);
}

#[test]
fn ids_of_messages_need_not_be_unique() {
    let (_callvault, _server, mut client) = served();
    let mut parts = [1, 2].map(|_| row("SmsLog", 7, "2025-05-18T18:20:00Z"));
    parts[1]["smsUnits"] = json!(2);
    put(&mut client, "SmsLog", &parts);
    assert_eq!(read(&mut client, BETA, "SmsLog").len(), 2);
}

#[test]
fn the_dial_out_report_sums_up_days_by_user_place_context_and_currency() {
    let (_callvault, _server, mut client) = served();
    let day = |day: u32, user: &str, context: &str, calls: u32, charge: Value| {
        json!({"@callvault.startDateTime": format!("2025-05-{day:02}T00:00:00Z"), "userId": user,
            "userDisplayName": "Abbie Wilkins", "usageLocation": "US", "currency": "USD",
            "destinationContext": context, "totalCalls": calls, "totalCallCharge": charge,
            "totalCallSeconds": 60 * calls})
    };
    let log = "PstnOnlineMeetingDialoutReport";
    put(
        &mut client,
        log,
        &[
            day(17, "u1", "Domestic", 1, json!(0.1)),
            day(18, "u1", "Domestic", 2, json!(0.2)),
            day(18, "u1", "International", 4, json!(1.5)),
            day(19, "u2", "Domestic", 8, json!(3)),
            day(21, "u1", "Domestic", 16, json!(9)),
        ],
    );
    let rows = rows_of(&mut client, &get(BETA, log, "2025-05-17", "2025-05-20"));
    let totals: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["userId"].as_str().unwrap(),
                row["totalCalls"].as_u64().unwrap(),
                row["totalCallCharge"].to_string(),
                row["totalCallSeconds"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        totals,
        [
            ("u1", 3, "0.3".to_owned(), 180),
            ("u1", 4, "1.5".to_owned(), 240),
            ("u2", 8, "3".to_owned(), 480),
        ]
    );
    assert_eq!(rows[0].get("@callvault.startDateTime"), None);
    let filtered = format!(
        "{}?$filter=totalCalls gt 3&$orderby=totalCalls desc",
        get(BETA, log, "2025-05-17", "2025-05-20")
    );
    let filtered = rows_of(&mut client, &filtered.replace(' ', "%20"));
    assert_eq!(
        filtered.iter().map(|row| row["totalCalls"].as_u64()).collect::<Vec<_>>(),
        [Some(8), Some(4)]
    );
}
