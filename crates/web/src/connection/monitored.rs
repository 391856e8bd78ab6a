//! A socket that tells the connection's activity what it sees, and has requests and answers pass that
//! hyper alone would refuse, or write, in words of its own.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::heads::Heads;
use super::refusals::{Refusals, is_of_hyper};
use crate::activity::Activity;

/// Passes everything else through.
pub(super) struct MonitoredStream<I> {
    io: I,
    activity: Rc<Activity>,
    /// Once hyper reads.
    heads: Option<Heads>,
    refusals: Refusals,
    /// What was read of the socket before, and is to be read again.
    given_back: Vec<u8>,
    /// What the next reader gets before anything else.
    rewritten: Vec<u8>,
    /// What is written in place of an answer of hyper's, and how many bytes that has.
    replacing: Option<(Vec<u8>, usize)>,
}

impl<I> MonitoredStream<I> {
    pub(super) fn new(io: I, activity: Rc<Activity>, refusals: Refusals) -> Self {
        Self {
            io,
            activity,
            heads: None,
            refusals,
            given_back: Vec::new(),
            rewritten: Vec::new(),
            replacing: None,
        }
    }

    /// Bytes that the next reader gets before those to come.
    pub(super) fn give_back(&mut self, bytes: Vec<u8>) {
        self.given_back = bytes;
    }

    /// Hyper reads from here on. A request begins.
    pub(super) fn follow_heads(&mut self) {
        self.heads = Some(Heads::default());
    }
}

impl<I: AsyncRead + Unpin> MonitoredStream<I> {
    /// Reads what came, as it came.
    fn poll_read_raw(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.given_back.is_empty() {
            take(&mut self.given_back, buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.io).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.bytes_came();
        }
        poll
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for MonitoredStream<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.rewritten.is_empty() {
                take(&mut self.rewritten, buffer);
                return Poll::Ready(Ok(()));
            }
            let before = buffer.filled().len();
            ready!(self.poll_read_raw(context, buffer))?;
            let read = &buffer.filled()[before..];
            let other = match &mut self.heads {
                Some(heads) if read.is_empty() => Some(heads.let_go()),
                Some(heads) => heads.pass(read),
                None => None,
            };
            let Some(other) = other else { return Poll::Ready(Ok(())) };
            let has_ended = read.is_empty() && other.is_empty();
            buffer.set_filled(before);
            self.rewritten = other;
            if has_ended {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

fn take(from: &mut Vec<u8>, buffer: &mut ReadBuf<'_>) {
    let count = buffer.remaining().min(from.len());
    buffer.put_slice(&from[..count]);
    from.drain(..count);
}

impl<I: AsyncWrite + Unpin> MonitoredStream<I> {
    /// Writes an error in place of an answer of hyper's, which has so many bytes.
    fn poll_replace(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some((bytes, count)) = &mut self.replacing {
            if bytes.is_empty() {
                let count = *count;
                self.replacing = None;
                return Poll::Ready(Ok(count));
            }
            let poll = Pin::new(&mut self.io).poll_write(context, bytes);
            self.activity.write_was(&poll);
            let written = ready!(poll)?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            bytes.drain(..written);
        }
        Poll::Ready(Ok(0))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for MonitoredStream<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replacing.is_none() && is_of_hyper(bytes) {
            let answer = self.refusals.in_place_of(bytes, self.heads.as_ref());
            self.replacing = Some((answer, bytes.len()));
        }
        if self.replacing.is_some() {
            return self.poll_replace(context);
        }
        let poll = Pin::new(&mut self.io).poll_write(context, bytes);
        self.activity.write_was(&poll);
        poll
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) =
            slices.first().filter(|first| self.replacing.is_some() || is_of_hyper(first))
        {
            return self.poll_write(context, first);
        }
        let poll = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.activity.write_was(&poll);
        poll
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
