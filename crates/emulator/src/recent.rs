//! A map of bounded size, which forgets what came first.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// The entries of the latest `most` keys.
#[derive(Debug, Clone)]
pub(crate) struct Recent<K, V> {
    most: usize,
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    /// Nothing yet.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, entries: HashMap::new(), order: VecDeque::new() }
    }

    /// What is known of the key.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// The entry of the key; if it is new, with this value, and perhaps in place of the oldest one.
    pub(crate) fn get_or(&mut self, key: K, value: V) -> &mut V {
        if !self.entries.contains_key(&key) {
            if self.order.len() >= self.most
                && let Some(oldest) = self.order.pop_front()
            {
                self.entries.remove(&oldest);
            }
            self.order.push_back(key.clone());
        }
        self.entries.entry(key).or_insert(value)
    }

    /// All entries, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_and_the_first_value_stays() {
        let mut recent = Recent::new(2);
        recent.get_or('a', 1);
        recent.get_or('b', 2);
        *recent.get_or('a', 9) += 10;
        assert_eq!(recent.get(&'a'), Some(&11));
        recent.get_or('c', 3);
        assert_eq!(recent.get(&'a'), None);
        assert_eq!(recent.iter().count(), 2);
        assert_eq!(recent.order.len(), 2);
    }
}
