//! Ids of calls and of chains in records made from events.

use odata::json::{Node, push_string};
use odata::key;
use testkit::{TENANT, until};

use super::{HOSTILE, first, parsed};
use crate::{READ, RECORDS, WRITE, callvault};

#[test]
fn the_record_of_a_chain_has_only_its_id() {
    let callvault = callvault();
    let config = callvault.folder().join("callvault.toml");
    std::fs::write(&config, "[calls]\ngrace = 0\n").unwrap();
    let token = callvault.token(TENANT, &[READ, WRITE]);
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let mut client = server.client().bearer(&token);
    let events = "/v1.0/communications/callvault.callEvents";
    for text in HOSTILE {
        let quoted = |front: &str| {
            let mut out = Vec::new();
            push_string(&mut out, &format!("{front}{text}"));
            String::from_utf8(out).unwrap()
        };
        let id = quoted("");
        let event = |ty: &str, second: u32| {
            let event_id = quoted(&second.to_string());
            format!(
                r#"{{"eventId":{event_id},"callId":{id},"callChainId":{id},"time":"2026-11-20T10:00:0{second}Z","type":"{ty}","participant":{{"user":{{"id":{id},"displayName":{id}}}}}}}"#
            )
        };
        let body = format!("{{\"events\":[{},{}]}}", event("started", 1), event("ended", 9));
        let told = client.post(events, body.as_bytes()).text();
        let results = parsed(text, &told);
        for result in results.get("value").and_then(Node::as_array).unwrap() {
            let status = result.get("status").unwrap().as_text().unwrap();
            assert_eq!(status.value(), "accepted", "{told}");
        }
        let path = format!("{RECORDS}{}", key::in_path(text));
        until(&format!("the record of {text:?}"), || client.get(&path).status == 200);
        let call = format!("/v1.0/communications/calls{}", key::in_path(text));
        for target in [
            path.clone(),
            format!("{path}?$expand=sessions($expand=segments)"),
            format!("{path}/callvault.versions()"),
            format!("{RECORDS}?$select=id&$top=1"),
            format!("{RECORDS}?$expand=sessions,participants_v2"),
            "/v1.0/communications/calls".to_owned(),
            call.clone(),
            format!("{call}/callvault.events()"),
        ] {
            let answer = client.get(&target);
            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
            parsed(&target, &answer.text());
        }
        let body = client.get(&path).text();
        let record = parsed(&path, &body);
        assert_eq!(first(&record, &["id"]).unwrap().as_text().unwrap().value(), *text);
        assert_eq!(*first(&record, &["version"]).unwrap(), Node::Number("1".into()));
    }
}
