//! Text taken apart into the words that searches compare.
//!
//! Words are runs of letters and digits in one form (compatibility composition, lower case). Three
//! kinds of values are also known as wholes: addresses are one word (`10.0.0.7`, `aabbccddeeff`);
//! telephone numbers have one more word without their punctuation; 32 hexadecimal digits on end are
//! the five groups of a GUID.

use std::net::{IpAddr, Ipv6Addr};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Fewest and most digits of a telephone number that is known as a whole (E.164 has at most 15).
const TELEPHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// The lengths of the groups of a GUID.
const GUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// What there is to find in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// In the order of the text.
    pub(super) sequence: Vec<String>,
    /// The text as one word, where that says more.
    pub(super) whole: Option<String>,
}

impl Words {
    pub(super) fn of(text: &str) -> Self {
        let text = text.trim();
        if let Some(address) = address(text) {
            return Self { sequence: vec![address], whole: None };
        }
        Self { sequence: sequence(text), whole: telephone(text) }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.sequence.iter().chain(&self.whole).map(String::as_str)
    }
}

/// The words of a text, whatever it is as a whole.
pub(super) fn sequence(text: &str) -> Vec<String> {
    let text = fold(text);
    let words = text.split(|letter: char| !letter.is_alphanumeric() && !is_combining_mark(letter));
    let mut out = Vec::new();
    for word in words.filter(|word| !word.is_empty()) {
        push_word(&mut out, word);
    }
    out
}

fn push_word(out: &mut Vec<String>, word: &str) {
    if word.len() != 32 || !word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        out.push(word.to_owned());
        return;
    }
    let mut rest = word;
    for length in GUID_GROUPS {
        let (group, behind) = rest.split_at(length);
        out.push(group.to_owned());
        rest = behind;
    }
}

/// The form in which texts are compared.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// An IP address as it is usually written, or a hardware address without punctuation.
fn address(text: &str) -> Option<String> {
    if !text.contains(['.', ':', '-']) || text.len() > 45 {
        return None;
    }
    match text.parse::<IpAddr>() {
        Ok(address) => Some(address.to_string()),
        Err(_) => hardware_address(text),
    }
}

/// Six pairs of hexadecimal digits with `-` or `:` between.
fn hardware_address(text: &str) -> Option<String> {
    let is_address = text.len() == 17
        && text.bytes().enumerate().all(|(at, byte)| match at % 3 {
            2 => byte == b'-' || byte == b':',
            _ => byte.is_ascii_hexdigit(),
        });
    is_address.then(|| without_punctuation(text))
}

/// The digits of a telephone number that is written with punctuation between them.
fn telephone(text: &str) -> Option<String> {
    let is_number = text.bytes().all(|byte| {
        byte.is_ascii_digit() || matches!(byte, b'+' | b' ' | b'-' | b'(' | b')' | b'.' | b'/')
    });
    let inner = text.trim_matches(|letter: char| !letter.is_ascii_digit());
    if !is_number || inner.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = without_punctuation(inner);
    TELEPHONE_DIGITS.contains(&digits.len()).then_some(digits)
}

fn without_punctuation(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// What addresses may begin with that are looked for by their beginning: `10.0.`, `2001:db8:`,
/// `aa-bb-`.
pub(super) fn address_starts(text: &str) -> Vec<String> {
    let text = text.trim();
    let all = |allowed: fn(&u8) -> bool| text.bytes().all(|byte| allowed(&byte));
    let mut starts = Vec::new();
    if text.contains('.') && all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        starts.push(text.to_owned());
    }
    if text.contains(':') && all(|byte| byte.is_ascii_hexdigit() || *byte == b':') {
        starts.push(text.to_ascii_lowercase());
    }
    let is_hardware = text.contains(['-', ':'])
        && text.bytes().enumerate().all(|(at, byte)| match at % 3 {
            2 => byte == b'-' || byte == b':',
            _ => byte.is_ascii_hexdigit(),
        });
    if is_hardware {
        starts.push(without_punctuation(text));
    }
    // An address with its zeros spelt out is compared in its usual form.
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        starts.push(address.to_string());
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        Words::of(text).all().map(str::to_owned).collect()
    }

    #[test]
    fn words_are_letters_and_digits_in_one_form() {
        assert_eq!(
            words("Abbie O'Neil-\u{212B}str\u{f6}m"),
            ["abbie", "o", "neil", "\u{e5}str\u{f6}m"]
        );
        assert_eq!(words("\u{ff21}\u{fb01}"), ["afi"]);
        assert_eq!(words("a\u{301}b"), ["\u{e1}b"]);
        assert_eq!(words("q\u{301}b"), ["q\u{301}b"]);
        assert_eq!(words(" - "), [""; 0]);
    }

    #[test]
    fn telephone_numbers_have_their_digits_as_one_more_word() {
        assert_eq!(words("+1 (555) 010-0182"), ["1", "555", "010", "0182", "15550100182"]);
        assert_eq!(words("+15550100182"), ["15550100182"]);
        assert_eq!(words("12-4"), ["12", "4"]);
    }

    #[test]
    fn addresses_are_one_word() {
        assert_eq!(words("10.0.0.7"), ["10.0.0.7"]);
        assert_eq!(words("2001:DB8:0:0::1"), ["2001:db8::1"]);
        assert_eq!(words("AA-BB-cc-dd-ee-0F"), ["aabbccddee0f"]);
        assert_eq!(words("10.0.0"), ["10", "0", "0"]);
    }

    #[test]
    fn a_guid_is_its_groups_with_and_without_hyphens() {
        let groups = ["e523d2ed", "2966", "4b6b", "925b", "754a88034cc5"];
        assert_eq!(words("E523D2ED-2966-4b6b-925b-754a88034cc5"), groups);
        assert_eq!(words("e523d2ed29664b6b925b754a88034cc5"), groups);
    }
}
