//! Streams with the verdict that each shipped profile gives them: what the rules mean, by example. The
//! expectations were worked out apart from the code.

use odata::json::Node;

use crate::classify::classify;
use crate::figures::Figures;
use crate::outcome::Outcome;
use crate::profile::Profiles;

/// A line for each stream: label of its media (empty for null), the stream in JSON, and for each profile of
/// the head the verdict with its reasons, `~` before what is worth a look and `!` before what can't be.
const TABLE: &str = include_str!("vectors.tsv");

/// A stream and what a profile should say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vector {
    /// The stream, from 1.
    pub number: usize,
    /// Label of its media.
    pub label: Option<&'static str>,
    /// A mediaStream in JSON.
    pub stream: &'static str,
    /// Name of the profile.
    pub profile: &'static str,
    /// The verdict with its reasons.
    pub expected: &'static str,
}

/// All streams by all profiles.
pub fn all() -> impl Iterator<Item = Vector> {
    let mut lines = TABLE.lines();
    let profiles: Vec<&str> = lines.next().unwrap_or_default().split('\t').skip(2).collect();
    lines.enumerate().flat_map(move |(place, line)| {
        let mut fields = line.split('\t');
        let mut field = || fields.next().unwrap_or_default();
        let (label, stream) = (field(), field());
        let label = (!label.is_empty()).then_some(label);
        let vector = |(profile, expected): (&&'static str, &'static str)| Vector {
            number: place + 1,
            label,
            stream,
            profile,
            expected,
        };
        profiles.iter().zip(fields).map(vector).collect::<Vec<_>>()
    })
}

impl Vector {
    /// What the profile of that name says of the stream, in the form of [`Vector::expected`]; none if there
    /// is no such profile.
    pub fn verdict(&self, profiles: &Profiles) -> Option<String> {
        let stream = Node::parse(self.stream).unwrap_or(Node::Null);
        let profile = profiles.get(self.profile)?;
        Some(words(&classify(profile, self.label, &Figures::of_json(&stream))))
    }
}

fn words(outcome: &Outcome<'_>) -> String {
    let mut words = vec![outcome.verdict.name().to_owned()];
    words.extend(outcome.reasons.iter().map(|reason| reason.name().to_owned()));
    words.extend(outcome.watch.iter().map(|finding| format!("~{}", finding.reason)));
    words.extend(outcome.implausible.iter().map(|metric| format!("!{}", metric.name())));
    words.join(" ")
}
