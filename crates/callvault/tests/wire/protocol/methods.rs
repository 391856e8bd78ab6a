//! Which methods a resource has, said to whoever asks with another one.

use super::super::{TENANT, WRITE};
use super::{KEY, RECORDS, with_record};

#[test]
fn a_method_that_nothing_answers_is_told_those_of_its_resource() {
    let (callvault, server, _client) = with_record();
    // Nobody has to show a token for it.
    let mut client = server.client();
    let record = format!("{RECORDS}{KEY}");
    for (target, expected) in [
        (RECORDS.to_owned(), "GET, HEAD, POST"),
        (format!("{RECORDS}?$top=1"), "GET, HEAD, POST"),
        (record.clone(), "GET, HEAD, PUT, DELETE"),
        (format!("{record}/sessions"), "GET, HEAD"),
        (format!("{record}/version"), "GET, HEAD"),
        (format!("{RECORDS}/$count"), "GET, HEAD"),
        (format!("{RECORDS}/$query"), "POST"),
        (format!("{RECORDS}/callvault.import"), "POST"),
        (format!("{RECORDS}/callvault.sessions()"), "GET, HEAD"),
        ("/v1.0/communications".to_owned(), "GET, HEAD"),
        ("/v1.0/communications/callEvents".to_owned(), "POST"),
        ("/v1.0/subscriptions".to_owned(), "GET, HEAD, POST"),
        ("/v1.0/subscriptions/x".to_owned(), "GET, HEAD, PATCH, DELETE"),
        ("/v1.0/subscriptions/x/reauthorize".to_owned(), "POST"),
        ("/v1.0/$entity".to_owned(), "GET, HEAD"),
        ("/v1.0/$metadata".to_owned(), "GET, HEAD"),
        ("/beta/$batch".to_owned(), "POST"),
        ("/callvault/places".to_owned(), "GET, HEAD, POST"),
        ("/".to_owned(), "GET, HEAD"),
        // Of what leads nowhere, those that there are.
        ("/v1.0/nothing".to_owned(), "GET, HEAD, POST, PUT, PATCH, DELETE"),
    ] {
        for method in ["OPTIONS", "PROPFIND"] {
            let answer = client.send(method, &target, &[], b"");
            assert_eq!(answer.status, 405, "{method} {target}");
            assert_eq!(answer.header("allow"), Some(expected), "{method} {target}");
        }
    }
    // Nor has a token to have a role that reads.
    let mut writer = server.client().bearer(&callvault.token(TENANT, &[WRITE]));
    let read = writer.get(&format!("{RECORDS}/callvault.import"));
    assert_eq!((read.status, read.header("allow")), (405, Some("POST")), "{}", read.text());
}
