//! A search as the words that it asks for.

use odata::bound::Search;
use odata::edm::StructuredType;
use odata::json::Node;

use super::collect::{LONGEST_WORD, shortened, visit};
use super::words::{Words, address_starts, is_middle, sequence};

/// A search, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Term);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// A value has one of these.
    Value(Vec<Sequence>),
    Not(Box<Term>),
    And(Box<Term>, Box<Term>),
    Or(Box<Term>, Box<Term>),
}

/// Words one behind the other in one value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sequence {
    words: Vec<String>,
    /// The last one is what a word begins with.
    is_prefix: bool,
}

/// What an index over the words of whole records can say of a search. No record that matches is
/// left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidates {
    /// All records.
    All,
    /// None.
    Nothing,
    /// Those with the word.
    Word(String),
    /// Those with a word that begins so.
    Prefix(String),
    /// Those with all of them; at least two, neither [`Self::All`] nor [`Self::Nothing`].
    And(Vec<Self>),
    /// Those with one of them; at least two, neither [`Self::All`] nor [`Self::Nothing`].
    Or(Vec<Self>),
    /// Those of the first that are not of the second; neither is [`Self::All`] or
    /// [`Self::Nothing`].
    Except(Box<Self>, Box<Self>),
}

impl Query {
    /// Takes a search apart into words.
    pub fn new(search: &Search) -> Self {
        Self(Term::of(search))
    }

    /// Whether an item of type `ty` has what is searched for, in itself or in anything inside.
    pub fn matches(&self, item: &Node<'_>, ty: &'static StructuredType) -> bool {
        let mut values = Vec::new();
        let members = item.as_object().unwrap_or_default();
        visit(members, ty, &mut |text| values.push(Words::of(text)));
        self.0.holds(&values)
    }

    /// What the index can say, and whether that is all: whether each candidate matches.
    pub fn candidates(&self) -> (Candidates, bool) {
        self.0.candidates()
    }
}

impl Term {
    fn of(search: &Search) -> Self {
        let both = |a: &Search, b: &Search| (Box::new(Self::of(a)), Box::new(Self::of(b)));
        match search {
            Search::Word(text) => match text.strip_suffix('*') {
                Some(start) => Self::starting(start),
                None => Self::phrase(text),
            },
            Search::Phrase(text) => Self::phrase(text),
            Search::Not(inner) => Self::Not(Box::new(Self::of(inner))),
            Search::And(a, b) => {
                let (a, b) = both(a, b);
                Self::And(a, b)
            }
            Search::Or(a, b) => {
                let (a, b) = both(a, b);
                Self::Or(a, b)
            }
        }
    }

    fn phrase(text: &str) -> Self {
        let Words { sequence, whole } = Words::of(text);
        let sequence = sequence.into_iter().map(|word| word.text).collect();
        let ways = std::iter::once(sequence).chain(whole.map(|whole| vec![whole]));
        Self::Value(
            ways.filter(|words| !words.is_empty())
                .map(|words| Sequence { words, is_prefix: false })
                .collect(),
        )
    }

    fn starting(text: &str) -> Self {
        let starts = address_starts(text).into_iter().map(|start| vec![start]);
        Self::Value(
            std::iter::once(sequence(text))
                .chain(starts)
                .filter(|words| !words.is_empty())
                .map(|words| Sequence { words, is_prefix: true })
                .collect(),
        )
    }

    fn holds(&self, values: &[Words]) -> bool {
        match self {
            Self::Value(ways) => values.iter().any(|value| ways.iter().any(|way| way.is_in(value))),
            Self::Not(inner) => !inner.holds(values),
            Self::And(a, b) => a.holds(values) && b.holds(values),
            Self::Or(a, b) => a.holds(values) || b.holds(values),
        }
    }

