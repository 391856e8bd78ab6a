//! When a rule acts: by chance, at certain matches, and how often at most.
//!
//! Chance is a number made of the seed, the rule, whom it is counted for and the number of the match.
//! So the same requests of an application meet the same faults, however those of others come between
//! them.

use std::collections::HashMap;

use crate::chance;

/// Which of its matches a rule acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    All,
    /// The one of that number.
    Nth(u64),
    /// Each whose number is a multiple.
    Every(u64),
    /// Those up to that number.
    First(u64),
}

/// When a rule acts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct When {
    pub(crate) pick: Pick,
    pub(crate) probability: Option<f64>,
    /// How often it may take effect.
    pub(crate) times: Option<u64>,
}

/// The lists that rules stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum List {
    Request,
    Notification,
    Validation,
}

/// How often rules matched and acted, for each of those that are counted apart.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// By whom: a count for each rule, by list and place.
    counts: HashMap<String, HashMap<(List, usize), Count>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    matched: u64,
    acted: u64,
}

impl Counts {
    /// Counts a match, and says whether the rule acts on it.
    pub(crate) fn matched(
        &mut self,
        seed: u64,
        list: List,
        rule: usize,
        of: &str,
        when: When,
    ) -> bool {
        // Ids are the same in either case.
        let of = of.to_ascii_lowercase();
        let count = self.counts.entry(of.clone()).or_default().entry((list, rule)).or_default();
        count.matched += 1;
        let number = count.matched;
        let is_picked = match when.pick {
            Pick::All => true,
            Pick::Nth(nth) => number == nth,
            Pick::Every(every) => number.is_multiple_of(every),
            Pick::First(first) => number <= first,
        };
        let is_left = when.times.is_none_or(|times| count.acted < times);
        is_picked
            && is_left
            && when.probability.is_none_or(|probability| {
                let place = [list as u64, rule as u64, number];
                chance::fraction(chance::of_numbers(chance::of_text(seed, &of), &place))
                    < probability
            })
    }

    /// Notes that the rule took effect.
    pub(crate) fn acted(&mut self, list: List, rule: usize, of: &str) {
        let counts = self.counts.entry(of.to_ascii_lowercase()).or_default();
        counts.entry((list, rule)).or_default().acted += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALWAYS: When = When { pick: Pick::All, probability: None, times: None };

    /// The numbers of the matches out of `of_all` that a rule acts on.
    fn acts(counts: &mut Counts, seed: u64, of: &str, when: When, of_all: u64) -> Vec<u64> {
        let mut acts = Vec::new();
        for number in 1..=of_all {
            if counts.matched(seed, List::Request, 0, of, when) {
                counts.acted(List::Request, 0, of);
                acts.push(number);
            }
        }
        acts
    }

    #[test]
    fn matches_are_picked_by_their_number() {
        for (when, expected) in [
            (When { pick: Pick::Nth(3), ..ALWAYS }, vec![3]),
            (When { pick: Pick::Every(2), ..ALWAYS }, vec![2, 4, 6]),
            (When { pick: Pick::Every(2), times: Some(2), ..ALWAYS }, vec![2, 4]),
            (When { pick: Pick::First(2), ..ALWAYS }, vec![1, 2]),
            (When { times: Some(1), ..ALWAYS }, vec![1]),
            (When { probability: Some(0.0), ..ALWAYS }, vec![]),
            (When { probability: Some(1.0), pick: Pick::First(2), ..ALWAYS }, vec![1, 2]),
        ] {
            assert_eq!(acts(&mut Counts::default(), 7, "a", when, 6), expected, "{when:?}");
        }
    }

    #[test]
    fn each_is_counted_apart_and_ids_are_the_same_in_either_case() {
        let mut counts = Counts::default();
        let first = When { pick: Pick::First(1), ..ALWAYS };
        assert_eq!(acts(&mut counts, 7, "a", first, 2), [1]);
        assert_eq!(acts(&mut counts, 7, "b", first, 2), [1]);
        assert!(acts(&mut counts, 7, "A", first, 2).is_empty());
    }

    #[test]
    fn chance_is_that_of_the_seed_whatever_comes_between() {
        let half = When { probability: Some(0.5), ..ALWAYS };
        let alone = acts(&mut Counts::default(), 7, "a", half, 1_000);
        let mut counts = Counts::default();
        let mut among = Vec::new();
        for number in 1..=1_000 {
            counts.matched(7, List::Request, 0, "b", half);
            if counts.matched(7, List::Request, 0, "a", half) {
                among.push(number);
            }
        }
        assert_eq!(alone, among);
        assert!((400..600).contains(&alone.len()), "{}", alone.len());
        assert_ne!(alone, acts(&mut Counts::default(), 8, "a", half, 1_000));
        assert_ne!(alone, acts(&mut Counts::default(), 7, "b", half, 1_000));
    }
}
