//! The change log of the nodes, held against what clients were told, and against what was told on.

use std::collections::BTreeMap;

use super::cluster::Cluster;
use super::content::Version;
use super::ledger::Ledger;

/// What is to be told: versions that were new when they came.
const LOGGED: &str = "SELECT r.id, c.version, c.change FROM change_log c \
                      JOIN call_record r ON r.record_key = c.record_key \
                      WHERE c.change IN ('created', 'replaced')";

/// How each version came into being that is to be told.
#[derive(Debug, Default)]
pub(super) struct Log {
    changes: BTreeMap<Version, String>,
    /// Lines that can't be.
    wrong: Vec<String>,
}

impl Log {
    /// Reads the log of a store.
    pub(super) fn read(cluster: &Cluster) -> Self {
        Self::of(&cluster.ask(LOGGED))
    }

    fn of(lines: &[String]) -> Self {
        let mut log = Self::default();
        for line in lines {
            let mut parts = line.split('|');
            let (Some(id), Some(Ok(number)), Some(change)) =
                (parts.next(), parts.next().map(str::parse), parts.next())
            else {
                log.wrong.push(format!("the log says {line:?}"));
                continue;
            };
            let version = Version { id: id.to_owned(), number };
            if log.changes.insert(version, change.to_owned()).is_some() {
                log.wrong.push(format!("the log says twice {line:?}"));
            }
        }
        log
    }

    /// How many versions of each record are to be told, of those that are asked for.
    pub(super) fn expected(&self, is_asked_for: impl Fn(&str) -> bool) -> BTreeMap<String, u64> {
        let mut expected = BTreeMap::new();
        for Version { id, .. } in self.changes.keys().filter(|version| is_asked_for(&version.id)) {
            *expected.entry(id.clone()).or_default() += 1;
        }
        expected
    }

    /// What is wrong with the log: what a client was told became of a version has to stand there.
    pub(super) fn judge(&self, ledger: &Ledger) -> Vec<String> {
        let mut wrong = self.wrong.clone();
        for id in ledger.ids() {
            for (number, outcome) in ledger.known(id).acknowledged {
                let version = Version { id: id.clone(), number };
                let change = self.changes.get(&version).map(String::as_str);
                let is_as_said = match outcome.as_str() {
                    "archived" => change.is_none(),
                    // It was sent before, and was not answered.
                    "unchanged" => true,
                    outcome => change == Some(outcome),
                };
                if !is_as_said {
                    wrong.push(format!("{version:?} was {outcome}, and the log says {change:?}"));
                }
            }
        }
        wrong
    }

    /// How many versions were sent and not acknowledged, and how many of these are there and new.
    pub(super) fn unanswered(&self, ledger: &Ledger) -> (usize, usize) {
        let (mut sent, mut there) = (0, 0);
        for id in ledger.ids() {
            let known = ledger.known(id);
            let numbers = 1..=known.attempted;
            for number in numbers.filter(|number| !known.acknowledged.contains_key(number)) {
                sent += 1;
                let version = Version { id: id.clone(), number };
                there += usize::from(self.changes.contains_key(&version));
            }
        }
        (sent, there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(lines: &[&str]) -> usize {
        let mut ledger = Ledger::default();
        ledger.attempt(&Version { id: "a".to_owned(), number: 4 });
        for (number, outcome) in [(1, "created"), (2, "archived"), (3, "replaced")] {
            ledger.acknowledge("a", number, outcome);
        }
        log(lines).judge(&ledger).len()
    }

    fn log(lines: &[&str]) -> Log {
        Log::of(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn log_that_says_what_clients_were_told_is_right() {
        assert_eq!(judge(&["a|1|created", "a|3|replaced"]), 0);
        assert_eq!(judge(&["a|1|created", "a|3|replaced", "a|4|replaced"]), 0);
    }

    #[test]
    fn log_without_an_acknowledged_version_or_with_another_change_is_noticed() {
        assert_eq!(judge(&["a|1|created"]), 1);
        assert_eq!(judge(&["a|1|created", "a|3|created"]), 1);
        assert_eq!(judge(&["a|1|created", "a|2|replaced", "a|3|replaced"]), 1);
    }

    #[test]
    fn version_that_is_logged_twice_is_noticed() {
        assert_eq!(judge(&["a|1|created", "a|3|replaced", "a|3|replaced"]), 1);
        assert_eq!(judge(&["a|1|created", "a|3|replaced", "a"]), 1);
    }

    #[test]
    fn versions_to_be_told_are_counted_by_record() {
        let log = log(&["a|1|created", "a|3|replaced", "b|1|created"]);
        assert_eq!(log.expected(|id| id == "a"), BTreeMap::from([("a".to_owned(), 2)]));
        let mut ledger = Ledger::default();
        ledger.attempt(&Version { id: "a".to_owned(), number: 3 });
        ledger.acknowledge("a", 1, "created");
        assert_eq!(log.unanswered(&ledger), (2, 1));
    }
}
