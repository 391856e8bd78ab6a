//! Questions about all streams of a store over HTTP, each against DuckDB with one thread, which reads the same
//! rows and columns from a Parquet file: processor time of an answer.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use odata::percent;

use super::table::{Range, Reference, Row, Unit};
use super::{Bench, data, gauge, serve};
use crate::http::Connection;
use crate::instance::Instance;
use crate::paths::{LEGS, STREAMS};
use crate::server_process::ServerProcess;
use xtask::process;
use xtask::repository::{root, target};

/// Records of each store, spread over a year.
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
/// A question is asked until it took so many seconds of processor time, or so often.
const SECONDS: f64 = 1.0;
const ROUNDS: u32 = 200;

/// A question as both are asked it.
struct Question {
    name: &'static str,
    /// What theirs should at least be, divided by ours.
    aim: f64,
    /// Of the rows that are asked for.
    path: &'static str,
    /// The options of the query, without what is percent-encoded.
    ours: &'static str,
    /// SQL in one line.
    theirs: &'static str,
}

const QUESTIONS: [Question; 12] = [
    Question {
        name: "p95 of jitter by subnet",
        aim: 0.5,
        path: STREAMS,
        ours: "$apply=groupby((callerNetwork/subnet),\
               aggregate(averageJitter with callvault.percentile95 as p95))",
        theirs: "SELECT caller_subnet, quantile_cont(jitter, 0.95) FROM streams GROUP BY 1",
    },
    Question {
        name: "loss by subnet, top 5",
        aim: 0.5,
        path: STREAMS,
        ours: "$apply=groupby((callerNetwork/subnet),\
               aggregate(averagePacketLossRate with average as loss))/topcount(5,loss)",
        theirs: "SELECT caller_subnet, avg(loss) AS l FROM streams GROUP BY 1 \
                 ORDER BY l DESC NULLS LAST LIMIT 5",
    },
    Question {
        name: "loss by kind of connection",
        aim: 0.5,
        path: STREAMS,
        ours: "$apply=groupby((callerNetwork/connectionType),\
               aggregate(averagePacketLossRate with average as loss,$count as n))",
        theirs: "SELECT caller_connection, avg(loss), count(*) FROM streams GROUP BY 1",
    },
    Question {
        name: "codecs",
        aim: 0.5,
        path: STREAMS,
        ours: "$apply=filter(audioCodec ne null)/groupby((audioCodec),\
               aggregate($count as n,averageAudioDegradation with average as degradation))",
        theirs: "SELECT audio_codec, count(*), avg(degradation) FROM streams \
                 WHERE audio_codec IS NOT NULL GROUP BY 1",
    },
    Question {
        name: "count",
        aim: 1.0,
        path: STREAMS,
        ours: "$count=true&$top=0",
        theirs: "SELECT count(*) FROM streams",
    },
    Question {
        name: "count with one condition",
        aim: 1.0,
        path: STREAMS,
        ours: "$count=true&$top=0&$filter=averagePacketLossRate gt 0.02",
        theirs: "SELECT count(*) FROM streams WHERE loss > 0.02",
    },
    Question {
        name: "count with two conditions",
        aim: 1.0,
        path: STREAMS,
        ours: "$count=true&$top=0&$filter=averagePacketLossRate gt 0.02 \
               and callerNetwork/connectionType eq 'wifi'",
        theirs: "SELECT count(*) FROM streams WHERE loss > 0.02 AND caller_connection = 'wifi'",
    },
    Question {
        name: "count with three conditions",
        aim: 1.0,
        path: STREAMS,
        ours: "$count=true&$top=0&$filter=averagePacketLossRate gt 0.02 \
               and callerNetwork/connectionType eq 'wifi' and averageJitter gt duration'PT0.02S'",
        theirs: "SELECT count(*) FROM streams WHERE loss > 0.02 AND caller_connection = 'wifi' \
                 AND jitter > 200000",
    },
    Question {
        name: "share of poor streams by day and medium",
        aim: 2.0,
        path: STREAMS,
        ours: "$apply=compute(callvault.bucket(callStartDateTime,duration'P1D') as day,\
               case(averageJitter gt duration'PT0.03S':1,true:0) as poor)\
               /groupby((day,mediaLabel),aggregate(poor with average as share,$count as n))",
        theirs: "SELECT start // 864000000000, media, avg(CASE WHEN jitter > 300000 THEN 1 ELSE 0 END), \
                 count(*) FROM streams GROUP BY ALL",
    },
    Question {
        name: "worst subnets by the Wilson bound",
        aim: 0.5,
        path: STREAMS,
        ours: "$apply=compute(case(averageJitter gt duration'PT0.03S':1,true:0) as poor)\
               /groupby((callerNetwork/subnet),aggregate(poor with sum as k,$count as n))\
               /compute(callvault.wilson(k,n) as bound)/topcount(10,bound)",
        theirs: "WITH g AS (SELECT caller_subnet, count(*) AS n, \
                 sum(CASE WHEN jitter > 300000 THEN 1 ELSE 0 END) AS k FROM streams GROUP BY 1) \
                 SELECT caller_subnet, k, n, (k + 1.92073 - 1.95996 * sqrt(k * (n - k) / n + 0.960365)) \
                 / (n + 3.84146) AS b FROM g ORDER BY b DESC LIMIT 10",
    },
    Question {
        name: "worst subnets of both ends by the Wilson bound",
        aim: 0.5,
        path: LEGS,
        ours: "$apply=compute(case(averageJitter gt duration'PT0.03S':1,true:0) as poor)\
               /groupby((network/subnet),aggregate(poor with sum as k,$count as n))\
               /compute(callvault.wilson(k,n) as bound)/topcount(10,bound)",
        theirs: "WITH e AS (SELECT caller_subnet AS subnet, jitter FROM streams \
                 UNION ALL SELECT callee_subnet, jitter FROM streams), \
                 g AS (SELECT subnet, count(*) AS n, \
                 sum(CASE WHEN jitter > 300000 THEN 1 ELSE 0 END) AS k FROM e GROUP BY 1) \
                 SELECT subnet, k, n, (k + 1.92073 - 1.95996 * sqrt(k * (n - k) / n + 0.960365)) \
                 / (n + 3.84146) AS b FROM g ORDER BY b DESC LIMIT 10",
    },
    Question {
        name: "five facets of streams with loss",
        aim: 1.0,
        path: STREAMS,
        ours: "$apply=filter(averagePacketLossRate gt 0.001)/concat(\
               groupby((callerNetwork/subnet),aggregate($count as n)),\
               groupby((callerNetwork/connectionType),aggregate($count as n)),\
               groupby((mediaLabel),aggregate($count as n)),\
               groupby((audioCodec),aggregate($count as n)),\
               groupby((streamDirection),aggregate($count as n)))",
        theirs: "SELECT caller_subnet, caller_connection, media, audio_codec, direction, count(*) \
                 FROM streams WHERE loss > 0.001 GROUP BY GROUPING SETS \
                 ((caller_subnet), (caller_connection), (media), (audio_codec), (direction))",
    },
];

