//! Rate limits. They refill so slowly here (within an hour) that the speed of the machine does not matter;
//! `throttle` tests the timing.

use testkit::{Client, OTHER_TENANT, Server};

use super::{READ, RECORDS, TENANT, WRITE, callvault, record};

/// A server with these limits, two records of either tenant, and a client of each.
fn throttled(rate: &str) -> (testkit::Callvault, Server, [Client; 2]) {
    let callvault = callvault();
    let config = callvault.folder().join("callvault.toml");
    std::fs::write(&config, format!("[limits]\nrate = {rate}\n")).unwrap();
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let clients = [TENANT, OTHER_TENANT].map(|tenant| {
        let mut client = server.client().bearer(&callvault.token(tenant, &[READ, WRITE]));
        for id in ["11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"] {
            assert_eq!(client.post(RECORDS, record(id, 1, 1).as_bytes()).status, 201);
        }
        client
    });
    (callvault, server, clients)
}

const ONE: &str = "/v1.0/communications/callRecords/11111111-0000-4000-8000-000000000001";
const OTHER: &str = "/v1.0/communications/callRecords/11111111-0000-4000-8000-000000000002";

#[test]
fn a_record_that_is_requested_too_often_is_429_as_in_graph() {
    let (_callvault, _server, [mut client, mut of_other_tenant]) =
        throttled("{ record = '10/1h' }");
    // In any form, it counts as the same record.
    for target in [ONE.to_owned(), format!("{ONE}?$expand=sessions"), format!("{ONE}/sessions")] {
        assert_eq!(client.get(&target).status, 200, "{target}");
    }
    assert_eq!(until_refused(&mut client, ONE), 7, "and those three");
    let refused = client.get(ONE);
    assert_eq!((refused.status, refused.code().as_str()), (429, "TooManyRequests"));
    // A tenth of the hour, less what has passed of it.
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=360).contains(&wait), "{wait}");
    for (who, client) in [("itself", &mut client), ("of another tenant", &mut of_other_tenant)] {
        assert_eq!(client.get(OTHER).status, 200, "another record, {who}");
        assert_eq!(client.get(RECORDS).status, 200, "a list, {who}");
    }
    assert_eq!(of_other_tenant.get(ONE).status, 200, "the same id of another tenant");
    // Graph takes no records, so that it has no limit for it.
    assert_eq!(client.post(RECORDS, record("r3", 1, 1).as_bytes()).status, 201);
}

#[test]
fn limits_of_ones_own_count_what_they_name() {
    // Two are used up by the records that are put in.
    let (_callvault, server, [mut client, mut other]) =
        throttled("{ application = '5/1h', tenant = '5/1h' }");
    let statuses = [(); 4].map(|()| client.get(ONE).status);
    assert_eq!(statuses, [200, 200, 200, 429]);
    assert_eq!(client.get(RECORDS).status, 429);
    assert_eq!(client.get("/v1.0/subscriptions").status, 200, "no call record");
    assert_eq!(client.get("/v1.0/$metadata").status, 200, "asked by nobody");
    assert_eq!(server.client().get(ONE).status, 401, "nobody is told to wait");
    assert_eq!(other.get(ONE).status, 200);
}

#[test]
fn an_application_has_a_limit_over_all_tenants() {
    // Four are used up by the records that are put in.
    let (_callvault, _server, [mut client, mut other]) = throttled("{ everywhere = '6/1h' }");
    let statuses =
        [client.get(RECORDS), other.get(RECORDS), client.get(RECORDS), other.get(RECORDS)];
    assert_eq!(statuses.map(|answer| answer.status), [200, 200, 429, 429]);
}

#[test]
fn further_pages_of_a_record_have_a_limit_of_their_own() {
    let (_callvault, _server, [mut client, _]) =
        throttled("{ record = '2/1h', following = '5/1h' }");
    let session = |number: u64| {
        serde_json::json!({"id": format!("s{number}"), "startDateTime": "2025-01-01T00:00:00Z",
            "endDateTime": "2025-01-01T00:01:00Z", "modalities": ["audio"]})
    };
    let sessions: Vec<_> = (0..130).map(session).collect();
    let meeting = serde_json::json!({"id": "11111111-0000-4000-8000-000000000003", "version": 1,
        "startDateTime": "2025-01-01T00:00:00Z", "endDateTime": "2025-01-01T00:01:00Z",
        "sessions": sessions});
    assert_eq!(client.post(RECORDS, meeting.to_string().as_bytes()).status, 201);
    let first = client.get(&format!("{RECORDS}/11111111-0000-4000-8000-000000000003/sessions"));
    let link = first.json()["@odata.nextLink"].as_str().unwrap().to_owned();
    assert_eq!(until_refused(&mut client, &link), 5);
    assert_eq!(client.get(&link).status, 429);
    let again = format!("{RECORDS}/11111111-0000-4000-8000-000000000003/sessions");
    assert_eq!(client.get(&again).status, 200, "the first page counts apart");
    assert_eq!(client.get(&again).status, 429);
}

#[test]
fn the_list_has_limits_of_its_own() {
    let (_callvault, _server, [mut client, mut of_other_tenant]) =
        throttled("{ list = '3/1h', list_following = '4/1h' }");
    for number in 0..70 {
        let id = format!("11111111-0000-4000-8000-0000000001{number:02}");
        assert_eq!(client.post(RECORDS, record(&id, 1, 1).as_bytes()).status, 201);
    }
    let link = client.get(RECORDS).json()["@odata.nextLink"].as_str().unwrap().to_owned();
    assert_eq!(until_refused(&mut client, &link), 4);
    assert_eq!(until_refused(&mut client, &format!("{RECORDS}?$select=id")), 2, "with that one");
    assert_eq!(client.get(ONE).status, 200, "a record");
    assert_eq!(of_other_tenant.get(RECORDS).status, 200);
}

#[test]
fn an_application_and_a_tenant_have_limits_of_their_own() {
    // Two are used up by the records that are put in.
    let (callvault, server, [mut client, mut of_other_tenant]) =
        throttled("{ application = '20/1h', tenant = '50/1h' }");
    assert_eq!(until_refused(&mut client, RECORDS), 18, "of an application");
    let of_another = |name: &str| {
        let create =
            ["app", "create", "--json", "--tenant", TENANT, "--name", name, "--role", READ];
        let app: serde_json::Value = serde_json::from_str(&callvault.succeed(&create)).unwrap();
        let token = ["token", "--tenant", TENANT, "--role", READ, "--app"];
        let token = callvault.succeed(&[&token[..], &[app["clientId"].as_str().unwrap()]].concat());
        until_refused(&mut server.client().bearer(token.trim()), RECORDS)
    };
    assert_eq!(of_another("second"), 20);
    assert_eq!(of_another("third"), 10, "what is left of the tenant's");
    assert_eq!(of_another("fourth"), 0);
    assert_eq!(of_other_tenant.get(RECORDS).status, 200);
}

/// How often a target is answered before it is refused.
fn until_refused(client: &mut Client, target: &str) -> usize {
    (0..100).take_while(|_| client.get(target).status == 200).count()
}
