//! Why there is no data: looks at everything between a mirror and its source, in the order in which one thing
//! needs the other. So the first thing that is wrong is the cause; whatever follows may follow from it.

use std::sync::Arc;
use std::time::Duration;

use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use reqwest::Url;
use tokio::time::timeout;

use crate::client::Client;
use crate::fault::Fault;
use crate::fetch::{self, Reading};
use crate::hours::{self, DAY, HOUR};
use crate::issuer_code::Responsible;
use crate::list_page::ListPage;
use crate::probe;
use crate::report::Report;
use crate::settings::MirrorSettings;
use crate::token::{TokenFault, claims};
use crate::worker::{MirrorRun, RunError};

/// The role that records are read with.
const ROLE: &str = "CallRecords.Read.All";
/// How far a clock may be off before an issuer refuses assertions.
const REFUSED_SKEW: i64 = 300 * TICKS_PER_SECOND;
/// How far it may be off before it is worth a word.
const ODD_SKEW: i64 = 60 * TICKS_PER_SECOND;
/// Silence of a subscription that is odd if there are new calls.
const SILENT: i64 = 24 * HOUR;
/// Time for a name to be looked up.
const LOOKED_UP_WITHIN: Duration = Duration::from_secs(10);
/// Time for a check that asks the source, which is asked again while it is busy or out of order.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// It is not.
    Wrong,
    /// It can't be said.
    Unknown,
}

impl Verdict {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong => "wrong",
            Self::Unknown => "can't tell",
        }
    }
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found.
    pub evidence: String,
    /// Who has to do what, if something is wrong.
    pub advice: Option<(Responsible, String)>,
}

fn ok(name: &'static str, evidence: impl Into<String>) -> Check {
    Check { name, verdict: Verdict::Ok, evidence: evidence.into(), advice: None }
}

fn unknown(name: &'static str, evidence: impl Into<String>) -> Check {
    Check { name, verdict: Verdict::Unknown, evidence: evidence.into(), advice: None }
}

fn wrong(
    name: &'static str,
    evidence: impl Into<String>,
    (who, what): (Responsible, &str),
) -> Check {
    let advice = Some((who, what.to_owned()));
    Check { name, verdict: Verdict::Wrong, evidence: evidence.into(), advice }
}

/// A check that was given up.
fn too_late(name: &'static str) -> Check {
    let evidence = format!("no answer of use came within {} s", ANSWERED_WITHIN.as_secs());
    wrong(
        name,
        evidence,
        (Responsible::Source, "it is slow or busy: look at it, and try again later"),
    )
}

/// The cause: the first check that something is wrong with.
pub fn cause(checks: &[Check]) -> Option<&Check> {
    checks.iter().find(|check| check.verdict == Verdict::Wrong)
}

/// Makes all checks of a mirror of which this is known.
///
/// # Errors
/// When its settings can't be used.
pub async fn doctor(run: &MirrorRun, report: &Report) -> Result<Vec<Check>, RunError> {
    let settings =
        MirrorSettings::from_json(&run.mirror.setup.settings).map_err(RunError::Settings)?;
    let tenant = run.mirror.setup.tenant.as_str();
    let client = Client::new(tenant, &settings, run.credential.clone(), (None, Arc::default()));
    let client = client.map_err(RunError::Settings)?;
    let mut checks = vec![
        names("name of the issuer", &settings.authority).await,
        names("name of the source", &settings.source).await,
        reach("issuer", &client, &settings.authority).await,
        reach("source", &client, &settings.source).await,
    ];
    checks.push(clock(&client));
    let late = || vec![too_late("token"), unknown("claims", "there is no token")];
    checks
        .extend(timeout(ANSWERED_WITHIN, token(&client, tenant)).await.unwrap_or_else(|_| late()));
    let listed = timeout(ANSWERED_WITHIN, list(&client)).await;
    let (list, page) = listed.unwrap_or_else(|_| (too_late("list"), None));
    checks.push(list);
    let read = timeout(ANSWERED_WITHIN, record(&client, page)).await;
    checks.push(read.unwrap_or_else(|_| too_late("one record")));
    checks.push(process(report));
    checks.extend(notified(report));
    checks.extend([passes(report), queue(report), holes(report)]);
    checks.push(unknown(
        "known absences",
        "streaming attendees of live events and town halls, missed peer-to-peer calls and what was over \
         before the backfill are not in the source's list: that is by its design",
    ));
    Ok(checks)
}

