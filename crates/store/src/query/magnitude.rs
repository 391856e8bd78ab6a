//! How large and how small fractions may be. PostgreSQL fails where a result overflows or would be rounded
//! to zero, and SQLite makes null of what is no number; so SQL calculates only what can't come to that.

/// Exponents of two that the size of a finite number lies between, unless it is zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Magnitude {
    least: i32,
    most: i32,
}

impl Magnitude {
    /// Of any number, an infinite one too.
    pub(super) const ANY: Self = Self { least: -1_100, most: 1_100 };
    /// Of what `model` calls plain, and of ticks in seconds.
    pub(super) const PLAIN: Self = Self { least: -60, most: 60 };

    /// Of a whole number between the two.
    pub(super) fn of_whole(least: i128, most: i128) -> Self {
        let size = least.unsigned_abs().max(most.unsigned_abs());
        Self { least: 0, most: 128 - size.leading_zeros().cast_signed() }
    }

    /// Of that number.
    pub(super) fn exactly(number: f64) -> Self {
        if !number.is_finite() {
            return Self::ANY;
        }
        if number == 0.0 {
            return Self { least: 0, most: 0 };
        }
        let exponent = number.abs().log2();
        Self { least: exponent.floor() as i32 - 1, most: exponent.ceil() as i32 + 1 }
    }

    /// Whether engines calculate with such numbers, and come to such a result, without a failure.
    pub(super) fn is_safe(self) -> bool {
        self.least > -1_000 && self.most < 1_000
    }

    /// Whether there can be so many ticks.
    pub(super) fn is_of_ticks(self) -> bool {
        self.is_safe() && self.most < 62
    }

    /// Bits of a whole number of ticks that is no larger.
    pub(super) fn bits(self) -> u32 {
        self.most.max(0).cast_unsigned()
    }

    pub(super) fn joined(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    /// Of a sum or difference: what is left of two numbers is no finer than the finest bit of them.
    pub(super) fn sum(self, other: Self) -> Self {
        Self { least: self.least.min(other.least) - 53, most: self.most.max(other.most) + 1 }
    }

    pub(super) fn product(self, other: Self) -> Self {
        Self { least: self.least + other.least, most: self.most + other.most }
    }

    pub(super) fn quotient(self, other: Self) -> Self {
        Self { least: self.least - other.most, most: self.most - other.least }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_calculated_stays_within_what_is_said_of_it() {
        let numbers: [f64; 8] = [0.0, 1.0, -3.5, 1e-9, 7e12, 0.1, -0.3, 1024.0];
        let holds = |magnitude: Magnitude, number: f64| {
            let (least, most) = (2_f64.powi(magnitude.least), 2_f64.powi(magnitude.most));
            number == 0.0 || (least..=most).contains(&number.abs())
        };
        for a in numbers {
            for b in numbers {
                let (x, y) = (Magnitude::exactly(a), Magnitude::exactly(b));
                assert!(holds(x, a) && holds(x.joined(y), b), "{a} {b}");
                assert!(holds(x.sum(y), a + b) && holds(x.sum(y), a - b), "{a} {b}");
                assert!(holds(x.product(y), a * b), "{a} {b}");
                assert!(b == 0.0 || holds(x.quotient(y), a / b), "{a} {b}");
            }
        }
        assert!(!Magnitude::exactly(f64::INFINITY).is_safe() && !Magnitude::ANY.is_safe());
    }
}
