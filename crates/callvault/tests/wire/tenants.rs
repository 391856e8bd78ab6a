//! Tenants are isolated from each other.

use odata::percent::encode_query;
use testkit::OTHER_TENANT;

use super::{READ, RECORDS, TENANT, WRITE, callvault, record};

#[test]
fn another_tenants_records_do_not_exist() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let roles = [READ, WRITE];
    let mut mine = server.client().bearer(&callvault.token(TENANT, &roles));
    let mut theirs = server.client().bearer(&callvault.token(OTHER_TENANT, &roles));
    for number in 0..70 {
        assert_eq!(
            mine.post(RECORDS, record(&format!("r{number}"), 1, number).as_bytes()).status,
            201
        );
    }
    let foreign = theirs.get(&format!("{RECORDS}/r1"));
    let absent = theirs.get(&format!("{RECORDS}/none"));
    assert_eq!((foreign.status, absent.status), (404, 404));
    assert_eq!(foreign.json()["error"]["message"], absent.json()["error"]["message"]);
    assert_eq!(theirs.get(&format!("{RECORDS}/$count")).text(), "0");
    assert!(theirs.get(RECORDS).json()["value"].as_array().unwrap().is_empty());
    let filter = "$filter=participants_v2/any(p:p/id eq 'user-1')";
    assert_eq!(theirs.get(&format!("{RECORDS}/$count?{filter}")).text(), "0");

    let link = mine.get(RECORDS).json()["@odata.nextLink"].as_str().unwrap().to_owned();
    assert_eq!(mine.get(&link).status, 200);
    assert_eq!(theirs.get(&link).status, 400, "a link belongs to its tenant");
    let tag = mine.get(&format!("{RECORDS}/r1")).header("etag").unwrap().to_owned();
    assert_eq!(theirs.get_with(&format!("{RECORDS}/r1"), &[("If-None-Match", &tag)]).status, 404);

    assert_eq!(
        theirs.post(RECORDS, record("r1", 1, 9).as_bytes()).status,
        201,
        "ids are a tenant's own"
    );
    assert_ne!(mine.get(&format!("{RECORDS}/r1")).body, theirs.get(&format!("{RECORDS}/r1")).body);
}

#[test]
fn a_link_belongs_to_the_application_that_got_it() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut one = server.client().bearer(&callvault.token(TENANT, &[READ, WRITE]));
    for number in 0..61 {
        one.post(RECORDS, record(&format!("r{number}"), 1, number).as_bytes());
    }
    let link = one.get(RECORDS).json()["@odata.nextLink"].as_str().unwrap().to_owned();
    let created = callvault.succeed(&[
        "app", "create", "--tenant", TENANT, "--name", "other", "--role", READ, "--json",
    ]);
    let app: serde_json::Value = serde_json::from_str(&created).unwrap();
    let id = app["clientId"].as_str().unwrap();
    let token = callvault.succeed(&["token", "--tenant", TENANT, "--role", READ, "--app", id]);
    let mut other = server.client().bearer(token.trim());
    assert_eq!(other.get(RECORDS).status, 200);
    assert_eq!(other.get(&link).status, 400);
}

#[test]
fn what_others_have_stored_fails_no_question() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let roles = [READ, WRITE];
    let mut mine = server.client().bearer(&callvault.token(TENANT, &roles));
    let mut theirs = server.client().bearer(&callvault.token(OTHER_TENANT, &roles));
    let figures = |figures: &str| format!(r#"{{"streamId":"1",{figures}}}"#);
    let plain = figures(
        r#""averageAudioDegradation":0.5,"packetUtilization":1000,"averageBandwidthEstimate":5"#,
    );
    for number in 0..30 {
        let streams = [(Some("main-audio"), plain.as_str())];
        super::quality::keep(&mut mine, &super::quality::call(&format!("c{number}"), &streams));
    }
    // What no engine calculates with.
    let odd = figures(
        r#""averageAudioDegradation":1e-310,"packetUtilization":1000,"averageBandwidthEstimate":9223372036854775807"#,
    );
    let odd = super::quality::call("odd", &[(Some("main-audio"), odd.as_str())]);
    super::quality::keep(&mut theirs, &odd);
    let streams = format!("{RECORDS}/callvault.streams()");
    for condition in [
        "callvault.ratio(packetUtilization,averageAudioDegradation) gt 0",
        "averageBandwidthEstimate add packetUtilization gt 0",
        "averageAudioDegradation mul averageAudioDegradation gt 0",
        "packetUtilization divby averageAudioDegradation gt 0",
    ] {
        let query = encode_query(condition);
        let count = mine.get(&format!("{streams}/$count?$filter={query}"));
        assert_eq!(count.text(), "30", "{condition}");
        let apply = encode_query(&format!("filter({condition})/aggregate($count as n)"));
        let answer = mine.get(&format!("{streams}?$apply={apply}"));
        assert_eq!(answer.json()["value"][0]["n"], 30, "{condition}: {}", answer.text());
    }
}