/// Fills the stores, makes their blocks and asks them; those that are larger than the store of the run are
/// left out.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let python = installed()?;
    let mut rows = Vec::new();
    for size in SIZES.into_iter().filter(|size| *size <= bench.settings.records) {
        let store = data::filled(size, true)?.store;
        process::run(&mut store.command(&["compact"]))?;
        let server = serve(&store)?;
        gauge::wait_until_quiet()?;
        let ours = ask_ours(&store, &server)?;
        server.stop()?;
        let theirs = ask_theirs(&python, &store, size)?;
        for ((question, ours), theirs) in QUESTIONS.iter().zip(ours).zip(theirs) {
            rows.push(row(question, size, ours, theirs)?);
        }
    }
    Ok(rows)
}

/// Microseconds of an answer, and how many rows it has.
type Measured = (f64, usize);

fn row(question: &Question, size: usize, ours: Measured, theirs: Measured) -> Result<Row> {
    let ((ours, rows), (theirs, their_rows)) = (ours, theirs);
    ensure!(rows == their_rows, "{}: {rows} rows, not {their_rows}", question.name);
    let only = |value: f64| Range { median: value, least: value, most: value };
    Ok(Row {
        case: format!("{}, {size} records", question.name),
        unit: Unit::CpuMicros,
        ours: only(ours),
        reference: Some(Reference { name: "DuckDB".to_owned(), range: only(theirs) }),
        aim: Some(question.aim),
        ..Row::of("columns")
    })
}

