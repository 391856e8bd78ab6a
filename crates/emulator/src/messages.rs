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
pub struct Telling<'a> {
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
pub(crate) type HeardOf = Recent<(String, String), Heard>;

/// What was announced, to whom, and how.
#[derive(Debug)]
pub(crate) struct Messages {
    /// By record: when it was first announced.
    announced: Recent<String, Announced>,
    pub(crate) heard: Arc<HeardOf>,
    /// By subscription: the application.
    owners: Recent<String, String>,
}

#[derive(Debug, Clone, Copy)]
struct Announced {
    at: i64,
    /// Before that it is only expected.
    is_told: bool,
}

/// What an application heard of a record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Heard {
    /// When the first message with a wrong client state went out, or was to.
    pub(crate) wrong: Option<i64>,
    /// Whether one really did.
    pub(crate) is_wrong_told: bool,
    /// When the first message with the right one was taken to be sent.
    pub(crate) right: Option<i64>,
}

impl Messages {
    pub(crate) fn new() -> Self {
        Self {
            announced: Recent::new(REMEMBERED),
            heard: Arc::new(Recent::new(REMEMBERED)),
            owners: Recent::new(REMEMBERED),
        }
    }

    /// Whether a record was announced less than this long ago. One of which nobody was told is seen:
    /// whoever asks for it knows it from elsewhere.
    pub(crate) fn is_unseen(&self, record: &String, time: Duration, at: i64) -> bool {
        self.announced.get(record).is_some_and(|announced| at < later(announced.at, time))
    }

    /// Notes whose a subscription is.
    pub(crate) fn owned(&mut self, subscription: &str, application: &str) {
        application
            .clone_into(self.owners.get_or(subscription.to_ascii_lowercase(), String::new()));
    }

    fn heard(&mut self, subscription: &str, record: &str) -> &mut Heard {
        let owner =
            self.owners.get(&subscription.to_ascii_lowercase()).cloned().unwrap_or_default();
        Arc::make_mut(&mut self.heard).get_or((owner, record.to_owned()), Heard::default())
    }

    /// Notes what is going to be told. A receiver may ask for the record before it has answered the
    /// message, so that waiting for what `told` says would be too late.
    pub(crate) fn expected(&mut self, telling: &Telling<'_>, interference: &Interference) {
        self.owned(
            telling.subscription,
            &telling.application.unwrap_or_default().to_ascii_lowercase(),
        );
        let (Some(record), 1..) = (telling.record, interference.copies) else { return };
        let record = record.to_ascii_lowercase();
        let held = if interference.out_of_order { HELD_AT_MOST } else { Duration::ZERO };
        let at = later(telling.at, interference.delay + held);
        self.announced.get_or(record.clone(), Announced { at, is_told: false });
        let heard = self.heard(telling.subscription, &record);
        if interference.client_state.is_some() {
            heard.wrong = Some(earlier(heard.wrong, at));
        } else {
            heard.right = Some(earlier(heard.right, telling.at));
        }
    }

    /// Notes what was told.
    pub(crate) fn told(&mut self, at: i64, subscription: &str, record: &str, is_right: bool) {
        let record = record.to_ascii_lowercase();
        let announced = self.announced.get_or(record.clone(), Announced { at, is_told: false });
        if !announced.is_told {
            *announced = Announced { at, is_told: true };
        }
        let heard = self.heard(subscription, &record);
        if is_right {
            heard.right = Some(earlier(heard.right, at));
        } else {
            heard.wrong = Some(earlier(heard.wrong, at));
            heard.is_wrong_told = true;
        }
    }
}

fn later(at: i64, time: Duration) -> i64 {
    at.saturating_add(primitive::Duration::from(time).0)
}

fn earlier(known: Option<i64>, at: i64) -> i64 {
    known.map_or(at, |known| known.min(at))
}
