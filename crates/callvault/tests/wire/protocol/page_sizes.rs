//! How many rows a page has: as many as are asked for, where Graph has no such list.

use super::super::{record, served_with};
use super::{RECORDS, served};
use testkit::Client;

fn fill(client: &mut Client) {
    let lines: Vec<String> = (0..150)
        .map(|number| {
            let mut record: serde_json::Value =
                serde_json::from_str(&record(&format!("r{number}"), 1, number)).unwrap();
            let (start, end) = (record["startDateTime"].clone(), record["endDateTime"].clone());
            record["sessions"] = serde_json::json!([
                {"id": format!("s{number}"), "startDateTime": start, "endDateTime": end},
            ]);
            record.to_string()
        })
        .collect();
    let kind = [("Content-Type", "application/x-ndjson")];
    let body = lines.join("\n");
    let answer =
        client.send("POST", &format!("{RECORDS}/callvault.import"), &kind, body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The sizes of the first page and of that behind it, and what was applied.
fn sizes(client: &mut Client, path: &str, wanted: u32) -> (usize, usize, String) {
    let prefer = format!("maxpagesize={wanted}");
    let lines: &[(&str, &str)] = if wanted == 0 { &[] } else { &[("Prefer", &prefer)] };
    let answer = client.get_with(&format!("{RECORDS}{path}"), lines);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let size = |body: &serde_json::Value| body["value"].as_array().unwrap().len();
    let body = answer.json();
    let next = body["@odata.nextLink"].as_str().map_or(0, |next| size(&client.get(next).json()));
    (size(&body), next, answer.header("preference-applied").unwrap_or_default().to_owned())
}

#[test]
fn rows_come_in_pages_of_up_to_a_thousand() {
    let (_callvault, _server, mut client) = served();
    fill(&mut client);
    for (path, wanted, expected) in [
        ("/callvault.sessions()", 0, (60, 60, "")),
        ("/callvault.sessions()", 100, (100, 50, "odata.maxpagesize=100")),
        ("/callvault.sessions()", 5_000, (150, 0, "odata.maxpagesize=1000")),
        ("/callvault.sessions()?$orderby=id", 140, (140, 10, "odata.maxpagesize=140")),
        ("?$apply=groupby((id))", 0, (60, 60, "")),
        ("?$apply=groupby((id))", 120, (120, 30, "odata.maxpagesize=120")),
        ("?$apply=filter(version eq 1)", 120, (60, 60, "odata.maxpagesize=60")),
        ("", 0, (60, 60, "")),
        ("", 120, (60, 60, "odata.maxpagesize=60")),
        ("?$select=id", 120, (60, 60, "odata.maxpagesize=60")),
    ] {
        let (first, next, applied) = expected;
        let expected = (first, next, applied.to_owned());
        assert_eq!(sizes(&mut client, path, wanted), expected, "{path} {wanted}");
    }
}

#[test]
fn a_setting_bounds_them_and_strictly_they_are_graphs() {
    for (settings, expected) in [
        ("limits.page_size = 80\n", 80),
        ("graph.strict = \"on\"\n", 60),
        ("limits.page_size = 1\n", 60),
    ] {
        let (_callvault, _server, mut client) = served_with(settings);
        fill(&mut client);
        let found = sizes(&mut client, "/callvault.sessions()", 100);
        assert_eq!(found.0, expected, "{settings}");
        assert_eq!(found.2, format!("odata.maxpagesize={expected}"), "{settings}");
    }
}
