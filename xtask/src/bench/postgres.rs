//! Nodes on PostgreSQL: reads through one against pgbench with the best SQL by hand for the same rows,
//! imports against COPY of the same text, and reads through one, two and three.
//!
//! Everything has the same cores, as nothing of it runs without the database.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use testkit::Postgres;

use super::median;
use crate::instance::{Instance, TENANT};
use crate::process;
use crate::served::Served;

/// Connections of whoever asks.
const CONNECTIONS: &str = "32";
/// Records that are asked for, each by a statement of its own.
const ASKED: usize = 200;
/// Seconds of a run.
const SECONDS: &str = "5";
const ROUNDS: usize = 3;
const COLLECTION: &str = "/v1.0/communications/callRecords";
const EXPANDED: &str = "?$expand=sessions($expand=segments)";
/// Between these the calls start, and between those the list asks.
const RANGE: [&str; 2] = ["2026-08-01", "2026-11-01"];
const ASKED_RANGE: [&str; 2] = ["2026-09-10T00:00:00Z", "2026-09-20T00:00:00Z"];

/// Fills a database and measures by turns.
pub(super) fn measure(folder: &Path, records: u32) -> Result<()> {
    for program in ["wrk", "psql"] {
        if Command::new(program).arg("--version").output().is_err() {
            bail!("the benchmark of PostgreSQL needs {program}");
        }
    }
    let trial = Trial::new(folder, records)?;
    trial.imports(records)?;
    trial.database.ask("VACUUM ANALYZE");
    let [one, two, three] = [trial.node()?, trial.node()?, trial.node()?];
    let token = trial.store.token("CallRecords.Read.All")?;
    let asked = trial.asked()?;
    trial.by_id(&one, &asked, &token)?;
    trial.list(&one, &token)?;
    let load = Load::of(folder, &asked, &token)?;
    for nodes in [&[&one][..], &[&one, &two], &[&one, &two, &three]] {
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            rates.push(load.run(nodes)?);
        }
        println!("nodes {}            {:>9.0} requests/s", nodes.len(), median(rates));
    }
    [one, two, three].into_iter().try_for_each(Served::stop)
}

struct Trial {
    folder: PathBuf,
    database: Arc<Postgres>,
    store: Instance,
    records: PathBuf,
}

/// A record that is asked for: its id, and the key that it has in the tables.
struct Asked {
    id: String,
    key: String,
}

impl Trial {
    fn new(folder: &Path, count: u32) -> Result<Self> {
        let database = Arc::new(Postgres::durable());
        let store = Instance::on(Arc::clone(&database), "release", folder.join("data"))?;
        let records = folder.join("records.ndjson");
        let count = count.to_string();
        let words = ["simulate", "--seed", "1", "--mix", "bench", "--calls", &count];
        let mut simulate = store.command(&words);
        simulate.args(["--from", RANGE[0], "--to", RANGE[1]]);
        process::run(simulate.stdout(fs::File::create(&records)?))?;
        Ok(Self { folder: folder.to_owned(), database, store, records })
    }

    /// Each half of the file in turn, so that both have a store that is empty and one that is not.
    fn imports(&self, count: u32) -> Result<()> {
        let halves = self.halves(count)?;
        self.database.ask("CREATE TABLE bare (record text)");
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for half in &halves {
            let mut copy = Command::new("psql");
            // Neither character is in JSON.
            let form = "format csv, quote e'\\x01', delimiter e'\\x02'";
            let text = format!("\\copy bare from '{}' with ({form})", half.display());
            copy.args(["-qX", "-v", "ON_ERROR_STOP=1", "-d", &self.database.url(), "-c", &text]);
            bare.push(timed(&mut copy)?);
            let mut import = self.store.command(&["import", "--tenant", TENANT]);
            ours.push(timed(import.arg(half))?);
        }
        let rate = |seconds: Vec<f64>| f64::from(count) / seconds.iter().sum::<f64>();
        let (ours, bare) = (rate(ours), rate(bare));
        let kept: f64 = self.ask_number(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' \
             AND relnamespace = 'public'::regnamespace AND relname <> 'bare'",
        )?;
        println!(
            "import             {ours:>9.0} records/s  COPY {bare:>9.0}  ratio {:.2}",
            ours / bare
        );
        println!("disk               {:>9.0} bytes/record", kept / f64::from(count));
        self.database.ask("DROP TABLE bare");
        Ok(())
    }

    fn halves(&self, count: u32) -> Result<[PathBuf; 2]> {
        let text = fs::read_to_string(&self.records)?;
        let middle = text.match_indices('\n').nth(count as usize / 2).context("too few records")?.0;
        let halves = [1, 2].map(|number| self.folder.join(format!("half-{number}.ndjson")));
        fs::write(&halves[0], &text[..=middle])?;
        fs::write(&halves[1], &text[middle + 1..])?;
        Ok(halves)
    }

    fn ask_number(&self, sql: &str) -> Result<f64> {
        self.database.ask(sql).parse().with_context(|| sql.to_owned())
    }