async fn names(name: &'static str, address: &str) -> Check {
    let Some((host, port)) = host_of(address) else {
        let advice = (Responsible::Operator, "run `mirror add` again with an address");
        return wrong(name, format!("{address} is no address"), advice);
    };
    let looked = timeout(LOOKED_UP_WITHIN, tokio::net::lookup_host((host.as_str(), port)));
    let found = match looked.await {
        Ok(Ok(found)) => found.count(),
        Ok(Err(_)) | Err(_) => 0,
    };
    if found == 0 {
        if has_proxy() {
            return unknown(
                name,
                format!("{host} has no address here; a proxy is set, which looks it up"),
            );
        }
        let advice = (
            Responsible::Network,
            "the name is wrong, or this machine's DNS does not know it: look it up, or set HTTPS_PROXY",
        );
        return wrong(name, format!("{host} has no address"), advice);
    }
    ok(name, format!("{host} has {found} addresses"))
}

fn host_of(address: &str) -> Option<(String, u16)> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    Some((host, url.port_or_known_default()?))
}

fn has_proxy() -> bool {
    let names =
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];
    names.iter().any(|name| std::env::var_os(name).is_some())
}

async fn reach(name: &'static str, client: &Client, address: &str) -> Check {
    match client.reach(address).await {
        Ok(status) if (300..400).contains(&status) => {
            let advice = (
                Responsible::Network,
                "something between redirects, or it is the wrong address: redirects are not followed",
            );
            wrong(name, format!("{address} answers {status}"), advice)
        }
        Ok(status) if status >= 500 => {
            let advice =
                (Responsible::Source, "it is out of order: wait, and look at its service health");
            wrong(name, format!("{address} answers {status}"), advice)
        }
        Ok(status) => ok(name, format!("{address} answers {status}")),
        Err(why) => {
            let is_of_tls = ["ertificate", "TLS", "tls"].iter().any(|word| why.contains(word));
            let advice = if is_of_tls {
                "its certificate is not trusted here: a proxy replaces certificates, or it has one of its own; \
                 name the authority's in SSL_CERT_FILE"
            } else {
                "nothing answers there: a firewall, a proxy that is not set, or the source is down"
            };
            wrong(name, format!("{address}: {why}"), (Responsible::Network, advice))
        }
    }
}

fn clock(client: &Client) -> Check {
    let name = "clock";
    let Some(skew) = client.clock.skew() else {
        return unknown(name, "the source has not said its time");
    };
    let seconds = skew / TICKS_PER_SECOND;
    let evidence = format!("the source's clock is {seconds} s ahead of this machine's");
    if skew.abs() > REFUSED_SKEW {
        let advice = (
            Responsible::Operator,
            "set the clock of this machine by NTP: assertions and signatures are refused above five minutes",
        );
        return wrong(name, evidence, advice);
    }
    if skew.abs() > ODD_SKEW { unknown(name, evidence) } else { ok(name, evidence) }
}

async fn token(client: &Client, tenant: &str) -> Vec<Check> {
    let token = match client.token().await {
        Ok(token) => token,
        Err(TokenFault::Refused { who, message }) => {
            let check =
                wrong("token", &message, (who, "see what the issuer's code means in the guide"));
            return vec![check, unknown("claims", "there is no token")];
        }
        Err(fault @ TokenFault::Unreachable(_)) => {
            let advice = (
                Responsible::Network,
                "the issuer, or a proxy in its place, gives no token: look at what answers there",
            );
            return vec![
                wrong("token", fault.to_string(), advice),
                unknown("claims", "there is no token"),
            ];
        }
    };
    vec![ok("token", "the issuer gives one"), judged(&token, tenant)]
}

/// What a token says of itself.
fn judged(token: &str, tenant: &str) -> Check {
    let name = "claims";
    let Some(claims) = claims(token) else { return unknown(name, "the token is opaque") };
    let text = |name: &str| claims.get(name).and_then(serde_json::Value::as_str);
    if text("tid").is_some_and(|of| !of.eq_ignore_ascii_case(tenant)) {
        let advice = (Responsible::Operator, "check tenant, authority and application");
        return wrong(name, "the token is of another tenant", advice);
    }
    if claims.get("scp").is_some() {
        let advice = (Responsible::Operator, "use an application's own credential, not a user's");
        return wrong(name, "the token is a user's (scp)", advice);
    }
    let roles = claims.get("roles").and_then(serde_json::Value::as_array);
    let has_role = roles.is_some_and(|roles| roles.iter().any(|role| role == ROLE));
    if !has_role {
        let what = "consent to the application permission CallRecords.Read.All; a token that was given before \
                    lacks it for up to an hour";
        let advice = (Responsible::Administrator, what);
        return wrong(name, format!("the token lacks the role {ROLE}"), advice);
    }
    ok(name, format!("the token has the role {ROLE}"))
}

