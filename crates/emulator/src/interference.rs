//! What the rules do to a message.

use std::sync::Arc;

use crate::length::Length;
use crate::messages::{Interference, Notification};
use crate::rules::{NotificationRule, Rule};
use crate::state::State;
use crate::when::List;

impl State {
    /// What the rules do to a message.
    pub(crate) fn interference(&mut self, notification: &Notification<'_>) -> Interference {
        let rules = Arc::clone(&self.rules);
        let of = notification.subscription;
        let mut copies = None;
        let mut interference = Interference::NONE;
        for (place, rule) in rules.notifications.iter().enumerate() {
            if !concerns(rule, notification)
                || !self.counts.matched(self.seed, List::Notification, place, of, rule.when())
                // Nothing more can be done to what is not sent.
                || copies == Some(0)
            {
                continue;
            }
            let wanted = if rule.drop.is_some() { Some(0) } else { rule.copies };
            let mut acts = rule.delay.is_some();
            interference.delay += rule.delay.map(Length::time).unwrap_or_default();
            if copies.is_none() && wanted.is_some() {
                (copies, acts) = (wanted, true);
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
        self.messages.expected(notification, &interference);
        interference
    }
}

fn concerns(rule: &NotificationRule, notification: &Notification<'_>) -> bool {
    let is = |wanted: &Option<String>, actual: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(actual))
    };
    is(&rule.change_type, notification.change_type)
        && is(&rule.subscription, notification.subscription)
}