    /// Some records of one month, so that SQL by hand can name its parts of the tables.
    fn asked(&self) -> Result<Vec<Asked>> {
        let lines = self.database.ask(&format!(
            "SELECT id || ' ' || encode(id_key, 'hex') FROM call_record_2026_09 \
             ORDER BY md5(id) LIMIT {ASKED}"
        ));
        let pair = |line: &str| {
            let (id, key) = line.split_once(' ').context("an id and its key")?;
            Ok(Asked { id: id.to_owned(), key: key.to_owned() })
        };
        lines.lines().map(pair).collect()
    }

    /// A node that writes no line for each request.
    fn node(&self) -> Result<Served> {
        let node = self.store.node()?;
        let mut serve = node.serve_command();
        serve.env("CALLVAULT_LOG__LEVEL", "warn").env("CALLVAULT_GRAPH__RETENTION_VIEW", "all");
        Served::start(&mut serve)
    }

    fn by_id(&self, node: &Served, asked: &[Asked], token: &str) -> Result<()> {
        let statement = |asked: &Asked| {
            format!(
                "SELECT r.id, r.version, r.flags, r.content_hash, r.fragment, p.fragment \
                 FROM record_key k JOIN call_record_2026_09 r ON r.record_key = k.record_key \
                 JOIN session_pack_2026_09 p ON p.pack_key = k.record_key * 65536 \
                 WHERE k.tenant_key = 1 AND k.id_key = '\\x{}'",
                asked.key
            )
        };
        let pgbench = self.pgbench("record", asked.iter().map(statement).collect())?;
        let load = Load::of(&self.folder, asked, token)?;
        compare("get expanded", &pgbench, || load.run(&[node]))
    }

    fn list(&self, node: &Served, token: &str) -> Result<()> {
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
        let load = Load::new(&self.folder, &[format!("{COLLECTION}?$filter={filter}")], token)?;
        compare("list of 60", &pgbench, || load.run(&[node]))
    }

    /// A run of pgbench that takes one of these statements at a time.
    fn pgbench(
        &self,
        name: &str,
        statements: Vec<String>,
    ) -> Result<impl Fn() -> Result<f64> + use<>> {
        let program = testkit::postgres::programs().join("pgbench");
        let mut arguments: Vec<String> = ["-n", "-M", "prepared", "-j", "1"].map(Into::into).into();
        arguments.extend(["-c", CONNECTIONS, "-T", SECONDS].map(Into::into));
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

/// Measures both by turns, and prints the ratio of the medians.
fn compare(
    name: &str,
    pgbench: &impl Fn() -> Result<f64>,
    run: impl Fn() -> Result<f64>,
) -> Result<()> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(run()?);
        theirs.push(pgbench()?);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "{name:<18} {ours:>9.0} requests/s  pgbench {theirs:>9.0}  ratio {:.2}",
        ours / theirs
    );
    Ok(())
}

/// A load of wrk that asks for several addresses in turn.
struct Load {
    script: PathBuf,
}

impl Load {
    fn of(folder: &Path, asked: &[Asked], token: &str) -> Result<Self> {
        let path = |asked: &Asked| format!("{COLLECTION}/{}{EXPANDED}", asked.id);
        Self::new(folder, &asked.iter().map(path).collect::<Vec<_>>(), token)
    }

    fn new(folder: &Path, paths: &[String], token: &str) -> Result<Self> {
        let mut lua = String::from("local requests = {}\nlocal next = 0\nfunction init(args)\n");
        writeln!(lua, "  wrk.headers['Authorization'] = 'Bearer {token}'")?;
        for path in paths {
            writeln!(lua, "  requests[#requests + 1] = wrk.format('GET', [[{path}]])")?;
        }
        lua.push_str(
            "end\nfunction request()\n  next = next % #requests + 1\n  return requests[next]\nend\n",
        );
        let script = folder.join(format!("load-{}.lua", paths.len()));
        fs::write(&script, lua)?;
        Ok(Self { script })
    }

    /// Asks all nodes together; requests a second.
    fn run(&self, nodes: &[&Served]) -> Result<f64> {
        let connections = CONNECTIONS.parse::<usize>()? / nodes.len();
        let one = &|url: &str| {
            let mut wrk = Command::new("wrk");
            wrk.args(["-t1", &format!("-c{connections}"), &format!("-d{SECONDS}s"), "-s"]);
            let said = process::output(wrk.arg(&self.script).arg(url))?;
            ensure!(!said.contains("Non-2xx"), "not every answer was 200:\n{said}");
            let rate = said.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
            rate.context("wrk tells no rate")?.trim().parse::<f64>().context("wrk's rate")
        };
        std::thread::scope(|scope| {
            let urls = nodes.iter().map(|node| node.url.as_str());
            let runs: Vec<_> = urls.map(|url| scope.spawn(move || one(url))).collect();
            let joined = runs.into_iter().map(|run| run.join().expect("a load does not panic"));
            joined.sum::<Result<f64>>()
        })
    }
}

/// Seconds that a program takes.
fn timed(command: &mut Command) -> Result<f64> {
    let started = Instant::now();
    process::output(command)?;
    Ok(started.elapsed().as_secs_f64())
}
