//! What a rule must and may not say beside the types of its members.

use crate::glob::Glob;

use super::{NotificationRule, RequestRule, RetryAfter, Rule, ValidationRule};

/// The member that is wrong, and what is wrong with it.
pub(super) type Wrong = (&'static str, String);

/// Kinds of messages: changes of records, and events of subscriptions.
const CHANGE_TYPES: [&str; 5] =
    ["created", "updated", "missed", "reauthorizationRequired", "subscriptionRemoved"];

/// More copies than anybody needs.
const MOST_COPIES: u32 = 100;

/// A rule that can be checked.
pub(super) trait CheckedRule: Rule {
    /// What is wrong with it.
    fn check(&self) -> Result<(), Wrong>;
}

impl CheckedRule for RequestRule {
    fn check(&self) -> Result<(), Wrong> {
        check_when(self)?;
        check_path(self.path.as_ref().map(Glob::text))?;
        check_filled("method", self.method.as_deref())?;
        check_filled("application", self.application.as_deref())?;
        if let Some(method) = &self.method
            && !method.bytes().all(|byte| byte.is_ascii_alphabetic())
        {
            return wrong("method", format!("expected one such as GET, found \"{method}\""));
        }
        if let Some(status) = self.status
            && !(400..600).contains(&status)
        {
            return wrong("status", format!("expected 400 to 599, found {status}"));
        }
        if self.retry_after.is_some() && !matches!(self.status, Some(429 | 503)) {
            return wrong("retry_after", "expected only with the status 429 or 503");
        }
        if self.truncate.is_some() && self.status.is_some() {
            return wrong(
                "truncate",
                "can't be together with status: a refusal has no body to cut",
            );
        }
        if self.unseen_for.is_some() {
            if self.status.is_some() || self.truncate.is_some() {
                let message = "can't be together with status or truncate: its answer is 404";
                return wrong("unseen_for", message);
            }
            if self.method.as_ref().is_some_and(|method| !method.eq_ignore_ascii_case("GET")) {
                return wrong("unseen_for", "is for the method GET only");
            }
        }
        check_change(self)?;
        let has_effect = self.status.is_some()
            || self.latency.is_some()
            || self.truncate.is_some()
            || self.unseen_for.is_some()
            || self.changes_answer();
        let effects = "status, latency, truncate, unseen_for, unlisted_for, links, body or set";
        check_effect(has_effect, effects)
    }
}

/// Checks what a rule changes in an answer.
fn check_change(rule: &RequestRule) -> Result<(), Wrong> {
    if let Some(RetryAfter::Text(text)) = &rule.retry_after
        && (text.trim().is_empty() || text.bytes().any(|byte| !(0x20..0x7f).contains(&byte)))
    {
        return wrong("retry_after", "expected seconds, or text that a header can hold");
    }
    let changes = [
        ("unlisted_for", rule.unlisted_for.is_some()),
        ("links", rule.links.is_some()),
        ("body", rule.body.is_some()),
        ("set", rule.set.is_some()),
    ];
    let refuses = rule.status.is_some() || rule.truncate.is_some() || rule.unseen_for.is_some();
    if refuses && let Some((member, _)) = changes.iter().find(|(_, is_there)| *is_there) {
        let message = "can't be together with status, truncate or unseen_for";
        return wrong(member, message);
    }
    if rule.body.is_some() && changes.iter().filter(|(_, is_there)| *is_there).count() > 1 {
        return wrong("body", "can't be together with another change of the answer");
    }
    if let Some(set) = &rule.set
        && let Some(pointer) = set.keys().find(|pointer| !pointer.starts_with('/'))
    {
        return wrong("set", format!("expected JSON Pointers, found \"{pointer}\""));
    }
    Ok(())
}

impl CheckedRule for NotificationRule {
    fn check(&self) -> Result<(), Wrong> {
        check_when(self)?;
        check_filled("subscription", self.subscription.as_deref())?;
        if let Some(change_type) = &self.change_type
            && !CHANGE_TYPES.contains(&change_type.as_str())
        {
            let types = CHANGE_TYPES.join(", ");
            return wrong(
                "change_type",
                format!("expected one of {types}, found \"{change_type}\""),
            );
        }
        if let Some(copies) = self.copies
            && !(2..=MOST_COPIES).contains(&copies)
        {
            return wrong("copies", format!("expected 2 to {MOST_COPIES}, found {copies}"));
        }
        check_true("drop", self.drop)?;
        check_true("out_of_order", self.out_of_order)?;
        let has_other = self.delay.is_some()
            || self.copies.is_some()
            || self.client_state.is_some()
            || self.out_of_order.is_some();
        if self.drop.is_some() && has_other {
            return wrong("drop", "can't be together with another effect: nothing is sent");
        }
        if self.delay.is_some() && self.out_of_order.is_some() {
            return wrong("out_of_order", "can't be together with delay: both say when it is sent");
        }
        let has_effect = self.drop.is_some() || has_other;
        check_effect(has_effect, "delay, copies, drop, client_state or out_of_order")
    }
}

impl CheckedRule for ValidationRule {
    fn check(&self) -> Result<(), Wrong> {
        check_when(self)?;
        check_filled("host", self.host.as_ref().map(Glob::text))?;
        check_slash(self.path.as_ref().map(Glob::text))?;
        if let Some(host) = &self.host
            && host.text().contains('/')
        {
            return wrong("host", format!("expected a host without a path, found \"{host}\""));
        }
        check_true("time_out", self.time_out)?;
        check_effect(self.time_out.is_some(), "time_out")
    }
}

fn check_when(rule: &impl Rule) -> Result<(), Wrong> {
    let written = rule.written();
    if let Some(probability) = written.probability
        && !(0.0..=1.0).contains(&probability)
    {
        return wrong("probability", format!("expected 0.0 to 1.0, found {probability}"));
    }
    let picks = [("nth", written.nth), ("every", written.every), ("first", written.first)];
    for (member, number) in picks.into_iter().chain([("times", written.times)]) {
        if number == Some(0) {
            return wrong(member, "expected 1 or more, found 0");
        }
    }
    let mut named = picks.iter().filter(|(_, number)| number.is_some());
    if let (Some((one, _)), Some((other, _))) = (named.next(), named.next()) {
        return wrong(other, format!("can't be together with {one}"));
    }
    if written.nth.is_some() && written.times.is_some() {
        return wrong("times", "can't be together with nth, which is one time");
    }
    Ok(())
}

fn check_path(path: Option<&str>) -> Result<(), Wrong> {
    check_slash(path)?;
    let path = path.unwrap_or_default().to_ascii_lowercase();
    match path.split('/').nth(1) {
        Some(version @ ("v1.0" | "beta")) => {
            wrong("path", format!("expected a path below the version, without /{version}"))
        }
        _ => Ok(()),
    }
}

fn check_slash(path: Option<&str>) -> Result<(), Wrong> {
    match path {
        Some(path) if !path.starts_with(['/', '*']) => {
            wrong("path", format!("expected one that begins with / or *, found \"{path}\""))
        }
        Some(path) if path.contains('?') => wrong("path", "expected a path without a query"),
        _ => Ok(()),
    }
}

fn check_filled(member: &'static str, text: Option<&str>) -> Result<(), Wrong> {
    match text {
        Some(text) if text.trim().is_empty() => wrong(member, "expected some text, found none"),
        _ => Ok(()),
    }
}

fn check_true(member: &'static str, value: Option<bool>) -> Result<(), Wrong> {
    match value {
        Some(false) => wrong(member, "expected true; a rule without the effect leaves it out"),
        _ => Ok(()),
    }
}

fn check_effect(has_effect: bool, effects: &str) -> Result<(), Wrong> {
    if has_effect { Ok(()) } else { wrong("", format!("has no effect: expected {effects}")) }
}

fn wrong(member: &'static str, message: impl Into<String>) -> Result<(), Wrong> {
    Err((member, message.into()))
}
