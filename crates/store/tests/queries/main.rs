//! Random queries, answered by the store and judged by the reference of `testkit`.
//!
//! `CALLVAULT_QUERIES` says how many (1,000), `CALLVAULT_SEED` where to begin. A failure tells the
//! seed and the smallest query that still fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what a long test finds is told at once")]

mod blocks;
mod facets;
mod judge;
mod world;

use std::collections::BTreeMap;

use model::rows::RowSet;
use testkit::queries::{self, Asked, Random};

use judge::{Setting, Verdict, judge};
use world::{Engine, World};

/// Queries that one set of records is asked.
const QUERIES_OF_A_WORLD: usize = 500;
/// Failures that are told at most.
const MOST_TOLD: usize = 12;
const SETS: [RowSet; 5] =
    [RowSet::Records, RowSet::Sessions, RowSet::Segments, RowSet::Streams, RowSet::Legs];

/// What became of the queries.
#[derive(Default)]
struct Tally {
    asked: usize,
    /// Conditions that hold for some rows and not for others.
    telling: usize,
    filtered: usize,
    refused: BTreeMap<String, (usize, String)>,
    /// The smallest query of each kind of failure.
    failures: BTreeMap<String, String>,
}

#[test]
fn a_file_answers_random_queries_as_the_reference_does() {
    answers_as_the_reference_does(Engine::Sqlite);
}

#[test]
fn postgresql_answers_random_queries_as_the_reference_does() {
    answers_as_the_reference_does(Engine::Postgres);
}

fn answers_as_the_reference_does(engine: Engine) {
    let count = number("CALLVAULT_QUERIES", 1000);
    let seed = number("CALLVAULT_SEED", 1) as u64;
    let mut tally = Tally::default();
    let mut world_seed = seed;
    while tally.asked < count && tally.failures.len() < MOST_TOLD {
        let world = World::new(engine, world_seed);
        let queries = QUERIES_OF_A_WORLD.min(count - tally.asked);
        run(&world, world_seed, queries, &mut tally);
        world_seed += 1;
    }
    let refused: usize = tally.refused.values().map(|(count, _)| count).sum();
    let told: Vec<_> = tally
        .refused
        .iter()
        .map(|(reason, (count, example))| format!("{count} × {reason}\n    {example}"))
        .collect();
    let figures = format!(
        "{} queries from seed {seed}, {refused} refused, {} of {} conditions telling",
        tally.asked, tally.telling, tally.filtered
    );
    let failures: Vec<_> = tally.failures.values().map(String::as_str).collect();
    assert!(failures.is_empty(), "{figures}\n{}", failures.join("\n\n"));
    assert!(refused * 20 <= tally.asked, "{figures}\n{}", told.join("\n"));
    assert!(tally.telling * 3 >= tally.filtered, "{figures}");
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn run(world: &World, seed: u64, queries: usize, tally: &mut Tally) {
    let mut random = Random::new(seed);
    for _ in 0..queries {
        let set = *random.pick(&SETS);
        let asked = queries::query(set, world.rows(set), &mut random);
        let setting = Setting::random(&mut random);
        tally.asked += 1;
        match judge(world, set, &asked, setting) {
            Verdict::Agrees { count } => {
                if asked.filter.is_some() && asked.apply.is_empty() {
                    tally.filtered += 1;
                    let is_telling = count > 0 && count < world.rows(set).len();
                    tally.telling += usize::from(is_telling);
                }
            }
            Verdict::Refused { reason } => {
                let example = || format!("{}?{asked}", queries::path(set));
                tally.refused.entry(reason).or_insert_with(|| (0, example())).0 += 1;
            }
            Verdict::Differs { how } => {
                let (smallest, setting, why) = shrink(world, set, asked, setting, how);
                // Errors come in few kinds, each difference stands for itself.
                let kind =
                    if why.contains("failed: ") { why.clone() } else { smallest.to_string() };
                let path = queries::path(set);
                let told = format!("seed {seed}: {path}?{smallest}\n{setting:?}: {why}");
                // A long run may be cut off before it ends.
                eprintln!("{told}");
                tally.failures.insert(kind, told);
                if tally.failures.len() == MOST_TOLD {
                    return;
                }
            }
        }
    }
}

/// The smallest query that still fails, and why; the same query if it does not fail again.
fn shrink(
    world: &World,
    set: RowSet,
    mut asked: Asked,
    mut setting: Setting,
    mut why: String,
) -> (Asked, Setting, String) {
    for simpler in [setting, Setting::PLAIN] {
        if let Verdict::Differs { how } = judge(world, set, &asked, simpler) {
            (setting, why) = (simpler, how);
        }
    }
    'again: loop {
        for smaller in asked.smaller() {
            if let Verdict::Differs { how } = judge(world, set, &smaller, setting) {
                (asked, why) = (smaller, how);
                continue 'again;
            }
        }
        return (asked, setting, why);
    }
}
