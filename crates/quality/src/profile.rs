//! Profiles: named sets of rules, one rule for each medium.

mod read;
mod shipped;
mod write;

pub use read::ProfileError;

use std::sync::LazyLock;

use crate::figures::Figure;
use crate::medium::Medium;
use crate::metric::Metric;

/// The name of the profile whose verdicts are given where none is named.
pub const DEFAULT: &str = "cqd-2021";

/// The profile whose verdicts the store keeps.
pub fn standard() -> &'static Profile {
    static STANDARD: LazyLock<Profile> = LazyLock::new(|| shipped::profiles().swap_remove(0));
    &STANDARD
}

/// A set of rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Stable; stands in addresses.
    pub name: String,
    /// Raised with each change.
    pub version: u32,
    /// For people.
    pub title: String,
    /// Where the rules come from, an address.
    pub source: Option<String>,
    /// At most one for each medium.
    pub rules: Vec<Rule>,
}

/// How streams of a medium are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Which streams.
    pub medium: Medium,
    /// How many of the conditions decide.
    pub mode: Mode,
    /// What must hold before a stream is judged.
    pub gate: Option<Gate>,
    /// Which metrics must have a value.
    pub needs: Needs,
    /// What makes a stream poor, in the order of its reasons.
    pub poor: Vec<Condition>,
    /// What is worth a look and in no percentage.
    pub watch: Vec<Condition>,
}

/// How many conditions decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Poor when any holds.
    Any,
    /// The first whose metric has a value decides, both ways.
    First,
}

/// Which metrics must have a value, or the stream is unclassified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// One of them.
    Any,
    /// Each of them.
    All,
}

/// A condition that a stream must meet before its figures count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// Of which figure.
    pub metric: Metric,
    /// How it compares.
    pub comparison: Comparison,
    /// With what.
    pub threshold: Figure,
    /// The verdict of a stream that does not meet it.
    pub fails: GateFails,
}

/// The verdict of a stream that does not meet the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateFails {
    /// Too little is known.
    Unclassified,
    /// Nothing happened that could be poor.
    Good,
}

/// A figure that is on the wrong side of a threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The name of the reason.
    pub reason: String,
    /// Of which figure.
    pub metric: Metric,
    /// How it compares.
    pub comparison: Comparison,
    /// With what.
    pub threshold: Figure,
}

/// How a figure compares with a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Greater.
    Above,
    /// Less.
    Below,
    /// Greater or equal.
    AtLeast,
    /// Less or equal.
    AtMost,
}

impl Comparison {
    /// All, in the order of documentation.
    pub const ALL: [Self; 4] = [Self::Above, Self::Below, Self::AtLeast, Self::AtMost];

    /// The key in a profile.
    pub fn key(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::Below => "below",
            Self::AtLeast => "at_least",
            Self::AtMost => "at_most",
        }
    }

    /// OData's operator.
    pub fn operator(self) -> &'static str {
        match self {
            Self::Above => "gt",
            Self::Below => "lt",
            Self::AtLeast => "ge",
            Self::AtMost => "le",
        }
    }

    /// Whether a large value is the bad one.
    pub fn is_upward(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }

    /// Whether the comparison holds.
    pub fn holds(self, value: Figure, threshold: Figure) -> bool {
        value.compare(threshold).is_some_and(|order| match self {
            Self::Above => order.is_gt(),
            Self::Below => order.is_lt(),
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
        })
    }
}

impl Profile {
    /// The rule for a medium.
    pub fn rule(&self, medium: Medium) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.medium == medium)
    }

    /// Name and version as answers have them: `cqd-2021/1`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.name, self.version)
    }

    /// A digest of all that decides verdicts, the same whatever the layout of the file: two profiles of one
    /// name and version are the same profile exactly if their digests are.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = blake3::Hasher::new();
        let mut put = |text: &str| {
            hash.update(&text.len().to_le_bytes());
            hash.update(text.as_bytes());
        };
        put(&self.name);
        put(&self.version.to_string());
        for rule in &self.rules {
            put(rule.medium.name());
            put(&format!("{:?} {:?}", rule.mode, rule.needs));
            if let Some(gate) = &rule.gate {
                let Gate { metric, comparison, threshold, fails } = gate;
                let name = metric.name();
                put(&format!("gate {name} {} {threshold:?} {fails:?}", comparison.key()));
            }
            let poor = rule.poor.iter().map(|condition| ("poor", condition));
            for (list, it) in poor.chain(rule.watch.iter().map(|condition| ("watch", condition))) {
                let (metric, key) = (it.metric.name(), it.comparison.key());
                put(&format!("{list} {} {metric} {key} {:?}", it.reason, it.threshold));
            }
        }
        *hash.finalize().as_bytes()
    }
}

/// All profiles that a vault knows: those that come with it, and its owner's.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiles(Vec<Profile>);

impl Profiles {
    /// Those that come with the program.
    pub fn shipped() -> Self {
        Self(shipped::profiles())
    }

    /// Adds those of the owner's file. A shipped one can't be redefined.
    ///
    /// # Errors
    /// With line and key, for what is no TOML, is unknown, doesn't fit the schema or contradicts itself.
    pub fn with_file(mut self, text: &str) -> Result<Self, ProfileError> {
        let known: Vec<String> = self.0.iter().map(|profile| profile.name.clone()).collect();
        self.0.extend(read::profiles(text, &known)?);
        Ok(self)
    }

    /// The profiles of a file, whatever others there are.
    ///
    /// # Errors
    /// As [`Profiles::with_file`].
    pub fn of_file(text: &str) -> Result<Vec<Profile>, ProfileError> {
        read::profiles(text, &[])
    }

    /// Adds a profile, unless there is one of its name.
    pub fn add(&mut self, profile: Profile) {
        if self.get(&profile.name).is_none() {
            self.0.push(profile);
        }
    }

    /// The profile of that name.
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.0.iter().find(|profile| profile.name == name)
    }

    /// All by value, the shipped ones first.
    pub(crate) fn into_iter(self) -> impl Iterator<Item = Profile> {
        self.0.into_iter()
    }

    /// All, the shipped ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.0.iter()
    }
}