/// A Python with DuckDB, made once.
fn installed() -> Result<PathBuf> {
    let folder = target().join("made").join("peer-duckdb");
    let python = folder.join("bin/python");
    if !python.exists() {
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let list = root().join("crates/trials/peers/duckdb/requirements.txt");
        process::run(Command::new(&python).args(["-m", "pip", "install", "-q", "-r"]).arg(list))?;
    }
    Ok(python)
}

/// Asks for the first page of each answer, which has up to 60 rows; the work before it is that for all.
fn ask_ours(store: &Instance, server: &ServerProcess) -> Result<Vec<Measured>> {
    let token = store.token("CallRecords.Read.All")?;
    let mut connection = Connection::open(&store.url())?;
    let mut measured = Vec::new();
    for question in &QUESTIONS {
        let path = format!("{}?{}", question.path, encoded(question.ours));
        // So that the columns have been read.
        let rows = count_of(&mut connection, &path, &token)?;
        let (before, mut rounds) = (gauge::cpu(server.id())?, 0);
        while rounds < ROUNDS && gauge::cpu(server.id())? - before < SECONDS {
            page(&mut connection, &path, &token)?;
            rounds += 1;
        }
        let taken = gauge::cpu(server.id())? - before;
        measured.push((taken * 1e6 / f64::from(rounds), rows));
    }
    Ok(measured)
}

fn page(connection: &mut Connection, path: &str, token: &str) -> Result<serde_json::Value> {
    let (status, body) = connection.get(path, token)?;
    ensure!(status == 200, "{path}: {status} {body}");
    Ok(serde_json::from_str(&body)?)
}

fn ask_theirs(python: &Path, store: &Instance, size: usize) -> Result<Vec<Measured>> {
    let parquet = target().join("made").join(format!("bench-streams-{size}.parquet"));
    let mut ask = Command::new(python);
    ask.arg(root().join("crates/trials/peers/duckdb/ask.py"));
    ask.arg(store.data().join("callvault.db")).arg(parquet);
    let mut asked = ask.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut questions = asked.stdin.take().context("the input is piped")?;
    for question in &QUESTIONS {
        writeln!(questions, "{}", question.theirs)?;
    }
    drop(questions);
    let said = asked.wait_with_output()?;
    ensure!(said.status.success(), "DuckDB failed");
    let said = String::from_utf8(said.stdout)?;
    let line = |line: &str| {
        let (millis, rows) = line.split_once(' ')?;
        Some((millis.parse::<f64>().ok()? * 1e3, rows.parse().ok()?))
    };
    let measured: Option<Vec<Measured>> = said.lines().map(line).collect();
    measured.filter(|all| all.len() == QUESTIONS.len()).context("DuckDB has not answered all")
}

/// The values of options, percent-encoded.
fn encoded(options: &str) -> String {
    let option = |option: &str| match option.split_once('=') {
        Some((name, value)) => format!("{name}={}", percent::encode_query(value)),
        None => option.to_owned(),
    };
    options.split('&').map(option).collect::<Vec<_>>().join("&")
}

/// How many items an answer has, on all its pages; one that only counts has the count alone.
fn count_of(connection: &mut Connection, path: &str, token: &str) -> Result<usize> {
    let (mut path, mut rows) = (path.to_owned(), 0);
    loop {
        let answer = page(connection, &path, token)?;
        if answer.get("@odata.count").is_some() {
            return Ok(1);
        }
        rows += answer["value"].as_array().context("an answer has values")?.len();
        let Some(next) = answer.get("@odata.nextLink") else { return Ok(rows) };
        let next = next.as_str().context("a link is text")?;
        let behind = next.split_once("://").map_or(next, |(_, rest)| rest);
        let at = behind.find('/').context("a link has a path")?;
        behind[at..].clone_into(&mut path);
    }
}
