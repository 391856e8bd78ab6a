//! Random search expressions, of words that stand in the records.

use serde_json::Value as Json;

use super::place::Place;
use super::random::Random;

/// A search expression.
pub(super) fn search(place: &Place<'_>, random: &mut Random) -> String {
    let term = |random: &mut Random| {
        let text = place.value(super::place::Kind::Text, random);
        word(&text.map(|end| end.samples).unwrap_or_default(), random)
    };
    match random.below(8) {
        0 => format!("{} AND {}", term(random), term(random)),
        1 => format!("{} OR {}", term(random), term(random)),
        2 => format!("NOT {}", term(random)),
        3 => format!("({} OR {}) AND NOT {}", term(random), term(random), term(random)),
        4 => format!("{} {}", term(random), term(random)),
        _ => term(random),
    }
}

/// A word or phrase out of one of the samples.
pub(super) fn word(samples: &[&Json], random: &mut Random) -> String {
    let texts: Vec<_> = samples.iter().filter_map(|json| json.as_str()).collect();
    if texts.is_empty() {
        return (*random.pick(&["teams", "audio", "nothingatall"])).to_owned();
    }
    let text = *random.pick(&texts);
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return "teams".to_owned();
    }
    let word = *random.pick(&words);
    let is_plain = word.chars().all(char::is_alphabetic) && !matches!(word, "AND" | "OR" | "NOT");
    match random.below(8) {
        0 if words.len() > 1 => {
            let at = random.below(words.len() - 1);
            format!("\"{} {}\"", words[at], words[at + 1])
        }
        1 => format!("\"{}\"", text.replace(['\\', '"'], "")),
        2 if is_plain => {
            let length = 1 + random.below(word.chars().count());
            format!("{}*", word.chars().take(length).collect::<String>())
        }
        3 if is_plain => word.to_uppercase(),
        4 if is_plain => word.replace('ß', "ss").replace('é', "e"),
        _ if is_plain => word.to_owned(),
        _ => format!("\"{word}\""),
    }
}
