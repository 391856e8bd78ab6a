//! Notifications under fire: records come in, the server is killed and started again, receivers fail
//! in every way, and still each subscription is told of everything, and the good ones in time. The
//! latter is judged in the long form only, since it takes a machine that does nothing else.

pub(crate) mod ledger;
pub(crate) mod receiver;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::http::Connection;
use crate::instance::Instance;
use crate::members::{number, text};
use crate::paths::IMPORT;
use crate::server_process::ServerProcess;
use ledger::{Ledger, Verdict, percentile};
use receiver::{Kind, Receiver};
use xtask::repository::{PROFILE, fresh_folder};

/// Versions that are written together.
const TOGETHER: usize = 50;
/// Of ten versions that are written, eight are of new records.
const NEW_OF_TEN: usize = 8;
/// People in the calls; those who ask for one of them are told of one record in so many.
const PEOPLE: usize = 20;
/// How long everything may take to arrive when nothing more is written.
const DRAINED_WITHIN: Duration = Duration::from_mins(15);
/// How much later than without bad receivers the good ones may be told.
const MOST_DELAY_RATIO: f64 = 3.0;
const HEALTHY: usize = 10;

/// The bad ones, beside those that are slow.
const BAD: [Kind; 16] = [
    Kind::Flaky,
    Kind::Flaky,
    Kind::Flaky,
    Kind::Breaking,
    Kind::Breaking,
    Kind::Failing,
    Kind::Failing,
    Kind::Silent,
    Kind::Silent,
    Kind::Silent,
    Kind::Redirecting,
    Kind::Redirecting,
    Kind::Resetting,
    Kind::Resetting,
    Kind::Garbled,
    Kind::Dripping,
];

/// How much is done.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Versions of records that are written.
    pub(crate) records: usize,
    /// How often the server is killed.
    pub(crate) kills: u32,
    /// Time from one batch of records to the next.
    pub(crate) pace: Duration,
    /// Milliseconds that the slow ones take. Nobody waits longer than ten seconds for them.
    pub(crate) slow: [u64; 4],
    /// Whether it is judged how late the good ones are told.
    pub(crate) is_timed: bool,
}

/// The stated form.
const LONG: Size = Size {
    records: 10_000,
    kills: 20,
    pace: Duration::from_millis(300),
    slow: [3_000, 5_000, 7_000, 9_000],
    is_timed: true,
};
/// The form of the checks.
const SHORT: Size = Size {
    records: 500,
    kills: 3,
    pace: Duration::from_millis(600),
    slow: [500, 1_000, 2_000, 3_000],
    is_timed: false,
};

/// `chaos notify [--short] [--records N] [--kills N]`
///
/// # Errors
/// When a promise is broken.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    const USAGE: &str = "chaos notify [--short] [--records N] [--kills N]";
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (mut size, options) = match &words[..] {
        ["notify", "--short", options @ ..] => (SHORT, options),
        ["notify", options @ ..] => (LONG, options),
        _ => bail!(USAGE),
    };
    for option in options.chunks(2) {
        match option {
            ["--records", value] => size.records = value.parse()?,
            ["--kills", value] => size.kills = value.parse()?,
            _ => bail!(USAGE),
        }
    }
    notify(size)
}

/// A run with good receivers only, and one with the bad ones, killed as often.
///
/// # Errors
/// When a promise is broken.
fn notify(size: Size) -> Result<()> {
    println!("{size:?}");
    let alone = play(size, &[])?;
    let bad: Vec<Kind> = size.slow.into_iter().map(Kind::Slow).chain(BAD).collect();
    let among = play(size, &bad)?;
    let ratio = among.p99.as_secs_f64() / alone.p99.as_secs_f64();
    println!(
        "healthy p50 {:.0?} alone, {:.0?} among bad ones; p99 {:.0?} and {:.0?}: ratio {ratio:.2}",
        alone.p50, among.p50, alone.p99, among.p99
    );
    let is_in_time = ratio <= MOST_DELAY_RATIO;
    ensure!(is_in_time || !size.is_timed, "bad receivers delay the healthy ones {ratio:.2} times");
    Ok(())
}

/// How late healthy receivers were told.
struct Delays {
    p50: Duration,
    p99: Duration,
}

