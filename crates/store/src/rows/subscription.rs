//! Subscriptions and the messages that they have to be sent, as rows.

use model::TenantId;

/// A subscription to change notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// Its number in this store; 0 for one that is not in it yet.
    pub key: i64,
    /// Its GUID.
    pub id: String,
    /// The tenant of the records.
    pub tenant: TenantId,
    /// The application that made it, which alone sees it.
    pub application_id: String,
    /// The application's service principal, if its token named one.
    pub creator_id: Option<String>,
    /// The resource, letter for letter as it was requested.
    pub resource: String,
    /// The change types, letter for letter as they were requested.
    pub change_type: String,
    /// Where notifications go.
    pub notification_url: String,
    /// Where lifecycle events go.
    pub lifecycle_notification_url: Option<String>,
    /// As it was requested; it is only shown.
    pub latest_supported_tls_version: String,
    /// What each notification repeats, under the master key.
    pub sealed_client_state: Option<Vec<u8>>,
    /// What messages are signed with, under the master key.
    pub sealed_secrets: Vec<u8>,
    /// When it was made (ticks).
    pub created: i64,
    /// When it ends (ticks).
    pub expires: i64,
    /// Entries of the change log up to here are older than it.
    pub created_after: i64,
}

/// What became of a new subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionOutcome {
    /// It is kept.
    Added,
    /// There is one of the application for the same resource, changes and address.
    Duplicate,
    /// The tenant has as many as it may have.
    QuotaReached,
}

/// Which address of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// Notifications of records.
    Notifications,
    /// Events of the subscription itself.
    Lifecycle,
}

impl Channel {
    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    pub(crate) fn of_number(number: i64) -> Self {
        if number == 0 { Self::Notifications } else { Self::Lifecycle }
    }
}

/// What a message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A record is new to the subscription.
    Created,
    /// A record has a new version, or is new to a subscription that asks for updates only.
    Updated,
    /// Notifications could not be delivered and are given up.
    Missed,
    /// The subscription ends soon, or its application lost its role.
    ReauthorizationRequired,
    /// The subscription was taken away.
    SubscriptionRemoved,
}

impl Event {
    const ALL: [Self; 5] = [
        Self::Created,
        Self::Updated,
        Self::Missed,
        Self::ReauthorizationRequired,
        Self::SubscriptionRemoved,
    ];

    /// Graph's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Missed => "missed",
            Self::ReauthorizationRequired => "reauthorizationRequired",
            Self::SubscriptionRemoved => "subscriptionRemoved",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// Where it goes.
    pub fn channel(self) -> Channel {
        match self {
            Self::Created | Self::Updated => Channel::Notifications,
            _ => Channel::Lifecycle,
        }
    }
}

/// A version of a record that a subscription asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// [`SubscriptionRow::key`].
    pub subscription_key: i64,
    /// What names the record.
    pub id_key: Vec<u8>,
    /// The record's id as it came.
    pub record_id: String,
    /// The version.
    pub version: i64,
    /// The subscription asks for notifications of records that are new to it.
    pub wants_created: bool,
    /// The subscription asks for notifications of further versions.
    pub wants_updated: bool,
    /// The version is known to meet the subscription's condition; otherwise that is to be found out
    /// before the message goes out.
    pub is_decided: bool,
}

/// A version that was committed, by the change log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedVersion {
    /// Place in the change log.
    pub sequence: i64,
    /// The tenant of the record.
    pub tenant: TenantId,
    /// What names the record.
    pub id_key: Vec<u8>,
    /// The record's id as it came.
    pub id: String,
    /// The version.
    pub version: i64,
}

/// Entries of the change log that tell of new versions, and how far they reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommittedVersions {
    /// In the order of their commits.
    pub versions: Vec<CommittedVersion>,
    /// The last entry that was looked at.
    pub up_to: i64,
    /// More entries stand behind it.
    pub has_more: bool,
}

/// An address with messages that may be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEndpoint {
    /// [`SubscriptionRow::key`].
    pub subscription_key: i64,
    /// Which of its addresses.
    pub channel: Channel,
    /// Failures one after the other until now.
    pub failures: u32,
}

/// An address whose last request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingEndpoint {
    /// [`SubscriptionRow::key`].
    pub subscription_key: i64,
    /// Which of its addresses.
    pub channel: Channel,
    /// Failures one after the other.
    pub failures: u32,
    /// When the first of them was (ticks).
    pub since: i64,
    /// When it is tried again (ticks).
    pub due: i64,
    /// Why the last one was, for people.
    pub reason: String,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its number; messages of an address go out in the order of their numbers.
    pub key: i64,
    /// [`SubscriptionRow::key`].
    pub subscription_key: i64,
    /// What it tells.
    pub event: Event,
    /// Of which record, unless it is about the subscription itself.
    pub record_id: Option<String>,
    /// Of which version.
    pub version: Option<i64>,
    /// When it was put into the queue (ticks).
    pub queued: i64,
    /// The first of those that it was sent together with.
    pub message: Option<i64>,
    /// When it was given up (ticks).
    pub died: Option<i64>,
    /// It must not go out before the condition of its subscription is decided.
    pub is_undecided: bool,
}

/// What was found out about a message that was undecided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// [`DeliveryRow::key`].
    pub delivery_key: i64,
    /// What it tells, and to whom.
    pub matched: Match,
    /// The version meets the condition.
    pub is_met: bool,
}

/// Messages that were sent together, by their first and last numbers. What stands between them and
/// was put back into the queue later is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentMessages {
    /// [`SubscriptionRow::key`].
    pub subscription_key: i64,
    /// To which of its addresses.
    pub channel: Channel,
    /// The number of the first one.
    pub first: i64,
    /// The number of the last one.
    pub last: i64,
    /// When the latest of them was put into the queue (ticks).
    pub queued: i64,
}

impl SentMessages {
    /// What is sent together; none if that is nothing.
    pub fn of(channel: Channel, messages: &[DeliveryRow]) -> Option<Self> {
        let (first, last) = (messages.first()?, messages.last()?);
        let queued = messages.iter().map(|message| message.queued).max()?;
        let subscription_key = first.subscription_key;
        Some(Self { subscription_key, channel, first: first.key, last: last.key, queued })
    }
}

/// What became of messages that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// They arrived.
    Delivered,
    /// They did not.
    Failed {
        /// When they were sent (ticks).
        now: i64,
        /// When they may be sent again (ticks).
        due: i64,
        /// If the address has failed since before this instant, messages that were queued before it
        /// are given up.
        give_up_before: i64,
        /// Why, for people.
        reason: String,
    },
}

/// How many messages are in the queues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueSize {
    /// To be sent.
    pub queued: u64,
    /// When the oldest that is to be sent was queued (ticks).
    pub oldest: Option<i64>,
}
