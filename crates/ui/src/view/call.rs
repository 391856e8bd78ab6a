//! One call.

use graph::Local;
use graph::pages::PageWorker;
use odata::json::Node;
use odata::percent::encode_segment;
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use pages::call::{Call, Session, Stream, page as call_page};
use pages::frame::Tab;
use quality::call::Session as Judged;
use quality::{profile, sentence};
use store::{AccessRow, Reader};
use web::response::ContentType;
use web::{Code, Problem, Response};

use super::ends::{facts, name_of, party};
use crate::page::{self, Content, Surroundings};
use crate::parameters::Parameters;
use crate::questions::{self, Question, in_utc, items, milliseconds, number, string, whole};
use crate::visitor::Visitor;

/// Sessions that are shown at first, and at most.
const FIRST: usize = 20;
const MOST: usize = 2_000;
/// Pages of sessions that are read, at most; a record has 3,000 sessions in 50.
const MOST_PAGES: usize = 200;
/// Sentences about the worst streams.
const SENTENCES: usize = 3;

/// Which version of a call, and how much of it.
#[derive(Debug, Clone)]
struct CallRequest {
    id: String,
    version: Option<i64>,
    sessions: usize,
}

impl CallRequest {
    fn read(id: &str, query: Option<&str>) -> Result<Self, Problem> {
        let parameters =
            Parameters::read(query, &["version", "sessions"]).map_err(Problem::bad_request)?;
        let number = |name: &str| match parameters.get(name) {
            "" => Ok(None),
            text => text.parse::<i64>().ok().filter(|it| *it > 0).map(Some).ok_or_else(|| {
                Problem::bad_request(format!("'{name}' is no whole number from 1: {text}"))
            }),
        };
        let sessions = number("sessions")?.and_then(|it| usize::try_from(it).ok());
        let sessions = sessions.unwrap_or(FIRST).min(MOST);
        Ok(Self { id: id.to_owned(), version: number("version")?, sessions })
    }

    fn path(&self) -> String {
        questions::record(&self.id, self.version)
    }

    /// In place of Graph's words for a record that is not there, which speak of 30 days: what is shown here is
    /// for the settings to say.
    fn not_shown(&self, problem: Problem) -> Problem {
        match (problem.code(), self.version) {
            (Code::NotFound, None) => {
                Problem::not_there("This server shows no call with this id in this tenant.")
            }
            (Code::NotFound, Some(version)) => Problem::not_there(format!(
                "This server shows no version {version} of a call with this id in this tenant."
            )),
            _ => problem,
        }
    }
}

pub(crate) async fn answer(
    worker: &PageWorker,
    visitor: &Visitor,
    (id, query): (&str, Option<&str>),
) -> Result<Response, Problem> {
    let wanted = CallRequest::read(id, query)?;
    let base = page::base(visitor);
    let asked = wanted.clone();
    let work = move |reader: &mut Reader, local: &Local| view(reader, local, &asked, &base);
    let view = worker.ask(&visitor.session.name, &visitor.session.tenant, work).await;
    let view = view.map_err(|problem| wanted.not_shown(problem))?;
    note(worker, visitor, &view.id).await?;
    let whole = [("$expand", "sessions($expand=segments)")];
    let requests = [
        Question::new("The call", &wanted.path(), &whole),
        Question::new("Its verdict", &format!("{}/callvault.quality", wanted.path()), &[]),
    ];
    let content = Content {
        title: format!("Call {}", view.id),
        main: call_page(&view),
        requests: requests.iter().map(|it| it.request(worker.public_url())).collect(),
    };
    let visit = Some((visitor, Tab::Calls));
    let around = Surroundings { version: worker.version(), visit, search: "" };
    Ok(page::answer(around, &content))
}

/// The record as the API answers it.
pub(crate) async fn json(
    worker: &PageWorker,
    visitor: &Visitor,
    (id, query): (&str, Option<&str>),
) -> Result<Response, Problem> {
    let wanted = CallRequest::read(id, query)?;
    let options = [("$expand", "sessions($expand=segments)")];
    let question = Question::new("", &wanted.path(), &options);
    let work = move |reader: &mut Reader, local: &Local| question.text(reader, local);
    let text = worker.ask(&visitor.session.name, &visitor.session.tenant, work).await;
    let text = text.map_err(|problem| wanted.not_shown(problem))?;
    note(worker, visitor, &wanted.id).await?;
    Ok(page::guarded(Response::of(ContentType::PlainJson, text)))
}

/// Writes into the access log who sees which call.
async fn note(worker: &PageWorker, visitor: &Visitor, id: &str) -> Result<(), Problem> {
    let access = AccessRow { subject: Some(id.to_owned()), ..visitor.access("call") };
    Ok(worker.store().note_access(access).await?)
}

