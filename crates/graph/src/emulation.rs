//! Addresses by which a server that misbehaves on demand is told how: its clock, its faults, and what
//! clients have sent. They are there only when an emulator was given at the start.
//!
//! Whoever moves the clock can have records erased. So a token of an administrator is asked for,
//! unless the server can be reached from its own machine only.

use std::sync::Arc;

use bytes::Bytes;
use emulator::{Emulator, Rules, RulesError};
use http::{Method, StatusCode};
use odata::json::Node;
use odata::primitive::{DateTimeOffset, Duration};
use store::clock;
use web::body::{Body, content_type};
use web::negotiate::Format;
use web::{Arrival, Problem, Response, Worker, auth};

use crate::routes::{self, Handler};

/// What these addresses begin with.
pub(crate) const PREFIX: &str = "/callvault.";

/// Where the clock begins and ends.
const FIRST_INSTANT: &str = "1970-01-01T00:00:00Z";
const LAST_INSTANT: &str = "9999-12-31T00:00:00Z";

/// Most bytes of a body.
const LARGEST: usize = 1 << 20;

/// Answers a request to one of these addresses.
pub(crate) async fn answer(
    worker: &Worker,
    emulator: &Arc<Emulator>,
    arrival: Arrival,
) -> Result<Response, Problem> {
    if !worker.shared.options.listen.ip().is_loopback() {
        let caller = auth::authenticate(worker, &arrival.headers).await?;
        auth::require(worker, &caller, &[identity::role::ADMINISTER])?;
    }
    let Arrival { method, uri, headers, source, .. } = arrival;
    let row = routes::of_emulator(uri.path())?.select(&method)?;
    let mut body = Body::new(source, &headers, &worker.limits);
    match (row.handler, &row.method) {
        (Handler::Clock, &Method::POST) => {
            content_type(&headers, &["application/json"])?;
            move_clock(&body.read(LARGEST, None).await?)
        }
        (Handler::Clock, _) => Ok(time()),
        (Handler::Faults, &Method::PUT) => {
            let types = ["application/json", "application/toml"];
            let is_toml = content_type(&headers, &types)? == 1;
            let bytes = body.read(LARGEST, None).await?;
            emulator.replace_rules(rules(&bytes, is_toml)?);
            Ok(json(emulator.rules().to_json()))
        }
        (Handler::Faults, &Method::DELETE) => {
            emulator.replace_rules(Rules::default());
            Ok(Response::empty(StatusCode::NO_CONTENT))
        }
        (Handler::Faults, _) => Ok(json(emulator.rules().to_json())),
        (_, &Method::DELETE) => {
            emulator.clear();
            Ok(Response::empty(StatusCode::NO_CONTENT))
        }
        _ => {
            let is_final = uri.query().is_some_and(|query| query.split('&').any(is_final));
            let log = emulator.log(is_final);
            Ok(json(serde_json::to_vec(&log).map_err(Problem::internal)?))
        }
    }
}

fn json(body: impl Into<Bytes>) -> Response {
    Response::json(Format::default(), body)
}

fn is_final(option: &str) -> bool {
    option == "final=true"
}

fn time() -> Response {
    json(format!("{{\"dateTime\":\"{}\"}}", DateTimeOffset(clock::now())))
}

/// `{"dateTime":"2026-12-01T00:00:00Z"}` or `{"advance":"PT25H"}`
fn move_clock(body: &[u8]) -> Result<Response, Problem> {
    let expected = |target: &'static str| {
        let message =
            "Expected {\"dateTime\":\"2026-12-01T00:00:00Z\"} or {\"advance\":\"PT25H\"}.";
        Problem::bad_request(message).with_target(target)
    };
    let text = std::str::from_utf8(body).map_err(|_| expected(""))?;
    let node =
        Node::parse_foreign(text).map_err(|error| Problem::bad_request(error.to_string()))?;
    let value = |name: &str| Some(node.get(name)?.as_text()?.value().into_owned());
    let to = match (node.as_object().map(<[_]>::len), value("dateTime"), value("advance")) {
        (Some(1), Some(instant), None) => {
            DateTimeOffset::parse(&instant).ok_or_else(|| expected("/dateTime"))?.0
        }
        (Some(1), None, Some(by)) => {
            let by = Duration::parse(&by).ok_or_else(|| expected("/advance"))?;
            clock::now().saturating_add(by.0)
        }
        _ => return Err(expected("")),
    };
    let years = [FIRST_INSTANT, LAST_INSTANT].map(DateTimeOffset::parse);
    let [Some(first), Some(last)] = years else { return Err(expected("")) };
    if !(first.0..=last.0).contains(&to) {
        return Err(Problem::bad_request("The clock goes from the year 1970 to the year 9999."));
    }
    clock::move_to(to);
    tracing::info!(to = %DateTimeOffset(to), "the clock was moved");
    Ok(time())
}

fn rules(bytes: &[u8], is_toml: bool) -> Result<Rules, Problem> {
    let rules = if is_toml {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Problem::bad_request("The body is not UTF-8 text."))?;
        Rules::from_toml(text)
    } else {
        Rules::from_json(bytes)
    };
    rules.map_err(|RulesError { place, message }| Problem::bad_request(message).with_target(place))
}
