//! Regular expressions of `matchesPattern`, bounded in size; matching takes linear time.

use regex::{Regex, RegexBuilder};

/// Bytes that a compiled expression may take, and the cache of its matcher as much again.
const MOST_BYTES: usize = 1 << 18;
/// Nesting of groups and classes.
const MOST_NESTING: u32 = 64;
/// Bytes of an expression that isn't a literal, and so is compiled for each item.
const MOST_DYNAMIC: usize = 256;

/// What a byte costs when a pattern goes through it, in bytes that are only read.
pub(super) const COST_OF_A_BYTE: usize = 8;

/// Why a pattern can't be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// It is no regular expression, or one with look-around or references back.
    #[error("not a regular expression")]
    Malformed,
    /// Compiled it would take more than this many bytes.
    #[error("a regular expression that takes more than {0} bytes")]
    TooLarge(usize),
}

/// Tells what is wrong with the literal pattern of a `matchesPattern`.
pub fn check_pattern(pattern: &str) -> Result<(), BadPattern> {
    build(pattern, MOST_BYTES).map(drop).map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => BadPattern::TooLarge(limit),
        _ => BadPattern::Malformed,
    })
}

/// A pattern that is known beforehand; `None` when it can't match anything because it is wrong.
pub(super) fn constant(pattern: &str) -> Option<Regex> {
    build(pattern, MOST_BYTES).ok()
}

/// Whether text matches a pattern that only the item tells.
pub(super) fn matches(text: &str, pattern: &str) -> Option<bool> {
    if pattern.len() > MOST_DYNAMIC {
        return None;
    }
    build(pattern, MOST_BYTES / 4).ok().map(|pattern| pattern.is_match(text))
}

fn build(pattern: &str, bytes: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .size_limit(bytes)
        .dfa_size_limit(bytes)
        .nest_limit(MOST_NESTING)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_unanchored_and_know_unicode() {
        assert_eq!(matches("Zoë calls", "ë c"), Some(true));
        assert_eq!(matches("Zoë", r"^\w+$"), Some(true));
        assert_eq!(matches("ZOË", "(?i)zoë"), Some(true));
        assert_eq!(matches("Zoë", r"\p{Lu}$"), Some(false));
        assert_eq!(check_pattern(r"^\w+@\w+\.\w+$"), Ok(()));
    }

    #[test]
    fn wrong_and_oversized_patterns_are_refused() {
        let large = "((((a{100}){100}){100}){100})";
        assert_eq!(check_pattern(large), Err(BadPattern::TooLarge(MOST_BYTES)));
        for pattern in ["(", "[z-a]", "(?=x)", r"\1", large] {
            assert!(check_pattern(pattern).is_err(), "{pattern}");
            assert_eq!(matches("a", pattern), None, "{pattern}");
        }
        assert!(check_pattern(&"(".repeat(100)).is_err());
        assert!(check_pattern(&format!("{}a{}", "(".repeat(100), ")".repeat(100))).is_err());
        assert_eq!(matches("a", &"a".repeat(MOST_DYNAMIC + 1)), None);
    }
}