/// Someone who is told, and what of.
struct Subscriber {
    receiver: Receiver,
    /// Of whose records; none: of all.
    person: Option<usize>,
}

impl Subscriber {
    fn asks_for(&self, record: &str) -> bool {
        let of = record.strip_prefix('r').and_then(|number| number.parse::<usize>().ok());
        self.person.is_none_or(|person| of.is_some_and(|number| number % PEOPLE == person))
    }
}

fn play(size: Size, bad: &[Kind]) -> Result<Delays> {
    let store = Instance::new(PROFILE, fresh_folder("chaos")?.join("data"))?;
    let token = store.token_of(&["CallRecords.Read.All", "CallRecords.Write.All"])?;
    let kinds = std::iter::repeat_n(Kind::Healthy, HEALTHY).chain(bad.iter().copied());
    let subscribers = kinds.enumerate().map(|(number, kind)| {
        // Who takes seconds for a request, or fails most, asks for a part: for all of it there would
        // be no time.
        let is_narrow = kind.takes_all() && kind != Kind::Healthy;
        let person = is_narrow.then_some(number % PEOPLE);
        Ok(Subscriber { receiver: Receiver::start(kind, number)?, person })
    });
    let subscribers = subscribers.collect::<Result<Vec<_>>>()?;
    let server = store.serve()?;
    for subscriber in &subscribers {
        subscribe(&store, &token, subscriber)?;
    }
    let is_written = AtomicBool::new(false);
    let ledger = Mutex::new(Ledger::default());
    let server = thread::scope(|scope| {
        let killer = scope.spawn(|| kill(&store, server, size, &is_written));
        let written = write(&store, &token, size, &ledger);
        is_written.store(true, Ordering::Relaxed);
        let server = killer.join().unwrap_or_else(|_| bail!("the killer panicked"));
        written.and(server)
    })?;
    let ledger = ledger.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let drained = wait(&store, &ledger, &subscribers)?;
    server.stop()?;
    judge(&store, &ledger, &subscribers)?;
    println!("{} receivers, drained {drained:.1?} after the last record", subscribers.len());
    let healthy = subscribers.iter().filter(|it| it.receiver.kind == Kind::Healthy);
    let delays: Vec<Duration> =
        healthy.flat_map(|it| ledger.delays(&it.receiver.arrivals())).collect();
    Ok(Delays { p50: percentile(delays.clone(), 50), p99: percentile(delays, 99) })
}

fn subscribe(store: &Instance, token: &str, subscriber: &Subscriber) -> Result<()> {
    let filter = subscriber.person.map_or_else(String::new, |person| {
        format!("?$filter=participants/any(p:p/id eq 'person-{person}')")
    });
    let resource = format!("communications/callRecords{filter}");
    let url = &subscriber.receiver.url;
    store.subscribe(token, "created,updated", &resource, url).map(drop)
}

/// Kills the server again and again while records are written, and gives the last one.
fn kill(
    store: &Instance,
    server: ServerProcess,
    size: Size,
    is_written: &AtomicBool,
) -> Result<ServerProcess> {
    let whole = size.pace * u32::try_from(size.records / TOGETHER)?;
    let pause = whole / (size.kills + 1);
    let mut server = server;
    for _ in 0..size.kills {
        thread::sleep(pause);
        server.kill()?;
        server = store.serve()?;
    }
    while !is_written.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(50));
    }
    Ok(server)
}

