//! Messages to subscribers, and what was announced by them.

use std::sync::Arc;
use std::time::Duration;

use odata::primitive;

use crate::recent::Recent;

/// How long a message that is held back waits for the next one at most.
pub const HELD_AT_MOST: Duration = Duration::from_secs(5);

/// Records whose announcements are remembered.
const REMEMBERED: usize = 10_000;

/// A message that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// Now, in ticks of 100 ns since 1970.
    pub at: i64,
    /// The id of the subscription.
    pub subscription: &'a str,
    /// What it tells: `created`, `updated` or the name of an event of the subscription.
    pub change_type: &'a str,
    /// The id of the record that it is about.
    pub record: Option<&'a str>,
    /// Whose subscription it is.
    pub application: Option<&'a str>,
}

/// What is to be done to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interference {
    /// How often it is sent: 1 as usual, 0 for not at all.
    pub copies: u32,
    /// How much later.
    pub delay: Duration,
    /// What is sent in place of the subscription's client state.
    pub client_state: Option<String>,
    /// Whether it is held back until the next message to the subscription has gone out, or
    /// [`HELD_AT_MOST`] has passed.
    pub out_of_order: bool,
}

impl Interference {
    /// Nothing.
    pub const NONE: Self =
        Self { copies: 1, delay: Duration::ZERO, client_state: None, out_of_order: false };
}

/// What applications heard, by application and record.
pub(crate) type Deliveries = Recent<(String, String), Delivery>;

/// What was announced, to whom, and how.
#[derive(Debug)]
pub(crate) struct Messages {
    /// By record: when it was first announced.
    announcements: Recent<String, Announcement>,
    pub(crate) deliveries: Arc<Deliveries>,
    /// By subscription: the application.
    owners: Recent<String, String>,
}

#[derive(Debug, Clone, Copy)]
struct Announcement {
    at: i64,
    /// Before that it is only expected.
    is_sent: bool,
}

/// What an application heard of a record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Delivery {
    /// When the first message with a wrong client state went out, or was to.
    pub(crate) wrong: Option<i64>,
    /// Whether one really did.
    pub(crate) is_wrong_sent: bool,
    /// When the first message with the right one was taken to be sent.
    pub(crate) right: Option<i64>,
}

impl Messages {
    pub(crate) fn new() -> Self {
        Self {
            announcements: Recent::new(REMEMBERED),
            deliveries: Arc::new(Recent::new(REMEMBERED)),
            owners: Recent::new(REMEMBERED),
        }
    }

    /// Whether a record was announced, or else first listed to its reader, less than this long ago. One of
    /// which neither is known counts as seen: its reader knows it from elsewhere.
    pub(crate) fn is_unseen(
        &self,
        record: &String,
        time: Duration,
        (at, first_listed): (i64, Option<i64>),
    ) -> bool {
        let announced = self.announcements.get(record).map(|announced| announced.at);
        announced.or(first_listed).is_some_and(|known| at < later(known, time))
    }

    /// Notes whose a subscription is.
    pub(crate) fn owned(&mut self, subscription: &str, application: &str) {
        application
            .clone_into(self.owners.get_or(subscription.to_ascii_lowercase(), String::new()));
    }

    fn delivery(&mut self, subscription: &str, record: &str) -> &mut Delivery {
        let owner =
            self.owners.get(&subscription.to_ascii_lowercase()).cloned().unwrap_or_default();
        Arc::make_mut(&mut self.deliveries).get_or((owner, record.to_owned()), Delivery::default())
    }

    /// Notes what is going to be told. A receiver may ask for the record before it has answered the
    /// message, so that waiting for what `told` says would be too late.
    pub(crate) fn expected(
        &mut self,
        notification: &Notification<'_>,
        interference: &Interference,
    ) {
        self.owned(
            notification.subscription,
            &notification.application.unwrap_or_default().to_ascii_lowercase(),
        );
        let (Some(record), 1..) = (notification.record, interference.copies) else { return };
        let record = record.to_ascii_lowercase();
        let held = if interference.out_of_order { HELD_AT_MOST } else { Duration::ZERO };
        let at = later(notification.at, interference.delay + held);
        self.announcements.get_or(record.clone(), Announcement { at, is_sent: false });
        let delivery = self.delivery(notification.subscription, &record);
        if interference.client_state.is_some() {
            delivery.wrong = Some(earlier(delivery.wrong, at));
        } else {
            delivery.right = Some(earlier(delivery.right, notification.at));
        }
    }

    /// Notes a message that went out.
    pub(crate) fn sent(&mut self, at: i64, subscription: &str, record: &str, is_right: bool) {
        let record = record.to_ascii_lowercase();
        let announced =
            self.announcements.get_or(record.clone(), Announcement { at, is_sent: false });
        if !announced.is_sent {
            *announced = Announcement { at, is_sent: true };
        }
        let delivery = self.delivery(subscription, &record);
        if is_right {
            delivery.right = Some(earlier(delivery.right, at));
        } else {
            delivery.wrong = Some(earlier(delivery.wrong, at));
            delivery.is_wrong_sent = true;
        }
    }
}

fn later(at: i64, time: Duration) -> i64 {
    at.saturating_add(primitive::Duration::from(time).0)
}

fn earlier(known: Option<i64>, at: i64) -> i64 {
    known.map_or(at, |known| known.min(at))
}
