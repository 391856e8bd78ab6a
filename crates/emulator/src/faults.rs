//! What the rules do to a request.

use std::sync::Arc;

use crate::answer_change::AnswerChange;
use crate::history;
use crate::length::Length;
use crate::requests::{Fault, Refusal, Request};
use crate::rules::{RequestRule, RetryAfter, Rule};
use crate::state::State;
use crate::target::Target;
use crate::when::List;

/// Seconds that a 429 asks to wait if its rule doesn't say how many.
const USUAL_WAIT: u32 = 2;
/// What a rule says in place of a wait for answers that have none.
const NO_WAIT: &str = "none";

impl State {
    /// What the rules do to a request, and how the log names it. Every rule that matches counts that,
    /// but one that has no effect, since another one has decided before, keeps its times.
    pub(crate) fn fault(
        &mut self,
        request: &Request<'_>,
        target: &Target,
    ) -> (Fault, Option<String>) {
        let rules = Arc::clone(&self.rules);
        let of = request.application.unwrap_or_default();
        let mut fault = Fault::default();
        let mut names = Vec::new();
        for (place, rule) in rules.requests.iter().enumerate() {
            if !self.concerns(rule, request, target)
                || !self.counts.matched(self.seed, List::Request, place, of, rule.when())
            {
                continue;
            }
            let is_open =
                fault.status.is_none() && fault.truncate.is_none() && fault.change.is_none();
            let changes =
                refusal(rule).is_some() || rule.truncate.is_some() || rule.changes_answer();
            let decides = is_open && changes;
            if !decides && rule.latency.is_none() {
                continue;
            }
            self.counts.acted(List::Request, place, of);
            if decides {
                fault.status = refusal(rule);
                fault.truncate = rule.truncate;
                fault.change = AnswerChange::of(rule);
            }
            fault.latency += rule.latency.map(Length::time).unwrap_or_default();
            names.push(rule.name.clone().unwrap_or_else(|| description(rule, decides)));
        }
        (fault, (!names.is_empty()).then(|| names.join("; ")))
    }

    fn concerns(&self, rule: &RequestRule, request: &Request<'_>, target: &Target) -> bool {
        let is = |wanted: &Option<String>, actual: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(actual))
        };
        is(&rule.method, request.method)
            && is(&rule.application, request.application.unwrap_or_default())
            && rule.path.as_ref().is_none_or(|path| path.matches(&target.path))
            && rule.unseen_for.is_none_or(|length| {
                request.method.eq_ignore_ascii_case("GET")
                    && target.record.as_ref().is_some_and(|record| {
                        let first_listed =
                            self.history.known_since(&history::key(request.application), record);
                        self.messages.is_unseen(record, length.time(), (request.at, first_listed))
                    })
            })
    }
}

fn refusal(rule: &RequestRule) -> Option<Refusal> {
    if rule.unseen_for.is_some() {
        return Some(Refusal { status: 404, retry_after: None });
    }
    let status = rule.status?;
    let retry_after = match &rule.retry_after {
        Some(RetryAfter::Seconds(seconds)) => Some(seconds.to_string()),
        Some(RetryAfter::Text(text)) => (text != NO_WAIT).then(|| text.clone()),
        None => (status == 429).then(|| USUAL_WAIT.to_string()),
    };
    Some(Refusal { status, retry_after })
}

/// What a rule without a name did.
fn description(rule: &RequestRule, decides: bool) -> String {
    let mut did = Vec::new();
    if let Some(latency) = rule.latency {
        did.push(format!("{latency} late"));
    }
    if decides {
        if rule.unseen_for.is_some() {
            did.push("record not seen yet".to_owned());
        } else if let Some(status) = rule.status {
            did.push(format!("status {status}"));
        }
        if rule.changes_answer() {
            did.push("answer changed".to_owned());
        }
        did.extend(rule.truncate.map(|bytes| format!("cut after {bytes} bytes")));
    }
    did.join(", ")
}
