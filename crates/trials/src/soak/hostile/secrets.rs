//! What must never be read: secrets in logs, answers, metrics and the store, and lines of the log that
//! somebody else wrote.

use std::fs::{self, File};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::Receiver;

use super::arena::{ATTACKER, Arena, READ, WRITE, must};
use super::client::Client;
use super::record;
use crate::instance::Instance;
use crate::paths::CALL_RECORDS;
use crate::raw::Answer;
use crate::server_process::ServerProcess;
use xtask::repository::PROFILE;

/// The name of the one secret that the store has to hold in clear.
const AN_ADDRESS: &str = "the query of a receiver's address";

/// Texts that would begin a line, change what is shown, or be large.
fn injected() -> Vec<String> {
    let mut all: Vec<String> = [
        "\r\n{\"level\":\"INFO\",\"fields\":{}}",
        "%0d%0a{\"level\":\"INFO\"}",
        "\n",
        "\r",
        "\u{1b}[2J",
        "\u{1b}]0;a\u{7}",
        "\u{2028}",
        "\u{2029}",
        "\u{85}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\"",
        "\\\"",
        "\\",
        "\\n",
        "'",
        "`",
        "${jndi:ldap://a}",
        "{{7*7}}",
        "%s%n",
        "<script>",
        "\u{0}",
        "%00",
        "\u{ff}",
        "\t",
        "\u{7f}",
        "{\"a\":1}",
        "}",
    ]
    .into_iter()
    .map(|text| format!("planted{text}planted"))
    .collect();
    all.push("planted".repeat(30_000));
    all
}

/// A server whose log is read.
struct Logged {
    instance: Instance,
    served: ServerProcess,
    client: Client,
    admin: Client,
}

impl Logged {
    fn start(arena: &Arena<'_>) -> Result<Self> {
        let instance = Instance::new(PROFILE, arena.instance.data().with_extension("secrets"))?;
        fs::create_dir_all(instance.data())?;
        let token = instance.token_in(ATTACKER, &[READ, WRITE])?;
        let log = File::create(instance.data().join("serve.log"))?;
        let mut command = instance.serve_command();
        command
            .env("CALLVAULT_LOG__FORMAT", "json")
            .env("CALLVAULT_LOG__LEVEL", "debug")
            .stderr(log);
        let mut served = ServerProcess::start(&mut command)?;
        let at = |url: &str| -> Result<std::net::SocketAddr> {
            Ok(url.strip_prefix("http://").context("plain HTTP")?.parse()?)
        };
        let patience = testkit::PATIENCE;
        let client = Client::new(at(&served.url)?, &token, patience);
        let admin = Client::new(at(&served.admin()?)?, "", patience);
        Ok(Self { instance, served, client, admin })
    }
}

/// Plants secrets and lines, and looks for them.
pub(super) fn planted(arena: &mut Arena<'_>) -> Result<()> {
    let mut logged = Logged::start(arena)?;
    let mut answers: Vec<Answer> = Vec::new();
    let mut secrets = secrets(&mut logged, &mut answers)?;
    for text in injected() {
        lines(&mut logged.client, &text, &mut answers);
    }
    let metrics = logged.admin.get("/metrics").map_err(anyhow::Error::msg)?;
    answers.push(metrics);
    let Logged { instance, served, client, .. } = logged;
    secrets.push(("the bearer token", client.token.clone()));
    served.stop()?;
    let log = fs::read_to_string(instance.data().join("serve.log"))?;
    judge_log(arena, &log);
    let store = fs::read(instance.data().join("callvault.db"))?;
    let ledger = fs::read(instance.data().join("callvault.db-wal")).unwrap_or_default();
    let is_in =
        |bytes: &[u8], secret: &str| bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
    arena.tally.control(
        "a text that may be in the store is found there",
        must(
            is_in(&store, "communications/callRecords")
                || is_in(&ledger, "communications/callRecords"),
            || "it is not".to_owned(),
        ),
    );
    for (name, secret) in secrets {
        // Where messages go is kept as it is, and shown to whoever subscribed.
        let is_kept = name == AN_ADDRESS;
        let place = if log.contains(&secret) {
            Some("the log")
        } else if !is_kept && (is_in(&store, &secret) || is_in(&ledger, &secret)) {
            Some("the store")
        } else if answers.iter().any(|answer| is_in(&answer.body, &secret)) {
            Some("an answer")
        } else {
            None
        };
        arena.tally.attack(
            name,
            must(place.is_none(), || format!("it stands in {}", place.unwrap_or_default())),
        );
    }
    Ok(())
}

