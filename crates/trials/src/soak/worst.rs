//! Requests that are made to be costly to read: each answered, or refused, in little time and little
//! memory. Asked of a server over a connection, so that all of it counts that a sender can cause.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use odata::percent::encode_query;

use crate::http::Connection;
use crate::instance::Instance;
use crate::paths::CALL_RECORDS;
use xtask::repository::{PROFILE, fresh_folder};

/// Most time of an answer, the middle one of [`TIMES`].
const MOST_TIME: Duration = Duration::from_millis(50);
/// Most memory that an answer takes for a while, in KiB.
const MOST_MEMORY: u64 = 16 * 1024;
/// How often each is asked.
const TIMES: usize = 5;
/// Records that are there: the cost of reading a request counts, not that of a full store.
const RECORDS: u32 = 20;

/// A request: what it is, and the URL behind the server.
pub(super) struct Request {
    pub(super) name: String,
    pub(super) url: String,
}

/// What a request cost.
struct Cost {
    time: Duration,
    memory: u64,
    status: u16,
}

/// Asks everything, and tells the costliest.
///
/// # Errors
/// When an answer takes too much, or is none.
pub(super) fn ask() -> Result<()> {
    let folder = fresh_folder("worst")?;
    let store = Instance::new(PROFILE, folder.join("data"))?;
    let records = folder.join("records.ndjson");
    store.simulate(RECORDS, 1, "bench", &records)?;
    store.import(&records)?;
    let served = store.serve()?;
    let token = store.token("CallRecords.Read.All")?;
    let mut asking = Prober { url: served.url.clone(), process: served.id(), token };
    // What is made once, with the first request, is not this one's cost.
    asking.cost(&format!("{CALL_RECORDS}?$search=a&$filter=id%20eq%20'a'&$expand=sessions"))?;
    let mut costs = Vec::new();
    for Request { name, url } in requests() {
        let cost = asking.cost(&url).with_context(|| format!("{name}: {url:.200}"))?;
        costs.push((name, cost));
    }
    served.stop()?;
    tell(costs)
}

fn tell(mut costs: Vec<(String, Cost)>) -> Result<()> {
    let refused = costs.iter().filter(|(_, cost)| cost.status != 200).count();
    println!("{} requests, {refused} refused", costs.len());
    costs.sort_by_key(|(_, cost)| std::cmp::Reverse(cost.memory));
    show("most memory", &costs);
    costs.sort_by_key(|(_, cost)| std::cmp::Reverse(cost.time));
    show("most time", &costs);
    let is_over = |cost: &Cost| cost.time > MOST_TIME || cost.memory > MOST_MEMORY;
    let over = costs.iter().filter(|(_, cost)| is_over(cost)).count();
    ensure!(over == 0, "{over} requests took more than {MOST_TIME:?} or {MOST_MEMORY} KiB");
    Ok(())
}

fn show(title: &str, costs: &[(String, Cost)]) {
    println!("{title}:");
    for (name, Cost { time, memory, status }) in costs.iter().take(5) {
        println!("  {:>9.2} ms {memory:>6} KiB  {status}  {name}", time.as_secs_f64() * 1e3);
    }
}

struct Prober {
    url: String,
    process: u32,
    token: String,
}

impl Prober {
    fn cost(&mut self, url: &str) -> Result<Cost> {
        let mut times = Vec::new();
        let mut status = 0;
        self.forget_peak()?;
        let before = self.memory("VmRSS:")?;
        for _ in 0..TIMES {
            let mut connection = Connection::open(&self.url)?;
            let started = Instant::now();
            let (answered, body) = connection.get(url, &self.token)?;
            times.push(started.elapsed());
            status = answered;
            let is_known = matches!(status, 200 | 400 | 404 | 414 | 431 | 501);
            ensure!(is_known, "answered {status}: {body:.300}");
        }
        let memory = self.memory("VmHWM:")?.saturating_sub(before);
        times.sort_unstable();
        Ok(Cost { time: times[TIMES / 2], memory, status })
    }

    /// Lets the kernel begin anew with the most memory that the server had (proc(5), clear_refs).
    fn forget_peak(&self) -> Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.process), "5").context("needs Linux")
    }

    /// A line of the server's status, in KiB.
    fn memory(&self, name: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        let Some(number) = number else { bail!("the server's status has no {name}") };
        Ok(number)
    }
}

/// All of them.
pub(super) fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    let mut add = |name: String, url: String| requests.push(Request { name, url });
    for (name, filter) in filters() {
        let text = encode_query(&filter);
        add(format!("$filter: {name}"), format!("{CALL_RECORDS}?$filter={text}"));
        add(format!("$expand: {name}"), format!("{CALL_RECORDS}?$expand=sessions($filter={text})"));
        add(format!("$apply: {name}"), format!("{CALL_RECORDS}?$apply=filter({text})"));
        add(format!("path: {name}"), format!("{CALL_RECORDS}/$filter({text})/$count"));
    }
    for (name, query) in options() {
        add(name, format!("{CALL_RECORDS}?{query}"));
    }
    for (name, segment) in [
        ("names", "x/"),
        ("encoded slashes", "%2f/"),
        ("keys", "('x')/"),
        ("sessions", "sessions/"),
        ("filters", "$filter(true)/"),
        ("letters of two bytes", "%C3%BC/"),
        ("bytes that are no text", "%FF"),
        ("dots", "../"),
    ] {
        for length in [500, 4_000, 8_000, 30_000] {
            let times = length / segment.len();
            let url = format!("{CALL_RECORDS}/{}", segment.repeat(times));
            add(format!("path of {times} {name}"), url);
        }
    }
    requests
}

