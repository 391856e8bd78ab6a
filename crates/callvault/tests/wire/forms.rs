//! The forms of a response: metadata levels, preferences, selections, ETags and encodings.

use super::{RECORDS, fixture, served};

const ID: &str = "e523d2ed-2966-4b6b-925b-754a88034cc5";

fn with_record() -> (testkit::Callvault, testkit::Server, testkit::Client) {
    let (callvault, server, mut client) = served();
    assert_eq!(client.post(RECORDS, fixture("expanded-beta-2020").as_bytes()).status, 201);
    (callvault, server, client)
}

#[test]
fn real_clients_spellings_are_understood() {
    let (_callvault, _server, mut client) = with_record();
    let expected = client.get(&format!("{RECORDS}/{ID}?$expand=sessions($expand=segments)")).body;
    for spelling in [
        format!("{RECORDS}/{ID}?%24expand=sessions(%24expand%3Dsegments)"),
        format!("{RECORDS}/{ID}?$expand=sessions%28%24expand%3Dsegments%29"),
        format!("{RECORDS}/{ID}?Expand=sessions(%24expand%3Dsegments)"),
        format!("{RECORDS}/{ID}?expand=sessions(expand=segments)"),
        format!("{RECORDS}('{ID}')?$expand=sessions($expand=segments)"),
        format!("{RECORDS}(id='{ID}')?$expand=sessions($expand=segments)&unknown=1"),
        format!("{RECORDS}/{}?$expand=sessions($expand=segments)", ID.to_uppercase()),
    ] {
        let answer = client.get(&spelling);
        assert_eq!(answer.status, 200, "{spelling}: {}", answer.text());
        assert_eq!(answer.body, expected, "{spelling}");
    }
}

#[test]
fn the_content_type_selects_the_form() {
    let (_callvault, _server, mut client) = with_record();
    for (accept, level, compatible) in [
        ("*/*", "minimal", "false"),
        ("application/json", "minimal", "false"),
        ("application/json;odata.metadata=none", "none", "false"),
        ("application/json;odata.metadata=full;IEEE754Compatible=true", "full", "true"),
    ] {
        let answer = client.get_with(&format!("{RECORDS}/{ID}"), &[("Accept", accept)]);
        let expected = format!(
            "application/json; odata.metadata={level}; odata.streaming=true; IEEE754Compatible={compatible}; charset=utf-8"
        );
        assert_eq!(answer.header("content-type"), Some(expected.as_str()));
        assert_eq!(answer.header("odata-version"), Some("4.0"));
        let version = &answer.json()["version"];
        assert_eq!(version.is_string(), compatible == "true", "{version}");
    }
    assert_eq!(client.get_with(&format!("{RECORDS}/{ID}"), &[("Accept", "text/csv")]).status, 406);
}

#[test]
fn selections_reach_into_what_is_expanded() {
    let (_callvault, server, mut client) = with_record();
    let target = format!(
        "{RECORDS}/{ID}?$select=id,version&$expand=sessions($select=id;$expand=segments($select=id))"
    );
    let answer = client.get(&target).json();
    let members: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["@odata.context", "id", "sessions", "sessions@odata.context", "version"]);
    let context = format!(
        "http://{}/v1.0/$metadata#communications/callRecords(id,version,sessions(id,segments(id)))/$entity",
        server.address
    );
    assert_eq!(answer["@odata.context"], context);
    let session = answer["sessions"][0].as_object().unwrap();
    assert!(session.contains_key("id") && !session.contains_key("caller"), "{session:?}");
    assert_eq!(session["segments"][0].as_object().unwrap().len(), 1);
}

#[test]
fn nulls_can_be_left_out() {
    let (_callvault, _server, mut client) = with_record();
    let target = format!("{RECORDS}/{ID}?$expand=sessions($expand=segments)");
    let answer = client.get_with(&target, &[("Prefer", "omit-values=nulls")]);
    assert!(answer.header("preference-applied").unwrap().contains("omit-values=nulls"));
    assert!(!answer.text().contains(":null") && !answer.text().contains(":\"\""));
    assert!(client.get(&target).text().contains(":null"));
}

#[test]
fn an_unchanged_answer_is_not_sent_again() {
    let (_callvault, _server, mut client) = with_record();
    let target = format!("{RECORDS}/{ID}");
    let first = client.get(&target);
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = client.get_with(&target, &[("If-None-Match", &tag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other =
        client.get_with(&target, &[("If-None-Match", &tag), ("Prefer", "omit-values=nulls")]);
    assert_eq!(other.status, 200, "another form has another tag");
    let newer = fixture("expanded-beta-2020").replacen("\"version\": 1", "\"version\": 2", 1);
    assert_eq!(client.post(RECORDS, newer.as_bytes()).status, 200);
    assert_eq!(client.get_with(&target, &[("If-None-Match", &tag)]).status, 200);
}

#[test]
fn head_answers_like_get_without_a_body() {
    let (_callvault, _server, mut client) = with_record();
    let target = format!("{RECORDS}/{ID}");
    let get = client.get(&target);
    let head = client.send("HEAD", &target, &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()));
    assert_eq!(head.header("etag"), get.header("etag"));
}

#[test]
fn answers_are_compressed_on_demand() {
    let (_callvault, _server, mut client) = with_record();
    let target = format!("{RECORDS}/{ID}?$expand=sessions($expand=segments)");
    let plain = client.get(&target);
    for coding in ["gzip", "br", "zstd"] {
        let answer = client.get_with(&target, &[("Accept-Encoding", coding)]);
        assert_eq!(answer.header("content-encoding"), Some(coding));
        assert!(answer.body.len() * 3 < plain.body.len(), "{coding}");
        assert!(answer.header("vary").unwrap().contains("Accept-Encoding"));
    }
}
