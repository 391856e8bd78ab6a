//! `mirror status`: how it stands with mirrors, as text or as JSON.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use mirror::schedule::HourState;
use mirror::{Alarm, HourReport, MirrorSettings, Report, hours};
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use serde_json::json;
use store::{EvidenceRow, LedgerRecord};

use super::opening::open_store;
use super::{PARTLY_DONE, mirrors};
use crate::cli::MirrorStatus;
use crate::settings::Settings;

/// Missing records that are printed.
pub(super) const HOLES: usize = 20;

pub(super) fn run(args: &MirrorStatus, settings: &Settings) -> Result<ExitCode> {
    let store = open_store(settings)?;
    let mut reader = store.reader()?;
    let found = match &args.name {
        Some(name) => vec![mirrors::find(&mut reader, Some(name))?],
        None => reader.mirrors()?,
    };
    let mut out = io::stdout().lock();
    if found.is_empty() {
        writeln!(out, "There is no mirror yet: `callvault mirror add` makes one.")?;
    }
    let mut needs_attention = false;
    for mirror in &found {
        let report = mirror::report(&mut reader, mirror, HOLES)?;
        needs_attention |= report.needs_attention();
        if args.json {
            let evidence = reader.mirror_evidence(mirror.key, HOLES)?;
            writeln!(out, "{}", object(&report, &evidence, args.hours))?;
            continue;
        }
        print(&mut out, &report)?;
        if args.hours {
            print_hours(&mut out, &report)?;
        }
    }
    Ok(if needs_attention { ExitCode::from(PARTLY_DONE) } else { ExitCode::SUCCESS })
}

/// Prints how it stands with a mirror.
pub(super) fn print(out: &mut impl Write, report: &Report) -> Result<()> {
    let setup = &report.mirror.setup;
    let source = MirrorSettings::from_json(&setup.settings).map(|settings| settings.source);
    let source = source.unwrap_or_else(|error| format!("settings that can't be read: {error}"));
    writeln!(out, "{}: {source}, tenant {}", setup.name, setup.tenant)?;
    let heard = match report.mirror.heard {
        Some(at) => format!("last heard {} ago", length(store::clock::system() - at)),
        None => "never heard: `serve` or `callvault mirror run` reads it".to_owned(),
    };
    let first = hours::shown(setup.begins);
    writeln!(out, "  covers calls that started from {first} on; {heard}")?;
    let [complete, pending] = [|hour: &HourReport| hour.complete, |hour: &HourReport| hour.pending];
    let [holes, erased] = [|hour: &HourReport| hour.holes, |hour: &HourReport| hour.erased];
    writeln!(
        out,
        "  records: {} are here whole, {} are to be read, {} are missing, {} were erased here",
        report.sum(complete),
        report.sum(pending),
        report.sum(holes),
        report.sum(erased)
    )?;
    writeln!(
        out,
        "  complete up to {}, sealed up to {}",
        shown_bound(report.closed_to(), setup.begins),
        shown_bound(report.sealed_to(), setup.begins)
    )?;
    if let Some(sentence) = subscribed(report) {
        writeln!(out, "  {sentence}")?;
    }
    if let Some(sentence) = lateness(report) {
        writeln!(out, "  {sentence}")?;
    }
    // What is missing is named below, and what was never heard above.
    let is_told = |alarm: &&Alarm| !["hole", "never_heard"].contains(&alarm.name);
    for alarm in report.alarms().iter().filter(is_told) {
        writeln!(out, "  {}", alarm.text)?;
    }
    for hole in &report.holes {
        writeln!(out, "  {}", hole_sentence(hole))?;
    }
    let others = report.sum(holes).saturating_sub(report.holes.len() as u64);
    if others > 0 {
        writeln!(out, "  and {others} others are missing")?;
    }
    Ok(())
}

/// How it stands with notifications, where there were any.
fn subscribed(report: &Report) -> Option<String> {
    let newest = report.subscriptions.first()?;
    let alive = report.subscriptions.iter().find(|known| known.is_alive(report.now));
    let until = match alive {
        Some(alive) => format!("subscribed until {}", DateTimeOffset(alive.expires)),
        None => format!(
            "not subscribed since {}",
            DateTimeOffset(newest.ended.unwrap_or(newest.expires))
        ),
    };
    let notified = report.reception.notified.map(|at| length(report.now - at));
    let notified =
        notified.map_or("never notified".to_owned(), |ago| format!("last notified {ago} ago"));
    Some(format!("{until}; {notified}, {} notifications in all", report.reception.received))
}

