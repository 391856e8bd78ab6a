//! What a profile says of a stream, with the reasons.

use odata::json::Node;

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

    /// The outcome as the schema's `streamQuality`.
    pub fn to_node(&self) -> Node<'static> {
        let names = |metrics: &[Metric]| {
            Node::Array(metrics.iter().map(|metric| Node::text(metric.name())).collect())
        };
        let watch = self.watch.iter().map(|finding| finding_node(finding.reason, finding));
        let headline = self.headline().map_or(Node::Null, |reason| Node::text(reason.name()));
        let decided_by = self.decided_by.map_or(Node::Null, |metric| Node::text(metric.name()));
        let members = [
            ("profile", Node::text(&self.profile.id())),
            ("verdict", Node::text(self.verdict.name())),
            ("reason", headline),
            ("reasons", Node::Array(self.reasons.iter().map(reason_node).collect())),
            ("watch", Node::Array(watch.collect())),
            ("decidedBy", decided_by),
            ("missing", names(&self.missing)),
            ("implausible", names(&self.implausible)),
        ];
        Node::object(members)
    }
}

fn reason_node(reason: &Reason<'_>) -> Node<'static> {
    let metric = match reason {
        Reason::Figure(finding) | Reason::Gate(finding) => {
            return finding_node(reason.name(), finding);
        }
        Reason::GateUnknown(metric) => Node::text(metric.name()),
        Reason::NoMetrics | Reason::MissingMetrics => Node::Null,
    };
    Node::object([
        ("reason", Node::text(reason.name())),
        ("metric", metric),
        ("value", Node::Null),
        ("op", Node::Null),
        ("threshold", Node::Null),
    ])
}

fn finding_node(reason: &str, finding: &Finding<'_>) -> Node<'static> {
    let Finding { metric, value, comparison, threshold, .. } = *finding;
    Node::object([
        ("reason", Node::text(reason)),
        ("metric", Node::text(metric.name())),
        ("value", figure_node(metric, value)),
        ("op", Node::text(comparison.operator())),
        ("threshold", figure_node(metric, threshold)),
    ])
}

/// A number; seconds of a duration, so that all figures have one type.
fn figure_node(metric: Metric, figure: Figure) -> Node<'static> {
    match (metric.scale(), figure) {
        (Scale::Integer, Figure::Int(number)) => Node::Number(number.to_string().into()),
        (scale, figure) => Node::Number(figure.number(scale).to_string().into()),
    }
}
