//! Decimal numbers of any length: their place among whole numbers, and their order.

use std::cmp::Ordering;

/// A number as written: where it stands among whole numbers, and the `f64` nearest to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decimal {
    /// The nearest number that an `f64` holds.
    pub near: f64,
    /// The number rounded down.
    pub floor: i64,
    /// Whether it lies between that whole number and the next.
    pub is_between: bool,
}

impl Decimal {
    /// Reads `[-]digits[.digits][e[-]digits]`; `None` for anything else, and for what rounded down is
    /// no `i64`.
    pub fn parse(text: &str) -> Option<Self> {
        let near: f64 = text.parse().ok()?;
        let Digits { is_negative, before, digits } = Digits::parse(text)?;
        let is_zero = digits.is_empty();
        if before > 19 && !is_zero {
            return None;
        }
        let before = if is_zero { 0 } else { usize::try_from(before).unwrap_or(0) };
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(before);
        let size = padded.fold(0_i128, |size, digit| size * 10 + i128::from(digit - b'0'));
        let is_between = digits.iter().skip(before).any(|digit| *digit != b'0');
        let floor = if is_negative { -size - i128::from(is_between) } else { size };
        Some(Self { near, floor: i64::try_from(floor).ok()?, is_between })
    }
}

/// The digits of a number as written.
struct Digits {
    is_negative: bool,
    /// How many of the digits stand before the point; below zero there are zeros between the two.
    before: i64,
    /// Those that count: the first is no zero, and of zero there are none.
    digits: Vec<u8>,
}

impl Digits {
    fn parse(text: &str) -> Option<Self> {
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || whole.bytes().chain(fraction.bytes());
        if all().next().is_none() || !all().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let zeros = all().take_while(|digit| *digit == b'0').count();
        let before = (whole.len() as i64).checked_sub(zeros as i64)?.checked_add(exponent)?;
        Some(Self { is_negative, before, digits: all().skip(zeros).collect() })
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// The order of the distances from zero of two numbers that both have one.
    fn size(&self, other: &Self) -> Ordering {
        let length = self.digits.len().max(other.digits.len());
        let padded = |digits: &Self| {
            let digits = digits.digits.clone();
            digits.into_iter().chain(std::iter::repeat(b'0')).take(length)
        };
        self.before.cmp(&other.before).then_with(|| padded(self).cmp(padded(other)))
    }
}

/// The order of two numbers as written, `[-]digits[.digits][e[-]digits]`, however many digits they have;
/// `None` if one is anything else.
pub fn order(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (Digits::parse(left)?, Digits::parse(right)?);
    Some(left.sign().cmp(&right.sign()).then_with(|| match left.sign() {
        0 => Ordering::Equal,
        -1 => right.size(&left),
        _ => left.size(&right),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_all_of_their_digits() {
        let increasing = [
            "-1e400",
            "-12345678901234567890123.5",
            "-3.00000000000000000002",
            "-3.00000000000000000001",
            "-3",
            "-1e-400",
            "0.00",
            "1e-400",
            "0.00000000000000000001",
            "0.1",
            "1.0",
            "1.00000000000000000001",
            "3.00000000000000000001",
            "3.00000000000000000002",
            "9007199254740992.5",
            "9007199254740993",
            "12345678901234567890122.5",
            "12345678901234567890123",
            "1e399",
            "1e400",
        ];
        for (at, left) in increasing.iter().enumerate() {
            for (other, right) in increasing.iter().enumerate() {
                assert_eq!(order(left, right), Some(at.cmp(&other)), "{left} {right}");
            }
        }
        for (left, right) in [("1.0", "1"), ("-0.0", "0"), ("12.50e1", "125"), ("0.1e1", "+1")] {
            assert_eq!(order(left, right), Some(Ordering::Equal), "{left} {right}");
        }
        for text in ["INF", "NaN", "", ".", "1e", "x"] {
            assert_eq!(order(text, "1"), None, "{text}");
        }
    }

    #[test]
    fn a_decimal_knows_its_place_among_whole_numbers() {
        for (text, floor, is_between) in [
            ("3.0", 3, false),
            ("3.00000000000000000001", 3, true),
            ("-3.00000000000000000001", -4, true),
            ("2.99999999999999999999", 2, true),
            ("9007199254740993.0", 9_007_199_254_740_993, false),
            ("9223372036854775807.5", i64::MAX, true),
            ("-9223372036854775808.0", i64::MIN, false),
            ("0.00", 0, false),
            ("1e-400", 0, true),
            ("-1e-400", -1, true),
            ("12.5e1", 125, false),
            ("12.55e1", 125, true),
            ("0.0012e3", 1, true),
            ("3e0", 3, false),
        ] {
            let found = Decimal::parse(text).unwrap();
            assert_eq!((found.floor, found.is_between), (floor, is_between), "{text}");
        }
        for text in ["9223372036854775808.0", "-9223372036854775808.5", "1e400", "INF", "NaN", ""] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
