//! Mistakes that clients of call records are known for, as far as requests show them.
//!
//! A warning that is not true costs more trust than one that is missing, so each of them is told
//! only if no correct client could have sent the same requests.

mod links;
mod states;
mod subscriptions;
mod waits;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::{History, key};
use crate::messages::Deliveries;

/// A kind of mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Code {
    /// A link to more was not followed.
    FirstPageOnly,
    /// A request goes on with something by no link that was given.
    LinkEdited,
    /// A request came before the time of `Retry-After` was over.
    RetryAfterIgnored,
    /// A subscription hears of first versions only.
    CreatedOnly,
    /// A subscription has no client state.
    NoClientState,
    /// A message with a wrong client state was believed.
    ClientStateNotChecked,
}

/// A mistake of an application, told once however often it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// What kind of mistake.
    pub code: Code,
    /// Whose it is.
    pub application: Option<String>,
    /// What was seen, what follows from it and what would be right.
    pub message: String,
    /// The numbers of the requests that show it.
    pub requests: Vec<u64>,
}

/// A mistake in one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding<'a> {
    pub(crate) application: Option<&'a str>,
    pub(crate) number: u64,
    /// What is to be told apart in the message.
    pub(crate) detail: &'a str,
}

/// All warnings.
pub(crate) fn all(history: &History, deliveries: &Deliveries, is_final: bool) -> Vec<Warning> {
    [
        gathered(
            Code::FirstPageOnly,
            links::not_followed(history, is_final),
            links::not_followed_text,
        ),
        gathered(Code::LinkEdited, links::edited(history), |_| links::EDITED.to_owned()),
        gathered(Code::RetryAfterIgnored, waits::ignored(history), |_| waits::IGNORED.to_owned()),
        gathered(Code::CreatedOnly, subscriptions::created_only(history), |_| {
            subscriptions::CREATED_ONLY.to_owned()
        }),
        gathered(Code::NoClientState, subscriptions::without_state(history), |_| {
            subscriptions::WITHOUT_STATE.to_owned()
        }),
        gathered(Code::ClientStateNotChecked, states::not_checked(history, deliveries), |_| {
            states::NOT_CHECKED.to_owned()
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One warning for each application with findings.
fn gathered(
    code: Code,
    findings: Vec<Finding<'_>>,
    message: impl Fn(&[Finding<'_>]) -> String,
) -> Vec<Warning> {
    let mut by_application: BTreeMap<String, Vec<Finding<'_>>> = BTreeMap::new();
    for finding in findings {
        by_application.entry(key(finding.application)).or_default().push(finding);
    }
    let warning = |findings: Vec<Finding<'_>>| {
        let mut requests: Vec<u64> = findings.iter().map(|finding| finding.number).collect();
        requests.sort_unstable();
        requests.dedup();
        let application = findings.first().and_then(|first| first.application).map(str::to_owned);
        Warning { code, application, message: message(&findings), requests }
    };
    by_application.into_values().map(warning).collect()
}

#[cfg(test)]
mod tests;
