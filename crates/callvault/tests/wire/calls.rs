//! Calls over the wire: their events, the calls themselves, and the records that result.

use serde_json::{Value, json};
use testkit::{Answer, Callvault, Client, OTHER_TENANT, Receiver, Server, TENANT, until};

use super::{READ, RECORDS, WRITE, all_pages, callvault, ids};

const EVENTS: &str = "/v1.0/communications/callvault.callEvents";
const CALLS: &str = "/v1.0/communications/calls";
const NDJSON: [(&str, &str); 1] = [("Content-Type", "application/x-ndjson")];

const GUIDE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/calls.md"));

/// Records are made as soon as a call has ended.
const AT_ONCE: &str = "[calls]\ngrace = 0\n[notifications]\nallow_insecure_urls = true\n\
                       allow_networks = '127.0.0.0/8'\n";

struct Calling {
    callvault: Callvault,
    server: Option<Server>,
    client: Client,
    token: String,
}

impl Calling {
    fn new(settings: &str) -> Self {
        let callvault = callvault();
        std::fs::write(callvault.folder().join("callvault.toml"), settings).unwrap();
        let token = callvault.token(TENANT, &[READ, WRITE]);
        let server = serve(&callvault);
        let client = server.client().bearer(&token);
        Self { callvault, server: Some(server), client, token }
    }

    /// Ends the process as a power cut would, and starts it again.
    fn restart(&mut self) {
        self.server.take().unwrap().kill();
        let server = serve(&self.callvault);
        self.client = server.client().bearer(&self.token);
        self.server = Some(server);
    }

    fn tell(&mut self, lines: &[String]) -> Answer {
        let body = lines.join("\n");
        self.client.send("POST", EVENTS, &NDJSON, body.as_bytes())
    }

    /// Sends events, all of which must be accepted.
    fn told(&mut self, lines: &[String]) {
        let answer = self.tell(lines);
        assert_eq!(statuses(&answer), vec!["accepted"; lines.len()], "{}", answer.text());
    }

    /// The record, once it is there in a version.
    fn record(&mut self, chain: &str, version: u64) -> Value {
        let target = format!("{RECORDS}/{chain}?$expand=sessions($expand=segments)");
        let mut record = Value::Null;
        until(&format!("version {version} of {chain}"), || {
            let answer = self.client.get(&target);
            let is_there = answer.status == 200 && answer.json()["version"] == version;
            record = if is_there { answer.json() } else { Value::Null };
            is_there
        });
        record
    }

    /// Whether there is a record of a chain.
    fn is_recorded(&mut self, chain: &str) -> bool {
        self.client.get(&format!("{RECORDS}/{chain}")).status == 200
    }

    /// Moves the clock on.
    fn advance(&mut self, by: &str) {
        let body = json!({ "advance": by }).to_string();
        assert_eq!(self.client.post("/callvault.clock", body.as_bytes()).status, 200);
    }

    fn state(&mut self, call: &str) -> String {
        let answer = self.client.get(&format!("{CALLS}/{call}"));
        answer.json()["state"].as_str().unwrap_or_default().to_owned()
    }
}

fn serve(callvault: &Callvault) -> Server {
    let config = callvault.folder().join("callvault.toml");
    // Its clock can be moved then.
    callvault.serve(&["--config", config.to_str().unwrap(), "--emulator"])
}

fn statuses(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let status = |line: &Value| line["status"].as_str().unwrap().to_owned();
    answer.lines().iter().map(status).collect()
}