/// How late the source is, by calls that were heard of since the mirror runs.
fn lateness(report: &Report) -> Option<String> {
    let of = |share| mirror::quantile(&report.delays, share);
    let (half, most, all) = (of(0.5)?, of(0.95)?, of(1.0)?);
    Some(format!(
        "calls were heard of within {half}, {most} and {all} min of their ends (50 %, 95 %, all)"
    ))
}

fn shown_bound(hour: i64, first: i64) -> String {
    if hour <= first { "no hour yet".to_owned() } else { hours::shown(hour) }
}

fn hole_sentence(hole: &LedgerRecord) -> String {
    let LedgerRecord { id, state, start, attempts, last_error, request_id, .. } = hole;
    let why = last_error.as_deref().unwrap_or("no reason is known");
    let request = request_id.as_ref().map_or(String::new(), |id| format!(", request-id {id}"));
    format!(
        "{id} of {} is {}: {why} (tried {attempts} times{request})",
        DateTimeOffset(*start),
        state.name()
    )
}

/// A time in words: `3 min`.
fn length(ticks: i64) -> String {
    match ticks / TICKS_PER_SECOND {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

fn print_hours(out: &mut impl Write, report: &Report) -> Result<()> {
    writeln!(out, "  hour              listed   whole pending missing  state")?;
    for hour in &report.hours {
        let HourReport { listed, complete, pending, holes, state, .. } = hour;
        let late = if hour.is_late() { ", late" } else { "" };
        writeln!(
            out,
            "  {} {listed:>7} {complete:>7} {pending:>7} {holes:>7}  {}{late}",
            hours::shown(hour.hour),
            state.name()
        )?;
    }
    Ok(())
}

fn object(report: &Report, evidence: &[EvidenceRow], with_hours: bool) -> serde_json::Value {
    let setup = &report.mirror.setup;
    let holes: Vec<_> = report
        .holes
        .iter()
        .map(|hole| {
            json!({
                "id": hole.id,
                "startDateTime": instant(hole.start),
                "reason": hole.state.name(),
                "attempts": hole.attempts,
                "status": hole.last_status,
                "error": hole.last_error,
                "requestId": hole.request_id,
                "firstListed": instant(hole.first_heard),
                "lastTried": hole.last_tried.map(instant),
            })
        })
        .collect();
    let evidence: Vec<_> = evidence
        .iter()
        .map(|found| {
            json!({
                "id": found.id,
                "kind": found.kind,
                "version": found.version,
                "place": found.place,
                "dateTime": instant(found.at),
            })
        })
        .collect();
    let alive = report.subscriptions.iter().find(|known| known.is_alive(report.now));
    let mut object = json!({
        "name": setup.name,
        "tenantId": setup.tenant.as_str(),
        "begins": instant(hours::start(setup.begins)),
        "completeUpTo": instant(hours::start(report.closed_to())),
        "sealedUpTo": instant(hours::start(report.sealed_to())),
        "complete": report.sum(|hour| hour.complete),
        "pending": report.sum(|hour| hour.pending),
        "missing": report.sum(|hour| hour.holes),
        "erased": report.sum(|hour| hour.erased),
        "outside": report.sum(|hour| hour.outside),
        "unknowableHours": report.sum(|hour| u64::from(hour.state == HourState::Unknowable)),
        "lateHours": report.sum(|hour| u64::from(hour.is_late())),
        "lastHeard": report.mirror.heard.map(instant),
        "problem": report.mirror.problem.as_ref().map(|(problem, _)| problem),
        "needsAttention": report.needs_attention(),
        "alarms": report.alarms().iter().map(|alarm| alarm.name).collect::<Vec<_>>(),
        "expiringSoon": report.expiring,
        "subscribedUntil": alive.map(|known| instant(known.expires)),
        "lastNotified": report.reception.notified.map(instant),
        "notifications": report.reception.received,
        "forged": report.reception.forged,
        "holes": holes,
        "evidence": evidence,
    });
    if with_hours {
        let hours: Vec<_> = report.hours.iter().map(hour_object).collect();
        object["hours"] = json!(hours);
    }
    object
}

fn hour_object(hour: &HourReport) -> serde_json::Value {
    json!({
        "hour": instant(hours::start(hour.hour)),
        "state": hour.state.name(),
        "listed": hour.listed,
        "complete": hour.complete,
        "pending": hour.pending,
        "missing": hour.holes,
        "erased": hour.erased,
        "outside": hour.outside,
        "isLate": hour.is_late(),
    })
}

fn instant(ticks: i64) -> String {
    DateTimeOffset(ticks).to_string()
}
