//! `quality`: profiles, what they say of a call, and what their rules mean by example.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use odata::json::{Node, push_member, write_node};
use quality::call::{Call, Session, Stream};
use quality::levels::Counts;
use quality::profile::{Comparison, Condition, DEFAULT, GateFails, Mode, Profile, Rule};
use quality::{Profiles, expression, sentence, vectors};
use store::Reader;

use super::opening::{Absent, open_store};
use super::{profiles, record_json, tenants};
use crate::cli::{Expand, Quality, QualityExplain, QualityProfiles};
use crate::logging;
use crate::settings::Settings;

pub(super) fn run(args: &Quality, settings: impl FnOnce() -> Result<Settings>) -> Result<ExitCode> {
    match args {
        Quality::Profiles(args) => print_profiles(args, &settings()?),
        Quality::Explain(args) => explain(args, &settings()?),
        Quality::Vectors => print_vectors(),
    }
}

fn named<'p>(profiles: &'p Profiles, name: &str) -> Result<&'p Profile> {
    profiles.get(name).with_context(|| {
        let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        let names = names.join(", ");
        format!(
            "there is no profile {name:?}: there are {names}; --profiles FILE adds those of a file"
        )
    })
}

fn print_profiles(args: &QualityProfiles, settings: &Settings) -> Result<ExitCode> {
    let mut reader = match open_store(settings) {
        Ok(store) => Some(store.reader()?),
        Err(error) if error.is::<Absent>() => None,
        Err(error) => return Err(error),
    };
    let profiles = profiles::all(args.profiles.as_deref(), settings, reader.as_mut())?;
    let mut out = io::stdout().lock();
    if let Some(name) = &args.name {
        print_profile(&mut out, named(&profiles, name)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    for (place, profile) in profiles.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        print_profile(&mut out, profile)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_profile(out: &mut impl Write, profile: &Profile) -> Result<()> {
    writeln!(out, "{}  {}", profile.id(), profile.title)?;
    if let Some(source) = &profile.source {
        writeln!(out, "  {source}")?;
    }
    for rule in &profile.rules {
        print_rule(out, rule)?;
    }
    Ok(())
}

fn print_rule(out: &mut impl Write, rule: &Rule) -> Result<()> {
    let mode = match rule.mode {
        Mode::Any => "poor if any condition holds",
        Mode::First => "the first condition whose figure is known decides",
    };
    writeln!(out, "  {}: {mode}", rule.medium.name())?;
    if let Some(gate) = &rule.gate {
        let threshold = sentence::shown(gate.metric, gate.threshold);
        let (name, word) = (gate.metric.name(), word(gate.comparison));
        let otherwise = match gate.fails {
            GateFails::Unclassified => "unclassified",
            GateFails::Good => "good",
        };
        writeln!(out, "    judged if {name} is {word} {threshold}, else {otherwise}")?;
    }
    let mut print = |what: &str, condition: &Condition| {
        let Condition { reason, metric, comparison, threshold } = condition;
        let threshold = sentence::shown(*metric, *threshold);
        writeln!(
            out,
            "    {what} ({reason}) if {} is {} {threshold}",
            metric.name(),
            word(*comparison)
        )
    };
    rule.poor.iter().try_for_each(|condition| print("poor", condition))?;
    rule.watch.iter().try_for_each(|condition| print("watch", condition))?;
    let medium = expression::medium(rule.medium, expression::LABEL);
    writeln!(out, "    $filter={medium}")?;
    writeln!(out, "    $compute={} as verdict", expression::rule(rule))?;
    Ok(())
}

/// A comparison in words.
fn word(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Above => "above",
        Comparison::Below => "below",
        Comparison::AtLeast => "at least",
        Comparison::AtMost => "at most",
    }
}

fn print_vectors() -> Result<ExitCode> {
    let profiles = Profiles::shipped();
    let mut out = io::stdout().lock();
    let (mut last, mut differ) = (0, 0);
    for vector in vectors::all() {
        if vector.number != last {
            last = vector.number;
            writeln!(out, "{last}. {} {}", vector.label.unwrap_or("null"), vector.stream)?;
        }
        let verdict = vector.verdict(&profiles).unwrap_or_default();
        writeln!(out, "    {:<12}{verdict}", vector.profile)?;
        if verdict != vector.expected {
            differ += 1;
            writeln!(out, "    {:<12}expected {}", "", vector.expected)?;
        }
    }
    Ok(if differ == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says that the store has other rules for the version of a profile.
fn note_other_rules(profile: &Profile, reader: &mut Reader) -> Result<()> {
    let rows = reader.profiles()?;
    let mut same =
        rows.iter().filter(|row| (&row.name, row.version) == (&profile.name, profile.version));
    if same.any(|row| row.content_hash != profile.digest()) {
        let id = profile.id();
        logging::note(&format!(
            "the store has other rules for {id}, by which a server judges: raise the version of the profile"
        ));
    }
    Ok(())
}

fn explain(args: &QualityExplain, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let profiles = profiles::all(args.profiles.as_deref(), settings, Some(&mut reader))?;
    let profile = named(&profiles, &args.profile)?;
    if let (Some(file), DEFAULT) = (&args.profiles, args.profile.as_str()) {
        let file = file.display();
        logging::note(&format!(
            "{file} was read, and not used: name one of its profiles with --profile"
        ));
    }
    note_other_rules(profile, &mut reader)?;
    let tenant = tenants::resolve(args.tenant.as_ref(), &mut reader)?;
    let record = reader
        .record(&tenant, &model::key(&args.id), args.version)?
        .with_context(|| {
            let (id, store) = (&args.id, &settings.store);
            format!(
                "the tenant {tenant} has no call record {id} in {store}: `callvault list` prints its \
                 records"
            )
        })?;
    let mut json = Vec::new();
    record_json::write(&mut json, &mut reader, &record, &[Expand::Segments])?;
    let json = String::from_utf8(json).context("the stored record is damaged")?;
    let node = Node::parse(&json).context("the stored record is damaged")?;
    let call = Call::of_json(&node, profile);
    let mut out = io::stdout().lock();
    if args.json {
        call.sessions.iter().try_for_each(|session| print_lines(&mut out, session))?;
        return Ok(ExitCode::SUCCESS);
    }
    print_call(&mut out, &node, &call, profile)?;
    Ok(ExitCode::SUCCESS)
}

/// A line for each stream: where it belongs, and the outcome.
fn print_lines(out: &mut impl Write, session: &Session<'_>) -> Result<()> {
    for stream in &session.streams {
        let mut line = b"{".to_vec();
        push_member(&mut line, "sessionId", &session.id);
        line.push(b',');
        push_member(&mut line, "segmentId", &stream.segment);
        for (name, value) in [("mediaLabel", &stream.label), ("streamId", &stream.id)] {
            if let Some(value) = value {
                line.push(b',');
                push_member(&mut line, name, value);
            }
        }
        line.extend_from_slice(b",\"quality\":");
        write_node(&mut line, &stream.outcome.to_node());
        line.extend_from_slice(b"}\n");
        out.write_all(&line)?;
    }
    Ok(())
}

fn print_call(
    out: &mut impl Write,
    record: &Node<'_>,
    call: &Call<'_>,
    profile: &Profile,
) -> Result<()> {
    let text = |name| {
        let member = record.get(name).and_then(Node::as_text);
        member.map_or_else(String::new, |text| text.value().into_owned())
    };
    let [id, kind, start, end] = ["id", "type", "startDateTime", "endDateTime"].map(text);
    writeln!(out, "{id}: {kind}, {start} to {end}")?;
    let (verdict, counts) = (call.levels.verdict().name(), counts(call.levels.counts()));
    writeln!(out, "{verdict} by {}: {counts}", profile.id())?;
    if call.sessions.is_empty() {
        writeln!(
            out,
            "The record came without its sessions, which have the figures: import it again, exported with \
             $expand=sessions($expand=segments)"
        )?;
    } else if call.sessions.iter().all(|session| session.streams.is_empty()) {
        writeln!(
            out,
            "Its sessions came without segments and streams, which have the figures: import it again, \
             exported with $expand=sessions($expand=segments)"
        )?;
    }
    for session in &call.sessions {
        writeln!(out)?;
        let note = if session.is_test { " (a test, counted nowhere)" } else { "" };
        writeln!(out, "Session {}{note}", session.id)?;
        if let Some((stage, reason)) = &session.failure {
            let reason = reason.as_deref().map_or(String::new(), |reason| format!(": {reason}"));
            writeln!(out, "  failed ({stage}){reason}")?;
        }
        session.streams.iter().try_for_each(|stream| print_stream(out, stream))?;
    }
    Ok(())
}

fn print_stream(out: &mut impl Write, stream: &Stream<'_>) -> Result<()> {
    let label = stream.label.as_deref().unwrap_or("no label");
    let outcome = &stream.outcome;
    writeln!(out, "  {label}: {}: {}", stream.people(), outcome.verdict.name())?;
    let reasons = outcome.reasons.iter().map(sentence::reason);
    for line in reasons.chain(outcome.watch.iter().map(sentence::watch)) {
        writeln!(out, "    {line}")?;
    }
    for metric in &outcome.implausible {
        let most = metric.greatest().map_or(String::new(), |most| format!(": at most {most}"));
        writeln!(out, "    {} can't be true and was left out{most}", metric.name())?;
    }
    Ok(())
}

fn counts(counts: Counts) -> String {
    let Counts { good, poor, unclassified } = counts;
    let share = counts.poor_share().map_or(String::new(), |share| {
        format!(" ({:.1} % poor of what could be judged)", share * 100.0)
    });
    format!("streams: {good} good, {poor} poor, {unclassified} unclassified{share}")
}