/// An event at a second, of a call whose chain has the same id.
fn event(call: &str, second: u32, ty: &str, more: &Value) -> String {
    let mut event = json!({
        "eventId": format!("{call}-{second}-{ty}"), "callId": call, "callChainId": call,
        "time": format!("2026-11-20T10:{:02}:{:02}Z", second / 60, second % 60), "type": ty,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    event.to_string()
}

fn user(id: &str) -> Value {
    json!({"participant": {"user": {"id": id, "displayName": "Abbie Wilkins"}}})
}

/// A call of two, from its start to its end.
fn of_two(call: &str, start: u32) -> Vec<String> {
    vec![
        event(call, start, "started", &user("user-1")),
        event(call, start + 1, "participantJoined", &user("user-2")),
        event(call, start + 9, "ended", &json!({})),
    ]
}

/// A block of the guide, by its language and place.
fn block(language: &str, number: usize) -> String {
    let text = GUIDE.split(&format!("```{language}")).nth(number + 1).unwrap();
    // The info string may say more.
    let (_, text) = text.split_once('\n').unwrap();
    text.split("```").next().unwrap().to_owned()
}

#[test]
fn the_guide_is_true() {
    let mut calling = Calling::new(AT_ONCE);
    let receiver = Receiver::new();
    let wish = json!({
        "changeType": "created,updated", "resource": "communications/callRecords",
        "notificationUrl": receiver.url("/hook"),
        "expirationDateTime": "2020-01-01T00:00:00Z",
    });
    assert_eq!(calling.client.post("/v1.0/subscriptions", wish.to_string().as_bytes()).status, 201);
    let chain = "c4a1f0d2-5b53-4ab5-9b5c-3a8f2b1f0001";
    assert_eq!(calling.client.get(&format!("{RECORDS}/{chain}")).status, 404);
    let events: Vec<String> = block("ndjson", 0).lines().map(str::to_owned).collect();
    let answer = calling.tell(&events);
    assert_eq!(answer.text().lines().next(), block("json", 0).lines().next());
    assert_eq!(statuses(&answer), ["accepted"; 5]);
    assert_eq!(statuses(&calling.tell(&events)), ["duplicate"; 5]);

    let shown = calling.client.get(&format!("{CALLS}/a7d0"));
    let mut expected: Value = serde_json::from_str(&block("json", 1)).unwrap();
    expected["@odata.context"] = shown.json()["@odata.context"].clone();
    expected["tenantId"] = TENANT.into();
    assert_eq!(shown.json(), expected);

    let record = calling.record(chain, 1);
    assert_eq!(record["type"], "peerToPeer");
    assert_eq!(record["modalities"], json!(["audio"]));
    assert_eq!(record["organizer"]["user"]["displayName"], "Abbie Wilkins");
    assert_eq!(record["endDateTime"], "2026-11-20T10:03:41Z");
    let sessions = record["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["caller"]["userAgent"]["headerValue"], "Linphone/5.2");
    assert_eq!(sessions[1]["startDateTime"], "2026-11-20T10:00:04Z");
    let stream = &sessions[1]["segments"][0]["media"][0]["streams"][0];
    assert_eq!(stream["averageJitter"], "PT0.012S");
    let items = receiver.wait_for(1);
    assert_eq!(items[0]["changeType"], "created");
    assert_eq!(items[0]["resourceData"]["id"], chain);
}

#[test]
fn a_late_event_makes_the_next_version() {
    let mut calling = Calling::new(AT_ONCE);
    calling.told(&of_two("c1", 0));
    let first = calling.record("c1", 1);
    calling.told(&[event("c1", 5, "participantJoined", &user("user-3"))]);
    let second = calling.record("c1", 2);
    assert_eq!(first["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(second["sessions"].as_array().unwrap().len(), 3);
    assert_eq!(second["type"], "groupCall");
    assert_eq!(first["sessions"][0]["id"], second["sessions"][0]["id"]);
    let versions = format!("{RECORDS}/c1/callvault.versions()");
    assert_eq!(all_pages(&mut calling.client, &versions).len(), 2);
}

#[test]
fn a_record_is_made_when_every_call_of_the_chain_is_over_and_the_grace_too() {
    let mut calling = Calling::new("[calls]\ngrace = '1h'\n");
    let leg = |call: &str, ty: &str, second| {
        event(
            call,
            second,
            ty,
            &json!({"callChainId": "chain", "participant": {"user": {"id": call}}}),
        )
    };
    calling.told(&[
        leg("leg-1", "started", 0),
        leg("leg-1", "ended", 5),
        leg("leg-2", "started", 4),
    ]);
    // Told later: when its record is there, that of the chain would be, too.
    calling.told(&of_two("later", 0));
    calling.advance("PT2H");
    calling.record("later", 1);
    assert!(!calling.is_recorded("chain"), "a call goes on");
    calling.told(&of_two("long-over", 0));
    calling.advance("PT50M");
    calling.told(&[leg("leg-2", "ended", 9)]);
    calling.advance("PT20M");
    calling.record("long-over", 1);
    assert!(!calling.is_recorded("chain"), "the grace goes on");
    calling.advance("PT1H");
    let record = calling.record("chain", 1);
    assert_eq!(record["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(record["endDateTime"], "2026-11-20T10:00:09Z");
}

#[test]
fn a_call_without_an_end_gets_its_record_after_a_timeout() {
    let mut calling = Calling::new("[calls]\ngrace = 0\nabandoned_after = '1h'\n");
    calling.told(&of_two("c1", 0)[..2]);
    calling.told(&of_two("over", 0));
    calling.record("over", 1);
    assert!(!calling.is_recorded("c1"));
    assert_eq!(calling.state("c1"), "established");
    calling.advance("PT2H");
    let record = calling.record("c1", 1);
    assert_eq!(record["endDateTime"], "2026-11-20T10:00:01Z");
    assert_eq!(calling.state("c1"), "terminated");
    let call = calling.client.get(&format!("{CALLS}/c1")).json();
    assert_eq!(call["resultInfo"]["code"], 408);
    // The end comes after all.
    calling.told(&of_two("c1", 0)[2..]);
    assert_eq!(calling.record("c1", 2)["endDateTime"], "2026-11-20T10:00:09Z");
    let call = calling.client.get(&format!("{CALLS}/c1")).json();
    assert_eq!(call["resultInfo"]["code"], 200);
}

#[test]
fn a_crash_loses_no_event_and_notifies_of_no_record_twice() {
    let mut calling = Calling::new("[calls]\ngrace = '1s'\n");
    for number in 0..20 {
        let call = format!("c{number}");
        let events = of_two(&call, number);
        // Ended by a kill between any two events, and between the end and the record.
        for (place, event) in events.iter().enumerate() {
            calling.told(std::slice::from_ref(event));
            if (number as usize + place).is_multiple_of(7) {
                calling.restart();
            }
        }
    }
    for number in 0..20 {
        let record = calling.record(&format!("c{number}"), 1);
        assert_eq!(record["sessions"].as_array().unwrap().len(), 2, "c{number}");
    }
    calling.restart();
    // When the record of what is told later is there, another one of theirs would be, too.
    calling.told(&of_two("later", 0));
    calling.record("later", 1);
    let records = all_pages(&mut calling.client, RECORDS);
    assert_eq!(records.len(), 21);
    assert!(records.iter().all(|record| record["version"] == 1), "{records:?}");
    let again: Vec<String> =
        (0..20).flat_map(|number| of_two(&format!("c{number}"), number)).collect();
    assert_eq!(statuses(&calling.tell(&again)), vec!["duplicate"; 60]);
}

#[test]
fn an_error_in_an_event_is_reported_on_its_line() {
    let mut calling = Calling::new(AT_ONCE);
    let good = of_two("c1", 0);
    let stranger = event("c1", 0, "started", &user("user-9"));
    let moved = event("c1", 3, "media", &json!({"callChainId": "c2", "media": {}}));
    let media = json!({"media": {"streams": [{"averageJitter": "soon"}]}});
    let answer = calling.tell(&[
        good[0].clone(),
        "{".to_owned(),
        String::new(),
        stranger,
        moved,
        event("c1", 4, "media", &media),
        event("c1", 5, "begun", &json!({})),
        good[1].clone(),
    ]);
    let lines = answer.lines();
    let told = |line: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let error = &line["error"];
        (
            line["line"].as_u64().unwrap(),
            text(&line["status"]),
            text(&error["code"]),
            text(&error["target"]),
        )
    };
    let told: Vec<_> = lines.iter().map(told).collect();
    let told: Vec<_> =
        told.iter().map(|(n, a, b, c)| (*n, a.as_str(), b.as_str(), c.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, "accepted", "-", "-"),
            (2, "rejected", "BadRequest", "-"),
            (4, "rejected", "Conflict", "/eventId"),
            (5, "rejected", "Conflict", "/callChainId"),
            (6, "rejected", "BadRequest", "/media/streams/0/averageJitter"),
            (7, "rejected", "BadRequest", "/type"),
            (8, "accepted", "-", "-"),
        ]
    );
    assert_eq!(lines[2]["eventId"], "c1-0-started");

    let body =
        json!({"events": [serde_json::from_str::<Value>(&good[2]).unwrap(), {"eventId": "x"}]});
    let answer = calling.client.post(EVENTS, body.to_string().as_bytes());
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert!(
        answer["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#Collection(callvault.callEventResult)")
    );
    assert_eq!(
        answer["value"][0],
        json!({"line": 1, "eventId": "c1-9-ended", "status": "accepted"})
    );
    assert_eq!(answer["value"][1]["error"]["target"], "/type");
    assert_eq!(calling.client.get(EVENTS).status, 405);
    assert_eq!(calling.client.post(EVENTS, b"{\"event\":[]}").status, 400);
}

#[test]
fn lists_have_the_query_language() {
    let mut calling = Calling::new("");
    for number in 0..130 {
        let events = of_two(&format!("c{number:03}"), number);
        calling.told(if number % 10 == 0 { &events[..2] } else { &events });
    }
    let client = &mut calling.client;
    let all = all_pages(client, CALLS);
    assert_eq!(all.len(), 130);
    assert_eq!(ids(&all)[..2], ["c129", "c128"]);
    let open = all_pages(client, &format!("{CALLS}?$filter=state%20ne%20'terminated'&$top=100"));
    assert_eq!(open.len(), 13);
    assert!(open.iter().all(|call| call["state"] == "established"));
    let by_id = format!("{CALLS}?$orderby=id&$select=id&$skip=5&$top=70");
    let sorted = all_pages(client, &by_id);
    assert_eq!(ids(&sorted), (5..75).map(|n| format!("c{n:03}")).collect::<Vec<_>>());
    assert_eq!(sorted[0].as_object().unwrap().len(), 1, "{}", sorted[0]);
    let after_skip = all_pages(client, &format!("{CALLS}?$skip=65"));
    assert_eq!(ids(&after_skip)[0], "c064");
    assert_eq!(after_skip.len(), 65);

    let page = client.get(&format!("{CALLS}?$count=true&$filter=endswith(id,'0')&$top=2")).json();
    assert_eq!(page["@odata.count"], 13);
    assert_eq!(page["value"].as_array().unwrap().len(), 2);
    assert!(page.get("@odata.nextLink").is_none());
    let count =
        |client: &mut Client, query: &str| client.get(&format!("{CALLS}/$count{query}")).text();
    assert_eq!(count(client, ""), "130");
    assert_eq!(count(client, "?$filter=source/identity/user/id%20eq%20'user-1'"), "130");
    assert_eq!(count(client, "?$filter=targets/any(t:t/identity/user/id%20eq%20'user-2')"), "130");
    assert_eq!(count(client, "?$filter=callChainId%20eq%20'c007'"), "1");
    assert_eq!(count(client, "?$filter=callChainId%20eq%20'c007'%20or%20id%20eq%20'c008'"), "2");
    let wrong = client.get(&format!("{CALLS}?$filter=sizeof(id)%20eq%201"));
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("sizeof"), "{}", wrong.text());
    let sums = client.get(&format!("{CALLS}?$apply=groupby((state),aggregate($count%20as%20n))"));
    let sums = sums.json()["value"].as_array().unwrap().clone();
    assert_eq!(sums.iter().map(|sum| sum["n"].as_u64().unwrap()).sum::<u64>(), 130);

    let events =
        client.get(&format!("{CALLS}/c001/callvault.events()?$filter=type%20ne%20'ended'"));
    let events = events.json();
    assert!(
        events["@odata.context"].as_str().unwrap().ends_with("#Collection(callvault.callEvent)")
    );
    let types: Vec<_> =
        events["value"].as_array().unwrap().iter().map(|it| it["type"].clone()).collect();
    assert_eq!(types, ["started", "participantJoined"]);
}

#[test]
fn calls_are_for_those_who_may_see_them() {
    let mut calling = Calling::new(AT_ONCE);
    calling.told(&of_two("c1", 0));
    let server = calling.server.as_ref().unwrap();
    let client = |tenant: &str, role: &str| {
        server.client().bearer(&calling.callvault.token(tenant, &[role]))
    };
    let (mut reader, mut writer, mut foreign) =
        (client(TENANT, READ), client(TENANT, WRITE), client(OTHER_TENANT, READ));
    let lines = of_two("c2", 0).join("\n");
    assert_eq!(reader.send("POST", EVENTS, &NDJSON, lines.as_bytes()).status, 403);
    assert_eq!(writer.get(CALLS).status, 403);
    assert_eq!(reader.get(&format!("{CALLS}/C1")).status, 404, "ids are compared byte for byte");
    assert_eq!(reader.get(&format!("{CALLS}/c1")).status, 200);
    assert_eq!(foreign.get(&format!("{CALLS}/c1")).status, 404);
    assert_eq!(foreign.get(&format!("{CALLS}/c1/callvault.events()")).status, 404);
    assert_eq!(foreign.get(&format!("{CALLS}/$count")).text(), "0");
    for version in ["v1.0", "beta"] {
        let metadata = reader.get(&format!("/{version}/$metadata")).text();
        for name in ["EntityType Name=\"call\"", "Action Name=\"callEvents\"", "callEventType"] {
            assert!(metadata.contains(name), "{version} {name}");
        }
    }
}
