//! Keys of records that were asked for before. They save the question for the key; whether they still
//! lead to the current version is for the row itself to say.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

/// How many keys a generation has. Those not asked for in two generations are forgotten.
const MOST: usize = 32_768;

/// Keys by tenant and the key of the id.
#[derive(Debug, Default)]
pub(crate) struct Leads {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<(i64, Vec<u8>), i64>,
    old: HashMap<(i64, Vec<u8>), i64>,
}

impl Leads {
    pub(super) fn find(&self, tenant_key: i64, id_key: &[u8]) -> Option<i64> {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = (tenant_key, id_key.to_vec());
        if let Some(found) = generations.young.get(&asked) {
            return Some(*found);
        }
        let found = generations.old.get(&asked).copied();
        drop(generations);
        found.inspect(|record_key| self.note(tenant_key, id_key, *record_key))
    }

    pub(super) fn note(&self, tenant_key: i64, id_key: &[u8], record_key: i64) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.young.len() >= MOST {
            generations.old = mem::take(&mut generations.young);
        }
        generations.young.insert((tenant_key, id_key.to_vec()), record_key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_again_stays_and_the_rest_is_forgotten() {
        let leads = Leads::default();
        leads.note(1, b"kept", 7);
        leads.note(1, b"left", 8);
        assert_eq!((leads.find(1, b"kept"), leads.find(2, b"kept")), (Some(7), None));
        for generation in 0..3 {
            for number in 0..MOST as i64 {
                leads.note(generation, &number.to_le_bytes(), number);
            }
            assert_eq!(leads.find(1, b"kept"), Some(7));
        }
        assert_eq!(leads.find(1, b"left"), None);
        assert!(leads.generations.lock().unwrap().young.len() <= MOST);
    }
}
