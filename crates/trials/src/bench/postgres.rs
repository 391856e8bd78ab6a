//! Nodes on PostgreSQL: reads through one against pgbench with the best SQL by hand for the same rows,
//! imports against COPY of the same text, and reads through one, two and three.
//!
//! Everything has the same cores, as nothing of it runs without the database.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use testkit::Postgres;

use super::Bench;
use super::table::{Range, Reference, Row, Unit};
use super::wrk::{Draw, Load, Requests};
use crate::instance::{Instance, TENANT};
use crate::paths::CALL_RECORDS;
use crate::server_process::ServerProcess;
use xtask::process;
use xtask::repository::SHIPPED;

/// Records of the database.
const RECORDS: u32 = 60_000;
/// Connections of whoever asks.
const CONNECTIONS: usize = 32;
/// All cores.
const EVERYWHERE: &str = "0-1";
/// Records that are asked for, each by a statement of its own.
const ASKED: usize = 200;
/// Seconds of a run.
const SECONDS: u32 = 5;
const EXPANDED: &str = "?$expand=sessions($expand=segments)";
/// Between these the calls start, and between those the list asks.
const RANGE: [&str; 2] = ["2026-08-01", "2026-11-01"];
const ASKED_RANGE: [&str; 2] = ["2026-09-10T00:00:00Z", "2026-09-20T00:00:00Z"];

/// Fills a database and measures by turns.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    if Command::new("psql").arg("--version").output().is_err() {
        bail!("the benchmark of PostgreSQL needs psql");
    }
    let trial = Trial::new(bench)?;
    let mut rows = trial.imports()?;
    trial.database.ask("VACUUM ANALYZE");
    let [one, two, three] = [trial.node()?, trial.node()?, trial.node()?];
    let asked = trial.asked()?;
    rows.push(trial.by_id(&one, &asked)?);
    rows.push(trial.list(&one)?);
    let mut alone = None;
    for nodes in [&[&one][..], &[&one, &two], &[&one, &two, &three]] {
        let mut rates = Vec::new();
        for _ in 0..bench.settings.rounds {
            rates.push(trial.load("nodes", &record_paths(&asked), nodes)?);
        }
        let range = Range::of(rates);
        let reference = alone.get_or_insert(range);
        rows.push(Row {
            case: format!("GET expanded through {} nodes on these cores", nodes.len()),
            unit: Unit::PerSecond,
            ours: range,
            reference: Some(Reference { name: "1 node".to_owned(), range: *reference }),
            ..Row::of("postgres")
        });
    }
    [one, two, three].into_iter().try_for_each(ServerProcess::stop)?;
    Ok(rows)
}

struct Trial<'b> {
    bench: &'b Bench,
    folder: PathBuf,
    database: Arc<Postgres>,
    store: Instance,
    records: PathBuf,
    token: String,
}

/// A record that is asked for: its id, and the key that it has in the tables.
struct SampleRecord {
    id: String,
    key: String,
}

impl<'b> Trial<'b> {
    fn new(bench: &'b Bench) -> Result<Self> {
        let folder = bench.folder.join("postgres");
        fs::create_dir_all(&folder)?;
        let database = Arc::new(Postgres::durable());
        let store = Instance::on(Arc::clone(&database), SHIPPED, folder.join("data"))?;
        let records = folder.join("records.ndjson");
        let count = RECORDS.to_string();
        let words = ["simulate", "--seed", "1", "--mix", "bench", "--calls", &count];
        let mut simulate = store.command(&words);
        simulate.args(["--from", RANGE[0], "--to", RANGE[1]]);
        process::run(simulate.stdout(fs::File::create(&records)?))?;
        let token = store.token("CallRecords.Read.All")?;
        Ok(Self { bench, folder, database, store, records, token })
    }

