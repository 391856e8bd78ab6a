//! The overview.

use std::collections::BTreeMap;

use graph::Local;
use graph::pages::PageWorker;
use odata::json::Node;
use pages::frame::Tab;
use pages::overview::{Day, Overview, Share, Subnet, filters, page as overview_page};
use quality::Medium;
use store::{Reader, clock};
use web::{Code, Problem, Response};

use crate::page::{self, Content, Surroundings};
use crate::parameters::{Days, Parameters, day_of};
use crate::questions::{self, Question, RECORDS, in_utc, items, string, whole};
use crate::visitor::Visitor;

/// Days that are shown where none are named.
const USUAL: i64 = 7;
/// Days of a range, at most.
const MOST: i64 = 366;
/// Subnets that are shown, and ends of streams that one of them has at least.
const SUBNETS: usize = 5;
const LEAST: u64 = 100;

/// In percent, of Microsoft's guide to reviewing the quality of experience.
const SETUP_TARGET: f64 = 1.0;
const DROP_TARGET: f64 = 3.0;
const AUDIO_TARGET: f64 = 3.0;
const VIDEO_TARGET: f64 = 3.0;

/// Streams by verdict.
#[derive(Debug, Clone, Copy, Default)]
struct Streams {
    good: u64,
    poor: u64,
    unclassified: u64,
}

/// The figures of a range.
#[derive(Debug, Default)]
struct Figures {
    calls: u64,
    /// Sessions: all, failed while they were set up, and broken off.
    sessions: [u64; 3],
    audio: Streams,
    video: Streams,
    days: BTreeMap<String, Streams>,
}

/// The questions of a range.
struct Questions {
    calls: Question,
    sessions: Question,
    streams: Question,
}

pub(crate) async fn answer(
    worker: &PageWorker,
    visitor: &Visitor,
    query: Option<&str>,
) -> Result<Response, Problem> {
    let (tenant, base) = (&visitor.session.tenant, page::base(visitor));
    let visit = Some((visitor, Tab::Overview));
    let around = Surroundings { version: worker.version(), visit, search: "" };
    let refused = |[from, to]: &[String; 2], problem: &Problem| {
        page::problem_with(around, problem, &filters((from, to), &base))
    };
    let parameters = match Parameters::read(query, &["from", "to"]) {
        Ok(parameters) => parameters,
        Err(message) => return Ok(refused(&Default::default(), &Problem::bad_request(message))),
    };
    let named = [parameters.get("from"), parameters.get("to")].map(str::to_owned);
    let url = worker.public_url().to_string();
    let (at, wanted) = (base.clone(), named.clone());
    let work =
        move |reader: &mut Reader, local: &Local| content(reader, local, &wanted, (&at, &url));
    match worker.ask(&visitor.session.name, tenant, work).await {
        Ok(content) => Ok(page::answer(around, &content)),
        Err(problem) if problem.code() == Code::BadRequest => Ok(refused(&named, &problem)),
        Err(problem) => Err(problem),
    }
}

/// The days that are named; else the last that have calls.
fn days(named: &[String; 2], newest: Option<&str>) -> Result<Days, Problem> {
    let days = match named {
        [from, to] if from.is_empty() && to.is_empty() => {
            let newest = newest.and_then(odata::primitive::DateTimeOffset::parse);
            Days::until(newest.map_or_else(clock::now, |it| it.0), USUAL)
        }
        [from, to] => {
            let one = |text: &'_ str, other: &'_ str| {
                if text.is_empty() { other.to_owned() } else { text.to_owned() }
            };
            Days::of(&one(from, to), &one(to, from)).map_err(Problem::bad_request)?
        }
    };
    if days.count() > MOST {
        return Err(Problem::bad_request(format!("The range has more than {MOST} days.")));
    }
    Ok(days)
}

fn content(
    reader: &mut Reader,
    local: &Local,
    named: &[String; 2],
    (base, public_url): (&str, &str),
) -> Result<Content, Problem> {
    let newest =
        Question::new("The newest call", RECORDS, &[("$select", "startDateTime"), ("$top", "1")]);
    let newest = newest.text(reader, local)?;
    let newest = items(&questions::parse(&newest)?, "value")
        .first()
        .and_then(|it| in_utc(it, &["startDateTime"]));
    let days = days(named, newest.as_deref())?;
    let asked = Questions::of(days);
    let (now, before) =
        (asked.figures(reader, local)?, Questions::of(days.before()).figures(reader, local)?);
    let [reasons, subnets] = [reasons(days), subnets(days)];
    let [from, to] = days.names();
    let view = Overview {
        calls: now.calls,
        calls_before: before.calls,
        shares: shares(&now, &before),
        days: day_rows(days, &now),
        reasons: reason_rows(&questions::parse(&reasons.text(reader, local)?)?),
        subnets: subnet_rows(&questions::parse(&subnets.text(reader, local)?)?, (base, &from, &to)),
        newest,
        from,
        to,
    };
    let asked = [asked.calls, asked.sessions, asked.streams, reasons, subnets];
    Ok(Content {
        title: "Overview".to_owned(),
        main: overview_page(&view, base),
        requests: asked.iter().map(|question| question.request(public_url)).collect(),
    })
}

impl Questions {
    fn of(days: Days) -> Self {
        let sessions = format!(
            "filter({} and isTest ne true)/groupby((failureInfo/stage),aggregate($count as sessions))",
            days.condition("callStartDateTime")
        );
        let streams = format!(
            "filter({})/compute(callvault.bucket(callStartDateTime,duration'P1D') as day)\
             /groupby((day,mediaLabel,callvault.quality/verdict),aggregate($count as streams))",
            days.condition("callStartDateTime")
        );
        let rows = |name: &str| format!("{RECORDS}/callvault.{name}()");
        Self {
            calls: Question::new(
                "Calls",
                &format!("{RECORDS}/$count"),
                &[("$filter", &days.condition("startDateTime"))],
            ),
            sessions: Question::new("Sessions", &rows("sessions"), &[("$apply", &sessions)]),
            streams: Question::new("Streams", &rows("streams"), &[("$apply", &streams)]),
        }
    }

