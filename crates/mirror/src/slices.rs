//! How wide the slices are in which an hour's list is asked for, in whole seconds, so that one answer holds
//! a slice: what is in one answer can't be left out between two.

/// Rows that a slice should have. An answer has at most 60.
const AIM: f64 = 40.0;
/// The widest slice, and the narrowest.
const WIDEST: i64 = 3_600;
const NARROWEST: i64 = 1;

/// What was seen of the list so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Widths {
    /// Rows a second.
    density: Option<f64>,
    /// No wider than this after an answer was too small.
    at_most: Option<i64>,
}

impl Widths {
    /// Where an hour had so many rows before.
    pub(crate) fn of_hour(rows: Option<u64>) -> Self {
        Self { density: rows.map(|rows| rows as f64 / WIDEST as f64), at_most: None }
    }

    /// Seconds of the next slice, if so many are left.
    pub(crate) fn next(&self, left: i64) -> i64 {
        let wide = match self.density {
            Some(density) if density > 0.0 => (AIM / density).min(WIDEST as f64) as i64,
            _ => WIDEST,
        };
        wide.min(self.at_most.unwrap_or(WIDEST)).clamp(NARROWEST, left.max(NARROWEST))
    }

    /// A slice had so many rows.
    pub(crate) fn read(&mut self, seconds: i64, rows: usize) {
        let seen = rows as f64 / seconds.max(1) as f64;
        // A quiet minute says little about the next one.
        self.density = Some(self.density.map_or(seen, |before| f64::midpoint(before, seen)));
        self.at_most = self.at_most.map(|most| (most * 2).min(WIDEST));
    }

    /// A slice did not fit into one answer; whether it can be made narrower.
    pub(crate) fn halve(&mut self, seconds: i64) -> bool {
        self.at_most = Some((seconds / 2).max(NARROWEST));
        seconds > NARROWEST
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slices_follow_the_density() {
        let mut widths = Widths::of_hour(None);
        assert_eq!(widths.next(3_600), 3_600);
        assert!(widths.halve(3_600));
        assert_eq!(widths.next(3_600), 1_800);
        widths.read(1_800, 60);
        assert_eq!(widths.next(1_800), 1_200);
        assert_eq!(Widths::of_hour(Some(90_000)).next(3_600), 1);
        assert_eq!(Widths::of_hour(Some(0)).next(3_600), 3_600);
        assert!(!Widths::default().halve(1));
    }

    proptest! {
        /// Each second of an hour is in one slice, whatever the list looks like.
        #[test]
        fn slices_leave_nothing_out_and_end(
            rows in prop::collection::vec(0_usize..200, 60),
            before in prop::option::of(0_u64..100_000),
        ) {
            let mut widths = Widths::of_hour(before);
            let (mut at, mut asked) = (0_i64, 0);
            while at < 3_600 {
                asked += 1;
                prop_assert!(asked < 20_000);
                let wide = widths.next(3_600 - at);
                prop_assert!(wide >= 1 && at + wide <= 3_600);
                let of_minutes = (at / 60..=(at + wide - 1) / 60).map(|minute| rows[minute as usize]);
                let found = of_minutes.sum::<usize>() * wide as usize / 60;
                if found > 60 && widths.halve(wide) {
                    continue;
                }
                widths.read(wide, found);
                at += wide;
            }
            prop_assert_eq!(at, 3_600);
        }
    }
}
