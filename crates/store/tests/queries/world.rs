//! Records in a store and, the same, as rows for the reference.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use model::TenantId;
use model::rows::RowSet;
use odata::edm::Type;
use odata::primitive::DateTimeOffset;
use rusqlite::Connection;
use serde_json::Value as Json;
use simulator::{Calls, Mix, Options as Simulation};
use store::{Options, Place, Role, Store};
use testkit::Postgres;
use testkit::queries::{Random, odd_records, plain_records};
use testkit::reference::{self, Value};

/// How long a statement may take, on a machine that does other things.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);
/// Simulated calls, of which those that are too long are left out.
const CALLS: u64 = 24;
const LONGEST: usize = 150_000;
const ODD_RECORDS: usize = 30;

/// Records in a store and as rows.
pub(crate) struct World {
    pub(crate) store: Store,
    /// The same one, for answers by rows alone.
    pub(crate) without_columns: Store,
    /// Texts of records that have been put in.
    known: Vec<String>,
    /// Those that are current.
    records: Vec<Json>,
    sets: Vec<(RowSet, Vec<Json>, Vec<Value>)>,
    home: Home,
}

/// What holds a store.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Where a store is, for as long as it is needed.
#[allow(dead_code, reason = "held until it is dropped")]
enum Home {
    Folder(Folder),
    Cluster(Postgres),
}

impl World {
    pub(crate) fn new(engine: Engine, seed: u64) -> Self {
        let (home, place) = match engine {
            Engine::Sqlite => {
                let folder = Folder::new();
                let place = Place::File(folder.0.join("callvault.db"));
                (Home::Folder(folder), place)
            }
            Engine::Postgres => {
                let cluster = Postgres::start();
                let place = Place::parse(&cluster.url()).unwrap();
                (Home::Cluster(cluster), place)
            }
        };
        let mut options = Options::at(place, Role::Serve);
        options.statement_limit = PATIENCE;
        let store = Store::open(&options).unwrap();
        let beside = Options { role: Role::Tool, columns: None, ..options };
        let without_columns = Store::open(&beside).unwrap();
        let mut records = Vec::new();
        let (history, known) = history(seed);
        for change in history {
            change.apply(&store, &mut records);
        }
        let others = odd_records(3, &mut Random::new(!seed));
        let others: Vec<_> = others.iter().map(ToString::to_string).collect();
        put(&store, &TenantId::parse("11111111-474c-4d40-900c-6265431fd81f").unwrap(), &others);
        let sets = sets(&records);
        Self { store, without_columns, known, records, sets, home }
    }

    /// Runs a statement beside the store, which is a file; how many rows it has changed.
    pub(crate) fn run(&self, text: &str) -> usize {
        let Home::Folder(folder) = &self.home else { panic!("the store is no file") };
        let file = Connection::open(folder.0.join("callvault.db")).unwrap();
        let changed = file.execute(text, ()).unwrap();
        // Until no reader holds a snapshot from before.
        std::thread::sleep(Duration::from_millis(100));
        changed
    }

    /// Lets something happen to the store.
    pub(crate) fn go_on(&mut self, random: &mut Random) {
        match random.below(4) {
            0 => self.add_records(random),
            1 => self.replace_record(random),
            2 => self.erase_record(random),
            _ => self.compact(),
        }
    }

    /// Makes blocks of all rows that are in none.
    pub(crate) fn compact(&mut self) {
        self.apply(&Change::Compact);
    }

    /// Puts in records that are not there yet.
    pub(crate) fn add_records(&mut self, random: &mut Random) {
        let mut new = Vec::new();
        for mut record in plain_records(1 + random.below(6), random) {
            let number = self.known.len();
            record["id"] = format!("{number:08x}-beef-4000-8000-00000000cafe").into();
            new.push(record.to_string());
            self.known.push(record.to_string());
        }
        self.apply(&Change::Put(new));
    }

    /// Puts in a later version of a record, which may be gone by now.
    pub(crate) fn replace_record(&mut self, random: &mut Random) {
        let text: &String = random.pick(&self.known);
        let text = next_version(text, random);
        self.known.push(text.clone());
        self.apply(&Change::Put(vec![text]));
    }

    /// Erases a record.
    pub(crate) fn erase_record(&mut self, random: &mut Random) {
        if !self.records.is_empty() {
            let id = random.pick(&self.records)["id"].as_str().unwrap().to_owned();
            self.apply(&Change::Erase(vec![id]));
        }
    }

    fn apply(&mut self, change: &Change) {
        change.apply(&self.store, &mut self.records);
        self.sets = sets(&self.records);
    }

    /// The rows of a set, in its order.
    pub(crate) fn rows(&self, set: RowSet) -> &[Json] {
        &self.set(set).1
    }

    /// The rows of records that started no earlier, also as values.
    pub(crate) fn since(&self, set: RowSet, start: Option<i64>) -> (Vec<&Json>, Vec<Value>) {
        let (_, rows, values) = self.set(set);
        let is_since = |row: &Json| {
            let own = row.get("callStartDateTime").unwrap_or(&row["startDateTime"]);
            let own = DateTimeOffset::parse(own.as_str().unwrap()).unwrap();
            start.is_none_or(|start| own.0 >= start)
        };
        let kept = rows.iter().zip(values).filter(|(row, _)| is_since(row));
        kept.map(|(row, value)| (row, value.clone())).unzip()
    }

