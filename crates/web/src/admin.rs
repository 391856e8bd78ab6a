//! The second listener, for operators: health, readiness, metrics. It says nothing about records
//! and asks for no token, so it belongs on an address that only operators reach.

use std::cell::Cell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::clock::unix_seconds;
use crate::metrics::MEDIA_TYPE;
use crate::worker::Shared;

/// Connections at once; a probe, a scraper, and room.
const CONNECTIONS: usize = 32;
/// How long a request's head may take, and a connection may idle.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the listener tells about.
#[derive(Debug)]
pub(crate) struct Health {
    pub(crate) shared: Arc<Shared>,
    pub(crate) is_draining: AtomicBool,
}

/// Serves until it is dropped. Where there are too many connections, the one goes that has been silent
/// longest, so that nobody who says nothing keeps a probe from its answer.
pub(crate) async fn run(listener: TcpListener, health: Arc<Health>) {
    let mut visitors: VecDeque<AdminConnection> = VecDeque::with_capacity(CONNECTIONS);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted for administration");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        visitors.retain(|visitor| !visitor.served.is_finished());
        if visitors.len() >= CONNECTIONS {
            let silent = visitors.iter().position(|visitor| !visitor.has_asked.get());
            if let Some(visitor) = visitors.remove(silent.unwrap_or(0)) {
                visitor.served.abort();
            }
        }
        let (health, has_asked) = (Arc::clone(&health), Rc::default());
        let asked = Rc::clone(&has_asked);
        let served = tokio::task::spawn_local(async move { serve(stream, &health, &asked).await });
        visitors.push_back(AdminConnection { has_asked, served });
    }
}

/// A connection.
struct AdminConnection {
    /// Whether there was ever a request on it.
    has_asked: Rc<Cell<bool>>,
    served: JoinHandle<()>,
}

async fn serve(stream: TcpStream, health: &Health, has_asked: &Cell<bool>) {
    let service = service_fn(async |request: Request<Incoming>| {
        has_asked.set(true);
        Ok::<_, Infallible>(answer(&request, health))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection for administration broke");
    }
}

fn answer(request: &Request<Incoming>, health: &Health) -> Response<Text> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n".into());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        // The process lives and its event loop turns.
        "/healthz" => text(StatusCode::OK, "ok\n".into()),
        "/readyz" => readiness(health),
        "/metrics" => {
            let mut response = text(StatusCode::OK, metrics(&health.shared));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            response
        }
        _ => text(StatusCode::NOT_FOUND, "/healthz, /readyz or /metrics\n".into()),
    }
}

fn metrics(shared: &Shared) -> String {
    let mut text = shared.metrics.expose();
    (shared.options.metrics)(&mut text).expect("a string takes all text");
    text
}

/// Ready is who can answer a request: the store works, every issuer's keys are there, and the
/// server isn't about to end. Otherwise the reasons, a line each.
fn readiness(health: &Health) -> Response<Text> {
    let mut reasons = String::new();
    if health.is_draining.load(Ordering::Relaxed) {
        reasons.push_str("shutting down\n");
    }
    let store = &health.shared.options.store;
    if let Some(wrong) = store.wrong_file() {
        reasons.push_str(&wrong);
        reasons.push_str(": restart on the right file\n");
    } else if !store.is_available() {
        reasons.push_str("the store does not accept writes\n");
    }
    for issuer in health.shared.verifier.unready(unix_seconds()) {
        reasons.push_str("no keys of issuer ");
        reasons.push_str(&issuer);
        reasons.push('\n');
    }
    if reasons.is_empty() {
        text(StatusCode::OK, "ready\n".into())
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, reasons)
    }
}

fn text(status: StatusCode, text: String) -> Response<Text> {
    let mut response = Response::new(Text(Some(text.into())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A body that is there.
#[derive(Debug)]
struct Text(Option<Bytes>);

impl Body for Text {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
