//! The open connections of one worker thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::activity::Activity;
use crate::connection_table::Peer;

/// The open connections of one thread.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    next: Cell<u64>,
    open: RefCell<HashMap<u64, Rc<Activity>>>,
    is_draining: Cell<bool>,
}

impl Connections {
    /// Lets requests in flight finish and closes each connection after them.
    pub(crate) fn drain(&self) {
        self.is_draining.set(true);
        for activity in self.open.borrow().values() {
            activity.drain();
        }
    }

    /// Whether none is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.borrow().is_empty()
    }

    /// Opens one, with its number.
    pub(crate) fn open(&self, peer: Arc<Peer>) -> (u64, Rc<Activity>) {
        let number = self.next.get();
        self.next.set(number + 1);
        let activity = Rc::new(Activity::new(peer));
        activity.is_draining.set(self.is_draining.get());
        self.open.borrow_mut().insert(number, Rc::clone(&activity));
        (number, activity)
    }

    /// Takes one off the list, however it ended.
    pub(crate) fn close(&self, number: u64) {
        self.open.borrow_mut().remove(&number);
    }
}
