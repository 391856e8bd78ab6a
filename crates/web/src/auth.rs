//! Who asks: from the `Authorization` header to a caller, and what a caller may.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use identity::{Caller, Denial};

use crate::clock::unix_seconds;
use crate::problem::Problem;
use crate::worker::Worker;

/// The caller of a request; 401 or 403 in Graph's words, 503 when the issuer's keys are missing.
///
/// A token that was verified before costs one look-up and no waiting.
pub async fn authenticate(worker: &Worker, headers: &HeaderMap) -> Result<Arc<Caller>, Problem> {
    let token = token(headers).map_err(|denied| refuse(worker, denied))?;
    let now = unix_seconds();
    let caller = if let Some(caller) = known(worker, token, now) {
        caller
    } else {
        // Rare and large: kept out of the future of every request.
        let verified = Box::pin(worker.shared.verifier.verify(token, now)).await;
        verified.map_err(|denied| refuse(worker, denied))?
    };
    let checked = worker.registrations.check(&caller, &worker.reader, now);
    checked.map_err(|refused| refused.problem(|denied| refuse(worker, denied)))?;
    Ok(caller)
}

/// The caller of a token that was verified before, still counts, and whose application is still there.
pub fn recent(worker: &Worker, token: &str, now: i64) -> Option<Arc<Caller>> {
    let caller = known(worker, token, now)?;
    worker.registrations.check(&caller, &worker.reader, now).is_ok().then_some(caller)
}

/// The caller of a token that was verified before and still counts, whatever has become of its application.
fn known(worker: &Worker, token: &str, now: i64) -> Option<Arc<Caller>> {
    worker.tokens.borrow_mut().caller(&worker.shared.verifier, token, now)
}

/// Two headers could be read differently by us and by a proxy before us, so they are refused.
fn token(headers: &HeaderMap) -> Result<&str, Denial> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    match (lines.next(), lines.next()) {
        (_, Some(_)) => Err(Denial::Malformed),
        (line, None) => identity::bearer(line.map(HeaderValue::as_bytes)),
    }
}

/// Counts a refusal and words it.
pub fn refuse(worker: &Worker, denied: Denial) -> Problem {
    worker.shared.metrics.denied(denied);
    let problem = Problem::from(denied);
    let status = problem.code().status().as_u16();
    tracing::info!(status, reason = %denied, "a caller was refused");
    problem
}

/// 403 unless the caller has one of the roles. Graph's own has an empty message; ours names the roles.
pub fn require(worker: &Worker, caller: &Caller, roles: &[&str]) -> Result<(), Problem> {
    if caller.has_any(roles) {
        return Ok(());
    }
    worker.shared.metrics.role_missing();
    let needed = roles.join(" or ");
    let Caller { tenant, app_id, roles: has, .. } = caller;
    let reason = format!("its token has no role {needed}");
    tracing::info!(status = 403, reason, ?has, tenant, app_id, "a caller was refused");
    if !worker.shared.options.names_missing_roles {
        return Err(Problem::forbidden());
    }
    let message = format!("The token has no role that this request needs: {needed}.");
    Err(Problem::forbidden_because(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bearer_header_carries_the_token() {
        let cases: [(&[&str], Result<&str, Denial>); 4] = [
            (&["Bearer abc"], Ok("abc")),
            (&[], Err(Denial::Empty)),
            (&[""], Err(Denial::Empty)),
            (&["Bearer abc", "Bearer abc"], Err(Denial::Malformed)),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(AUTHORIZATION, line.parse().unwrap());
            }
            assert_eq!(token(&headers), expected, "{lines:?}");
        }
    }
}
