//! Patterns of paths: `*` within a segment, `**` across segments, letters in either case.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A pattern. `*` stands for any characters but `/`, `**` for any characters; none is enough for
/// both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    One(char),
    Within,
    Across,
}

/// Where to go on when what follows a star does not match: the part behind the star, and how far
/// the star reached.
type Retry = Option<(usize, usize)>;

impl Glob {
    /// Reads a pattern; every text is one.
    pub(crate) fn new(text: &str) -> Self {
        let mut parts = Vec::with_capacity(text.len());
        for letter in text.chars() {
            match (letter, parts.last()) {
                ('*', Some(Part::Within | Part::Across)) => {
                    parts.pop();
                    parts.push(Part::Across);
                }
                ('*', _) => parts.push(Part::Within),
                _ => parts.push(Part::One(letter.to_ascii_lowercase())),
            }
        }
        Self { text: text.to_owned(), parts }
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the whole text is as the pattern says. Only the last star of each kind is ever tried
    /// again, so that no pattern takes longer than its length times that of the text: what a star
    /// in front could take, the later one of its kind can as well.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().map(|letter| letter.to_ascii_lowercase()).collect();
        let (mut part, mut at) = (0, 0);
        let (mut within, mut across): (Retry, Retry) = (None, None);
        loop {
            match self.parts.get(part) {
                Some(Part::Within) => {
                    part += 1;
                    within = Some((part, at));
                    continue;
                }
                Some(Part::Across) => {
                    part += 1;
                    across = Some((part, at));
                    within = None;
                    continue;
                }
                Some(Part::One(letter)) if text.get(at) == Some(letter) => {
                    (part, at) = (part + 1, at + 1);
                    continue;
                }
                None if at == text.len() => return true,
                _ => {}
            }
            if let Some((behind, reached)) = within
                && text.get(reached).is_some_and(|letter| *letter != '/')
            {
                within = Some((behind, reached + 1));
                (part, at) = (behind, reached + 1);
            } else if let Some((behind, reached)) = across
                && reached < text.len()
            {
                across = Some((behind, reached + 1));
                within = None;
                (part, at) = (behind, reached + 1);
            } else {
                return false;
            }
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Glob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_within_and_across_segments() {
        for (pattern, text, expected) in [
            ("/communications/callRecords/*", "/communications/callrecords/AB-1", true),
            ("/communications/callRecords/*", "/communications/callRecords/a/sessions", false),
            ("/communications/callRecords/**", "/communications/callRecords/a/sessions", true),
            ("/communications/callRecords/**", "/communications/callRecords", false),
            ("/communications/callRecords", "/communications/callRecords", true),
            ("/communications/*/a/sessions", "/communications/callRecords/A/sessions", true),
            ("/**/sessions", "/communications/callRecords/a/sessions", true),
            ("/**/sessions", "/communications/callRecords/a/sessions/b", false),
            ("**", "", true),
            ("*", "/", false),
            ("", "", true),
            ("", "/", false),
            ("/*getPstnCalls(*", "/communications/callRecords/getPstnCalls(from=1)", false),
            ("**getPstnCalls(*", "/communications/callRecords/getPstnCalls(from=1)", true),
            ("/a*b*c", "/axbxxbc", true),
            ("/a*b*c", "/axb/c", false),
            ("/**/b/*c", "/a/b/x/b/yc", true),
            ("/**/b/*c/**", "/a/b/x/b/yc/", true),
            ("/ä*", "/äö", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_end_in_time() {
        let pattern = Glob::new(&"*a".repeat(200));
        assert!(!pattern.matches(&"a".repeat(2_000).replace("aaaaaaaaaa", "aaaaaaaaab")));
        let pattern = Glob::new(&"**/a*".repeat(200));
        assert!(!pattern.matches(&"/b".repeat(2_000)));
    }

    #[test]
    fn the_quick_way_agrees_with_the_plain_one() {
        fn plain(parts: &[Part], text: &[char]) -> bool {
            match parts.split_first() {
                None => text.is_empty(),
                Some((Part::One(letter), rest)) => {
                    text.first() == Some(letter) && plain(rest, &text[1..])
                }
                Some((star, rest)) => (0..=text.len()).any(|end| {
                    (*star == Part::Across || !text[..end].contains(&'/'))
                        && plain(rest, &text[end..])
                }),
            }
        }
        let all = |letters: &[&str], most: u32| {
            let mut found = vec![String::new()];
            for length in 1..=most {
                for number in 0..letters.len().pow(length) {
                    let digits =
                        (0..length).map(|at| number / letters.len().pow(at) % letters.len());
                    found.push(digits.map(|digit| letters[digit]).collect());
                }
            }
            found
        };
        let texts = all(&["a", "/", "b"], 5);
        for pattern in all(&["a", "/", "*", "**"], 5) {
            let glob = Glob::new(&pattern);
            for text in &texts {
                let letters: Vec<char> = text.chars().collect();
                assert_eq!(glob.matches(text), plain(&glob.parts, &letters), "{pattern} {text}");
            }
        }
    }
}
