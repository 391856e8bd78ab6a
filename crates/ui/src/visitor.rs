//! Who is signed in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use graph::pages::PageWorker;
use http::HeaderMap;
use odata::primitive::TICKS_PER_SECOND;
use store::{AccessRow, PageSessionRow, clock};
use web::Problem;

use crate::{READER, cookies, hash};

/// A session that was not used for so long is over: 60 min, in ticks.
const IDLE: i64 = 3_600 * TICKS_PER_SECOND;
/// A session ends after so long: 12 h.
pub(crate) const LONGEST: i64 = 12 * 3_600 * TICKS_PER_SECOND;
/// Its use is noted as often: once a minute.
const NOTED: i64 = 60 * TICKS_PER_SECOND;

/// Somebody with a session.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) session: PageSessionRow,
    /// What a form of this session has with it.
    pub(crate) form_token: String,
}

/// What a request's cookie says.
#[derive(Debug)]
pub(crate) enum Visit {
    /// Nobody is signed in.
    Nobody,
    /// A session that is over.
    Over,
    /// Somebody.
    By(Visitor),
}

impl Visitor {
    /// Finds out who sends a request.
    pub(crate) async fn of(
        worker: &PageWorker,
        headers: &HeaderMap,
        is_secure: bool,
    ) -> Result<Visit, Problem> {
        let Some(secret) = cookies::read(headers, is_secure) else { return Ok(Visit::Nobody) };
        let id_hash = hash(secret);
        let found = worker.read(|reader| reader.page_session(&id_hash))?;
        let now = clock::now();
        let Some(session) = found.filter(|it| now < it.expires && now < it.used + IDLE) else {
            return Ok(Visit::Over);
        };
        if now >= session.used + NOTED {
            worker.store().note_use_of_session(id_hash).await?;
        }
        Ok(Visit::By(Self { session, form_token: form_token(secret) }))
    }

    /// Whether they may see the calls of their tenant.
    pub(crate) fn may_read(&self) -> bool {
        self.session.roles.iter().any(|role| role == READER)
    }

    /// A line of the access log that is still to be completed.
    pub(crate) fn access(&self, page: &'static str) -> AccessRow {
        AccessRow {
            at: clock::now(),
            tenant: self.session.tenant.clone(),
            name: self.session.name.clone(),
            page: page.to_owned(),
            subject: None,
            digest: None,
            count: None,
        }
    }
}

/// Only who holds the cookie can know it, and it tells nothing of the cookie.
pub(crate) fn form_token(secret: &str) -> String {
    let key = blake3::derive_key("callvault 2026-11 forms of a session", secret.as_bytes());
    URL_SAFE_NO_PAD.encode(key)
}
