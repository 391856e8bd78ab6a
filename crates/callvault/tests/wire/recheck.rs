//! `auth.recheck`: tokens of an application that was deleted or lost a role end soon, on each path of a
//! request.

use serde_json::Value;
use testkit::{Callvault, Client, Server, until};

use super::{READ, RECORDS, TENANT, WRITE, callvault, record};

const ID: &str = "11111111-0000-4000-8000-000000000001";

/// What a request asks for; plain reads of a record are answered on another way than all else.
const TARGETS: [&str; 3] = ["/11111111-0000-4000-8000-000000000001", "?$top=1", "/$count"];

struct Rig {
    callvault: Callvault,
    server: Server,
    app: String,
    secret: String,
}

impl Rig {
    /// A server that looks at applications every second, with one that may read and write.
    fn start() -> Self {
        let callvault = callvault();
        let config = callvault.folder().join("callvault.toml");
        std::fs::write(&config, "[auth]\nrecheck = \"1s\"\n").unwrap();
        let server = callvault.serve(&["--config", config.to_str().unwrap()]);
        let create = ["app", "create", "--tenant", TENANT, "--name", "reports", "--json"];
        let roles = ["--role", READ, "--role", WRITE];
        let printed = callvault.succeed(&[&create[..], &roles].concat());
        let printed: Value = serde_json::from_str(&printed).unwrap();
        let text = |name: &str| printed[name].as_str().unwrap().to_owned();
        Self { app: text("clientId"), secret: text("clientSecret"), callvault, server }
    }

    /// A client with a new token of the application.
    fn client(&self) -> Client {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
            self.app, self.secret
        );
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        let endpoint = format!("/{TENANT}/oauth2/v2.0/token");
        let answer = self.server.client().send("POST", &endpoint, &kind, form.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.server.client().bearer(answer.json()["access_token"].as_str().unwrap())
    }

    /// Clients with a token each that was used, one for each target.
    fn clients(&self) -> Vec<(&'static str, Client)> {
        let mut clients: Vec<_> = TARGETS.map(|target| (target, self.client())).into();
        let written = clients[0].1.post(RECORDS, record(ID, 1, 1).as_bytes());
        assert!([200, 201].contains(&written.status), "{}", written.text());
        for (target, client) in &mut clients {
            for _ in 0..3 {
                assert_eq!(client.get(&format!("{RECORDS}{target}")).status, 200, "{target}");
            }
        }
        clients
    }

    fn metrics(&self) -> String {
        Client::new(self.server.admin).get("/metrics").text()
    }
}

fn wait_for_401(clients: &mut [(&str, Client)]) {
    for (target, client) in clients {
        until(target, || client.get(&format!("{RECORDS}{target}")).status == 401);
        let refused = client.get(&format!("{RECORDS}{target}"));
        assert_eq!(refused.code(), "InvalidAuthenticationToken", "{}", refused.text());
        assert!(refused.header("www-authenticate").is_some());
    }
}

#[test]
fn tokens_of_a_deleted_application_end_within_the_configured_time() {
    let rig = Rig::start();
    let operator = rig.callvault.token(TENANT, &[READ]);
    let mut clients = rig.clients();
    rig.callvault.succeed(&["app", "delete", &rig.app]);
    wait_for_401(&mut clients);
    let is_counted = |line: &str| {
        line.strip_prefix("callvault_auth_failures_total{reason=\"application\"} ")
            .is_some_and(|count| count != "0")
    };
    assert!(rig.metrics().lines().any(is_counted), "{}", rig.metrics());
    // An operator's token belongs to no application.
    let mut operator = rig.server.client().bearer(&operator);
    assert_eq!(operator.get(&format!("{RECORDS}/{ID}")).status, 200);
}

#[test]
fn tokens_with_a_lost_role_end_and_new_ones_have_the_rest() {
    let rig = Rig::start();
    let mut clients = rig.clients();
    rig.callvault.succeed(&["app", "roles", &rig.app, "--role", READ]);
    wait_for_401(&mut clients);
    let mut client = rig.client();
    for target in TARGETS {
        assert_eq!(client.get(&format!("{RECORDS}{target}")).status, 200, "{target}");
    }
    assert_eq!(client.post(RECORDS, record(ID, 2, 1).as_bytes()).status, 403);
    // A role more takes nothing away.
    rig.callvault.succeed(&["app", "roles", &rig.app, "--role", READ, "--role", WRITE]);
    until("the new role counts", || {
        let written = rig.client().post(RECORDS, record(ID, 2, 1).as_bytes()).status;
        assert_eq!(client.get(&format!("{RECORDS}/{ID}")).status, 200);
        written == 200
    });
}
