//! The body of an answer that is still being made while it is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Pieces that may wait for the client before their maker has to.
const PIECES: usize = 8;

/// The maker's end of a stream. Dropped before [`Sender::finish`], it cuts the connection, so that
/// a client can't take half an answer for a whole one.
#[derive(Debug)]
pub struct Sender {
    pieces: mpsc::Sender<Bytes>,
    is_whole: Arc<AtomicBool>,
}

/// The client's end of a stream.
#[derive(Debug)]
pub struct Stream {
    pieces: mpsc::Receiver<Bytes>,
    is_whole: Arc<AtomicBool>,
}

/// The client is gone.
#[derive(Debug, thiserror::Error)]
#[error("the client has gone")]
pub struct ClientGone;

/// A stream of bytes.
pub fn stream() -> (Sender, Stream) {
    let (sender, receiver) = mpsc::channel(PIECES);
    let is_whole = Arc::new(AtomicBool::new(false));
    let stream = Stream { pieces: receiver, is_whole: Arc::clone(&is_whole) };
    (Sender { pieces: sender, is_whole }, stream)
}

impl Sender {
    /// Waits while the client reads slower than we write.
    pub async fn send(&self, bytes: Bytes) -> Result<(), ClientGone> {
        self.pieces.send(bytes).await.map_err(|_| ClientGone)
    }

    /// Ends the answer well.
    pub fn finish(self) {
        self.is_whole.store(true, Ordering::Release);
    }
}

impl Stream {
    /// The next piece; `None` at the end, of which [`Self::is_whole`] tells whether it is a good one.
    pub(crate) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.pieces.poll_recv(context)
    }

    /// Whether the maker has ended the answer well.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole.load(Ordering::Acquire)
    }
}
