//! A served store and the commands that work on it: applications, tokens, copies, a second server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

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
    // The first server has released the store.
    callvault.serve(&[]).stop();
}

#[test]
fn commands_work_on_a_served_store_and_the_server_sees_their_writes_at_once() {
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
    assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
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
fn the_token_endpoint_is_printed_as_far_as_it_is_known() {
    let callvault = callvault();
    callvault.succeed(&["migrate"]);
    let create = ["app", "create", "--tenant", TENANT, "--name", "reports", "--role", READ];
    let path = format!("/{TENANT}/oauth2/v2.0/token");
    let endpoint = |json: bool, public: Option<&str>| {
        let mut command = callvault.command(&create);
        command.args(json.then_some("--json"));
        command.envs(public.map(|url| ("CALLVAULT_SERVER__PUBLIC_URL", url)));
        let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
        if json {
            let app: serde_json::Value = serde_json::from_str(&printed).unwrap();
            return app["tokenEndpoint"].as_str().unwrap().to_owned();
        }
        let line = printed.lines().find_map(|line| line.strip_prefix("token endpoint")).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    for json in [false, true] {
        assert_eq!(endpoint(json, None), path);
        let public = "https://calls.contoso.com";
        assert_eq!(endpoint(json, Some(public)), format!("{public}{path}"));
    }
    let json = callvault.run(&[&create[..], &["--json"]].concat()).stderr;
    assert!(json.contains("server.public_url is not set"), "{json}");
    assert!(json.contains("has another application named reports, with the client id"), "{json}");
    let other = ["app", "create", "--tenant", TENANT, "--name", "others", "--role", READ];
    assert!(!callvault.run(&other).stderr.contains("another application"));
}

#[test]
fn a_token_is_for_its_tenant_and_an_existing_application() {
    let callvault = callvault();
    callvault.succeed(&["migrate"]);
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

#[test]
fn only_the_owner_can_enter_a_new_data_folder_and_a_wider_one_is_reported() {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let callvault = callvault();
    let data = callvault.folder().join("made").join("data");
    let folder = data.to_str().unwrap();
    let token = ["token", "--tenant", TENANT, "--role", READ, "--data-dir", folder];
    callvault.succeed(&["migrate", "--data-dir", folder]);
    callvault.succeed(&token);
    for path in [data.parent().unwrap(), &data, &data.join("keys")] {
        assert_eq!(mode(path), 0o700, "{}", path.display());
    }
    for path in [data.join("callvault.db"), data.join("keys").join("master")] {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let warning = "others can enter the data folder";
    let log = callvault.serve(&["--data-dir", folder]).stop();
    assert!(!log.contains(warning), "{log}");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o750)).unwrap();
    let log = callvault.serve(&["--data-dir", folder]).stop();
    assert_eq!(log.matches(warning).count(), 1, "{log}");
    assert!(log.contains(folder) && log.contains("750"), "{log}");
    assert_eq!(mode(&data), 0o750, "the mode that the owner has set stays");
}

#[test]
fn a_damaged_dictionary_is_named_and_nothing_starts_on_it() {
    let callvault = callvault();
    let line = record(1, 1);
    callvault.run_with_input(&["import", "--tenant", TENANT, "-"], line.as_bytes());
    let flip = |place: u32| {
        callvault.edit(&format!(
            "UPDATE dictionary SET body = CAST(substr(body, 1, {place}) || \
             CASE WHEN substr(body, {place} + 1, 1) = x'01' THEN x'03' ELSE x'01' END || \
             substr(body, {place} + 2) AS BLOB) WHERE dictionary_key = 2"
        ));
    };
    // In its tables, which the decoder checks, and in the content that it copies.
    for place in [9, 20_000] {
        flip(place);
        let serve = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off"];
        for command in [&serve[..], &["list", "--tenant", TENANT], &["doctor"]] {
            let ended = callvault.run(command);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert_eq!(ended.status.code(), Some(1), "{command:?}: {said}");
            assert!(said.contains("table dictionary, row 2"), "{command:?}: {said}");
            assert!(!said.contains("panic"), "{command:?}: {said}");
        }
    }
    assert!(callvault.run(&["doctor"]).stdout.contains("problem: "));
}
