//! Faults in requests, the clock, and the endpoints that control them.

use super::*;

#[test]
fn without_the_flag_its_endpoints_do_not_exist() {
    let (_callvault, _server, mut client) = crate::served();
    for (method, target) in [
        ("GET", "/callvault.clock"),
        ("POST", "/callvault.clock"),
        ("GET", "/callvault.faults"),
        ("PUT", "/callvault.faults"),
        ("GET", "/callvault.requests"),
        ("DELETE", "/callvault.requests"),
    ] {
        let answer = client.send(method, target, &JSON, b"{}");
        assert_eq!((answer.status, answer.code().as_str()), (404, "NotFound"), "{method} {target}");
    }
}

#[test]
fn rules_answer_with_the_bodies_of_graph() {
    let mut emulated = Emulated::new();
    emulated.keep("r1", 1);
    for (status, code, wait) in [
        (404, "NotFound", None),
        (429, "TooManyRequests", Some("7")),
        (500, "generalException", None),
        (502, "UnknownError", None),
        (503, "serviceNotAvailable", Some("3")),
        (504, "UnknownError", None),
    ] {
        let mut rule =
            json!({"path": "/communications/callRecords/*", "status": status, "first": 1});
        if let Some(wait) = wait {
            rule["retry_after"] = wait.parse::<u32>().unwrap().into();
        }
        emulated.faults(&json!({"request": [rule]}));
        let refused = emulated.read("r1");
        assert_eq!(refused.status, status);
        let error = &refused.json()["error"];
        assert!(error["innerError"]["request-id"].is_string(), "{}", refused.text());
        assert!(error["code"].as_str().unwrap().eq_ignore_ascii_case(code), "{}", refused.text());
        assert_eq!(refused.header("retry-after"), wait);
        assert_eq!(emulated.read("r1").status, 200, "the second after {status}");
    }
}

#[test]
fn rules_choose_requests_by_path_method_application_number_and_chance() {
    let mut emulated = Emulated::new();
    emulated.keep("r1", 1);
    let (other, mut of_other) = emulated.other_application(READ);
    let list = RECORDS;
    let one = format!("{RECORDS}/r1");
    let mut statuses = |emulated: &mut Emulated, rule: Value, count: usize| {
        emulated.faults(&json!({"request": [rule]}));
        let own: Vec<u16> = (0..count).map(|_| emulated.client.get(&one).status).collect();
        (own, emulated.client.get(list).status, of_other.get(&one).status)
    };
    let (own, listed, others) =
        statuses(&mut emulated, json!({"path": "/communications/callRecords", "status": 500}), 1);
    assert_eq!((own, listed, others), (vec![200], 500, 200));
    let (own, listed, others) =
        statuses(&mut emulated, json!({"application": other, "status": 500}), 1);
    assert_eq!((own, listed, others), (vec![200], 200, 500));
    let (own, ..) = statuses(&mut emulated, json!({"nth": 2, "status": 500}), 3);
    assert_eq!(own, [200, 500, 200]);
    let (own, ..) = statuses(&mut emulated, json!({"every": 2, "status": 500}), 4);
    assert_eq!(own, [200, 500, 200, 500]);
    let (own, ..) = statuses(&mut emulated, json!({"method": "POST", "status": 500}), 1);
    assert_eq!(own, [200]);
    let (own, ..) = statuses(&mut emulated, json!({"probability": 0.5, "status": 500}), 40);
    let failed = own.iter().filter(|status| **status == 500).count();
    assert!((8..32).contains(&failed), "{failed} of 40");
}

#[test]
fn answers_come_late_and_break_off() {
    let mut emulated = Emulated::new();
    emulated.keep("r1", 1);
    emulated.faults(&json!({"request": [{"latency": "300ms", "first": 1}]}));
    let began = std::time::Instant::now();
    assert_eq!(emulated.read("r1").status, 200);
    assert!(began.elapsed() >= std::time::Duration::from_millis(300));
    emulated.faults(&json!({"request": [{"truncate": 40}]}));
    let broken = emulated.client.try_send("GET", &format!("{RECORDS}/r1"), &[], b"");
    assert!(broken.is_err(), "{broken:?}");
    emulated.faults(&json!({}));
    assert_eq!(emulated.read("r1").status, 200);
}

