//! `POST /$batch`: up to 20 requests in one (Graph, "Combine multiple HTTP requests using JSON
//! batching"; OData JSON Format 4.01 section 19).
//!
//! Each member passes the layers that every request passes, as the caller of the batch, and is counted,
//! throttled and authorized by itself. Those that wait for nobody run beside each other; who waits for
//! others runs after them, or is answered 424 when one of them failed.

mod multipart;
mod payload;
mod references;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode, Uri};
use identity::Caller;
use odata::json::push_member;
use odata::multipart::boundary;
use web::answer_budget::Reader;
use web::body::{self, Body, Source};
use web::layers::{MemberAnswer, answer_member, refuse_member};
use web::negotiate::quality;
use web::response::ContentType;
use web::{Activity, Application, Arrival, Problem, Response, Trace, auth, elsewhere_if_large};

use crate::routes::Rows;
use crate::version::ApiVersion;
use multipart::{Piece, PieceAnswer};
use payload::Member;
use references::References;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");

/// Most bytes of a batch: 20 records of an ordinary meeting.
const LARGEST: usize = 16 << 20;

/// Answers a batch: 200 as soon as it can be understood, whatever becomes of its members.
pub(crate) async fn answer<A: Application>(
    app: &Rc<A>,
    rows: Rows,
    version: ApiVersion,
    arrival: Arrival,
    trace: &mut Trace,
) -> Result<Response, Problem> {
    let worker = app.worker();
    trace.route = rows.label().into();
    if arrival.member_of.is_some() {
        return Err(Problem::bad_request("A batch can't be a member of a batch."));
    }
    rows.select(&arrival.method)?;
    let began = Instant::now();
    let caller = auth::authenticate(worker, &arrival.headers).await?;
    arrival.activity.token_shown();
    trace.timings.stage("auth", began.elapsed());
    let form = Form::asked(&arrival.headers)?;
    let Arrival { headers, source, activity, .. } = arrival;
    let mut reservation = worker.shared.budget.reserve(0)?;
    let mut body = Body::new(source, &headers, &worker.limits);
    let bytes = body.read(LARGEST, Some(&mut reservation)).await?;
    let (size, public) = (bytes.len(), Arc::clone(&worker.shared.public_url));
    let boundary = form.boundary.clone();
    let read = move || read(&bytes, boundary.as_deref(), version, &public);
    let pieces = elsewhere_if_large(size, read).await??;
    let began = Instant::now();
    let run = Run { app, activity: &activity, caller: &caller, version: headers.get(MAX_VERSION) };
    let answers = match pieces {
        Pieces::Members(members) => run.all(members).await,
        Pieces::Parts(parts) => multipart::run(&run, parts, form.goes_on).await,
    };
    trace.timings.stage("answer", began.elapsed());
    // The members were carried out, each within what was left; they go, and the whole comes in their place.
    let content_type = if form.answers_json {
        ContentType::PlainJson
    } else {
        ContentType::Multipart(worker.request_ids.next_text())
    };
    let made = size_of(&answers);
    let write = move || match content_type {
        ContentType::Multipart(boundary) => multipart::write(&answers, boundary),
        _ => write(&answers),
    };
    let out = elsewhere_if_large(made, write).await?;
    let reader = Reader { caller: Some(caller), peer: Arc::clone(activity.peer()) };
    let in_flight = worker.shared.answer_budget.take_anyway(out.len() as u64, &reader);
    let mut response = Response::of(content_type, out).counted(in_flight);
    if form.boundary.is_some() && form.goes_on {
        let applied = HeaderValue::from_static("odata.continue-on-error");
        response.headers.push((PREFERENCE_APPLIED, applied));
    }
    Ok(response)
}

/// How a batch is written, and how its answer is to be.
struct Form {
    /// Of a multipart message; of JSON there is none.
    boundary: Option<String>,
    answers_json: bool,
    /// Whether members are carried out behind one that failed.
    goes_on: bool,
}

impl Form {
    fn asked(headers: &HeaderMap) -> Result<Self, Problem> {
        let kind = body::content_type(headers, &["application/json", "multipart/mixed"])?;
        let line = headers.get(CONTENT_TYPE).and_then(|line| line.to_str().ok());
        let boundary = match kind {
            0 => None,
            _ => Some(line.and_then(boundary).ok_or_else(|| {
                let message = "The Content-Type of a multipart batch needs a boundary.";
                Problem::bad_request(message).with_target("Content-Type")
            })?),
        };
        Ok(Self {
            boundary: boundary.map(str::to_owned),
            answers_json: answers_json(headers, kind == 0),
            goes_on: continues_on_error(headers),
        })
    }
}

