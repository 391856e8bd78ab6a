//! Conditions that the reader of the change log had no time for.
//!
//! They are decided by the task of the address whose messages they hold up, on a thread of its own at
//! a low priority: a few at once, and of each tenant one, so that tenants wait for themselves
//! only. A condition that runs out of its budget counts as met: rather one notification too many
//! than none.

use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use model::TenantId;
use odata::eval::{Allowance, Meter};
use odata::primitive::DateTimeOffset;
use store::{
    Budget, Cause, CommittedVersion, Decision, DeliveryRow, Error, Reader, SubscriptionRow,
};
use tokio::sync::{Semaphore, oneshot};

use super::matches::{Verdict, matched};
use super::{Dispatcher, Work, now};
use crate::resource::Resource;

/// Conditions that are decided at once.
pub(super) const AT_ONCE: usize = 2;
/// Time after which what was decided is written down, whatever is left to be decided.
const WRITTEN_EVERY: Duration = Duration::from_millis(500);

/// What a condition of a subscription may take for one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConditionLimits {
    /// Time.
    pub time: Duration,
    /// Steps of our own evaluator.
    pub steps: u64,
    /// Bytes of values that it makes.
    pub bytes: usize,
}

/// What was found out about some messages.
struct Outcome {
    decisions: Vec<Decision>,
    /// Conditions that ran out of their budget.
    undecided: u64,
}

impl Work {
    /// Decides about the undecided messages that a queue begins with.
    pub(super) async fn decide(
        &self,
        subscription: &SubscriptionRow,
        messages: Vec<DeliveryRow>,
    ) -> Result<(), Error> {
        let tenant = self.tenant(&subscription.tenant);
        // Closed by nobody.
        let _tenant = tenant.acquire().await;
        let _place = self.deciding.acquire().await;
        let idle = self.deciders.borrow_mut().pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => self.dispatcher.store.scanning_reader()?,
        };
        let (dispatcher, asked) = (self.dispatcher.clone(), subscription.clone());
        let work = move || {
            store::lower_priority();
            let outcome = outcome(&dispatcher, &mut reader, &asked, messages);
            reader.release();
            (reader, outcome)
        };
        let (answer, answered) = oneshot::channel();
        let thread = thread::Builder::new().name("condition".to_owned());
        let started = thread.spawn(move || drop(answer.send(work())));
        started.map_err(|error| Error::Internal(Cause::new(error)))?;
        let Ok((reader, outcome)) = answered.await else {
            return Err(Error::Internal(Cause::new("a condition was not decided")));
        };
        self.deciders.borrow_mut().push(reader);
        let Outcome { decisions, undecided } = outcome?;
        if undecided > 0 {
            self.dispatcher.counters.undecided.fetch_add(undecided, Ordering::Relaxed);
            if self.warned.borrow_mut().insert(subscription.key) {
                let id = &subscription.id;
                tracing::warn!(id, "a subscription's condition takes too long and counts as met");
            }
        }
        self.dispatcher.store.decide(decisions).await
    }

    fn tenant(&self, tenant: &TenantId) -> Rc<Semaphore> {
        let mut tenants = self.tenants.borrow_mut();
        tenants.retain(|_, deciding| Rc::strong_count(deciding) > 1);
        Rc::clone(tenants.entry(tenant.clone()).or_insert_with(|| Rc::new(Semaphore::new(1))))
    }
}

fn outcome(
    dispatcher: &Dispatcher,
    reader: &mut Reader,
    subscription: &SubscriptionRow,
    messages: Vec<DeliveryRow>,
) -> Result<Outcome, Error> {
    let began = Instant::now();
    let now = DateTimeOffset(now());
    let resource = Resource::read(&subscription.resource, &dispatcher.limits, now);
    let mut outcome = Outcome { decisions: Vec::new(), undecided: 0 };
    for message in messages.into_iter().take_while(|message| message.is_undecided) {
        let id = message.record_id.unwrap_or_default();
        let version = CommittedVersion {
            sequence: 0,
            tenant: subscription.tenant.clone(),
            id_key: model::key(&id),
            id,
            version: message.version.unwrap_or_default(),
        };
        let budget = dispatcher.condition.budget();
        let verdict = match &resource {
            Ok(resource) => {
                let limits = &dispatcher.limits;
                Verdict::of(resource.matches(reader, &version, limits, now, &budget))?
            }
            // It could be read when the subscription was made.
            Err(_) => Verdict::No,
        };
        outcome.undecided += u64::from(verdict == Verdict::Undecided);
        let is_met = verdict != Verdict::No;
        let matched = matched(subscription, &version, true);
        outcome.decisions.push(Decision { delivery_key: message.key, matched, is_met });
        if began.elapsed() > WRITTEN_EVERY {
            break;
        }
    }
    Ok(outcome)
}

impl ConditionLimits {
    fn budget(&self) -> Budget {
        let deadline = Some(Instant::now() + self.time);
        let allowance = Allowance { steps: self.steps, deadline, bytes: self.bytes };
        Budget { rows_scanned: u64::MAX, groups: 0, meter: Meter::new(allowance) }
    }
}
