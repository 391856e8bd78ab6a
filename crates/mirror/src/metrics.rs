//! What is counted of the mirrors of this process, and what their ledgers say, as Prometheus reads it.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use odata::primitive::TICKS_PER_SECOND;
use store::LedgerState;

use crate::alarm;
use crate::delay;
use crate::hours;
use crate::report::{HourReport, Report};
use crate::schedule::{HourState, Pass};

/// What became of records that were read.
const OUTCOMES: [&str; 4] = ["new", "known", "differs", "failed"];

/// What is counted of one mirror.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    listed: AtomicU64,
    outcomes: [AtomicU64; OUTCOMES.len()],
    waited_ms: AtomicU64,
    /// By kind and status; 0 where there was no answer.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    /// Requests a second that each bucket allows at present.
    rates: Mutex<Vec<(&'static str, f64)>>,
    /// What the ledger says: lines behind the names of families.
    gauges: Mutex<Vec<Gauge>>,
}

/// A value of a family.
#[derive(Debug, Clone, PartialEq)]
struct Gauge {
    family: &'static str,
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Counters {
    /// Rows of a list.
    pub(crate) fn listed(&self, rows: u64) {
        self.listed.fetch_add(rows, Ordering::Relaxed);
    }

    /// A record was stored, was here already, differs from what is here, or could not be read.
    pub(crate) fn outcome(&self, name: &str) {
        if let Some(place) = OUTCOMES.iter().position(|known| *known == name) {
            self.outcomes[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A request had this status, or 0 for no answer.
    pub(crate) fn request(&self, kind: &'static str, status: u16) {
        *lock(&self.requests).entry((kind, status)).or_default() += 1;
    }

    /// The source asked to wait.
    pub(crate) fn throttled(&self, wait: Duration) {
        self.waited_ms.fetch_add(wait.as_millis() as u64, Ordering::Relaxed);
    }

    /// So fast may be asked at present.
    pub(crate) fn rates(&self, rates: Vec<(&'static str, f64)>) {
        *lock(&self.rates) = rates;
    }

    /// What the ledger says now.
    pub(crate) fn ledger(&self, report: &Report) {
        *lock(&self.gauges) = gauges(report);
    }
}

/// The counters of all mirrors of this process.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<BTreeMap<String, Arc<Counters>>>);

impl Metrics {
    /// The counters of a mirror.
    pub(crate) fn of(&self, name: &str) -> Arc<Counters> {
        Arc::clone(lock(&self.0).entry(name.to_owned()).or_default())
    }

    /// Forgets a mirror that was removed.
    pub(crate) fn forget(&self, name: &str) {
        lock(&self.0).remove(name);
    }

    /// Writes all families; none if there is no mirror.
    ///
    /// # Errors
    /// Those of the text, which has none where it is a string.
    pub fn write(&self, out: &mut String) -> fmt::Result {
        let mirrors = lock(&self.0).clone();
        if mirrors.is_empty() {
            return Ok(());
        }
        let mut families: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, counters) in &mirrors {
            for Gauge { family, labels, value } in counted(counters) {
                let mut line = format!("callvault_mirror_{family}{{mirror=\"{name}\"");
                for (label, of) in labels {
                    write!(line, ",{label}=\"{of}\"")?;
                }
                write!(line, "}} {value}")?;
                families.entry(family).or_default().push(line);
            }
        }
        for (family, kind, help) in FAMILIES {
            let Some(lines) = families.get(family) else { continue };
            writeln!(out, "# HELP callvault_mirror_{family} {help}")?;
            writeln!(out, "# TYPE callvault_mirror_{family} {kind}")?;
            for line in lines {
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every family: its name behind `callvault_mirror_`, its kind, and what it means.
pub(crate) const FAMILIES: [(&str, &str, &str); 24] = [
    ("alarm", "gauge", "Whether something is wrong that somebody should be told of."),
    ("clock_skew_seconds", "gauge", "How far the source's clock is ahead of ours."),
    ("closed_to_seconds", "gauge", "Everything is here that started before (Unix time)."),
    ("credential_expires_seconds", "gauge", "Time until the certificate ends."),
    ("due", "gauge", "Records that are to be read."),
    ("due_oldest_seconds", "gauge", "How long the oldest of them is due."),
    ("expiring_soon", "gauge", "Records to be read that the source forgets within two days."),
    ("forged_total", "counter", "Messages with a client state of somebody else."),
    ("hours", "gauge", "Hours of starts, by state."),
    ("last_notification_seconds", "gauge", "Time since a good notification came."),
    ("last_pass_seconds", "gauge", "Time since the last finished pass over a list began."),
    ("latency_seconds", "gauge", "Time from a call's end until it was heard of, over 7 days."),
    ("listed_total", "counter", "Rows of lists that were read."),
    ("notifications_total", "counter", "Good notifications that came."),
    ("holes", "gauge", "Records that are missing, by reason."),
    ("pass_late_seconds", "gauge", "How late the pass is that is due the longest, by kind."),
    ("rate_limit", "gauge", "Requests a second that are allowed at present, by bucket."),
    ("records", "gauge", "Records that the ledger has, by state."),
    ("requests_total", "counter", "Requests to the source by status; 0 is no answer."),
    ("sealed_to_seconds", "gauge", "Everything is sealed that started before (Unix time)."),
    ("stored_total", "counter", "Records that were read, by what came of it."),
    ("subscribed", "gauge", "Whether a subscription lives at the source."),
    ("subscription_expires_seconds", "gauge", "Time until the subscription ends."),
    ("throttled_seconds_total", "counter", "Time that the source asked to wait."),
];

/// Everything of one mirror.
fn counted(counters: &Counters) -> Vec<Gauge> {
    let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
    let mut all = vec![
        plain("listed_total", number(&counters.listed)),
        plain("throttled_seconds_total", number(&counters.waited_ms) / 1_000.0),
    ];
    let outcomes = OUTCOMES.iter().zip(&counters.outcomes);
    all.extend(outcomes.map(|(name, count)| of("stored_total", "outcome", name, number(count))));
    for ((kind, status), count) in lock(&counters.requests).iter() {
        let labels = vec![("kind", (*kind).to_owned()), ("status", status.to_string())];
        all.push(Gauge { family: "requests_total", labels, value: *count as f64 });
    }
    let rates = lock(&counters.rates).clone();
    all.extend(rates.iter().map(|(bucket, rate)| of("rate_limit", "bucket", bucket, *rate)));
    all.extend(lock(&counters.gauges).iter().cloned());
    all
}

fn plain(family: &'static str, value: f64) -> Gauge {
    Gauge { family, labels: Vec::new(), value }
}

fn of(family: &'static str, label: &'static str, name: &str, value: f64) -> Gauge {
    Gauge { family, labels: vec![(label, name.to_owned())], value }
}

fn seconds(ticks: i64) -> f64 {
    (ticks / TICKS_PER_SECOND) as f64
}

/// What a ledger says.
fn gauges(report: &Report) -> Vec<Gauge> {
    let mut all = Vec::new();
    let sum = |figure: fn(&HourReport) -> u64| report.sum(figure) as f64;
    all.push(plain("due", sum(|hour| hour.pending)));
    let oldest = report.oldest_due.map_or(0, |due| (report.now - due).max(0));
    all.push(plain("due_oldest_seconds", seconds(oldest)));
    all.push(plain("expiring_soon", report.expiring as f64));
    for (state, count) in &report.states {
        let family = if state.is_hole() { "holes" } else { "records" };
        let label = if state.is_hole() { "reason" } else { "state" };
        if *state != LedgerState::Due {
            all.push(of(family, label, state.name(), *count as f64));
        }
    }
    for state in HourState::ALL {
        let count = report.hours.iter().filter(|hour| hour.state == state).count();
        all.push(of("hours", "state", state.name(), count as f64));
    }
    let begins = report.mirror.setup.begins;
    for (family, up_to) in
        [("closed_to_seconds", report.closed_to()), ("sealed_to_seconds", report.sealed_to())]
    {
        if up_to > begins {
            all.push(plain(family, seconds(hours::start(up_to))));
        }
    }
    for pass in Pass::ALL {
        let late = report.hours.iter().filter_map(|hour| hour.late);
        let late = late.filter(|(of, _)| *of == pass).map(|(_, late)| late).max();
        all.push(of("pass_late_seconds", "pass", pass.name(), seconds(late.unwrap_or(0))));
    }
    let ago = |instant: i64| seconds(report.now - instant);
    all.extend(report.last_pass.map(|at| plain("last_pass_seconds", ago(at))));
    all.extend(report.mirror.skew.map(|skew| plain("clock_skew_seconds", seconds(skew))));
    all.extend(
        report.credential_left.map(|left| plain("credential_expires_seconds", seconds(left))),
    );
    for share in [0.5, 0.95, 1.0] {
        let minutes = delay::quantile(&report.delays, share);
        let quantile = |minutes: i64| {
            of("latency_seconds", "quantile", &share.to_string(), (minutes * 60) as f64)
        };
        all.extend(minutes.map(quantile));
    }
    notified(report, &mut all);
    for name in alarm::NAMES {
        let stands = report.alarms().iter().any(|alarm| alarm.name == name);
        all.push(of("alarm", "alarm", name, f64::from(u8::from(stands))));
    }
    all
}

/// What is known of subscriptions and notifications, where there ever was one.
fn notified(report: &Report, all: &mut Vec<Gauge>) {
    if report.subscriptions.is_empty() {
        return;
    }
    let alive = report.subscriptions.iter().filter(|known| known.is_alive(report.now));
    let expires = alive.map(|known| known.expires).max();
    all.push(plain("subscribed", f64::from(u8::from(expires.is_some()))));
    let left = expires.map_or(0, |expires| expires - report.now);
    all.push(plain("subscription_expires_seconds", seconds(left)));
    let reception = report.reception;
    all.push(plain("notifications_total", reception.received as f64));
    all.push(plain("forged_total", reception.forged as f64));
    let since = reception.notified.map(|at| seconds(report.now - at));
    all.extend(since.map(|since| plain("last_notification_seconds", since)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_is_written_once_with_a_line_for_each_mirror() {
        let metrics = Metrics::default();
        let mut text = String::new();
        metrics.write(&mut text).unwrap();
        assert_eq!(text, "", "nothing without a mirror");
        metrics.of("contoso").request("list", 200);
        metrics.of("contoso").request("list", 200);
        metrics.of("contoso").outcome("new");
        metrics.of("fabrikam").throttled(Duration::from_millis(1_500));
        metrics.of("fabrikam").rates(vec![("all", 58.0)]);
        metrics.write(&mut text).unwrap();
        for line in [
            "callvault_mirror_requests_total{mirror=\"contoso\",kind=\"list\",status=\"200\"} 2",
            "callvault_mirror_stored_total{mirror=\"contoso\",outcome=\"new\"} 1",
            "callvault_mirror_throttled_seconds_total{mirror=\"fabrikam\"} 1.5",
            "callvault_mirror_rate_limit{mirror=\"fabrikam\",bucket=\"all\"} 58",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert_eq!(text.matches("# TYPE callvault_mirror_stored_total counter").count(), 1);
        metrics.forget("contoso");
        let mut text = String::new();
        metrics.write(&mut text).unwrap();
        assert!(!text.contains("contoso"));
    }
}
