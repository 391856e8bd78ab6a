//! The same seed, the same bytes.

use std::hash::Hasher;

use simulator::{Calls, Mix, Options};

use super::options;

#[test]
fn the_same_options_give_the_same_bytes() {
    for mix in [Mix::Realistic, Mix::Bench] {
        let (one, two) = (Calls::new(options(mix, 200)), Calls::new(options(mix, 200)));
        assert!(one.eq(two));
    }
}

#[test]
fn another_seed_gives_other_calls() {
    let other = Options { seed: 43, ..options(Mix::Bench, 50) };
    let same = Calls::new(options(Mix::Bench, 50)).zip(Calls::new(other)).filter(|(a, b)| a == b);
    assert_eq!(same.count(), 0);
}

#[test]
fn a_longer_run_begins_with_the_shorter_one() {
    let short: Vec<_> = Calls::new(options(Mix::Bench, 100)).collect();
    let long: Vec<_> = Calls::new(options(Mix::Bench, 300)).take(100).collect();
    assert_eq!(short, long);
    // Second versions that are still due come at the end of a run, but with the same bytes.
    let short: Vec<_> = Calls::new(options(Mix::Realistic, 100)).collect();
    let long: Vec<_> = Calls::new(options(Mix::Realistic, 300)).collect();
    assert!(short.len() > 100);
    assert!(short.iter().all(|line| long.contains(line)));
}

#[test]
fn the_iterator_gives_what_write_next_appends() {
    let mut calls = Calls::new(options(Mix::Realistic, 50));
    let mut appended = Vec::new();
    while calls.write_next(&mut appended) {}
    assert!(!calls.write_next(&mut appended));
    let joined: Vec<u8> = Calls::new(options(Mix::Realistic, 50)).flatten().collect();
    assert_eq!(appended, joined);
}

#[test]
fn no_calls_give_no_lines() {
    assert_eq!(Calls::new(options(Mix::Realistic, 0)).next(), None);
}

/// Fails when a change alters what a seed means. That is allowed between releases, on purpose.
#[test]
fn the_meaning_of_a_seed_is_kept() {
    let digest = |mix| {
        let mut hasher = Fnv::default();
        Calls::new(options(mix, 300)).for_each(|line| hasher.write(&line));
        hasher.finish()
    };
    assert_eq!(
        (digest(Mix::Realistic), digest(Mix::Bench)),
        (1_156_141_456_664_388_613, 1_961_758_812_367_268_504)
    );
}

/// FNV-1a: the standard library's hasher may change.
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
