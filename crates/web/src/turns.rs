//! TurnQueue of connections that have asked for more than was answered.
//!
//! A client that sends requests without waiting for answers can keep a thread busy. Would each such
//! connection go on as soon as all other tasks had run, one that asks now and then would wait for all of
//! them: a slice of time for each connection that a single client has opened. So they stand in one line,
//! of which only the first goes on, and everybody else comes between two of them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// The line of one thread.
#[derive(Debug, Default)]
pub struct TurnQueue {
    line: RefCell<Line>,
}

#[derive(Debug, Default)]
struct Line {
    last: u64,
    /// Tickets in their order, with those to wake.
    waiting: VecDeque<(u64, Waker)>,
}

/// A place in the line; ready when its turn has come. Dropped, it leaves the line.
#[derive(Debug)]
pub struct Turn {
    turns: Rc<TurnQueue>,
    ticket: Option<u64>,
}

impl TurnQueue {
    /// A place behind all others, taken when it is first polled.
    pub fn turn(self: &Rc<Self>) -> Turn {
        Turn { turns: Rc::clone(self), ticket: None }
    }

    /// Takes a ticket out of the line; if it was the first, it is the next one's turn.
    fn leave(&self, ticket: u64) {
        let mut line = self.line.borrow_mut();
        let Some(place) = line.waiting.iter().position(|(waiting, _)| *waiting == ticket) else {
            return;
        };
        line.waiting.remove(place);
        if place == 0
            && let Some((_, waker)) = line.waiting.front()
        {
            wake_behind_all(waker);
        }
    }
}

/// Wakes a task behind all that are ready and all that the sockets have for this thread: as whoever
/// yields is woken.
fn wake_behind_all(waker: &Waker) {
    // The first poll says when to come back, and is never ready.
    let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(waker));
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let turns = Rc::clone(&self.turns);
        let mut line = turns.line.borrow_mut();
        let Some(ticket) = self.ticket else {
            line.last += 1;
            let ticket = line.last;
            line.waiting.push_back((ticket, context.waker().clone()));
            self.ticket = Some(ticket);
            if line.waiting.len() == 1 {
                wake_behind_all(context.waker());
            }
            return Poll::Pending;
        };
        if line.waiting.front().is_some_and(|(first, _)| *first == ticket) {
            drop(line);
            self.ticket = None;
            turns.leave(ticket);
            return Poll::Ready(());
        }
        // Woken by something else.
        if let Some((_, waker)) = line.waiting.iter_mut().find(|(waiting, _)| *waiting == ticket) {
            waker.clone_from(context.waker());
        }
        Poll::Pending
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.turns.leave(ticket);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::task::LocalSet;

    use super::*;

    #[tokio::test]
    async fn whoever_asks_once_comes_between_two_of_those_who_ask_on_and_on() {
        let turns = Rc::new(TurnQueue::default());
        let (steps, is_over) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let tasks = LocalSet::new();
        for _ in 0..50 {
            let (turns, steps) = (Rc::clone(&turns), Rc::clone(&steps));
            let is_over = Rc::clone(&is_over);
            tasks.spawn_local(async move {
                while !is_over.get() {
                    turns.turn().await;
                    steps.set(steps.get() + 1);
                }
            });
        }
        tasks
            .run_until(async {
                while steps.get() < 200 {
                    tokio::task::yield_now().await;
                }
                for _ in 0..20 {
                    let before = steps.get();
                    tokio::task::yield_now().await;
                    let between = steps.get() - before;
                    assert!((0..=2).contains(&between), "{between} had their turn meanwhile");
                }
                is_over.set(true);
            })
            .await;
        tasks.await;
        assert!(turns.line.borrow().waiting.is_empty());
    }

    #[tokio::test]
    async fn who_leaves_the_line_holds_up_nobody() {
        let turns = Rc::new(TurnQueue::default());
        let mut waits: Vec<_> = (0..3).map(|_| Box::pin(turns.turn())).collect();
        for wait in &mut waits {
            assert!(poll_once(wait.as_mut()).is_pending());
        }
        let last = waits.pop().unwrap();
        drop(waits);
        last.await;
        turns.turn().await;
    }

    fn poll_once(wait: Pin<&mut Turn>) -> Poll<()> {
        wait.poll(&mut Context::from_waker(Waker::noop()))
    }
}
