//! `Retry-After`: requests that came before its time was over.

use std::collections::HashMap;

use odata::primitive::{TICKS_PER_MILLISECOND, TICKS_PER_SECOND};

use super::Finding;
use crate::history::{History, LoggedRequest};

/// What is said.
pub(super) const IGNORED: &str = "Requests came before the time of the Retry-After of an answer to the \
    same path was over. They count against the limit again, so that waiting takes longer in the end. \
    Wait for as long as Retry-After says before you ask again.";

/// How much earlier than told a request may come: clocks and timers differ.
const EARLY: i64 = 50 * TICKS_PER_MILLISECOND;
/// Requests that were sent beside the refused one may come in for as long after its answer.
const CROSSING: i64 = 100 * TICKS_PER_MILLISECOND;

/// A time during which a path is not to be asked for.
struct Wait<'a> {
    refused: &'a LoggedRequest,
    from: i64,
    until: i64,
}

impl Wait<'_> {
    fn is_ignored_by(&self, entry: &LoggedRequest) -> bool {
        // What comes at once is a second try only if it is the same.
        let is_same = entry.target.print == self.refused.target.print;
        let from = if is_same { self.from } else { self.from + CROSSING };
        from < entry.at && entry.at < self.until
    }
}

/// Requests that came too early.
pub(super) fn ignored(history: &History) -> Vec<Finding<'_>> {
    let mut waits: HashMap<(String, String, u64), Vec<Wait<'_>>> = HashMap::new();
    let mut findings = Vec::new();
    for entry in &history.entries {
        let key = (entry.key(), entry.method.to_ascii_uppercase(), entry.target.path_print);
        let known = waits.entry(key).or_default();
        if known.iter().rev().any(|wait| wait.is_ignored_by(entry)) {
            findings.push(Finding {
                application: entry.application.as_deref(),
                number: entry.number,
                detail: "",
            });
        }
        if let Some(given) = &entry.answer
            && let Some(seconds) = given.retry_after
        {
            let told = i64::from(seconds) * TICKS_PER_SECOND;
            let until = given.at.saturating_add(told - told / 10 - EARLY);
            known.push(Wait { refused: entry, from: given.at, until });
        }
    }
    findings
}
