//! The addresses at which mirrors are notified. They are public, so each has a secret part, and a message
//! counts only with the client state of one of the mirror's subscriptions. Nobody learns from the answer
//! whether it did.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::TenantId;
use store::{MirrorGap, MirrorRow, Store, SubscriptionEvent};
use tokio::sync::Notify;

use crate::hours::DAY;
use crate::receive::{self, Says};

/// How long after its end a subscription's client state still counts: notifications may come late.
const STATES_COUNT: i64 = 7 * DAY;
/// The shortest time between two looks for new client states.
const LOOKED_AGAIN: Duration = Duration::from_secs(1);

/// Opens what was sealed for a purpose; none if it can't be.
pub type Open = Arc<dyn Fn(&str, &[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// What client states are sealed for.
pub(crate) const CLIENT_STATE: &str = "mirror-client-state";

/// The addresses of the mirrors of this process.
#[derive(Debug, Default)]
pub struct Reception(Mutex<BTreeMap<String, Arc<Address>>>);

/// The address of a mirror.
pub struct Address {
    mirror_key: i64,
    tenant: TenantId,
    /// The secret part of the path.
    secret: String,
    store: Store,
    open: Open,
    states: Mutex<States>,
    /// When the source last checked the address (ticks by our clock), until it is noted; 0 if it did not.
    validated: AtomicI64,
    /// Forged messages, until they are noted.
    forged: AtomicU64,
    /// Wakes the task that reads what is due.
    pub(crate) woken: Arc<Notify>,
}

#[derive(Default)]
struct States {
    known: Vec<Vec<u8>>,
    looked: Option<Instant>,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("mirror", &self.mirror_key).finish_non_exhaustive()
    }
}

/// What is good of a body.
#[derive(Debug, Default)]
struct Notices {
    /// Records that it names.
    ids: Vec<String>,
    /// What it asks of subscriptions, each once.
    events: Vec<(String, SubscriptionEvent)>,
    /// Whether notifications were lost.
    is_missed: bool,
    forged: u64,
    /// The time at the source (ticks).
    now: i64,
}

/// What came of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It was looked at, and what is good of it is durable.
    Taken,
    /// It is no body of notifications.
    Malformed(&'static str),
}

impl Reception {
    /// Receives for a mirror at an address with this secret part.
    pub fn open(&self, mirror: &MirrorRow, secret: String, store: Store, open: Open) {
        let address = Address {
            mirror_key: mirror.key,
            tenant: mirror.setup.tenant.clone(),
            secret,
            store,
            open,
            states: Mutex::default(),
            validated: AtomicI64::new(0),
            forged: AtomicU64::new(0),
            woken: Arc::new(Notify::new()),
        };
        self.lock().insert(mirror.setup.name.clone(), Arc::new(address));
    }

    /// The address of a mirror, if the secret part is the right one.
    pub fn find(&self, name: &str, secret: &str) -> Option<Arc<Address>> {
        let address = self.of(name)?;
        is_same(address.secret.as_bytes(), secret.as_bytes()).then_some(address)
    }

    /// The address of a mirror.
    pub(crate) fn of(&self, name: &str) -> Option<Arc<Address>> {
        self.lock().get(name).cloned()
    }

    /// Receives for a mirror no longer.
    pub(crate) fn close(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Address>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Address {
    /// The path below the public address of the server.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("callvault/mirror/{name}/{}", self.secret)
    }

    /// The source checks that the address answers. Nothing is looked up for it.
    pub fn validated(&self) {
        self.validated.store(store::clock::system(), Ordering::Relaxed);
    }

    /// Takes a body; what is good of it is durable afterwards. It is read on a thread where nobody waits.
    ///
    /// # Errors
    /// When the store can't be read or written; the source tries again then.
    pub async fn take(self: &Arc<Self>, body: Bytes) -> Result<Receipt, store::Error> {
        let address = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || address.read(&body)).await;
        let read = read.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let Notices { ids, events, is_missed, forged, now } = match read? {
            Ok(notices) => notices,
            Err(why) => return Ok(Receipt::Malformed(why)),
        };
        self.forged.fetch_add(forged, Ordering::Relaxed);
        if ids.is_empty() && events.is_empty() && !is_missed {
            return Ok(Receipt::Taken);
        }
        for (subscription, event) in events {
            self.store.note_subscription_event(self.mirror_key, &subscription, event, now).await?;
        }
        if is_missed {
            let gap = MirrorGap { began: now, ended: now, why: "missed".to_owned() };
            self.store.note_mirror_gap(self.mirror_key, gap).await?;
        }
        if !ids.is_empty() {
            self.store.note_mirror_notified(self.mirror_key, ids, now).await?;
        }
        self.woken.notify_one();
        Ok(Receipt::Taken)
    }

    /// What is good of a body, or why it is no body of notifications. Blocks.
    fn read(&self, body: &[u8]) -> Result<Result<Notices, &'static str>, store::Error> {
        let messages = match receive::read(body) {
            Ok(messages) => messages,
            Err(why) => return Ok(Err(why)),
        };
        let mut notices = Notices { now: self.now()?, ..Notices::default() };
        for message in messages {
            let tenant = message.tenant.as_ref();
            let is_ours = tenant.is_none_or(|it| it.eq_ignore_ascii_case(self.tenant.as_str()));
            if !is_ours || !self.is_own(message.client_state.as_bytes(), notices.now)? {
                notices.forged += 1;
                continue;
            }
            let event = match message.says {
                Says::Record(id) => {
                    notices.ids.push(id);
                    continue;
                }
                Says::Missed => {
                    notices.is_missed = true;
                    continue;
                }
                Says::Reauthorize => SubscriptionEvent::Reauthorize,
                Says::Removed => SubscriptionEvent::Removed,
                Says::Other => continue,
            };
            let event = (message.subscription, event);
            if !notices.events.contains(&event) {
                notices.events.push(event);
            }
        }
        Ok(Ok(notices))
    }

    /// Notes what came in the meantime.
    pub(crate) async fn note(&self) -> Result<(), store::Error> {
        let validated = self.validated.swap(0, Ordering::Relaxed);
        let forged = self.forged.swap(0, Ordering::Relaxed);
        if validated == 0 && forged == 0 {
            return Ok(());
        }
        let validated = (validated != 0).then_some(validated);
        self.store.note_mirror_reception(self.mirror_key, validated, forged).await
    }

    /// The time at the source (ticks), by what was last heard of it.
    fn now(&self) -> Result<i64, store::Error> {
        let mirrors = self.store.reader()?.mirrors()?;
        let skew = mirrors.iter().find(|mirror| mirror.key == self.mirror_key);
        Ok(store::clock::system() + skew.and_then(|mirror| mirror.skew).unwrap_or(0))
    }

    /// Whether a client state is one of ours. Another node may have subscribed since it was last looked.
    fn is_own(&self, state: &[u8], now: i64) -> Result<bool, store::Error> {
        let is_known = |states: &States| {
            // All of them are compared, so that the time tells nothing.
            states.known.iter().fold(false, |is_one, known| is_one | is_same(known, state))
        };
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if is_known(&states) {
            return Ok(true);
        }
        if states.looked.is_some_and(|looked| looked.elapsed() < LOOKED_AGAIN) {
            return Ok(false);
        }
        let subscriptions = self.store.reader()?.mirror_subscriptions(self.mirror_key)?;
        let counts = subscriptions
            .iter()
            .filter(|known| known.ended.unwrap_or(known.expires) > now - STATES_COUNT);
        states.known = counts
            .filter_map(|known| (self.open)(CLIENT_STATE, &known.sealed_client_state))
            .collect();
        states.looked = Some(Instant::now());
        Ok(is_known(&states))
    }
}

/// Whether two texts are the same, in a time that only their lengths decide.
fn is_same(known: &[u8], shown: &[u8]) -> bool {
    known.len() == shown.len()
        && known.iter().zip(shown).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}
