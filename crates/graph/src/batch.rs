//! `POST /$batch`: up to 20 requests in one (Graph, "Combine multiple HTTP requests using JSON
//! batching"; OData JSON Format 4.01 section 19).
//!
//! Each member passes the layers that every request passes, as the caller of the batch, and is counted,
//! throttled and authorized by itself. Those that wait for nobody run beside each other; who waits for
//! others runs after them, or is answered 424 when one of them failed.

mod payload;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use http::StatusCode;
use http::header::HeaderName;
use identity::Caller;
use odata::json::push_member;
use web::answer_budget::Reader;
use web::body::{self, Body, Source};
use web::layers::{MemberAnswer, answer_member, refuse_member};
use web::response::ContentType;
use web::{Activity, Application, Arrival, Problem, Response, Trace, auth, elsewhere_if_large};

use crate::routes::Rows;
use crate::version::ApiVersion;
use payload::Member;

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
    body::content_type(&arrival.headers, &["application/json"])?;
    let Arrival { headers, source, activity, .. } = arrival;
    let mut reservation = worker.shared.budget.reserve(0)?;
    let mut body = Body::new(source, &headers, &worker.limits);
    let bytes = body.read(LARGEST, Some(&mut reservation)).await?;
    let (size, public) = (bytes.len(), Arc::clone(&worker.shared.public_url));
    let read = move || {
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Problem::bad_request("The body is not UTF-8 text."))?;
        payload::read(text, version, &public)
    };
    let members = elsewhere_if_large(size, read).await??;
    let began = Instant::now();
    let answers = Run { app, activity: &activity, caller: &caller }.all(members).await;
    trace.timings.stage("answer", began.elapsed());
    // The members were carried out, each within what was left; they go, and the whole comes in their place.
    let out = elsewhere_if_large(size_of(&answers), move || write(&answers)).await?;
    let reader = Reader { caller: Some(caller), peer: Arc::clone(activity.peer()) };
    let in_flight = worker.shared.answer_budget.take_anyway(out.len() as u64, &reader);
    Ok(Response::of(ContentType::PlainJson, out).counted(in_flight))
}

/// What the members have in common.
struct Run<'a, A> {
    app: &'a Rc<A>,
    activity: &'a Rc<Activity>,
    caller: &'a Arc<Caller>,
}

/// A member on its way.
type Running<'a> = Pin<Box<dyn Future<Output = MemberAnswer> + 'a>>;

impl<A: Application> Run<'_, A> {
    /// Runs all, those first that wait for nobody; the ids with their answers, in the order of the batch.
    async fn all(&self, members: Vec<Member>) -> Vec<(String, MemberAnswer)> {
        let mut answers: Vec<Option<MemberAnswer>> = members.iter().map(|_| None).collect();
        let (names, waits): (Vec<String>, Vec<Vec<usize>>) =
            members.iter().map(|member| (member.id.clone(), member.depends_on.clone())).unzip();
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
                let Some(member) = members[place].take() else { continue };
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
        names.into_iter().zip(answers).filter_map(|(id, answer)| Some((id, answer?))).collect()
    }

    fn begin(&self, member: Member) -> Running<'_> {
        let Member { method, uri, headers, body, .. } = member;
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
fn size_of(answers: &[(String, MemberAnswer)]) -> usize {
    let content = |(_, answer): &(String, MemberAnswer)| {
        answer.content.as_ref().map_or(0, |(_, bytes)| bytes.len())
    };
    answers.iter().map(|answer| content(answer) + 512).sum()
}

/// `{"responses":[…]}`.
fn write(answers: &[(String, MemberAnswer)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(size_of(answers));
    out.extend_from_slice(b"{\"responses\":[");
    for (place, (id, answer)) in answers.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_answer(&mut out, id, answer);
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
    use http::HeaderMap;
    use http::header::{CONTENT_TYPE, HeaderValue};

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
        let answers = [
            ("1".to_owned(), answer(ContentType::PlainJson, "{\"a\":1}")),
            ("two \"2\"".to_owned(), answer(ContentType::Text, "12?>")),
            ("3".to_owned(), none),
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
