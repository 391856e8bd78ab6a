//! Rules as OData expressions, which give each row of `callvault.streams()` the same verdict.
//!
//! The expression repeats what [`classify`](crate::classify()) takes care of: a figure counts only within the
//! bounds of what can be true, and a comparison with null does not hold (URL Conventions 5.1.1.1).

use std::fmt::Write as _;

use odata::primitive::Duration;

use crate::figures::Figure;
use crate::medium::Medium;
use crate::metric::{Metric, Scale};
use crate::outcome::Verdict;
use crate::profile::{Comparison, Condition, GateFails, Mode, Needs, Rule};

/// The property of a row that has the label of its media.
pub const LABEL: &str = "mediaLabel";

/// Whether a row is of a medium, by the property of that name for the label. Of the marks in a label the first
/// in the order of [`Medium::ALL`] decides.
pub fn medium(medium: Medium, label: &str) -> String {
    let has = |mark| format!("contains(tolower({label}),'{mark}')");
    let before = Medium::ALL.into_iter().take_while(|it| *it != medium);
    let not_before = before.map(|it| format!(" and not {}", has(it.mark())));
    has(medium.mark()) + &not_before.collect::<String>()
}

/// The verdict of a rule on rows of its medium, a string: for `$compute`, `$filter` and `$apply`. A profile as
/// one expression would be larger than what one query may hold.
pub fn rule(rule: &Rule) -> String {
    let [good, poor, unclassified] =
        [Verdict::Good, Verdict::Poor, Verdict::Unclassified].map(text);
    let mut out = "case(".to_owned();
    if let (Mode::First, None) = (rule.mode, &rule.gate) {
        first_decides(rule, &mut out);
        push(&mut out, format_args!("true:{unclassified})"));
        return out;
    }
    let known: Vec<String> = rule.metrics().map(is_known).collect();
    let known = known.join(if rule.needs == Needs::All { " and " } else { " or " });
    push(&mut out, format_args!("not({known}):{unclassified},"));
    if let Some(gate) = &rule.gate {
        let passes = compares(gate.metric, gate.comparison, gate.threshold);
        let fails = match gate.fails {
            GateFails::Unclassified => &unclassified,
            GateFails::Good => &good,
        };
        let is_known = is_known(gate.metric);
        push(&mut out, format_args!("not({is_known}):{unclassified},not({passes}):{fails},"));
    }
    if let Mode::First = rule.mode {
        first_decides(rule, &mut out);
        push(&mut out, format_args!("true:{unclassified})"));
        return out;
    }
    let conditions: Vec<String> = rule.poor.iter().map(condition).collect();
    push(&mut out, format_args!("{}:{poor},true:{good})", conditions.join(" or ")));
    out
}

/// Both ways for each condition whose figure is known.
fn first_decides(rule: &Rule, out: &mut String) {
    let [good, poor] = [Verdict::Good, Verdict::Poor].map(text);
    for it in &rule.poor {
        let (holds, is_known) = (condition(it), is_known(it.metric));
        push(out, format_args!("{holds}:{poor},{is_known}:{good},"));
    }
}

/// Whether a condition holds: a comparison and, where that does not imply it, the bound of what can be true.
pub fn condition(condition: &Condition) -> String {
    let Condition { metric, comparison, threshold, .. } = condition;
    let compares = compares(*metric, *comparison, *threshold);
    let bound = if comparison.is_upward() { at_most(*metric) } else { Some(at_least(*metric)) };
    bound.map_or(compares.clone(), |bound| format!("({compares} and {bound})"))
}

/// Whether a metric has a value that can be true.
fn is_known(metric: Metric) -> String {
    let least = at_least(metric);
    at_most(metric).map_or(least.clone(), |most| format!("({least} and {most})"))
}

fn at_least(metric: Metric) -> String {
    let zero = if metric.scale() == Scale::Duration { "duration'PT0S'" } else { "0" };
    format!("{} ge {zero}", metric.name())
}

fn at_most(metric: Metric) -> Option<String> {
    let name = metric.name();
    match (metric.scale(), metric.greatest()) {
        (Scale::Real, Some(most)) => Some(format!("{name} le {most}")),
        (Scale::Real, None) => Some(format!("{name} lt INF")),
        _ => None,
    }
}

fn compares(metric: Metric, comparison: Comparison, threshold: Figure) -> String {
    let threshold = match (metric.scale(), threshold) {
        (Scale::Duration, Figure::Int(ticks)) => format!("duration'{}'", Duration(ticks)),
        (_, Figure::Int(number)) => number.to_string(),
        (_, Figure::Real(number)) => number.to_string(),
    };
    format!("{} {} {threshold}", metric.name(), comparison.operator())
}

fn text(verdict: Verdict) -> String {
    format!("'{}'", verdict.name())
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all text");
}
