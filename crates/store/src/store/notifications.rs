//! Writes of subscriptions and of the messages that they are to get.

use super::Store;
use crate::pending::Pending;
use crate::rows::subscription::{
    Decision, DeliveryOutcome, Event, Match, SentMessages, SubscriptionOutcome, SubscriptionRow,
};
use crate::tables::{deliveries, subscriptions};
use crate::writer::Weight;

impl Store {
    /// Keeps a new subscription, unless its application has one for the same or the tenant has
    /// `quota` live ones.
    ///
    /// On PostgreSQL the call itself blocks, before it returns: it opens a connection, and waits until the
    /// transactions of others that were running have ended, at most as long as a statement may take. On
    /// SQLite it doesn't block.
    pub fn add_subscription(
        &self,
        subscription: SubscriptionRow,
        quota: u64,
    ) -> Pending<SubscriptionOutcome> {
        let behind =
            subscriptions::decided(&self.inner.state.opener, self.inner.state.statement_limit);
        self.submit(Weight::SMALL, move |session| {
            subscriptions::add(session, &subscription, behind, quota)
        })
    }

    /// Gives the subscription of that id another end, address and secrets; whether there is one.
    pub fn update_subscription(&self, subscription: SubscriptionRow) -> Pending<bool> {
        self.submit(Weight::SMALL, move |session| subscriptions::update(session, &subscription))
    }

    /// Deletes a subscription with its messages; whether there was one.
    pub fn delete_subscription(&self, id: &str) -> Pending<bool> {
        let id = id.to_owned();
        self.submit(Weight::SMALL, move |session| subscriptions::delete(session, &id))
    }

    /// Takes a subscription away from its application, and queues an event about that.
    pub fn remove_subscription(&self, subscription_key: i64) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| subscriptions::remove(session, subscription_key))
    }

    /// Queues a warning that a subscription ends soon, once for each end; whether it was queued now.
    pub fn warn_subscription(&self, subscription_key: i64) -> Pending<bool> {
        self.submit(Weight::SMALL, move |session| subscriptions::warn(session, subscription_key))
    }

    /// Queues an event that asks the application of a subscription to be authorized again; whether it was
    /// queued now.
    pub fn require_reauthorization(&self, subscription_key: i64) -> Pending<bool> {
        self.submit(Weight::SMALL, move |session| {
            subscriptions::queue_event(session, subscription_key, Event::ReauthorizationRequired)
        })
    }

    /// Puts messages into the queues for versions from one entry of the change log to another, in
    /// one transaction with the cursor: none is put twice or left out. Answers how many.
    pub fn enqueue(&self, range: (i64, i64), matches: Vec<Match>) -> Pending<usize> {
        let weight = Weight { records: matches.len().max(1), bytes: 0 };
        self.submit(weight, move |session| deliveries::enqueue(session, range, &matches))
    }

    /// Takes undecided messages out of the queue, or lets them go out.
    pub fn decide(&self, decisions: Vec<Decision>) -> Pending<()> {
        let weight = Weight { records: decisions.len().max(1), bytes: 0 };
        self.submit(weight, move |session| deliveries::decide(session, &decisions))
    }

    /// Notes what became of messages that were sent; answers how many were given up.
    pub fn settle(&self, sent: SentMessages, settled: DeliveryOutcome) -> Pending<usize> {
        self.submit(Weight::SMALL, move |session| deliveries::settle(session, sent, &settled))
    }

    /// Puts messages of a subscription that were given up back into its queue: all, or one.
    /// Answers how many.
    pub fn replay(&self, subscription_key: i64, delivery_key: Option<i64>) -> Pending<usize> {
        self.submit(Weight::SMALL, move |session| {
            deliveries::replay(session, subscription_key, delivery_key)
        })
    }
}
