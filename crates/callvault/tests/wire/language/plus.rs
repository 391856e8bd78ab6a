//! What `+` stands for in a query, as clients of different habits write it: in addresses, in bodies of
//! `$query`, and in the addresses of a batch.

use serde_json::{Value, json};

use super::{Asked, RECORDS, names};

/// Queries as they go over the wire, each with the records that meet it.
const QUERIES: &[(&str, &str)] = &[
    // Percent-encoded throughout: JavaScript's encodeURIComponent, .NET, Python's requests.
    ("%24filter=organizer_v2%2Fidentity%2Fphone%2Fid%20eq%20%27%2B1%20(555)%20010-0182%27", "r8"),
    // A plus as it is, since a URL may have it: curl, Go's url.PathEscape.
    ("$filter=organizer_v2/identity/phone/id%20eq%20'+1%20(555)%20010-0182'", "r8"),
    ("$filter=startswith(organizer_v2/identity/phone/id,'+')", "r8"),
    ("$filter=version%20eq%201e+0%20and%20type%20eq%20'unknown'", "r4"),
    ("$filter=version%20eq%20+7", "r7"),
    // Encoded as forms are: o.js, graph-rs-sdk, URLSearchParams, Python's urlencode.
    ("%24filter=organizer_v2%2Fidentity%2Fphone%2Fid+eq+%27%2B1+%28555%29+010-0182%27", "r8"),
    ("$filter=version+eq+7&$select=id", "r7"),
    ("$filter=version+eq+7e+0", "r7"),
    ("$filter=version%20eq%20@v&@v=7&$orderby=startDateTime+desc", "r7"),
    ("$orderby=version+desc,id&$top=1", "r5"),
    ("$select=id,+version&$filter=id%20eq%20'r7'", "r7"),
];

#[test]
fn plus_is_a_space_in_forms_and_itself_elsewhere() {
    let mut asked = Asked::new();
    let mut faults = Vec::new();
    let text = [("Content-Type", "text/plain")];
    for (query, expected) in QUERIES {
        let asked_for = asked.client.get(&format!("{RECORDS}?{query}"));
        let posted =
            asked.client.send("POST", &format!("{RECORDS}/$query"), &text, query.as_bytes());
        let url = format!("/communications/callRecords?{query}");
        let batch = json!({"requests": [{"id": "1", "method": "GET", "url": url}]});
        let json = [("Content-Type", "application/json")];
        let batch = batch.to_string();
        let batch = asked.client.send("POST", "/v1.0/$batch", &json, batch.as_bytes()).json();
        let bodies: [(&str, Value); 3] = [
            ("GET", asked_for.json()),
            ("$query", posted.json()),
            ("$batch", batch["responses"][0]["body"].clone()),
        ];
        for (way, body) in bodies {
            if names(&body["value"]).as_deref() != Some(expected) {
                faults.push(format!("{way} {query}: {body}"));
            }
        }
    }
    super::report(&faults);
}

#[test]
fn offset_of_a_time_keeps_its_sign() {
    let mut asked = Asked::new();
    for query in [
        "$filter=startDateTime%20le%202100-01-01T12:08:39.6469153+03:00",
        "$filter=startDateTime%20le%202100-01-01T12%3A08%3A39%2B03:00",
        "$filter=startDateTime+le+2100-01-01T12:08:39+03:00",
        "$filter=startDateTime+le+2100-01-01T12%3A08+03%3A00",
    ] {
        let answer = asked.client.get(&format!("{RECORDS}/$count?{query}"));
        assert_eq!(answer.text(), "8", "{query}");
    }
}