    /// Each half of the file in turn, so that both have a store that is empty and one that is not.
    fn imports(&self) -> Result<Vec<Row>> {
        self.database.ask("CREATE TABLE bare (record text)");
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for half in &self.halves()? {
            let mut copy = Command::new("psql");
            // Neither character is in JSON.
            let form = "format csv, quote e'\\x01', delimiter e'\\x02'";
            let text = format!("\\copy bare from '{}' with ({form})", half.display());
            copy.args(["-qX", "-v", "ON_ERROR_STOP=1", "-d", &self.database.url(), "-c", &text]);
            bare.push(rate_of_half(&mut copy)?);
            let mut import = self.store.command(&["import", "--tenant", TENANT]);
            ours.push(rate_of_half(import.arg(half))?);
        }
        let kept: f64 = self.ask_number(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' \
             AND relnamespace = 'public'::regnamespace AND relname <> 'bare'",
        )?;
        self.database.ask("DROP TABLE bare");
        let import = Row {
            case: "import by the command line".to_owned(),
            unit: Unit::PerSecond,
            ours: Range::of(ours),
            reference: Some(Reference { name: "COPY".to_owned(), range: Range::of(bare) }),
            aim: Some(0.3),
            ..Row::of("postgres")
        };
        let disk = Row {
            case: "bytes on disk of a record".to_owned(),
            unit: Unit::Bytes,
            ours: Range::of(vec![kept / f64::from(RECORDS)]),
            ..Row::of("postgres")
        };
        Ok(vec![import, disk])
    }

    fn halves(&self) -> Result<[PathBuf; 2]> {
        let text = fs::read_to_string(&self.records)?;
        let middle =
            text.match_indices('\n').nth(RECORDS as usize / 2).context("too few records")?.0;
        let halves = [1, 2].map(|number| self.folder.join(format!("half-{number}.ndjson")));
        fs::write(&halves[0], &text[..=middle])?;
        fs::write(&halves[1], &text[middle + 1..])?;
        Ok(halves)
    }

    fn ask_number(&self, sql: &str) -> Result<f64> {
        self.database.ask(sql).parse().with_context(|| sql.to_owned())
    }

    /// Some records of one month, so that SQL by hand can name its parts of the tables.
    fn asked(&self) -> Result<Vec<SampleRecord>> {
        let lines = self.database.ask(&format!(
            "SELECT id || ' ' || encode(id_key, 'hex') FROM call_record_2026_09 \
             ORDER BY md5(id) LIMIT {ASKED}"
        ));
        let pair = |line: &str| {
            let (id, key) = line.split_once(' ').context("an id and its key")?;
            Ok(SampleRecord { id: id.to_owned(), key: key.to_owned() })
        };
        lines.lines().map(pair).collect()
    }

    /// A node that writes no line for each request.
    fn node(&self) -> Result<ServerProcess> {
        let node = self.store.node()?;
        let mut serve = node.serve_command();
        serve.env("CALLVAULT_LOG__LEVEL", "warn").env("CALLVAULT_GRAPH__RETENTION_VIEW", "all");
        ServerProcess::start(&mut serve)
    }

    fn by_id(&self, node: &ServerProcess, asked: &[SampleRecord]) -> Result<Row> {
        let statement = |asked: &SampleRecord| {
            format!(
                "SELECT r.id, r.version, r.flags, r.content_hash, r.fragment, p.fragment \
                 FROM record_key k JOIN call_record_2026_09 r ON r.record_key = k.record_key \
                 JOIN session_pack_2026_09 p ON p.pack_key = k.record_key * 65536 \
                 WHERE k.tenant_key = 1 AND k.id_key = '\\x{}'",
                asked.key
            )
        };
        let pgbench = self.pgbench("record", asked.iter().map(statement).collect())?;
        let row = self.compare("GET expanded", &pgbench, &record_paths(asked), node)?;
        Ok(Row { aim: Some(0.5), ..row })
    }

    fn list(&self, node: &ServerProcess) -> Result<Row> {
        let [from, to] = ASKED_RANGE.map(|at| format!("extract(epoch from timestamptz '{at}')"));
        let ticks = |at: &str| self.database.ask(&format!("SELECT ({at} * 10000000)::bigint"));
        let (first, end) = (ticks(&from), ticks(&to));
        let statement = format!(
            "SELECT r.id, r.version, r.start_date_time, r.flags, r.content_hash, r.fragment \
             FROM call_record_2026_09 r WHERE r.tenant_key = 1 AND r.is_current = 1 \
             AND r.start_date_time >= {first} AND r.start_date_time < {end} \
             ORDER BY r.start_date_time DESC, r.id LIMIT 61"
        );
        let pgbench = self.pgbench("list", vec![statement])?;
        let [from, to] = ASKED_RANGE;
        let filter = format!("startDateTime%20ge%20{from}%20and%20startDateTime%20lt%20{to}");
        let paths = [format!("{CALL_RECORDS}?$filter={filter}")];
        let row = self.compare("filtered list page of 60", &pgbench, &paths, node)?;
        Ok(Row { aim: Some(0.7), ..row })
    }