#[test]
fn members_of_a_batch_fail_one_by_one() {
    let mut emulated = Emulated::new();
    emulated.keep("r1", 1);
    emulated.faults(&json!({"request": [
        {"path": "/communications/callRecords/r1", "status": 429, "retry_after": 5, "first": 1}]}));
    let get =
        |id: &str| json!({"id": id, "method": "GET", "url": "/communications/callRecords/r1"});
    let body = json!({"requests": [get("1"), get("2")]}).to_string();
    let answer = emulated.client.post("/v1.0/$batch", body.as_bytes());
    assert_eq!(answer.status, 200);
    let responses = answer.json()["responses"].as_array().unwrap().clone();
    let mut statuses: Vec<_> = responses.iter().map(|it| it["status"].as_u64().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    let throttled = responses.iter().find(|it| it["status"] == 429).unwrap();
    assert_eq!(throttled["headers"]["Retry-After"], "5");
}

#[test]
fn rules_that_are_wrong_are_400_at_their_place_and_change_nothing() {
    let mut emulated = Emulated::new();
    emulated.faults(&json!({"request": [{"status": 500, "path": "/x"}]}));
    let wrong = json!({"request": [{"status": 500}, {"stat": 3}]}).to_string();
    let refused = emulated.client.send("PUT", "/callvault.faults", &JSON, wrong.as_bytes());
    assert_eq!(refused.status, 400);
    assert!(
        refused.json()["error"]["target"].as_str().unwrap().contains("request 2"),
        "{}",
        refused.text()
    );
    let toml = [("Content-Type", "application/toml")];
    let refused =
        emulated.client.send("PUT", "/callvault.faults", &toml, b"[[request]]\nlatency = 3\n");
    assert!(
        refused.json()["error"]["target"].as_str().unwrap().contains("line 2"),
        "{}",
        refused.text()
    );
    let there = emulated.client.get("/callvault.faults").json();
    assert_eq!(there["request"], json!([{"path": "/x", "status": 500}]));
    assert_eq!(emulated.client.send("DELETE", "/callvault.faults", &[], b"").status, 204);
    assert_eq!(emulated.client.get("/callvault.faults").json()["request"], json!([]));
}

#[test]
fn the_clock_moves_visibility_and_retention_but_no_token() {
    let settings = "[graph]\nretention_view = '30d'\n[records]\nretention = 60\n";
    let mut emulated = Emulated::with_settings(settings);
    let before = emulated.client.get("/callvault.clock").json()["dateTime"].clone();
    let day = before.as_str().unwrap()[..10].to_owned();
    let call = json!({"id": "r1", "startDateTime": format!("{day}T00:00:00Z"),
        "endDateTime": format!("{day}T00:00:01Z")});
    assert_eq!(emulated.client.post(RECORDS, call.to_string().as_bytes()).status, 201);
    assert_eq!(emulated.read("r1").status, 200);
    emulated.advance("P31D");
    assert_eq!(emulated.read("r1").status, 404, "it is shown no more, and the token still counts");
    let back = json!({"dateTime": before}).to_string();
    emulated.client.post("/callvault.clock", back.as_bytes());
    assert_eq!(emulated.read("r1").status, 200, "it is kept");
    emulated.advance("P62D");
    // Commands go by the time of the system, and show all that is kept.
    until("it is erased", || emulated.callvault.run(&["get", "r1"]).status.code() == Some(1));
    emulated.client.post("/callvault.clock", back.as_bytes());
    assert_eq!(emulated.read("r1").status, 404);
    for wrong in ["{}", "{\"advance\":\"1h\"}", "{\"advance\":\"PT1H\",\"dateTime\":\"x\"}", "["] {
        let refused = emulated.client.post("/callvault.clock", wrong.as_bytes());
        assert_eq!((refused.status, refused.code().as_str()), (400, "BadRequest"), "{wrong}");
    }
}
