//! Decimal numbers of any length, as whole numbers are compared with them.

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
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if !digits().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let zeros = digits().take_while(|digit| *digit == b'0').count();
        // Digits that count, and how many of them stand before the point.
        let digits = || digits().skip(zeros);
        let before = (whole.len() as i64).checked_sub(zeros as i64)?.checked_add(exponent)?;
        let is_zero = digits().next().is_none();
        if before > 19 && !is_zero {
            return None;
        }
        let before = if is_zero { 0 } else { usize::try_from(before).unwrap_or(0) };
        let padded = digits().chain(std::iter::repeat(b'0')).take(before);
        let size = padded.fold(0_i128, |size, digit| size * 10 + i128::from(digit - b'0'));
        let is_between = digits().skip(before).any(|digit| digit != b'0');
        let floor = if is_negative { -size - i128::from(is_between) } else { size };
        Some(Self { near, floor: i64::try_from(floor).ok()?, is_between })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
