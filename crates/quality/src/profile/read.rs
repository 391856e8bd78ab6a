//! Reads profiles from TOML and checks them against the schema.

use std::ops::Range;

use odata::primitive::Duration;
use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Comparison, Condition, Gate, GateFails, Mode, Needs, Profile, Rule};
use crate::figures::Figure;
use crate::medium::Medium;
use crate::metric::{Metric, Scale};

/// Why a file of profiles can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {key}: {message}")]
pub struct ProfileError {
    /// The line, from 1.
    pub line: usize,
    /// The key that is wrong, as in `profile.rule.poor.metric`.
    pub key: String,
    /// What was expected, and what was found.
    pub message: String,
}

/// Most reasons of a rule: a set of them fits 32 bits.
const MOST_REASONS: usize = 32;
/// Longest name of a profile or of a reason, in bytes.
const LONGEST_NAME: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profile: Vec<RawProfile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    name: Spanned<String>,
    version: Spanned<u32>,
    title: String,
    source: Option<String>,
    #[serde(default)]
    rule: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    medium: Spanned<String>,
    mode: Spanned<String>,
    gate: Option<Spanned<RawGate>>,
    needs: Option<Spanned<String>>,
    poor: Spanned<Vec<Spanned<RawCondition>>>,
    #[serde(default)]
    watch: Vec<Spanned<RawCondition>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGate {
    metric: Spanned<String>,
    above: Option<Spanned<Value>>,
    below: Option<Spanned<Value>>,
    at_least: Option<Spanned<Value>>,
    at_most: Option<Spanned<Value>>,
    fails: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCondition {
    reason: Spanned<String>,
    metric: Spanned<String>,
    above: Option<Spanned<Value>>,
    below: Option<Spanned<Value>>,
    at_least: Option<Spanned<Value>>,
    at_most: Option<Spanned<Value>>,
}

/// The thresholds that an entry may have, in the order of [`Comparison::ALL`].
type Thresholds<'a> = [&'a Option<Spanned<Value>>; 4];

