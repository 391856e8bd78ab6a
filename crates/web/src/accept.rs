//! Taking in connections and dealing them out to the workers.
//!
//! One thread accepts for all and gives each connection to the worker that has fewest, so that a
//! handful of busy keep-alive connections never ends up on one core. The hop is once a connection.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::connection_table::{ConnectionSlot, ConnectionTable};

/// How long to wait when no connection can be taken in, as when file descriptors have run out.
const BACK_OFF: Duration = Duration::from_millis(100);

/// A connection on its way to a worker.
#[derive(Debug)]
pub(crate) struct IncomingConnection {
    pub(crate) stream: TcpStream,
    pub(crate) slot: ConnectionSlot,
    pub(crate) load: Load,
}

/// A place among the connections of a worker, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Load(Arc<AtomicUsize>);

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The way to a worker.
#[derive(Debug)]
pub(crate) struct Lane {
    load: Arc<AtomicUsize>,
    queue: mpsc::UnboundedSender<IncomingConnection>,
}

impl Lane {
    /// A lane, and the worker's end of it, which ends when the lane is dropped.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<IncomingConnection>) {
        let (queue, receiver) = mpsc::unbounded_channel();
        (Self { load: Arc::default(), queue }, receiver)
    }

    fn give(&self, stream: TcpStream, slot: ConnectionSlot) {
        self.load.fetch_add(1, Ordering::Relaxed);
        let load = Load(Arc::clone(&self.load));
        // Fails only when the worker has ended; the connection is closed then.
        let _ = self.queue.send(IncomingConnection { stream, slot, load });
    }
}

/// Takes in connections until it is dropped. When there is no place and nobody who can go, further ones
/// wait in the system's queue. Dropped, it lets go of the listener before the lanes, so that nobody
/// connects any more when the workers begin to drain.
pub(crate) async fn run(
    lanes: Vec<Lane>,
    listener: TcpListener,
    connection_table: Arc<ConnectionTable>,
) {
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if is_of_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(BACK_OFF).await;
                continue;
            }
        };
        let Some(slot) = connection_table.slot(from.ip()).await else {
            tracing::debug!("a connection was closed: its address has too many");
            continue;
        };
        // Answers are written whole, so nothing is gained by waiting for more.
        let plain = stream.set_nodelay(true).and_then(|()| stream.into_std());
        match plain {
            Ok(stream) => {
                if let Some(lane) = idlest(&lanes) {
                    lane.give(stream, slot);
                }
            }
            Err(error) => tracing::debug!(%error, "a connection broke while it was accepted"),
        }
    }
}

fn idlest(lanes: &[Lane]) -> Option<&Lane> {
    lanes.iter().min_by_key(|lane| lane.load.load(Ordering::Relaxed))
}

/// The connection broke before it was taken in: no reason to wait with the next.
fn is_of_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_dealt_evenly_and_places_are_given_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connection_table = Arc::new(ConnectionTable::new(4, 8));
        let (lanes, mut queues): (Vec<_>, Vec<_>) = (0..2).map(|_| Lane::new()).unzip();
        let accepting = tokio::spawn(run(lanes, listener, Arc::clone(&connection_table)));
        let clients: Vec<_> = (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut taken = Vec::new();
        for queue in &mut queues {
            for _ in 0..2 {
                let accepted = queue.recv().await.unwrap();
                // Of these nobody goes for others.
                accepted.slot.peer.shows_token();
                taken.push(accepted);
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(queues.iter_mut().all(|queue| queue.try_recv().is_err()), "the fifth waits");
        taken.remove(0);
        let fifth = queues[0].recv().await.unwrap();
        drop((fifth, taken, clients));
        accepting.abort();
        assert_eq!(connection_table.count(), 0);
    }
}
