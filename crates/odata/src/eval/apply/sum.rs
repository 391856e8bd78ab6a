//! Sums of numbers, with what rounding loses on the way (Neumaier's summation): so they hardly
//! depend on the order of the numbers.

/// A sum so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    /// Adds a number.
    pub(super) fn add(&mut self, value: f64) {
        let next = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - next) + value
        } else {
            (value - next) + self.sum
        };
        self.sum = next;
    }

    /// Adds a whole number, all of whose digits count.
    pub(super) fn add_whole(&mut self, whole: i128) {
        let number = whole as f64;
        self.add(number);
        self.add((whole - number as i128) as f64);
    }

    /// The sum, rounded once.
    pub(super) fn value(self) -> f64 {
        // Beyond the finite numbers what is lost is no number.
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounding_loses_is_kept() {
        let mut sum = Sum::default();
        for value in [1e18, 1.0, -1e18] {
            sum.add(value);
        }
        assert!((sum.value() - 1.0).abs() < f64::EPSILON);
        sum.add_whole(i128::from(i64::MAX));
        sum.add_whole(-i128::from(i64::MAX));
        assert!((sum.value() - 1.0).abs() < f64::EPSILON);
        sum.add(f64::INFINITY);
        assert!(sum.value().is_infinite());
    }
}
