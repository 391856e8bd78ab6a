//! Text taken apart into the words that searches compare.
//!
//! Words are runs of letters and digits in one form (compatibility composition, lower case). Three
//! kinds of values are also known as wholes: addresses are one word (`10.0.0.7`, `aabbccddeeff`);
//! telephone numbers have one more word without their punctuation; a GUID, with or without hyphens,
//! is its first group, its middle (`2966-4b6b-925b`), which is nothing to look for by itself and not
//! in the index, and its last group.
//!
//! A word with Latin letters beyond the English ones is also found by its plain form, as those write it
//! who lack the keys: `Özdemir` by `ozdemir`, `Größe` by `grosse`. Whoever writes a diacritic means it.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use odata::primitive::parse_guid;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Fewest and most digits of a telephone number that is known as a whole (E.164 has at most 15).
const TELEPHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// The length of the longest IP address, in bytes.
const LONGEST_ADDRESS: usize = 45;

/// Lengths of a GUID with hyphens, without, and of its first group.
const GUID: usize = 36;
const BARE_GUID: usize = 32;
const FIRST_GROUP: usize = 8;

/// What there is to find in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// In the order of the text.
    pub(super) sequence: Vec<Word>,
    /// The text as one word, where that says more.
    pub(super) whole: Option<String>,
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Its plain form, where that is another one.
    pub(super) plain: Option<String>,
}

impl Word {
    /// Whether one of its forms is as asked for.
    pub(super) fn is(&self, test: impl Fn(&str) -> bool) -> bool {
        test(&self.text) || self.plain.as_deref().is_some_and(test)
    }
}

impl Words {
    pub(super) fn of(text: &str) -> Self {
        let mut words = Self::default();
        let whole = each(text, |word| {
            words.sequence.push(Word { text: word.to_owned(), plain: plain(word) });
        });
        words.whole = whole;
        words
    }
}

/// Calls `found` with the words of a text in order, and gives the text as one word, where that says
/// more.
pub(super) fn each(text: &str, mut found: impl FnMut(&str)) -> Option<String> {
    let text = text.trim();
    if let Some(address) = address(text) {
        found(&address);
        return None;
    }
    each_run(text, found);
    telephone(text)
}

/// A word without diacritics on Latin letters, and without letters that are no English ones but have a
/// usual spelling in these; none if it is so already. Other scripts keep their marks, which often tell
/// letters apart there.
pub(super) fn plain(word: &str) -> Option<String> {
    if word.is_ascii() {
        return None;
    }
    let mut is_latin = false;
    let mut plain = String::with_capacity(word.len());
    for letter in word.nfd() {
        if matches!(letter, '\u{300}'..='\u{36f}') && is_latin {
            continue;
        }
        let spelling = spelling(letter);
        is_latin = spelling.is_some() || letter.is_ascii_alphabetic();
        match spelling {
            Some(spelling) => plain.push_str(spelling),
            None => plain.push(letter),
        }
    }
    let plain: String = plain.nfc().collect();
    (plain != word).then_some(plain)
}

/// How a letter is spelt that has no decomposition.
fn spelling(letter: char) -> Option<&'static str> {
    Some(match letter {
        '\u{e6}' => "ae",
        '\u{f0}' | '\u{111}' => "d",
        '\u{127}' => "h",
        '\u{131}' => "i",
        '\u{142}' => "l",
        '\u{14b}' => "n",
        '\u{f8}' => "o",
        '\u{153}' => "oe",
        '\u{df}' => "ss",
        '\u{167}' => "t",
        '\u{fe}' => "th",
        _ => return None,
    })
}

/// The words of a text, whatever it is as a whole.
pub(super) fn sequence(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each_run(text, |word| words.push(word.to_owned()));
    words
}

/// Calls `found` with each word, in the form in which texts are compared.
fn each_run(text: &str, mut found: impl FnMut(&str)) {
    if text.is_ascii() {
        let has_capitals = text.bytes().any(|byte| byte.is_ascii_uppercase());
        let text =
            if has_capitals { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) };
        each_word(&text, |letter| letter.is_ascii_alphanumeric(), &mut found);
    } else {
        let text: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
        let is_of_word = |letter: char| letter.is_alphanumeric() || is_combining_mark(letter);
        each_word(&text, is_of_word, &mut found);
    }
}

