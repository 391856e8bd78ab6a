//! What an emulator knows: its rules, what they have done, and what was asked and told.

use std::sync::Arc;

use crate::history::History;
use crate::messages::Messages;
use crate::rules::Rules;
use crate::when::Counts;

/// All that changes, behind one lock.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) seed: u64,
    pub(crate) rules: Arc<Rules>,
    pub(crate) counts: Counts,
    pub(crate) messages: Messages,
    pub(crate) history: History,
}

impl State {
    pub(crate) fn new(rules: Rules, seed: u64) -> Self {
        Self {
            seed,
            rules: Arc::new(rules),
            counts: Counts::default(),
            messages: Messages::new(),
            history: History::new(),
        }
    }
}