fn view(
    reader: &mut Reader,
    local: &Local,
    wanted: &CallRequest,
    base: &str,
) -> Result<Call, Problem> {
    let select = "id,version,type,modalities,startDateTime,endDateTime,lastModifiedDateTime,\
                  joinWebUrl,organizer_v2,callvault.quality";
    let head = Question::new("", &wanted.path(), &[("$select", select)]).text(reader, local)?;
    let head = questions::parse(&head)?;
    let id = string(&head, &["id"]).unwrap_or_default();
    let version = number(&head, &["version"]).map_or(1, |version| version as i64);
    let address = |version: i64| format!("{base}/calls/{}?version={version}", encode_segment(&id));
    let versions = versions(reader, local, &id)?;
    let newest = versions.last().copied().unwrap_or(version);
    let span = ["startDateTime", "endDateTime"].map(|name| instant(&head, name).unwrap_or(0));
    let sessions = sessions(reader, local, (wanted, span))?;
    let count = sessions.count;
    let counts = ["good", "poor", "unclassified"].map(|name| {
        ["audio", "video", "screenSharing"]
            .map(|medium| whole(&head, &["callvault.quality", medium, name]))
            .iter()
            .sum()
    });
    let shown = sessions.rows.len() as u64;
    let more = (count > shown && wanted.sessions < MOST).then(|| {
        let more = wanted.sessions * 5;
        format!("{base}/calls/{}?version={version}&sessions={more}", encode_segment(&id))
    });
    Ok(Call {
        version,
        is_old: version < newest,
        versions: versions.iter().map(|version| (*version, address(*version))).collect(),
        json: format!("{base}/calls/{}.json?version={version}", encode_segment(&id)),
        facts: call_facts(&head, span),
        verdict: string(&head, &["callvault.quality", "verdict"]).unwrap_or_default(),
        profile: string(&head, &["callvault.quality", "profile"]).unwrap_or_default(),
        counts,
        sentences: sessions.sentences,
        missing: sessions.missing,
        sessions: sessions.rows,
        session_count: count,
        more,
        id,
    })
}

fn instant(node: &Node<'_>, name: &str) -> Option<i64> {
    Some(DateTimeOffset::parse(&string(node, &[name])?)?.0)
}

fn versions(reader: &mut Reader, local: &Local, id: &str) -> Result<Vec<i64>, Problem> {
    let path = format!("{}/callvault.versions()", questions::record(id, None));
    let text = Question::new("", &path, &[("$select", "version")]).text(reader, local)?;
    let answer = questions::parse(&text)?;
    let numbers = items(&answer, "value").iter().filter_map(|it| number(it, &["version"]));
    let mut versions: Vec<i64> = numbers.map(|version| version as i64).collect();
    versions.sort_unstable();
    Ok(versions)
}

