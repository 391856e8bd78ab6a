//! The rules of misbehaviour as they are written, in TOML or JSON.
//!
//! One form serves reading, acting and writing. What a rule may not say is found by `check` when it
//! is read, so that all that is kept can act.

mod check;
mod parse;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::glob::Glob;
use crate::length::Length;
use crate::when::{Pick, When};

pub use parse::RulesError;

/// All rules, each list in its order.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Rules {
    /// What happens to requests.
    #[serde(rename = "request")]
    pub(crate) requests: Vec<RequestRule>,
    /// What happens to messages to subscribers.
    #[serde(rename = "notification")]
    pub(crate) notifications: Vec<NotificationRule>,
    /// What happens to the handshake with an address.
    #[serde(rename = "validation")]
    pub(crate) validations: Vec<ValidationRule>,
}

impl Rules {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.notifications.is_empty() && self.validations.is_empty()
    }

    /// The rules as [`Rules::from_json`] reads them.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("all members are text and numbers, and all names are text")
    }
}

/// A rule for requests; counts are those of an application.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RequestRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Of the path below the version, percent-decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<Glob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) application: Option<String>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nth: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) every: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u64>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<RetryAfter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<Length>,
    /// Bytes of the body that are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) truncate: Option<usize>,
    /// Since the record was first announced, or listed to whoever asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unseen_for: Option<Length>,

    /// Since the end of the calls that are left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unlisted_for: Option<Length>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) links: Option<Links>,
    /// Sent in place of the answer's own, with its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
    /// By JSON Pointer into the answer: values in place of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) set: Option<BTreeMap<String, serde_json::Value>>,
}

impl RequestRule {
    /// Whether it changes the answer, which is made as always.
    pub(crate) fn changes_answer(&self) -> bool {
        self.unlisted_for.is_some()
            || self.links.is_some()
            || self.body.is_some()
            || self.set.is_some()
    }
}

/// What `Retry-After` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of seconds, or text")]
pub(crate) enum RetryAfter {
    /// Seconds.
    Seconds(u32),
    /// Anything else, such as a fraction or a date; `none` leaves it out.
    Text(String),
}

/// What becomes of the links to more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Links {
    /// Each leads back to what was asked for.
    Loop,
    /// Each leads to another host.
    Foreign,
    /// There are none.
    Dropped,
}

/// A rule for messages; counts are those of a subscription.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NotificationRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subscription: Option<String>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nth: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) every: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u64>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delay: Option<Length>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copies: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drop: Option<bool>,
    /// Sent in place of the right one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) out_of_order: Option<bool>,
}

/// A rule for handshakes; counts are those of an address without its query.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ValidationRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Of the host, or of host and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<Glob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<Glob>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nth: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) every: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u64>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_out: Option<bool>,
}

/// A rule of any list: what all of them have. The five members of *when* stand in each of them, since
/// serde can't both refuse unknown members and take some from a shared struct.
pub(crate) trait Rule {
    /// The five members as they are written.
    fn written(&self) -> Written;

    /// When it acts.
    fn when(&self) -> When {
        let Written { probability, nth, every, first, times } = self.written();
        let pick = match (nth, every, first) {
            (Some(nth), ..) => Pick::Nth(nth),
            (_, Some(every), _) => Pick::Every(every),
            (.., Some(first)) => Pick::First(first),
            _ => Pick::All,
        };
        When { pick, probability, times }
    }
}

/// The members of *when*, as they are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) probability: Option<f64>,
    pub(crate) nth: Option<u64>,
    pub(crate) every: Option<u64>,
    pub(crate) first: Option<u64>,
    pub(crate) times: Option<u64>,
}

impl Rule for RequestRule {
    fn written(&self) -> Written {
        let Self { probability, nth, every, first, times, .. } = *self;
        Written { probability, nth, every, first, times }
    }
}

impl Rule for NotificationRule {
    fn written(&self) -> Written {
        let Self { probability, nth, every, first, times, .. } = *self;
        Written { probability, nth, every, first, times }
    }
}

impl Rule for ValidationRule {
    fn written(&self) -> Written {
        let Self { probability, nth, every, first, times, .. } = *self;
        Written { probability, nth, every, first, times }
    }
}

#[cfg(test)]
mod tests;
