//! What the rules do to a message.

use std::sync::Arc;

use crate::length::Length;
use crate::messages::{Interference, Telling};
use crate::rules::{NotificationRule, Rule};
use crate::state::State;
use crate::when::List;

impl State {
    /// What the rules do to a message.
    pub(crate) fn interference(&mut self, telling: &Telling<'_>) -> Interference {
        let rules = Arc::clone(&self.rules);
        let of = telling.subscription;
        let mut copies = None;
        let mut interference = Interference::NONE;
        for (place, rule) in rules.notifications.iter().enumerate() {
            if !concerns(rule, telling)
                || !self.counts.matched(self.seed, List::Notification, place, of, rule.when())
                // Nothing more can be done to what is not sent.
                || copies == Some(0)
            {
                continue;
            }
            let asked = if rule.drop.is_some() { Some(0) } else { rule.copies };
            let mut acts = rule.delay.is_some();
            interference.delay += rule.delay.map(Length::time).unwrap_or_default();
            if copies.is_none() && asked.is_some() {
                (copies, acts) = (asked, true);
            }
            if interference.client_state.is_none() && rule.client_state.is_some() {
                interference.client_state.clone_from(&rule.client_state);
                acts = true;
            }
            if !interference.out_of_order && rule.out_of_order.is_some() {
                (interference.out_of_order, acts) = (true, true);
            }
            if acts {
                self.counts.acted(List::Notification, place, of);
            }
        }
        interference.copies = copies.unwrap_or(1);
        self.messages.expected(telling, &interference);
        interference
    }
}

fn concerns(rule: &NotificationRule, telling: &Telling<'_>) -> bool {
    let is = |known: &Option<String>, told: &str| {
        known.as_ref().is_none_or(|known| known.eq_ignore_ascii_case(told))
    };
    is(&rule.change_type, telling.change_type) && is(&rule.subscription, telling.subscription)
}
