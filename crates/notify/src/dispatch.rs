//! The dispatcher: from the change log into the queues, and from the queues to receivers.
//!
//! One task moves the cursor of the change log. Each address with messages has a task of its own
//! while it has any, so that none waits for another; its messages go out one request after the
//! other, in their order, so that a later version of a record never overtakes an earlier one.

mod decisions;
mod delivery;
mod interference;
mod matches;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use emulator::Emulator;
use model::TenantId;
use odata::primitive::TICKS_PER_SECOND;
use store::{AdvisoryLocks, Channel, CommittedVersions, DueEndpoint, Error, Reader, Store, clock};
use tokio::sync::{Notify, Semaphore, watch};

use crate::counters::Counters;
use crate::schedule::GIVEN_UP_AFTER;
use crate::secrets::Vault;
use crate::transports::Transports;

pub use decisions::ConditionLimits;

/// Who may be told of records (Graph, "callRecord: permissions").
const READ: &str = "CallRecords.Read.All";
/// Entries of the change log that are taken at a time, and messages that can come of them.
const ENTRIES: usize = 1_000;
const MOST_MATCHES: usize = 2_000;
/// The longest pause between two steps along a change log that has much.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// The least time between two looks at what is to be done.
const ROUNDS_APART: Duration = Duration::from_millis(2);
/// How often to look for commits of other processes, and for waits that are over.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Requests under way, to addresses that answer and, apart from them, to those that failed last or
/// took long.
const HEALTHY_AT_ONCE: usize = 128;
const FAILING_AT_ONCE: usize = 64;
/// How often to check which subscriptions are about to end.
const LOOKED_AFTER_EVERY: Duration = Duration::from_secs(15);
/// How often the queues are measured, and how much rarer if that takes long.
const MEASURED_EVERY: Duration = Duration::from_secs(1);
const MEASURED_RARER: u32 = 50;
/// Share of a subscription's life, in per cent, that is left when it is warned.
const LEFT: i64 = 15;

/// Tells subscribers.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    /// Has the change log and the queues.
    pub store: Store,
    /// Send.
    pub transports: Arc<Transports>,
    /// Opens client states and the secrets that sign messages.
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
    /// The advisory locks on the addresses that this node serves.
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
    /// One such place for each tenant.
    tenants: RefCell<HashMap<TenantId, Rc<Semaphore>>>,
    /// Connections for them.
    deciders: RefCell<Vec<Reader>>,
    /// Subscriptions with a condition that takes too long, which the log has said.
    warned: RefCell<HashSet<i64>>,
    /// Notified when a task has ended.
    ended: Notify,
    /// By subscription: notified when a message of it has gone out, if an emulator meddles with them.
    gone_out: RefCell<HashMap<i64, Arc<Notify>>>,
    /// When subscriptions that are about to end were looked for (ticks).
    looked_after: Cell<Option<i64>>,
    /// When to measure the queues next.
    measure_at: Cell<Instant>,
}

impl Dispatcher {
    /// Runs until `stop` says so; requests under way are then dropped, and sent again at the
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
            deciding: Semaphore::new(decisions::AT_ONCE),
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
                    // The sender is gone.
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

    /// Addresses that are due and that this node may serve.
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
            // First the commits, then the subscriptions: one that is missing here was made later.
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
}

/// Ticks since 1970.
fn now() -> i64 {
    clock::now()
}

fn ticks(time: Duration) -> i64 {
    odata::primitive::Duration::from(time).0
}
