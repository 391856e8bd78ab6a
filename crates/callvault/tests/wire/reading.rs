//! Lists, pages, counts, single entities and versions.

use serde_json::Value;

use super::{RECORDS, all_pages, fixture, ids, record, served};

fn filled(count: u64) -> (testkit::Callvault, testkit::Server, testkit::Client) {
    let (callvault, server, mut client) = served();
    let lines: Vec<String> =
        (0..count).map(|number| record(&format!("r{number:04}"), 1, number)).collect();
    let target = format!("{RECORDS}/callvault.import");
    let ndjson = [("Content-Type", "application/x-ndjson")];
    let answer = client.send("POST", &target, &ndjson, lines.join("\n").as_bytes());
    assert!(answer.lines().iter().all(|line| line["status"] == "created"), "{}", answer.text());
    (callvault, server, client)
}

#[test]
fn the_list_is_newest_first_in_pages_of_sixty() {
    let (_callvault, server, mut client) = filled(150);
    let page = client.get(RECORDS).json();
    let root = format!("http://{}", server.address);
    let context = format!("{root}/v1.0/$metadata#communications/callRecords");
    assert_eq!(page["@odata.context"], context);
    assert_eq!(page["value"].as_array().unwrap().len(), 60);
    let link = page["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with(&format!("{root}{RECORDS}?$skiptoken=")), "{link}");
    assert!(page.get("@odata.count").is_none());
    let row = &page["value"][0];
    let organizer = &row["organizer_v2"];
    assert!(organizer.is_null() && row.get("sessions").is_none(), "{row}");

    let items = all_pages(&mut client, RECORDS);
    let expected: Vec<String> = (0..150).rev().map(|number| format!("r{number:04}")).collect();
    assert_eq!(ids(&items), expected);
}

#[test]
fn pages_stay_whole_while_records_come_and_change() {
    let (_callvault, _server, mut client) = filled(130);
    let first = client.get(RECORDS).json();
    client.post(RECORDS, record("new", 1, 2000).as_bytes());
    client.post(RECORDS, record("r0001", 2, 1).as_bytes());
    let rest = all_pages(&mut client, first["@odata.nextLink"].as_str().unwrap());
    let mut seen = ids(first["value"].as_array().unwrap());
    seen.extend(ids(&rest));
    let expected: Vec<String> = (0..130).rev().map(|number| format!("r{number:04}")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn records_are_found_by_start_and_participant() {
    let (_callvault, _server, mut client) = filled(30);
    for (filter, expected) in [
        ("startDateTime ge 2025-01-01T00:28:00Z", vec!["r0029", "r0028"]),
        ("startDateTime gt 2025-01-01T00:28:00Z", vec!["r0029"]),
        ("startDateTime lt 2025-01-01T00:01:00Z", vec!["r0000"]),
        ("startDateTime le 2025-01-01T00:01:00.000Z", vec!["r0001", "r0000"]),
        (
            "startDateTime ge 2025-01-01T00:10:00Z and startDateTime lt 2025-01-01T00:20:00Z and participants_v2/any(p:p/id eq 'user-1')",
            vec!["r0019", "r0016", "r0013", "r0010"],
        ),
        ("participants_v2/any(p:p/id eq 'nobody')", vec![]),
    ] {
        let target = format!("{RECORDS}?$filter={filter}&$count=true");
        let answer = client.get(&target).json();
        assert_eq!(ids(answer["value"].as_array().unwrap()), expected, "{filter}");
        assert_eq!(answer["@odata.count"], expected.len(), "{filter}");
        let count = client.get(&format!("{RECORDS}/$count?$filter={filter}"));
        assert_eq!(count.text(), expected.len().to_string(), "{filter}");
        assert!(count.header("content-type").unwrap().starts_with("text/plain"));
    }
}

#[test]
fn top_limits_the_whole_result_and_page_sizes_can_be_smaller() {
    let (_callvault, _server, mut client) = filled(100);
    let top = |client: &mut testkit::Client, top: usize| {
        all_pages(client, &format!("{RECORDS}?$top={top}")).len()
    };
    assert_eq!([top(&mut client, 0), top(&mut client, 1), top(&mut client, 75)], [0, 1, 75]);
    let answer = client.get_with(RECORDS, &[("Prefer", "odata.maxpagesize=7")]);
    assert_eq!(answer.json()["value"].as_array().unwrap().len(), 7);
    assert!(answer.header("preference-applied").unwrap().contains("maxpagesize=7"));
    let clamped = client.get_with(RECORDS, &[("Prefer", "odata.maxpagesize=1000")]);
    assert_eq!(clamped.json()["value"].as_array().unwrap().len(), 60);
    assert!(clamped.header("preference-applied").unwrap().contains("maxpagesize=60"));
    let link = answer.json()["@odata.nextLink"].as_str().unwrap().to_owned();
    let second = client.get(&link).json();
    assert_eq!(second["value"].as_array().unwrap().len(), 7, "the link carries the page size");
    let counted = client.get(&format!("{RECORDS}?$top=3&$count=true")).json();
    assert_eq!(
        (counted["@odata.count"].as_u64(), ids(counted["value"].as_array().unwrap()).len()),
        (Some(100), 3)
    );
}

#[test]
fn tampered_links_are_refused() {
    let (_callvault, _server, mut client) = filled(70);
    let page = client.get(&format!("{RECORDS}?$top=65")).json();
    let link = page["@odata.nextLink"].as_str().unwrap();
    assert_eq!(client.get(link).status, 200);
    for changed in
        [link.replace("$top=65", "$top=66"), link.replace("$top=65&", ""), format!("{link}A")]
    {
        let answer = client.get(&changed);
        assert_eq!(answer.status, 400, "{changed}");
        assert_eq!(answer.code(), "BadRequest");
    }
}

#[test]
fn everything_below_a_record_has_an_address() {
    let (_callvault, server, mut client) = served();
    let text = fixture("group-expanded-2025");
    assert_eq!(client.post(RECORDS, text.as_bytes()).status, 201);
    let sample: Value = serde_json::from_str(&text).unwrap();
    let id = sample["id"].as_str().unwrap();
    let session = sample["sessions"][0]["id"].as_str().unwrap();
    let segment = sample["sessions"][0]["segments"][0]["id"].as_str().unwrap();
    let person = sample["participants_v2"][0]["id"].as_str().unwrap();
    let base = format!("{RECORDS}/{id}");
    let context =
        |text: &str| format!("http://{}/v1.0/$metadata#communications/{text}", server.address);
    let count = sample["participants_v2"].as_array().unwrap().len();
    for (path, expected) in [
        ("/sessions".to_owned(), format!("callRecords('{id}')/sessions")),
        (
            "/sessions?$expand=segments".to_owned(),
            format!("callRecords('{id}')/sessions(segments())"),
        ),
        (format!("/sessions/{session}"), format!("callRecords('{id}')/sessions/$entity")),
        (
            format!("/sessions('{session}')/segments"),
            format!("callRecords('{id}')/sessions('{session}')/segments"),
        ),
        (
            format!("/sessions/{session}/segments/{segment}"),
            format!("callRecords('{id}')/sessions('{session}')/segments/$entity"),
        ),
        ("/participants_v2".to_owned(), format!("callRecords('{id}')/participants_v2")),
        (
            format!("/participants_v2/{person}"),
            format!("callRecords('{id}')/participants_v2/$entity"),
        ),
        ("/organizer_v2".to_owned(), format!("callRecords('{id}')/organizer_v2/$entity")),
        ("/callvault.version(version=1)".to_owned(), "callRecords/$entity".to_owned()),
        ("/callvault.versions()".to_owned(), "callRecords".to_owned()),
    ] {
        let answer = client.get(&format!("{base}{path}"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.json()["@odata.context"], context(&expected), "{path}");
    }
    for (path, expected) in [
        ("/sessions/$count".to_owned(), 1),
        (format!("/sessions/{session}/segments/$count"), 1),
        ("/participants_v2/$count".to_owned(), count),
    ] {
        assert_eq!(client.get(&format!("{base}{path}")).text(), expected.to_string(), "{path}");
    }
    for path in ["/sessions/none", "/participants_v2/none", "/callvault.version(version=9)"] {
        assert_eq!(client.get(&format!("{base}{path}")).status, 404, "{path}");
    }
}

#[test]
fn every_version_stays_readable() {
    let (_callvault, _server, mut client) = served();
    for (version, result) in [(2, "created"), (3, "replaced"), (1, "archived"), (3, "unchanged")] {
        let answer = client.post(RECORDS, record("a", version, version).as_bytes());
        assert_eq!(answer.header("callvault-result"), Some(result), "{}", answer.text());
        assert_eq!(answer.json()["version"], version);
    }
    assert_eq!(client.get(&format!("{RECORDS}/a")).json()["version"], 3);
    let versions = client.get(&format!("{RECORDS}/a/callvault.versions()")).json();
    let numbers: Vec<_> = versions["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["version"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    let first =
        client.get(&format!("{RECORDS}/a/callvault.version(version=1)?$expand=participants_v2"));
    assert_eq!(first.json()["participants_v2"][0]["id"], "user-1");
    let list = client.get(RECORDS).json();
    assert_eq!(list["value"].as_array().unwrap().len(), 1, "old versions are no rows of the list");
}

#[test]
fn the_service_describes_itself_without_a_token() {
    let (_callvault, server, _client) = served();
    let mut client = server.client();
    for version in ["v1.0", "beta"] {
        let xml = client.get(&format!("/{version}/$metadata"));
        assert_eq!(
            xml.header("content-type").map(|text| text.starts_with("application/xml")),
            Some(true)
        );
        assert!(xml.text().contains("<EntityType Name=\"callRecord\""), "{version}");
        let json =
            client.get_with(&format!("/{version}/$metadata"), &[("Accept", "application/json")]);
        assert!(json.json()["microsoft.graph.callRecords"]["callRecord"].is_object());
        let root = client.get(&format!("/{version}/")).json();
        assert_eq!(root["value"][0]["name"], "subscriptions");
        assert_eq!(root["value"][1]["name"], "communications");
    }
}
