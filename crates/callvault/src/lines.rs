//! Text on its way out: whoever has some leaves it in a queue, and a thread writes it. So nobody waits
//! for a terminal, a pipe or a disk that takes nothing, and nobody fails because it is gone.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes that wait at most, while as many may be on their way.
const MOST_WAITING: usize = 4 << 20;
/// After each write what comes in this time is gathered, so that the thread is woken seldom.
const GATHERED_FOR: Duration = Duration::from_millis(2);
/// When one that does not wait itself is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(10);

/// The queue before one output.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    queue: Mutex<Queue>,
    /// Something came.
    arrived: Condvar,
    /// All that was taken is written, or lost.
    settled: Condvar,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Batch,
    /// Whether the thread has taken some that it has not settled.
    is_writing: bool,
}

/// Lines, one behind the other.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

/// What became of a batch.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) outcome: io::Result<()>,
    /// Lines that were lost since the start: there was no room, or they could not be written.
    pub(crate) dropped: u64,
}

impl Lines {
    /// A queue whose thread writes to `sink`, and says of each batch what became of it.
    pub(crate) fn start(
        name: &str,
        sink: impl Write + Send + 'static,
        tell: impl FnMut(Written) + Send + 'static,
    ) -> io::Result<Arc<Self>> {
        let lines = Arc::<Self>::default();
        let writing = Arc::clone(&lines);
        let write = move || writing.write_to(sink, tell);
        thread::Builder::new().name(name.to_owned()).spawn(write)?;
        Ok(lines)
    }

    /// How many lines were lost.
    pub(crate) fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }

    /// Leaves a line, unless there is no room.
    pub(crate) fn push(&self, line: &[u8]) {
        let mut queue = self.queue();
        let waiting = &mut queue.waiting;
        if waiting.bytes.len() + line.len() > MOST_WAITING {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let was_empty = waiting.ends.is_empty();
        waiting.bytes.extend_from_slice(line);
        waiting.ends.push(waiting.bytes.len());
        drop(queue);
        if was_empty {
            self.arrived.notify_one();
        }
    }

    /// Waits until everything is written or lost, but no longer than that.
    pub(crate) fn flush_within(&self, patience: Duration) {
        let is_busy = |queue: &mut Queue| queue.is_writing || !queue.waiting.ends.is_empty();
        drop(self.settled.wait_timeout_while(self.queue(), patience, is_busy));
    }

    /// The queue is whole whenever its lock is free.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut sink: impl Write, mut tell: impl FnMut(Written)) {
        let mut batch = Batch::default();
        let mut is_within_line = false;
        loop {
            self.take(&mut batch);
            let (mut written, mut outcome) = (0, Ok(()));
            if is_within_line {
                // Of the line before only the front has arrived.
                outcome = write_all(&mut sink, b"\n").1;
                is_within_line = outcome.is_err();
            }
            if outcome.is_ok() {
                (written, outcome) = write_all(&mut sink, &batch.bytes);
                is_within_line = written > 0 && !batch.ends.contains(&written);
            }
            let lost = batch.ends.iter().filter(|end| **end > written).count() as u64;
            let dropped = self.dropped.fetch_add(lost, Ordering::Relaxed) + lost;
            tell(Written { outcome, dropped });
            self.queue().is_writing = false;
            self.settled.notify_all();
            thread::sleep(GATHERED_FOR);
        }
    }

    /// Waits for something, and takes all that is there.
    fn take(&self, batch: &mut Batch) {
        batch.bytes.clear();
        batch.ends.clear();
        let queue = self.queue();
        let is_empty = |queue: &mut Queue| queue.waiting.ends.is_empty();
        let waited = self.arrived.wait_while(queue, is_empty);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut queue.waiting, batch);
        queue.is_writing = true;
    }
}

/// Writes for as long as that goes; how many bytes it took.
fn write_all(sink: &mut impl Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match sink.write(&bytes[written..]) {
            Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Whoever started us may have said that writing is not to wait.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(AGAIN_AFTER),
            Err(error) => return (written, Err(error)),
        }
    }
    (written, sink.flush())
}

/// Takes each write as a line.
#[derive(Debug)]
pub(crate) struct Outlet(pub(crate) Arc<Lines>);

impl Write for Outlet {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};

    use super::*;

    /// How long is waited for what must come.
    const PATIENCE: Duration = Duration::from_mins(2);

    /// Takes as many bytes as it was allowed, and then fails until it is allowed more.
    struct Narrow {
        allowed: Receiver<usize>,
        room: usize,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                self.room = self.allowed.recv().unwrap_or(0);
            }
            if self.room == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            let count = bytes.len().min(self.room);
            self.room -= count;
            self.taken.send(bytes[..count].to_vec()).unwrap();
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_could_not_be_written_is_counted_and_the_next_line_begins_anew() {
        let (allow, allowed) = mpsc::channel();
        let (taken, parts) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let sink = Narrow { allowed, room: 0, taken };
        let lines = Lines::start("test", sink, move |written| drop(tell.send(written))).unwrap();
        allow.send(6).unwrap();
        allow.send(0).unwrap();
        lines.push(b"one\ntwo\n");
        let written = told.recv_timeout(PATIENCE).unwrap();
        assert!(written.outcome.is_err());
        assert_eq!(written.dropped, 1);
        allow.send(100).unwrap();
        lines.push(b"three\n");
        let written = told.recv_timeout(PATIENCE).unwrap();
        assert!(written.outcome.is_ok());
        assert_eq!(written.dropped, 1);
        assert_eq!(parts.try_iter().collect::<Vec<_>>().concat(), b"one\ntw\nthree\n");
    }

    #[test]
    fn nobody_waits_for_an_output_that_takes_nothing_and_what_has_no_room_is_counted() {
        let (release, allowed) = mpsc::channel();
        let (taken, _parts) = mpsc::channel();
        let sink = Narrow { allowed, room: 0, taken };
        let lines = Lines::start("test", sink, |_| ()).unwrap();
        let line = vec![b'x'; MOST_WAITING / 4];
        // At most four wait and four are on their way.
        for _ in 0..20 {
            lines.push(&line);
        }
        assert!(lines.dropped().load(Ordering::Relaxed) >= 12);
        lines.flush_within(Duration::from_millis(1));
        drop(release);
        lines.flush_within(PATIENCE);
        assert_eq!(lines.dropped().load(Ordering::Relaxed), 20);
    }
}
