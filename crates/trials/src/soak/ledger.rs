//! What was acknowledged, and what answers may show of it.

use std::collections::{BTreeMap, BTreeSet};

use super::content::Version;

/// Versions of records, as far as the load knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    records: BTreeMap<String, Versions>,
    /// Their ids, to draw one from.
    ids: Vec<String>,
}

/// What is known of a record.
#[derive(Debug, Clone, Default)]
pub(super) struct Versions {
    /// Versions that were ever sent, up to this one.
    pub(super) attempted: u64,
    /// With what the server said became of each.
    pub(super) acknowledged: BTreeMap<u64, String>,
}

impl Versions {
    /// The newest version that was acknowledged; 0 before the first.
    pub(super) fn floor(&self) -> u64 {
        self.acknowledged.last_key_value().map_or(0, |(number, _)| *number)
    }
}

impl Ledger {
    /// Notes that a version is about to be sent.
    pub(super) fn attempt(&mut self, version: &Version) {
        if !self.records.contains_key(&version.id) {
            self.ids.push(version.id.clone());
        }
        let known = self.records.entry(version.id.clone()).or_default();
        known.attempted = known.attempted.max(version.number);
    }

    /// Notes that the server has said it keeps a version; what it said first counts.
    pub(super) fn acknowledge(&mut self, id: &str, number: u64, outcome: &str) {
        let known = self.records.entry(id.to_owned()).or_default();
        known.acknowledged.entry(number).or_insert_with(|| outcome.to_owned());
    }

    /// Ids in the order in which they were first sent.
    pub(super) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// What is known of a record.
    pub(super) fn known(&self, id: &str) -> Versions {
        self.records.get(id).cloned().unwrap_or_default()
    }

    /// The newest acknowledged version of each record of which there is one.
    pub(super) fn floors(&self, is_asked_for: impl Fn(&str) -> bool) -> BTreeMap<String, u64> {
        let asked = self.records.iter().filter(|(id, _)| is_asked_for(id));
        let floors = asked.map(|(id, known)| (id.clone(), known.floor()));
        floors.filter(|(_, floor)| *floor > 0).collect()
    }

    /// How many versions were acknowledged.
    pub(super) fn count(&self) -> usize {
        self.records.values().map(|known| known.acknowledged.len()).sum()
    }
}

/// Whether a current record may be shown, none being 0: not older than what was acknowledged before
/// the question, not newer than what was sent before the answer.
pub(super) fn current(id: &str, floor: u64, shown: u64, attempted: u64) -> Result<(), String> {
    if shown < floor {
        return Err(format!("{id}: version {floor} was acknowledged, and {shown} is shown"));
    }
    if shown > attempted {
        return Err(format!("{id}: version {shown} is shown, and {attempted} was the last sent"));
    }
    Ok(())
}

/// Whether all versions of a record may be shown: each once, in their order, with all that were
/// acknowledged before the question, and none that was not sent.
pub(super) fn versions(id: &str, before: &Versions, shown: &[u64], attempted: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    if !shown.is_sorted_by(|one, next| one < next) {
        wrong.push(format!("{id}: versions {shown:?} are not in their order"));
    }
    let there: BTreeSet<u64> = shown.iter().copied().collect();
    let lost: Vec<_> = before.acknowledged.keys().filter(|it| !there.contains(it)).collect();
    if !lost.is_empty() {
        wrong.push(format!("{id}: versions {lost:?} were acknowledged, and {shown:?} are shown"));
    }
    let last = shown.last().copied().unwrap_or(0);
    wrong.extend(current(id, before.floor(), last, attempted).err());
    wrong
}

/// What is wrong with the records of a whole list, given what was acknowledged of each before the
/// first page was asked for.
pub(super) fn walk(floors: &BTreeMap<String, u64>, items: &[Version]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    for Version { id, number } in items {
        if seen.insert(id.as_str(), *number).is_some() {
            wrong.push(format!("{id} stands twice in a list"));
        }
    }
    for (id, floor) in floors {
        match seen.get(id.as_str()) {
            None => wrong.push(format!("{id} {floor} was acknowledged, and the list lacks it")),
            Some(shown) => wrong.extend(current(id, *floor, *shown, u64::MAX).err()),
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(id: &str, number: u64) -> Version {
        Version { id: id.to_owned(), number }
    }

    fn known() -> Versions {
        let mut ledger = Ledger::default();
        ledger.attempt(&version("a", 4));
        for number in [1, 3] {
            ledger.acknowledge("a", number, "created");
        }
        ledger.known("a")
    }

    #[test]
    fn older_version_than_was_acknowledged_is_noticed() {
        assert_eq!((known().floor(), known().attempted), (3, 4));
        assert!(current("a", 3, 3, 4).is_ok() && current("a", 3, 4, 4).is_ok());
        assert!(current("a", 3, 2, 4).is_err());
        assert!(current("a", 3, 0, 4).is_err(), "a record that is gone");
    }

    #[test]
    fn version_that_was_never_sent_is_noticed() {
        assert!(current("a", 3, 5, 4).is_err());
        assert_eq!(versions("a", &known(), &[1, 3, 5], 4).len(), 1);
    }

    #[test]
    fn lost_version_is_noticed_also_when_a_newer_one_is_there() {
        assert!(versions("a", &known(), &[1, 3], 4).is_empty());
        assert!(versions("a", &known(), &[1, 2, 3, 4], 4).is_empty());
        assert_eq!(versions("a", &known(), &[3], 4).len(), 1);
        assert_eq!(versions("a", &known(), &[1], 4).len(), 2);
    }

    #[test]
    fn versions_that_are_shown_twice_or_out_of_order_are_noticed() {
        assert_eq!(versions("a", &known(), &[1, 3, 3], 4).len(), 1);
        assert_eq!(versions("a", &known(), &[1, 4, 3], 4).len(), 1);
    }

    #[test]
    fn list_with_a_record_twice_without_one_or_with_an_old_one_is_noticed() {
        let floors = BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]);
        let walk = |items: &[Version]| walk(&floors, items).len();
        assert_eq!(walk(&[version("a", 2), version("b", 3), version("c", 1)]), 0);
        assert_eq!(walk(&[version("a", 2), version("b", 1), version("a", 2)]), 1);
        assert_eq!(walk(&[version("a", 2)]), 1);
        assert_eq!(walk(&[version("a", 1), version("b", 1)]), 1);
    }
}
