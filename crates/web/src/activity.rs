//! What is going on with a connection: touched by its I/O and its requests, looked at by its timer, and
//! told to the thread that accepts connections.

use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use crate::connection_table::Peer;

/// Limits of time.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// For a request's head, and for the TLS handshake.
    pub head: Duration,
    /// Between requests, and for a client that takes no bytes.
    pub idle: Duration,
    /// Bytes a second that a client has to take, beyond that; 0 is none.
    pub least_rate: u64,
}

impl Times {
    /// How often a connection is looked at: a limit is kept to within a fifth of the shortest.
    pub(crate) fn tick(self) -> Duration {
        self.head.min(self.idle) / 5
    }
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Between requests.
    Idle,
    /// Part of a request's head is here (or nothing at all, at the very beginning).
    Head,
    /// At least one request has no whole answer.
    Busy,
}

/// The state of one connection, touched by its I/O and its requests.
#[derive(Debug)]
pub struct Activity {
    pub(crate) phase: Cell<Phase>,
    open_requests: Cell<u32>,
    /// Counts changes of state, so that the timer sees whether there was one since it last looked.
    pub(crate) changes: Cell<u64>,
    /// The client does not take what we write.
    is_stalled: Cell<bool>,
    /// Since when, how long before, and how many bytes it took in all.
    stalled_since: Cell<Option<Instant>>,
    stalled: Cell<Duration>,
    taken: Cell<u64>,
    /// Bytes came since the last request began.
    has_news: Cell<bool>,
    /// Requests of which more of the body is waited for.
    open_bodies: Cell<u32>,
    is_http2: Cell<bool>,
    /// The server shuts down and the connection has not been told yet.
    pub(crate) is_draining: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// What is told of it to the thread that accepts connections.
    peer: Arc<Peer>,
}

/// A body is waited for, until this is dropped.
#[derive(Debug)]
pub struct BodyWait<'a>(&'a Activity);

impl Drop for BodyWait<'_> {
    fn drop(&mut self) {
        self.0.open_bodies.set(self.0.open_bodies.get() - 1);
        self.0.tell();
    }
}

impl Activity {
    pub(crate) fn new(peer: Arc<Peer>) -> Self {
        Self {
            phase: Cell::new(Phase::Head),
            open_requests: Cell::new(0),
            changes: Cell::new(0),
            is_stalled: Cell::new(false),
            stalled_since: Cell::new(None),
            stalled: Cell::new(Duration::ZERO),
            taken: Cell::new(0),
            has_news: Cell::new(true),
            open_bodies: Cell::new(0),
            is_http2: Cell::new(false),
            is_draining: Cell::new(false),
            waker: RefCell::new(None),
            peer,
        }
    }

    fn change(&self) {
        self.changes.set(self.changes.get() + 1);
    }

    /// Tells whose turn it is.
    fn tell(&self) {
        let is_ours = self.phase.get() == Phase::Busy
            && !self.is_stalled.get()
            && self.open_bodies.get() < self.open_requests.get();
        self.peer.keeps_us_waiting(!is_ours);
    }

    /// The other side of the connection.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// A valid token came by this connection.
    pub fn token_shown(&self) {
        self.peer.shows_token();
    }

