//! One request and its answer, from the first byte to the last: counted and logged when it ends.

use std::rc::Rc;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};

use crate::activity::Activity;
use crate::route::Route;
use crate::worker::Worker;

/// What is told of a request in the access log and the metrics. It ends when it is dropped:
/// after the body was handed over, or when the client left before.
#[derive(Debug)]
pub struct Exchange {
    worker: Rc<Worker>,
    activity: Rc<Activity>,
    began: Instant,
    method: Method,
    route: Route,
    /// `None` until there is an answer.
    status: Option<StatusCode>,
    request_id: String,
    bytes: u64,
}

/// What the log and the metrics say when the client left before there was an answer, as nginx does.
const CLIENT_LEFT: u16 = 499;

impl Exchange {
    /// Begins now, and the connection and the worker are told.
    pub fn begin(worker: Rc<Worker>, activity: Rc<Activity>, method: Method) -> Self {
        Self::begin_at(worker, activity, method, Instant::now())
    }

    /// Begins at an instant: that at which the request's head was read.
    pub fn begin_at(
        worker: Rc<Worker>,
        activity: Rc<Activity>,
        method: Method,
        began: Instant,
    ) -> Self {
        activity.request_begins();
        worker.request_begins();
        Self {
            worker,
            activity,
            began,
            method,
            route: Route::UNKNOWN,
            status: None,
            request_id: String::new(),
            bytes: 0,
        }
    }

    /// Time since the request's head was read.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The answer's head is made. The id is copied only when a line will be logged.
    pub fn answered(&mut self, route: Route, status: StatusCode, request_id: &str) {
        self.route = route;
        self.status = Some(status);
        if tracing::enabled!(target: "access", tracing::Level::INFO) {
            request_id.clone_into(&mut self.request_id);
        }
    }

    /// Bytes of the body were handed over.
    pub fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let status = self.status.map_or(CLIENT_LEFT, |status| status.as_u16());
        self.activity.request_ends();
        self.worker.counters().request_ends(self.route, &self.method, status, took);
        // Neither path, nor query, nor caller: they can name persons.
        tracing::info!(
            target: "access",
            method = self.method.as_str(),
            route = self.route.template,
            status,
            duration_us = took.as_micros() as u64,
            bytes = self.bytes,
            request_id = self.request_id,
        );
    }
}
