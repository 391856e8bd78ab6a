//! Client states: messages with a wrong one that were believed.

use std::collections::HashMap;

use super::Finding;
use crate::history::{History, LoggedRequest};
use crate::messages::Deliveries;

/// What is said.
pub(super) const NOT_CHECKED: &str = "Records were asked for of which only messages with a wrong \
    clientState had told. Compare the clientState of each message with that of the subscription, and \
    ignore the message if they differ.";

/// Reads of records that the application can know from messages with a wrong client state alone: no
/// right one had been sent, no other answer had the id, and it had not dealt with the record before.
pub(super) fn not_checked<'a>(history: &'a History, deliveries: &Deliveries) -> Vec<Finding<'a>> {
    let mut by_record: HashMap<(String, &str), Vec<&LoggedRequest>> = HashMap::new();
    for entry in &history.entries {
        if let Some(record) = &entry.target.record {
            by_record.entry((entry.key(), record)).or_default().push(entry);
        }
    }
    let mut findings = Vec::new();
    for ((application, record), delivery) in deliveries.iter() {
        let Some(wrong) = delivery.wrong.filter(|_| delivery.is_wrong_sent) else { continue };
        let entries = by_record.get(&(application.clone(), record.as_str()));
        let Some(entries) = entries.filter(|entries| entries.iter().all(|entry| entry.at >= wrong))
        else {
            continue;
        };
        let known = history.known_since(application, record);
        let is_known =
            |at: i64| [delivery.right, known].into_iter().flatten().any(|since| since <= at);
        findings.extend(entries.iter().filter(|entry| entry.is_get() && !is_known(entry.at)).map(
            |entry| Finding {
                application: entry.application.as_deref(),
                number: entry.number,
                detail: "",
            },
        ));
    }
    findings
}
