//! Attacks on a server as it is by default, by classes: each with a control that shows that the class can
//! tell a weakness from none. While one runs, somebody else asks for a record, and the server's memory is
//! watched.

mod addresses;
mod arena;
mod bodies;
mod client;
mod evaluator;
mod files;
mod notified;
mod queries;
mod readers;
mod record;
mod secrets;
mod tenants;
mod texts;
mod tokens;
mod wire;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use testkit::Postgres;

use crate::instance::Instance;
use arena::{Arena, Cost, MOST_SLOWER, Tally};
use xtask::process;
use xtask::repository::{PROFILE, fresh_folder};

pub(super) use arena::Size;

/// A kind of attack.
struct Class {
    name: &'static str,
    attack: fn(&mut Arena<'_>) -> Result<()>,
    /// Whether the engine under the store can make a difference.
    is_of_engines: bool,
    /// Whether it is meant to be in the way of others.
    is_crowding: bool,
}

const fn class(name: &'static str, attack: fn(&mut Arena<'_>) -> Result<()>) -> Class {
    Class { name, attack, is_of_engines: false, is_crowding: false }
}

impl Class {
    const fn of_engines(self) -> Self {
        Self { is_of_engines: true, ..self }
    }

    const fn crowding(self) -> Self {
        Self { is_crowding: true, ..self }
    }
}

const CLASSES: [Class; 16] = [
    class("tokens", tokens::wrong),
    class("tenants", tenants::canaries).of_engines(),
    class("language", queries::language).of_engines(),
    class("addresses", addresses::inside),
    class("http", wire::http),
    class("secrets", secrets::planted),
    class("questions", evaluator::questions).of_engines().crowding(),
    class("conditions", notified::conditions).of_engines().crowding(),
    class("growth", evaluator::growth).of_engines().crowding(),
    class("injection", texts::injection).of_engines(),
    class("depth", texts::depth).of_engines(),
    class("log", files::logs),
    class("collections", bodies::collections).of_engines().crowding(),
    class("inflation", bodies::inflation).crowding(),
    class("readers", readers::slow).of_engines().crowding(),
    class("files", files::store),
];
/// Holds all seats of the server, so that it comes last.
const SLOW: Class = class("slow bodies", bodies::slow).crowding();

/// Attacks by classes, all of them or those of these names.
///
/// # Errors
/// When anything is found.
pub(super) fn run(size: Size, names: &[&str]) -> Result<()> {
    let folder = fresh_folder("hostile")?;
    let began = Instant::now();
    let classes: Vec<&Class> = CLASSES.iter().chain([&SLOW]).collect();
    let known: Vec<&str> = classes.iter().map(|class| class.name).collect();
    let unknown = names.iter().find(|name| !known.contains(name));
    ensure!(unknown.is_none(), "no class {unknown:?}; there are {known:?}");
    let is_asked_for = |class: &Class| names.is_empty() || names.contains(&class.name);
    println!(
        "{:<12} {:<10} {:>7} {:>8} {:>8} {:>9} {:>9} {:>9} {:>6} {:>7}",
        "class",
        "engine",
        "attacks",
        "controls",
        "findings",
        "MiB",
        "quiet",
        "during",
        "ratio",
        "seconds"
    );
    let mut all = Tally::default();
    let sqlite = Instance::new(PROFILE, folder.join("sqlite"))?;
    let chosen: Vec<_> = classes.iter().enumerate().filter(|(_, it)| is_asked_for(it)).collect();
    for (number, class) in &chosen {
        one((*number, class), "SQLite", &sqlite, size, &mut all);
    }
    if is_postgres_there() {
        let postgres = Arc::new(Postgres::start());
        let instance = Instance::on(postgres, PROFILE, folder.join("postgres"))?;
        // What takes long is tried on one engine where time is short.
        let is_tried =
            |class: &Class| class.is_of_engines && !(size == Size::Short && class.is_crowding);
        for (number, class) in chosen.iter().filter(|(_, class)| is_tried(class)) {
            one((*number, class), "PostgreSQL", &instance, size, &mut all);
        }
    } else {
        println!("no PostgreSQL is there");
    }
    for finding in &all.findings {
        println!("{finding}");
    }
    let Tally { attacks, controls, findings } = &all;
    println!(
        "{attacks} attacks, {} findings ({controls} controls, {:.0?})",
        findings.len(),
        began.elapsed()
    );
    ensure!(findings.is_empty(), "{} findings", findings.len());
    Ok(())
}

fn is_postgres_there() -> bool {
    Path::new("/usr/lib/postgresql").exists() || process::works("pg_config", &["--bindir"])
}

/// Attackers have machines of their own: on this one, what they do themselves has to wait for the server
/// and for those whose times are taken. Of Linux, where threads have priorities, and those that a thread
/// begins have its own.
fn give_way() {
    let thread = fs::read_link("/proc/thread-self").unwrap_or_default();
    if let Some(number) = thread.file_name().and_then(|name| name.to_str()) {
        process::works("renice", &["-n", "10", "-p", number]);
    }
}

/// One class, with its number, on one engine, with a server of its own.
fn one(
    (number, class): (usize, &Class),
    engine: &str,
    instance: &Instance,
    size: Size,
    all: &mut Tally,
) {
    let began = Instant::now();
    let outcome = Arena::open(instance, size, number).and_then(|mut arena| {
        let attack = || {
            give_way();
            (class.attack)(&mut arena)
        };
        let attacked = thread::scope(|scope| scope.spawn(attack).join());
        let attacked = attacked.unwrap_or_else(|_| bail!("it panicked"));
        if let Err(error) = attacked {
            arena.tally.findings.push(format!("the attack can't go on: {error:#}"));
        }
        arena.close()
    });
    let (mut tally, cost) = outcome.unwrap_or_else(|error| {
        let findings = vec![format!("no server: {error:#}")];
        let cost = Cost { memory: 0, quiet: Duration::ZERO, during: Duration::ZERO, asked: 0 };
        (Tally { findings, ..Tally::default() }, cost)
    });
    let ratio = cost.during.as_secs_f64() / cost.quiet.as_secs_f64().max(1e-6);
    if size == Size::Long && class.is_crowding && ratio > MOST_SLOWER {
        tally.findings.push(format!(
            "the p99 of others is {ratio:.1} times the quiet one ({} requests)",
            cost.asked
        ));
    }
    if tally.controls == 0 {
        tally.findings.push("it has no control".to_owned());
    }
    println!(
        "{:<12} {engine:<10} {:>7} {:>8} {:>8} {:>9} {:>9.2?} {:>9.2?} {ratio:>6.1} {:>7.1}",
        class.name,
        tally.attacks,
        tally.controls,
        tally.findings.len(),
        cost.memory >> 10,
        cost.quiet,
        cost.during,
        began.elapsed().as_secs_f64()
    );
    all.attacks += tally.attacks;
    all.controls += tally.controls;
    let told =
        tally.findings.into_iter().map(|finding| format!("{} on {engine}: {finding}", class.name));
    all.findings.extend(told);
}
