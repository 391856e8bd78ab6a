//! The commands on subscriptions, deliveries and the change log.

use serde_json::{Value, json};
use testkit::{Callvault, Client, Gate, Receiver, Reply, Server, TENANT, until};

use super::*;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn subscriptions_deliveries_and_changes_are_printed() {
    let callvault = callvault();
    let config = local(&callvault);
    let server = callvault.serve(&["--config", &config]);
    let (app, mut client) = application(&callvault, &server);
    let receiver = Receiver::scripted(|request, _| match request.validation_token() {
        Some(_) => Reply::Usual,
        None if request.target.starts_with("/life") => Reply::Usual,
        None => Reply::status(500),
    });
    let wish = json!({
        "changeType": "created", "resource": "communications/callRecords",
        "notificationUrl": receiver.url("/hook?code=secret"),
        "lifecycleNotificationUrl": receiver.url("/life"),
        "expirationDateTime": "2020-01-01T00:00:00Z",
    });
    let made = client.post("/v1.0/subscriptions", wish.to_string().as_bytes()).json();
    let record = record(1, 1);
    callvault.run_with_input(&["import", "--tenant", TENANT, "-"], record.as_bytes());
    receiver.wait_for(1);

    let printed = || lines(&callvault.succeed(&["subscriptions", "list"]));
    until("it fails", || !printed()[0]["failing"].as_array().unwrap().is_empty());
    let printed = printed();
    let failing = &printed[0]["failing"][0];
    assert_eq!(failing["reason"], "the receiver answered 500");
    assert_eq!(failing["channel"], "notifications");
    assert_eq!((printed.len(), &printed[0]["id"]), (1, &made["id"]));
    assert_eq!(printed[0]["notificationUrl"], receiver.url("/hook"), "its query may be a secret");
    let waiting = lines(&callvault.succeed(&["deliveries", "list"]));
    assert_eq!((waiting.len(), &waiting[0]["callRecordId"]), (1, &json!(id(1))));
    assert_eq!(callvault.succeed(&["deliveries", "list", "--tenant", TENANT, "--dead"]), "");
    let made = made["id"].as_str().unwrap();
    assert_eq!(callvault.succeed(&["deliveries", "replay", made]).trim(), r#"{"replayed":0}"#);
    let changes = lines(&callvault.succeed(&["tail", "--once"]));
    assert_eq!((changes.len(), &changes[0]["change"]), (1, &json!("created")));
    assert_eq!(changes[0]["callRecordId"], id(1));

    callvault.succeed(&["app", "delete", &app]);
    assert_eq!(callvault.succeed(&["subscriptions", "list"]), "");
    let is_removed = |item: &Value| item["lifecycleEvent"] == "subscriptionRemoved";
    until("its removal is notified", || receiver.items().iter().any(is_removed));
}

/// Settings that allow receivers on this machine.
fn local(callvault: &Callvault) -> String {
    let config = callvault.folder().join("callvault.toml");
    let settings = "[notifications]\nallow_insecure_urls = true\nallow_networks = \"127.0.0.1\"\n";
    std::fs::write(&config, settings).unwrap();
    config.to_str().unwrap().to_owned()
}

/// An application that may read, and a client with its token.
fn application(callvault: &Callvault, server: &Server) -> (String, Client) {
    let create = ["app", "create", "--json", "--tenant", TENANT, "--name", "hooks", "--role", READ];
    let app: Value = serde_json::from_str(&callvault.succeed(&create)).unwrap();
    let app = app["clientId"].as_str().unwrap().to_owned();
    let token = callvault.succeed(&["token", "--tenant", TENANT, "--role", READ, "--app", &app]);
    let client = server.client().bearer(token.trim());
    (app, client)
}

/// The body of a request for a subscription.
fn wish(receiver: &Receiver) -> Value {
    json!({
        "changeType": "created", "resource": "communications/callRecords",
        "notificationUrl": receiver.url("/hook"), "expirationDateTime": "2020-01-01T00:00:00Z",
    })
}

/// Another application that is notified of all records. When it is notified of a record, all notifications
/// of earlier records have been sent.
fn witness(callvault: &Callvault, server: &Server) -> Receiver {
    let receiver = Receiver::new();
    let (_, mut client) = application(callvault, server);
    let made = client.post("/v1.0/subscriptions", wish(&receiver).to_string().as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    receiver
}

fn import(callvault: &Callvault, records: &[String]) {
    let input = records.join("\n");
    callvault.run_with_input(&["import", "--tenant", TENANT, "-"], input.as_bytes());
}

#[test]
fn notifications_can_be_watched() {
    use std::io::BufRead;

    let callvault = callvault();
    let watch = ["subscriptions", "watch", "--tenant", TENANT];
    callvault.token(TENANT, &["CallRecords.Read.All"]);
    let refused = callvault.run(&watch);
    assert!(refused.stderr.contains("notifications.allow_insecure_urls"), "{}", refused.stderr);
    let config = local(&callvault);
    let _server = callvault.serve(&["--config", &config]);
    let filter = format!("id ne '{}'", id(2));
    let mut command = callvault.command(&["--config", &config]);
    command.args(watch).args(["--filter", &filter]).stdout(std::process::Stdio::piped());
    let mut watching = command.spawn().unwrap();
    let printed = || callvault.succeed(&["subscriptions", "list"]);
    until("it is listed", || !printed().is_empty());
    for number in [1, 2, 3] {
        let record = record(number, 1);
        callvault.run_with_input(&["import", "--tenant", TENANT, "-"], record.as_bytes());
    }
    let lines = std::io::BufReader::new(watching.stdout.take().unwrap()).lines();
    let told: Vec<Value> =
        lines.take(2).map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let ids: Vec<_> = told.iter().map(|item| item["resourceData"]["id"].clone()).collect();
    assert_eq!(ids, [id(1), id(3)]);
    let process = watching.id().to_string();
    assert!(
        std::process::Command::new("kill").args(["-INT", &process]).status().unwrap().success()
    );
    assert!(watching.wait().unwrap().success());
    assert_eq!(printed(), "", "it leaves nothing behind");
}

#[test]
fn watching_reports_why_no_notification_arrives() {
    use std::io::BufRead;

    let callvault = callvault();
    let config = local(&callvault);
    callvault.token(TENANT, &["CallRecords.Read.All"]);
    // The server does not have the settings of the command.
    let _server = callvault.serve(&[]);
    let mut command = callvault.command(&["--config", &config]);
    command
        .args(["subscriptions", "watch", "--tenant", TENANT])
        .stderr(std::process::Stdio::piped());
    let mut watching = command.spawn().unwrap();
    until("it is listed", || !callvault.succeed(&["subscriptions", "list"]).is_empty());
    let record = record(1, 1);
    callvault.run_with_input(&["import", "--tenant", TENANT, "-"], record.as_bytes());
    let mut lines = std::io::BufReader::new(watching.stderr.take().unwrap()).lines();
    let is_waiting = |line: &str| line.contains("waiting for notifications of the tenant");
    assert!(lines.by_ref().any(|line| is_waiting(&line.unwrap())));
    let line = lines.next().unwrap().unwrap();
    watching.kill().unwrap();
    watching.wait().unwrap();
    assert!(line.contains("could not notify this command"), "{line}");
    assert!(line.contains("notifications.allow_networks"), "{line}");
}

#[test]
fn watching_waits_for_a_store_to_appear() {
    use std::io::BufRead;

    let callvault = callvault();
    let config = local(&callvault);
    let mut command = callvault.command(&["--config", &config]);
    command.args(["subscriptions", "watch", "--tenant", TENANT]);
    let mut watching = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufReader::new(watching.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(line.contains("callvault.db") && line.contains("Waiting for it"), "{line}");
    let _server = callvault.serve(&["--config", &config]);
    let is_waiting =
        |line: std::io::Result<String>| line.unwrap().contains("waiting for notifications");
    assert!(lines.any(is_waiting));
    until("it is listed", || !callvault.succeed(&["subscriptions", "list"]).is_empty());
    watching.kill().unwrap();
    watching.wait().unwrap();
}

#[test]
fn an_application_without_the_role_gets_a_lifecycle_event_and_no_notifications_until_it_has_it_again()
 {
    let callvault = callvault();
    let config = local(&callvault);
    let server = callvault.serve(&["--config", &config]);
    let (app, mut client) = application(&callvault, &server);
    let witness = witness(&callvault, &server);
    let receiver = Receiver::new();
    let mut wish = wish(&receiver);
    wish["lifecycleNotificationUrl"] = receiver.url("/life").into();
    let made = client.post("/v1.0/subscriptions", wish.to_string().as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    callvault.succeed(&["app", "roles", &app, "--role", "CallRecords.Write.All"]);
    assert_eq!(receiver.wait_for(1)[0]["lifecycleEvent"], "reauthorizationRequired");
    // A role that is already lost is not lost again.
    callvault.succeed(&["app", "roles", &app, "--role", "CallRecords.Write.All"]);
    for number in [1, 2] {
        import(&callvault, &[record(number, 1)]);
        witness.wait_for(number as usize);
    }
    assert_eq!(receiver.items().len(), 1, "{:?}", receiver.items());
    callvault.succeed(&["app", "roles", &app, "--role", READ]);
    let told = receiver.wait_for(3);
    let told: Vec<_> = told[1..].iter().map(|item| item["resourceData"]["id"].clone()).collect();
    assert_eq!(told, [id(1), id(2)]);
    let listed = callvault.succeed(&["app", "list"]);
    assert!(listed.contains(READ) && !listed.contains("Write"), "{listed}");
}

#[test]
fn a_lost_role_also_stops_running_deliveries() {
    let callvault = callvault();
    let config = local(&callvault);
    let server = callvault.serve(&["--config", &config]);
    let (app, mut client) = application(&callvault, &server);
    let witness = witness(&callvault, &server);
    let gate = Gate::default();
    let held = gate.clone();
    let receiver = Receiver::scripted(move |request, _| match request.validation_token() {
        Some(_) => Reply::Usual,
        None => Reply::Held(held.clone()),
    });
    let made = client.post("/v1.0/subscriptions", wish(&receiver).to_string().as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    import(&callvault, &(1..=1_000).map(|number| record(number, 1)).collect::<Vec<_>>());
    receiver.wait_for(1);
    callvault.succeed(&["app", "roles", &app, "--role", "CallRecords.Write.All"]);
    let told = receiver.items().len();
    gate.open();
    for number in [1_001, 1_002] {
        import(&callvault, &[record(number, 1)]);
        witness.wait_for(number as usize);
    }
    // Only the request that was already running.
    let late = receiver.items().len() - told;
    assert!(late <= 50 && told < 900, "{told}, and {late} more");
    // Its token is still valid.
    assert_eq!(client.get("/v1.0/subscriptions").status, 200);
    callvault.succeed(&["app", "roles", &app, "--role", READ]);
    until("the rest comes", || receiver.items().len() == 1_002);
}
