//! The verdict of a profile on a stream.

use crate::figures::{FigureState, Figures};
use crate::medium::Medium;
use crate::metric::Metric;
use crate::outcome::{Finding, Outcome, Reason, Verdict};
use crate::profile::{Condition, Gate, GateFails, Mode, Needs, Profile, Rule};

/// Judges a stream by the label of its media and its figures.
///
/// A figure that is missing or can't be true never makes a stream poor. A stream of which no figure of its
/// rule is known is unclassified, whatever the gate; then the gate decides; then the conditions.
pub fn classify<'p>(profile: &'p Profile, label: Option<&str>, figures: &Figures) -> Outcome<'p> {
    let mut outcome = Outcome {
        profile,
        verdict: Verdict::NotApplicable,
        reasons: Vec::new(),
        watch: Vec::new(),
        decided_by: None,
        missing: Vec::new(),
        implausible: Vec::new(),
    };
    let Some(rule) = Medium::of_label(label).and_then(|medium| profile.rule(medium)) else {
        return outcome;
    };
    for metric in rule.metrics() {
        match figures.get(metric) {
            FigureState::Value(_) => {}
            FigureState::Missing => outcome.missing.push(metric),
            FigureState::Implausible => {
                outcome.missing.push(metric);
                outcome.implausible.push(metric);
            }
        }
    }
    if let Some((verdict, reason)) = undecided(rule, figures) {
        outcome.verdict = verdict;
        outcome.reasons.push(reason);
        return outcome;
    }
    let judged: &[Condition] = match rule.mode {
        Mode::Any => &rule.poor,
        Mode::First => first_with_value(rule, figures),
    };
    if let (Mode::First, [decider]) = (rule.mode, judged) {
        outcome.decided_by = Some(decider.metric);
    }
    outcome.reasons.extend(findings(judged, figures).map(Reason::Figure));
    outcome.verdict = if outcome.reasons.is_empty() { Verdict::Good } else { Verdict::Poor };
    let is_reason = |name: &str| outcome.reasons.iter().any(|reason| reason.name() == name);
    outcome.watch =
        findings(&rule.watch, figures).filter(|finding| !is_reason(finding.reason)).collect();
    outcome
}

impl Rule {
    /// The metrics that decide, each once, in the order of the conditions.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = Metric> {
        let metrics = self.poor.iter().enumerate();
        metrics.filter_map(|(place, condition)| {
            let is_again = self.poor[..place].iter().any(|it| it.metric == condition.metric);
            (!is_again).then_some(condition.metric)
        })
    }
}

/// What is said of a stream before its figures are compared, if that decides.
fn undecided<'p>(rule: &'p Rule, figures: &Figures) -> Option<(Verdict, Reason<'p>)> {
    let has_value = |metric| figures.value(metric).is_some();
    if !rule.metrics().any(has_value) {
        return Some((Verdict::Unclassified, Reason::NoMetrics));
    }
    if rule.needs == Needs::All && !rule.metrics().all(has_value) {
        return Some((Verdict::Unclassified, Reason::MissingMetrics));
    }
    let Gate { metric, comparison, threshold, fails } = *rule.gate.as_ref()?;
    let Some(value) = figures.value(metric) else {
        return Some((Verdict::Unclassified, Reason::GateUnknown(metric)));
    };
    if comparison.holds(value, threshold) {
        return None;
    }
    let verdict = match fails {
        GateFails::Unclassified => Verdict::Unclassified,
        GateFails::Good => Verdict::Good,
    };
    Some((verdict, Reason::Gate(Finding { reason: "gate", metric, value, comparison, threshold })))
}

/// The condition that decides alone.
fn first_with_value<'p>(rule: &'p Rule, figures: &Figures) -> &'p [Condition] {
    let place = rule.poor.iter().position(|it| figures.value(it.metric).is_some());
    place.map_or(&[], |place| &rule.poor[place..=place])
}

/// The conditions that hold, in their order.
fn findings<'p>(
    conditions: &'p [Condition],
    figures: &Figures,
) -> impl Iterator<Item = Finding<'p>> {
    conditions.iter().filter_map(|condition| {
        let Condition { reason, metric, comparison, threshold } = condition;
        let value = figures.value(*metric)?;
        comparison.holds(value, *threshold).then_some(Finding {
            reason,
            metric: *metric,
            value,
            comparison: *comparison,
            threshold: *threshold,
        })
    })
}
