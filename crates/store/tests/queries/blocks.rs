//! Random questions about streams and their ends that blocks of columns answer together with the rows beside them, while
//! records come in and go, and blocks are made of them.
//!
//! What the store answers is compared with the reference, and byte by byte with what rows alone answer.

use model::rows::RowSet;
use store::{Error, RowQuery, Store};
use testkit::queries::{self, Asked, Random};

use crate::facets;
use crate::judge::{Setting, Verdict, budget, judge, parsed};
use crate::world::{Engine, World, tenant};
use crate::{MOST_TOLD, number, shrink};

/// Questions between two changes of the records.
const BETWEEN_CHANGES: usize = 20;
/// Changes of a world; its store grows with them.
const CHANGES: usize = 12;
/// One of so many questions is answered from blocks at least.
const ONE_OF: usize = 2;
/// What blocks have rows of.
const SETS: [RowSet; 2] = [RowSet::Streams, RowSet::Legs];

#[test]
fn blocks_of_a_file_answer_random_questions_as_the_reference_does() {
    answer_as_the_reference_does(Engine::Sqlite);
}

#[test]
fn blocks_in_postgresql_answer_random_questions_as_the_reference_does() {
    answer_as_the_reference_does(Engine::Postgres);
}

/// What became of the questions.
#[derive(Default)]
struct Tally {
    asked: usize,
    /// Of these so many were answered from blocks.
    of_blocks: usize,
    failures: Vec<String>,
}

fn answer_as_the_reference_does(engine: Engine) {
    let count = number("CALLVAULT_QUERIES", 1000);
    let seed = number("CALLVAULT_SEED", 1) as u64;
    let (mut tally, mut world_seed) = (Tally::default(), seed);
    while tally.asked < count && tally.failures.len() < MOST_TOLD {
        // In one of four there are values that no column has.
        let is_odd = world_seed.is_multiple_of(4);
        let mut world = World::new(engine, world_seed * 2 + u64::from(is_odd));
        let mut random = Random::new(world_seed);
        for _ in 0..CHANGES {
            ask_some(&world, world_seed, &mut random, &mut tally);
            if tally.asked >= count || tally.failures.len() >= MOST_TOLD {
                break;
            }
            world.go_on(&mut random);
        }
        world_seed += 1;
    }
    let Tally { asked, of_blocks, failures } = tally;
    let figures = format!("{asked} questions from seed {seed}, {of_blocks} answered from blocks");
    assert!(failures.is_empty(), "{figures}\n{}", failures.join("\n\n"));
    assert!(of_blocks * ONE_OF >= asked, "{figures}");
}

fn ask_some(world: &World, seed: u64, random: &mut Random, tally: &mut Tally) {
    for (set, asked) in questions(world, random).take(BETWEEN_CHANGES) {
        tally.asked += 1;
        let before = world.store.answers_from_blocks();
        if let Verdict::Differs { how } = judge(world, set, &asked, Setting::PLAIN) {
            let (smallest, _, why) = shrink(world, set, asked, Setting::PLAIN, how);
            tally.failures.push(format!("seed {seed}: {}?{smallest}\n{why}", queries::path(set)));
        } else if let Some(why) = differs_from_rows(world, set, &asked) {
            tally.failures.push(format!("seed {seed}: {}?{asked}\n{why}", queries::path(set)));
        }
        tally.of_blocks += usize::from(world.store.answers_from_blocks() > before);
    }
}

/// Random questions about streams and their ends that may be ones for blocks: half of them as pages ask them, the
/// others of any kind. Of a list these only count.
fn questions<'a>(
    world: &'a World,
    random: &'a mut Random,
) -> impl Iterator<Item = (RowSet, Asked)> + 'a {
    let ask = || {
        let set = *random.pick(&SETS);
        let asked = if random.chance(50) {
            facets::question(set, random)
        } else {
            queries::query(set, world.rows(set), random)
        };
        (set, asked)
    };
    let is_one = |(_, asked): &(RowSet, Asked)| !asked.apply.is_empty() || asked.orderby.is_empty();
    std::iter::repeat_with(ask).filter(is_one)
}

/// How the answer differs from that of a store that has no columns.
fn differs_from_rows(world: &World, set: RowSet, asked: &Asked) -> Option<String> {
    let query = parsed(set, asked)?;
    let (with, without) = (answer(&world.store, &query), answer(&world.without_columns, &query));
    let is_same = match (&with, &without) {
        (Ok(with), Ok(without)) => with == without,
        (with, without) => with.is_err() == without.is_err(),
    };
    (!is_same).then(|| format!("by blocks {with:?}\nby rows   {without:?}"))
}

/// The rows of a question with `$apply`, or how many meet the condition.
fn answer(store: &Store, query: &RowQuery) -> Result<Vec<String>, Error> {
    let mut reader = store.reader()?;
    if query.query.apply.is_none() {
        let count = reader.count_rows(&tenant(), query, &budget(u64::MAX))?;
        return Ok(vec![count.to_string()]);
    }
    let rows = reader.apply(&tenant(), query, &budget(u64::MAX))?;
    Ok(rows.into_iter().map(|row| String::from_utf8(row).unwrap()).collect())
}

/// Whether questions show that the answers are wrong.
fn is_seen(world: &World) -> bool {
    let mut random = Random::new(7);
    questions(world, &mut random).take(100).any(|(set, asked)| {
        let verdict = judge(world, set, &asked, Setting::PLAIN);
        matches!(verdict, Verdict::Differs { .. })
    })
}

#[test]
fn rows_beside_the_blocks_that_are_left_out_are_seen() {
    let mut world = World::new(Engine::Sqlite, 2);
    world.compact();
    (0..5).for_each(|seed| world.add_records(&mut Random::new(seed)));
    assert!(!is_seen(&world));
    world.run("UPDATE block_cursor SET sequence = (SELECT max(sequence) FROM change_log)");
    assert!(is_seen(&world));
}

#[test]
fn rows_in_blocks_that_still_count_though_their_records_have_changed_since_are_seen() {
    let mut world = World::new(Engine::Sqlite, 2);
    world.compact();
    (0..5).for_each(|seed| world.erase_record(&mut Random::new(seed)));
    assert!(!is_seen(&world));
    world.run("UPDATE block_cursor SET sequence = (SELECT max(sequence) FROM change_log)");
    assert!(is_seen(&world));
}

#[test]
fn rows_in_blocks_that_still_count_though_they_are_noted_as_gone_are_seen() {
    let mut world = World::new(Engine::Sqlite, 2);
    world.compact();
    (0..5).for_each(|seed| world.replace_record(&mut Random::new(seed)));
    world.compact();
    assert!(!is_seen(&world));
    assert!(world.run("DELETE FROM block_gone") > 0);
    assert!(is_seen(&world));
}
