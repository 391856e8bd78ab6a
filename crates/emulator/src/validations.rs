//! Handshakes with the addresses of subscriptions.

use std::borrow::Cow;
use std::sync::Arc;

use odata::percent::{Plus, decode};

use crate::rules::{Rule, ValidationRule};
use crate::state::State;
use crate::when::List;

/// The parts of an address that rules ask for.
struct Address<'a> {
    /// Without the query, which is different for each handshake.
    whole: &'a str,
    /// With its port, if it has one.
    host: &'a str,
    path: Cow<'a, str>,
}

impl State {
    /// Whether a handshake is made as usual.
    pub(crate) fn validates(&mut self, url: &str) -> bool {
        let rules = Arc::clone(&self.rules);
        let address = address(url);
        let mut is_usual = true;
        for (place, rule) in rules.validations.iter().enumerate() {
            let of = address.whole;
            let acts = concerns(rule, &address)
                && self.counts.matched(self.seed, List::Validation, place, of, rule.when());
            if acts && is_usual {
                is_usual = false;
                self.counts.acted(List::Validation, place, of);
            }
        }
        is_usual
    }
}

fn address(url: &str) -> Address<'_> {
    let whole = url.split(['?', '#']).next().unwrap_or(url);
    let behind = whole.split_once("://").map_or(whole, |(_, behind)| behind);
    let (authority, path) = behind.split_at(behind.find('/').unwrap_or(behind.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = if path.is_empty() { "/" } else { path };
    Address { whole, host, path: decode(path, Plus::Literal).unwrap_or(Cow::Borrowed(path)) }
}

fn concerns(rule: &ValidationRule, address: &Address<'_>) -> bool {
    let is_host = rule.host.as_ref().is_none_or(|host| {
        let bare = address.host.rsplit_once(':').map_or(address.host, |(bare, _)| bare);
        host.matches(address.host) || host.matches(bare)
    });
    is_host && rule.path.as_ref().is_none_or(|path| path.matches(&address.path))
}
