//! How often an application may ask, where limits are set.

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
fn a_record_that_is_asked_for_too_often_is_429_as_graph_has_it() {
    let (_callvault, _server, [mut client, mut of_other_tenant]) = throttled("'graph'");
    // Read in any form, it is the same record.
    for target in [ONE.to_owned(), format!("{ONE}?$expand=sessions"), format!("{ONE}/sessions")] {
        assert_eq!(client.get(&target).status, 200, "{target}");
    }
    let mut statuses = Vec::new();
    let refused = loop {
        let answer = client.get(ONE);
        statuses.push(answer.status);
        if answer.status != 200 || statuses.len() > 20 {
            break answer;
        }
    };
    assert_eq!(statuses.len(), 8, "the eleventh within 20 s: {statuses:?}");
    assert_eq!((refused.status, refused.code().as_str()), (429, "TooManyRequests"));
    assert_eq!(refused.header("retry-after"), Some("2"));
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
