//! Numbers that look random and depend on what they are made of alone: SplitMix64.

/// The next number behind one.
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A number for a text, beginning with another number.
pub(crate) fn of_text(begin: u64, text: &str) -> u64 {
    let mut mixed = mix(begin ^ text.len() as u64);
    for chunk in text.as_bytes().chunks(8) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        mixed = mix(mixed ^ u64::from_le_bytes(bytes));
    }
    mixed
}

/// A number for some, beginning with another one.
pub(crate) fn of_numbers(begin: u64, numbers: &[u64]) -> u64 {
    numbers.iter().fold(begin, |mixed, number| mix(mixed ^ number))
}

/// From 0 up to, but not, 1.
pub(crate) fn fraction(number: u64) -> f64 {
    // A floating point number has 53 bits.
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_splitmix64() {
        // The first ones from the seed 0, as the reference implementation has them.
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(mix(0x9E37_79B9_7F4A_7C15), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn different_texts_have_different_numbers() {
        let texts = ["", "a", "b", "ab", "abcdefgh", "abcdefghi", "a\0"];
        for (place, one) in texts.iter().enumerate() {
            for other in &texts[..place] {
                assert_ne!(of_text(1, one), of_text(1, other));
            }
            assert_ne!(of_text(1, one), of_text(2, one));
        }
    }

    #[test]
    fn fractions_are_below_one() {
        assert!(fraction(u64::MAX) < 1.0);
        assert!(fraction(0) < f64::EPSILON);
    }
}
