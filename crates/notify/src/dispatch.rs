//! The dispatcher: from the change log into the queues, and from the queues to receivers.
//!
//! One task moves the cursor of the change log. Each address with messages has a task of its own
//! while it has any, so that none waits for another; its messages go out one request after the
//! other, in their order, so that a later version of a record never overtakes an earlier one.

mod deciding;
mod interfering;
mod matching;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use emulator::Emulator;
use model::TenantId;

use odata::primitive::TICKS_PER_SECOND;
use reqwest::Url;
use store::{
    AdvisoryLocks, Channel, CommittedVersions, DeliveryOutcome, DeliveryRow, DueEndpoint, Error,
    Pending, Reader, SentMessages, Store, SubscriptionRow, clock,
};
use tokio::sync::{Notify, Semaphore, watch};

use crate::counters::Counters;
use crate::payload;
use crate::schedule::{GIVEN_UP_AFTER, wait};
use crate::secrets::Vault;
use crate::transport::{Message, NO_LIFECYCLE, SendError, Transports};

pub use deciding::ConditionLimits;

/// Who may be told of records (Graph, "callRecord: permissions").
const READ: &str = "CallRecords.Read.All";
/// Messages of one request; some 25 KB.
const MOST_TOGETHER: usize = 50;
/// Requests to an address that have arrived and whose messages are not gone from the store yet. So
/// many are sent again after the process has died.
const MOST_UNSETTLED: usize = 32;
/// Entries of the change log that are taken at a time, and messages that can come of them.
const ENTRIES: usize = 1_000;
const MOST_MATCHES: usize = 2_000;
/// The longest pause between two steps along a change log that has much.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// The least time between two looks at what is to be done.
const ROUNDS_APART: Duration = Duration::from_millis(2);
/// How often is looked for what other processes committed, and for waits that are over.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Requests under way, to addresses that answer and, apart from them, to those that failed last or
/// took long.
const HEALTHY_AT_ONCE: usize = 128;
const FAILING_AT_ONCE: usize = 64;
/// Requests under way to one host, of each kind.
const HOST_AT_ONCE: usize = 8;
/// A receiver that takes longer holds up only those that do so too.
const LONG: Duration = Duration::from_secs(1);
/// How often the lives of subscriptions are looked at.
const LOOKED_AFTER_EVERY: Duration = Duration::from_secs(15);
/// How often the queues are measured, and how much rarer if that takes long.
const MEASURED_EVERY: Duration = Duration::from_secs(1);
const MEASURED_RARER: u32 = 50;
/// Share of a life, in per cent, that is left when its subscription is told so.
const LEFT: i64 = 15;

/// Tells subscribers.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    /// Where changes are and queues.
    pub store: Store,
    /// Send.
    pub transports: Arc<Transports>,
    /// Opens what notifications repeat and what signs them.
    pub vault: Vault,
    /// How much of the query language a condition may use.
    pub limits: odata::Limits,
    /// What a condition may take for one record.
    pub condition: ConditionLimits,
    /// Counts.
    pub counters: Arc<Counters>,
    /// Meddles with what is sent, if that is wanted.
    pub emulator: Option<Arc<Emulator>>,
}

/// A dispatcher at work, on one thread.
struct Work {
    dispatcher: Dispatcher,
    reader: RefCell<Reader>,
    /// Which addresses are this node's to tell.
    claims: RefCell<AdvisoryLocks>,
    /// Addresses that have a task now.
    busy: RefCell<HashSet<(i64, Channel)>>,
    /// Addresses whose last answer took long.
    slow: RefCell<HashSet<(i64, Channel)>>,
    /// By host and port, and whether those are meant that fail or take long.
    hosts: RefCell<HashMap<(String, bool), Rc<Semaphore>>>,
    healthy: Semaphore,
    failing: Semaphore,
    /// Places for conditions that are decided apart.
    deciding: Semaphore,
    /// The same of each tenant.
    tenants: RefCell<HashMap<TenantId, Rc<Semaphore>>>,
    /// Connections for them.
    deciders: RefCell<Vec<Reader>>,
    /// Subscriptions of whose conditions was said that they take too long.
    warned: RefCell<HashSet<i64>>,
    /// Told when a task has ended.
    ended: Notify,
    /// By subscription: told when a message of it has gone out, if these are meddled with.
    gone_out: RefCell<HashMap<i64, Arc<Notify>>>,
    /// When the lives of subscriptions were looked at (ticks).
    looked_after: Cell<Option<i64>>,
    /// When the queues are to be measured next.
    measure_at: Cell<Instant>,
}

