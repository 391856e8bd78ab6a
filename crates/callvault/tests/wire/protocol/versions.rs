//! Which version of OData an answer is written in (OData Protocol sections 8.1.5 and 8.2.7).

use super::super::record;
use super::{RECORDS, served};

const MAX: &str = "OData-MaxVersion";

#[test]
fn an_answer_has_the_version_that_the_client_takes() {
    let (_callvault, _server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    for target in [
        "/v1.0/$metadata",
        "/v1.0",
        "/beta/$metadata",
        RECORDS,
        &format!("{RECORDS}/r1"),
        "/v1.0/x",
    ] {
        for (most, version) in
            [(None, "4.0"), (Some("4.0"), "4.0"), (Some("4.01"), "4.01"), (Some("5.0"), "4.01")]
        {
            let lines: Vec<(&str, &str)> = most.map(|most| (MAX, most)).into_iter().collect();
            let answer = client.get_with(target, &lines);
            assert_eq!(answer.header("odata-version"), Some(version), "{target} {most:?}");
            if target.ends_with("$metadata") {
                let edmx = format!("<edmx:Edmx Version=\"{version}\"");
                assert!(answer.text().contains(&edmx), "{target} {most:?}");
            }
        }
        assert_eq!(client.get_with(target, &[(MAX, "3.0")]).status, 400, "{target}");
    }
    assert!(client.get(RECORDS).header("vary").unwrap().contains(MAX));
}

#[test]
fn the_model_in_json_exists_since_4_01() {
    let (_callvault, _server, mut client) = served();
    let (json, both) = ("application/json", "application/json, application/xml;q=0.5");
    for (most, accept, expected) in [
        (None, json, Some("json")),
        (None, both, Some("json")),
        (Some("4.01"), json, Some("json")),
        (Some("4.01"), both, Some("json")),
        (Some("4.0"), both, Some("xml")),
        (Some("4.0"), "application/json, */*;q=0.1", Some("xml")),
        (Some("4.0"), json, None),
        (Some("4.0"), "application/xml", Some("xml")),
    ] {
        let mut lines = vec![("Accept", accept)];
        lines.extend(most.map(|most| (MAX, most)));
        let answer = client.get_with("/v1.0/$metadata", &lines);
        let kind = answer.header("content-type").unwrap().to_owned();
        match expected {
            Some(expected) => {
                assert!(
                    kind.starts_with(&format!("application/{expected}")),
                    "{most:?} {accept}: {kind}"
                );
            }
            None => assert_eq!(answer.status, 406, "{most:?} {accept}"),
        }
    }
    assert_eq!(client.get_with("/v1.0/$metadata?$format=json", &[(MAX, "4.0")]).status, 406);
    assert_eq!(client.get_with("/v1.0", &[(MAX, "4.0"), ("Accept", json)]).status, 200);
}

#[test]
fn the_model_says_its_versions_and_the_digits_of_times() {
    let (_callvault, _server, mut client) = served();
    let text = client.get("/v1.0/$metadata").text();
    assert!(
        text.contains("<Annotation Term=\"Core.ODataVersions\" String=\"4.0 4.01\" />"),
        "no versions"
    );
    for line in text.lines() {
        let is_temporal =
            line.contains("\"Edm.DateTimeOffset\"") || line.contains("\"Edm.Duration\"");
        assert!(!is_temporal || line.contains("Precision=\"12\""), "{line}");
    }
    let json = client.get_with("/v1.0/$metadata", &[("Accept", "application/json")]).json();
    let record = &json["microsoft.graph.callRecords"]["callRecord"];
    assert_eq!(record["startDateTime"]["$Precision"], 12, "{record}");
    let stream = &json["microsoft.graph.callRecords"]["mediaStream"];
    assert_eq!(stream["averageJitter"]["$Precision"], 12, "{stream}");
}
