//! `demo --scenario`: plays a story on an empty store.

use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use emulator::{Emulator, RecordOf, Scenario, Step, Until};
use ingest::{Event, FilePiece, Record};
use model::TenantId;
use model::fragment::Uncompressed;
use model::log::Log;
use odata::json::{Member, Node, Text, write_node};
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use serde_json::{Map, Value};
use simulator::{Calls, Mix};
use store::{Store, clock};

use super::simulate::model_log;

/// The scenarios that come with the program, by their names.
const KNOWN: [(&str, &str); 9] = [
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

/// How long a step waits for what it waits for.
const PATIENCE: Duration = Duration::from_mins(10);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between a version of a call that is made up and the one before.
const HOURS_APART: i64 = 3600 * TICKS_PER_SECOND;

/// A scenario that comes with the program, or one in a file.
pub(super) fn find(name: &str) -> Result<Scenario> {
    if let Some((_, text)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return read(text).with_context(|| format!("the scenario {name}"));
    }
    let text = fs::read_to_string(name).with_context(|| {
        let known: Vec<&str> = KNOWN.iter().map(|(known, _)| *known).collect();
        format!("'{name}' is no file, and none of the scenarios {}", known.join(", "))
    })?;
    read(&text).with_context(|| name.to_owned())
}

/// Reads a scenario, and checks the records that stand in it.
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
    /// Plays on a thread of its own, and tells the steps.
    pub(super) fn start(self, mut out: impl Write + Send + 'static) -> Result<()> {
        let play = move || {
            let played = self.play(&mut out);
            // Who reads no more misses nothing.
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
        let span = i64::from(self.scenario.hours) * HOURS_APART;
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
            RecordOf::Json(text) => self.import(vec![text.clone()]),
            RecordOf::Call { call, version, with } => {
                self.import(vec![version_of(calls, *call, *version, with)?])
            }
            RecordOf::Calls(first, end) => {
                // One by one, since a meeting can be large.
                for call in *first..*end {
                    self.import(vec![version_of(calls, call, 1, &Map::new())?])?;
                }
                Ok(())
            }
        }
    }

    fn import(&self, texts: Vec<String>) -> Result<()> {
        let mut refused = None;
        ingest::import(&self.store, &self.tenant, pieces(texts).into_iter(), 1, &mut |event| {
            note_refusal(event, &mut refused);
        })?;
        ensure!(refused.is_none(), "a record was refused: {}", refused.unwrap_or_default());
        Ok(())
    }

    fn put_rows(&self, calls: &mut Calls, which: std::ops::Range<u64>) -> Result<()> {
        let mut rows: Vec<(Log, String)> = Vec::new();
        for call in which {
            for (log, row) in calls.rows(call) {
                let row = String::from_utf8(row).context("a simulated row is UTF-8")?;
                rows.push((model_log(log), row));
            }
        }
        for log in Log::ALL {
            let of_log = rows.iter().filter(|(of, _)| *of == log).map(|(_, row)| row.clone());
            let pieces = pieces(of_log.collect()).into_iter();
            let mut refused = None;
            ingest::import_log(&self.store, &self.tenant, log, None, pieces, &mut |event| {
                note_refusal(event, &mut refused);
            })?;
            ensure!(refused.is_none(), "a row was refused: {}", refused.unwrap_or_default());
        }
        Ok(())
    }

    fn wait_until(&self, until: Until) -> Result<()> {
        let began = Instant::now();
        let mut reader = self.store.reader()?;
        while began.elapsed() < PATIENCE {
            let is_so = match until {
                Until::Subscribed => {
                    !reader.subscriptions(Some(&self.tenant), clock::now())?.is_empty()
                }
                // With nobody to tell, nothing is looked at.
                Until::Quiet => {
                    reader.subscriptions(Some(&self.tenant), clock::now())?.is_empty()
                        || reader.last_change()? == reader.notification_cursor()?
                            && reader.queue_size()?.queued == 0
                }
            };
            reader.release();
            if is_so {
                return Ok(());
            }
            thread::sleep(LOOK_EVERY);
        }
        bail!("waited 10 minutes for {until:?}")
    }
}

fn note_refusal(event: Event<'_>, refused: &mut Option<String>) {
    if let Event::Rejected(reject) = event {
        refused.get_or_insert_with(|| format!("{} {}", reject.pointer, reject.message));
    }
}

fn pieces(texts: Vec<String>) -> Vec<FilePiece> {
    let file: Arc<str> = "scenario".into();
    let piece = |text| FilePiece {
        file: Arc::clone(&file),
        piece: Ok(Record { text, line: 1, pointer: String::new() }),
    };
    texts.into_iter().map(piece).collect()
}

/// A version of a simulated call, made of its first where the simulation has none.
fn version_of(
    calls: &mut Calls,
    call: u64,
    version: u64,
    with: &Map<String, Value>,
) -> Result<String> {
    let mut text = Vec::new();
    let is_there = calls.write_record(&mut text, call, version);
    if !is_there {
        calls.write_record(&mut text, call, 1);
    }
    let text = String::from_utf8(text).context("a simulated record is UTF-8")?;
    if is_there && with.is_empty() {
        return Ok(text);
    }
    let mut record = Node::parse(&text)?;
    if !is_there {
        let modified = record.get("lastModifiedDateTime").and_then(Node::as_text);
        let modified = modified.and_then(|text| DateTimeOffset::parse(&text.value()));
        let modified = modified.context("a simulated record was modified at some time")?;
        let later = DateTimeOffset(modified.0 + (version as i64 - 1) * HOURS_APART).to_string();
        put(&mut record, "version", Node::Number(version.to_string().into()));
        put(&mut record, "lastModifiedDateTime", Node::String(Text::owned(later)));
    }
    for (name, value) in with {
        put(&mut record, name, Node::parse(&value.to_string())?.into_owned());
    }
    let mut out = Vec::new();
    write_node(&mut out, &record);
    String::from_utf8(out).context("what is written is UTF-8")
}

/// Gives a member of an object another value.
fn put<'a>(object: &mut Node<'a>, name: &str, value: Node<'a>) {
    if let Some(there) = object.get_mut(name) {
        *there = value;
    } else if let Node::Object(members) = object {
        members.push(Member { name: Text::of(name), value });
    }
}