async fn list(client: &Client) -> (Check, Option<ListPage>) {
    let (name, now) = ("list", client.clock.now());
    let page = match probe::list(client, (now - 7 * DAY, now)).await {
        Ok(page) => page,
        Err(fault) => return (wrong(name, fault.to_string(), of_fault(&fault)), None),
    };
    let newest = page.rows.iter().map(|row| row.start).max();
    let check = match newest {
        Some(newest) => {
            let more = if page.link.is_some() { " and more" } else { "" };
            let (rows, newest) = (page.rows.len(), DateTimeOffset(newest));
            ok(name, format!("{rows} calls{more} in 7 days; the newest shown began at {newest}"))
        }
        None => unknown(
            name,
            "no calls in 7 days: nobody called, the tenant is another one than is meant, or its users have no \
             licence for Teams",
        ),
    };
    (check, Some(page))
}

fn of_fault(fault: &Fault) -> (Responsible, &'static str) {
    match fault {
        Fault::Denied(_) => (
            Responsible::Administrator,
            "consent to the application permission CallRecords.Read.All, and wait for up to an hour",
        ),
        Fault::NotFound(_) | Fault::Refused(_) => (
            Responsible::Operator,
            "what answers there has no call records: check the address of the source",
        ),
        Fault::Broken(_) | Fault::Unsound(_) => (
            Responsible::Network,
            "something between cuts answers off or puts its own in their place: look at the proxy",
        ),
        Fault::Throttled => (
            Responsible::Source,
            "others use up the limits of this application or of the tenant: wait, or share them",
        ),
        Fault::Unavailable(_) | Fault::Stopped => {
            (Responsible::Source, "it is out of order: wait, and look at its service health")
        }
    }
}

async fn record(client: &Client, page: Option<ListPage>) -> Check {
    let name = "one record";
    let newest = page.and_then(|page| page.rows.into_iter().max_by_key(|row| row.start));
    let Some(row) = newest else { return unknown(name, "none is listed") };
    let key = model::key(&row.id);
    match fetch::record(client, (&row.id, &key), &Arc::default()).await {
        Ok(Reading::Whole(text, _)) => ok(name, format!("read whole: {} bytes", text.len())),
        Ok(Reading::Changing) => unknown(name, "it changes while it is read"),
        Err(fault @ Fault::NotFound(_)) if client.clock.now() - row.start < DAY => {
            unknown(name, format!("{fault}: it is young, and is tried again"))
        }
        Err(fault) => wrong(name, fault.to_string(), of_fault(&fault)),
    }
}

fn process(report: &Report) -> Check {
    let name = "process";
    let ago = |at: i64| (report.now - at) / TICKS_PER_SECOND / 60;
    if report.is_held {
        return ok(name, "a process runs the mirror");
    }
    match report.last_pass {
        Some(at) if report.now - at < 2 * HOUR => {
            unknown(name, format!("none runs it now; its last pass was {} min ago", ago(at)))
        }
        at => {
            let last = at.map_or("it never read a list".to_owned(), |at| {
                format!("its last pass was {} min ago", ago(at))
            });
            let advice = (
                Responsible::Operator,
                "no process runs this mirror: start `callvault serve`, or `callvault mirror run`",
            );
            wrong(name, format!("none runs it; {last}"), advice)
        }
    }
}

/// Subscription, address and silence, if the source is to notify.
fn notified(report: &Report) -> Vec<Check> {
    let Some(newest) = report.subscriptions.first() else {
        return vec![unknown("subscription", "there never was one: the list alone is read")];
    };
    let alive = report.subscriptions.iter().find(|known| known.is_alive(report.now));
    let validated = report.reception.validated.map(DateTimeOffset);
    let address = &newest.notification_url;
    let host = host_of(address).map_or_else(String::new, |(host, _)| host);
    let Some(alive) = alive else {
        let advice = match validated {
            None => {
                "the source never reached this server: make its address reachable from outside, also through \
                     firewall and proxy; a request of your own proves nothing"
            }
            Some(_) => {
                "it is made anew within five minutes: look at the log for what the source says"
            }
        };
        let evidence =
            format!("none lives since {}", DateTimeOffset(newest.ended.unwrap_or(newest.expires)));
        return vec![wrong("subscription", evidence, (Responsible::Network, advice))];
    };
    let until = DateTimeOffset(alive.expires);
    let mut checks = vec![ok("subscription", format!("lives until {until}"))];
    checks.push(match validated {
        Some(at) => ok("public address", format!("the source checked {host} at {at}")),
        None => unknown("public address", "another node was checked, or it was not noted yet"),
    });
    checks.push(silence(report, alive.created));
    checks
}