    fn set(&self, set: RowSet) -> &(RowSet, Vec<Json>, Vec<Value>) {
        self.sets.iter().find(|(of, _, _)| *of == set).unwrap()
    }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::parse("dc368399-474c-4d40-900c-6265431fd81f").unwrap()
}

/// The rows of all sets, also as values.
fn sets(records: &[Json]) -> Vec<(RowSet, Vec<Json>, Vec<Value>)> {
    let sets = [RowSet::Records, RowSet::Sessions, RowSet::Segments, RowSet::Streams, RowSet::Legs];
    let rows = sets.map(|set| {
        let rows = reference::rows(records, set);
        let ty = Type::Structured(set.ty());
        let values = rows.iter().map(|row| reference::typed(row, ty)).collect();
        (set, rows, values)
    });
    rows.into()
}

/// Texts of records, some of which are told in two versions.
fn texts(seed: u64) -> Vec<String> {
    let mix = if seed.is_multiple_of(2) { Mix::Bench } else { Mix::Realistic };
    let mut calls = Calls::new(Simulation {
        seed,
        calls: CALLS,
        mix,
        from: DateTimeOffset::parse("2025-03-01").unwrap(),
        to: DateTimeOffset::parse("2025-03-20").unwrap(),
        tenant: tenant().to_string(),
    });
    let mut texts = Vec::new();
    let mut line = Vec::new();
    while calls.write_next(&mut line) {
        if line.len() < LONGEST {
            texts.push(String::from_utf8(line.clone()).unwrap());
        }
        line.clear();
    }
    // Where all values are plain, more is left to SQL.
    let odd = if seed.is_multiple_of(2) { plain_records } else { odd_records };
    let odd = odd(ODD_RECORDS, &mut Random::new(seed));
    texts.extend(odd.iter().map(ToString::to_string));
    texts
}

/// Something that happens to a store.
enum Change {
    /// Records come in, some as new versions of others.
    Put(Vec<String>),
    Erase(Vec<String>),
    /// Blocks are made of all rows that are in none.
    Compact,
}

/// What happens until the questions are asked: records come in and go at random, and blocks are made in between,
/// though not of what happens last. Also the texts of all records.
fn history(seed: u64) -> (Vec<Change>, Vec<String>) {
    let mut random = Random::new(seed ^ 0xb10c);
    let mut texts = texts(seed);
    let mut history = Vec::new();
    let mut known: Vec<String> = Vec::new();
    while !texts.is_empty() {
        let some: Vec<String> = texts.drain(..texts.len().min(1 + random.below(24))).collect();
        known.extend(some.iter().cloned());
        history.push(Change::Put(some));
        if random.chance(50) {
            history.push(Change::Compact);
        }
        match random.below(3) {
            0 => {
                let text: &String = random.pick(&known);
                history.push(Change::Put(vec![next_version(text, &mut random)]));
            }
            1 if random.chance(50) => {
                let text: &String = random.pick(&known);
                let id = reference::json(text.as_bytes()).unwrap()["id"].clone();
                history.push(Change::Erase(vec![id.as_str().unwrap().to_owned()]));
            }
            _ => {}
        }
    }
    (history, known)
}

/// A later version of a record, without one of its sessions.
fn next_version(text: &str, random: &mut Random) -> String {
    let mut record = reference::json(text.as_bytes()).unwrap();
    record["version"] = (100 + random.below(1_000)).into();
    if let Some(sessions) = record["sessions"].as_array_mut()
        && !sessions.is_empty()
    {
        sessions.remove(random.below(sessions.len()));
    }
    record.to_string()
}

impl Change {
    /// Lets it happen to a store, and to its current records.
    fn apply(&self, store: &Store, records: &mut Vec<Json>) {
        match self {
            Self::Put(texts) => {
                put(store, &tenant(), texts);
                for text in texts {
                    let record = reference::record(text).unwrap();
                    add(records, record);
                }
            }
            Self::Erase(ids) => {
                let keys = ids.iter().map(|id| model::key(id)).collect();
                store.erase(&tenant(), keys).wait().unwrap();
                records.retain(|record| !ids.iter().any(|id| record["id"] == **id));
            }
            Self::Compact => {
                assert!(store.compact(true, &|| true).unwrap().is_done);
            }
        }
    }
}

fn put(store: &Store, tenant: &TenantId, texts: &[String]) {
    let mut codec = store.codec();
    let shredded = texts.iter().map(|text| model::shred(text, &mut codec).unwrap()).collect();
    store.write(tenant, shredded).wait().unwrap();
}

/// What its id is compared by.
fn key(record: &Json) -> Vec<u8> {
    model::key(record["id"].as_str().unwrap())
}

/// Adds a record, or puts it in the place of a lower version.
fn add(records: &mut Vec<Json>, record: Json) {
    match records.iter_mut().find(|other| key(other) == key(&record)) {
        Some(other) if other["version"].as_i64() < record["version"].as_i64() => {
            *other = record;
        }
        Some(_) => {}
        None => records.push(record),
    }
}

/// A folder that goes away with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("callvault-queries-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