/// Secrets that come in or are made, and what they are.
fn secrets(logged: &mut Logged, answers: &mut Vec<Answer>) -> Result<Vec<(&'static str, String)>> {
    let app = logged.instance.create_app("secrets", READ)?;
    let receiver = Receiver::new();
    let url = receiver.url("/hook?code=sekret-query-8412");
    let body = json!({
        "changeType": "created", "notificationUrl": url, "resource": "communications/callRecords",
        "clientState": "sekret-state-2231", "expirationDateTime": soon()?,
    });
    let made = logged.client.post("/v1.0/subscriptions", body.to_string().as_bytes());
    let made = made.map_err(anyhow::Error::msg)?;
    anyhow::ensure!(made.status == 201, "{}", super::client::beginning(&made));
    let made = super::client::json(&made).map_err(anyhow::Error::msg)?;
    let one = format!("/v1.0/subscriptions/{}", made["id"].as_str().unwrap_or_default());
    let rotated = logged
        .client
        .post(&format!("{one}/callvault.rotateSecret"), b"")
        .map_err(anyhow::Error::msg)?;
    let rotated = super::client::json(&rotated).map_err(anyhow::Error::msg)?;
    let signing = rotated["value"].as_str().context("a secret is shown once")?.to_owned();
    for target in [&*one, "/v1.0/subscriptions", "/v1.0/communications/callvault.deliveries()"] {
        let shown = logged.client.get(target).map_err(anyhow::Error::msg)?;
        // Whom messages go to is told to its owner.
        let text = String::from_utf8_lossy(&shown.body).replace("sekret-query-8412", "");
        answers.push(Answer { body: text.into_bytes(), ..shown });
    }
    ask_for_tokens(logged, &app.id, &app.secret, answers)?;
    ask_with_odd_headers(logged, answers)?;
    let phone = "+15550104477";
    let members = format!(
        ",\"participants_v2\":[{{\"id\":\"p\",\"identity\":{{\"phone\":{{\"id\":\"{phone}\"}}}}}}]"
    );
    let kept = logged.client.post(CALL_RECORDS, record::with("secrets", &members).as_bytes());
    kept.map_err(anyhow::Error::msg)?;
    let refused =
        logged.client.get(&format!("{CALL_RECORDS}?$filter=id%20eq%20'{phone}'%20nonsense"));
    refused.map_err(anyhow::Error::msg)?;
    receiver.wait_for_messages(1);
    let master = fs::read(logged.instance.data().join("keys/master"))?;
    let master = String::from_utf8_lossy(&master).trim().to_owned();
    Ok(vec![
        ("the secret of an application", app.secret),
        ("the clientState of a subscription", "sekret-state-2231".to_owned()),
        (AN_ADDRESS, "sekret-query-8412".to_owned()),
        ("the secret that signs messages", signing),
        ("a wrong secret", "sekret-wrong-9931".to_owned()),
        ("a cookie", "sekret-cookie-77".to_owned()),
        ("a token that is none", "sekret-bearer-41".to_owned()),
        ("the name and password of Basic", "c2VrcmV0LWJhc2lj".to_owned()),
        ("the master key", master),
    ])
}

