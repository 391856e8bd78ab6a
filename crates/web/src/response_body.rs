//! The body of an answer as hyper sends it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::exchange::Exchange;
use crate::stream::Stream;

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
pub(crate) struct TruncatedAnswer;

impl ResponseBody {
    /// Sends this, and ends the exchange then.
    pub(crate) fn new(content: BodyContent, exchange: Exchange) -> Self {
        Self { content, exchange }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = TruncatedAnswer;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TruncatedAnswer>>> {
        let this = self.get_mut();
        let data = match &mut this.content {
            BodyContent::Empty => return Poll::Ready(None),
            BodyContent::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                this.content = BodyContent::Empty;
                bytes
            }
            BodyContent::Stream(stream) => {
                let Some(bytes) = ready!(stream.poll_piece(context)) else {
                    let is_whole = stream.is_whole();
                    this.content = BodyContent::Empty;
                    return Poll::Ready((!is_whole).then_some(Err(TruncatedAnswer)));
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
