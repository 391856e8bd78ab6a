//! What the load has written, and whether what is read answers to it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::cluster::lock;
use crate::chaos::ledger::Ledger;
use crate::members::{number, text};

/// People in the calls.
pub(super) const PEOPLE: usize = 20;
/// Ids of records that always start in this month begin so; others start in another month with each
/// version.
pub(super) const STAYING: char = 'f';
pub(super) const MOVING: char = 'm';

/// All records that were written.
#[derive(Debug, Default)]
pub(super) struct Kept {
    records: Mutex<Records>,
    /// What has to be told.
    pub(super) told: Mutex<Ledger>,
}

#[derive(Debug, Default)]
struct Records {
    ids: Vec<String>,
    versions: BTreeMap<String, Versions>,
}

/// The last version that was sent, and the last that was acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Versions {
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
}

impl Kept {
    /// Notes that a version is about to be sent.
    pub(super) fn sending(&self, id: &str, version: u64) {
        let mut records = lock(&self.records);
        let known = records.versions.entry(id.to_owned()).or_default();
        known.sent = known.sent.max(version);
    }

    /// Notes that a version was acknowledged.
    pub(super) fn acknowledged(&self, id: &str, version: u64) {
        let now = Instant::now();
        let mut records = lock(&self.records);
        let known = records.versions.entry(id.to_owned()).or_default();
        let is_first = known.acknowledged == 0;
        known.acknowledged = known.acknowledged.max(version);
        if is_first {
            records.ids.push(id.to_owned());
        }
        drop(records);
        lock(&self.told).acknowledged(id, version, now);
    }

    /// What is known of a record now.
    pub(super) fn versions(&self, id: &str) -> Versions {
        lock(&self.records).versions.get(id).copied().unwrap_or_default()
    }

    /// One of the records of which a version was acknowledged.
    pub(super) fn any(&self, number: u64) -> Option<String> {
        let records = lock(&self.records);
        let place = number.checked_rem(records.ids.len() as u64)?;
        records.ids.get(usize::try_from(place).ok()?).cloned()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<(String, Versions)> {
        let records = lock(&self.records);
        records.versions.iter().map(|(id, versions)| (id.clone(), *versions)).collect()
    }

    /// Checks a record that was read, with its sessions, in whatever version it was current in since
    /// `before` was known.
    pub(super) fn check(&self, id: &str, before: Versions, body: &str) -> Result<()> {
        let version = number(body, "version").context("it has no version")?;
        let after = self.versions(id);
        ensure!(
            (before.acknowledged..=after.sent).contains(&version),
            "version {version} is current: {before:?} before, {after:?} after"
        );
        check_version(id, version, body)
    }
}

/// Checks that a text is all of a version.
pub(super) fn check_version(id: &str, version: u64, body: &str) -> Result<()> {
    ensure!(text(body, "id") == Some(id), "it is another record");
    ensure!(number(body, "version") == Some(version), "it is another version");
    for part in parts(id, version) {
        ensure!(body.contains(&part), "{part} is not in version {version}");
    }
    let strange = (1..=version + 1).filter(|other| *other != version);
    for other in strange.filter(|other| *other + 2 > version) {
        for part in parts(id, other) {
            ensure!(!body.contains(&part), "{part} is in version {version}");
        }
    }
    Ok(())
}

/// What only this version has: a member of its own, and its sessions.
fn parts(id: &str, version: u64) -> [String; 3] {
    let session = |number| format!("\"id\":\"s{version}-{number}\"");
    [format!("https://contoso.com/{id}/{version}\""), session(1), session(2)]
}

/// The number of a record among those of whoever writes it.
fn number_of(id: &str) -> usize {
    id.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Who takes part in a record.
pub(super) fn person(id: &str) -> usize {
    number_of(id) % PEOPLE
}

/// The text of a version, in one line.
pub(super) fn record(id: &str, version: u64) -> String {
    let day = number_of(id) % 28 + 1;
    let month = if id.starts_with(STAYING) {
        "2026-05".to_owned()
    } else {
        format!("2025-{:02}", version % 12 + 1)
    };
    let times = format!(
        "\"startDateTime\":\"{month}-{day:02}T08:00:00Z\",\"endDateTime\":\"{month}-{day:02}T08:10:00Z\""
    );
    let session = |number| {
        format!(
            "{{\"id\":\"s{version}-{number}\",{times},\"segments\":[{{\"id\":\"g\",{times}}}]}}"
        )
    };
    let person = person(id);
    format!(
        "{{\"id\":\"{id}\",\"version\":{version},{times},\
         \"joinWebUrl\":\"https://contoso.com/{id}/{version}\",\
         \"participants_v2\":[{{\"id\":\"person-{person}\",\
         \"identity\":{{\"user\":{{\"id\":\"person-{person}\"}}}}}}],\
         \"sessions\":[{},{}]}}",
        session(1),
        session(2)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(sent: u64, acknowledged: u64) -> Kept {
        let kept = Kept::default();
        kept.sending("f1-3", sent);
        kept.acknowledged("f1-3", acknowledged);
        kept
    }

    #[test]
    fn what_was_sent_may_be_read_and_what_was_acknowledged_must_be() {
        let kept = kept(3, 2);
        let before = kept.versions("f1-3");
        assert!(kept.check("f1-3", before, &record("f1-3", 1)).is_err());
        kept.check("f1-3", before, &record("f1-3", 2)).unwrap();
        kept.check("f1-3", before, &record("f1-3", 3)).unwrap();
        assert!(kept.check("f1-3", before, &record("f1-3", 4)).is_err());
        assert!(kept.check("f1-3", before, &record("f1-4", 2)).is_err());
    }

    #[test]
    fn half_a_version_and_a_mixed_one_are_noticed() {
        let kept = kept(2, 2);
        let before = kept.versions("f1-3");
        let whole = record("f1-3", 2);
        let lacking = whole.replace("s2-2", "s2-3");
        let mixed = whole.replace("\"id\":\"g\"", "\"id\":\"s1-2\"");
        for text in [lacking, mixed, "{}".to_owned()] {
            assert!(kept.check("f1-3", before, &text).is_err(), "{text}");
        }
    }

    #[test]
    fn records_move_or_stay() {
        assert!(record("f1-3", 1).contains("2026-05-04") && record("f1-3", 2).contains("2026-05"));
        assert!(record("m1-3", 1).contains("2025-02") && record("m1-3", 2).contains("2025-03"));
    }
}
