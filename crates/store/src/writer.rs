//! A thread that writes: takes what waits, commits it in one transaction, answers.
//!
//! A commit costs one sync of the log whatever is in it, so a group is what came while the group
//! before was being committed, up to a bound that keeps the log and the waiting short.
//!
//! A store has one such thread for what somebody waits for, and a second one, of low priority, for
//! background work, which would otherwise take the processor from readers. A file takes one write at a
//! time, so there the two take turns.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::engine::Opener;
use crate::engine::sqlite::HELD_AT_MOST;
use crate::options::Role;
use crate::pending::Pending;
use crate::priority::lower_priority;
use crate::state::State;
use crate::tables::session::Session;
use crate::{Cause, Error};

/// A group is closed when it has this many records or bytes of fragments.
const GROUP_RECORDS: usize = 1_000;
const GROUP_BYTES: usize = 8 << 20;

/// How often, and after which time, a write is tried again that another node's stood in the way of.
const ATTEMPTS: u32 = 5;
const AGAIN_AFTER: Duration = Duration::from_millis(10);

/// The time between two trials of a store that failed.
const TRIAL_EVERY: Duration = Duration::from_secs(1);

/// What a write adds to its group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weight {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

impl Weight {
    /// A row or two.
    pub(crate) const SMALL: Self = Self { records: 1, bytes: 0 };
}

/// Something to do in a transaction. It may be run again after the transaction was rolled back.
pub(crate) trait Work: Send {
    fn weight(&self) -> Weight;
    /// When the records start that it writes.
    fn starts(&self) -> &[i64];
    fn run(&mut self, session: &mut Session) -> Result<(), Error>;
    fn answer(self: Box<Self>, outcome: Result<(), Error>);
}

struct Request<T, F> {
    weight: Weight,
    starts: Vec<i64>,
    work: F,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, Error>>,
}

/// Wraps a closure, and gives what its result will come from.
pub(crate) fn request<T, F>(
    weight: Weight,
    starts: Vec<i64>,
    work: F,
) -> (Box<dyn Work>, Pending<T>)
where
    T: Send + 'static,
    F: FnMut(&mut Session) -> Result<T, Error> + Send + 'static,
{
    let (reply, receiver) = oneshot::channel();
    (Box::new(Request { weight, starts, work, done: None, reply }), Pending::new(receiver))
}

impl<T, F> Work for Request<T, F>
where
    T: Send,
    F: FnMut(&mut Session) -> Result<T, Error> + Send,
{
    fn weight(&self) -> Weight {
        self.weight
    }

    fn starts(&self) -> &[i64] {
        &self.starts
    }

    fn run(&mut self, session: &mut Session) -> Result<(), Error> {
        self.done = Some((self.work)(session)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), Error>) {
        let done = self.done.ok_or_else(Error::stopped);
        // Nobody waits any more: the write stands all the same.
        let _ = self.reply.send(outcome.and(done));
    }
}

/// For whom a thread writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Somebody waits for the answer.
    Foreground,
    /// Nobody should have to wait because of it.
    Background,
}

/// A thread that writes. Dropping it waits until what was sent is written.
pub(crate) struct Writer {
    works: Option<Sender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(
        mut session: Session,
        state: Arc<State>,
        priority: Priority,
    ) -> Result<Self, Error> {
        let (works, queue) = mpsc::channel();
        let name = match priority {
            Priority::Foreground => "store-writer",
            Priority::Background => "store-background",
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            if priority == Priority::Background {
                lower_priority();
                session.maintain_in_small_steps();
            }
            Loop { session, state, queue }.run();
        })?;
        Ok(Self { works: Some(works), thread: Some(thread) })
    }

    /// Sends it a piece of work. If the thread has ended, the work's [`Pending`] resolves with an error.
    pub(crate) fn send(&self, work: Box<dyn Work>) {
        if let Some(works) = &self.works {
            let _ = works.send(work);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.works = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a writer of the store has panicked");
        }
    }
}

/// What the thread has.
struct Loop {
    session: Session,
    state: Arc<State>,
    queue: Receiver<Box<dyn Work>>,
}

impl Loop {
    /// Works until nobody can send any more.
    fn run(mut self) {
        while let Some(first) = self.next() {
            let group = self.gather(first);
            self.make_partitions(&group);
            self.commit(group);
            if self.state.check_file().is_ok() {
                self.session.maintain();
            }
        }
        self.state.leave(&self.session.connection);
    }

    fn make_partitions(&self, group: &[Box<dyn Work>]) {
        let starts = group.iter().flat_map(|work| work.starts()).copied();
        self.state.partitions.make(&self.state.opener, starts);
    }