/// Whether the answer is JSON: what is accepted rather, if both forms are named, else what was sent. Clients
/// that send a multipart message accept JSON for the answers in it, and can read no other batch.
fn answers_json(headers: &HeaderMap, is_json: bool) -> bool {
    let (mut json, mut multipart) = (None, None);
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    for range in lines.flat_map(|line| line.split(',')) {
        let mut words = range.split(';').map(str::trim);
        let name = words.next().unwrap_or_default().to_ascii_lowercase();
        let q = words.find_map(|word| word.strip_prefix("q=")).map_or(1_000, quality);
        match name.as_str() {
            "application/json" => json = Some(q),
            "multipart/mixed" => multipart = Some(q),
            _ => {}
        }
    }
    match (json, multipart) {
        (Some(json), Some(multipart)) if json != multipart => json > multipart,
        (None, Some(_)) => false,
        _ => is_json,
    }
}

/// `Prefer: continue-on-error` (OData Protocol 8.2.8.3).
fn continues_on_error(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(PREFER).iter().filter_map(|line| line.to_str().ok());
    let mut preferences = lines.flat_map(|line| line.split(','));
    preferences.any(|preference| {
        let (name, value) = preference.split_once('=').unwrap_or((preference, "true"));
        let name = name.trim().to_ascii_lowercase();
        name.strip_prefix("odata.").unwrap_or(&name) == "continue-on-error"
            && value.trim().eq_ignore_ascii_case("true")
    })
}

/// What a batch asks for.
enum Pieces {
    Members(Vec<Member>),
    Parts(Vec<Piece>),
}

fn read(
    bytes: &[u8],
    boundary: Option<&str>,
    version: ApiVersion,
    public: &str,
) -> Result<Pieces, Problem> {
    if let Some(boundary) = boundary {
        return multipart::read(bytes, boundary, version, public).map(Pieces::Parts);
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Problem::bad_request("The body is not UTF-8 text."))?;
    payload::read(text, version, public).map(Pieces::Members)
}

/// What the members have in common.
struct Run<'a, A> {
    app: &'a Rc<A>,
    activity: &'a Rc<Activity>,
    caller: &'a Arc<Caller>,
    /// The version of OData that the batch accepts, for members that say nothing of it.
    version: Option<&'a HeaderValue>,
}

/// A member on its way.
type Running<'a> = Pin<Box<dyn Future<Output = MemberAnswer> + 'a>>;

impl<A: Application> Run<'_, A> {
    /// What addresses of the server begin with.
    fn public(&self) -> &str {
        &self.app.worker().shared.public_url
    }

    /// Runs all, those first that wait for nobody; the answers are in the order of the batch.
    async fn all(&self, members: Vec<Member>) -> Vec<PieceAnswer> {
        let mut answers: Vec<Option<MemberAnswer>> = members.iter().map(|_| None).collect();
        let (names, waits): (Vec<String>, Vec<Vec<usize>>) =
            members.iter().map(|member| (member.id.clone(), member.depends_on.clone())).unzip();
        let uris: Vec<Uri> = members.iter().map(|member| member.uri.clone()).collect();
        let mut members: Vec<Option<Member>> = members.into_iter().map(Some).collect();
        loop {
            let is_answered = |place: &usize| answers[*place].is_some();
            let ready: Vec<usize> = (0..names.len())
                .filter(|place| members[*place].is_some() && waits[*place].iter().all(is_answered))
                .collect();
            if ready.is_empty() {
                break;
            }
            let (mut places, mut running) = (Vec::new(), Vec::new());
            for place in ready {
                let Some(mut member) = members[place].take() else { continue };
                let mut known = References::default();
                for before in &waits[place] {
                    if let Some(answer) = &answers[*before] {
                        known.add(Some(&names[*before]), &uris[*before], answer, self.public());
                    }
                }
                let refers_to_failed = known.resolve(&mut member.uri).is_err();
                debug_assert!(
                    !refers_to_failed
                        || waits[place].iter().any(|it| has_failed(answers[*it].as_ref())),
                    "it waits for what it refers to"
                );
                let failed =
                    waits[place].iter().find(|place| has_failed(answers[**place].as_ref()));
                if let Some(failed) = failed {
                    let problem = Problem::failed_dependency(&names[*failed]);
                    answers[place] =
                        Some(refuse_member(self.app.worker(), &member.headers, &problem));
                } else {
                    places.push(place);
                    running.push(self.begin(member));
                }
            }
            for (place, answer) in places.into_iter().zip(side_by_side(running).await) {
                answers[place] = Some(answer);
            }
        }
        // The payload has no circles, so that nobody waited for ever.
        let answered =
            names.into_iter().zip(answers).filter_map(|(id, answer)| Some((id, answer?)));
        answered
            .map(|(id, answer)| PieceAnswer { id: Some(id), answer, is_in_set: false })
            .collect()
    }

    fn begin(&self, member: Member) -> Running<'_> {
        let Member { method, uri, mut headers, body, .. } = member;
        if let (Some(version), false) = (self.version, headers.contains_key(MAX_VERSION)) {
            headers.insert(MAX_VERSION, version.clone());
        }
        Box::pin(answer_member(
            self.app,
            Arrival {
                method,
                uri,
                headers,
                source: Source::Given(body),
                activity: Rc::clone(self.activity),
                member_of: Some(Arc::clone(self.caller)),
            },
        ))
    }
}