/// Conditions, within the limits and beyond.
fn filters() -> Vec<(String, String)> {
    let mut filters = Vec::new();
    let nested =
        |open: &str, middle: &str, close: &str, n| open.repeat(n) + middle + &close.repeat(n);
    for n in [4, 5, 15, 31, 32, 66, 99, 198, 1_000] {
        let mut add = |name: &str, text: String| filters.push((format!("{n} {name}"), text));
        add("groups", nested("(", "id eq 'x'", ")", n));
        add("negations", nested("not ", "isTest", "", n));
        add("signs", nested("-", "version", "", n) + " eq 1");
        add("calls", nested("tolower(", "id", ")", n) + " eq 'x'");
        add("patterns", nested("matchesPattern(id,'", "(a*)*b", "')", n.min(2)));
        add("cases", nested("case(true:", "1", ")", n) + " eq 1");
        add("lists", nested("[", "1", "]", n) + " eq 1");
        add("objects", nested("{\"a\":", "1", "}", n) + " eq 1");
        let lambdas: Vec<String> = (0..n).map(|at| format!("sessions/any(s{at}:")).collect();
        add("lambdas", lambdas.concat() + "true" + &")".repeat(n));
        let media: Vec<String> = (0..n).map(|at| format!("segments/any(g{at}:")).collect();
        let media = media.concat();
        add("lambdas in rows", format!("sessions/any(s:s/{media}true{})", ")".repeat(n)));
        add("counts", nested("sessions/$count($filter=", "true", ")", n));
        add("and", vec!["id eq 'x'"; n].join(" and "));
        add("or", vec!["contains(id,'x')"; n].join(" or "));
        add("additions", vec!["version"; n].join(" add ") + " eq 1");
        add("steps", format!("organizer{} eq 1", "/x".repeat(n)));
        add("numbers in a list", format!("version in ({})", vec!["1"; n].join(",")));
        add("texts in a list", format!("id in ({})", vec!["'ü'"; n].join(",")));
        add("texts without end", format!("id eq '{}", "''".repeat(n)));
        add("letters of four bytes", format!("id eq '{}'", "\u{10ffff}".repeat(n)));
        add("digits", format!("version eq {}", "9".repeat(n)));
        add("levels of a pattern", format!("matchesPattern(id,'{}')", nested("(", "a", ")*", n)));
        add("repetitions", format!("matchesPattern(id,'{}')", "(a{1,50}){1,50}".repeat(n)));
    }
    filters
}

/// Other options, within the limits and beyond.
fn options() -> Vec<(String, String)> {
    let mut options = Vec::new();
    let nested =
        |open: &str, middle: &str, close: &str, n| open.repeat(n) + middle + &close.repeat(n);
    for n in [4, 8, 20, 64, 200, 1_000, 4_000] {
        let mut add = |name: &str, text: String| options.push((format!("{n} {name}"), text));
        add("words", format!("$search={}", vec!["a*"; n].join("+OR+")));
        add("negated words", format!("$search={}a", "NOT+".repeat(n)));
        add("groups of words", format!("$search={}", nested("(", "a", ")", n)));
        add("selected", format!("$select={}", vec!["id"; n].join(",")));
        add("expanded", format!("$expand={}", vec!["sessions"; n].join(",")));
        add("expansions", format!("$expand={}", nested("sessions($expand=", "*", ")", n)));
        add("keys of an order", format!("$orderby={}", vec!["id"; n].join(",")));
        add("members", format!("$compute={}", vec!["1+as+a"; n].join(",")));
        add("steps of $apply", format!("$apply={}", vec!["identity"; n].join("/")));
        add("branches", format!("$apply={}", nested("concat(identity,", "identity", ")", n)));
        add("groups", format!("$apply={}", nested("groupby((id),", "identity", ")", n)));
        add("figures", format!("$apply=aggregate({})", vec!["$count+as+a"; n].join(",")));
        let rollup = vec!["rollup($all,type,version)"; n].join(",");
        add("roll-ups", format!("$apply=groupby(({rollup}))"));
        let twice = |at: usize| format!("@a{at}=@a{0}+and+@a{0}", at + 1);
        let aliases: Vec<String> = (0..n).map(twice).collect();
        add("aliases that double", format!("$filter=@a0&{}&@a{n}=true", aliases.join("&")));
        add("options of others", vec!["a=b"; n].join("&"));
        add("encoded bytes", format!("$filter={}", "%25".repeat(n)));
        add("bytes that are no text", format!("$filter={}", "%FF".repeat(n)));
        add("a page token", format!("$skiptoken={}", "A".repeat(4 * n)));
    }
    options
}
