//! `POST /$batch`: several requests in one.

use std::collections::HashMap;

use serde_json::{Value, json};
use testkit::{Answer, Client, OTHER_TENANT};

use super::{READ, RECORDS, TENANT, WRITE, callvault, record, served};

const BATCH: &str = "/v1.0/$batch";

fn send(client: &mut Client, requests: &Value) -> Answer {
    client.post(BATCH, json!({ "requests": requests }).to_string().as_bytes())
}

/// The answers of a batch by the ids of its requests; each id has one.
fn answers(client: &mut Client, requests: &Value) -> HashMap<String, Value> {
    let answer = send(client, requests);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut by_id = HashMap::new();
    for response in answer.json()["responses"].as_array().unwrap() {
        let id = response["id"].as_str().unwrap().to_owned();
        assert!(by_id.insert(id, response.clone()).is_none(), "answered twice: {response}");
    }
    assert_eq!(by_id.len(), requests.as_array().unwrap().len());
    by_id
}

fn posted(id: &str, record: &str) -> Value {
    json!({
        "id": id, "method": "POST", "url": "/communications/callRecords",
        "headers": {"Content-Type": "application/json"},
        "body": serde_json::from_str::<Value>(record).unwrap(),
    })
}

fn get(id: &str, url: &str) -> Value {
    json!({"id": id, "method": "GET", "url": url})
}