    fn next(&mut self) -> Option<Box<dyn Work>> {
        loop {
            if self.state.is_available.load(Ordering::Acquire) {
                return self.queue.recv().ok();
            }
            match self.queue.recv_timeout(TRIAL_EVERY) {
                Ok(work) => return Some(work),
                Err(RecvTimeoutError::Timeout) => self.try_whether_it_works(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn gather(&self, first: Box<dyn Work>) -> Vec<Box<dyn Work>> {
        let Weight { mut records, mut bytes } = first.weight();
        let mut group = vec![first];
        while records < GROUP_RECORDS && bytes < GROUP_BYTES {
            let Ok(work) = self.queue.try_recv() else { break };
            records += work.weight().records;
            bytes += work.weight().bytes;
            group.push(work);
        }
        group
    }

    /// Commits a group and answers all of it. When one of its works fails on its own account, each
    /// is committed alone, so that it fails alone.
    fn commit(&mut self, mut group: Vec<Box<dyn Work>>) {
        match self.transact(&mut group) {
            Ok(()) => {
                self.acknowledged();
                for work in group {
                    work.answer(Ok(()));
                }
            }
            Err(Error::Again) if group.len() == 1 => self.commit_again(group),
            Err(error) if group.len() > 1 && !error.is_of_engine() => {
                for work in group {
                    self.commit(vec![work]);
                }
            }
            Err(error) => {
                self.failed(&error);
                for work in group {
                    work.answer(Err(error.clone()));
                }
            }
        }
    }

    /// Tries a write again that another node's stood in the way of; alone, so that it takes locks in one
    /// order only.
    fn commit_again(&mut self, mut group: Vec<Box<dyn Work>>) {
        let mut outcome = Err(Error::Busy);
        for attempt in 1..=ATTEMPTS {
            thread::sleep(AGAIN_AFTER * attempt);
            // A partition that was known may be gone.
            self.state.partitions.forget();
            self.make_partitions(&group);
            outcome = self.transact(&mut group);
            if !matches!(outcome, Err(Error::Again)) {
                break;
            }
        }
        match &outcome {
            Ok(()) => self.acknowledged(),
            Err(error) => self.failed(error),
        }
        for work in group {
            work.answer(outcome.clone().map_err(|error| match error {
                Error::Again => Error::Busy,
                error => error,
            }));
        }
    }

    fn transact(&mut self, group: &mut [Box<dyn Work>]) -> Result<(), Error> {
        self.state.check_file()?;
        let state = Arc::clone(&self.state);
        let _turn = take_turn(&state);
        self.session.begin()?;
        let session = &mut self.session;
        let done = group.iter_mut().try_for_each(|work| {
            // The transaction is rolled back, and with it whatever was left half done.
            catch_unwind(AssertUnwindSafe(|| work.run(session)))
                .unwrap_or_else(|_| Err(Error::Internal(Cause::new("a write has panicked"))))
        });
        let done = done.and_then(|()| session.commit()).inspect_err(|_| session.roll_back());
        done.map_err(|error| match &self.state.files {
            Some(files) => files.classify(error),
            None => error,
        })?;
        // What is acknowledged must be found by the store's name.
        self.state.look_at_file()
    }

    fn acknowledged(&self) {
        self.state.commits.fetch_add(1, Ordering::Release);
        self.state.committed.notify_one();
        self.state.is_available.store(true, Ordering::Release);
        if self.state.role == Role::Tool && matches!(self.state.opener, Opener::Sqlite(_)) {
            // See the head of the engine: by then no held snapshot lacks this write.
            thread::sleep(HELD_AT_MOST + Duration::from_millis(1));
        }
    }

    fn failed(&mut self, error: &Error) {
        if self.state.look_at_file().is_err() {
            // A new connection would go to whatever has the name now.
            return;
        }
        if matches!(error, Error::Full(_) | Error::Unavailable(_)) {
            tracing::error!(error = %error, cause = ?std::error::Error::source(error), "write failed");
            self.state.is_available.store(false, Ordering::Release);
            // After a failed sync nothing that the connection has cached can be relied on.
            if let Err(error) = self.session.reopen(&self.state.opener) {
                tracing::error!(error = %error, "the store cannot be opened again");
            }
        }
    }

    fn try_whether_it_works(&mut self) {
        let (mut trial, pending) = request(Weight::SMALL, Vec::new(), Session::try_write);
        drop(pending);
        match self.transact(std::slice::from_mut(&mut trial)) {
            Ok(()) => {
                tracing::info!("the store can be written again");
                self.acknowledged();
            }
            Err(error) => self.failed(&error),
        }
    }
}

/// Waits for the turn to write, where a store takes one write at a time. SQLite would wait as well, but by
/// sleeping and asking again. A mutex is not fair; that does no harm, since works of the background are
/// short and the thread that waits in the foreground has the higher priority.
fn take_turn(state: &State) -> Option<MutexGuard<'_, ()>> {
    // Nothing that it guards is in memory.
    state.files.as_ref().map(|_| state.turn.lock().unwrap_or_else(PoisonError::into_inner))
}
