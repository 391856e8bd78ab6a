//! Which subscriptions ask for the versions that were committed.
//!
//! The change log is read for all tenants by one task, so that no condition may take long here. Each
//! gets some milliseconds for a record, and those of a tenant together some more for a batch of
//! the log. What is not decided by then goes into the queue of its address undecided, and is
//! decided there (`decisions`), where nobody else waits for it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::TenantId;
use odata::eval::{Allowance, Meter};
use odata::primitive::DateTimeOffset;
use store::{Budget, CommittedVersion, CommittedVersions, Error, Match, SubscriptionRow};

use super::{Work, now};
use crate::resource::Resource;
use crate::subscription::wants;

/// Steps for a condition and a record, and the time for a statement about them.
const STEPS: u64 = 100_000;
const TIME: Duration = Duration::from_millis(20);
/// Bytes of values that a condition may make.
const BYTES: usize = 1 << 20;
/// Steps for all conditions of a tenant while a batch of the log is read.
const STEPS_OF_TENANT: u64 = 2_000_000;
/// What a microsecond of a statement is worth.
const STEPS_OF_MICROSECOND: u64 = 20;

/// Whether a version meets the condition of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    Undecided,
}

/// Steps that the conditions of tenants have left.
#[derive(Default)]
struct Allowances<'t> {
    spent: HashMap<&'t TenantId, u64>,
}

impl<'t> Allowances<'t> {
    fn has_some(&self, tenant: &TenantId) -> bool {
        self.spent.get(tenant).is_none_or(|spent| *spent < STEPS_OF_TENANT)
    }

    fn spend(&mut self, tenant: &'t TenantId, steps: u64) {
        *self.spent.entry(tenant).or_default() += steps;
    }
}

impl Work {
    /// Which subscriptions want which versions.
    pub(super) fn matches(
        &self,
        found: &CommittedVersions,
        subscriptions: &[SubscriptionRow],
    ) -> Result<Vec<Match>, Error> {
        let now = DateTimeOffset(now());
        let mut resources = Vec::new();
        for subscription in subscriptions {
            match Resource::read(&subscription.resource, &self.dispatcher.limits, now) {
                Ok(resource) => resources.push((subscription, resource)),
                Err(error) => tracing::error!(%error, id = subscription.id, "a subscription"),
            }
        }
        let mut allowances = Allowances::default();
        let mut matches = Vec::new();
        for version in &found.versions {
            let meant: Vec<_> = resources
                .iter()
                .filter(|(subscription, _)| {
                    subscription.tenant == version.tenant
                        && version.sequence > subscription.created_after
                })
                .collect();
            let all: Vec<&Resource> = meant.iter().map(|(_, resource)| resource).collect();
            let met = self.met(&all, version, now, &mut allowances)?;
            for ((subscription, _), met) in meant.into_iter().zip(met) {
                if met != Verdict::No {
                    matches.push(matched(subscription, version, met == Verdict::Yes));
                }
            }
        }
        Ok(matches)
    }

    /// Which of the conditions a version meets.
    fn met<'v>(
        &self,
        resources: &[&Resource],
        version: &'v CommittedVersion,
        now: DateTimeOffset,
        allowances: &mut Allowances<'v>,
    ) -> Result<Vec<Verdict>, Error> {
        let tenant = &version.tenant;
        let has_conditions = resources.iter().any(|it| it.condition().is_some());
        if has_conditions && allowances.has_some(tenant) && self.claims.borrow().are_shared() {
            return self.met_together(resources, version, allowances);
        }
        let met = |resource: &&Resource| {
            if resource.condition().is_none() {
                return Ok(Verdict::Yes);
            }
            if !allowances.has_some(tenant) {
                return Ok(Verdict::Undecided);
            }
            let began = Instant::now();
            let budget = Budget { rows_scanned: u64::MAX, groups: 0, meter: meter(began) };
            let mut reader = self.reader.borrow_mut();
            let limits = &self.dispatcher.limits;
            let met = resource.matches(&mut reader, version, limits, now, &budget);
            let time = began.elapsed().as_micros() as u64 * STEPS_OF_MICROSECOND;
            allowances.spend(tenant, budget.meter.steps().max(time));
            Verdict::of(met)
        };
        resources.iter().map(met).collect()
    }

    /// Decides all conditions on one reading of the version, since the engine is behind a network.
    fn met_together<'v>(
        &self,
        resources: &[&Resource],
        version: &'v CommittedVersion,
        allowances: &mut Allowances<'v>,
    ) -> Result<Vec<Verdict>, Error> {
        let began = Instant::now();
        let meters: Vec<Meter> = resources.iter().map(|_| meter(began)).collect();
        let conditions: Vec<_> = resources
            .iter()
            .zip(&meters)
            .filter_map(|(resource, meter)| Some((resource.condition()?, meter)))
            .collect();
        let key = (version.id_key.as_slice(), version.version);
        let met = match self.reader.borrow_mut().met_by(&version.tenant, key, &conditions) {
            Err(Error::Large) => {
                let conditional = |it: &&Resource| it.condition().is_some();
                let verdict = |it| if conditional(&it) { Verdict::Undecided } else { Verdict::Yes };
                return Ok(resources.iter().copied().map(verdict).collect());
            }
            met => met?,
        };
        allowances.spend(&version.tenant, meters.iter().map(Meter::steps).sum());
        let mut met = met.unwrap_or_else(|| vec![Ok(false); conditions.len()]).into_iter();
        let each = resources.iter().map(|resource| match resource.condition() {
            None => Ok(Verdict::Yes),
            Some(_) => Verdict::of(met.next().unwrap_or(Ok(false)).map_err(Error::from)),
        });
        each.collect()
    }
}

/// A version for the queue of a subscription.
pub(super) fn matched(
    subscription: &SubscriptionRow,
    version: &CommittedVersion,
    is_decided: bool,
) -> Match {
    let (wants_created, wants_updated) = wants(&subscription.change_type);
    Match {
        subscription_key: subscription.key,
        id_key: version.id_key.clone(),
        record_id: version.id.clone(),
        version: version.version,
        wants_created,
        wants_updated,
        is_decided,
    }
}

fn meter(began: Instant) -> Meter {
    Meter::new(Allowance { steps: STEPS, deadline: Some(began + TIME), bytes: BYTES })
}

impl Verdict {
    /// Undecided where a budget ran out, or where a record is larger than the reader takes.
    pub(super) fn of(met: Result<bool, Error>) -> Result<Self, Error> {
        match met {
            Ok(true) => Ok(Self::Yes),
            Ok(false) => Ok(Self::No),
            Err(
                Error::Deadline | Error::Exhausted(_) | Error::TooManyRows { .. } | Error::Large,
            ) => Ok(Self::Undecided),
            Err(error) => Err(error),
        }
    }
}
