//! The answer to a write, to be awaited by tasks or waited for by threads.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot::Receiver;

use crate::Error;

/// A write that is under way. Dropping it does not take the write back.
#[derive(Debug)]
#[must_use = "a write has happened once its Pending has resolved"]
pub struct Pending<T> {
    receiver: Receiver<Result<T, Error>>,
}

impl<T> Pending<T> {
    pub(crate) fn new(receiver: Receiver<Result<T, Error>>) -> Self {
        Self { receiver }
    }

    /// Blocks until the write is durable or has failed.
    ///
    /// For threads only: inside an asynchronous task, await instead.
    ///
    /// # Panics
    ///
    /// Within an asynchronous execution context.
    pub fn wait(self) -> Result<T, Error> {
        self.receiver.blocking_recv().unwrap_or_else(|_| Err(Error::stopped()))
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver)
            .poll(context)
            .map(|answer| answer.unwrap_or_else(|_| Err(Error::stopped())))
    }
}