fn has_failed(answer: Option<&MemberAnswer>) -> bool {
    answer.is_some_and(|answer| answer.status >= StatusCode::BAD_REQUEST)
}

/// Drives futures beside each other on this thread until all are done.
async fn side_by_side(mut running: Vec<Running<'_>>) -> Vec<MemberAnswer> {
    let mut answers: Vec<Option<MemberAnswer>> = running.iter().map(|_| None).collect();
    // Most are answered at once, and other connections have their turn after each.
    for (one, answer) in running.iter_mut().zip(&mut answers) {
        *answer = std::future::poll_fn(|context| {
            Poll::Ready(match one.as_mut().poll(context) {
                Poll::Ready(made) => Some(made),
                Poll::Pending => None,
            })
        })
        .await;
        tokio::task::yield_now().await;
    }
    std::future::poll_fn(|context| {
        for (one, answer) in running.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(made) = one.as_mut().poll(context)
            {
                *answer = Some(made);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

/// About how many bytes the answers have, with what is around them.
fn size_of(answers: &[PieceAnswer]) -> usize {
    let content =
        |answer: &MemberAnswer| answer.content.as_ref().map_or(0, |(_, bytes)| bytes.len());
    answers.iter().map(|piece| content(&piece.answer) + 512).sum()
}

/// `{"responses":[…]}`.
fn write(answers: &[PieceAnswer]) -> Vec<u8> {
    let mut out = Vec::with_capacity(size_of(answers));
    out.extend_from_slice(b"{\"responses\":[");
    for (place, PieceAnswer { id, answer, .. }) in answers.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let number = (place + 1).to_string();
        write_answer(&mut out, id.as_deref().unwrap_or(&number), answer);
    }
    out.extend_from_slice(b"]}");
    out
}

fn write_answer(out: &mut Vec<u8>, id: &str, answer: &MemberAnswer) {
    out.push(b'{');
    push_member(out, "id", id);
    out.extend_from_slice(b",\"status\":");
    out.extend_from_slice(answer.status.as_str().as_bytes());
    out.extend_from_slice(b",\"headers\":{");
    for (place, (name, value)) in answer.lines.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        push_member(out, &shown(name), &String::from_utf8_lossy(value.as_bytes()));
    }
    out.push(b'}');
    match &answer.content {
        None => {}
        Some((ContentType::Json(_) | ContentType::PlainJson, json)) => {
            out.extend_from_slice(b",\"body\":");
            out.extend_from_slice(json);
        }
        Some((_, bytes)) => {
            out.push(b',');
            push_member(out, "body", &URL_SAFE.encode(bytes));
        }
    }
    out.push(b'}');
}

/// The name of a header line as Graph writes it into a batch.
fn shown(name: &HeaderName) -> String {
    match name.as_str() {
        "etag" => "ETag".to_owned(),
        "odata-version" => "OData-Version".to_owned(),
        name @ ("request-id" | "client-request-id") => name.to_owned(),
        name => {
            let words = name.split('-').map(|word| {
                let (first, rest) = word.split_at(word.len().min(1));
                first.to_ascii_uppercase() + rest
            });
            words.collect::<Vec<_>>().join("-")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_lines_are_as_graph_writes_them() {
        for (name, expected) in [
            ("content-type", "Content-Type"),
            ("etag", "ETag"),
            ("odata-version", "OData-Version"),
            ("retry-after", "Retry-After"),
            ("request-id", "request-id"),
        ] {
            assert_eq!(shown(&HeaderName::from_static(name)), expected);
        }
    }

    #[test]
    fn only_json_is_a_body_as_it_is() {
        let answer = |content_type, bytes: &'static str| MemberAnswer {
            status: StatusCode::OK,
            lines: HeaderMap::new(),
            content: Some((content_type, bytes.into())),
            in_flight: None,
        };
        let none = MemberAnswer {
            status: StatusCode::NO_CONTENT,
            lines: HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("a\"b"))]),
            content: None,
            in_flight: None,
        };
        let piece = |id: &str, answer| PieceAnswer {
            id: (!id.is_empty()).then(|| id.to_owned()),
            answer,
            is_in_set: false,
        };
        let answers = [
            piece("1", answer(ContentType::PlainJson, "{\"a\":1}")),
            piece("two \"2\"", answer(ContentType::Text, "12?>")),
            piece("", none),
        ];
        let text = String::from_utf8(write(&answers)).unwrap();
        assert_eq!(
            text,
            r#"{"responses":[{"id":"1","status":200,"headers":{},"body":{"a":1}},"#.to_owned()
                + r#"{"id":"two \"2\"","status":200,"headers":{},"body":"MTI_Pg=="},"#
                + r#"{"id":"3","status":204,"headers":{"Content-Type":"a\"b"}}]}"#
        );
    }
}
