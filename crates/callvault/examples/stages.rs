//! Runs each stage of a request and of a write by itself. `stages prepare FOLDER` creates a small store,
//! `stages FOLDER` prints the time of each stage, and `stages FOLDER STAGE COUNT` runs one stage COUNT times
//! and prints nothing, for programs that count instructions.

#![allow(clippy::print_stdout, reason = "a command prints what it measured")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use graph::{Local, QuerySettings};
use identity::{Grant, Issuer, MasterKey, RecentTokens, SigningKey, Verifier, role};
use model::fragment::{Codec as _, FragmentKind};
use model::{TenantId, key};
use odata::primitive::DateTimeOffset;
use simulator::{Calls, Mix};
use store::{Codec, Options, Reader, Role, SigningKeyRow, Store};
use web::{Allowance, Charge, Rates, Subject, Throttle};

const TENANT: &str = "5b6c1a52-7f0e-4c39-9d1c-2f3a8f1f7c01";
const RECORDS: u64 = 500;
const NOW: i64 = 1_790_000_000;
/// How long a stage runs.
const STAGE_TIME: Duration = Duration::from_millis(300);
const LIST: &str = "/communications/callRecords?$filter=startDateTime ge 2026-10-05T00:00:00Z and \
                    startDateTime lt 2026-10-25T00:00:00Z and type eq 'groupCall'";
const EXPANDED: &str = "?$expand=sessions($expand=segments)";

/// The state that the stages work on.
struct Bench {
    store: Store,
    reader: Reader,
    codec: Codec,
    tenant: TenantId,
    local: Local,
    records: Vec<Sample>,
    verifier: Verifier,
    tokens: RecentTokens,
    token: String,
    throttle: Throttle,
    turn: usize,
}

/// A record to write and read.
#[derive(Clone)]
struct Sample {
    id: String,
    json: String,
}

type Stage = fn(&mut Bench) -> Result<()>;

const STAGES: [(&str, Stage); 13] = [
    ("token seen by the thread", |bench| bench.token_seen()),
    ("token by its digest", |bench| bench.token_known()),
    ("throttled by four limits", |bench| {
        bench.throttled();
        Ok(())
    }),
    ("parse and bind: expanded", |_| parse(&format!("/communications/callRecords/x{EXPANDED}"))),
    ("parse and bind: filtered list", |_| parse(LIST)),
    ("record: look up, unpack", |bench| bench.record(false)),
    ("record with sessions: look up, unpack", |bench| bench.record(true)),
    ("expanded: bind, look up, assemble", |bench| bench.expanded()),
    ("list of 60: plan, rows, assemble", |bench| bench.ask(LIST)),
    ("count: plan, rows", |bench| bench.ask("/communications/callRecords/$count")),
    ("record: check and shred", |bench| bench.shred()),
    ("fragment: pack", |bench| {
        bench.pack();
        Ok(())
    }),
    ("record: write and commit", |bench| bench.write()),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", folder] => prepare(Path::new(folder)),
        [folder] => time(Path::new(folder)),
        [folder, stage, count] => {
            let mut bench = Bench::open(Path::new(folder))?;
            let found = STAGES.iter().find(|(name, _)| name == stage);
            let (_, run) = found.with_context(|| format!("no stage {stage}"))?;
            repeat(&mut bench, *run, count.parse()?)
        }
        _ => bail!("usage: stages prepare FOLDER | stages FOLDER [STAGE COUNT]"),
    }
}

/// What callgrind counts: opening the store takes another number of instructions each time, since the
/// cryptography gathers its entropy from the time that the machine takes.
#[inline(never)]
fn repeat(bench: &mut Bench, run: Stage, count: u32) -> Result<()> {
    for _ in 0..count {
        run(bench)?;
    }
    Ok(())
}

fn file(folder: &Path) -> PathBuf {
    folder.join("callvault.db")
}

fn prepare(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let store = Store::open(&Options::new(file(folder), Role::Tool))?;
    let mut codec = store.codec();
    let records = records()?;
    let shredded = records.iter().map(|sample| model::shred(&sample.json, &mut codec));
    store.write(&tenant()?, shredded.collect::<Result<_, _>>()?).wait()?;
    // Generating a key takes a different number of instructions each time, so the key is prepared.
    let key = SigningKey::generate(&master_key()?, NOW)?;
    let SigningKey { kid, algorithm, sealed_private_key, public_jwk, created, not_after } = key;
    store
        .put_signing_key(SigningKeyRow {
            kid,
            algorithm,
            sealed_private_key,
            public_jwk,
            created,
            not_after,
        })
        .wait()?;
    Ok(())
}

fn master_key() -> Result<MasterKey> {
    MasterKey::from_text(&"5".repeat(64)).context("a key")
}

fn signing_key(reader: &mut Reader) -> Result<SigningKey> {
    let row = reader.signing_keys()?.pop().context("the store was prepared")?;
    let SigningKeyRow { kid, algorithm, sealed_private_key, public_jwk, created, not_after } = row;
    Ok(SigningKey { kid, algorithm, sealed_private_key, public_jwk, created, not_after })
}