fn each_word(text: &str, is_of_word: impl Fn(char) -> bool, found: &mut impl FnMut(&str)) {
    let mut rest = text;
    while let Some(start) = rest.find(&is_of_word) {
        rest = &rest[start..];
        let end = rest.find(|letter| !is_of_word(letter)).unwrap_or(rest.len());
        let guid = if end == FIRST_GROUP { guid_at(rest, &is_of_word) } else { None };
        if let Some(guid) = guid {
            push_guid([&guid[..8], &guid[9..23], &guid[24..]], found);
            rest = &rest[GUID..];
            continue;
        }
        let word = &rest[..end];
        rest = &rest[end..];
        if end == BARE_GUID && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let middle = [&word[8..12], &word[12..16], &word[16..20]].join("-");
            push_guid([&word[..8], &middle, &word[20..]], found);
        } else {
            found(word);
        }
    }
}

fn push_guid(parts: [&str; 3], found: &mut impl FnMut(&str)) {
    for part in parts {
        found(part);
    }
}

/// The GUID at the start of a text, if no word goes on behind it.
fn guid_at(text: &str, is_of_word: impl Fn(char) -> bool) -> Option<&str> {
    let guid = text.get(..GUID)?;
    parse_guid(guid)?;
    let goes_on = text[GUID..].starts_with(is_of_word);
    (!goes_on).then_some(guid)
}

/// Whether a word is the middle of a GUID, which the index does not have.
pub(super) fn is_middle(word: &str) -> bool {
    word.contains('-')
}

/// An IP address as it is usually written, or a hardware address without punctuation.
fn address(text: &str) -> Option<String> {
    let is_address =
        text.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'-'));
    if !is_address || text.len() > LONGEST_ADDRESS {
        return None;
    }
    let parsed = if text.contains('-') { None } else { text.parse::<IpAddr>().ok() };
    parsed.map(|address| address.to_string()).or_else(|| hardware_address(text))
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
    // Most texts end here.
    if !text.starts_with(['+', '(', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        return None;
    }
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
        let Words { sequence, whole } = Words::of(text);
        sequence.into_iter().map(|word| word.text).chain(whole).collect()
    }

    #[test]
    fn latin_letters_have_a_plain_form_and_others_keep_their_marks() {
        let cases = [
            ("\u{f6}zdemir", Some("ozdemir")),
            ("zo\u{eb}", Some("zoe")),
            ("gr\u{f6}\u{df}e", Some("grosse")),
            ("\u{142}\u{f3}d\u{17a}", Some("lodz")),
            ("s\u{f8}ren", Some("soren")),
            ("\u{111}or\u{111}e", Some("dorde")),
            ("\u{e6}ther", Some("aether")),
            ("i\u{307}stanbul", Some("istanbul")),
            ("\u{1ebf}q\u{301}", Some("eq")),
            ("ozdemir", None),
            ("\u{439}", None),
            ("\u{3ac}", None),
            ("\u{304c}", None),
            ("\u{d55c}", None),
        ];
        for (word, expected) in cases {
            assert_eq!(plain(word).as_deref(), expected, "{word}");
        }
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
    fn a_guid_is_its_ends_and_its_middle_with_and_without_hyphens() {
        let parts = ["e523d2ed", "2966-4b6b-925b", "754a88034cc5"];
        assert_eq!(words("E523D2ED-2966-4b6b-925b-754a88034cc5"), parts);
        assert_eq!(words("e523d2ed29664b6b925b754a88034cc5"), parts);
        let inside = words("8:orgid:e523d2ed-2966-4b6b-925b-754a88034cc5_x");
        assert_eq!(inside, [&["8", "orgid"], &parts[..], &["x"]].concat());
        let longer = words("e523d2ed-2966-4b6b-925b-754a88034cc5x");
        assert_eq!(longer, ["e523d2ed", "2966", "4b6b", "925b", "754a88034cc5x"]);
        assert_eq!(words("größe e523d2ed-2966-4b6b-925b-754a88034cc5")[1..], parts);
    }
}