/// Asks for tokens with the secret of an application, and with a wrong one.
fn ask_for_tokens(
    logged: &Logged,
    app: &str,
    secret: &str,
    answers: &mut Vec<Answer>,
) -> Result<()> {
    let target = format!("/{ATTACKER}/oauth2/v2.0/token");
    let form = |secret: &str| {
        let scope = "https%3A%2F%2Fgraph.microsoft.com%2F.default";
        let client = format!("client_id={app}&client_secret={secret}");
        format!("grant_type=client_credentials&scope={scope}&{client}")
    };
    let lines = [("Content-Type", "application/x-www-form-urlencoded")];
    let mut stranger = Client::new(
        logged.served.url.strip_prefix("http://").context("plain")?.parse()?,
        "",
        testkit::PATIENCE,
    );
    for secret in [secret, "sekret-wrong-9931"] {
        let answer = stranger.ask("POST", &target, &lines, form(secret).as_bytes());
        let answer = answer.map_err(anyhow::Error::msg)?;
        if answer.status != 200 {
            answers.push(answer);
        }
    }
    Ok(())
}

/// Sends header lines that hold secrets and let nobody in.
fn ask_with_odd_headers(logged: &mut Logged, answers: &mut Vec<Answer>) -> Result<()> {
    for (name, value) in [
        ("Authorization", "Basic c2VrcmV0LWJhc2lj"),
        ("Cookie", "a=sekret-cookie-77"),
        ("Authorization", "Bearer sekret-bearer-41"),
    ] {
        let token = std::mem::take(&mut logged.client.token);
        let answer = logged.client.ask("GET", CALL_RECORDS, &[(name, value)], b"");
        logged.client.token = token;
        answers.push(answer.map_err(anyhow::Error::msg)?);
    }
    Ok(())
}

fn soon() -> Result<String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    Ok(odata::primitive::DateTimeOffset::from_unix_seconds(now.cast_signed() + 7_200).to_string())
}

/// The text wherever somebody can put one.
fn lines(client: &mut Client, text: &str, answers: &mut Vec<Answer>) {
    let short: String = text.chars().take(2_000).collect();
    let encoded = odata::percent::encode_query(&short);
    let visible: String = short.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
    let body = json!({"id": text, "version": text}).to_string();
    let outcomes = [
        client.get(&format!("/{encoded}")),
        client.get(&format!("{CALL_RECORDS}/{encoded}")),
        client.get(&format!("{CALL_RECORDS}?$filter={encoded}")),
        client.ask(
            "GET",
            CALL_RECORDS,
            &[("User-Agent", &visible), ("client-request-id", &visible)],
            b"",
        ),
        client.ask("GET", CALL_RECORDS, &[("Accept", &visible), ("Prefer", &visible)], b""),
        client.post(CALL_RECORDS, body.as_bytes()),
        client.post("/v1.0/subscriptions", body.as_bytes()),
    ];
    answers.extend(outcomes.into_iter().flatten());
}

/// Each line of the log is one of the server's own, as JSON.
fn judge_log(arena: &mut Arena<'_>, log: &str) {
    let is_own = |line: &str| {
        let value: Result<Value, _> = serde_json::from_str(line);
        value.is_ok_and(|value| value["timestamp"].is_string() && value["level"].is_string())
    };
    arena.tally.control(
        "a line that somebody else wrote is found",
        must(!is_own("{\"level\":\"INFO\",\"fields\":{}}") && !is_own("x"), || {
            "it is not".to_owned()
        }),
    );
    let count = log.lines().count();
    arena.tally.control("something is logged", must(count > 100, || format!("{count} lines")));
    let wrong: Vec<&str> = log.lines().filter(|line| !is_own(line)).take(3).collect();
    arena.tally.attack("lines of the log", must(wrong.is_empty(), || format!("{wrong:?}")));
    let odd = log.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}' | '\u{2066}')
    });
    arena.tally.attack("characters of the log", must(odd.is_none(), || format!("{odd:?}")));
    let info = log
        .lines()
        .filter(|line| line.contains("\"INFO\""))
        .find(|line| line.contains("+15550104477"));
    arena.tally.attack(
        "a telephone number in the log",
        must(info.is_none(), || info.unwrap_or_default().to_owned()),
    );
}