    fn figures(&self, reader: &mut Reader, local: &Local) -> Result<Figures, Problem> {
        let calls = self.calls.text(reader, local)?;
        let mut figures =
            Figures { calls: calls.trim().parse().unwrap_or(0), ..Figures::default() };
        let sessions = self.sessions.text(reader, local)?;
        for row in items(&questions::parse(&sessions)?, "value") {
            let count = whole(row, &["sessions"]);
            let stage = string(row, &["failureInfo", "stage"]);
            figures.sessions[0] += count;
            match stage.as_deref() {
                Some("callSetup") => figures.sessions[1] += count,
                Some("midcall") => figures.sessions[2] += count,
                _ => {}
            }
        }
        let streams = self.streams.text(reader, local)?;
        for row in items(&questions::parse(&streams)?, "value") {
            figures.add_streams(row);
        }
        Ok(figures)
    }
}

impl Figures {
    fn add_streams(&mut self, row: &Node<'_>) {
        let count = whole(row, &["streams"]);
        let verdict = string(row, &["callvault.quality", "verdict"]).unwrap_or_default();
        let add = |streams: &mut Streams| match verdict.as_str() {
            "good" => streams.good += count,
            "poor" => streams.poor += count,
            "unclassified" => streams.unclassified += count,
            _ => {}
        };
        match Medium::of_label(string(row, &["mediaLabel"]).as_deref()) {
            Some(Medium::Audio) => {
                add(&mut self.audio);
                let day = string(row, &["day"]).unwrap_or_default();
                let day = day.get(..10).unwrap_or_default().to_owned();
                add(self.days.entry(day).or_default());
            }
            Some(_) => add(&mut self.video),
            None => {}
        }
    }
}

fn shares(now: &Figures, before: &Figures) -> Vec<Share> {
    let judged = |streams: Streams| (streams.poor, streams.poor + streams.good);
    let share = |title, figures: [(u64, u64); 2], target| Share {
        title,
        part: figures[0].0,
        whole: figures[0].1,
        before: figures[1],
        target,
        note: None,
    };
    let sessions = |at: usize| [now, before].map(|it| (it.sessions[at], it.sessions[0]));
    let unclassified = now.audio.unclassified;
    let audio = share("Poor audio", [now, before].map(|it| judged(it.audio)), AUDIO_TARGET);
    let note = (unclassified > 0)
        .then(|| format!("{} more could not be judged", pages::format::count(unclassified)));
    vec![
        share("Sessions not set up", sessions(1), SETUP_TARGET),
        share("Sessions broken off", sessions(2), DROP_TARGET),
        Share { note, ..audio },
        share(
            "Poor video and screen sharing",
            [now, before].map(|it| judged(it.video)),
            VIDEO_TARGET,
        ),
    ]
}

/// A row for each day of the range, also for those without streams.
fn day_rows(days: Days, figures: &Figures) -> Vec<Day> {
    let row = |at: i64| {
        let day = day_of(days.from + at * odata::primitive::TICKS_PER_DAY);
        let streams = figures.days.get(&day).copied().unwrap_or_default();
        Day { day, good: streams.good, poor: streams.poor, unclassified: streams.unclassified }
    };
    (0..days.count()).map(row).collect()
}

fn reasons(days: Days) -> Question {
    let apply = format!(
        "filter({} and callvault.quality/verdict eq 'poor')\
         /groupby((callvault.quality/reason),aggregate($count as streams))/orderby(streams desc)",
        days.condition("callStartDateTime")
    );
    let path = format!("{RECORDS}/callvault.streams()");
    Question::new("Reasons", &path, &[("$apply", &apply)])
}

fn reason_rows(answer: &Node<'_>) -> Vec<(String, u64)> {
    let rows = items(answer, "value").iter();
    rows.filter_map(|row| {
        Some((string(row, &["callvault.quality", "reason"])?, whole(row, &["streams"])))
    })
    .collect()
}

fn subnets(days: Days) -> Question {
    let apply = format!(
        "filter({} and mediaLabel eq 'main-audio' and network/subnet ne null and \
         callvault.quality/verdict in ('good','poor'))\
         /compute(case(callvault.quality/verdict eq 'poor':1,true:0) as isPoor)\
         /groupby((network/subnet),aggregate($count as judged,isPoor with sum as poor))\
         /filter(judged ge {LEAST})\
         /compute(callvault.wilson(poor,judged) as bound)/topcount({SUBNETS},bound)/orderby(bound desc)",
        days.condition("callStartDateTime")
    );
    let path = format!("{RECORDS}/callvault.legs()");
    Question::new("Subnets", &path, &[("$apply", &apply)])
}

fn subnet_rows(answer: &Node<'_>, (base, from, to): (&str, &str, &str)) -> Vec<Subnet> {
    let rows = items(answer, "value").iter();
    rows.filter_map(|row| {
        let subnet = string(row, &["network", "subnet"])?;
        let query = format!(
            "from={from}&to={to}&verdict=poor&subnet={}",
            odata::percent::encode_query(&subnet)
        );
        Some(Subnet {
            address: format!("{base}/calls?{query}"),
            judged: whole(row, &["judged"]),
            poor: whole(row, &["poor"]),
            bound: questions::number(row, &["bound"])? * 100.0,
            subnet,
        })
    })
    .filter(|row| row.poor > 0)
    .collect()
}
