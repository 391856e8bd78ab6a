//! The body of an answer: bytes that are there, or a stream that is still being made.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::exchange::Exchange;

/// Pieces that may wait for the client before their maker has to.
const PIECES: usize = 8;

/// The maker's end of a stream. Dropped before [`Sender::finish`], it cuts the connection, so that
/// a client can't take half an answer for a whole one.
#[derive(Debug)]
pub(crate) struct Sender {
    pieces: mpsc::Sender<Bytes>,
    is_whole: Arc<AtomicBool>,
}

/// The client's end of a stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pieces: mpsc::Receiver<Bytes>,
    is_whole: Arc<AtomicBool>,
}

/// The client is gone.
#[derive(Debug, thiserror::Error)]
#[error("the client has gone")]
pub(crate) struct Gone;

/// A stream of bytes.
pub(crate) fn stream() -> (Sender, Stream) {
    let (sender, receiver) = mpsc::channel(PIECES);
    let is_whole = Arc::new(AtomicBool::new(false));
    let stream = Stream { pieces: receiver, is_whole: Arc::clone(&is_whole) };
    (Sender { pieces: sender, is_whole }, stream)
}

impl Sender {
    /// Waits while the client reads slower than we write.
    pub(crate) async fn send(&self, bytes: Bytes) -> Result<(), Gone> {
        self.pieces.send(bytes).await.map_err(|_| Gone)
    }

    /// Ends the answer well.
    pub(crate) fn finish(self) {
        self.is_whole.store(true, Ordering::Release);
    }
}

/// What hyper sends. It holds the exchange, which ends when the body has been handed over or the
/// client has gone.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    content: BodyContent,
    exchange: Exchange,
}

/// What there is to send.
#[derive(Debug)]
pub(crate) enum BodyContent {
    /// Nothing, or nothing more.
    Empty,
    /// Bytes that are there.
    Bytes(Bytes),
    /// Bytes to come.
    Stream(Stream),
}

/// The maker of a stream gave up; hyper cuts the connection.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub(crate) struct BrokenOff;

impl ResponseBody {
    pub(crate) fn new(content: BodyContent, exchange: Exchange) -> Self {
        Self { content, exchange }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = self.get_mut();
        let data = match &mut this.content {
            BodyContent::Empty => return Poll::Ready(None),
            BodyContent::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                this.content = BodyContent::Empty;
                bytes
            }
            BodyContent::Stream(stream) => {
                let Some(bytes) = ready!(stream.pieces.poll_recv(context)) else {
                    let is_whole = stream.is_whole.load(Ordering::Acquire);
                    this.content = BodyContent::Empty;
                    return Poll::Ready((!is_whole).then_some(Err(BrokenOff)));
                };
                bytes
            }
        };
        this.exchange.sent(data.len());
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.content, BodyContent::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            BodyContent::Empty => SizeHint::with_exact(0),
            BodyContent::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            BodyContent::Stream(_) => SizeHint::default(),
        }
    }
}
