//! What a record was told stays as it was told: a null is no default, and what was not told is one.

use serde_json::{Value, json};

use super::super::{all_pages, ids};
use super::{RECORDS, served};

fn times(mut value: Value) -> Value {
    value["startDateTime"] = "2025-03-05T10:00:00Z".into();
    value["endDateTime"] = "2025-03-05T11:00:00Z".into();
    value
}

fn record(id: &str, failure: &Value, agent: &Value, network: &Value) -> Value {
    let end = json!({
        "@odata.type": "#microsoft.graph.callRecords.participantEndpoint",
        "userAgent": agent, "feedback": null,
    });
    let media = json!({"label": "main-audio", "callerNetwork": network, "streams": []});
    let segment = times(json!({"id": "g", "caller": end, "media": [media]}));
    let session =
        times(json!({"id": id, "failureInfo": failure, "caller": end, "segments": [segment]}));
    times(json!({"id": id, "sessions": [session]}))
}

#[test]
fn a_null_stays_null_and_what_is_absent_has_its_default() {
    let (_callvault, _server, mut client) = served();
    let agent = |platform: Value| json!({"@odata.type": "#microsoft.graph.callRecords.clientUserAgent", "platform": platform, "headerValue": "x"});
    let agent_without = json!({"@odata.type": "#microsoft.graph.callRecords.clientUserAgent"});
    for (id, failure, agent, network) in [
        (
            "told",
            json!({"stage": null, "reason": null}),
            agent(json!(null)),
            json!({"connectionType": null}),
        ),
        ("absent", json!({"reason": "r"}), agent_without, json!({"port": 1})),
        (
            "known",
            json!({"stage": "midcall"}),
            agent(json!("windows")),
            json!({"connectionType": "wifi"}),
        ),
        ("none", json!(null), json!(null), json!(null)),
    ] {
        let record = record(id, &failure, &agent, &network);
        assert_eq!(client.post(RECORDS, record.to_string().as_bytes()).status, 201);
        // Told again, it says nothing new.
        let again = client.post(RECORDS, record.to_string().as_bytes());
        assert_eq!(again.header("callvault-result"), Some("unchanged"), "{id}");
    }
    let told = client.get(&format!("{RECORDS}/told?$expand=sessions($expand=segments)")).json();
    let session = &told["sessions"][0];
    assert_eq!(session["failureInfo"], json!({"stage": null, "reason": null}));
    assert_eq!(session["caller"]["userAgent"]["platform"], json!(null));
    assert_eq!(session["caller"]["userAgent"]["productFamily"], "unknown");
    let network = &session["segments"][0]["media"][0]["callerNetwork"];
    assert_eq!(network["connectionType"], json!(null));
    assert_eq!(network["wifiBand"], "unknown");
    // What we answer comes in again as it is.
    let again = client.post(RECORDS, told.to_string().as_bytes());
    assert_eq!(again.header("callvault-result"), Some("unchanged"), "{}", again.text());
    let absent = client.get(&format!("{RECORDS}/absent/sessions/absent")).json();
    assert_eq!(absent["failureInfo"], json!({"reason": "r", "stage": "unknown"}));

    let sessions = format!("{RECORDS}/callvault.sessions()");
    let any = "segments/any(g:g/media/any(m:m/callerNetwork";
    for (condition, expected) in [
        ("failureInfo/stage eq null", "none told"),
        ("failureInfo/stage ne null", "absent known"),
        ("failureInfo eq null", "none"),
        ("failureInfo ne null", "absent known told"),
        ("failureInfo/stage eq 'unknown'", "absent"),
        ("failureInfo/stage ne 'midcall'", "absent none told"),
        ("not (failureInfo/stage eq 'midcall')", "absent none told"),
        ("failureInfo/stage in ('midcall',null)", "known none told"),
        ("failureInfo/stage in ('midcall','unknown')", "absent known"),
        ("not (failureInfo/stage has 'midcall')", "absent"),
        ("failureInfo ne null and failureInfo/stage eq null", "told"),
        (&format!("{any}/connectionType eq null))"), "none told"),
        (&format!("{any} eq null))"), "none"),
        (&format!("{any} ne null))"), "absent known told"),
        (&format!("{any}/connectionType eq 'wifi'))"), "known"),
    ] {
        let found = all_pages(&mut client, &format!("{sessions}?$filter={condition}&$orderby=id"));
        assert_eq!(ids(&found).join(" "), expected, "{condition}");
        let count = client.get(&format!("{sessions}/$count?$filter={condition}")).text();
        assert_eq!(count, expected.split(' ').count().to_string(), "{condition}");
    }
    let groups = client.get(&format!(
        "{sessions}?$apply=groupby((failureInfo/stage),aggregate($count as n))&$orderby=failureInfo/stage"
    ));
    let groups: Vec<(Value, i64)> = groups.json()["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (group["failureInfo"]["stage"].clone(), group["n"].as_i64().unwrap()))
        .collect();
    assert_eq!(
        groups.iter().find(|(stage, _)| stage.is_null()).map(|(_, n)| *n),
        Some(2),
        "{groups:?}"
    );
}

#[test]
fn nulls_of_a_record_itself() {
    let (_callvault, _server, mut client) = served();
    let told = times(
        json!({"id": "told", "type": null, "lastModifiedDateTime": null, "modalities": null}),
    );
    let absent = times(json!({"id": "absent"}));
    for record in [&told, &absent] {
        assert_eq!(client.post(RECORDS, record.to_string().as_bytes()).status, 201);
    }
    let body = client.get(&format!("{RECORDS}/told")).json();
    assert_eq!((&body["type"], &body["lastModifiedDateTime"]), (&json!(null), &json!(null)));
    // A collection is never null.
    assert_eq!(body["modalities"], json!([]));
    let body = client.get(&format!("{RECORDS}/absent")).json();
    assert_eq!(
        (&body["type"], &body["lastModifiedDateTime"]),
        (&json!("unknown"), &body["endDateTime"])
    );
    for (condition, expected) in [
        ("type eq null", "told"),
        ("type eq 'unknown'", "absent"),
        ("lastModifiedDateTime eq null", "told"),
    ] {
        let found = all_pages(&mut client, &format!("{RECORDS}?$filter={condition}"));
        assert_eq!(ids(&found).join(" "), expected, "{condition}");
    }
}
