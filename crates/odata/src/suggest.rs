//! The known name that a misspelt one was probably meant to be.

/// Longer names are not compared, so that the work stays small.
const LONGEST: usize = 64;

/// The candidate nearest to `name`, if it is near enough to be meant: equal but for case or a letter, the
/// same words of which some are shortened (`avgJitter` for `averageJitter`), or at most a third of its
/// letters (and never more than three) inserted, left out, replaced or swapped with a neighbour.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let by_letters = |most| within(most, name, candidates.iter().copied());
    by_letters(1)
        .or_else(|| candidates.iter().copied().find(|long| is_shortened(name, long)))
        .or_else(|| by_letters((name.chars().count() / 3).clamp(1, 3)))
}

/// Whether a name has the words of a longer one, at least one whole, and of the others letters in their order
/// from the first on, two at least.
fn is_shortened(name: &str, long: &str) -> bool {
    if name.len() > LONGEST || long.len() > LONGEST || name.len() >= long.len() {
        return false;
    }
    let (short, long) = (words(name), words(long));
    let is_part = |word: &str, whole: &str| {
        let mut rest = whole.chars();
        let is_in_order = word.chars().all(|letter| rest.any(|other| other == letter));
        word.len() >= 2 && is_in_order && whole.chars().next() == word.chars().next()
    };
    let mut pairs = short.iter().zip(&long);
    short.len() == long.len()
        && short.iter().any(|word| long.contains(word))
        && pairs.all(|(word, whole)| word == whole || is_part(word, whole))
}

/// The words of a name, in lower case: a capital or an underscore begins one.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        if letter.is_uppercase() || letter == '_' || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter != '_') {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

/// The candidate nearest to `name`, of those that differ by at most so many letters.
pub(crate) fn within<'c>(
    most: usize,
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let wanted = letters(name)?;
    candidates
        .into_iter()
        .filter_map(|candidate| {
            if candidate == name {
                // It is known, and something else is wrong.
                return None;
            }
            let known = letters(candidate)?;
            if known.len().abs_diff(wanted.len()) > most {
                return None;
            }
            let distance = distance(&wanted, &known);
            // With one letter of its own, everything is near.
            (distance <= most && distance < wanted.len()).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn letters(name: &str) -> Option<Vec<char>> {
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    Some(name.chars().flat_map(char::to_lowercase).collect())
}

/// Optimal string alignment: like Levenshtein's, a swap of neighbours counts one.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(from != to);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *to && b[j - 1] == *from {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_means_what_was_written() {
        assert_eq!(nearest("totalseconds", ["totalseconds"]), None);
        assert_eq!(nearest("totalSeconds", ["totalseconds"]), Some("totalseconds"));
    }

    #[test]
    fn shortened_words_are_understood() {
        let known = ["maxJitter", "averageJitter", "averageVideoPacketLossRate", "startDateTime"];
        for (written, meant) in [
            ("avgJitter", Some("averageJitter")),
            ("avg_jitter", Some("averageJitter")),
            ("avgVideoPktLossRate", Some("averageVideoPacketLossRate")),
            ("maxJiter", Some("maxJitter")),
            ("vgeJitter", Some("maxJitter")),
            ("avgJit", None),
            // One letter is no shortened word, but near enough by its letters.
            ("aJitter", Some("maxJitter")),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
    }

    #[test]
    fn slips_of_the_pen_are_understood() {
        let known = ["startDateTime", "endDateTime", "id", "type", "modalities"];
        for (written, meant) in [
            ("startDateTme", Some("startDateTime")),
            ("StartDateTime", Some("startDateTime")),
            ("tpye", Some("type")),
            ("modalties", Some("modalities")),
            ("ID", Some("id")),
            ("foo", None),
            ("x", None),
            ("", None),
            ("startDateTimeOfTheCall", None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
        assert_eq!(nearest(&"a".repeat(10_000), known), None);
    }
}
