//! What reaches mirrors beside the list: subscriptions, notifications, gaps between them, and how late the
//! source is. Instants are ticks of 100 ns since 1970, by the clock of the source.

/// A subscription of a mirror at its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorSubscription {
    /// The source's id of it.
    pub id: String,
    /// Where its notifications go.
    pub notification_url: String,
    /// Its client state, sealed under the master key.
    pub sealed_client_state: Vec<u8>,
    /// When it was made.
    pub created: i64,
    /// Until when it lives, as the source said.
    pub expires: i64,
    /// When it was found to be gone, or was given up.
    pub ended: Option<i64>,
    /// Whether the source asks to authorize it anew.
    pub asks_reauthorization: bool,
}

impl MirrorSubscription {
    /// Whether it lives at an instant, as far as is known.
    pub fn is_alive(&self, now: i64) -> bool {
        self.ended.is_none() && self.expires > now
    }
}

/// What came to the address of a mirror.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MirrorReception {
    /// When the source last checked that the address answers.
    pub validated: Option<i64>,
    /// When a good notification last came.
    pub notified: Option<i64>,
    /// Good notifications.
    pub received: u64,
    /// Messages with a client state that is not ours.
    pub forged: u64,
}

/// A stretch of time in which notifications may have been lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorGap {
    /// Its beginning.
    pub began: i64,
    /// Its end.
    pub ended: i64,
    /// Why.
    pub why: String,
}

/// How many calls were heard of within so many minutes of their ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelayCount {
    /// The upper bound of a class of delays.
    pub minutes: i64,
    /// Calls in it.
    pub records: u64,
}

/// What a message of the source asks of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionEvent {
    /// To be authorized anew (`reauthorizationRequired`).
    Reauthorize,
    /// It is gone (`subscriptionRemoved`).
    Removed,
}