fn time(folder: &Path) -> Result<()> {
    let mut bench = Bench::open(folder)?;
    for (name, run) in STAGES {
        let (mut count, started) = (0_u32, Instant::now());
        while started.elapsed() < STAGE_TIME {
            run(&mut bench)?;
            count += 1;
        }
        let micros = started.elapsed().as_secs_f64() * 1e6 / f64::from(count);
        println!("{name:<40} {micros:>10.2} µs");
    }
    Ok(())
}

/// Rate limits of every kind that Graph has, too high to be reached.
fn rates() -> Rates {
    let many = Some(Allowance { count: u32::MAX, within: Duration::from_secs(10) });
    Rates {
        everywhere: many,
        tenant: many,
        application: many,
        record: many,
        following: many,
        list: many,
        list_following: many,
    }
}

fn parse(url: &str) -> Result<()> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let (limits, now) = (odata::Limits::default(), DateTimeOffset::from_unix_seconds(NOW));
    odata::parse_request(&model::generated::V1_0, path, query, &limits, now)?;
    Ok(())
}

fn tenant() -> Result<TenantId> {
    TenantId::parse(TENANT).context("a GUID")
}

fn records() -> Result<Vec<Sample>> {
    let day = |text: &str| DateTimeOffset::parse(text).context("a day");
    let mut calls = Calls::new(simulator::Options {
        calls: RECORDS,
        seed: 1,
        mix: Mix::Bench,
        tenant: TENANT.to_owned(),
        from: day("2026-10-01T00:00:00Z")?,
        to: day("2026-11-01T00:00:00Z")?,
    });
    let mut records = Vec::new();
    let mut text = Vec::new();
    while calls.write_next(&mut text) {
        let json = String::from_utf8(std::mem::take(&mut text))?.trim_end().to_owned();
        let id = json.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let id = id.context("a record has an id")?.to_owned();
        records.push(Sample { id, json });
    }
    Ok(records)
}

impl Bench {
    fn open(folder: &Path) -> Result<Self> {
        let store = Store::open(&Options::new(file(folder), Role::Serve))?;
        let mut reader = store.reader()?;
        let (master, key) = (master_key()?, signing_key(&mut reader)?);
        let issuer = Arc::new(Issuer::new(Some("http://127.0.0.1:8080"), &master, &[key])?);
        let verifier = Verifier::new(Some(Arc::clone(&issuer)), None)?;
        let roles = [role::READ_CALL_RECORDS.to_owned()];
        let app_id = "00000000-0000-4000-8000-000000000001";
        let grant = Grant { tenant: TENANT, app_id, roles: &roles, ttl: 3_600 };
        let token = issuer.issue(&grant, NOW)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime
            .block_on(verifier.verify(&token, NOW))
            .map_err(|denied| anyhow::anyhow!("{denied}"))?;
        let local = Local::new(tenant()?, [7; 32], QuerySettings::default()).context("a key")?;
        Ok(Self {
            reader,
            codec: store.codec(),
            store,
            tenant: tenant()?,
            local,
            records: records()?,
            verifier,
            tokens: RecentTokens::new(),
            token,
            throttle: Throttle::new(rates()),
            turn: 0,
        })
    }

    /// The next record in turn.
    fn next(&mut self) -> Sample {
        self.turn = (self.turn + 1) % self.records.len();
        self.records[self.turn].clone()
    }

    fn token_seen(&mut self) -> Result<()> {
        self.tokens.caller(&self.verifier, &self.token, NOW).context("known").map(drop)
    }

    fn token_known(&mut self) -> Result<()> {
        self.verifier.cached(&self.token, NOW).context("known").map(drop)
    }

    fn throttled(&mut self) {
        self.turn = (self.turn + 1) % self.records.len();
        let of = Subject::Record(&self.records[self.turn].id);
        let charge = Charge { tenant: TENANT, application: TENANT, of };
        assert_eq!(self.throttle.admit(&charge, Instant::now()), Ok(()));
    }

    fn record(&mut self, with_sessions: bool) -> Result<()> {
        let Sample { id, .. } = self.next();
        let found = self.reader.current(&self.tenant, &key(&id), with_sessions)?;
        let record = found.context("a record")?;
        if with_sessions {
            self.reader.session_pack(record.record_key, 0, &mut Vec::new())?;
        }
        Ok(())
    }

    fn expanded(&mut self) -> Result<()> {
        let Sample { id, .. } = self.next();
        self.ask(&format!("/communications/callRecords/{id}{EXPANDED}"))
    }

    fn ask(&mut self, url: &str) -> Result<()> {
        self.local.get(&mut self.reader, url)?.context("an answer").map(drop)
    }

    fn shred(&mut self) -> Result<()> {
        let Sample { json, .. } = self.next();
        model::shred(&json, &mut self.codec)?;
        Ok(())
    }

    fn pack(&mut self) {
        let Sample { json, .. } = self.next();
        self.codec.compress(FragmentKind::Sessions, json.as_bytes());
    }

    /// Writes a version that is later than any in the store.
    fn write(&mut self) -> Result<()> {
        let Sample { json, .. } = self.next();
        let version = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let json = json.replacen("\"version\":1", &format!("\"version\":{version}"), 1);
        let shredded = model::shred(&json, &mut self.codec)?;
        self.store.write(&self.tenant, vec![shredded]).wait()?;
        Ok(())
    }
}
