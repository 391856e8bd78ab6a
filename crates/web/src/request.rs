//! A request as the resources see it.

use std::rc::Rc;
use std::sync::Arc;

use http::header::IF_NONE_MATCH;
use http::{HeaderMap, Method, Uri};
use identity::{Caller, Denial};
use odata::percent::encode_address;

use crate::activity::Activity;
use crate::auth;
use crate::body::{Body, Source};
use crate::connection_table::Peer;
use crate::negotiate::Preferences;
use crate::problem::Problem;
use crate::response::ETag;
use crate::route::Route;
use crate::timings::Timings;
use crate::worker::Worker;

/// A request that passed the layers.
#[derive(Debug)]
pub struct Request<P> {
    /// HEAD comes as GET: the answer's body is left out on its way to the client.
    pub method: Method,
    /// Where the path led.
    pub place: P,
    /// As they came.
    pub headers: HeaderMap,
    /// What the client asks of the form of the answer.
    pub preferences: Preferences,
    /// The resource says which it is, for the metrics and the access log.
    pub route: Route,
    /// How long the stages took.
    pub timings: Timings,
    /// Whether it is a member of a batch.
    pub is_member: bool,
    uri: Uri,
    path_start: usize,
    /// Query options that came in the body, with those of the address before them.
    posted_query: Option<Box<str>>,
    caller: Option<Arc<Caller>>,
    peer: Arc<Peer>,
    body: Option<Body>,
    worker: Rc<Worker>,
}

/// What the layers know before it is a [`Request`].
#[derive(Debug)]
pub struct Arrival {
    /// As it came.
    pub method: Method,
    /// As it came.
    pub uri: Uri,
    /// As they came.
    pub headers: HeaderMap,
    /// Where the bytes of the body are.
    pub source: Source,
    /// The connection that it came by.
    pub activity: Rc<Activity>,
    /// The caller of the batch that it is a member of, if it is one.
    pub member_of: Option<Arc<Caller>>,
}

impl<P> Request<P> {
    /// From what arrived. `path_start` is where in the raw path that of the resource begins.
    pub(crate) fn new(
        worker: &Rc<Worker>,
        arrival: Arrival,
        place: P,
        path_start: usize,
        caller: Option<Arc<Caller>>,
        preferences: Preferences,
    ) -> Self {
        let Arrival { method, uri, headers, source, activity, member_of } = arrival;
        let body = Body::new(source, &headers, &worker.limits);
        Self {
            method,
            place,
            headers,
            preferences,
            route: Route::UNKNOWN,
            timings: Timings::default(),
            is_member: member_of.is_some(),
            uri,
            path_start,
            posted_query: None,
            caller,
            peer: Arc::clone(activity.peer()),
            body: Some(body),
            worker: Rc::clone(worker),
        }
    }

    /// The raw path of the resource; begins with a slash.
    pub fn path(&self) -> &str {
        let path = &self.uri.path()[self.path_start..];
        let path = match self.posted_query {
            Some(_) => without_query_segment(path).unwrap_or(path),
            None => path,
        };
        if path.is_empty() { "/" } else { path }
    }

    /// The raw query options: what stands behind the question mark, or was posted.
    pub fn query(&self) -> Option<&str> {
        self.posted_query.as_deref().or(self.uri.query())
    }

    /// Whether options came in the body.
    pub fn has_posted_query(&self) -> bool {
        self.posted_query.is_some()
    }

    /// TurnQueue a `POST …/$query` into the GET that it stands for (OData Protocol 11.2.7.3).
    pub fn become_query(&mut self, posted: &str) -> Result<(), Problem> {
        let in_address = self.uri.query().unwrap_or_default();
        let and = if in_address.is_empty() || posted.is_empty() { "" } else { "&" };
        let query = format!("{in_address}{and}{posted}");
        self.preferences = Preferences::read(&self.headers, Some(&query))?;
        self.posted_query = Some(query.into());
        self.method = Method::GET;
        Ok(())
    }

    /// The caller, if it has one of the roles. This is the only way to a tenant, so a resource
    /// can't forget to ask. 401 without a caller, 403 without the roles.
    pub fn require(&self, roles: &[&str]) -> Result<Arc<Caller>, Problem> {
        let Some(caller) = &self.caller else {
            return Err(auth::refuse(&self.worker, Denial::Empty));
        };
        auth::require(&self.worker, caller, roles)?;
        Ok(Arc::clone(caller))
    }

    /// Turns the request into one for another path, of the same version, with other options. What can't stand
    /// in an address is encoded.
    ///
    /// # Errors
    /// 400 when that is no address.
    pub fn lead_to(&mut self, path: &str, query: &str) -> Result<(), Problem> {
        let front = &self.uri.path()[..self.path_start];
        let (behind, query) = match &mut self.posted_query {
            Some(posted) => {
                *posted = query.into();
                ("/$query", "")
            }
            None => ("", query),
        };
        let mark = if query.is_empty() { "" } else { "?" };
        let address = format!("{front}{}{behind}{mark}{query}", encode_address(path));
        let no_address = |_| Problem::bad_request("This leads to no address.");
        self.uri = address.parse().map_err(no_address)?;
        Ok(())
    }

    /// Whether `If-None-Match` of a read names this tag, so that the body need not be made (RFC 9110
    /// section 13.1.2; the comparison is the weak one). For a change it is a condition.
    pub fn matches_none(&self, etag: &ETag) -> bool {
        self.method == Method::GET && etag.is_named_by(self.headers.get_all(IF_NONE_MATCH))
    }

    /// The other side of the connection that it came by.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// The body, once.
    pub fn take_body(&mut self) -> Body {
        self.body.take().expect("a handler takes the body once")
    }
}

/// The path before `/$query`, if it ends so.
pub fn without_query_segment(path: &str) -> Option<&str> {
    path.strip_suffix("/$query").or_else(|| path.strip_suffix("/%24query"))
}
