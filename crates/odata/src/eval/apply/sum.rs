//! Sums of numbers, exact whatever the numbers and their order, and rounded once.
//!
//! Numbers of usual size are added up as whole multiples of a small fraction, in one integer of 128 bits. What
//! does not fit into that goes to a number with all the places that a double may have.

/// Places of the integer behind the point.
const PLACES: i32 = 80;
/// Bits of it that a single number leaves to the sum.
const ROOM: u32 = 12;
/// Bits of a number's digits.
const DIGITS: u32 = f64::MANTISSA_DIGITS;
/// What one bit of a double stands for at least, as a power of two.
const LEAST: i32 = -1_074;
/// Bits of a limb.
const LIMB: usize = 32;
/// Limbs for all places of doubles, and for what many of the greatest of them add up to.
const LIMBS: usize = 70;
/// Additions after which the limbs have to be put in order: each adds less than two limbs' worth to any of them.
const MOST: u32 = 1 << 29;

/// A sum so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sum {
    /// Multiples of 2 to the power of -[`PLACES`].
    usual: i128,
    /// What does not fit into that.
    wide: Option<Box<Wide>>,
    /// The sum of what is not finite: no other number changes it.
    beyond: Option<f64>,
}

/// A whole number of the least double, in limbs from the lowest up, each with a sign and room to carry.
#[derive(Debug, Clone, PartialEq)]
struct Wide {
    limbs: [i64; LIMBS],
    additions: u32,
}

impl Sum {
    /// Adds a number.
    pub(super) fn add(&mut self, value: f64) {
        self.add_times(value, 1);
    }

    /// Adds a number so many times.
    pub(super) fn add_times(&mut self, value: f64, times: u32) {
        if !value.is_finite() {
            let beyond = if times == 0 { return } else { value };
            self.beyond = Some(self.beyond.map_or(beyond, |others| others + beyond));
            return;
        }
        let (digits, power) = parts(value);
        if digits == 0 {
            return;
        }
        let (zeros, places) = (digits.trailing_zeros(), power + PLACES);
        let product = u128::from(digits) * u128::from(times);
        let whole = match u32::try_from(places) {
            Ok(up) if up + ROOM < product.leading_zeros() => Some(product << up),
            Err(_) if zeros >= places.unsigned_abs() => Some(product >> places.unsigned_abs()),
            _ => None,
        };
        let is_negative = value.is_sign_negative();
        match whole {
            Some(whole) => self.add_usual(whole.cast_signed(), is_negative),
            None => self.wide().add((power - LEAST).unsigned_abs() as usize, product, is_negative),
        }
    }

    /// Adds a whole number, all of whose digits count.
    pub(super) fn add_whole(&mut self, whole: i128) {
        if whole.unsigned_abs() < 1 << 40 {
            self.add_usual(whole.abs() << PLACES, whole < 0);
        } else {
            self.wide().add(LEAST.unsigned_abs() as usize, whole.unsigned_abs(), whole < 0);
        }
    }

    fn add_usual(&mut self, value: i128, is_negative: bool) {
        let value = if is_negative { -value } else { value };
        if let Some(sum) = self.usual.checked_add(value) {
            self.usual = sum;
        } else {
            self.spill();
            self.usual = value;
        }
    }

    /// Brings what has been added up as one integer to the rest.
    fn spill(&mut self) {
        let usual = std::mem::take(&mut self.usual);
        let at = (-PLACES - LEAST).unsigned_abs() as usize;
        self.wide().add(at, usual.unsigned_abs(), usual < 0);
    }

    fn wide(&mut self) -> &mut Wide {
        self.wide.get_or_insert_with(|| Box::new(Wide { limbs: [0; LIMBS], additions: 0 }))
    }

    /// The sum, rounded once to the nearest number, halves to the even one.
    pub(super) fn value(&self) -> f64 {
        if let Some(beyond) = self.beyond {
            return beyond;
        }
        if self.wide.is_none() {
            return self.usual as f64 * 2_f64.powi(-PLACES);
        }
        let mut sum = self.clone();
        sum.spill();
        sum.wide.map_or(0.0, |wide| wide.value())
    }
}

/// Digits as a whole number, and what that is to be multiplied with as a power of two.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let (digits, exponent) =
        (bits & ((1 << (DIGITS - 1)) - 1), (bits >> (DIGITS - 1) & 0x7ff) as i32);
    match exponent {
        0 => (digits, LEAST),
        _ => (digits | 1 << (DIGITS - 1), exponent - 1 + LEAST),
    }
}

impl Wide {
    /// Adds a whole number from a bit on.
    fn add(&mut self, bit: usize, value: u128, is_negative: bool) {
        let (first, up) = (bit / LIMB, bit % LIMB);
        for at in 0..4 {
            let limb = (value >> (at * LIMB)) as u32;
            let shifted = u64::from(limb) << up;
            let (low, high) = (i64::from(shifted as u32), (shifted >> LIMB) as i64);
            let sign = if is_negative { -1 } else { 1 };
            self.limbs[first + at] += sign * low;
            self.limbs[first + at + 1] += sign * high;
        }
        self.additions += 1;
        if self.additions == MOST {
            self.carry();
            self.additions = 0;
        }
    }

    /// Leaves no more in a limb than it has bits; the sign is that of the last one.
    fn carry(&mut self) {
        let mut over = 0;
        for (at, limb) in self.limbs.iter_mut().enumerate() {
            *limb += over;
            if at + 1 < LIMBS {
                over = *limb >> LIMB;
                *limb -= over << LIMB;
            }
        }
    }

