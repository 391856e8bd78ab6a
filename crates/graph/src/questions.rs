//! Threads for questions that may take long, so that no worker's loop ever does.
//!
//! A worker answers whatever takes less than a millisecond on its own loop. Everything else (a
//! condition that our own evaluator decides, an aggregation, a scan) comes here: to a few threads, each
//! with a connection of its own, which run at a lower priority than the workers. Applications
//! take turns, and none has more than half of the threads at once, so that one that asks too much
//! waits for itself. A question that is still waiting when its time is over is answered 503 then.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use store::{Reader, Store};
use tokio::sync::oneshot;
use web::{Problem, StartError};

/// Questions of one application that wait; more are refused at once.
const MOST_WAITING: usize = 256;
/// When who is refused may come again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Where questions are put.
#[derive(Debug, Clone)]
pub(crate) struct Questions(Arc<QuestionQueue>);

/// The threads. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct QuestionThreads {
    queue: Arc<QuestionQueue>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct QuestionQueue {
    waiting: Mutex<PendingQuestions>,
    changed: Condvar,
    /// Threads that one application may have at once.
    share: usize,
}

/// With a connection, or why there is none.
type Work = Box<dyn FnOnce(Result<&mut Reader, store::Error>) + Send>;

#[derive(Default)]
struct PendingQuestions {
    /// By application, in the order in which their turns come.
    queues: VecDeque<(Arc<str>, VecDeque<Work>)>,
    /// Threads that each application has now.
    running: HashMap<Arc<str>, usize>,
    is_closed: bool,
}

impl fmt::Debug for PendingQuestions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingQuestions").field("running", &self.running).finish_non_exhaustive()
    }
}

impl QuestionThreads {
    /// Starts so many threads.
    ///
    /// # Errors
    /// When one can't be started.
    pub(crate) fn start(store: &Store, threads: usize) -> Result<Self, StartError> {
        let queue = Arc::new(QuestionQueue {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            share: (threads / 2).max(1),
        });
        let mut started = Self { queue: Arc::clone(&queue), threads: Vec::with_capacity(threads) };
        for number in 0..threads {
            let (queue, store) = (Arc::clone(&queue), store.clone());
            let run = move || {
                store::lower_priority();
                queue.work(&store);
            };
            let thread = thread::Builder::new().name(format!("question-{number}")).spawn(run);
            started.threads.push(thread.map_err(StartError::Thread)?);
        }
        Ok(started)
    }

    /// Where questions are put.
    pub(crate) fn questions(&self) -> Questions {
        Questions(Arc::clone(&self.queue))
    }
}

impl Drop for QuestionThreads {
    fn drop(&mut self) {
        self.queue.lock().is_closed = true;
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread for questions ended by a panic");
            }
        }
    }
}

impl Questions {
    /// Does the work on one of the threads. `who` takes turns with others; at the deadline, what has
    /// not begun is given up, while what has begun knows its end itself.
    ///
    /// # Errors
    /// 503 when the turn does not come in time, and those of the work.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        who: &Arc<str>,
        deadline: Instant,
        work: impl FnOnce(&mut Reader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let has_begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&has_begun);
        let (answer, mut answered) = oneshot::channel();
        self.0.put(
            who,
            Box::new(move |reader| {
                if !answer.is_closed() {
                    begins.store(true, Ordering::Release);
                    let _ = answer.send(reader.map_err(Problem::from).and_then(work));
                }
            }),
        )?;
        let answer = match tokio::time::timeout_at(deadline.into(), &mut answered).await {
            Ok(answer) => answer,
            Err(_) if has_begun.load(Ordering::Acquire) => answered.await,
            Err(_) => {
                return Err(Problem::out_of_time("it waited for its turn all the time"));
            }
        };
        // The thread has dropped it: it panicked, or the server stops.
        answer.unwrap_or_else(|_| Err(Problem::internal("a question was not answered")))
    }
}

fn too_many(cause: &'static str) -> Problem {
    Problem::unavailable(cause, RETRY_AFTER)
}

