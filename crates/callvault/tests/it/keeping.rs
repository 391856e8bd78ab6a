//! Serving a store and what works beside it: applications, tokens, copies, a second server.

use testkit::{OTHER_TENANT, TENANT, until};

use crate::{READ, callvault, id, record};

#[test]
fn a_second_server_on_the_same_store_refuses_and_says_why() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let second = callvault.run(&["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(second.stderr.contains("callvault.db"), "{}", second.stderr);
    assert!(second.stdout.is_empty(), "{}", second.stdout);
    server.stop();
    // The first one let go of the store.
    callvault.serve(&[]).stop();
}

#[test]
fn commands_work_beside_a_server_which_sees_at_once_what_they_wrote() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&callvault.token(TENANT, &[READ]));
    let target = format!("/v1.0/communications/callRecords/{}", id(1));
    assert_eq!(client.get(&target).status, 404);
    let line = record(1, 1);
    let ended = callvault.run_with_input(&["import", "--tenant", TENANT, "-"], line.as_bytes());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(client.get(&target).status, 200);
    callvault.succeed(&["migrate"]);
    assert!(callvault.succeed(&["doctor"]).ends_with("sound\n"));
}

#[test]
fn a_copy_of_a_served_store_holds_its_records_and_overwrites_nothing() {
    let callvault = callvault();
    let _server = callvault.serve(&[]);
    let line = record(1, 1);
    callvault.run_with_input(&["import", "--tenant", TENANT, "-"], line.as_bytes());
    let copy = callvault.folder().join("copy.db");
    callvault.succeed(&["backup", copy.to_str().unwrap()]);
    let store = format!("sqlite:{}", copy.display());
    assert!(callvault.succeed(&["list", "--store", &store]).contains(&id(1)));
    assert_eq!(callvault.run(&["backup", copy.to_str().unwrap()]).status.code(), Some(1));
}

#[test]
fn an_application_gets_tokens_until_its_secret_changes_or_it_is_deleted() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let printed = callvault.succeed(&[
        "app", "create", "--tenant", TENANT, "--name", "reports", "--role", READ, "--json",
    ]);
    let app: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let (id, secret) = (app["clientId"].as_str().unwrap(), app["clientSecret"].as_str().unwrap());
    let endpoint = format!("/{TENANT}/oauth2/v2.0/token");
    let ask = |secret: &str| {
        let form = format!(
            "grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
        );
        let form_type = [("Content-Type", "application/x-www-form-urlencoded")];
        server.client().send("POST", &endpoint, &form_type, form.as_bytes())
    };
    let answer = ask(secret);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let records = "/v1.0/communications/callRecords";
    assert_eq!(server.client().bearer(&token).get(records).status, 200);

    assert!(callvault.succeed(&["app", "list"]).contains(id));
    assert_eq!(callvault.succeed(&["app", "list", "--tenant", OTHER_TENANT]), "");
    let rotated = callvault.succeed(&["app", "rotate", id]);
    assert_eq!(ask(secret).status, 401);
    let secret = rotated.split_whitespace().nth(2).unwrap();
    assert_eq!(ask(secret).status, 200, "{rotated}");
    callvault.succeed(&["app", "delete", id]);
    assert_eq!(ask(secret).json()["error"], "unauthorized_client");
    assert_eq!(callvault.run(&["app", "delete", id]).status.code(), Some(1));
}

#[test]
fn a_token_is_for_its_tenant_and_an_application_that_is_there() {
    let callvault = callvault();
    let printed = callvault
        .succeed(&["app", "create", "--tenant", TENANT, "--name", "reports", "--role", READ]);
    let id = printed.lines().find_map(|line| line.strip_prefix("client id")).unwrap().trim();
    let of = |tenant| callvault.run(&["token", "--tenant", tenant, "--role", READ, "--app", id]);
    let ended = of(TENANT);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(ended.stdout.trim().split('.').count(), 3);
    assert_eq!(ended.stdout.lines().count(), 1);
    assert_eq!(of(OTHER_TENANT).status.code(), Some(1));
}

#[test]
fn old_records_are_erased_when_a_server_with_a_retention_starts() {
    let callvault = callvault();
    let line = record(1, 1).replace("2026-11", "2001-11");
    callvault.run_with_input(&["import", "--tenant", TENANT, "-"], line.as_bytes());
    let settings = callvault.folder().join("retention.toml");
    std::fs::write(&settings, "[records]\nretention = 30\n").unwrap();
    let _server = callvault.serve(&["--config", settings.to_str().unwrap()]);
    let is_empty = || callvault.succeed(&["list", "--tenant", TENANT]).is_empty();
    until("the record is erased", is_empty);
}
