//! The dispatcher: from the change log into the queues, and from the queues to receivers.
//!
//! One task moves the cursor of the change log. Each address with messages has a task of its own
//! while it has any, so that none waits for another; its messages go out one request after the
//! other, in their order, so that a later version of a record never overtakes an earlier one.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use store::{
    Budget, Channel, CommittedVersion, CommittedVersions, DeliveryRow, DueEndpoint, Error, Match,
    Reader, Sent, Settled, Store, SubscriptionRow,
};
use tokio::sync::{Notify, Semaphore, watch};

use crate::client::{Client, SendError};
use crate::payload;
use crate::resource::Resource;
use crate::schedule::{GIVEN_UP_AFTER, wait};
use crate::secrets::Vault;
use crate::subscription::wants;

/// Messages of one request; some 25 KB.
const MOST_TOGETHER: usize = 50;
/// Entries of the change log that are taken at a time.
const ENTRIES: usize = 1_000;
/// How often is looked for what other processes committed, and for waits that are over.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Requests under way, to addresses that answer and, apart from them, to those that failed last.
const HEALTHY_AT_ONCE: usize = 128;
const FAILING_AT_ONCE: usize = 64;
/// Requests under way to one host.
const HOST_AT_ONCE: usize = 8;
/// How long a condition may take for one record.
const MATCHED_WITHIN: Duration = Duration::from_secs(2);
/// How often the lives of subscriptions are looked at.
const LOOKED_AFTER_EVERY: Duration = Duration::from_secs(15);
/// How often the queues are measured.
const MEASURED_EVERY: Duration = Duration::from_secs(1);
/// Share of a life, in per cent, that is left when its subscription is told so.
const LEFT: i64 = 15;

/// What was sent, for the metrics.
#[derive(Debug, Default)]
pub struct Counters {
    /// Messages that arrived.
    pub delivered: AtomicU64,
    /// Requests that failed.
    pub failed: AtomicU64,
    /// Messages that were given up.
    pub dead: AtomicU64,
    /// Requests under way.
    pub in_flight: AtomicU64,
    /// Messages that wait, as of a second ago.
    pub queued: AtomicU64,
    /// Seconds for which the oldest of them has waited.
    pub oldest_seconds: AtomicU64,
}

/// Tells subscribers.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    /// Where changes are and queues.
    pub store: Store,
    /// Sends.
    pub client: Client,
    /// Opens what notifications repeat and what signs them.
    pub vault: Vault,
    /// How much of the query language a condition may use.
    pub limits: odata::Limits,
    /// Counts.
    pub counters: Arc<Counters>,
}

/// A dispatcher at work, on one thread.
struct Work {
    dispatcher: Dispatcher,
    reader: RefCell<Reader>,
    /// Addresses that have a task now.
    busy: RefCell<HashSet<(i64, Channel)>>,
    hosts: RefCell<HashMap<String, Rc<Semaphore>>>,
    healthy: Semaphore,
    failing: Semaphore,
    /// Told when a task has ended.
    ended: Notify,
    looked_after: RefCell<Option<Instant>>,
    measured: RefCell<Option<Instant>>,
}

