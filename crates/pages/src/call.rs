//! One call: the verdict in sentences, when its sessions were, every stream with its figures, the ends.

use maud::{Markup, html};

use crate::format::Column::{Number, Text};
use crate::format::{count, head, length, verdict, visible};
use crate::message::note;

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Id of the record.
    pub id: String,
    /// The version that is shown.
    pub version: i64,
    /// Whether a newer one is stored.
    pub is_old: bool,
    /// The addresses of all versions, ascending.
    pub versions: Vec<(i64, String)>,
    /// Address of the record as JSON.
    pub json: String,
    /// Name and value of what is known of the call.
    pub facts: Vec<(&'static str, String)>,
    /// The verdict, and by which profile.
    pub verdict: String,
    /// `cqd-2021/1`
    pub profile: String,
    /// Streams: good, poor, unclassified.
    pub counts: [u64; 3],
    /// The worst streams in sentences.
    pub sentences: Vec<String>,
    /// The sessions that are shown, the worst first.
    pub sessions: Vec<Session>,
    /// How many there are.
    pub session_count: u64,
    /// The address that shows more of them.
    pub more: Option<String>,
    /// What is missing, if the record came without its sessions or streams.
    pub missing: Option<&'static str>,
}

/// A session.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Who is at its ends.
    pub people: String,
    /// When it began, in thousandths of the call, and how long it was; none if the record does not say.
    pub span: Option<(u32, u32)>,
    /// Its length in seconds, if the record says when it began and ended.
    pub seconds: Option<u64>,
    /// Its verdict.
    pub verdict: String,
    /// A test of a device or network, which counts nowhere.
    pub is_test: bool,
    /// Where it failed, and why.
    pub failure: Option<String>,
    /// Its streams.
    pub streams: Vec<Stream>,
    /// What is known of caller and callee.
    pub ends: [Vec<(&'static str, String)>; 2],
}

/// A stream.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Label of its media.
    pub label: String,
    /// Who heard or saw whom.
    pub people: String,
    /// Its verdict.
    pub verdict: String,
    /// Why, and what is worth a look.
    pub reasons: Vec<String>,
    /// Packets.
    pub packets: Option<u64>,
    /// Lost, in percent.
    pub loss: Option<f64>,
    /// In milliseconds.
    pub jitter: Option<f64>,
    /// In milliseconds.
    pub round_trip: Option<f64>,
}

/// The page below its heading.
pub fn page(view: &Call) -> Markup {
    let [good, poor, unclassified] = view.counts;
    html! {
        @if view.is_old {
            @let newest = view.versions.last().map(|(_, address)| ("Show the newest", address.as_str()));
            (note(&format!("This is version {}; a newer one is stored.", view.version), newest))
        }
        p {
            (verdict(&view.verdict)) " by " code { (view.profile) } "; streams: "
            (count(good)) " good, " (count(poor)) " poor, " (count(unclassified)) " unclassified"
        }
        @if let Some(missing) = view.missing { (note(missing, None)) }
        @if !view.sentences.is_empty() {
            ul class="reasons" { @for sentence in &view.sentences { li { (visible(sentence)) } } }
        }
        h2 { "Call" }
        (facts(&view.facts))
        h2 { "Sessions" }
        @if view.session_count > view.sessions.len() as u64 {
            p class="soft" {
                (view.sessions.len()) " of " (count(view.session_count)) ", the worst first"
            }
        }
        @if !view.sessions.is_empty() { (timeline(&view.sessions)) }
        @for (number, session) in view.sessions.iter().enumerate() { (details(number, session)) }
        @if let Some(more) = &view.more { p class="pager" { a href=(more) { "Show more sessions" } } }
        h2 { "Record" }
        p {
            a href=(view.json) { "JSON of version " (view.version) }
            @if view.versions.len() > 1 {
                " · versions: "
                @for (version, address) in &view.versions { a href=(address) { (version) } " " }
            }
        }
    }
}

fn facts(facts: &[(&'static str, String)]) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in facts { dt { (name) } dd { (visible(value)) } }
        }
    }
}

/// When each session was, within the call.
fn timeline(sessions: &[Session]) -> Markup {
    html! {
        div class="wide" {
            table {
                (head(&[Text("Between"), Text("Within the call"), Number("Length"), Text("Verdict")]))
                tbody {
                    @for (number, session) in sessions.iter().enumerate() {
                        tr {
                            td { a href=(format!("#session-{number}")) { (visible(&session.people)) } }
                            td {
                                svg class="bar" viewBox="0 0 1000 16" preserveAspectRatio="none"
                                    aria-hidden="true" {
                                    rect class="track" x="0" y="6" width="1000" height="4" {}
                                    @if let Some((start, width)) = session.span {
                                        rect class=(session.verdict) x=(start) y="1" height="14"
                                            width=(width.max(4)) {}
                                    }
                                }
                            }
                            td class="number" { (session.seconds.map_or_else(|| "–".to_owned(), length)) }
                            td {
                                (verdict(&session.verdict))
                                @if let Some(failure) = &session.failure { br; "✕ " (visible(failure)) }
                                @if session.is_test { br; span class="soft" { "a test, counted nowhere" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The timeline leads here by the number of the row.
fn details(number: usize, session: &Session) -> Markup {
    html! {
        details id=(format!("session-{number}")) open[session.verdict == "poor"] {
            summary { (visible(&session.people)) " " span class="soft" { (visible(&session.id)) } }
            (streams(&session.streams))
            @for (title, end) in ["Caller", "Callee"].iter().zip(&session.ends) {
                @if !end.is_empty() { h3 { (title) } (facts(end)) }
            }
        }
    }
}

fn streams(streams: &[Stream]) -> Markup {
    let number = |value: Option<f64>, unit: &str| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}\u{202f}{unit}"))
    };
    html! {
        @if streams.is_empty() {
            p class="soft" { "No streams came with this session, so it has no figures." }
        } @else {
            div class="wide" {
                table {
                    (head(&[
                        Text("Stream"), Text("Verdict"), Number("Lost"),
                        Number("Jitter"), Number("Round trip"), Number("Packets"),
                    ]))
                    tbody {
                        @for stream in streams {
                            tr {
                                td { (visible(&stream.people)) br; span class="soft" { (visible(&stream.label)) } }
                                td {
                                    (verdict(&stream.verdict))
                                    @if !stream.reasons.is_empty() {
                                        ul class="reasons" { @for reason in &stream.reasons { li { (visible(reason)) } } }
                                    }
                                }
                                td class="number" { (number(stream.loss, "%")) }
                                td class="number" { (number(stream.jitter, "ms")) }
                                td class="number" { (number(stream.round_trip, "ms")) }
                                td class="number" { (stream.packets.map_or_else(|| "–".to_owned(), count)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
