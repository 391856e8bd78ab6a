//! Reading rules, and telling where they are wrong.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use toml::Spanned;

use super::Rules;
use super::check::CheckedRule;

/// Why rules can't be used: the place, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct RulesError {
    /// A line, or a rule by list and number (from 1) with the member.
    pub place: String,
    /// What was expected, and what was found.
    pub message: String,
}

/// The three lists, with rules in the form that a reader can say the place of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Lists<R, N, V> {
    request: Vec<R>,
    notification: Vec<N>,
    validation: Vec<V>,
}

impl<R, N, V> Default for Lists<R, N, V> {
    fn default() -> Self {
        Self { request: Vec::new(), notification: Vec::new(), validation: Vec::new() }
    }
}

type Spans = Lists<
    Spanned<super::RequestRule>,
    Spanned<super::NotificationRule>,
    Spanned<super::ValidationRule>,
>;

impl Rules {
    /// Reads rules from TOML: `[[request]]`, `[[notification]]` and `[[validation]]`.
    ///
    /// # Errors
    /// With the line, for what is no TOML, is unknown or contradicts itself.
    pub fn from_toml(text: &str) -> Result<Self, RulesError> {
        let lists: Spans = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            RulesError {
                place: format!("line {}", line_of(text, start)),
                message: error.message().to_owned(),
            }
        })?;
        Ok(Self {
            requests: unspan(text, "request", lists.request)?,
            notifications: unspan(text, "notification", lists.notification)?,
            validations: unspan(text, "validation", lists.validation)?,
        })
    }

    /// Reads rules from JSON: an object with the lists `request`, `notification` and `validation`.
    ///
    /// # Errors
    /// With the rule and its member, or with the line for what is no JSON.
    pub fn from_json(text: &[u8]) -> Result<Self, RulesError> {
        // A list would be taken for the three lists without their names.
        if text.trim_ascii_start().first() == Some(&b'[') {
            let message = "expected an object with the lists request, notification, validation";
            return Err(RulesError { place: "line 1".to_owned(), message: message.to_owned() });
        }
        let lists: Lists<&RawValue, &RawValue, &RawValue> =
            serde_json::from_slice(text).map_err(|error| RulesError {
                place: format!("line {}, column {}", error.line(), error.column()),
                message: without_place(&error),
            })?;
        Ok(Self {
            requests: unwrap_all("request", &lists.request)?,
            notifications: unwrap_all("notification", &lists.notification)?,
            validations: unwrap_all("validation", &lists.validation)?,
        })
    }
}

impl Rules {
    /// Rules that were read as parts of something else.
    pub(crate) fn of(
        requests: Vec<super::RequestRule>,
        notifications: Vec<super::NotificationRule>,
        validations: Vec<super::ValidationRule>,
    ) -> Result<Self, RulesError> {
        check_all("request", &requests)?;
        check_all("notification", &notifications)?;
        check_all("validation", &validations)?;
        Ok(Self { requests, notifications, validations })
    }
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type Bare = Lists<super::RequestRule, super::NotificationRule, super::ValidationRule>;
        let lists = Bare::deserialize(deserializer)?;
        Self::of(lists.request, lists.notification, lists.validation).map_err(D::Error::custom)
    }
}

fn check_all<T: CheckedRule>(list: &str, rules: &[T]) -> Result<(), RulesError> {
    let mut checked = rules.iter().enumerate();
    checked.try_for_each(|(place, rule)| {
        rule.check().map_err(|(member, message)| RulesError {
            place: place_of(list, place, member),
            message,
        })
    })
}

fn unspan<T: CheckedRule>(
    text: &str,
    list: &str,
    rules: Vec<Spanned<T>>,
) -> Result<Vec<T>, RulesError> {
    let mut checked = Vec::with_capacity(rules.len());
    for (place, rule) in rules.into_iter().enumerate() {
        let start = rule.span().start;
        let rule = rule.into_inner();
        rule.check().map_err(|(member, message)| {
            let line = line_of(text, member_start(text, start, member));
            let place = format!("line {line}, {}", place_of(list, place, member));
            RulesError { place, message }
        })?;
        checked.push(rule);
    }
    Ok(checked)
}

fn unwrap_all<T>(list: &str, rules: &[&RawValue]) -> Result<Vec<T>, RulesError>
where
    T: CheckedRule + DeserializeOwned,
{
    let mut checked = Vec::with_capacity(rules.len());
    for (place, raw) in rules.iter().enumerate() {
        let rule: T = serde_json::from_str(raw.get()).map_err(|error| {
            let (member, message) =
                culprit::<T>(raw).unwrap_or_else(|| (String::new(), without_place(&error)));
            RulesError { place: place_of(list, place, &member), message }
        })?;
        rule.check().map_err(|(member, message)| RulesError {
            place: place_of(list, place, member),
            message,
        })?;
        checked.push(rule);
    }
    Ok(checked)
}

/// The member for which a rule can't be read: that which can't be read alone either. No member is
/// required, so one alone is a rule as far as types go.
fn culprit<T: DeserializeOwned>(raw: &RawValue) -> Option<(String, String)> {
    let members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(raw.get()).ok()?;
    members.into_iter().find_map(|(name, value)| {
        let alone = serde_json::Map::from_iter([(name.clone(), value)]);
        let error = serde_json::from_value::<T>(alone.into()).err()?;
        Some((name, error.to_string()))
    })
}

/// The message of an error, whose place is told otherwise.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or_else(|| text.clone(), |(message, _)| message.to_owned())
}

fn place_of(list: &str, place: usize, member: &str) -> String {
    let number = place + 1;
    if member.is_empty() {
        format!("{list} {number}")
    } else {
        format!("{list} {number}, {member}")
    }
}

/// Where a member of the rule at `start` begins, or where the rule does.
fn member_start(text: &str, start: usize, member: &str) -> usize {
    let mut at = start;
    for (number, line) in text.get(start..).unwrap_or_default().split_inclusive('\n').enumerate() {
        let trimmed = line.trim_start();
        if number > 0 && trimmed.starts_with('[') {
            break;
        }
        let rest = trimmed.strip_prefix(member).filter(|_| !member.is_empty());
        if rest.is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return at;
        }
        at += line.len();
    }
    start
}

/// The number of the line that a byte stands in, from 1.
fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}
