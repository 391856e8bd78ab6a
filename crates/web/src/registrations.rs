//! Whether the application of a token is still there with the roles that the token has: asked of the
//! store as often as `auth.recheck` says, for tokens of the built-in issuer. Without that setting such
//! a token counts until it expires.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use identity::{Caller, Denial, OPERATOR_APP};
use store::Reader;

use crate::problem::Problem;

/// Applications that are remembered at most.
const MOST: usize = 10_000;

/// What a thread knows of applications. Each costs one indexed read of the store in every interval,
/// and each request a look at what is known.
#[derive(Debug)]
pub(crate) struct Registrations {
    /// Seconds; `None` where tokens count until they expire.
    interval: Option<i64>,
    known: RefCell<HashMap<String, Registration>>,
}

#[derive(Debug)]
struct Registration {
    /// When the store was asked, in seconds since 1970.
    asked: i64,
    tenant: String,
    roles: Vec<String>,
}

/// Why a caller may not go on.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Its application is gone, or has lost a role.
    Token,
    /// It can't be told.
    Store(store::Error),
}

impl Registrations {
    pub(crate) fn new(interval: Option<Duration>) -> Self {
        let interval = interval.map(|interval| interval.as_secs() as i64);
        Self { interval, known: RefCell::default() }
    }

    /// Fails when the caller's application was found gone, or without a role of the token.
    pub(crate) fn check(
        &self,
        caller: &Caller,
        reader: &RefCell<Reader>,
        now: i64,
    ) -> Result<(), Refusal> {
        let Some(interval) = self.interval else { return Ok(()) };
        // An operator needs no application to make a token.
        if !caller.is_own || caller.app_id == OPERATOR_APP {
            return Ok(());
        }
        let has_all = |known: &Registration| {
            *known.tenant == caller.tenant
                && caller.roles.iter().all(|role| known.roles.contains(role))
        };
        let mut known = self.known.borrow_mut();
        // Asked in the future is asked before the clock was set back.
        let is_fresh = |known: &Registration| (0..interval).contains(&(now - known.asked));
        if known.get(&caller.app_id).is_some_and(|known| is_fresh(known) && has_all(known)) {
            return Ok(());
        }
        // Also where it had too little a moment ago: it may have got a role since.
        let app = reader.borrow_mut().app(&caller.app_id).map_err(Refusal::Store)?;
        let Some(app) = app else {
            known.remove(&caller.app_id);
            return Err(Refusal::Token);
        };
        let app =
            Registration { asked: now, tenant: app.tenant.as_str().to_owned(), roles: app.roles };
        let is_enough = has_all(&app);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(caller.app_id.clone(), app);
        if is_enough { Ok(()) } else { Err(Refusal::Token) }
    }
}

impl Refusal {
    /// As the client is told, once `denied` has been counted.
    pub(crate) fn problem(self, refuse: impl FnOnce(Denial) -> Problem) -> Problem {
        match self {
            Self::Token => refuse(Denial::Application),
            Self::Store(error) => error.into(),
        }
    }
}
