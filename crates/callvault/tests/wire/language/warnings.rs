//! What an answer says of members of enumerations that nothing declares.

use super::{Asked, RECORDS};

const HOLO: &str = "'holoCall' is not a declared member of microsoft.graph.callRecords.callType.";
const SMELL: &str = "'smell' is not a declared member of microsoft.graph.callRecords.modality.";

#[test]
fn undeclared_members_are_answered_with_a_warning() {
    let mut asked = Asked::new();
    let of_any = "$filter=modalities/any(m:m eq 'smell')";
    for (target, warning) in [
        ("?$filter=type eq 'holoCall'", HOLO),
        ("?$filter=type ne 'holoCall'", HOLO),
        ("?$filter=type in ('holoCall','groupCall')", HOLO),
        ("?$filter=type has 'holoCall'", HOLO),
        ("?$filter=type eq microsoft.graph.callRecords.callType'holoCall'", HOLO),
        (&*format!("?{of_any}"), SMELL),
        (&*format!("?{of_any} and modalities/any(m:m ne 'smell')"), SMELL),
        ("?$apply=filter(type eq 'holoCall')", HOLO),
        ("?$apply=filter(type eq 'holoCall')/aggregate($count as n)", HOLO),
        ("?$orderby=type eq 'holoCall'", HOLO),
        ("?$compute=type eq 'holoCall' as x&$select=x", HOLO),
        ("/$filter(type eq 'holoCall')", HOLO),
        ("?$filter=type eq 'holoCall'&$format=application/json;odata.metadata=none", HOLO),
        ("?$filter=type eq 'holoCall'&$format=application/json;odata.metadata=full", HOLO),
        ("/r1?$expand=sessions($filter=modalities/any(m:m eq 'smell'))", SMELL),
        ("/r1/sessions?$filter=modalities/any(m:m eq 'smell')", SMELL),
        ("/callvault.sessions()?$filter=modalities/any(m:m eq 'smell')", SMELL),
        ("/r1/sessions/$ref?$filter=modalities/any(m:m eq 'smell')", SMELL),
    ] {
        let body = asked.body(&format!("{RECORDS}{target}"));
        assert_eq!(body["@callvault.warning"], warning, "{target}: {body}");
    }
    let both = "?$filter=type eq 'holoCall' or modalities/any(m:m eq 'smell')";
    let body = asked.body(&format!("{RECORDS}{both}"));
    assert_eq!(body["@callvault.warning"], format!("{HOLO} {SMELL}"));
    let text = asked.get(&format!("{RECORDS}?$filter=type eq 'holoCall'&$select=id")).text();
    let start = format!("\"@callvault.warning\":\"{HOLO}\",\"value\":[{{\"id\":\"r5\"}}]}}");
    assert!(text.ends_with(&start), "{text}");
}

#[test]
fn an_answer_that_is_text_has_it_in_a_line_before_it() {
    let mut asked = Asked::new();
    for (target, text, warning) in [
        ("/$count?$filter=type eq 'holoCall'", "1", Some(HOLO)),
        ("/$filter(type eq 'holoCall')/$count", "1", Some(HOLO)),
        ("/$count?$apply=filter(type eq 'holoCall')", "1", Some(HOLO)),
        ("/r1/modalities/$count?$filter=$it eq 'smell'", "0", Some(SMELL)),
        ("/r1/sessions/$count?$filter=modalities/any(m:m eq 'smell')", "0", Some(SMELL)),
        ("/callvault.sessions()/$count?$filter=modalities/any(m:m eq 'smell')", "0", Some(SMELL)),
        ("/$count?$filter=type eq 'groupCall' and id eq 'r1'", "0", None),
        ("/r1/type/$value", "peerToPeer", None),
    ] {
        let answer = asked.get(&format!("{RECORDS}{target}"));
        assert_eq!(answer.text(), text, "{target}");
        assert_eq!(answer.header("callvault-warning"), warning, "{target}");
    }
}

#[test]
fn a_literal_that_is_cast_is_a_member_like_any_other() {
    let mut asked = Asked::new();
    let ty = "microsoft.graph.callRecords.callType";
    let body = asked.body(&format!("{RECORDS}?$filter=cast('holoCall',{ty}) eq type&$select=id"));
    assert_eq!(
        (&body["@callvault.warning"], &body["value"][0]["id"]),
        (&HOLO.into(), &"r5".into())
    );
    let refused = asked.get(&format!("{RECORDS}?$filter=cast('grupCall',{ty}) eq type"));
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("Did you mean 'groupCall'?"), "{}", refused.text());
}

#[test]
fn what_is_declared_has_no_warning() {
    let mut asked = Asked::new();
    for target in [
        "?$filter=type eq 'groupCall'",
        "?$filter=type eq '1'",
        "?$filter=type eq 'GROUPCALL'",
        "?$filter=id eq 'holoCall'",
        "?$top=1",
        "/r1",
    ] {
        let body = asked.body(&format!("{RECORDS}{target}"));
        assert_eq!(body.get("@callvault.warning"), None, "{target}");
    }
}

#[test]
fn questions_in_a_body_and_in_a_batch_have_it_too() {
    let mut asked = Asked::new();
    let text = [("Content-Type", "text/plain")];
    let query = b"$filter=type eq 'holoCall'";
    let answer = asked.client.send("POST", &format!("{RECORDS}/$query"), &text, query);
    assert_eq!(answer.json()["@callvault.warning"], HOLO, "{}", answer.text());
    let batch = serde_json::json!({"requests": [{
        "id": "1", "method": "GET",
        "url": "/communications/callRecords?$filter=type%20eq%20'holoCall'",
    }]});
    let answer = asked.client.post("/v1.0/$batch", batch.to_string().as_bytes());
    assert_eq!(answer.json()["responses"][0]["body"]["@callvault.warning"], HOLO);
}

#[test]
fn a_command_says_it_beside_its_output() {
    let asked = Asked::new();
    let list = ["list", "--tenant", super::TENANT, "--filter", "type eq 'holoCall'"];
    for more in [&[][..], &["--select", "id"][..]] {
        let ended = asked.callvault.run(&[&list[..], more].concat());
        assert!(ended.status.success());
        assert!(ended.stderr.contains(&*format!("warning: {HOLO}")), "{}", ended.stderr);
    }
}