    /// A run of pgbench that takes one of these statements at a time.
    fn pgbench(
        &self,
        name: &str,
        statements: Vec<String>,
    ) -> Result<impl Fn() -> Result<f64> + use<>> {
        let program = testkit::postgres::programs().join("pgbench");
        let mut arguments: Vec<String> = ["-n", "-M", "prepared", "-j", "1"].map(Into::into).into();
        arguments.extend(["-c".to_owned(), CONNECTIONS.to_string()]);
        arguments.extend(["-T".to_owned(), SECONDS.to_string()]);
        // It takes no more files than these.
        for (number, statement) in statements.iter().take(128).enumerate() {
            let file = self.folder.join(format!("{name}-{number}.sql"));
            fs::write(&file, format!("{statement};\n"))?;
            arguments.extend(["-f".to_owned(), file.display().to_string()]);
        }
        arguments.push(self.database.url());
        Ok(move || {
            let said = process::output(Command::new(&program).args(&arguments))?;
            let rate = said.lines().find_map(|line| line.strip_prefix("tps = "));
            let rate = rate.and_then(|rest| rest.split(' ').next());
            rate.context("pgbench tells no rate")?.parse().context("the rate of pgbench")
        })
    }
}

impl Trial<'_> {
    /// Measures both by turns.
    fn compare(
        &self,
        case: &str,
        pgbench: &impl Fn() -> Result<f64>,
        paths: &[String],
        node: &ServerProcess,
    ) -> Result<Row> {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..self.bench.settings.rounds {
            ours.push(self.load("compare", paths, &[node])?);
            theirs.push(pgbench()?);
        }
        Ok(Row {
            case: case.to_owned(),
            unit: Unit::PerSecond,
            ours: Range::of(ours),
            reference: Some(Reference { name: "pgbench".to_owned(), range: Range::of(theirs) }),
            ..Row::of("postgres")
        })
    }

    /// Asks all nodes together for these in turn; requests a second.
    fn load(&self, name: &str, paths: &[String], nodes: &[&ServerProcess]) -> Result<f64> {
        let parts = self.folder.join(format!("{name}.parts"));
        fs::write(&parts, paths.join("\n"))?;
        let behind = format!(" HTTP/1.1\nAuthorization: Bearer {}", self.token);
        let connections = CONNECTIONS / nodes.len();
        let one = |(number, url): (usize, &str)| {
            let requests = Requests {
                before: "GET ".to_owned(),
                parts: &parts,
                behind: behind.clone(),
                draw: Draw::InTurn,
            };
            let script = self.folder.join(format!("{name}-{number}.lua"));
            let load = Load::new(script, url, &requests, connections)?;
            let as_it_is = |wrk: &Command| super::pinned(EVERYWHERE, wrk);
            Ok(load.run(SECONDS, as_it_is)?.rate)
        };
        std::thread::scope(|scope| {
            let one = &one;
            let urls = nodes.iter().map(|node| node.url.as_str()).enumerate();
            let runs: Vec<_> = urls.map(|node| scope.spawn(move || one(node))).collect();
            let joined = runs.into_iter().map(|run| run.join().expect("a load does not panic"));
            joined.sum::<Result<f64>>()
        })
    }
}

fn record_paths(asked: &[SampleRecord]) -> Vec<String> {
    asked.iter().map(|asked| format!("{CALL_RECORDS}/{}{EXPANDED}", asked.id)).collect()
}

/// Records a second of a program that takes half of them.
fn rate_of_half(command: &mut Command) -> Result<f64> {
    let started = Instant::now();
    process::output(command)?;
    Ok(f64::from(RECORDS / 2) / started.elapsed().as_secs_f64())
}
