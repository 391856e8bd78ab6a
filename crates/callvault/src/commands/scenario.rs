//! `demo --scenario`: plays a scenario on an empty store.

use std::fs;
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use emulator::{Emulator, RecordOf, Scenario, Step, Until};
use model::TenantId;
use model::fragment::Uncompressed;
use odata::json::{Member, Node, Text, write_node};
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use serde_json::{Map, Value};
use simulator::{Calls, Mix};
use store::{Store, clock};

use super::simulated::Target;

/// The built-in scenarios: names and texts.
const BUILT_IN: [(&str, &str); 9] = [
    ("large-meeting", include_str!("../../../../scenarios/large-meeting.toml")),
    ("pstn-late-rows", include_str!("../../../../scenarios/pstn-late-rows.toml")),
    ("failed-call", include_str!("../../../../scenarios/failed-call.toml")),
    ("poor-network-site", include_str!("../../../../scenarios/poor-network-site.toml")),
    ("versions", include_str!("../../../../scenarios/versions.toml")),
    ("expiring-subscription", include_str!("../../../../scenarios/expiring-subscription.toml")),
    ("throttled-collector", include_str!("../../../../scenarios/throttled-collector.toml")),
    ("outage-and-backfill", include_str!("../../../../scenarios/outage-and-backfill.toml")),
    (
        "unreliable-notifications",
        include_str!("../../../../scenarios/unreliable-notifications.toml"),
    ),
];

/// How long a step waits at most.
const STEP_TIMEOUT: Duration = Duration::from_mins(10);
/// Time between two checks of what a step waits for.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// An hour in ticks: between two versions that the simulator does not have.
const HOUR: i64 = 3600 * TICKS_PER_SECOND;

/// A built-in scenario, or one in a file.
pub(super) fn find(name: &str) -> Result<Scenario> {
    if let Some((_, text)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
        return read(text).with_context(|| format!("the scenario {name}"));
    }
    let text = match fs::read_to_string(name) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            bail!("'{name}' is neither a file nor one of the scenarios {}", names.join(", "))
        }
        Err(error) => return Err(error).with_context(|| format!("reading {name}")),
    };
    read(&text).with_context(|| name.to_owned())
}

/// Reads a scenario, and validates the records in it.
fn read(text: &str) -> Result<Scenario> {
    let scenario = Scenario::from_toml(text)?;
    for (number, step) in (1..).zip(&scenario.steps) {
        for record in &step.records {
            if let RecordOf::Json(text) = record {
                let checked = model::shred(text, &mut Uncompressed);
                let wrong = |error: model::Error| anyhow!("{} {error}", error.pointer());
                checked.map_err(wrong).with_context(|| format!("step {number}: a record"))?;
            }
        }
    }
    Ok(scenario)
}

/// Plays a scenario.
pub(super) struct Player {
    pub(super) scenario: Scenario,
    pub(super) store: Store,
    pub(super) tenant: TenantId,
    pub(super) emulator: Arc<Emulator>,
}

impl Player {
    /// Plays on its own thread, and prints the steps.
    pub(super) fn start(self, mut out: impl Write + Send + 'static) -> Result<()> {
        let play = move || {
            let played = self.play(&mut out);
            // The output may be closed; the scenario goes on.
            let _ = match played {
                Ok(()) => writeln!(out, "The scenario is at its end."),
                Err(error) => writeln!(out, "The scenario broke off: {error:#}"),
            };
        };
        thread::Builder::new().name("scenario".to_owned()).spawn(play)?;
        Ok(())
    }

    fn play(&self, out: &mut impl Write) -> Result<()> {
        let to = DateTimeOffset(clock::now());
        let span = i64::from(self.scenario.hours) * HOUR;
        let mut calls = Calls::new(simulator::Options {
            seed: self.scenario.seed,
            calls: 0,
            mix: Mix::Realistic,
            from: DateTimeOffset(to.0 - span),
            to,
            tenant: self.tenant.to_string(),
        });
        for (number, step) in (1..).zip(&self.scenario.steps) {
            let played = self.play_step(step, &mut calls, out);
            played.with_context(|| format!("step {number}"))?;
        }
        Ok(())
    }

