//! Sends what the queue of an address holds, and notes what became of it.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use odata::primitive::TICKS_PER_SECOND;
use reqwest::Url;
use store::{
    Channel, DeliveryOutcome, DeliveryRow, DueEndpoint, Error, Pending, SentMessages,
    SubscriptionRow, clock,
};
use tokio::sync::Semaphore;

use super::{READ, Work, now, ticks};
use crate::payload;
use crate::schedule::{GIVEN_UP_AFTER, wait};
use crate::send_error::{NO_LIFECYCLE, SendError};
use crate::transport::Message;

/// Messages of one request; some 25 KB.
const MOST_TOGETHER: usize = 50;
/// Requests to an address that have arrived and whose messages are not gone from the store yet. So
/// many are sent again after the process has died.
const MOST_UNSETTLED: usize = 32;
/// Requests under way to one host, of each kind.
const HOST_AT_ONCE: usize = 8;
/// A receiver that takes longer holds up only those that do so too.
const LONG: Duration = Duration::from_secs(1);

impl Work {
    /// Sends what an address has in its queue, until that is empty or a request fails. While what
    /// has arrived is taken out of the queue, the next is on its way.
    pub(super) async fn empty(self: &Rc<Self>, endpoint: DueEndpoint) -> Result<(), Error> {
        let DueEndpoint { subscription_key, channel, mut failures } = endpoint;
        let counters = &self.dispatcher.counters;
        let mut unsettled: VecDeque<Pending<usize>> = VecDeque::new();
        let mut behind = 0;
        loop {
            let (subscription, mut messages) = {
                let mut reader = self.reader.borrow_mut();
                // The role may be lost while there is much to be sent.
                if channel == Channel::Notifications
                    && !reader.may_be_told(subscription_key, READ)?
                {
                    break;
                }
                let subscription = reader.subscription(subscription_key)?;
                let address = (subscription_key, channel);
                // What is meddled with goes out by itself.
                let together = if self.dispatcher.emulator.is_some() { 1 } else { MOST_TOGETHER };
                (subscription, reader.next_deliveries(address, behind, together)?)
            };
            let Some(subscription) = subscription else { break };
            match messages.iter().position(|message| message.is_undecided) {
                Some(0) => {
                    self.decide(&subscription, messages).await?;
                    continue;
                }
                Some(first) => messages.truncate(first),
                None => {}
            }
            let Some(sent) = SentMessages::of(channel, &messages) else { break };
            match self.send(&subscription, channel, &messages, failures).await {
                Ok(()) => {
                    counters.delivered.fetch_add(messages.len() as u64, Ordering::Relaxed);
                    unsettled
                        .push_back(self.dispatcher.store.settle(sent, DeliveryOutcome::Delivered));
                    behind = sent.last;
                    failures = 0;
                }
                Err(error) => {
                    settle_all(unsettled).await?;
                    return self.failed(&subscription, sent, failures, &error).await;
                }
            }
            if unsettled.len() > MOST_UNSETTLED
                && let Some(oldest) = unsettled.pop_front()
            {
                oldest.await?;
            }
        }
        settle_all(unsettled).await
    }

    /// Notes that a request failed, and when it is tried again.
    async fn failed(
        &self,
        subscription: &SubscriptionRow,
        sent: SentMessages,
        failures: u32,
        error: &SendError,
    ) -> Result<(), Error> {
        let counters = &self.dispatcher.counters;
        counters.failed.fetch_add(1, Ordering::Relaxed);
        let now = now();
        let due = now + ticks(wait(failures + 1, error.retry_after(), chance()));
        let give_up_before = now - ticks(GIVEN_UP_AFTER);
        let reason = error.to_string();
        tracing::info!(subscription = subscription.id, reason, "not delivered");
        let settled = DeliveryOutcome::Failed { now, due, give_up_before, reason };
        let dead = self.dispatcher.store.settle(sent, settled).await?;
        counters.dead.fetch_add(dead as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Sends messages together.
    async fn send(
        self: &Rc<Self>,
        subscription: &SubscriptionRow,
        channel: Channel,
        messages: &[DeliveryRow],
        failures: u32,
    ) -> Result<(), SendError> {
        let address = match channel {
            Channel::Notifications => Some(&subscription.notification_url),
            Channel::Lifecycle => subscription.lifecycle_notification_url.as_ref(),
        };
        let Some(address) = address else {
            return Err(SendError::Address(NO_LIFECYCLE));
        };
        let url: Url = self.dispatcher.transports.address(address)?;
        let name = (subscription.key, channel);
        let is_bad = failures > 0 || self.slow.borrow().contains(&name);
        let host = self.host(&url, is_bad);
        let all = if is_bad { &self.failing } else { &self.healthy };
        let _host = host.acquire().await;
        let _all = all.acquire().await;
        if let Some(emulator) = &self.dispatcher.emulator {
            return self.interfere(emulator, subscription, &url, messages, failures).await;
        }
        let message = self.message(subscription, messages, None);
        let in_flight = &self.dispatcher.counters.in_flight;
        in_flight.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let sent = self.dispatcher.transports.of(&url).deliver(&url, message).await;
        in_flight.fetch_sub(1, Ordering::Relaxed);
        if began.elapsed() > LONG {
            self.slow.borrow_mut().insert(name);
        } else {
            self.slow.borrow_mut().remove(&name);
        }
        sent
    }

    /// JSON, with the lines of Standard Webhooks 1.0. The id is the same whenever the same messages
    /// are sent again, and no other: by it a receiver knows what it had before.
    pub(super) fn message(
        &self,
        subscription: &SubscriptionRow,
        messages: &[DeliveryRow],
        other_state: Option<&str>,
    ) -> Message {
        let vault = &self.dispatcher.vault;
        let state = subscription.sealed_client_state.as_deref();
        let state = state.and_then(|sealed| vault.open_client_state(&subscription.id, sealed));
        let body = payload::body(subscription, other_state.or(state.as_deref()), messages);
        // Receivers compare it with their own clock.
        let timestamp = clock::system() / TICKS_PER_SECOND;
        let key = |message: Option<&DeliveryRow>| message.map_or(0, |message| message.key);
        let (first, last) = (key(messages.first()), key(messages.last()));
        let id = format!("msg_{}_{first}_{last}", subscription.id.replace('-', ""));
        let mut headers = vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("webhook-id", id.clone()),
            ("webhook-timestamp", timestamp.to_string()),
        ];
        if let Some(secrets) = vault.open_secrets(&subscription.id, &subscription.sealed_secrets) {
            headers.push(("webhook-signature", secrets.sign(&id, timestamp, &body, now())));
        }
        Message { id, headers, body }
    }

    fn host(&self, url: &Url, is_bad: bool) -> Rc<Semaphore> {
        let name = format!("{}:{}", url.host_str().unwrap_or_default(), url.port().unwrap_or(0));
        let mut hosts = self.hosts.borrow_mut();
        let host = hosts.entry((name, is_bad));
        Rc::clone(host.or_insert_with(|| Rc::new(Semaphore::new(HOST_AT_ONCE))))
    }
}

async fn settle_all(unsettled: VecDeque<Pending<usize>>) -> Result<(), Error> {
    for settled in unsettled {
        settled.await?;
    }
    Ok(())
}

/// Something between 0 and 1, to part what would come together.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without chance all wait the same, which does no harm by itself.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}