#[test]
fn each_request_is_answered_as_it_would_be_alone() {
    let (_callvault, _server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    let alone = client.get(&format!("{RECORDS}/r1"));
    let tag = alone.header("etag").unwrap();
    let root = alone.json()["@odata.context"].as_str().unwrap().to_owned();
    let root = root.split_once("/$metadata").unwrap().0;
    let answers = answers(
        &mut client,
        &json!([
            get("by id", "/communications/callRecords/r1"),
            get("no slash", "communications/callRecords/r1?$expand=sessions"),
            get("by its whole address", &format!("{root}/communications/callRecords/r1")),
            get("as people write", "/communications/callRecords?$filter=id eq 'r1'&$select=id"),
            get("absent", "/communications/callRecords/none"),
            get("a count", "/communications/callRecords/$count"),
            {"id": "known", "method": "get", "url": "/communications/callRecords/r1",
             "headers": {"If-None-Match": tag}},
            {"id": "preferred", "method": "GET", "url": "/communications/callRecords/r1",
             "headers": {"Prefer": "omit-values=nulls", "client-request-id": "mine"}},
            {"id": "posted query", "method": "POST", "url": "/communications/callRecords/$query",
             "headers": {"Content-Type": "text/plain"}, "body": "JGZpbHRlcj1pZCBlcSAncjEn"},
            posted("new", &record("r2", 1, 2)),
            {"id": "wrong", "method": "PATCH", "url": "/communications/callRecords/r1",
             "headers": {"Content-Type": "application/json"}, "body": {}},
        ]),
    );
    let status = |id: &str| answers[id]["status"].as_u64().unwrap();
    assert_eq!(answers["by id"]["body"], alone.json());
    assert_eq!(answers["by id"]["headers"]["ETag"], tag);
    assert_eq!(answers["by id"]["headers"]["Content-Type"].as_str(), alone.header("content-type"));
    assert_eq!(answers["no slash"]["body"]["sessions"], json!([]));
    assert_eq!(answers["by its whole address"]["body"]["id"], "r1");
    assert_eq!(answers["as people write"]["body"]["value"][0]["id"], "r1");
    assert_eq!(status("absent"), 404);
    assert_eq!(answers["absent"]["body"]["error"]["code"], "NotFound");
    assert!(["MQ==", "Mg=="].contains(&answers["a count"]["body"].as_str().unwrap()));
    assert_eq!((status("known"), answers["known"].get("body")), (304, None));
    assert_eq!(answers["preferred"]["headers"]["Preference-Applied"], "omit-values=nulls");
    assert_eq!(answers["preferred"]["headers"]["client-request-id"], "mine");
    assert_eq!(answers["posted query"]["body"]["value"][0]["id"], "r1");
    assert_eq!((status("new"), &answers["new"]["body"]["id"]), (201, &json!("r2")));
    let location = answers["new"]["headers"]["Location"].as_str().unwrap();
    assert_eq!(client.get(location).status, 200);
    assert_eq!(status("wrong"), 405);
}

#[test]
fn a_request_runs_after_its_dependencies_and_fails_with_them() {
    let (_callvault, _server, mut client) = served();
    let after = |mut request: Value, before: &[&str]| {
        request["dependsOn"] = json!(before);
        request
    };
    let read = |id: &str, record: &str| get(id, &format!("/communications/callRecords/{record}"));
    // A chain in reverse order, and requests that all depend on the same one.
    let chained = answers(
        &mut client,
        &json!([
            after(read("last", "r2"), &["second"]),
            after(posted("second", &record("r2", 1, 2)), &["first"]),
            posted("first", &record("r1", 1, 1)),
            after(read("beside", "r1"), &["first"]),
            after(read("both", "r1"), &["first", "second"]),
        ]),
    );
    let statuses = ["first", "second", "last", "beside", "both"]
        .map(|id| chained[id]["status"].as_u64().unwrap());
    assert_eq!(statuses, [201, 201, 200, 200, 200]);
    let broken = answers(
        &mut client,
        &json!([
            read("absent", "none"),
            after(posted("never", &record("r3", 1, 3)), &["absent"]),
            after(read("nor this", "r1"), &["never"]),
            read("but this", "r1"),
        ]),
    );
    let statuses = ["absent", "never", "nor this", "but this"]
        .map(|id| broken[id]["status"].as_u64().unwrap());
    assert_eq!(statuses, [404, 424, 424, 200]);
    let error = &broken["never"]["body"]["error"];
    assert_eq!(error["code"], "FailedDependency");
    assert!(error["message"].as_str().unwrap().contains("'absent'"), "{error}");
    assert_eq!(client.get(&format!("{RECORDS}/r3")).status, 404);
}

#[test]
fn an_invalid_batch_is_400_with_the_position() {
    let (_callvault, _server, mut client) = served();
    let many: Vec<Value> =
        (0..21).map(|id| get(&id.to_string(), "/communications/callRecords")).collect();
    for (requests, target) in [
        (json!(many), "/requests"),
        (json!([get("1", "/x"), get("1", "/y")]), "/requests/1/id"),
        (
            json!([{"id": "1", "method": "GET", "url": "/x", "dependsOn": ["1"]}]),
            "/requests/0/dependsOn",
        ),
    ] {
        let answer = send(&mut client, &requests);
        assert_eq!((answer.status, answer.code().as_str()), (400, "BadRequest"));
        assert_eq!(answer.json()["error"]["target"], target);
    }
    assert_eq!(client.post(BATCH, b"{\"requests\":").status, 400);
    assert_eq!(client.get(BATCH).status, 405);
    assert_eq!(client.send("POST", BATCH, &[("Content-Type", "text/plain")], b"{}").status, 415);
    let twenty = answers(&mut client, &json!(many[..20]));
    assert!(twenty.values().all(|answer| answer["status"] == 200));
}

#[test]
fn a_batch_gives_no_more_permissions() {
    let (callvault, server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    let token = callvault.token(TENANT, &[READ]);
    let mut reader = server.client().bearer(&token);
    let writer = callvault.token(TENANT, &[READ, WRITE]);
    let mut borrowed = posted("borrowed", &record("r3", 1, 3));
    borrowed["headers"]["Authorization"] = json!(format!("Bearer {writer}"));
    let answers_of_reader = answers(
        &mut reader,
        &json!([
            get("read", "/communications/callRecords/r1"),
            posted("written", &record("r2", 1, 2)),
            borrowed,
            get("up", "/../oauth2/v2.0/token"),
            get("host", "//localhost/metrics"),
            {"id": "nested", "method": "POST", "url": "/$batch",
             "headers": {"Content-Type": "application/json"}, "body": {"requests": []}},
            {"id": "lines", "method": "POST", "url": "/communications/callRecords/callvault.import",
             "headers": {"Content-Type": "application/x-ndjson"}, "body": "e30"},
        ]),
    );
    for (id, status) in [
        ("read", 200),
        ("written", 403),
        ("borrowed", 403),
        ("up", 400),
        ("host", 400),
        ("nested", 400),
        ("lines", 501),
    ] {
        assert_eq!(answers_of_reader[id]["status"], status, "{}", answers_of_reader[id]);
    }
    let mut other = server.client().bearer(&callvault.token(OTHER_TENANT, &[READ]));
    let foreign = answers(&mut other, &json!([get("1", "/communications/callRecords/r1")]));
    assert_eq!(foreign["1"]["status"], 404);
    let nobody = send(&mut server.client(), &json!([get("1", "/communications/callRecords/r1")]));
    assert_eq!((nobody.status, nobody.code().as_str()), (401, "InvalidAuthenticationToken"));
}

#[test]
fn each_request_is_throttled_by_itself() {
    let callvault = callvault();
    let token = callvault.token(TENANT, &[READ]);
    let config = callvault.folder().join("callvault.toml");
    std::fs::write(&config, "[limits]\nrate = { application = \"5/1h\" }\n").unwrap();
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let mut client = server.client().bearer(&token);
    let requests: Vec<Value> =
        (0..20).map(|id| get(&id.to_string(), "/communications/callRecords?$top=1")).collect();
    let answers = answers(&mut client, &json!(requests));
    let (good, throttled): (Vec<_>, Vec<_>) =
        answers.values().partition(|answer| answer["status"] == 200);
    assert_eq!(good.len(), 5);
    for answer in throttled {
        assert_eq!(answer["status"], 429);
        assert_eq!(answer["body"]["error"]["code"], "TooManyRequests");
        let wait = answer["headers"]["Retry-After"].as_str().unwrap();
        assert!(wait.parse::<u32>().unwrap() >= 1);
    }
}

#[test]
fn parallel_batches_answer_each_request_once() {
    let (_callvault, server, client) = served();
    let token = client.headers[0].1.trim_start_matches("Bearer ").to_owned();
    let all_ids = std::thread::scope(|scope| {
        let batches: Vec<_> = (0..20)
            .map(|batch| {
                let mut client = server.client().bearer(&token);
                scope.spawn(move || {
                    let requests: Vec<Value> = (0..20)
                        .map(|place| {
                            let id = format!("b{batch}-{place}");
                            posted(&id, &record(&id, 1, batch * 20 + place))
                        })
                        .collect();
                    let answers = answers(&mut client, &json!(requests));
                    for (id, answer) in &answers {
                        assert_eq!(answer["status"], 201, "{answer}");
                        assert_eq!(answer["headers"]["Callvault-Result"], "created");
                        assert_eq!(&answer["body"]["id"], id);
                    }
                    answers.into_keys().collect::<Vec<_>>()
                })
            })
            .collect();
        batches.into_iter().flat_map(|batch| batch.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(all_ids.len(), 400);
    let mut client = server.client().bearer(&token);
    assert_eq!(client.get(&format!("{RECORDS}/$count")).text(), "400");
}

#[test]
fn what_graph_does_not_support_is_refused_or_ignored() {
    let (_callvault, _server, mut client) = served();
    let grouped = json!([{"id": "1", "atomicityGroup": "g", "method": "GET",
        "url": "/communications/callRecords"}]);
    let refused = send(&mut client, &grouped);
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (400, "BadRequest"),
        "{}",
        refused.text()
    );
    let body = json!({"requests": [get("1", "/communications/callRecords")]}).to_string();
    let headers = [("Content-Type", "application/json"), ("Prefer", "respond-async")];
    let answer = client.send("POST", BATCH, &headers, body.as_bytes());
    assert_eq!((answer.status, answer.header("preference-applied")), (200, None));
    assert_eq!(answer.json()["responses"][0]["status"], 200);
}

#[test]
fn a_body_needs_its_type_and_non_json_is_base64url() {
    let (_callvault, _server, mut client) = served();
    let post = |id: &str, headers: Value, body: Value| {
        json!({"id": id, "method": "POST", "url": "/communications/callRecords/$query",
            "headers": headers, "body": body})
    };
    let answers = answers(
        &mut client,
        &json!([
            post("untyped", json!({}), json!("JGNvdW50PXRydWU")),
            post("text", json!({"Content-Type": "text/plain"}), json!("JGNvdW50PXRydWU")),
            get("count", "/communications/callRecords/$count"),
        ]),
    );
    assert!(answers["untyped"]["status"].as_u64().unwrap() >= 400, "{}", answers["untyped"]);
    assert_eq!(answers["text"]["body"]["@odata.count"], 0, "{}", answers["text"]);
    assert_eq!(answers["count"]["body"], "MA==");
}
