//! `$search`: which words an item contains. What a word is, `model::search` says; what is done with
//! them is here.

use model::search::tokens;
use odata::bound::Search;
use odata::edm::Property;

use super::value::Value;

/// Whether the item contains what the search wants: each word in any of the texts that the schema marks
/// as searchable, of the item or of anything inside.
pub(super) fn found(search: &Search, item: &Value) -> bool {
    let mut texts = Vec::new();
    collect(item, None, &mut texts);
    let texts: Vec<_> = texts.iter().map(|text| tokens(text)).collect();
    holds(search, &texts)
}

fn holds(search: &Search, texts: &[(Vec<String>, Option<String>)]) -> bool {
    match search {
        Search::Not(part) => !holds(part, texts),
        Search::And(a, b) => holds(a, texts) && holds(b, texts),
        Search::Or(a, b) => holds(a, texts) || holds(b, texts),
        Search::Phrase(phrase) => stands(phrase, false, texts),
        Search::Word(word) => match word.strip_suffix('*') {
            Some(start) => stands(start, true, texts),
            None => stands(word, false, texts),
        },
    }
}

/// Letters with what is written for them by those who lack the keys.
const PLAIN: [(&str, &str); 23] = [
    ("a", "àáâãäåāăą"),
    ("c", "çćĉċč"),
    ("d", "ďđð"),
    ("e", "èéêëēĕėęě"),
    ("g", "ĝğġģ"),
    ("h", "ĥħ"),
    ("i", "ìíîïĩīĭįı"),
    ("j", "ĵ"),
    ("k", "ķ"),
    ("l", "ĺļľł"),
    ("n", "ñńņňŋ"),
    ("o", "òóôõöøōŏő"),
    ("r", "ŕŗř"),
    ("s", "śŝşš"),
    ("t", "ţťŧ"),
    ("u", "ùúûüũūŭůűų"),
    ("w", "ŵ"),
    ("y", "ýÿŷ"),
    ("z", "źżž"),
    ("ae", "æ"),
    ("oe", "œ"),
    ("ss", "ß"),
    ("th", "þ"),
];

/// A word as it is written without diacritics.
pub(crate) fn plain(word: &str) -> String {
    let mut plain = String::new();
    for letter in word.chars() {
        let is_mark = ('\u{300}'..'\u{370}').contains(&letter);
        match PLAIN.iter().find(|(_, letters)| letters.contains(letter)) {
            Some((spelling, _)) => plain.push_str(spelling),
            None if is_mark && plain.ends_with(|last: char| last.is_ascii_alphabetic()) => {}
            None => plain.push(letter),
        }
    }
    plain
}

/// Whether the words stand one behind the other in one of the texts, or their whole is one of its
/// words; of a prefix the last word may go on.
fn stands(phrase: &str, is_prefix: bool, texts: &[(Vec<String>, Option<String>)]) -> bool {
    let (sequence, whole) = tokens(phrase);
    let ways = [sequence, whole.into_iter().collect()];
    let is_word = |word: &str, asked: &str, is_last: bool| {
        // The middle of a GUID, a word with hyphens, is not looked for by its beginning.
        let may_go_on = is_prefix && is_last && !word.contains('-');
        let plain = plain(word);
        let forms = [word, plain.as_str()];
        if may_go_on {
            forms.iter().any(|form| form.starts_with(asked))
        } else {
            forms.contains(&asked) && !(is_prefix && is_last)
        }
    };
    ways.iter().filter(|asked| !asked.is_empty()).any(|asked| {
        let is_here = |run: &[String]| {
            let pairs = run.iter().zip(asked).enumerate();
            run.len() == asked.len()
                && pairs.into_iter().all(|(at, (word, asked_word))| {
                    is_word(word, asked_word, at + 1 == asked.len())
                })
        };
        texts.iter().any(|(sequence, whole)| {
            sequence.windows(asked.len()).any(is_here)
                || whole.as_ref().is_some_and(|whole| is_here(std::slice::from_ref(whole)))
        })
    })
}

/// The searchable texts of a value, which a property has, and of what is inside. The member of an
/// enumeration that stands for not known is nothing to find.
fn collect(value: &Value, of: Option<&Property>, texts: &mut Vec<String>) {
    match value {
        Value::Text(text) | Value::Member(_, text) => {
            let is_searched = |property: &Property| {
                property.is_searchable && property.default.is_none_or(|default| **text != *default)
            };
            if of.is_some_and(is_searched) {
                texts.push(text.to_string());
            }
        }
        Value::List(items) => items.iter().for_each(|item| collect(item, of, texts)),
        Value::Object(object) => {
            for (name, value) in &object.members {
                if let Some(property) = object.ty.and_then(|ty| ty.member(name)) {
                    collect(value, Some(property), texts);
                }
            }
        }
        _ => {}
    }
}
