//! Which subscriptions ask for the versions that were committed.

use std::time::{Duration, Instant};

use odata::primitive::DateTimeOffset;
use store::{Budget, CommittedVersion, CommittedVersions, Error, Match, SubscriptionRow};

use super::{Work, now};
use crate::resource::Resource;
use crate::subscription::wants;

/// How long a condition may take for one record.
const MATCHED_WITHIN: Duration = Duration::from_secs(2);

impl Work {
    /// What is to be told of versions, and to which subscriptions.
    pub(super) fn matches(
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
            let meant: Vec<_> = resources
                .iter()
                .filter(|(subscription, _)| {
                    subscription.tenant == version.tenant
                        && version.sequence > subscription.created_after
                })
                .collect();
            let all: Vec<&Resource> = meant.iter().map(|(_, resource)| resource).collect();
            let met = self.met(&all, version, now)?;
            for ((subscription, _), _) in meant.into_iter().zip(met).filter(|(_, is_met)| *is_met) {
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

    /// Which of the conditions a version meets.
    fn met(
        &self,
        resources: &[&Resource],
        version: &CommittedVersion,
        now: DateTimeOffset,
    ) -> Result<Vec<bool>, Error> {
        let conditions: Vec<_> = resources.iter().filter_map(|it| it.condition()).collect();
        if conditions.is_empty() || !self.claims.borrow().are_shared() {
            let deadline = || Instant::now() + MATCHED_WITHIN;
            let budget = || Budget { rows_scanned: u64::MAX, deadline: deadline(), groups: 0 };
            let met = |it: &&Resource| self.is_met(it, version, (now, &budget()));
            return resources.iter().map(met).collect();
        }
        let key = (version.id_key.as_slice(), version.version);
        let met = self.reader.borrow_mut().met_by(&version.tenant, key, &conditions)?;
        let mut met = met.unwrap_or_else(|| vec![false; conditions.len()]).into_iter();
        let each = resources.iter().map(|it| it.condition().is_none() || met.next() == Some(true));
        Ok(each.collect())
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
}
