//! Two ways lead through the server: plain reads of a record are answered on the socket, everything
//! else passes hyper and the layers. Whatever a client sends has to be answered alike by both. A
//! generator makes requests by classes; each is sent both ways, and status, header lines but those of
//! time and ids, and bodies are compared.

mod heads;
mod request;
mod stock;
mod targets;
mod ways;

use anyhow::{Result, ensure};

use super::client::Dice;
use request::Case;
use stock::Stock;
use ways::Route;

/// Requests of the long form, and of the one that the check runs.
pub(super) const LONG: u64 = 12_000;
pub(super) const SHORT: u64 = 600;

/// The share of cases that has to come each way, in percent.
const LEAST_FAST: usize = 25;
const LEAST_LAYERS: usize = 25;
/// Of each so many cases, the form of the check takes one that is parted at every byte.
const SHORT_PARTS: usize = 12;
/// Findings that are told in full.
const TOLD: usize = 25;

type Make = fn(&Stock, &mut Dice) -> Case;

/// The classes of requests, each with its share.
const CLASSES: [(&str, u64, Make); 23] = [
    ("records", 4, targets::records),
    ("lists", 2, targets::lists),
    ("queries", 2, targets::queries),
    ("batches", 1, targets::batches),
    ("counts", 1, targets::counts),
    ("subscriptions", 1, targets::subscriptions),
    ("functions", 2, targets::functions),
    ("unknown paths", 2, targets::unknown_paths),
    ("percent-encodings", 3, targets::percent_encodings),
    ("writes", 1, targets::writes),
    ("odd bytes", 6, heads::odd_bytes),
    ("header forms", 4, heads::header_forms),
    ("conditions", 8, heads::conditions),
    ("Accept", 2, heads::accepted),
    ("Accept-Encoding", 2, heads::codings),
    ("Prefer", 2, heads::preferences),
    ("Authorization", 3, heads::authorizations),
    ("Host", 3, heads::hosts),
    ("Origin", 2, heads::origins),
    ("methods", 2, heads::methods),
    ("versions of HTTP", 2, heads::versions),
    ("bodies", 3, heads::bodies),
    ("pipelined", 4, heads::pipelined),
];
/// Those that come in pieces are a class of their own.
const PIECES: (&str, u64, Make) = ("pieces", 4, heads::pieces);

/// What became of a class.
#[derive(Debug, Default)]
struct Tally {
    cases: usize,
    fast: usize,
    findings: usize,
}

/// Sends about so many cases both ways.
///
/// # Errors
/// When an answer differs, or too few cases went one of the ways, or a planted difference isn't found.
pub(super) fn run(count: u64, seed: u64) -> Result<()> {
    let stock = Stock::new()?;
    let mut trial = Trial { stock, findings: Vec::new() };
    let planted = trial.planted()?;
    println!("{planted} planted differences were found");
    println!("{:<20} {:>6} {:>6} {:>9}", "class", "cases", "fast", "findings");
    let classes: Vec<_> = CLASSES.iter().chain([&PIECES]).collect();
    let shares: u64 = classes.iter().map(|(_, share, _)| share).sum();
    let mut all = Tally::default();
    for (number, (name, share, make)) in classes.into_iter().enumerate() {
        let mut dice = Dice::new(seed.wrapping_mul(1_000).wrapping_add(number as u64));
        let cases = (0..(count * share).div_ceil(shares)).map(|_| make(&trial.stock, &mut dice));
        let cases: Vec<Case> = cases.collect();
        all.add(&trial.class(name, cases));
    }
    let parted = heads::parted_everywhere(&trial.stock);
    let step = if count <= SHORT { SHORT_PARTS } else { 1 };
    let parted = parted.into_iter().step_by(step).collect();
    all.add(&trial.class("parted everywhere", parted));
    trial.verdict(&all)
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.fast += other.fast;
        self.findings += other.findings;
    }
}

struct Trial {
    stock: Stock,
    findings: Vec<String>,
}

impl Trial {
    /// Sends the cases of a class, and tells of it.
    fn class(&mut self, name: &str, cases: Vec<Case>) -> Tally {
        let mut tally = Tally::default();
        for case in cases {
            let (fast, difference) = self.compare(&case);
            tally.cases += 1;
            tally.fast += usize::from(fast);
            let Some(difference) = difference else { continue };
            tally.findings += 1;
            // The same thing over and over says nothing new.
            let kind: String = difference.chars().filter(|c| !c.is_ascii_hexdigit()).collect();
            let is_known =
                self.findings.iter().filter(|known| known.starts_with(&kind)).count() > 2;
            if is_known || self.findings.len() >= TOLD {
                continue;
            }
            let least = case.shrunk(|less| self.compare(less).1.is_some());
            let difference = self.compare(&least).1.unwrap_or(difference);
            let shown = least.shown().replace(&self.stock.reader, "(token)");
            self.findings.push(format!("{kind}\n{name}: {difference}\n    {shown}"));
        }
        println!("{name:<20} {:>6} {:>6} {:>9}", tally.cases, tally.fast, tally.findings);
        tally
    }

    /// Whether any answer of a case came the fast way, and where the ways differ.
    fn compare(&self, case: &Case) -> (bool, Option<String>) {
        let ask = |way| ways::ask(self.stock.address, way, case);
        if case.is_writing() {
            // What it changes is changed then.
            drop(ask(Route::Layers));
        }
        let (fast, layers) = (ask(Route::Fast), ask(Route::Layers));
        let is_fast = fast.as_ref().is_ok_and(|told| told.fast > 0);
        if layers.as_ref().is_ok_and(|told| told.fast > 0) {
            return (is_fast, Some("a request that was led away came the fast way".to_owned()));
        }
        let difference = ways::difference(&fast, &layers);
        // A record can be read while another case changes it, and a token grow old: what is so, stays so.
        let again = || ways::difference(&ask(Route::Fast), &ask(Route::Layers));
        (is_fast, difference.and_then(|_| again()))
    }

    /// Asks something else one way than the other, which has to be found each time.
    fn planted(&self) -> Result<usize> {
        let mut found = 0;
        for (place, (target, tag)) in self.stock.tags.iter().enumerate() {
            let plain = request::Request::get(target, &self.stock.reader);
            let other = match place % 4 {
                0 => plain.clone().with(&format!("If-None-Match: {tag}")),
                1 => plain.clone().without("authorization"),
                2 => plain.clone().with("client-request-id: another"),
                _ => {
                    let mark = if target.contains('?') { '&' } else { '?' };
                    request::Request::get(&format!("{target}{mark}$select=id"), &self.stock.reader)
                }
            };
            let fast = ways::ask(self.stock.address, Route::Fast, &plain.into());
            let layers = ways::ask(self.stock.address, Route::Layers, &other.into());
            ensure!(
                ways::difference(&fast, &layers).is_some(),
                "the planted difference {place} is not found"
            );
            found += 1;
        }
        Ok(found)
    }

    fn verdict(&self, all: &Tally) -> Result<()> {
        let Tally { cases, fast, findings } = all;
        println!("{cases} cases, {fast} the fast way, {findings} findings");
        for finding in &self.findings {
            let (_, told) = finding.split_once('\n').unwrap_or(("", finding));
            println!("{told}");
        }
        ensure!(fast * 100 >= cases * LEAST_FAST, "only {fast} of {cases} went the fast way");
        let slow = cases - fast;
        ensure!(slow * 100 >= cases * LEAST_LAYERS, "only {slow} of {cases} left the fast way");
        ensure!(*findings == 0, "{findings} of {cases} cases are answered differently");
        Ok(())
    }
}
