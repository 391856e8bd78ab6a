//! A queue of lines before an output, with a thread that writes them. A terminal, pipe or disk that is
//! blocked or gone thus neither delays nor fails the threads that log.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Maximum bytes in the queue; the thread may be writing as many again.
const QUEUE_BYTES: usize = 4 << 20;
/// Pause after each write, in which lines gather, so that the thread wakes up rarely.
const GATHER_TIME: Duration = Duration::from_millis(2);
/// Pause before the next write to a non-blocking output that is full.
const RETRY_DELAY: Duration = Duration::from_millis(10);

/// The queue before one output.
#[derive(Debug, Default)]
pub(crate) struct LineQueue {
    queue: Mutex<Queue>,
    /// Signals a line in an empty queue.
    arrived: Condvar,
    /// Signals that the current batch is written or lost.
    settled: Condvar,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Batch,
    /// Whether the thread is writing a batch.
    is_writing: bool,
}

/// Lines in one buffer.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    /// The end of each line in `bytes`.
    ends: Vec<usize>,
}

/// The result of writing a batch.
#[derive(Debug)]
pub(crate) struct WriteReport {
    pub(crate) outcome: io::Result<()>,
    /// Lines lost since the start, because the queue was full or the write failed.
    pub(crate) dropped: u64,
}

impl LineQueue {
    /// Starts a queue whose thread writes to `sink`, and calls `report` after each batch.
    pub(crate) fn start(
        name: &str,
        sink: impl Write + Send + 'static,
        report: impl FnMut(WriteReport) + Send + 'static,
    ) -> io::Result<Arc<Self>> {
        let lines = Arc::<Self>::default();
        let writing = Arc::clone(&lines);
        let write = move || writing.write_to(sink, report);
        thread::Builder::new().name(name.to_owned()).spawn(write)?;
        Ok(lines)
    }

    /// The counter of lost lines.
    pub(crate) fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }

    /// Adds a line, or drops and counts it if the queue is full.
    pub(crate) fn push(&self, line: &[u8]) {
        let mut queue = self.queue();
        let waiting = &mut queue.waiting;
        if waiting.bytes.len() + line.len() > QUEUE_BYTES {
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

    /// Waits until all lines are written or lost, for `timeout` at most.
    pub(crate) fn flush_within(&self, timeout: Duration) {
        let is_busy = |queue: &mut Queue| queue.is_writing || !queue.waiting.ends.is_empty();
        drop(self.settled.wait_timeout_while(self.queue(), timeout, is_busy));
    }

    /// Locks the queue. It is consistent whenever the lock is free, so a poisoned lock does no harm.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut sink: impl Write, mut report: impl FnMut(WriteReport)) {
        let mut batch = Batch::default();
        let mut is_within_line = false;
        loop {
            self.take(&mut batch);
            let (mut written, mut outcome) = (0, Ok(()));
            if is_within_line {
                // Only the front of the previous line was written.
                outcome = write_all(&mut sink, b"\n").1;
                is_within_line = outcome.is_err();
            }
            if outcome.is_ok() {
                (written, outcome) = write_all(&mut sink, &batch.bytes);
                is_within_line = written > 0 && !batch.ends.contains(&written);
            }
            let lost = batch.ends.iter().filter(|end| **end > written).count() as u64;
            let dropped = self.dropped.fetch_add(lost, Ordering::Relaxed) + lost;
            report(WriteReport { outcome, dropped });
            self.queue().is_writing = false;
            self.settled.notify_all();
            thread::sleep(GATHER_TIME);
        }
    }

    /// Waits for lines, and takes all of them.
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

/// Writes as much as possible. Returns the number of written bytes, and the first error.
fn write_all(sink: &mut impl Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match sink.write(&bytes[written..]) {
            Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // The parent process may have made the output non-blocking.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_DELAY),
            Err(error) => return (written, Err(error)),
        }
    }
    (written, sink.flush())
}

/// A writer that adds each write to the queue as a line.
#[derive(Debug)]
pub(crate) struct LineWriter(pub(crate) Arc<LineQueue>);

impl Write for LineWriter {
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

    /// Time limit for what must happen.
    const TIMEOUT: Duration = Duration::from_mins(2);

    /// Accepts as many bytes as allowed, then fails until more are allowed.
    struct Narrow {
        allowed: Receiver<usize>,
        room: usize,
        accepted: Sender<Vec<u8>>,
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
            self.accepted.send(bytes[..count].to_vec()).unwrap();
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lost_lines_are_counted_and_the_next_line_starts_on_a_new_line() {
        let (allow, allowed) = mpsc::channel();
        let (accepted, parts) = mpsc::channel();
        let (report, reports) = mpsc::channel();
        let sink = Narrow { allowed, room: 0, accepted };
        let lines =
            LineQueue::start("test", sink, move |written| drop(report.send(written))).unwrap();
        allow.send(6).unwrap();
        allow.send(0).unwrap();
        lines.push(b"one\ntwo\n");
        let written = reports.recv_timeout(TIMEOUT).unwrap();
        assert!(written.outcome.is_err());
        assert_eq!(written.dropped, 1);
        allow.send(100).unwrap();
        lines.push(b"three\n");
        let written = reports.recv_timeout(TIMEOUT).unwrap();
        assert!(written.outcome.is_ok());
        assert_eq!(written.dropped, 1);
        assert_eq!(parts.try_iter().collect::<Vec<_>>().concat(), b"one\ntw\nthree\n");
    }

    #[test]
    fn a_blocked_output_delays_nobody_and_lines_beyond_the_queue_are_counted() {
        let (release, allowed) = mpsc::channel();
        let (accepted, _parts) = mpsc::channel();
        let sink = Narrow { allowed, room: 0, accepted };
        let lines = LineQueue::start("test", sink, |_| ()).unwrap();
        let line = vec![b'x'; QUEUE_BYTES / 4];
        // At most four are queued and four are being written.
        for _ in 0..20 {
            lines.push(&line);
        }
        assert!(lines.dropped().load(Ordering::Relaxed) >= 12);
        lines.flush_within(Duration::from_millis(1));
        drop(release);
        lines.flush_within(TIMEOUT);
        assert_eq!(lines.dropped().load(Ordering::Relaxed), 20);
    }
}