impl Dispatcher {
    /// Works until it is told to stop; requests under way are then dropped, and sent again at the
    /// next start. For a thread with a local set of its own.
    ///
    /// # Errors
    /// When the store can't be read at all.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let mut reader = self.store.reader()?;
        // What is large takes longer to read than all tenants should wait.
        reader.refuse_large();
        let reader = RefCell::new(reader);
        let claims = RefCell::new(self.store.advisory_locks()?);
        let work = Rc::new(Work {
            dispatcher: self,
            reader,
            claims,
            busy: RefCell::default(),
            slow: RefCell::default(),
            hosts: RefCell::default(),
            healthy: Semaphore::new(HEALTHY_AT_ONCE),
            failing: Semaphore::new(FAILING_AT_ONCE),
            deciding: Semaphore::new(deciding::AT_ONCE),
            tenants: RefCell::default(),
            deciders: RefCell::default(),
            warned: RefCell::default(),
            ended: Notify::new(),
            gone_out: RefCell::default(),
            looked_after: Cell::default(),
            measure_at: Cell::new(Instant::now()),
        });
        while !*stop.borrow() {
            if let Err(error) = work.round().await {
                tracing::warn!(%error, "notifications wait for the store");
            }
            // Also after one that has failed: while tables are held, no month is given back.
            work.reader.borrow_mut().release();
            tokio::time::sleep(ROUNDS_APART).await;
            tokio::select! {
                () = work.dispatcher.store.committed() => {}
                () = work.ended.notified() => {}
                () = clock::moved() => {}
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
        let began = Instant::now();
        if began >= self.measure_at.get() {
            self.measure()?;
            let pause = MEASURED_EVERY.max(began.elapsed() * MEASURED_RARER);
            self.measure_at.set(Instant::now() + pause);
        }
        let now = now();
        // Also when the clock was moved back.
        let is_recent = |then: i64| (0..ticks(LOOKED_AFTER_EVERY)).contains(&(now - then));
        if !self.looked_after.get().is_some_and(is_recent) {
            self.looked_after.set(Some(now));
            self.look_after().await?;
        }
        for endpoint in self.due()? {
            let name = (endpoint.subscription_key, endpoint.channel);
            if self.busy.borrow_mut().insert(name) {
                let work = Rc::clone(self);
                tokio::task::spawn_local(async move {
                    if let Err(error) = work.empty(endpoint).await {
                        tracing::warn!(%error, "a queue of notifications waits for the store");
                    }
                    if let Err(error) = work.claims.borrow_mut().release(name) {
                        tracing::warn!(%error, "an address stays claimed as long as its connection");
                    }
                    work.busy.borrow_mut().remove(&name);
                    work.ended.notify_one();
                });
            }
        }
        Ok(())
    }

    /// Addresses that are due, and this node's to tell.
    fn due(&self) -> Result<Vec<DueEndpoint>, Error> {
        let mut reader = self.reader.borrow_mut();
        let mut claims = self.claims.borrow_mut();
        let mut due = reader.due_endpoints(now(), READ)?;
        if !due.is_empty() && claims.are_shared() {
            let mut taken = HashSet::new();
            for endpoint in due {
                let name = (endpoint.subscription_key, endpoint.channel);
                if !self.busy.borrow().contains(&name) && claims.take(name)? {
                    taken.insert(name);
                }
            }
            // Another node may have been there just before.
            due = reader.due_endpoints(now(), READ)?;
            due.retain(|it| taken.remove(&(it.subscription_key, it.channel)));
            taken.into_iter().try_for_each(|name| claims.release(name))?;
        }
        Ok(due)
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
        self.dispatcher.transports.close_idle();
        let now = now();
        let (live, ended) = {
            let mut reader = self.reader.borrow_mut();
            let ended = reader.ended_subscriptions(now - ticks(GIVEN_UP_AFTER))?;
            (reader.subscriptions(None, now)?, ended)
        };
        let lives = |key: &i64| live.iter().any(|subscription| subscription.key == *key);
        self.warned.borrow_mut().retain(lives);
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
            let cursor = reader.notification_cursor()?;
            // Most commits tell nothing new.
            if reader.last_change()? == cursor {
                return Ok(false);
            }
            // With nobody to tell, the log is not looked at.
            let count = reader.subscriptions(None, now())?.len();
            if count == 0 {
                return Ok(false);
            }
            // First what was committed, then who subscribed: whoever is not seen came later.
            let found = reader.committed_versions(cursor, ENTRIES.min(1 + MOST_MATCHES / count))?;
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
        let mut matches = self.matches(&found, &subscriptions)?;
        // What goes out together stands together, and is gone with a page or two.
        matches.sort_by_key(|matched| matched.subscription_key);
        let CommittedVersions { up_to, has_more, .. } = found;
        let began = Instant::now();
        self.dispatcher.store.enqueue((cursor, up_to), matches).await?;
        if has_more {
            // Another process may want to write, too, and tries only now and then.
            tokio::time::sleep(began.elapsed().min(LONGEST_PAUSE)).await;
        }
        Ok(has_more)
    }

    /// Sends what an address has in its queue, until that is empty or a request fails. While what
    /// has arrived is taken out of the queue, the next is on its way.
    async fn empty(self: &Rc<Self>, endpoint: DueEndpoint) -> Result<(), Error> {
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
    fn message(
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

/// Ticks since 1970.
fn now() -> i64 {
    clock::now()
}

fn ticks(time: Duration) -> i64 {
    odata::primitive::Duration::from(time).0
}

/// Something between 0 and 1, to part what would come together.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without chance all wait the same, which does no harm by itself.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}
