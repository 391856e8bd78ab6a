//! From streams to people, sessions and calls.
//!
//! At each level it is poor if anything below is poor, good if nothing is poor and something good, else
//! unclassified, and not applicable if no rule is made for anything below. Counts go with every verdict.

use std::collections::BTreeMap;

use crate::medium::Medium;
use crate::outcome::Verdict;

/// How many streams have which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Good ones.
    pub good: u64,
    /// Poor ones.
    pub poor: u64,
    /// Those of which too little is known.
    pub unclassified: u64,
}

impl Counts {
    /// Counts a stream; one that no rule is made for stands in no count.
    pub fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Good => self.good += 1,
            Verdict::Poor => self.poor += 1,
            Verdict::Unclassified => self.unclassified += 1,
            Verdict::NotApplicable => {}
        }
    }

    /// Adds those of a part.
    pub fn join(&mut self, other: Self) {
        self.good += other.good;
        self.poor += other.poor;
        self.unclassified += other.unclassified;
    }

    /// The verdict on all that is counted.
    pub fn verdict(self) -> Verdict {
        match self {
            Self { poor: 1.., .. } => Verdict::Poor,
            Self { good: 1.., .. } => Verdict::Good,
            Self { unclassified: 1.., .. } => Verdict::Unclassified,
            Self { good: 0, poor: 0, unclassified: 0 } => Verdict::NotApplicable,
        }
    }

    /// Poor ones among those that are good or poor; none if there are neither.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn poor_share(self) -> Option<f64> {
        let classified = self.good + self.poor;
        (classified > 0).then(|| self.poor as f64 / classified as f64)
    }
}

/// The way of a stream, as seen from a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The person received it.
    Heard,
    /// The person sent it.
    WasHeard,
}

impl Direction {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Heard => "heard",
            Self::WasHeard => "wasHeard",
        }
    }
}

/// The people at both ends of a stream. A service, and an end that nobody is known at, is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct People<'a> {
    /// Who sent it.
    pub sender: Option<&'a str>,
    /// Who received it.
    pub receiver: Option<&'a str>,
}

/// The quality of a session or a call, from its streams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Levels {
    by_medium: BTreeMap<Medium, Counts>,
    by_person: BTreeMap<String, BTreeMap<(Medium, Direction), Counts>>,
}

impl Levels {
    /// Counts a stream. Streams of tests are the caller's to leave out.
    pub fn add(&mut self, medium: Option<Medium>, people: People<'_>, verdict: Verdict) {
        let Some(medium) = medium else { return };
        self.by_medium.entry(medium).or_default().add(verdict);
        let ends = [(people.sender, Direction::WasHeard), (people.receiver, Direction::Heard)];
        for (person, direction) in ends {
            let Some(person) = person else { continue };
            if !self.by_person.contains_key(person) {
                self.by_person.insert(person.to_owned(), BTreeMap::new());
            }
            if let Some(of_person) = self.by_person.get_mut(person) {
                of_person.entry((medium, direction)).or_default().add(verdict);
            }
        }
    }

    /// Counts by medium.
    pub fn media(&self) -> impl Iterator<Item = (Medium, Counts)> {
        self.by_medium.iter().map(|(medium, counts)| (*medium, *counts))
    }

    /// Counts of each person by medium and direction.
    pub fn people(&self) -> impl Iterator<Item = (&str, &BTreeMap<(Medium, Direction), Counts>)> {
        self.by_person.iter().map(|(person, counts)| (person.as_str(), counts))
    }

    /// All streams.
    pub fn counts(&self) -> Counts {
        let mut all = Counts::default();
        self.by_medium.values().for_each(|counts| all.join(*counts));
        all
    }

    /// The verdict on the whole.
    pub fn verdict(&self) -> Verdict {
        self.counts().verdict()
    }

    /// People with a poor stream, sent or received.
    pub fn poor_people(&self) -> usize {
        let is_poor = |counts: &&BTreeMap<_, Counts>| counts.values().any(|it| it.poor > 0);
        self.by_person.values().filter(is_poor).count()
    }

    /// The share of people with a poor stream among those whose streams are good or poor; none if there are
    /// no such people.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn poor_share(&self) -> Option<f64> {
        let is_classified =
            |counts: &&BTreeMap<_, Counts>| counts.values().any(|it| it.poor + it.good > 0);
        let classified = self.by_person.values().filter(is_classified).count();
        (classified > 0).then(|| self.poor_people() as f64 / classified as f64)
    }

    /// Whether a call counts as a poor one: of two people any poor direction, of more a quarter of them.
    pub fn is_poor_call(&self) -> bool {
        match self.by_person.len() {
            0..=2 => self.counts().poor > 0,
            _ => self.poor_share().is_some_and(|share| share >= 0.25),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(streams: &[(&str, &str, Verdict)]) -> Levels {
        let mut levels = Levels::default();
        for (sender, receiver, verdict) in streams {
            let people = People { sender: Some(sender), receiver: Some(receiver) };
            levels.add(Some(Medium::Audio), people, *verdict);
        }
        levels
    }

    #[test]
    fn one_poor_direction_of_two_makes_a_call_poor() {
        let call = levels(&[("anna", "ben", Verdict::Poor), ("ben", "anna", Verdict::Good)]);
        assert_eq!(call.verdict(), Verdict::Poor);
        assert_eq!(call.counts(), Counts { good: 1, poor: 1, unclassified: 0 });
        assert_eq!(call.counts().poor_share(), Some(0.5));
        assert_eq!(call.poor_people(), 2);
        assert!(call.is_poor_call());
        let anna = call.people().next().unwrap();
        assert_eq!(anna.0, "anna");
        assert_eq!(anna.1[&(Medium::Audio, Direction::WasHeard)].verdict(), Verdict::Poor);
        assert_eq!(anna.1[&(Medium::Audio, Direction::Heard)].verdict(), Verdict::Good);
    }

    #[test]
    fn unclassified_streams_hide_no_good_ones_and_stand_in_no_share() {
        let (good, unknown) = (Verdict::Good, Verdict::Unclassified);
        let streams =
            [("a", "b", good), ("b", "a", good), ("a", "b", unknown), ("b", "a", unknown)];
        let call = levels(&streams);
        assert_eq!(call.verdict(), Verdict::Good);
        assert_eq!(call.counts(), Counts { good: 2, poor: 0, unclassified: 2 });
        assert_eq!(call.counts().poor_share(), Some(0.0));
        assert_eq!(levels(&[("a", "b", unknown)]).verdict(), Verdict::Unclassified);
        assert_eq!(levels(&[("a", "b", unknown)]).poor_share(), None);
    }

    #[test]
    fn what_no_rule_is_made_for_stands_in_no_count() {
        let mut call = Levels::default();
        call.add(None, People::default(), Verdict::NotApplicable);
        assert_eq!(call.verdict(), Verdict::NotApplicable);
        assert_eq!(call.counts().poor_share(), None);
    }

    #[test]
    fn of_many_people_a_quarter_must_have_it_poor() {
        let verdict = |is_poor| if is_poor { Verdict::Poor } else { Verdict::Good };
        let meeting = |poor: usize| {
            let mut meeting = Levels::default();
            for place in 0..8 {
                let person = place.to_string();
                let people = People { sender: None, receiver: Some(&person) };
                meeting.add(Some(Medium::Audio), people, verdict(place < poor));
            }
            meeting
        };
        assert!(!meeting(1).is_poor_call());
        assert_eq!(meeting(1).verdict(), Verdict::Poor);
        assert!(meeting(2).is_poor_call());
    }
}
