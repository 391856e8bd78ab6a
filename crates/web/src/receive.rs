//! The other side of a notification: takes requests on a socket of this machine.

use std::convert::Infallible;
use std::io;
use std::rc::Rc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Most bytes of a message.
const LARGEST: u64 = 4 << 20;

/// Gives the target and the body of each request to `take`, and accepts it if that says so, until
/// it is dropped. For a runtime with local tasks.
///
/// # Errors
/// When no connection can be accepted any more.
pub async fn receive(
    listener: TcpListener,
    take: impl Fn(&str, &[u8]) -> bool + 'static,
) -> io::Result<()> {
    let take = Rc::new(take);
    loop {
        let (stream, _) = listener.accept().await?;
        let take = Rc::clone(&take);
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| {
                let take = Rc::clone(&take);
                async move { Ok::<_, Infallible>(answer(request, &*take).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            // One that breaks is the sender's to make anew.
            let _ = connection.await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    take: &dyn Fn(&str, &[u8]) -> bool,
) -> Response<Empty<Bytes>> {
    let target = request.uri().path().to_owned();
    let body = request.into_body();
    let is_small = body.size_hint().upper().is_some_and(|bytes| bytes <= LARGEST);
    let is_taken = is_small
        && match body.collect().await {
            Ok(body) => take(&target, &body.to_bytes()),
            Err(_) => false,
        };
    let status = if is_taken { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST };
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}