    fn play_step(&self, step: &Step, calls: &mut Calls, out: &mut impl Write) -> Result<()> {
        if let Some(until) = step.until {
            self.wait_until(until)?;
        }
        thread::sleep(step.wait);
        if let Some(say) = &step.say {
            writeln!(out, "{say}")?;
        }
        self.carry_out(step, calls)
    }

    fn carry_out(&self, step: &Step, calls: &mut Calls) -> Result<()> {
        if let Some(by) = step.clock {
            clock::move_to(clock::now().saturating_add(by.0));
        }
        if let Some(rules) = &step.faults {
            self.emulator.replace_rules(rules.clone());
        }
        for record in &step.records {
            self.put_records(record, calls)?;
        }
        for (first, end) in &step.rows {
            self.put_rows(calls, *first..*end)?;
        }
        Ok(())
    }

    fn put_records(&self, record: &RecordOf, calls: &mut Calls) -> Result<()> {
        match record {
            RecordOf::Json(text) => self.put_record(text.clone()),
            RecordOf::Call { call, version, with } => {
                self.put_record(version_of(calls, *call, *version, with)?)
            }
            RecordOf::Calls(first, end) => {
                // One by one, since a meeting can be large.
                for call in *first..*end {
                    self.put_record(version_of(calls, call, 1, &Map::new())?)?;
                }
                Ok(())
            }
        }
    }

    fn target(&self) -> Target<'_> {
        Target { store: &self.store, tenant: &self.tenant }
    }

    fn put_record(&self, text: String) -> Result<()> {
        self.target().import_records(std::iter::once(text.into_bytes()), 1)
    }

    fn put_rows(&self, calls: &mut Calls, numbers: Range<u64>) -> Result<()> {
        self.target().import_rows(numbers.flat_map(|number| calls.rows(number)))
    }

    fn wait_until(&self, until: Until) -> Result<()> {
        let began = Instant::now();
        let mut reader = self.store.reader()?;
        while began.elapsed() < STEP_TIMEOUT {
            let is_reached = match until {
                Until::Subscribed => {
                    !reader.subscriptions(Some(&self.tenant), clock::now())?.is_empty()
                }
                // Without a subscription nothing is queued, and the cursor stays behind.
                Until::Quiet => {
                    reader.subscriptions(Some(&self.tenant), clock::now())?.is_empty()
                        || reader.last_change()? == reader.notification_cursor()?
                            && reader.queue_size()?.queued == 0
                }
            };
            reader.release();
            if is_reached {
                return Ok(());
            }
            thread::sleep(POLL_INTERVAL);
        }
        bail!("waited 10 minutes for {until:?}")
    }
}

/// A version of a simulated call. If the simulator has none, it is version 1 with a later number.
fn version_of(
    calls: &mut Calls,
    call: u64,
    version: u64,
    with: &Map<String, Value>,
) -> Result<String> {
    let mut text = Vec::new();
    let is_simulated = calls.write_record(&mut text, call, version);
    if !is_simulated {
        calls.write_record(&mut text, call, 1);
    }
    let text = String::from_utf8(text).context("a simulated record is UTF-8")?;
    if is_simulated && with.is_empty() {
        return Ok(text);
    }
    let mut record = Node::parse(&text)?;
    if !is_simulated {
        let modified = record.get("lastModifiedDateTime").and_then(Node::as_text);
        let modified = modified.and_then(|text| DateTimeOffset::parse(&text.value()));
        let modified = modified.context("a simulated record has a time of modification")?;
        let later = DateTimeOffset(modified.0 + (version as i64 - 1) * HOUR).to_string();
        put(&mut record, "version", Node::Number(version.to_string().into()));
        put(&mut record, "lastModifiedDateTime", Node::String(Text::owned(later)));
    }
    for (name, value) in with {
        put(&mut record, name, Node::parse(&value.to_string())?.into_owned());
    }
    let mut out = Vec::new();
    write_node(&mut out, &record);
    String::from_utf8(out).context("the written record is UTF-8")
}

/// Sets a member of an object.
fn put<'a>(object: &mut Node<'a>, name: &str, value: Node<'a>) {
    if let Some(current) = object.get_mut(name) {
        *current = value;
    } else if let Node::Object(members) = object {
        members.push(Member { name: Text::of(name), value });
    }
}
