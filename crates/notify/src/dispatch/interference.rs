//! What an emulator does to messages on their way: they come late, twice, in another order, with a
//! wrong client state, or not at all.
//!
//! What is taken off its way counts as delivered: the queue goes on, and the message is sent from here.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use emulator::{Emulator, HELD_AT_MOST, Interference, Notification};
use reqwest::Url;
use store::{DeliveryRow, SubscriptionRow, clock};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::Work;
use crate::send_error::SendError;
use crate::transport::Message;

/// How often a message is tried that was taken off its way, and the pause before the next time.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// A message, and what the emulator notes when it has gone out.
struct OutgoingMessage {
    emulator: Arc<Emulator>,
    url: Url,
    message: Message,
    copies: u32,
    subscription_key: i64,
    subscription: String,
    record: Option<String>,
    has_right_state: bool,
}

impl Work {
    /// Sends a message as the emulator wants it. What failed before is sent as it is.
    pub(super) async fn interfere(
        self: &Rc<Self>,
        emulator: &Arc<Emulator>,
        subscription: &SubscriptionRow,
        url: &Url,
        messages: &[DeliveryRow],
        failures: u32,
    ) -> Result<(), SendError> {
        let Some(delivery) = messages.first() else { return Ok(()) };
        let wanted = if failures == 0 {
            emulator.interference(&Notification {
                at: clock::system(),
                subscription: &subscription.id,
                change_type: delivery.event.name(),
                record: delivery.record_id.as_deref(),
                application: Some(&subscription.application_id),
            })
        } else {
            Interference::NONE
        };
        let outgoing = OutgoingMessage {
            emulator: Arc::clone(emulator),
            url: url.clone(),
            message: self.message(subscription, messages, wanted.client_state.as_deref()),
            copies: wanted.copies,
            subscription_key: subscription.key,
            subscription: subscription.id.clone(),
            record: delivery.record_id.clone(),
            has_right_state: wanted.client_state.is_none(),
        };
        if wanted.delay.is_zero() && !wanted.out_of_order {
            return self.send_copies(&outgoing).await;
        }
        // Asked for here, since the next one may go out before the task runs.
        let next = self.gone_out(subscription.key).notified_owned();
        let work = Rc::clone(self);
        tokio::task::spawn_local(async move { work.send_later(outgoing, &wanted, next).await });
        Ok(())
    }

    async fn send_later(
        &self,
        outgoing: OutgoingMessage,
        wanted: &Interference,
        next: OwnedNotified,
    ) {
        tokio::time::sleep(wanted.delay).await;
        if wanted.out_of_order {
            // When none comes it goes all the same.
            let _ = tokio::time::timeout(HELD_AT_MOST, next).await;
        }
        for _ in 0..TRIES {
            match self.send_copies(&outgoing).await {
                Ok(()) => return,
                Err(error) => tracing::info!(%error, "a message that was held back was not taken"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn send_copies(&self, outgoing: &OutgoingMessage) -> Result<(), SendError> {
        for _ in 0..outgoing.copies {
            let way = self.dispatcher.transports.of(&outgoing.url);
            way.deliver(&outgoing.url, outgoing.message.clone()).await?;
            if let Some(record) = &outgoing.record {
                let right = outgoing.has_right_state;
                outgoing.emulator.sent(clock::system(), &outgoing.subscription, record, right);
            }
            self.gone_out(outgoing.subscription_key).notify_waiters();
        }
        Ok(())
    }

    fn gone_out(&self, subscription_key: i64) -> Arc<Notify> {
        Arc::clone(self.gone_out.borrow_mut().entry(subscription_key).or_default())
    }
}
