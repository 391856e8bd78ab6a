//! What a profile says of a stream, with the reasons.

use odata::json::{Json, push_string};
use odata::primitive::Duration;

use crate::figures::Figure;
use crate::metric::{Metric, Scale};
use crate::profile::{Comparison, Profile};

/// The verdict on a stream, and on all that is made of streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Nothing was wrong.
    Good,
    /// Something was.
    Poor,
    /// Too little is known.
    Unclassified,
    /// No rule is made for it.
    NotApplicable,
}

impl Verdict {
    /// All.
    pub const ALL: [Self; 4] = [Self::Good, Self::Poor, Self::Unclassified, Self::NotApplicable];

    /// The name in answers and columns.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Poor => "poor",
            Self::Unclassified => "unclassified",
            Self::NotApplicable => "notApplicable",
        }
    }
}

/// Why a verdict is what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason<'p> {
    /// A figure is on the wrong side of a threshold.
    Figure(Finding<'p>),
    /// The gate's figure was not enough.
    Gate(Finding<'p>),
    /// The gate's figure is not known.
    GateUnknown(Metric),
    /// No metric of the rule has a value.
    NoMetrics,
    /// The rule needs all metrics, and one has no value.
    MissingMetrics,
}

/// A figure and the threshold that it was compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding<'p> {
    /// The name of the reason.
    pub reason: &'p str,
    /// Of which figure.
    pub metric: Metric,
    /// Its value.
    pub value: Figure,
    /// The comparison that holds; for a gate the one that would have had to.
    pub comparison: Comparison,
    /// With what it was compared.
    pub threshold: Figure,
}

impl Finding<'_> {
    /// How many times worse than the threshold: the value by the threshold, or the other way round where a
    /// small value is the bad one.
    pub fn severity(&self) -> f64 {
        let scale = self.metric.scale();
        let (value, threshold) = (self.value.number(scale), self.threshold.number(scale));
        if self.comparison.is_upward() { value / threshold } else { threshold / value }
    }
}

impl<'p> Reason<'p> {
    /// The name in answers and columns.
    pub fn name(&self) -> &'p str {
        match self {
            Self::Figure(finding) => finding.reason,
            Self::Gate(_) => "gate",
            Self::GateUnknown(_) => "gateUnknown",
            Self::NoMetrics => "noMetrics",
            Self::MissingMetrics => "missingMetrics",
        }
    }
}

/// The verdict on a stream and all that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome<'p> {
    /// By which profile.
    pub profile: &'p Profile,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in the profile's order. A good stream has none, except the gate if that decided.
    pub reasons: Vec<Reason<'p>>,
    /// What is worth a look, of a stream that is good or poor.
    pub watch: Vec<Finding<'p>>,
    /// The metric that decided alone, in a rule whose first value decides.
    pub decided_by: Option<Metric>,
    /// Metrics of the rule without a value.
    pub missing: Vec<Metric>,
    /// Metrics of the rule with a value that can't be true; they are missing, too.
    pub implausible: Vec<Metric>,
}

impl<'p> Outcome<'p> {
    /// The reason to name first: the figure that is furthest from its threshold, else the first reason.
    pub fn headline(&self) -> Option<&Reason<'p>> {
        let severity = |reason: &&Reason<'_>| match reason {
            Reason::Figure(finding) => finding.severity(),
            _ => 0.0,
        };
        // Of equals the first.
        self.reasons.iter().rev().max_by(|a, b| severity(a).total_cmp(&severity(b)))
    }

    /// The outcome as an object: profile, verdict, reasons, watch, missing, implausible.
    pub fn to_json(&self) -> Json {
        let mut out = b"{\"profile\":".to_vec();
        push_string(&mut out, &self.profile.id());
        out.extend_from_slice(b",\"verdict\":");
        push_string(&mut out, self.verdict.name());
        push_list(&mut out, "reasons", &self.reasons, push_reason);
        push_list(&mut out, "watch", &self.watch, |out, it| push_finding(out, it.reason, it));
        if let Some(metric) = self.decided_by {
            out.extend_from_slice(b",\"decidedBy\":");
            push_string(&mut out, metric.name());
        }
        let push_metric = |out: &mut Vec<u8>, metric: &Metric| push_string(out, metric.name());
        push_list(&mut out, "missing", &self.missing, push_metric);
        push_list(&mut out, "implausible", &self.implausible, push_metric);
        out.push(b'}');
        Json::from_written(out)
    }
}

fn push_list<T>(out: &mut Vec<u8>, name: &str, items: &[T], push: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b',');
    push_string(out, name);
    out.extend_from_slice(b":[");
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        push(out, item);
    }
    out.push(b']');
}

fn push_reason(out: &mut Vec<u8>, reason: &Reason<'_>) {
    match reason {
        Reason::Figure(finding) | Reason::Gate(finding) => {
            push_finding(out, reason.name(), finding);
        }
        Reason::GateUnknown(_) | Reason::NoMetrics | Reason::MissingMetrics => {
            out.extend_from_slice(b"{\"reason\":");
            push_string(out, reason.name());
            if let Reason::GateUnknown(metric) = reason {
                out.extend_from_slice(b",\"metric\":");
                push_string(out, metric.name());
            }
            out.push(b'}');
        }
    }
}

fn push_finding(out: &mut Vec<u8>, reason: &str, finding: &Finding<'_>) {
    out.extend_from_slice(b"{\"reason\":");
    push_string(out, reason);
    out.extend_from_slice(b",\"metric\":");
    push_string(out, finding.metric.name());
    out.extend_from_slice(b",\"value\":");
    push_figure(out, finding.metric, finding.value);
    out.extend_from_slice(b",\"op\":");
    push_string(out, finding.comparison.operator());
    out.extend_from_slice(b",\"threshold\":");
    push_figure(out, finding.metric, finding.threshold);
    out.push(b'}');
}

/// Durations as Graph writes them, numbers as numbers.
fn push_figure(out: &mut Vec<u8>, metric: Metric, figure: Figure) {
    match (metric.scale(), figure) {
        (Scale::Duration, Figure::Int(ticks)) => push_string(out, &Duration(ticks).to_string()),
        (_, Figure::Int(number)) => out.extend_from_slice(number.to_string().as_bytes()),
        (_, Figure::Real(number)) => out.extend_from_slice(number.to_string().as_bytes()),
    }
}