    /// More of a request's body is waited for.
    pub fn waits_for_body(&self) -> BodyWait<'_> {
        self.open_bodies.set(self.open_bodies.get() + 1);
        self.tell();
        BodyWait(self)
    }

    /// The connection speaks HTTP/2, whose control frames say nothing about a request's head.
    pub fn speaks_http2(&self) {
        self.is_http2.set(true);
    }

    /// A request begins.
    pub fn request_begins(&self) {
        self.open_requests.set(self.open_requests.get() + 1);
        self.phase.set(Phase::Busy);
        self.change();
        self.tell();
    }

    /// A request has its whole answer, or will never have one.
    pub fn request_ends(&self) {
        let open = self.open_requests.get() - 1;
        self.open_requests.set(open);
        if open == 0 {
            self.phase.set(Phase::Idle);
        }
        self.change();
        self.tell();
    }

    /// Whether the request that begins was here before the one before it was answered.
    pub fn follows_another(&self) -> bool {
        !self.has_news.replace(false)
    }

    pub(crate) fn bytes_came(&self) {
        self.has_news.set(true);
        if self.phase.get() == Phase::Idle && !self.is_http2.get() {
            self.phase.set(Phase::Head);
            self.change();
        }
    }

    pub(crate) fn write_was(&self, poll: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = poll {
            self.taken.set(self.taken.get() + *bytes as u64);
        }
        let is_pending = poll.is_pending();
        if self.is_stalled.replace(is_pending) != is_pending {
            self.change();
            self.tell();
            let since = self.stalled_since.replace(is_pending.then(Instant::now));
            self.stalled.set(self.stalled.get() + since.map_or(Duration::ZERO, |at| at.elapsed()));
        }
    }

    /// Whether the client takes what we write so slowly that it only keeps it in memory.
    pub(crate) fn takes_too_slowly(&self, times: Times) -> bool {
        let earned = self.taken.get().saturating_mul(1_000).checked_div(times.least_rate);
        let earned = earned.map_or(Duration::MAX, Duration::from_millis);
        let now = self.stalled_since.get().map_or(Duration::ZERO, |since| since.elapsed());
        self.stalled.get() + now > times.idle.saturating_add(earned)
    }

    /// How long the present state may last without a change.
    pub(crate) fn patience(&self, times: Times) -> Option<Duration> {
        match self.phase.get() {
            _ if self.is_stalled.get() => Some(times.idle),
            Phase::Head => Some(times.head),
            Phase::Idle => Some(times.idle),
            // The body's reader has a limit of its own, and so have statements.
            Phase::Busy => None,
        }
    }

    /// Keeps what wakes the task of the connection.
    pub(crate) fn keep_waker(&self, waker: &Waker) {
        let mut kept = self.waker.borrow_mut();
        if !kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            *kept = Some(waker.clone());
        }
    }

    /// Lets the requests in flight end, and no further one begin.
    pub fn drain(&self) {
        self.is_draining.set(true);
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const TIMES: Times =
        Times { head: Duration::from_secs(10), idle: Duration::from_mins(1), least_rate: 1_000 };

    fn alone() -> Arc<Peer> {
        Arc::new(Peer::new(Ipv6Addr::LOCALHOST.into()))
    }

    #[test]
    fn patience_follows_what_the_connection_does() {
        let activity = Activity::new(alone());
        assert_eq!(activity.patience(TIMES), Some(TIMES.head), "silent from the beginning");
        activity.request_begins();
        assert_eq!(activity.patience(TIMES), None, "a request in flight");
        activity.bytes_came();
        assert_eq!(activity.patience(TIMES), None, "its body");
        activity.write_was(&Poll::Pending);
        assert_eq!(activity.patience(TIMES), Some(TIMES.idle), "the client takes nothing");
        activity.write_was(&Poll::Ready(Ok(1)));
        activity.request_ends();
        assert_eq!(activity.patience(TIMES), Some(TIMES.idle), "between requests");
        activity.bytes_came();
        assert_eq!(activity.patience(TIMES), Some(TIMES.head), "half a head");
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_slowly_is_cut_off_and_who_keeps_the_rate_is_not() {
        for (bytes, expected) in [(0, Some(60)), (500, Some(120)), (1_000, None)] {
            let (activity, began) = (Activity::new(alone()), Instant::now());
            let is_overdue = loop {
                activity.write_was(&Poll::Pending);
                tokio::time::sleep(Duration::from_secs(1)).await;
                if activity.takes_too_slowly(TIMES) {
                    break Some(began.elapsed().as_secs());
                }
                if began.elapsed() > Duration::from_hours(1) {
                    break None;
                }
                activity.write_was(&Poll::Ready(Ok(bytes)));
            };
            // Give or take the second in which it is seen.
            let is_expected = match (is_overdue, expected) {
                (Some(after), Some(expected)) => u64::abs_diff(after, expected) <= 1,
                (after, expected) => after == expected,
            };
            assert!(is_expected, "{is_overdue:?} at {bytes} bytes a second");
        }
    }

    #[test]
    fn control_frames_of_http2_are_no_head() {
        let activity = Activity::new(alone());
        activity.request_begins();
        activity.speaks_http2();
        activity.request_begins();
        activity.request_ends();
        assert_eq!(activity.patience(TIMES), None, "one of two streams is open");
        activity.request_ends();
        activity.bytes_came();
        assert_eq!(activity.patience(TIMES), Some(TIMES.idle));
    }

    #[test]
    fn a_head_that_trickles_in_does_not_buy_time() {
        let activity = Activity::new(alone());
        activity.request_begins();
        activity.request_ends();
        activity.bytes_came();
        let changes = activity.changes.get();
        activity.bytes_came();
        assert_eq!(activity.changes.get(), changes);
    }
}
