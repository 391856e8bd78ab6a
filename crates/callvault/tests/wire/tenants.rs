//! Tenants are isolated from each other.

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
