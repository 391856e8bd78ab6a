//! A member of a batch: answered behind the same layers as any request, but into a value.

use std::rc::Rc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use odata::ODataVersion;

use super::{guard, refusal, stamp};
use crate::answer_budget::InFlight;
use crate::application::Application;
use crate::exchange::Exchange;
use crate::negotiate;
use crate::problem::Problem;
use crate::request::Arrival;
use crate::request_id::RequestIds;
use crate::response::{Content, ContentType, Response};
use crate::timings::Trace;
use crate::worker::Worker;

/// What a member is answered.
#[derive(Debug)]
pub struct MemberAnswer {
    /// The status.
    pub status: StatusCode,
    /// The header lines.
    pub lines: HeaderMap,
    /// The body, if there is one.
    pub content: Option<(ContentType, Bytes)>,
    /// Has its bytes count as long as they are held.
    pub in_flight: Option<InFlight>,
}

/// Answers a member, with an exchange and ids of its own. Never fails, as no request does.
pub async fn answer_member<A: Application>(app: &Rc<A>, arrival: Arrival) -> MemberAnswer {
    let worker = app.worker();
    let activity = Rc::clone(&arrival.activity);
    let mut exchange = Exchange::begin(Rc::clone(worker), activity, arrival.method.clone());
    let ids = RequestIds::new(&worker.request_ids, &arrival.headers);
    let version = negotiate::version(&arrival.headers);
    let is_head = arrival.method == Method::HEAD;
    let mut trace = Trace::default();
    let outcome = guard(app.enter(arrival, &mut trace, &ids)).await.and_then(whole);
    let response = outcome.unwrap_or_else(|problem| {
        problem.log(&ids);
        refusal(&problem, &ids)
    });
    exchange.answered(trace.route, response.status, ids.request());
    let answer = finish(response, version, ids, is_head);
    exchange.sent(answer.content.as_ref().map_or(0, |(_, bytes)| bytes.len()));
    answer
}

/// Answers a member that is not carried out.
pub fn refuse_member(worker: &Worker, headers: &HeaderMap, problem: &Problem) -> MemberAnswer {
    let ids = RequestIds::new(&worker.request_ids, headers);
    finish(refusal(problem, &ids), negotiate::version(headers), ids, false)
}

fn finish(
    response: Response,
    version: ODataVersion,
    ids: RequestIds,
    is_head: bool,
) -> MemberAnswer {
    let Response { status, content, etag, applied, headers, in_flight } = response;
    let mut lines = HeaderMap::with_capacity(8);
    let content = match content {
        Content::Bytes(content_type, bytes) => {
            lines.insert(CONTENT_TYPE, content_type.header());
            (!is_head).then_some((content_type, bytes))
        }
        Content::Empty | Content::Stream(..) => None,
    };
    stamp(&mut lines, version, etag, applied);
    ids.stamp(&mut lines);
    lines.extend(headers.into_iter().map(|(name, value)| (Some(name), value)));
    MemberAnswer { status, lines, content, in_flight }
}

/// 501 for what has no end yet: lines of NDJSON are no value in another answer.
fn whole(response: Response) -> Result<Response, Problem> {
    match response.content {
        Content::Stream(..) => Err(Problem::not_supported(
            "An answer of many lines is none for a batch: send the request by itself.",
        )),
        _ => Ok(response),
    }
}