fn call_facts(head: &Node<'_>, [start, end]: [i64; 2]) -> Vec<(&'static str, String)> {
    let seconds = (end.saturating_sub(start).max(0) / TICKS_PER_SECOND) as u64;
    let modalities = items(head, "modalities").iter().filter_map(Node::as_text);
    let modalities: Vec<_> = modalities.map(|it| it.value().into_owned()).collect();
    let organizer = head.get("organizer_v2").and_then(|it| it.get("identity")).and_then(name_of);
    let people = |name: &str| number(head, &["callvault.quality", name]);
    let poor =
        people("poorPeople").map_or(String::new(), |poor| format!(", {poor} with a poor stream"));
    let all = [
        ("Start", in_utc(head, &["startDateTime"])),
        ("Length", Some(pages::format::length(seconds))),
        ("Type", string(head, &["type"])),
        ("Modalities", Some(modalities.join(", ")).filter(|it| !it.is_empty())),
        ("Organizer", organizer),
        ("People", people("people").map(|people| format!("{people}{poor}"))),
        ("Version", number(head, &["version"]).map(|version| version.to_string())),
        ("Changed", in_utc(head, &["lastModifiedDateTime"])),
        ("Meeting", string(head, &["joinWebUrl"])),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The sessions of a call.
#[derive(Debug, Default)]
struct Sessions {
    /// Those that are shown, the worst first.
    rows: Vec<Session>,
    count: u64,
    sentences: Vec<String>,
    missing: Option<&'static str>,
}

/// Reads all sessions, page by page, and keeps those that are shown.
fn sessions(
    reader: &mut Reader,
    local: &Local,
    (wanted, span): (&CallRequest, [i64; 2]),
) -> Result<Sessions, Problem> {
    let path = format!("{}/sessions", wanted.path());
    let mut url = Some(Question::new("", &path, &[("$expand", "segments")]).url);
    // With how bad each is, and its place in the record.
    let mut rows: Vec<(u64, usize, Session)> = Vec::new();
    let (mut count, mut streams, mut pages) = (0, 0, 0);
    let mut worst: Vec<(f64, String)> = Vec::new();
    while let Some(from) = url.take() {
        pages += 1;
        if pages > MOST_PAGES {
            return Err(Problem::not_supported("The call has more sessions than a page can show."));
        }
        let text = questions::text(reader, local, &from)?;
        let answer = questions::parse(&text)?;
        for node in items(&answer, "value") {
            let judged = Judged::of_json(node, profile::standard());
            streams += judged.streams.len();
            add_sentences(&mut worst, &judged);
            rows.push((badness(&judged), count, session(node, &judged, span)));
            count += 1;
        }
        url = string(&answer, &["@odata.nextLink"]);
        rows.sort_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
        rows.truncate(wanted.sessions);
    }
    worst.sort_by(|a, b| b.0.total_cmp(&a.0));
    let missing = match (count, streams) {
        (0, _) => Some("The record came without its sessions, which have the figures."),
        (_, 0) => Some("The sessions came without streams, which have the figures."),
        _ => None,
    };
    Ok(Sessions {
        rows: rows.into_iter().map(|(_, _, session)| session).collect(),
        count: count as u64,
        sentences: worst.into_iter().take(SENTENCES).map(|(_, sentence)| sentence).collect(),
        missing,
    })
}

/// How bad a session was: failures and poor streams first.
fn badness(judged: &Judged<'_>) -> u64 {
    let verdict = match judged.summary().verdict.name() {
        "poor" => 4,
        "unclassified" => 1,
        _ => 0,
    };
    verdict + if judged.failure.is_some() { 2 } else { 0 }
}

/// A sentence for each poor stream, with how far its worst figure is from the threshold.
fn add_sentences(worst: &mut Vec<(f64, String)>, judged: &Judged<'_>) {
    if judged.is_test {
        return;
    }
    for stream in &judged.streams {
        let outcome = &stream.outcome;
        if outcome.verdict.name() != "poor" {
            continue;
        }
        let Some(reason) = outcome.headline() else { continue };
        let severity = match reason {
            quality::outcome::Reason::Figure(finding) => finding.severity(),
            _ => 0.0,
        };
        worst.push((severity, format!("{}: {}.", stream.people(), sentence::reason(reason))));
    }
    worst.sort_by(|a, b| b.0.total_cmp(&a.0));
    worst.truncate(SENTENCES);
}

fn session(node: &Node<'_>, judged: &Judged<'_>, [start, end]: [i64; 2]) -> Session {
    let own = instant(node, "startDateTime").zip(instant(node, "endDateTime"));
    let whole = end.saturating_sub(start).max(1);
    let part =
        |ticks: i64| (i128::from(ticks.max(0)) * 1_000 / i128::from(whole)).clamp(0, 1_000) as u32;
    let length = |(from, to): (i64, i64)| to.saturating_sub(from).max(0);
    let failure = judged.failure.as_ref().map(|(stage, reason)| match reason {
        Some(reason) => format!("{stage}: {reason}"),
        None => stage.clone(),
    });
    let media = items(node, "segments").iter().flat_map(|segment| items(segment, "media"));
    let figures = media.flat_map(|media| items(media, "streams"));
    Session {
        id: judged.id.clone(),
        people: format!("{} and {}", party(node, "caller"), party(node, "callee")),
        span: own.map(|own| (part(own.0.saturating_sub(start)), part(length(own)))),
        seconds: own.map(|own| (length(own) / TICKS_PER_SECOND) as u64),
        verdict: judged.summary().verdict.name().to_owned(),
        is_test: judged.is_test,
        failure,
        // Both go through segments, media and streams in the order of the record.
        streams: figures.zip(&judged.streams).map(|(node, judged)| stream(node, judged)).collect(),
        ends: ["caller", "callee"].map(|end| facts(node, end)),
    }
}

fn stream(node: &Node<'_>, judged: &quality::call::Stream<'_>) -> Stream {
    let outcome = &judged.outcome;
    let reasons = outcome.reasons.iter().map(sentence::reason);
    Stream {
        label: judged.label.clone().unwrap_or_else(|| "no label".to_owned()),
        people: judged.people(),
        verdict: outcome.verdict.name().to_owned(),
        reasons: reasons.chain(outcome.watch.iter().map(sentence::watch)).collect(),
        packets: number(node, &["packetUtilization"]).map(|it| it.max(0.0) as u64),
        loss: number(node, &["averagePacketLossRate"]).map(|rate| rate * 100.0),
        jitter: milliseconds(node, &["averageJitter"]),
        round_trip: milliseconds(node, &["averageRoundTripTime"]),
    }
}