fn silence(report: &Report, subscribed: i64) -> Check {
    let name = "notifications";
    let forged = report.reception.forged;
    let heard = report.reception.notified;
    let since = heard.unwrap_or(subscribed).max(subscribed);
    let recent = report.hours.iter().filter(|hour| hours::start(hour.hour) >= since);
    let new: u64 = recent.map(|hour| hour.listed).sum();
    if report.now - since > SILENT && new > 0 {
        let evidence =
            format!("none since {}, while {new} calls were listed", DateTimeOffset(since));
        let advice = (
            Responsible::Network,
            "the subscription lives, but its messages don't arrive: the source, a proxy or a firewall drops them. \
             The list covers it",
        );
        return wrong(name, evidence, advice);
    }
    match heard {
        Some(at) => ok(name, format!("the last came at {}; {forged} forged", DateTimeOffset(at))),
        None => unknown(name, format!("none came yet; {forged} forged")),
    }
}

fn passes(report: &Report) -> Check {
    let name = "passes";
    let late = report.hours.iter().filter(|hour| hour.is_late()).count();
    match (late, report.last_pass) {
        (0, Some(at)) => ok(name, format!("the last began at {}", DateTimeOffset(at))),
        (0, None) => unknown(name, "none is finished yet"),
        (late, _) => {
            let why = report.mirror.problem.as_ref().map_or("", |(why, _)| why.as_str());
            let advice = (
                Responsible::Operator,
                "the limits don't hold the schedule, or the mirror stood still: let it catch up",
            );
            wrong(name, format!("{late} hours are late; {why}"), advice)
        }
    }
}

fn queue(report: &Report) -> Check {
    let pending = report.sum(|hour| hour.pending);
    if report.expiring > 0 {
        let evidence =
            format!("{pending} are to be read, {} of them soon forgotten", report.expiring);
        let advice = (
            Responsible::Operator,
            "let the mirror run without a pause: the oldest are read first",
        );
        return wrong("queue", evidence, advice);
    }
    ok("queue", format!("{pending} are to be read"))
}

fn holes(report: &Report) -> Check {
    let holes = report.sum(|hour| hour.holes);
    if holes == 0 {
        return ok("holes", "nothing is missing");
    }
    let parts = report.states.iter().filter(|(state, _)| state.is_hole());
    let parts: Vec<String> =
        parts.map(|(state, count)| format!("{count} {}", state.name())).collect();
    let advice =
        (Responsible::Source, "see `mirror status` for each, with the source's request-id");
    wrong("holes", format!("{holes} records are missing: {}", parts.join(", ")), advice)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn token(claims: &str) -> String {
        format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_is_judged_by_tenant_kind_and_role() {
        let judge = |claims: &str| {
            let check = judged(&token(claims), "t");
            (check.verdict, check.advice.map(|(who, _)| who))
        };
        let good = r#"{"tid":"T","roles":["CallRecords.Read.All"]}"#;
        assert_eq!(judge(good), (Verdict::Ok, None));
        let (operator, administrator) = (Responsible::Operator, Responsible::Administrator);
        assert_eq!(judge(r#"{"tid":"x"}"#), (Verdict::Wrong, Some(operator)));
        assert_eq!(judge(r#"{"tid":"t","scp":"x"}"#), (Verdict::Wrong, Some(operator)));
        let other = r#"{"tid":"t","roles":["User.Read.All"]}"#;
        assert_eq!(judge(other), (Verdict::Wrong, Some(administrator)));
        assert_eq!(judged("opaque", "t").verdict, Verdict::Unknown);
    }

    #[test]
    fn hosts_are_taken_out_of_addresses() {
        assert_eq!(host_of("https://a.example/x"), Some(("a.example".to_owned(), 443)));
        assert_eq!(host_of("http://[::1]:8080"), Some(("::1".to_owned(), 8080)));
        assert_eq!(host_of("nonsense"), None);
    }
}
