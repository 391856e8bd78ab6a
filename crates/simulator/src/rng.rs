//! The random numbers: SplitMix64, forked by tag, the same for ever and on every machine.
//!
//! A call, a session and each block inside a session draw from generators of their own, so that
//! leaving one out (another mix, another version) moves nothing else. No floating point is used:
//! its functions differ between platforms, and a seed must mean the same calls everywhere.

/// SplitMix64 by Steele, Lea and Flood: a counter and a finaliser.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

/// The whole span of a position in a distribution: see [`interpolate`].
pub(crate) const POSITIONS: u64 = 1 << 16;

impl Rng {
    /// The generator for part `tag` of whatever `seed` stands for.
    pub(crate) fn of(seed: u64, tag: u64) -> Self {
        Self(finalise(seed ^ finalise(tag.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    /// 64 random bits.
    #[inline]
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        finalise(self.0)
    }

    /// A number under `limit`; 0 when `limit` is 0.
    #[inline]
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// A number of `low..=high`.
    #[inline]
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True `per_mille` times in a thousand.
    #[inline]
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `choices`, which are not empty.
    #[inline]
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    /// A value of the distribution whose equally spaced quantiles `table` lists.
    #[inline]
    pub(crate) fn quantile(&mut self, table: &[u64]) -> u64 {
        let position = self.below(POSITIONS);
        interpolate(table, position)
    }

    /// A GUID in the form of version 4.
    pub(crate) fn guid(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.bits().to_be_bytes());
        bytes[8..].copy_from_slice(&self.bits().to_be_bytes());
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        bytes
    }
}

/// The value at `position` (of [`POSITIONS`]) on the line through the quantiles in `table`.
pub(crate) fn interpolate(table: &[u64], position: u64) -> u64 {
    let scaled = position * (table.len() as u64 - 1);
    let (at, part) = ((scaled / POSITIONS) as usize, scaled % POSITIONS);
    let (low, high) = (table[at], table[at + 1]);
    low + (high - low) * part / POSITIONS
}

fn finalise(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one_of_splitmix64() {
        let mut rng = Rng(1_234_567);
        assert_eq!(rng.bits(), 6_457_827_717_110_365_317);
        assert_eq!(rng.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn forks_with_different_tags_differ() {
        assert_ne!(Rng::of(1, 0).bits(), Rng::of(1, 1).bits());
        assert_ne!(Rng::of(0, 1).bits(), Rng::of(1, 0).bits());
    }

    #[test]
    fn quantiles_stay_within_their_table_and_meet_the_median() {
        let mut rng = Rng::of(7, 7);
        let table = [10, 20, 100];
        let values: Vec<u64> = (0..10_000).map(|_| rng.quantile(&table)).collect();
        assert!(values.iter().all(|v| (10..=100).contains(v)));
        let below_median = values.iter().filter(|v| **v < 20).count();
        assert!((4800..5200).contains(&below_median), "{below_median}");
    }
}
