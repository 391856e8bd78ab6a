//! Scenarios: stories that a server plays, step by step, written in TOML.

use std::time::Duration;

use odata::primitive;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Map, Value};

use crate::length::Length;
use crate::rules::{NotificationRule, RequestRule, Rules, ValidationRule};

/// A story to be played.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What it is called.
    pub title: String,
    /// What happens, and what a client has to do about it.
    pub story: String,
    /// Whether only what Graph itself answers is answered (`graph.strict`).
    pub is_strict: bool,
    /// How often may be asked (`limits.rate`).
    pub rate: Option<String>,
    /// Days that records are kept (`records.retention`).
    pub retention_days: Option<u32>,
    /// How old shown records may be (`graph.retention_view`).
    pub retention_view: Option<String>,
    /// Seed of the simulated calls.
    pub seed: u64,
    /// They start within so many hours before the story begins.
    pub hours: u32,
    /// The faults that it begins with.
    pub rules: Rules,
    /// What happens, one after the other.
    pub steps: Vec<Step>,
}

/// What happens at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Told when it begins.
    pub say: Option<String>,
    /// What to wait for first.
    pub until: Option<Until>,
    /// How long to wait after that.
    pub wait: Duration,
    /// How far the clock is moved on.
    pub clock: Option<primitive::Duration>,
    /// The faults from now on.
    pub faults: Option<Rules>,
    /// Records that come in.
    pub records: Vec<RecordOf>,
    /// Calls whose rows come into the telephone logs: the first, and the first behind the last.
    pub rows: Vec<(u64, u64)>,
}

/// Something to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Until {
    /// Somebody has subscribed.
    Subscribed,
    /// Nothing that is to be told waits to be delivered.
    Quiet,
}

