//! The fast way: plain reads of a record, answered on the socket itself.
//!
//! A connection of HTTP/1.1 begins here. As long as its requests are GETs of a record in one of the
//! forms of `plain`, with header lines that change nothing, each is read, looked up, copied into one
//! buffer and written with one call. With the first other request, or one that can't be answered with
//! 200 or 304, the connection and what was read of it go to hyper and the layers for good; nothing has
//! been done for that request by then. Limits of time, metrics and the log are the same as there, and so
//! is the answer, to the byte of its body and the values of its header lines.
//!
//! What it buys: of a GET by id of records that are asked for again, four fifths of the time is the
//! kernel's part, and the whole takes 23 µs of the processor where nginx with the same bytes in files
//! takes 25 (`docs/benchmarks.md`, "by Zipf's law"). A read with `$select`, which passes the layers, takes
//! 75. hyper, headers in maps, parsing and binding cost more than the record itself.
//!
//! How it goes: delete this folder, and make `NoFastWay` the application's `Fast`; then every request
//! takes the long way. What both write beside the body comes from one list, [`web::header_lines`].

mod answer;
mod answer_cache;
mod head;
mod plain;

use std::cell::RefCell;
use std::future::Future as _;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use web::{Activity, FastWay, Handover, Turn};

use crate::worker::Worker;
use answer::{Date, DirectAnswer, SpareBuffer};
use answer_cache::AnswerCache;
use head::Head;
use plain::Forms;

/// Bytes of requests that are here at once; a longer head is hyper's.
const ROOM: usize = 8 << 10;

/// How long a connection may answer requests that are here already before others have their turn.
const SLICE: Duration = Duration::from_micros(500);

/// Bytes of the answers that all threads keep ready, and those that a thread keeps at least.
const ANSWERS: usize = 40 << 20;
const LEAST_ANSWERS: usize = 8 << 20;

/// What the fast way keeps on each worker thread.
#[derive(Debug)]
pub(crate) struct State {
    /// The forms of a record that were asked for lately.
    forms: RefCell<Forms>,
    /// AnswerCache of these forms that are kept ready.
    answers: RefCell<AnswerCache>,
    spare: SpareBuffer,
    date: Date,
}

impl State {
    /// For one of so many threads.
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            forms: RefCell::default(),
            answers: RefCell::new(AnswerCache::new((ANSWERS / threads).max(LEAST_ANSWERS))),
            spare: SpareBuffer::default(),
            date: Date::default(),
        }
    }
}

/// A connection that is served directly.
pub(crate) struct Direct {
    worker: Rc<Worker>,
    state: Rc<State>,
    activity: Rc<Activity>,
    /// What was read and not answered yet.
    received: Vec<u8>,
    sending: Option<OutgoingAnswer>,
    /// Others come first.
    turn: Option<Turn>,
    is_draining: bool,
    is_closing: bool,
}

/// What a connection does next.
enum Next {
    Reads,
    Sends,
    Leaves,
}

/// An answer on its way.
struct OutgoingAnswer {
    /// What stands before where it begins is gone, or never was.
    made: DirectAnswer,
    /// Bytes of `received` that it answers.
    answered: usize,
}

impl FastWay for Direct {
    fn poll<I: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut I,
        context: &mut Context<'_>,
        is_draining: bool,
    ) -> Poll<Handover> {
        self.is_draining |= is_draining;
        let mut began = Instant::now();
        loop {
            if self.is_closing {
                // Whether the other side hears of it or not, it is over.
                return Pin::new(&mut *io).poll_shutdown(context).map(|_| Handover::Closed);
            }
            if self.sending.is_some() && ready!(self.poll_send(io, context)).is_err() {
                return Poll::Ready(Handover::Closed);
            }
            if self.is_draining {
                if !self.received.is_empty() {
                    self.activity.drain();
                    return Poll::Ready(self.leave());
                }
                self.is_closing = true;
                continue;
            }
            if let Some(turn) = &mut self.turn {
                ready!(Pin::new(turn).poll(context));
                self.turn = None;
                began = Instant::now();
            }
            if !self.received.is_empty() && began.elapsed() >= SLICE {
                self.turn = Some(self.worker.web.turns.turn());
                continue;
            }
            match self.answer() {
                Next::Sends => continue,
                Next::Leaves => return Poll::Ready(self.leave()),
                Next::Reads => {}
            }
            match ready!(self.poll_receive(io, context)) {
                Ok(0) => self.is_closing = true,
                Ok(_) => {}
                Err(_) => return Poll::Ready(Handover::Closed),
            }
        }
    }
}

impl Direct {
    pub(crate) fn new(worker: Rc<Worker>, state: Rc<State>, activity: Rc<Activity>) -> Self {
        Self {
            worker,
            state,
            activity,
            received: Vec::new(),
            sending: None,
            turn: None,
            is_draining: false,
            is_closing: false,
        }
    }

    /// AnswerCache the first request of what was received, if it is one of those.
    fn answer(&mut self) -> Next {
        match head::read(&self.received) {
            Head::Partial if self.received.len() < ROOM => Next::Reads,
            Head::Partial | Head::Other => Next::Leaves,
            Head::Plain(request) => {
                let made = answer::make(&self.worker, &self.state, &self.activity, &request);
                let Some(made) = made else { return Next::Leaves };
                self.sending = Some(OutgoingAnswer { made, answered: request.length });
                Next::Sends
            }
        }
    }

    fn leave(&mut self) -> Handover {
        Handover::Received(std::mem::take(&mut self.received))
    }

    fn poll_receive<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<usize>> {
        let before = self.received.len();
        self.received.resize(ROOM, 0);
        let mut buffer = ReadBuf::new(&mut self.received[before..]);
        let poll = Pin::new(io).poll_read(context, &mut buffer);
        let count = buffer.filled().len();
        self.received.truncate(before + count);
        poll.map_ok(|()| count)
    }

    fn poll_send<I: AsyncWrite + Unpin>(
        &mut self,
        io: &mut I,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        let Some(sending) = &mut self.sending else { return Poll::Ready(Ok(())) };
        let made = &mut sending.made;
        while made.at < made.bytes.len() {
            let written = ready!(Pin::new(&mut *io).poll_write(context, &made.bytes[made.at..]))?;
            if written == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            made.at += written;
        }
        self.received.drain(..sending.answered);
        let Some(OutgoingAnswer { made, .. }) = self.sending.take() else {
            return Poll::Ready(Ok(()));
        };
        let DirectAnswer { bytes, exchange, in_flight, .. } = made;
        self.state.spare.put(bytes);
        drop((exchange, in_flight));
        // TLS keeps what it has not written yet.
        Pin::new(io).poll_flush(context)
    }
}
