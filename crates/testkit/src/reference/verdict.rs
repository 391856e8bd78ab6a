//! Verdicts a second time: what a profile says of streams, and what follows for sessions and calls, after the
//! words of the rules and with nothing of the crate that Callvault judges with.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use model::generated::{CALL_RECORD, LEG_ROW, SESSION, STREAM_ROW, VERDICT};
use model::rows::QUALITY;

use super::profile::{Limit, METRICS, Number, Profile, Rule, Scale};
use super::value::{Object, Value};

/// The profile whose verdicts the member has.
pub(super) const DEFAULT: &str = "cqd-2021";

/// What a profile says of a stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgement {
    /// `good`, `poor`, `unclassified` or `notApplicable`.
    pub verdict: &'static str,
    /// Names of all reasons, in the order of the profile.
    pub reasons: Vec<String>,
    /// The one to name first.
    pub headline: Option<String>,
    /// Names of what is worth a look.
    pub watch: Vec<String>,
    /// The metric that decided alone.
    pub decided_by: Option<&'static str>,
    /// Metrics of the rule without a value.
    pub missing: Vec<&'static str>,
    /// Those of them whose value can't be true.
    pub implausible: Vec<&'static str>,
    /// By how many times the worst figure of a poor stream is on the wrong side of its threshold.
    pub severity: f64,
}

/// Judges the row of a stream.
pub fn judge(profile: &Profile, row: &Value) -> Judgement {
    let label = match row.member("mediaLabel") {
        Value::Text(label) => Some(label),
        _ => None,
    };
    of_stream(profile, label.as_deref(), row)
}

/// The value of `callvault.quality` for a stream, a session or a call, or for each of several. It has no
/// people, and no figures beside its reasons.
pub(super) fn quality(at: &Value, profile: &str) -> Value {
    match at {
        Value::List(items) => {
            Value::list(items.iter().map(|item| quality(item, profile)).collect())
        }
        // A group that was made by it.
        Value::Object(object) if object.ty.is_none() => at.member(QUALITY),
        Value::Object(object) => {
            let profiles = Profile::shipped();
            let profile = profiles.iter().find(|known| known.name == profile);
            let profile = profile.expect("the binder knows the same profiles");
            match object.ty {
                Some(ty) if ty.is_a(&STREAM_ROW) || ty.is_a(&LEG_ROW) => {
                    let stream = judge(profile, at);
                    told(profile, stream.verdict, stream.headline.as_deref())
                }
                Some(ty) if ty.is_a(&SESSION) => of_many(profile, &of_session(profile, at)),
                Some(ty) if ty.is_a(&CALL_RECORD) => {
                    let sessions = at.member("sessions");
                    let is_test =
                        |session: &&Value| matches!(session.member("isTest"), Value::Bool(true));
                    let sessions = sessions.items().iter().filter(|session| !is_test(session));
                    let streams = sessions.flat_map(|session| of_session(profile, session));
                    of_many(profile, &streams.collect::<Vec<_>>())
                }
                _ => Value::Null,
            }
        }
        _ => Value::Null,
    }
}

fn of_session(profile: &Profile, session: &Value) -> Vec<Judgement> {
    let mut found = Vec::new();
    for segment in session.member("segments").items() {
        for media in segment.member("media").items() {
            let label = match media.member("label") {
                Value::Text(label) => Some(label),
                _ => None,
            };
            let streams = media.member("streams");
            let judged = streams.items().iter();
            found.extend(judged.map(|stream| of_stream(profile, label.as_deref(), stream)));
        }
    }
    found
}

/// The verdict on some streams: poor if one is, good if one is and none is poor, else unclassified if one is.
/// Its reason is that of the poor stream whose figure is furthest from its threshold, of equals the first.
fn of_many(profile: &Profile, streams: &[Judgement]) -> Value {
    let has = |verdict: &&str| streams.iter().any(|stream| stream.verdict == *verdict);
    let verdict = ["poor", "good", "unclassified"].into_iter().find(has);
    let mut worst: Option<&Judgement> = None;
    for stream in streams.iter().filter(|stream| stream.verdict == "poor") {
        if worst.is_none_or(|worst| stream.severity > worst.severity) {
            worst = Some(stream);
        }
    }
    let reason = worst.and_then(|worst| worst.headline.as_deref());
    told(profile, verdict.unwrap_or("notApplicable"), reason)
}

fn told(profile: &Profile, verdict: &str, reason: Option<&str>) -> Value {
    let members = [
        ("profile", Value::text(&format!("{}/{}", profile.name, profile.version))),
        ("verdict", Value::Member(&VERDICT, verdict.into())),
        ("reason", reason.map_or(Value::Null, Value::text)),
    ];
    let members = members.map(|(name, value)| (name.to_owned(), value));
    Value::Object(Rc::new(Object { ty: None, members: BTreeMap::from(members) }))
}

/// Speech before shared screens before cameras, whatever the case of the label.
fn medium(label: &str) -> Option<&'static str> {
    let label = label.to_lowercase();
    let marks = [("audio", "audio"), ("applicationsharing", "screenSharing"), ("video", "video")];
    marks.into_iter().find(|(mark, _)| label.contains(mark)).map(|(_, medium)| medium)
}