impl Dispatcher {
    /// Works until it is told to stop; requests under way are then dropped, and sent again at the
    /// next start. For a thread with a local set of its own.
    ///
    /// # Errors
    /// When the store can't be read at all.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let reader = RefCell::new(self.store.reader()?);
        let work = Rc::new(Work {
            dispatcher: self,
            reader,
            busy: RefCell::default(),
            hosts: RefCell::default(),
            healthy: Semaphore::new(HEALTHY_AT_ONCE),
            failing: Semaphore::new(FAILING_AT_ONCE),
            ended: Notify::new(),
            looked_after: RefCell::default(),
            measured: RefCell::default(),
        });
        while !*stop.borrow() {
            if let Err(error) = work.round().await {
                tracing::warn!(%error, "notifications wait for the store");
            }
            tokio::select! {
                () = work.dispatcher.store.committed() => {}
                () = work.ended.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                changed = stop.changed() => {
                    // Whoever could tell it to stop is gone.
                    if changed.is_err() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Work {
    async fn round(self: &Rc<Self>) -> Result<(), Error> {
        while self.follow().await? {}
        if is_due(&self.measured, MEASURED_EVERY) {
            self.measure()?;
        }
        if is_due(&self.looked_after, LOOKED_AFTER_EVERY) {
            self.look_after().await?;
        }
        let due = self.reader.borrow_mut().due_endpoints(now())?;
        self.reader.borrow_mut().release();
        for endpoint in due {
            let name = (endpoint.subscription_key, endpoint.channel);
            if self.busy.borrow_mut().insert(name) {
                let work = Rc::clone(self);
                tokio::task::spawn_local(async move {
                    if let Err(error) = work.empty(endpoint).await {
                        tracing::warn!(%error, "a queue of notifications waits for the store");
                    }
                    work.busy.borrow_mut().remove(&name);
                    work.ended.notify_one();
                });
            }
        }
        Ok(())
    }

    fn measure(&self) -> Result<(), Error> {
        let size = self.reader.borrow_mut().queue_size()?;
        let counters = &self.dispatcher.counters;
        counters.queued.store(size.queued, Ordering::Relaxed);
        let age = size.oldest.map_or(0, |oldest| (now() - oldest) / TICKS_PER_SECOND);
        counters.oldest_seconds.store(age.max(0).cast_unsigned(), Ordering::Relaxed);
        Ok(())
    }

    /// Tells the subscriptions whose life is nearly over, and drops those that have ended so long
    /// ago that nothing of theirs is tried any more.
    async fn look_after(&self) -> Result<(), Error> {
        let now = now();
        let (live, ended) = {
            let mut reader = self.reader.borrow_mut();
            let ended = reader.ended_subscriptions(now - ticks(GIVEN_UP_AFTER))?;
            (reader.subscriptions(None, now)?, ended)
        };
        let store = &self.dispatcher.store;
        for subscription in live {
            let left = subscription.expires - now;
            let life = subscription.expires - subscription.created;
            if left * 100 <= life * LEFT {
                store.warn_subscription(subscription.key).await?;
            }
        }
        for id in ended {
            store.delete_subscription(&id).await?;
        }
        self.hosts.borrow_mut().retain(|_, host| Rc::strong_count(host) > 1);
        Ok(())
    }

    /// Takes entries of the change log into the queues; whether there are more.
    async fn follow(&self) -> Result<bool, Error> {
        let (cursor, found, subscriptions) = {
            let mut reader = self.reader.borrow_mut();
            // With nobody to tell, a commit costs no look at the log.
            if reader.subscriptions(None, now())?.is_empty() {
                return Ok(false);
            }
            let cursor = reader.notification_cursor()?;
            // First what was committed, then who subscribed: whoever is not seen came later.
            let found = reader.committed_versions(cursor, ENTRIES)?;
            (cursor, found, reader.subscriptions(None, now())?)
        };
        // What is older than every subscription is passed over; with none, all waits for the first.
        let Some(oldest) = subscriptions.iter().map(|it| it.created_after).min() else {
            return Ok(false);
        };
        if cursor < oldest {
            self.dispatcher.store.enqueue((cursor, oldest), Vec::new()).await?;
            return Ok(true);
        }
        if found.up_to == cursor {
            return Ok(false);
        }
        let matches = self.matches(&found, &subscriptions)?;
        let CommittedVersions { up_to, has_more, .. } = found;
        self.dispatcher.store.enqueue((cursor, up_to), matches).await?;
        Ok(has_more)
    }

    fn matches(
        &self,
        found: &CommittedVersions,
        subscriptions: &[SubscriptionRow],
    ) -> Result<Vec<Match>, Error> {
        let limits = &self.dispatcher.limits;
        let now = DateTimeOffset(now());
        let mut resources = Vec::new();
        for subscription in subscriptions {
            match Resource::read(&subscription.resource, limits, now) {
                Ok(resource) => resources.push((subscription, resource)),
                Err(error) => tracing::error!(%error, id = subscription.id, "a subscription"),
            }
        }
        let mut matches = Vec::new();
        for version in &found.versions {
            for (subscription, resource) in &resources {
                let is_meant = subscription.tenant == version.tenant
                    && version.sequence > subscription.created_after;
                let deadline = Instant::now() + MATCHED_WITHIN;
                let budget = Budget { rows_scanned: u64::MAX, deadline, groups: 0 };
                if !is_meant || !self.is_met(resource, version, (now, &budget))? {
                    continue;
                }
                let (wants_created, wants_updated) = wants(&subscription.change_type);
                matches.push(Match {
                    subscription_key: subscription.key,
                    id_key: version.id_key.clone(),
                    record_id: version.id.clone(),
                    version: version.version,
                    wants_created,
                    wants_updated,
                });
            }
        }
        Ok(matches)
    }

    /// Whether a record meets a condition. One that can't be decided in time counts as met: rather
    /// one notification too many than none, or all others waiting.
    fn is_met(
        &self,
        resource: &Resource,
        version: &CommittedVersion,
        moment: (DateTimeOffset, &Budget),
    ) -> Result<bool, Error> {
        let mut reader = self.reader.borrow_mut();
        match resource.matches(&mut reader, version, &self.dispatcher.limits, moment) {
            Err(error @ (Error::Deadline | Error::TooManyRows { .. })) => {
                tracing::warn!(%error, "a condition of a subscription was not decided");
                Ok(true)
            }
            met => met,
        }
    }

    /// Sends what an address has in its queue, until that is empty or a request fails.
    async fn empty(&self, endpoint: DueEndpoint) -> Result<(), Error> {
        let DueEndpoint { subscription_key, channel, mut failures } = endpoint;
        loop {
            let (subscription, messages) = {
                let mut reader = self.reader.borrow_mut();
                let subscription = reader.subscription(subscription_key)?;
                (subscription, reader.next_deliveries(subscription_key, channel, MOST_TOGETHER)?)
            };
            let (Some(subscription), Some(first), Some(last)) =
                (subscription, messages.first(), messages.last())
            else {
                return Ok(());
            };
            let sent = Sent { subscription_key, channel, first: first.key, last: last.key };
            let outcome = self.send(&subscription, channel, &messages, failures).await;
            let count = messages.len() as u64;
            let counters = &self.dispatcher.counters;
            match outcome {
                Ok(()) => {
                    counters.delivered.fetch_add(count, Ordering::Relaxed);
                    self.dispatcher.store.settle(sent, Settled::Delivered).await?;
                    failures = 0;
                }
                Err((error, retry_after)) => {
                    counters.failed.fetch_add(1, Ordering::Relaxed);
                    let now = now();
                    let due = now + ticks(wait(failures + 1, retry_after, chance()));
                    let give_up_before = now - ticks(GIVEN_UP_AFTER);
                    let reason = error.to_string();
                    tracing::info!(subscription = subscription.id, reason, "not delivered");
                    let settled = Settled::Failed { now, due, give_up_before, reason };
                    let dead = self.dispatcher.store.settle(sent, settled).await?;
                    counters.dead.fetch_add(dead as u64, Ordering::Relaxed);
                    return Ok(());
                }
            }
        }
    }

    /// Sends messages in one request; an error with what the receiver asks to wait.
    async fn send(
        &self,
        subscription: &SubscriptionRow,
        channel: Channel,
        messages: &[DeliveryRow],
        failures: u32,
    ) -> Result<(), (SendError, Option<Duration>)> {
        let address = match channel {
            Channel::Notifications => Some(&subscription.notification_url),
            Channel::Lifecycle => subscription.lifecycle_notification_url.as_ref(),
        };
        let Some(address) = address else {
            return Err((SendError::Address("there is no address for lifecycle events"), None));
        };
        let url = self.dispatcher.client.address(address).map_err(|error| (error, None))?;
        let host = self.host(url.host_str().unwrap_or_default());
        let all = if failures == 0 { &self.healthy } else { &self.failing };
        let _host = host.acquire().await;
        let _all = all.acquire().await;
        let vault = &self.dispatcher.vault;
        let state = subscription.sealed_client_state.as_deref();
        let state = state.and_then(|sealed| vault.open_client_state(&subscription.id, sealed));
        let body = payload::body(subscription, state.as_deref(), messages);
        let headers = self.headers(subscription, messages, &body);
        let in_flight = &self.dispatcher.counters.in_flight;
        in_flight.fetch_add(1, Ordering::Relaxed);
        let answer = self.dispatcher.client.post(url, headers, body).await;
        in_flight.fetch_sub(1, Ordering::Relaxed);
        let answer = answer.map_err(|error| (error, None))?;
        if answer.status.is_success() {
            return Ok(());
        }
        let reason = format!("the receiver answered {}", answer.status.as_u16());
        Err((SendError::Broken(reason), answer.retry_after))
    }

    /// JSON, and the lines of Standard Webhooks 1.0. The id is the same whenever the same messages
    /// are sent again.
    fn headers(
        &self,
        subscription: &SubscriptionRow,
        messages: &[DeliveryRow],
        body: &[u8],
    ) -> HeaderMap {
        let ticks = now();
        let timestamp = ticks / TICKS_PER_SECOND;
        let first = messages.first().map_or(0, |message| message.key);
        let id = format!("msg_{}_{first}", subscription.id.replace('-', ""));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        let secrets =
            self.dispatcher.vault.open_secrets(&subscription.id, &subscription.sealed_secrets);
        let signature = secrets.map(|secrets| secrets.sign(&id, timestamp, body, ticks));
        for (name, value) in [
            ("webhook-id", Some(id)),
            ("webhook-timestamp", Some(timestamp.to_string())),
            ("webhook-signature", signature),
        ] {
            if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&value)) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        headers
    }

    fn host(&self, name: &str) -> Rc<Semaphore> {
        let mut hosts = self.hosts.borrow_mut();
        let host = hosts.entry(name.to_owned());
        Rc::clone(host.or_insert_with(|| Rc::new(Semaphore::new(HOST_AT_ONCE))))
    }
}

/// Whether something is to be done again that was last done at an instant; it is then.
fn is_due(last: &RefCell<Option<Instant>>, every: Duration) -> bool {
    let mut last = last.borrow_mut();
    let is_due = last.is_none_or(|last| last.elapsed() >= every);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
}

/// Ticks since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos() / 100).unwrap_or(i64::MAX)
}

fn ticks(time: Duration) -> i64 {
    i64::try_from(time.as_nanos() / 100).unwrap_or(i64::MAX)
}

/// Something between 0 and 1, to part what would come together.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without chance all wait the same, which does no harm by itself.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}
