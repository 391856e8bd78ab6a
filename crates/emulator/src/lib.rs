//! A server that misbehaves on demand, so that those who write clients of call records can see what
//! their clients do about it; and a log of what the clients sent, with what they do wrong.
//!
//! Pure: no I/O, no async, no clock. The server asks [`Emulator::arrive`] what is to be done to a
//! request and tells by [`Emulator::answered`] what went out; the dispatcher asks [`Emulator::interference`]
//! and says [`Emulator::sent`]; the handshake asks [`Emulator::validates`].

mod answer_change;
mod answer_text;
mod chance;
mod faults;
mod glob;
mod history;
mod interference;
mod length;
mod log;
mod messages;
mod recent;
mod requests;
mod rules;
mod scenario;
mod state;
mod target;
mod validations;
mod warnings;
mod when;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use state::State;
use target::Target;
use when::Counts;

pub use answer_change::AnswerChange;
pub use log::{Entry, Log};
pub use messages::{HELD_AT_MOST, Interference, Notification};
pub use requests::{Answer, Fault, Refusal, Request};
pub use rules::{Rules, RulesError};
pub use scenario::{RecordOf, Scenario, Step, Until};
pub use warnings::{Code, Warning};

/// Rules, and what has happened so far. Shared by all threads.
#[derive(Debug)]
pub struct Emulator {
    state: Mutex<State>,
}

impl Emulator {
    /// Nothing has happened yet. The same seed gives the same requests the same faults.
    pub fn new(rules: Rules, seed: u64) -> Self {
        Self { state: Mutex::new(State::new(rules, seed)) }
    }

    /// Takes other rules, whose counts begin anew.
    pub fn replace_rules(&self, rules: Rules) {
        let mut state = self.state();
        state.rules = Arc::new(rules);
        state.counts = Counts::default();
    }

    /// The rules.
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.state().rules)
    }

    /// Notes a request: its number, from 1, and what is to be done to it.
    pub fn arrive(&self, request: &Request<'_>) -> (u64, Fault) {
        let target = Target::new(request.version, request.path, request.query);
        let mut state = self.state();
        let (fault, name) = state.fault(request, &target);
        (state.history.arrived(request, target, &fault, name), fault)
    }

    /// Notes what went out in answer to a request. Not to be called if the client had gone before:
    /// it can't know what it was not sent.
    pub fn answered(&self, number: u64, answer: &Answer<'_>) {
        let Some(entry) = self.state().history.entry(number).cloned() else { return };
        // Bodies can be long: nobody waits meanwhile.
        let content = history::content(&entry, answer);
        let of = entry.key();
        drop(entry);
        let mut state = self.state();
        if let Some(subscription) = &content.subscription {
            state.messages.owned(&subscription.id, &of);
        }
        state.history.answered(number, answer, content);
    }

    /// What is to be done to a message. To be asked once for each message, before it is sent first;
    /// sending it again after a failure is the same message.
    pub fn interference(&self, notification: &Notification<'_>) -> Interference {
        self.state().interference(notification)
    }

    /// Notes that a message about a record really went out (`at` in ticks of 100 ns since 1970), with
    /// the subscription's own client state or with another one.
    pub fn sent(&self, at: i64, subscription: &str, record: &str, had_right_client_state: bool) {
        self.state().messages.sent(at, subscription, record, had_right_client_state);
    }

    /// Whether the handshake with an address is made; otherwise it counts as not answered in time.
    pub fn validates(&self, url: &str) -> bool {
        self.state().validates(url)
    }

    /// The latest requests, and the mistakes that they show. `is_final` says that nothing more is to
    /// come, so that what clients have not done by now they don't do.
    pub fn log(&self, is_final: bool) -> Log {
        let (history, deliveries) = {
            let state = self.state();
            (state.history.clone(), Arc::clone(&state.messages.deliveries))
        };
        log::shown(&history, &deliveries, is_final)
    }

    /// Empties the log, without what has to be known of applications that go on: links and messages
    /// that they were given. Counts of rules go on too, as do the numbers.
    pub fn clear(&self) {
        self.state().history.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