/// Writes all versions at the pace, each until it is acknowledged.
fn write(store: &Instance, token: &str, size: Size, ledger: &Mutex<Ledger>) -> Result<()> {
    let lines: Vec<String> = (0..size.records).map(line).collect();
    for batch in lines.chunks(TOGETHER) {
        let due = Instant::now() + size.pace;
        let body = batch.concat();
        let began = Instant::now();
        while !write_batch(store, token, &body, ledger)? {
            ensure!(began.elapsed() < DRAINED_WITHIN, "the server does not come back");
            thread::sleep(Duration::from_millis(50));
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

/// Whether all of a batch was acknowledged; the server may be away.
fn write_batch(store: &Instance, token: &str, body: &str, ledger: &Mutex<Ledger>) -> Result<bool> {
    let Ok(connection) = Connection::open(&store.url()) else { return Ok(false) };
    let mut refused = None;
    let mut lines = 0;
    let outcome = connection.post_lines(IMPORT, token, body.as_bytes(), |line| {
        let at = Instant::now();
        lines += 1;
        match (text(line, "id"), number(line, "version"), text(line, "status")) {
            (Some(id), Some(version), Some(status)) if status != "rejected" => {
                let mut ledger = ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                ledger.acknowledged(id, version, at);
            }
            _ => refused = Some(line.to_owned()),
        }
    });
    match refused {
        // What the server says when it ends in the middle of a batch.
        Some(line) if line.contains("serviceNotAvailable") => Ok(false),
        Some(line) => bail!("refused: {line}"),
        None => Ok(outcome.is_ok_and(|status| status == 200) && lines == body.lines().count()),
    }
}

/// The text of the version that is written as the `place`-th.
fn line(place: usize) -> String {
    let (block, within) = (place / 10, place % 10);
    let (record, version) = match within.checked_sub(NEW_OF_TEN) {
        None => (block * NEW_OF_TEN + within, 1),
        Some(more) => (block * NEW_OF_TEN, more + 2),
    };
    let person = record % PEOPLE;
    format!(
        "{{\"id\":\"r{record}\",\"version\":{version},\"startDateTime\":\"2026-01-01T00:00:00Z\",\
         \"endDateTime\":\"2026-01-01T00:10:00Z\",\"participants_v2\":[{{\"id\":\"person-{person}\",\
         \"identity\":{{\"user\":{{\"id\":\"person-{person}\"}}}}}}]}}\n"
    )
}

/// Messages that are kept for those who take none.
fn held(ledger: &Ledger, subscribers: &[Subscriber]) -> u64 {
    let takes_none = subscribers.iter().filter(|it| !it.receiver.kind.takes_all());
    takes_none.map(|it| ledger.expected(|record| it.asks_for(record))).sum()
}

/// Waits until everything has come that must and the server knows it, or for so long; how long that
/// was.
fn wait(store: &Instance, ledger: &Ledger, subscribers: &[Subscriber]) -> Result<Duration> {
    let (began, held) = (Instant::now(), held(ledger, subscribers));
    let lacks = |it: &Subscriber| {
        it.receiver.kind.takes_all()
            && ledger.judge(&it.receiver.arrivals(), |record| it.asks_for(record)).lost > 0
    };
    while began.elapsed() < DRAINED_WITHIN
        && (subscribers.iter().any(lacks) || store.queued()? != held)
    {
        thread::sleep(Duration::from_millis(200));
    }
    Ok(began.elapsed())
}

/// Prints a line for each kind of receiver, and fails when a promise was broken.
fn judge(store: &Instance, ledger: &Ledger, subscribers: &[Subscriber]) -> Result<()> {
    let mut kinds: BTreeMap<String, (u32, u64, u64, Verdict)> = BTreeMap::new();
    for subscriber in subscribers {
        let kind = subscriber.receiver.kind;
        let asks_for = |record: &str| subscriber.asks_for(record);
        let expected = ledger.expected(asks_for);
        let arrivals = subscriber.receiver.arrivals();
        let verdict = ledger.judge(&arrivals, asks_for);
        let is_complete = verdict.lost == 0 || !kind.takes_all();
        ensure!(is_complete, "{kind:?}: {verdict:?} of {expected}");
        ensure!(verdict.out_of_order == 0 && verdict.unknown == 0, "{kind:?}: {verdict:?}");
        let name = format!("{kind:?}");
        let name = name.split('(').next().unwrap_or_default().to_owned();
        let line = kinds.entry(name).or_default();
        line.0 += 1;
        line.1 += expected;
        line.2 += arrivals.len() as u64;
        line.3.duplicates += verdict.duplicates;
    }
    println!("receivers         asked for    arrived   twice");
    for (name, (count, expected, arrived, verdict)) in &kinds {
        println!("{count:>3} {name:<12} {expected:>10} {arrived:>10} {:>7}", verdict.duplicates);
    }
    // What can't be told is kept for them, all of it.
    let (queued, held) = (store.queued()?, held(ledger, subscribers));
    ensure!(queued == held, "{queued} messages wait of {held} that were not taken");
    println!("{queued} messages wait for those that take none");
    Ok(())
}
