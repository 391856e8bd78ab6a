//! `/callvault/mirror/{name}/{secret}`: where sources notify mirrors. Anybody may ask here, so nothing is told but
//! that it was taken; what a body says counts only with a client state of ours (`mirror::Reception`).

use std::rc::Rc;

use http::{Method, StatusCode};
use mirror::{LARGEST, LARGEST_TOKEN, Receipt};
use odata::percent::{Plus, decode};
use web::body::Body;
use web::{Arrival, Problem, Response, Trace};

use crate::routes::Rows;
use crate::worker::Worker;

/// Answers at the address of a mirror.
pub(crate) async fn answer(
    worker: &Rc<Worker>,
    (rows, name, secret): (Rows, String, String),
    arrival: Arrival,
    trace: &mut Trace,
) -> Result<Response, Problem> {
    trace.route = rows.label().into();
    let method = rows.select(&arrival.method)?.method.clone();
    let address = worker.shared.mirrors.reception.find(&name, &secret);
    let address = address.ok_or_else(Problem::no_such_route)?;
    if let Some(token) = validation_token(arrival.uri.query())? {
        address.validated();
        return Ok(Response::text(token));
    }
    if method == Method::GET {
        return Err(Problem::bad_request("This address takes notifications by POST."));
    }
    let Arrival { headers, source, .. } = arrival;
    let mut body = Body::new(source, &headers, &worker.web.limits);
    let body = body.read(LARGEST, None).await?;
    match address.take(body).await? {
        Receipt::Taken => Ok(Response::empty(StatusCode::ACCEPTED)),
        Receipt::Malformed(why) => Err(Problem::bad_request(why)),
    }
}

/// The token that the source wants back, if it checks the address.
fn validation_token(query: Option<&str>) -> Result<Option<String>, Problem> {
    let value = query.unwrap_or_default().split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.eq_ignore_ascii_case("validationToken").then_some(value)
    });
    let Some(value) = value else { return Ok(None) };
    let token = decode(value, Plus::Space)
        .map_err(|_| Problem::bad_request("The validation token can't be read."))?;
    if token.len() > LARGEST_TOKEN {
        return Err(Problem::bad_request("The validation token is too long."));
    }
    Ok(Some(token.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validation_token_is_given_back_decoded() {
        let token = |query| validation_token(Some(query)).unwrap();
        assert_eq!(token("a=b&validationToken=x%20y+z%3D").as_deref(), Some("x y z="));
        assert_eq!(token("validationtoken=1").as_deref(), Some("1"));
        assert_eq!((token("a=b"), validation_token(None).unwrap()), (None, None));
        let long = format!("validationToken={}", "x".repeat(LARGEST_TOKEN + 1));
        assert!(validation_token(Some(&long)).is_err());
    }
}