impl QuestionQueue {
    fn lock(&self) -> MutexGuard<'_, PendingQuestions> {
        // Nothing panics while it is held, and each change is whole by itself.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, who: &Arc<str>, work: Work) -> Result<(), Problem> {
        let mut waiting = self.lock();
        match waiting.queues.iter_mut().find(|(name, _)| name == who) {
            Some((_, queue)) if queue.len() >= MOST_WAITING => {
                return Err(too_many("too many questions of the application are waiting"));
            }
            Some((_, queue)) => queue.push_back(work),
            None => waiting.queues.push_back((Arc::clone(who), VecDeque::from([work]))),
        }
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// What a thread does until the end.
    fn work(&self, store: &Store) {
        let mut reader = None;
        while let Some((who, work)) = self.next() {
            let done = catch_unwind(AssertUnwindSafe(|| run(store, &mut reader, work)));
            if done.is_err() {
                tracing::error!("a question ended by a panic");
                reader = None;
            }
            self.ended(&who);
        }
    }

    /// The next question of the application whose turn it is; none at the end.
    fn next(&self) -> Option<(Arc<str>, Work)> {
        let mut waiting = self.lock();
        loop {
            if waiting.is_closed {
                return None;
            }
            if let Some(next) = waiting.take(self.share) {
                return Some(next);
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn ended(&self, who: &Arc<str>) {
        let mut waiting = self.lock();
        if let Some(count) = waiting.running.get_mut(who) {
            *count -= 1;
            if *count == 0 {
                waiting.running.remove(who);
            }
        }
        drop(waiting);
        // Its next question may have waited for that.
        self.changed.notify_one();
    }
}

impl PendingQuestions {
    fn take(&mut self, share: usize) -> Option<(Arc<str>, Work)> {
        let has_room = |who: &Arc<str>| self.running.get(who).is_none_or(|count| *count < share);
        let at = self.queues.iter().position(|(who, _)| has_room(who))?;
        let (who, mut queue) = self.queues.remove(at)?;
        let work = queue.pop_front()?;
        *self.running.entry(Arc::clone(&who)).or_default() += 1;
        if !queue.is_empty() {
            self.queues.push_back((Arc::clone(&who), queue));
        }
        Some((who, work))
    }
}

/// Does the work with the thread's connection, which is opened for the first of it.
fn run(store: &Store, reader: &mut Option<Reader>, work: Work) {
    let mut opened = match reader.take() {
        Some(opened) => opened,
        None => match store.scanning_reader() {
            Ok(opened) => opened,
            Err(error) => return work(Err(error)),
        },
    };
    work(Ok(&mut opened));
    // A held snapshot keeps the store from tidying up.
    opened.release();
    *reader = Some(opened);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() -> Work {
        Box::new(|_| {})
    }

    fn names(waiting: &mut PendingQuestions, share: usize) -> Vec<String> {
        std::iter::from_fn(|| waiting.take(share)).map(|(who, _)| who.to_string()).collect()
    }

    #[test]
    fn applications_take_turns_and_none_has_all_threads() {
        let queue = QuestionQueue { waiting: Mutex::default(), changed: Condvar::new(), share: 2 };
        for who in ["a", "a", "a", "a", "b", "c"] {
            queue.put(&who.into(), work()).unwrap();
        }
        assert_eq!(names(&mut queue.lock(), 2), ["a", "b", "c", "a"]);
        queue.ended(&"b".into());
        assert!(names(&mut queue.lock(), 2).is_empty());
        queue.ended(&"a".into());
        assert_eq!(names(&mut queue.lock(), 2), ["a"]);
    }

    #[test]
    fn who_asks_too_much_is_refused_at_once_and_others_are_not() {
        let queue = QuestionQueue { waiting: Mutex::default(), changed: Condvar::new(), share: 1 };
        for _ in 0..MOST_WAITING {
            queue.put(&"a".into(), work()).unwrap();
        }
        assert!(queue.put(&"a".into(), work()).is_err());
        assert!(queue.put(&"b".into(), work()).is_ok());
    }
}
