//! Batches as multipart messages: from their parts to members, and from answers to parts (OData Protocol
//! 11.7.7).
//!
//! Members run one behind the other. A change set must be carried out whole or not at all, which a single
//! request always is; of several none is carried out.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use odata::multipart::{Part, PartRequest, read as parts};
use web::layers::{METHODS, MemberAnswer, refuse_member};
use web::request_id::RequestIdText;
use web::{Application, Problem};

use super::payload::{MOST, Member, NOT_TAKEN, address};
use super::references::References;
use super::{Run, has_failed, shown};
use crate::version::ApiVersion;

/// A part of a batch.
#[derive(Debug)]
pub(super) enum Piece {
    Request(Box<Member>),
    ChangeSet(Vec<Member>),
}

/// What a part is answered.
#[derive(Debug)]
pub(super) struct PieceAnswer {
    pub(super) id: Option<String>,
    pub(super) answer: MemberAnswer,
    /// It stands in a change set that was carried out.
    pub(super) is_in_set: bool,
}

/// Reads a batch of a version. `public` is the address that all links begin with.
pub(super) fn read(
    body: &[u8],
    boundary: &str,
    version: ApiVersion,
    public: &str,
) -> Result<Vec<Piece>, Problem> {
    let refuse = |fault: odata::multipart::Fault| Problem::bad_request(fault.to_string());
    let parts = parts(body, boundary, MOST).map_err(refuse)?;
    if parts.is_empty() {
        return Err(Problem::bad_request(format!(
            "A batch has 1 to {MOST} requests, this one none."
        )));
    }
    let mut pieces = Vec::with_capacity(parts.len());
    for (number, part) in parts.iter().enumerate() {
        let member = |request: &PartRequest<'_>| {
            let member = member(request, version, public);
            member.map_err(|message| {
                Problem::bad_request(format!("Part {} of the batch: {message}.", number + 1))
            })
        };
        pieces.push(match part {
            Part::Request(request) => Piece::Request(Box::new(member(request)?)),
            Part::ChangeSet(requests) => {
                Piece::ChangeSet(requests.iter().map(member).collect::<Result<_, _>>()?)
            }
        });
    }
    Ok(pieces)
}

fn member(
    request: &PartRequest<'_>,
    version: ApiVersion,
    public: &str,
) -> Result<Member, &'static str> {
    let method = METHODS.into_iter().find(|known| known.as_str() == request.method);
    let mut headers = HeaderMap::new();
    for (name, value) in &request.lines {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| NO_LINE)?;
        let value = HeaderValue::from_str(value).map_err(|_| NO_LINE)?;
        if !NOT_TAKEN.contains(&name) {
            headers.append(name, value);
        }
    }
    Ok(Member {
        id: request.id.unwrap_or_default().to_owned(),
        method: method.ok_or("there is no such method")?,
        uri: address(request.target, version, public).ok_or("its address is none")?,
        headers,
        body: Bytes::copy_from_slice(request.body),
        depends_on: Vec::new(),
    })
}

const NO_LINE: &str = "it has a header line that is none";

/// Carries parts out in their order, up to the first that fails unless all are wanted.
pub(super) async fn run<A: Application>(
    run: &Run<'_, A>,
    pieces: Vec<Piece>,
    goes_on: bool,
) -> Vec<PieceAnswer> {
    let mut answers = Vec::with_capacity(pieces.len());
    let mut known = References::default();
    for piece in pieces {
        let answered = match piece {
            Piece::Request(member) => answer(run, *member, &mut known, false).await,
            Piece::ChangeSet(members) => change(run, members, &mut known).await,
        };
        let Some(answered) = answered else { continue };
        let ends = has_failed(Some(&answered.answer)) && !goes_on;
        answers.push(answered);
        if ends {
            break;
        }
    }
    answers
}

/// Carries out a change set; `None` for one without requests.
async fn change<A: Application>(
    run: &Run<'_, A>,
    mut members: Vec<Member>,
    known: &mut References,
) -> Option<PieceAnswer> {
    let single = members.pop()?;
    let problem = if !members.is_empty() {
        Problem::not_supported(
            "A change set of several requests is not supported yet: each is carried out by itself.",
        )
    } else if single.method == Method::GET || single.method == Method::HEAD {
        Problem::bad_request("A change set has no requests that read.")
    } else {
        return answer(run, single, known, true).await;
    };
    let answer = refuse_member(run.app.worker(), &single.headers, &problem);
    Some(PieceAnswer { id: None, answer, is_in_set: false })
}

async fn answer<A: Application>(
    run: &Run<'_, A>,
    mut member: Member,
    known: &mut References,
    is_in_set: bool,
) -> Option<PieceAnswer> {
    let id = (!member.id.is_empty()).then(|| member.id.clone());
    let answer = match known.resolve(&mut member.uri) {
        Ok(()) => {
            let uri = member.uri.clone();
            let answer = run.begin(member).await;
            known.add(id.as_deref(), &uri, &answer, run.public());
            answer
        }
        Err(failed) => {
            let problem = Problem::failed_dependency(&failed);
            refuse_member(run.app.worker(), &member.headers, &problem)
        }
    };
    // One that failed is answered for the whole set.
    let is_in_set = is_in_set && !has_failed(Some(&answer));
    Some(PieceAnswer { id, answer, is_in_set })
}

/// The parts of the answer, between lines with this boundary.
pub(super) fn write(answers: &[PieceAnswer], boundary: RequestIdText) -> Vec<u8> {
    let mut out = Vec::new();
    for answer in answers {
        push(&mut out, &["--", boundary.as_str(), "\r\n"]);
        if answer.is_in_set {
            let inner = ["changesetresponse_", boundary.as_str()].concat();
            push(&mut out, &["Content-Type: multipart/mixed; boundary=", &inner, "\r\n\r\n"]);
            push(&mut out, &["--", &inner, "\r\n"]);
            write_answer(&mut out, answer);
            push(&mut out, &["--", &inner, "--\r\n"]);
        } else {
            write_answer(&mut out, answer);
        }
    }
    push(&mut out, &["--", boundary.as_str(), "--\r\n"]);
    out
}

fn write_answer(out: &mut Vec<u8>, PieceAnswer { id, answer, .. }: &PieceAnswer) {
    push(out, &["Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"]);
    if let Some(id) = id {
        push(out, &["Content-ID: ", id, "\r\n"]);
    }
    let status = answer.status;
    let reason = status.canonical_reason().unwrap_or_default();
    push(out, &["\r\nHTTP/1.1 ", status.as_str(), " ", reason, "\r\n"]);
    for (name, value) in &answer.lines {
        push(out, &[&shown(name), ": "]);
        out.extend_from_slice(value.as_bytes());
        push(out, &["\r\n"]);
    }
    let body = answer.content.as_ref().map(|(_, bytes)| bytes.as_ref());
    if let Some(body) = body {
        push(out, &["Content-Length: ", &body.len().to_string(), "\r\n"]);
    }
    push(out, &["\r\n"]);
    out.extend_from_slice(body.unwrap_or_default());
    push(out, &["\r\n"]);
}

fn push(out: &mut Vec<u8>, texts: &[&str]) {
    for text in texts {
        out.extend_from_slice(text.as_bytes());
    }
}
