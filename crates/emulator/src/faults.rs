//! What the rules do to a request.

use std::sync::Arc;

use crate::length::Length;
use crate::requests::{Fault, Refusal, Request};
use crate::rules::{RequestRule, Rule};
use crate::state::State;
use crate::target::Target;
use crate::when::List;

/// Seconds that a 429 asks to wait if its rule doesn't say how many.
const USUAL_WAIT: u32 = 2;

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
            let is_open = fault.status.is_none() && fault.truncate.is_none();
            let decides = is_open && (refusal(rule).is_some() || rule.truncate.is_some());
            if !decides && rule.latency.is_none() {
                continue;
            }
            self.counts.acted(List::Request, place, of);
            if decides {
                fault.status = refusal(rule);
                fault.truncate = rule.truncate;
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
                        self.messages.is_unseen(record, length.time(), request.at)
                    })
            })
    }
}

fn refusal(rule: &RequestRule) -> Option<Refusal> {
    if rule.unseen_for.is_some() {
        return Some(Refusal { status: 404, retry_after: None });
    }
    let status = rule.status?;
    let usual = (status == 429).then_some(USUAL_WAIT);
    Some(Refusal { status, retry_after: rule.retry_after.or(usual) })
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
        did.extend(rule.truncate.map(|bytes| format!("cut after {bytes} bytes")));
    }
    did.join(", ")
}
