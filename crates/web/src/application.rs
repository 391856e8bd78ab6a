//! What a server serves, as the server sees it.
//!
//! The server is compiled for its one application: calls across this trait are direct, and nothing of
//! them is decided while it runs.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Method;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::activity::Activity;
use crate::problem::Problem;
use crate::request::{Arrival, Request};
use crate::request_id::RequestIds;
use crate::response::Response;
use crate::start_error::StartError;
use crate::throttle::Subject;
use crate::timings::Trace;
use crate::worker::Worker;

/// An application, as each worker thread has it.
pub trait Application: Sized + 'static {
    /// What the applications of all threads share.
    type Shared: Send + Sync + 'static;
    /// Where a path leads among the resources, known before the request has passed the layers.
    type Place: Copy + 'static;
    /// What answers by itself.
    type Special;
    /// Answers on the socket itself.
    type Fast: FastWay;

    /// Made on the worker's thread.
    ///
    /// # Errors
    /// When something that it needs can't be had.
    fn new(worker: Rc<Worker>, shared: Arc<Self::Shared>) -> Result<Self, StartError>;

    /// The worker on whose thread it is.
    fn worker(&self) -> &Rc<Worker>;

    /// Serves a new connection directly for as long as that goes; `None` where nothing may pass by the
    /// layers.
    fn fast_way(self: &Rc<Self>, activity: &Rc<Activity>) -> Option<Self::Fast>;

    /// Has a request pass the layers ([`crate::layers::admit`]), perhaps with something around them.
    fn enter(
        self: &Rc<Self>,
        arrival: Arrival,
        trace: &mut Trace,
        ids: &RequestIds,
    ) -> impl Future<Output = Result<Response, Problem>>;

    /// Where a raw path leads.
    ///
    /// # Errors
    /// 404 where it leads nowhere.
    fn lead(path: &str) -> Result<Entry<Self>, Problem>;

    /// 405 for a method that nothing answers, with those that what a raw path leads to is answered by.
    fn refuse_method(self: &Rc<Self>, path: &str) -> Problem;

    /// What a request to a resource is about, as far as the limits of rates tell. `path` is that behind
    /// the start of [`Entry::Resource`].
    fn subject<'r>(method: &Method, path: &'r str, query: Option<&str>) -> Subject<'r>;

    /// Answers a request that passed the layers.
    fn answer(
        self: &Rc<Self>,
        request: &mut Request<Self::Place>,
    ) -> impl Future<Output = Result<Response, Problem>>;

    /// Answers a request that has passed the check of sizes and method alone.
    fn answer_special(
        self: &Rc<Self>,
        special: Self::Special,
        arrival: Arrival,
        trace: &mut Trace,
    ) -> impl Future<Output = Result<Response, Problem>>;
}

/// Where a path leads.
#[derive(Debug)]
pub enum Entry<A: Application> {
    /// To the resources.
    Resource {
        /// Where among them.
        place: A::Place,
        /// Where in the raw path that of the resource begins.
        path_start: usize,
        /// Whether it is answered without a token.
        is_public: bool,
    },
    /// To something that authenticates, reads and answers by itself.
    Special(A::Special),
}

/// A connection of HTTP/1.1 that is served on its socket, beside the layers.
pub trait FastWay {
    /// Goes on until the connection leaves. `is_draining` says, once, that it is to end soon.
    fn poll<I: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut I,
        context: &mut Context<'_>,
        is_draining: bool,
    ) -> Poll<Handover>;
}

/// How a connection leaves the fast way.
#[derive(Debug)]
pub enum Handover {
    /// It has ended.
    Closed,
    /// The layers go on with it, beginning with these bytes, for which nothing has been done.
    Received(Vec<u8>),
}

/// For an application that has no fast way: the value of `None`.
#[derive(Debug)]
pub enum NoFastWay {}

impl FastWay for NoFastWay {
    fn poll<I: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        _: &mut I,
        _: &mut Context<'_>,
        _: bool,
    ) -> Poll<Handover> {
        match *self {}
    }
}
