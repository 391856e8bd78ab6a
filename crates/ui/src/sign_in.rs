//! Signing in by a link, by itself in a demo, and out.

use std::net::{IpAddr, Ipv6Addr};

use graph::pages::PageWorker;
use http::header::{HOST, LOCATION, SET_COOKIE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, StatusCode};
use model::TenantId;
use pages::sign_in::Refusal;
use store::{PageSessionRow, SignInLinkRow, clock};
use web::body::Body;
use web::{Arrival, Problem, Response};

use crate::site::AutoSignIn;
use crate::visitor::{LONGEST, Visit, Visitor};
use crate::{READER, SECRET_LENGTH, cookies, forms, hash, new_secret};

/// Bytes of a form.
const LARGEST: usize = 4_096;

/// What came of a try.
pub(crate) enum Outcome {
    /// Leads on.
    Done(Response),
    /// The code opens nothing.
    Refused(Refusal),
}

/// Takes the code of a link, or the whole link.
pub(crate) async fn by_link(
    worker: &PageWorker,
    arrival: Arrival,
    is_secure: bool,
) -> Result<Outcome, Problem> {
    if !forms::is_own(&arrival.headers, worker.public_url()) {
        return Err(Problem::forbidden_because("The form was not sent by a page of this server."));
    }
    let form = read(worker, arrival).await?;
    let pasted = forms::field(&form, "code").unwrap_or_default();
    let code = match code_of(&pasted) {
        Ok(code) => code,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    let secret = new_secret();
    let id_hash = hash(&secret);
    let begin = move |link: SignInLinkRow| session(id_hash, link.tenant, link.name, link.roles);
    let wanted = forms::field(&form, "to");
    match worker.store().sign_in(hash(code), begin).await? {
        Some(session) => {
            let wanted = wanted.as_deref();
            Ok(Outcome::Done(signed_in((&session, &secret), wanted, is_secure)))
        }
        None => Ok(Outcome::Refused(Refusal::Link)),
    }
}

/// The code in what somebody pasted: a whole link, or the code by itself.
fn code_of(pasted: &str) -> Result<&str, Refusal> {
    let pasted = pasted.trim();
    let code = match pasted.rsplit_once('#') {
        Some((_, code)) => code,
        None if pasted.contains('/') => return Err(Refusal::NoCode),
        None => pasted,
    };
    match code.chars().count() {
        SECRET_LENGTH => Ok(code),
        0 if code.len() < pasted.len() => Err(Refusal::NoCode),
        found => Err(Refusal::Length { expected: SECRET_LENGTH, found }),
    }
}

/// Signs in a visitor of a demo, if they come from this machine and by its name: a page of somebody else's
/// that a name leads here has that name in `Host`.
pub(crate) async fn by_itself(
    worker: &PageWorker,
    (auto, arrival): (&AutoSignIn, &Arrival),
    is_secure: bool,
) -> Result<Option<Response>, Problem> {
    if !is_local(&arrival.headers, arrival.activity.peer().address()) {
        return Ok(None);
    }
    let secret = new_secret();
    let roles = vec![READER.to_owned()];
    let session = session(hash(&secret), auto.tenant.clone(), auto.name.clone(), roles);
    worker.store().begin_page_session(session.clone()).await?;
    let wanted = arrival.uri.path_and_query().map(PathAndQuery::as_str);
    Ok(Some(signed_in((&session, &secret), wanted, is_secure)))
}

/// Ends the session of a form.
pub(crate) async fn out(
    worker: &PageWorker,
    arrival: Arrival,
    is_secure: bool,
) -> Result<Response, Problem> {
    let visit = Visitor::of(worker, &arrival.headers, is_secure).await?;
    let is_own = forms::is_own(&arrival.headers, worker.public_url());
    let form = read(worker, arrival).await?;
    if let Visit::By(visitor) = visit {
        let is_meant = forms::field(&form, "token").is_some_and(|it| it == visitor.form_token);
        if !is_own || !is_meant {
            return Err(Problem::forbidden_because(
                "The form was not sent by a page of this session.",
            ));
        }
        worker.store().end_page_sessions(Some(visitor.session.id_hash)).await?;
    }
    Ok(to("/ui/?out=1").with_header(SET_COOKIE, cookies::remove(is_secure)))
}

/// Leads a browser on.
pub(crate) fn to(address: &str) -> Response {
    let address = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("/ui/"));
    Response::empty(StatusCode::SEE_OTHER).with_header(LOCATION, address)
}

async fn read(worker: &PageWorker, arrival: Arrival) -> Result<Vec<u8>, Problem> {
    let mut body = Body::new(arrival.source, &arrival.headers, worker.limits());
    Ok(body.read(LARGEST, None).await?.to_vec())
}

fn session(
    id_hash: [u8; 32],
    tenant: TenantId,
    name: String,
    roles: Vec<String>,
) -> PageSessionRow {
    let now = clock::now();
    PageSessionRow { id_hash, tenant, name, roles, created: now, used: now, expires: now + LONGEST }
}

/// Leads to the page that was wanted, if it is one of the tenant.
fn signed_in(
    (session, secret): (&PageSessionRow, &str),
    wanted: Option<&str>,
    is_secure: bool,
) -> Response {
    let start = format!("/ui/{}/", session.tenant);
    let address = wanted.filter(|wanted| wanted.starts_with(&start)).unwrap_or(&start);
    to(address).with_header(SET_COOKIE, cookies::set(secret, is_secure))
}

/// Whether a request comes from this machine, to this machine's own name.
fn is_local(headers: &HeaderMap, peer: IpAddr) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    // Of IPv6 the server knows the network only, and that of the loopback is all zeros.
    let is_here = peer.is_loopback() || peer == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    is_here && matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_is_a_code_or_is_told_what_it_lacks() {
        let code = new_secret();
        let link = format!("http://127.0.0.1:8080/ui/sign-in#{code}");
        for whole in [&code, &link, &format!(" {link}\n")] {
            assert_eq!(code_of(whole), Ok(code.as_str()), "{whole}");
        }
        let (without, _) = link.split_once('#').unwrap();
        for cut in [without, &link[..=without.len()]] {
            assert_eq!(code_of(cut), Err(Refusal::NoCode), "{cut}");
        }
        let short = |found| Err(Refusal::Length { expected: SECRET_LENGTH, found });
        assert_eq!(code_of("hello"), short(5));
        assert_eq!(code_of(&link[..link.len() - 1]), short(SECRET_LENGTH - 1));
        assert_eq!(code_of(""), short(0));
    }

    #[test]
    fn a_demo_signs_in_this_machine_only() {
        let is = |host: &'static str, peer: &str| {
            let headers = [(HOST, HeaderValue::from_static(host))].into_iter().collect();
            is_local(&headers, peer.parse().unwrap())
        };
        for host in ["127.0.0.1:8080", "localhost", "[::1]:8080"] {
            assert!(is(host, "127.0.0.1") && is(host, "::"), "{host}");
            assert!(!is(host, "192.0.2.1"), "{host}");
        }
        for host in ["evil.example:8080", "127.0.0.1.evil.example", "localhost.evil:1", ""] {
            assert!(!is(host, "127.0.0.1"), "{host}");
        }
    }
}