/// Reads a file. `known` are the names that it may not give again.
pub(super) fn profiles(text: &str, known: &[String]) -> Result<Vec<Profile>, ProfileError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        ProfileError { line, key: "profile".to_owned(), message: error.message().to_owned() }
    })?;
    let reader = Reader { text };
    let mut profiles: Vec<Profile> = Vec::with_capacity(file.profile.len());
    for raw in &file.profile {
        let profile = reader.profile(raw)?;
        let is_taken = known.contains(&profile.name)
            || profiles.iter().any(|other| other.name == profile.name);
        if is_taken {
            let message =
                format!("there is a profile {:?} already; give another name", profile.name);
            return reader.error(&raw.name.span(), "profile.name", message);
        }
        profiles.push(profile);
    }
    Ok(profiles)
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn error<T>(
        &self,
        span: &Range<usize>,
        key: &str,
        message: impl Into<String>,
    ) -> Result<T, ProfileError> {
        let line = line_of(self.text, span.start);
        Err(ProfileError { line, key: key.to_owned(), message: message.into() })
    }

    fn profile(&self, raw: &RawProfile) -> Result<Profile, ProfileError> {
        self.name(&raw.name, "profile.name")?;
        if *raw.version.get_ref() == 0 {
            return self.error(&raw.version.span(), "profile.version", "versions begin at 1");
        }
        if raw.rule.is_empty() {
            return self.error(&raw.name.span(), "profile.rule", "a profile needs a rule");
        }
        let mut rules: Vec<Rule> = Vec::with_capacity(raw.rule.len());
        for raw in &raw.rule {
            let rule = self.rule(raw)?;
            if rules.iter().any(|other| other.medium == rule.medium) {
                let message = format!("there is a rule for {} already", rule.medium.name());
                return self.error(&raw.medium.span(), "profile.rule.medium", message);
            }
            rules.push(rule);
        }
        Ok(Profile {
            name: raw.name.get_ref().clone(),
            version: *raw.version.get_ref(),
            title: raw.title.clone(),
            source: raw.source.clone(),
            rules,
        })
    }

    fn rule(&self, raw: &RawRule) -> Result<Rule, ProfileError> {
        let media = Medium::ALL.map(|medium| (medium.name(), medium));
        let medium = self.one_of(&raw.medium, "profile.rule.medium", &media)?;
        let modes = [("any", Mode::Any), ("first", Mode::First)];
        let mode = self.one_of(&raw.mode, "profile.rule.mode", &modes)?;
        let needs = [("any", Needs::Any), ("all", Needs::All)];
        let needs = match &raw.needs {
            None => Needs::Any,
            Some(name) => self.one_of(name, "profile.rule.needs", &needs)?,
        };
        if let (Mode::First, Needs::All, Some(name)) = (mode, needs, &raw.needs) {
            let message = "\"all\" contradicts the mode \"first\", in which one value decides";
            return self.error(&name.span(), "profile.rule.needs", message);
        }
        let gate = raw.gate.as_ref().map(|gate| self.gate(gate.get_ref(), &gate.span()));
        let poor = self.conditions(raw.poor.get_ref(), "profile.rule.poor")?;
        if !(1..=MOST_REASONS).contains(&poor.len()) {
            let message = format!("expected 1 to {MOST_REASONS} conditions, found {}", poor.len());
            return self.error(&raw.poor.span(), "profile.rule.poor", message);
        }
        let watch = self.conditions(&raw.watch, "profile.rule.watch")?;
        Ok(Rule { medium, mode, gate: gate.transpose()?, needs, poor, watch })
    }

    fn gate(&self, raw: &RawGate, span: &Range<usize>) -> Result<Gate, ProfileError> {
        let key = "profile.rule.gate";
        let metric = self.metric(&raw.metric, &format!("{key}.metric"))?;
        let thresholds = [&raw.above, &raw.below, &raw.at_least, &raw.at_most];
        let (comparison, threshold) = self.threshold(metric, thresholds, span, key)?;
        let fails = [("unclassified", GateFails::Unclassified), ("good", GateFails::Good)];
        let fails = self.one_of(&raw.fails, &format!("{key}.fails"), &fails)?;
        Ok(Gate { metric, comparison, threshold, fails })
    }

    fn conditions(
        &self,
        raw: &[Spanned<RawCondition>],
        key: &str,
    ) -> Result<Vec<Condition>, ProfileError> {
        let mut conditions: Vec<Condition> = Vec::with_capacity(raw.len());
        for raw in raw {
            let (span, raw) = (raw.span(), raw.get_ref());
            self.name(&raw.reason, &format!("{key}.reason"))?;
            let reason = raw.reason.get_ref().clone();
            if conditions.iter().any(|other| other.reason == reason) {
                let message = format!("the reason {reason:?} stands here twice");
                return self.error(&raw.reason.span(), &format!("{key}.reason"), message);
            }
            let metric = self.metric(&raw.metric, &format!("{key}.metric"))?;
            let thresholds = [&raw.above, &raw.below, &raw.at_least, &raw.at_most];
            let (comparison, threshold) = self.threshold(metric, thresholds, &span, key)?;
            conditions.push(Condition { reason, metric, comparison, threshold });
        }
        Ok(conditions)
    }

    fn metric(&self, name: &Spanned<String>, key: &str) -> Result<Metric, ProfileError> {
        let span = name.span();
        Metric::of_name(name.get_ref()).map_or_else(
            || {
                let known: Vec<_> = Metric::all().map(Metric::name).collect();
                let meant = odata::nearest(name.get_ref(), known);
                let meant = meant.map_or_else(String::new, |it| format!(": did you mean {it:?}?"));
                let name = name.get_ref();
                let message = format!("mediaStream has no number or duration {name:?}{meant}");
                self.error(&span, key, message)
            },
            Ok,
        )
    }

    /// The one comparison of an entry with its threshold, which has the metric's scale and unit.
    fn threshold(
        &self,
        metric: Metric,
        thresholds: Thresholds<'_>,
        span: &Range<usize>,
        key: &str,
    ) -> Result<(Comparison, Figure), ProfileError> {
        let given = Comparison::ALL.into_iter().zip(thresholds);
        let mut given = given.filter_map(|(comparison, value)| Some((comparison, value.as_ref()?)));
        let (Some((comparison, value)), None) = (given.next(), given.next()) else {
            let message = "expected exactly one of above, below, at_least, at_most";
            return self.error(span, key, message);
        };
        let key = format!("{key}.{}", comparison.key());
        let name = metric.name();
        let figure = match (metric.scale(), value.get_ref()) {
            (Scale::Duration, Value::String(text)) => {
                Duration::parse(text).map(|it| Figure::Int(it.0))
            }
            (Scale::Integer, Value::Integer(number)) => Some(Figure::Int(*number)),
            (Scale::Real, Value::Float(number)) => Some(Figure::Real(*number)),
            #[expect(
                clippy::cast_precision_loss,
                reason = "bounded by the metric's greatest value"
            )]
            (Scale::Real, Value::Integer(number)) => Some(Figure::Real(*number as f64)),
            _ => None,
        };
        let Some(figure) = figure else {
            let expected = match metric.scale() {
                Scale::Duration => "a duration such as \"PT0.5S\"",
                Scale::Integer => "a whole number",
                Scale::Real => "a number",
            };
            let message =
                format!("{name} is compared with {expected}, not with {}", value.get_ref());
            return self.error(&value.span(), &key, message);
        };
        let number = figure.number(metric.scale());
        let greatest = metric.greatest().unwrap_or(f64::MAX);
        if !(0.0..=greatest).contains(&number) {
            let unit = metric.unit().map_or(String::new(), |unit| format!(" ({unit})"));
            let message = match metric.greatest() {
                Some(most) => format!("{name}{unit} is between 0 and {most}, not {number}"),
                None => format!("{name}{unit} is never less than 0, so not {number}"),
            };
            return self.error(&value.span(), &key, message);
        }
        Ok((comparison, figure))
    }

    /// Names stand in addresses and in expressions, so they are plain.
    fn name(&self, name: &Spanned<String>, key: &str) -> Result<(), ProfileError> {
        let text = name.get_ref();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let begins = text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
        if begins && text.len() <= LONGEST_NAME && text.bytes().all(is_plain) {
            return Ok(());
        }
        let message = format!(
            "expected a letter and then letters, digits, '-', '_' or '.', at most {LONGEST_NAME} in all, found \
             {text:?}"
        );
        self.error(&name.span(), key, message)
    }

    fn one_of<T: Copy>(
        &self,
        name: &Spanned<String>,
        key: &str,
        known: &[(&str, T)],
    ) -> Result<T, ProfileError> {
        if let Some((_, found)) = known.iter().find(|(other, _)| other == name.get_ref()) {
            return Ok(*found);
        }
        let names: Vec<String> = known.iter().map(|(name, _)| format!("{name:?}")).collect();
        let message = format!("expected {}, found {:?}", names.join(" or "), name.get_ref());
        self.error(&name.span(), key, message)
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[[profile]]
name = "ours"
version = 3
title = "Ours"

[[profile.rule]]
medium = "audio"
mode = "any"
gate = { metric = "packetUtilization", above = 500, fails = "good" }
poor = [
  { reason = "jitter", metric = "averageJitter", at_least = "PT0.02S" },
  { reason = "loss", metric = "averagePacketLossRate", above = 0.05 },
]
"#;

    #[test]
    fn a_profile_is_read_with_its_conditions_in_order() {
        let profile = &profiles(GOOD, &[]).unwrap()[0];
        assert_eq!(profile.id(), "ours/3");
        let rule = profile.rule(Medium::Audio).unwrap();
        let reasons: Vec<&str> = rule.poor.iter().map(|it| it.reason.as_str()).collect();
        assert_eq!(reasons, ["jitter", "loss"]);
        assert_eq!(rule.poor[0].threshold, Figure::Int(200_000));
        assert_eq!(rule.needs, Needs::Any);
        assert_eq!(rule.gate.as_ref().unwrap().fails, GateFails::Good);
    }

    /// Each breaks one thing of the good file: text, replacement, the error.
    const BROKEN: [(&str, &str, &str); 18] = [
        ("[[profile]]", "[[profile]", "line 2: profile: "),
        ("title = \"Ours\"", "titel = \"Ours\"", "line 5: profile: unknown field `titel`"),
        ("version = 3", "version = \"3\"", "line 4: profile: invalid type"),
        ("version = 3", "version = 0", "line 4: profile.version: versions begin at 1"),
        ("\"ours\"", "\"o urs\"", "line 3: profile.name: expected a letter"),
        (
            "\"ours\"",
            "\"cqd-2021\"",
            "line 3: profile.name: there is a profile \"cqd-2021\" already",
        ),
        ("\"audio\"", "\"sound\"", "line 8: profile.rule.medium: expected \"audio\" or"),
        ("\"any\"", "\"some\"", "line 9: profile.rule.mode: expected \"any\" or \"first\""),
        ("\"good\" }", "\"poor\" }", "line 10: profile.rule.gate.fails: expected \"unclassified\""),
        ("packetUtilization\", above", "packets\", above", "line 10: profile.rule.gate.metric: "),
        (
            "above = 500,",
            "above = 500, below = 9,",
            "line 10: profile.rule.gate: expected exactly one",
        ),
        ("above = 500,", "", "line 10: profile.rule.gate: expected exactly one"),
        (
            "\"PT0.02S\"",
            "20",
            "line 12: profile.rule.poor.at_least: averageJitter is compared with a",
        ),
        ("\"PT0.02S\"", "\"20ms\"", "line 12: profile.rule.poor.at_least: averageJitter"),
        (
            "0.05",
            "5",
            "line 13: profile.rule.poor.above: averagePacketLossRate (fraction) is between",
        ),
        ("0.05", "nan", "line 13: profile.rule.poor.above: averagePacketLossRate (fraction)"),
        ("above = 500", "above = 500.5", "line 10: profile.rule.gate.above: packetUtilization is"),
        (
            "\"loss\"",
            "\"jitter\"",
            "line 13: profile.rule.poor.reason: the reason \"jitter\" stands",
        ),
    ];

    #[test]
    fn a_broken_file_is_refused_with_line_and_key() {
        for (from, to, expected) in BROKEN {
            assert!(GOOD.contains(from), "{from}");
            let error =
                profiles(&GOOD.replacen(from, to, 1), &["cqd-2021".to_owned()]).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}\nexpected {expected}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let twice = format!("{GOOD}{GOOD}");
        assert!(
            profiles(&twice, &[]).unwrap_err().to_string().starts_with("line 17: profile.name")
        );
        let rule = &GOOD[GOOD.find("[[profile.rule]]").unwrap()..];
        let error = profiles(&format!("{GOOD}{rule}"), &[]).unwrap_err();
        assert!(error.to_string().contains("there is a rule for audio already"), "{error}");
        let all = GOOD.replace("\"any\"", "\"first\"\nneeds = \"all\"");
        assert!(profiles(&all, &[]).unwrap_err().to_string().contains("contradicts"));
        let none = "[[profile]]\nname = \"a\"\nversion = 1\ntitle = \"\"\n";
        assert!(profiles(none, &[]).unwrap_err().to_string().contains("a profile needs a rule"));
    }
}