fn of_stream(profile: &Profile, label: Option<&str>, stream: &Value) -> Judgement {
    let medium = label.and_then(medium);
    let rule = profile.rules.iter().find(|rule| Some(rule.medium) == medium);
    let Some(rule) = rule else {
        return Judgement { verdict: "notApplicable", ..Judgement::default() };
    };
    let mut told = Judgement::default();
    let mut known = 0;
    for metric in metrics(rule) {
        match figure(stream, metric) {
            Figure::Is(_) => known += 1,
            Figure::Nothing => told.missing.push(metric),
            Figure::Impossible => {
                told.missing.push(metric);
                told.implausible.push(metric);
            }
        }
    }
    let open = |mut told: Judgement, verdict, reason: &str| {
        told.verdict = verdict;
        told.reasons = vec![reason.to_owned()];
        told.headline = Some(reason.to_owned());
        told
    };
    if known == 0 {
        return open(told, "unclassified", "noMetrics");
    }
    if rule.needs_all && !told.missing.is_empty() {
        return open(told, "unclassified", "missingMetrics");
    }
    if let Some((gate, fails)) = &rule.gate {
        match figure(stream, gate.metric) {
            Figure::Is(number) if holds(gate, number) => {}
            Figure::Is(_) => return open(told, fails, "gate"),
            _ => return open(told, "unclassified", "gateUnknown"),
        }
    }
    compared(rule, stream, told)
}

/// Compares the figures with their thresholds.
fn compared(rule: &Rule, stream: &Value, mut told: Judgement) -> Judgement {
    let number = |limit: &Limit| match figure(stream, limit.metric) {
        Figure::Is(number) => Some(number),
        _ => None,
    };
    for limit in &rule.poor {
        let Some(number) = number(limit) else { continue };
        if holds(limit, number) {
            let severity = severity(limit, number);
            if told.headline.is_none() || severity > told.severity {
                told.headline = Some(limit.reason.clone());
                told.severity = severity;
            }
            told.reasons.push(limit.reason.clone());
        }
        if rule.is_first {
            told.decided_by = Some(limit.metric);
            break;
        }
    }
    told.verdict = if told.reasons.is_empty() { "good" } else { "poor" };
    for limit in &rule.watch {
        let is_seen = number(limit).is_some_and(|number| holds(limit, number));
        if is_seen && !told.reasons.contains(&limit.reason) {
            told.watch.push(limit.reason.clone());
        }
    }
    told
}

/// What the rule looks at, each once.
fn metrics(rule: &Rule) -> Vec<&'static str> {
    let mut found = Vec::new();
    for limit in &rule.poor {
        if !found.contains(&limit.metric) {
            found.push(limit.metric);
        }
    }
    found
}

enum Figure {
    Nothing,
    Impossible,
    Is(Number),
}

fn figure(stream: &Value, metric: &str) -> Figure {
    let scale = METRICS.iter().find(|(name, _)| *name == metric).map(|(_, scale)| *scale);
    let number = match (scale, stream.member(metric)) {
        (Some(Scale::Count), Value::Int(count)) => Number::Whole(i128::from(count)),
        // Streams have units of 100 ns; what is finer is cut off.
        (Some(Scale::Time), Value::Duration(picoseconds)) => Number::Ticks(picoseconds / 100_000),
        (Some(Scale::UpTo(_)), Value::Float(number)) => Number::Real(number),
        (Some(Scale::UpTo(_)), Value::Int(number)) => Number::Real(number as f64),
        _ => return Figure::Nothing,
    };
    let can_be = match (number, scale) {
        (Number::Whole(count) | Number::Ticks(count), _) => count >= 0,
        (Number::Real(number), _) if !number.is_finite() => return Figure::Nothing,
        (Number::Real(number), Some(Scale::UpTo(most))) => number >= 0.0 && number <= most,
        (Number::Real(_), _) => false,
    };
    if can_be { Figure::Is(number) } else { Figure::Impossible }
}

fn holds(limit: &Limit, number: Number) -> bool {
    let (less, equal) = match (number, limit.threshold) {
        (Number::Whole(a), Number::Whole(b)) | (Number::Ticks(a), Number::Ticks(b)) => {
            (a < b, a == b)
        }
        (Number::Real(a), Number::Real(b)) => (a < b, a.partial_cmp(&b) == Some(Ordering::Equal)),
        _ => return false,
    };
    match limit.side {
        "above" => !less && !equal,
        "at_least" => !less,
        "below" => less,
        _ => less || equal,
    }
}

/// By how many times a figure is on the wrong side.
fn severity(limit: &Limit, number: Number) -> f64 {
    let plain = |number| match number {
        Number::Whole(count) => count as f64,
        Number::Ticks(ticks) => ticks as f64 / 10_000_000.0,
        Number::Real(number) => number,
    };
    let (number, threshold) = (plain(number), plain(limit.threshold));
    match limit.side {
        "above" | "at_least" => number / threshold,
        _ => threshold / number,
    }
}
