//! What somebody should be told of a mirror without looking for it: lines of the log, and metrics.

use std::collections::BTreeMap;

use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};

use crate::delay;
use crate::hours::{self, DAY, HOUR};
use crate::report::Report;
use crate::schedule::{HourState, Pass};

/// The longest time after which an alarm is told once more.
const AGAIN: i64 = HOUR;
/// How late the source may be, in minutes.
const SOURCE_LATE: i64 = 180;
/// How far the source's clock may be from ours.
const SKEW: i64 = 60 * TICKS_PER_SECOND;
/// How long there may be no subscription.
const UNSUBSCRIBED: i64 = HOUR / 2;
/// Times before its end at which a credential's end is told, in days; the last two need attention.
const ENDS_IN: [i64; 3] = [1, 7, 30];
/// Weeks that are compared with a day without calls.
const WEEKS: i64 = 4;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name, as the metric has it.
    pub name: &'static str,
    /// What is wrong, in words.
    pub text: String,
    /// Whether `mirror status` is to say that the mirror needs attention.
    pub needs_attention: bool,
}

impl Report {
    /// What is wrong.
    pub fn alarms(&self) -> Vec<Alarm> {
        alarms(self)
    }

    /// Whether something is missing that should be here, was not looked at in time, or soon will be.
    pub fn needs_attention(&self) -> bool {
        self.alarms().iter().any(|alarm| alarm.needs_attention)
    }
}

/// The names of all alarms.
pub(crate) const NAMES: [&str; 12] = [
    "stands_still",
    "never_heard",
    "hole",
    "unknowable",
    "expiring_soon",
    "pass_late",
    "unsubscribed",
    "nothing_listed",
    "source_late",
    "credential_ends",
    "forged",
    "clock_skew",
];

/// What is wrong with a mirror.
fn alarms(report: &Report) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let mut raise = |name, needs_attention, text: Option<String>| {
        alarms.extend(text.map(|text| Alarm { name, text, needs_attention }));
    };
    let mirror = &report.mirror;
    let problem = mirror.problem.as_ref();
    raise(
        "stands_still",
        true,
        problem.map(|(why, since)| format!("stands still since {}: {why}", DateTimeOffset(*since))),
    );
    let is_unheard = mirror.heard.is_none();
    raise("never_heard", true, is_unheard.then(|| "nothing was read yet".to_owned()));
    raise("hole", true, counted(report.sum(|hour| hour.holes), "records are missing"));
    let unknowable = report.sum(|hour| u64::from(hour.state == HourState::Unknowable));
    raise("unknowable", true, counted(unknowable, "hours can't be known: the source forgot them"));
    raise(
        "expiring_soon",
        true,
        counted(report.expiring, "records are to be read that the source forgets within two days"),
    );
    raise("pass_late", true, pass_late(report));
    raise("unsubscribed", true, unsubscribed(report));
    raise("nothing_listed", false, nothing_listed(report));
    let late = delay::quantile(&report.delays, 0.95).filter(|minutes| *minutes > SOURCE_LATE);
    raise(
        "source_late",
        false,
        late.map(|minutes| {
            format!("the source lists calls up to {minutes} minutes after their ends")
        }),
    );
    let (ends, needs_attention) = credential_ends(report);
    raise("credential_ends", needs_attention, ends);
    raise(
        "forged",
        false,
        counted(report.reception.forged, "messages with a client state of somebody else"),
    );
    let skew = mirror.skew.filter(|skew| skew.abs() > SKEW);
    let skew = skew.map(|skew| skew / TICKS_PER_SECOND);
    raise(
        "clock_skew",
        false,
        skew.map(|seconds| {
            format!("the source's clock differs from this machine's by {seconds} s")
        }),
    );
    alarms
}

fn counted(count: u64, what: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {what}"))
}

fn pass_late(report: &Report) -> Option<String> {
    let late: Vec<Pass> = report
        .hours
        .iter()
        .filter_map(|hour| hour.late.filter(|_| hour.is_late()))
        .map(|(pass, _)| pass)
        .collect();
    let count = |of: Pass| late.iter().filter(|pass| **pass == of).count();
    let parts = Pass::ALL.map(|pass| (count(pass), pass.name()));
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, name)| format!("{count} {name}")).collect();
    (!parts.is_empty())
        .then(|| format!("passes are more than two hours late: {}", parts.join(", ")))
}

/// Notifications are wanted, and no subscription lives for a while.
fn unsubscribed(report: &Report) -> Option<String> {
    let newest = report.subscriptions.first()?;
    if report.subscriptions.iter().any(|known| known.is_alive(report.now)) {
        return None;
    }
    let since = newest.ended.unwrap_or(newest.expires);
    (report.now - since > UNSUBSCRIBED)
        .then(|| format!("there is no subscription since {}", DateTimeOffset(since)))
}

/// Nothing was listed for a day, though the same day of each of four weeks had calls.
fn nothing_listed(report: &Report) -> Option<String> {
    let listed = |from: i64| {
        let hours = report.hours.iter().filter(|hour| (from..from + 24).contains(&hour.hour));
        hours.map(|hour| hour.listed).sum::<u64>()
    };
    // The source is up to two and a half hours late.
    let from = hours::of(report.now - DAY - 3 * HOUR);
    let is_usual = (1..=WEEKS).all(|week| listed(from - week * 7 * 24) > 0);
    (is_usual && listed(from) == 0)
        .then(|| "no calls for a day, though this day had some in each of four weeks".to_owned())
}

fn credential_ends(report: &Report) -> (Option<String>, bool) {
    let Some(left) = report.credential_left else { return (None, false) };
    let Some(days) = ENDS_IN.iter().find(|days| left < **days * DAY) else { return (None, false) };
    let text = if left <= 0 {
        "the certificate has expired".to_owned()
    } else {
        format!("the certificate ends in less than {days} days")
    };
    (Some(text), *days <= ENDS_IN[1])
}

/// Which alarms were told, and when.
#[derive(Debug, Default)]
pub(crate) struct AlarmLog(BTreeMap<&'static str, i64>);

/// What is to be told of alarms now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct AlarmChanges {
    /// Those that began, changed, or last for another hour.
    pub(crate) standing: Vec<Alarm>,
    /// Names of those that are over.
    pub(crate) over: Vec<&'static str>,
}

impl AlarmLog {
    /// What is to be told at an instant (ticks by our clock), and counts as told.
    pub(crate) fn changes(&mut self, alarms: Vec<Alarm>, now: i64) -> AlarmChanges {
        let is_over = |name: &&'static str| alarms.iter().all(|alarm| alarm.name != *name);
        let over: Vec<&'static str> = self.0.keys().copied().filter(is_over).collect();
        for name in &over {
            self.0.remove(name);
        }
        let mut standing = Vec::new();
        for alarm in alarms {
            let known = self.0.get(alarm.name);
            if known.is_none_or(|at| now - at >= AGAIN) {
                self.0.insert(alarm.name, now);
                standing.push(alarm);
            }
        }
        AlarmChanges { standing, over }
    }
}

#[cfg(test)]
mod tests;