    fn value(mut self) -> f64 {
        self.carry();
        let is_negative = self.limbs[LIMBS - 1] < 0;
        if is_negative {
            self.limbs.iter_mut().for_each(|limb| *limb = -*limb);
            self.carry();
        }
        let size = self.nearest();
        if is_negative { -size } else { size }
    }

    /// The nearest number to what the limbs are, none of which is negative.
    fn nearest(&self) -> f64 {
        let Some(top) = self.limbs.iter().rposition(|limb| *limb != 0) else { return 0.0 };
        let highest = top * LIMB + self.limbs[top].ilog2() as usize;
        let lowest = (highest + 1).saturating_sub(DIGITS as usize);
        let digits = (lowest..=highest).rev().fold(0_u64, |all, bit| all << 1 | self.bit(bit));
        if lowest == 0 {
            // The digits of the least numbers, and of the next ones, are their bits.
            return f64::from_bits(digits);
        }
        let is_half = self.bit(lowest - 1) == 1;
        let is_more = (0..lowest - 1).any(|bit| self.bit(bit) == 1);
        let up = u64::from(is_half && (is_more || digits & 1 == 1));
        let exponent = lowest as u64;
        if exponent >= 0x7fe {
            return f64::INFINITY;
        }
        // The first digit adds one to the exponent, and one more if it has been carried to.
        f64::from_bits((exponent << (DIGITS - 1)) + digits + up)
    }

    fn bit(&self, bit: usize) -> u64 {
        (self.limbs[bit / LIMB] >> (bit % LIMB) & 1).cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum_of(values: impl IntoIterator<Item = f64>) -> f64 {
        let mut sum = Sum::default();
        values.into_iter().for_each(|value| sum.add(value));
        sum.value()
    }

    #[test]
    fn nothing_is_lost_to_rounding() {
        assert_eq!(sum_of([1e18, 1.0, -1e18]).to_bits(), 1_f64.to_bits());
        assert_eq!(sum_of([0.1; 10]).to_bits(), 1_f64.to_bits());
        assert_eq!(sum_of([1e300, 1e-300, -1e300]).to_bits(), 1e-300_f64.to_bits());
        assert_eq!(sum_of([f64::MAX, f64::MAX, -f64::MAX]).to_bits(), f64::MAX.to_bits());
        assert_eq!(sum_of([f64::from_bits(1); 3]).to_bits(), 3);
        let mut sum = Sum::default();
        sum.add_whole(i128::from(i64::MAX));
        sum.add(0.25);
        sum.add_whole(-i128::from(i64::MAX));
        assert_eq!(sum.value().to_bits(), 0.25_f64.to_bits());
        sum.add_whole(i128::MAX);
        assert_eq!(sum.value().to_bits(), (i128::MAX as f64).to_bits());
    }

    #[test]
    fn halves_go_to_the_even_number() {
        let one = 1.0 + f64::EPSILON;
        for (values, expected) in [
            (vec![1.0, f64::EPSILON / 2.0], 1.0),
            (vec![one, f64::EPSILON / 2.0], one + f64::EPSILON),
            (vec![1.0, f64::EPSILON / 2.0, 1e-300], one),
            (vec![1e-100, 1e-300 - 1e-300, -1e-100], 0.0),
        ] {
            let found = sum_of(values.iter().copied());
            assert_eq!(found.to_bits(), f64::to_bits(expected), "{values:?}");
            let found = sum_of(values.iter().chain(&[1e200, -1e200]).copied());
            assert_eq!(found.to_bits(), f64::to_bits(expected), "{values:?}");
        }
    }

    #[test]
    fn what_is_beyond_the_numbers_stays_so() {
        assert!(sum_of([f64::MAX, f64::MAX]).is_infinite());
        assert!(sum_of([f64::INFINITY, 1.0, -1e300]).is_infinite());
        assert!(sum_of([f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    proptest! {
        #[test]
        fn the_order_of_numbers_does_not_matter(
            mut values in prop::collection::vec(any::<f64>(), 0..60),
            small in prop::collection::vec(-1.0..1.0_f64, 0..60),
        ) {
            values.retain(|value| value.is_finite());
            values.extend(small);
            let expected = sum_of(values.iter().copied());
            values.reverse();
            prop_assert_eq!(sum_of(values.iter().copied()).to_bits(), expected.to_bits());
            values.sort_by(f64::total_cmp);
            prop_assert_eq!(sum_of(values.iter().copied()).to_bits(), expected.to_bits());
        }

        #[test]
        fn two_numbers_add_up_as_the_processor_adds_them(one: f64, other: f64) {
            prop_assume!(one.is_finite() && other.is_finite());
            // There is one zero only.
            let (found, expected) = (sum_of([one, other]), one + other + 0.0);
            prop_assert_eq!(found.to_bits(), expected.to_bits(), "{} is not {}", found, expected);
        }

        #[test]
        fn a_number_many_times_is_as_often_that_number(value: f64, times in 0..70_u32) {
            prop_assume!(value.is_finite());
            let mut sum = Sum::default();
            sum.add_times(value, times);
            let expected = sum_of((0..times).map(|_| value));
            prop_assert_eq!(sum.value().to_bits(), expected.to_bits());
        }

        #[test]
        fn few_places_are_enough_for_usual_numbers(
            values in prop::collection::vec(-1_000_000..1_000_000_i64, 0..60),
        ) {
            // Multiples of a power of two add up as whole numbers do.
            let found = sum_of(values.iter().map(|value| *value as f64 / 1_024.0));
            let expected = values.iter().sum::<i64>() as f64 / 1_024.0;
            prop_assert_eq!(found.to_bits(), expected.to_bits(), "{} is not {}", found, expected);
        }
    }
}