    fn candidates(&self) -> (Candidates, bool) {
        match self {
            Self::Value(ways) => {
                let parts = ways.iter().map(Sequence::candidates);
                parts.fold((Candidates::Nothing, true), |(all, exact), (part, is_exact)| {
                    (all.or(part), exact && is_exact)
                })
            }
            Self::Not(inner) => Candidates::All.except(inner.candidates()),
            Self::And(a, b) => match (&**a, &**b) {
                (Self::Not(not), with) | (with, Self::Not(not)) => {
                    let (with, is_exact) = with.candidates();
                    let (left, is_exact_without) = with.except(not.candidates());
                    (left, is_exact && is_exact_without)
                }
                (a, b) => {
                    let ((a, exact_a), (b, exact_b)) = (a.candidates(), b.candidates());
                    (a.and(b), exact_a && exact_b)
                }
            },
            Self::Or(a, b) => {
                let ((a, exact_a), (b, exact_b)) = (a.candidates(), b.candidates());
                (a.or(b), exact_a && exact_b)
            }
        }
    }
}

impl Sequence {
    fn is_in(&self, value: &Words) -> bool {
        let Some((last, before)) = self.words.split_last() else { return false };
        let ends = |word: &str| {
            if self.is_prefix { word.starts_with(last) && !is_middle(word) } else { word == last }
        };
        if before.is_empty() && value.whole.as_deref().is_some_and(ends) {
            return true;
        }
        value.sequence.windows(self.words.len()).any(|run| {
            let mut begins = run.iter().zip(before);
            begins.all(|(word, asked)| word.is(|text| text == asked)) && run[before.len()].is(ends)
        })
    }

    fn candidates(&self) -> (Candidates, bool) {
        let mut all = Candidates::All;
        for (index, word) in self.words.iter().enumerate() {
            if is_middle(word) {
                continue;
            }
            let is_last = index + 1 == self.words.len();
            let short = shortened(word).to_owned();
            let part = if is_last && self.is_prefix {
                Candidates::Prefix(short)
            } else {
                Candidates::Word(short)
            };
            all = all.and(part);
        }
        // The index has no order of words, and long words only in part.
        let is_exact = self.words.len() == 1 && self.words[0].len() < LONGEST_WORD;
        (all, is_exact)
    }
}