/// A record that comes in.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordOf {
    /// Version 1 of simulated calls: from one to before another.
    Calls(u64, u64),
    /// A version of a simulated call, with members in place of its own.
    Call {
        /// Its number.
        call: u64,
        /// The version; one that the simulation doesn't have is made of its first.
        version: u64,
        /// Members of the record that it has otherwise.
        with: Map<String, Value>,
    },
    /// A record as it stands there.
    Json(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    story: String,
    #[serde(default)]
    strict: bool,
    rate: Option<String>,
    retention_days: Option<u32>,
    retention_view: Option<String>,
    #[serde(default)]
    calls: Frame,
    #[serde(default)]
    request: Vec<RequestRule>,
    #[serde(default)]
    notification: Vec<NotificationRule>,
    #[serde(default)]
    validation: Vec<ValidationRule>,
    #[serde(default)]
    step: Vec<WrittenStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Frame {
    seed: u64,
    hours: u32,
}

impl Default for Frame {
    fn default() -> Self {
        Self { seed: 1, hours: 24 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    say: Option<String>,
    until: Option<Until>,
    wait: Option<Length>,
    #[serde(default, deserialize_with = "duration")]
    clock: Option<primitive::Duration>,
    faults: Option<Rules>,
    #[serde(default)]
    records: Vec<WrittenRecord>,
    #[serde(default)]
    rows: Vec<WrittenRows>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRecord {
    call: Option<u64>,
    calls: Option<(u64, u64)>,
    json: Option<String>,
    version: Option<u64>,
    #[serde(default)]
    with: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRows {
    call: Option<u64>,
    calls: Option<(u64, u64)>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// With the line and what was expected there.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        let written: Written = toml::from_str(text)?;
        let rules = Rules::of(written.request, written.notification, written.validation)
            .map_err(toml::de::Error::custom)?;
        let steps = written.step.into_iter().enumerate().map(|(at, step)| {
            step.read()
                .map_err(|message| toml::de::Error::custom(format!("step {}: {message}", at + 1)))
        });
        Ok(Self {
            title: written.title,
            story: written.story,
            is_strict: written.strict,
            rate: written.rate,
            retention_days: written.retention_days,
            retention_view: written.retention_view,
            seed: written.calls.seed,
            hours: written.calls.hours.max(1),
            rules,
            steps: steps.collect::<Result<_, _>>()?,
        })
    }
}

impl WrittenStep {
    fn read(self) -> Result<Step, &'static str> {
        Ok(Step {
            say: self.say,
            until: self.until,
            wait: self.wait.map_or(Duration::ZERO, Length::time),
            clock: self.clock,
            faults: self.faults,
            records: self.records.into_iter().map(WrittenRecord::read).collect::<Result<_, _>>()?,
            rows: self.rows.into_iter().map(WrittenRows::read).collect::<Result<_, _>>()?,
        })
    }
}

impl WrittenRecord {
    fn read(self) -> Result<RecordOf, &'static str> {
        let has_form = self.version.is_some() || !self.with.is_empty();
        match (self.call, self.calls, self.json) {
            (Some(call), None, None) => {
                let version = self.version.unwrap_or(1).max(1);
                Ok(RecordOf::Call { call, version, with: self.with })
            }
            (None, Some((from, end)), None) if !has_form && from < end => {
                Ok(RecordOf::Calls(from, end))
            }
            (None, None, Some(json)) if !has_form => Ok(RecordOf::Json(json)),
            _ => {
                Err("a record is one of 'call' (with 'version' and 'with'), 'calls' (from one to \
                      before a higher one) and 'json'")
            }
        }
    }
}

impl WrittenRows {
    fn read(self) -> Result<(u64, u64), &'static str> {
        match (self.call, self.calls) {
            (Some(call), None) => Ok((call, call + 1)),
            (None, Some((from, end))) if from < end => Ok((from, end)),
            _ => {
                Err("rows are those of one 'call' or of 'calls' (from one to before a higher one)")
            }
        }
    }
}

fn duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<primitive::Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let duration = primitive::Duration::parse(&text).filter(|duration| duration.0 > 0);
    duration.map(Some).ok_or_else(|| D::Error::custom("expected a duration such as PT25H"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = r#"
        title = "A call"
        story = "It is told."
        [calls]
        seed = 7
        [[request]]
        status = 503
        first = 2
        [[step]]
        say = "A call ends."
        until = "subscribed"
        wait = "2s"
        records = [{ calls = [0, 5] }, { call = 3, version = 2, with = { type = "groupCall" } }]
        rows = [{ call = 3 }]
        [[step]]
        clock = "PT25H"
        faults = {}
    "#;

    #[test]
    fn a_scenario_is_read() {
        let scenario = Scenario::from_toml(STORY).unwrap();
        assert_eq!((scenario.seed, scenario.hours, scenario.steps.len()), (7, 24, 2));
        assert!(!scenario.rules.is_empty());
        let [first, second] = &scenario.steps[..] else { panic!("{:?}", scenario.steps) };
        assert_eq!((first.until, first.wait), (Some(Until::Subscribed), Duration::from_secs(2)));
        assert_eq!(first.rows, [(3, 4)]);
        assert!(
            matches!(&first.records[1], RecordOf::Call { call: 3, version: 2, with } if with["type"] == "groupCall")
        );
        assert_eq!(second.clock.map(|it| it.to_string()).as_deref(), Some("P1DT1H"));
        assert_eq!(second.faults, Some(Rules::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, words) in [
            ("say =", "sag =", "sag"),
            ("until = \"subscribed\"", "until = \"noon\"", "noon"),
            ("{ call = 3 }", "{}", "step 1: rows are"),
            ("\"PT25H\"", "\"25h\"", "PT25H"),
            ("\"PT25H\"", "\"-PT25H\"", "PT25H"),
            ("[0, 5]", "[5, 5]", "step 1: a record"),
            ("faults = {}", "faults = { request = [{ path = \"/x\" }] }", "request 1"),
            ("status = 503", "status = 5", "status"),
        ] {
            let text = STORY.replace(from, to);
            let error = Scenario::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(words), "{to}: {error}");
        }
    }
}