impl Candidates {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::All, other) | (other, Self::All) => other,
            (Self::And(mut all), other) => {
                all.push(other);
                Self::And(all)
            }
            (a, b) => Self::And(vec![a, b]),
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Or(mut all), other) => {
                all.push(other);
                Self::Or(all)
            }
            (a, b) => Self::Or(vec![a, b]),
        }
    }

    /// Leaves out what another search finds, as far as the index knows that for sure.
    fn except(self, (without, is_exact): (Self, bool)) -> (Self, bool) {
        match (self, without) {
            (all, Self::Nothing) => (all, true),
            (_, Self::All) if is_exact => (Self::Nothing, true),
            (Self::Nothing, _) => (Self::Nothing, true),
            (Self::All, _) => (Self::All, false),
            (all, without) if is_exact => (Self::Except(Box::new(all), Box::new(without)), true),
            (all, _) => (all, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated;

    fn word(text: &str) -> Search {
        Search::Word(text.to_owned())
    }

    fn phrase(text: &str) -> Search {
        Search::Phrase(text.to_owned())
    }

    fn not(search: Search) -> Search {
        Search::Not(Box::new(search))
    }

    fn and(a: Search, b: Search) -> Search {
        Search::And(Box::new(a), Box::new(b))
    }

    const RECORD: &str = r#"{"id":"E523D2ED-2966-4b6b-925b-754a88034cc5","joinWebUrl":"https://hidden",
        "organizer":{"user":{"id":"a","displayName":"Abbie Wilkins","userPrincipalName":"abbie@contoso.com"}},
        "sessions":[{"id":"s","caller":{
            "@odata.type":"\u0023microsoft.graph.callRecords.participantEndpoint","name":"LAPTOP-7",
            "identity":{"phone":{"id":"+1 (555) 010-0182"}},
            "userAgent":{"@odata.type":"microsoft.graph.callRecords.clientUserAgent",
                "headerValue":"CallSignalingAgent (27/1.3)","platform":"macOS"}},
          "segments":[{"id":"g","media":[{"callerNetwork":{"subnet":"10.0.0.0","macAddress":"AA-BB-CC-DD-EE-FF",
            "traceRouteHops":[{"ipAddress":"192.0.2.9"}]},
            "callerDevice":{"captureDeviceName":"Mikrofon (Jabra Größe 75)"}}]}]}]}"#;

    fn is_found(search: &Search) -> bool {
        let record = Node::parse(RECORD).unwrap();
        Query::new(search).matches(&record, &generated::CALL_RECORD)
    }

    #[test]
    fn names_ids_numbers_devices_and_networks_are_found() {
        for text in [
            "abbie",
            "WILKINS",
            "abb*",
            "contoso",
            "15550100182",
            "0182",
            "155501*",
            "754a88034cc5",
            "e523d2ed29664b6b925b754a88034cc5",
            "e523*",
            "laptop",
            "10.0.0.0",
            "10.0.*",
            "aabbccddeeff",
            "AA:BB:CC:DD:EE:FF",
            "aa:bb:*",
            "jabra",
            "GRÖßE",
            "grosse",
            "gro*",
            "macos",
            "callsignalingagent",
        ] {
            assert!(is_found(&word(text)), "{text}");
        }
        for text in [
            "hidden",
            "grösse",
            "jäbra",
            "192.0.2.9",
            "10.0.0.00",
            "abbiew",
            "010*x",
            "-",
            "user",
            "925b",
            "2966*",
            "e523d2ed-29*",
        ] {
            assert!(!is_found(&word(text)), "{text}");
        }
    }

    #[test]
    fn a_phrase_stands_in_one_value() {
        assert!(is_found(&phrase("abbie wilkins")));
        assert!(is_found(&phrase("Jabra Grosse 75")));
        assert!(!is_found(&phrase("Jäbra Grosse 75")));
        assert!(is_found(&phrase("E523D2ED-2966-4b6b-925b-754a88034cc5")));
        assert!(is_found(&phrase("+1 555 010 0182")));
        assert!(!is_found(&phrase("wilkins abbie")));
        assert!(!is_found(&phrase("wilkins laptop")));
        assert!(!is_found(&phrase("")));
    }

    #[test]
    fn operators_look_at_the_whole_item() {
        assert!(is_found(&and(word("wilkins"), word("laptop"))));
        assert!(!is_found(&and(word("wilkins"), not(word("laptop")))));
        assert!(is_found(&not(word("nobody"))));
        assert!(is_found(&Search::Or(Box::new(word("nobody")), Box::new(word("jabra")))));
    }

    #[test]
    fn candidates_leave_out_nothing_that_matches() {
        let word_of = |text: &str| Candidates::Word(text.to_owned());
        let of = |search: &Search| Query::new(search).candidates();
        assert_eq!(of(&word("Abbie")), (word_of("abbie"), true));
        assert_eq!(of(&word("abb*")), (Candidates::Prefix("abb".into()), true));
        let both = Candidates::And(vec![word_of("abbie"), word_of("wilkins")]);
        assert_eq!(of(&phrase("abbie wilkins")), (both.clone(), false));
        assert_eq!(of(&and(word("abbie"), word("wilkins"))), (both, true));
        assert_eq!(of(&not(word("abbie"))), (Candidates::All, false));
        let except = Candidates::Except(Box::new(word_of("a")), Box::new(word_of("b")));
        assert_eq!(of(&and(word("a"), not(word("b")))), (except, true));
        assert_eq!(of(&and(word("a"), not(phrase("b c")))), (word_of("a"), false));
        assert_eq!(of(&word("-")), (Candidates::Nothing, true));
        assert_eq!(of(&not(word("-"))), (Candidates::All, true));
        let long = "x".repeat(100);
        assert_eq!(of(&word(&long)), (word_of(&"x".repeat(64)), false));
        assert_eq!(of(&word(&"x".repeat(64))), (word_of(&"x".repeat(64)), false));
    }

    #[test]
    fn the_words_of_a_record_are_those_that_candidates_ask_for() {
        let record = Node::parse(RECORD).unwrap();
        let mut collector = super::super::Collector::default();
        collector.add(record.as_object().unwrap(), &generated::CALL_RECORD);
        let document = collector.finish();
        let words: Vec<&str> = document.split(' ').collect();
        for expected in ["abbie", "15550100182", "0182", "10.0.0.0", "aabbccddeeff", "macos"] {
            assert_eq!(words.iter().filter(|word| **word == expected).count(), 1, "{expected}");
        }
        assert!(!words.contains(&"hidden") && !words.contains(&"2966"));
    }
}
