//! How many bytes of answers may be in flight: made, and not yet written to the socket.
//!
//! All threads share one pool. Of it an application has half and a connection a quarter, so that slow
//! readers of one keep nobody else from reading; who has nothing else in flight may take more at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use identity::Caller;

use crate::connection_table::Peer;
use crate::problem::Problem;

/// When whoever was refused may come back.
const WAIT: Duration = Duration::from_secs(2);

/// How long is waited before it is looked again whether there is enough.
const LOOKED_AGAIN: Duration = Duration::from_millis(20);

/// The pool.
#[derive(Debug, Clone)]
pub struct AnswerBudget(Arc<Account>);

#[derive(Debug)]
struct Account {
    limit: u64,
    used: AtomicU64,
    of_applications: Mutex<HashMap<Application, u64>>,
}

/// Tenant and application.
type Application = (Box<str>, Box<str>);

/// Whose answer it is.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Whose token came with the request, if there was one.
    pub caller: Option<Arc<Caller>>,
    /// The other side of the connection.
    pub peer: Arc<Peer>,
}

/// Bytes that are counted until this is dropped.
#[derive(Debug)]
pub struct InFlight {
    account: Arc<Account>,
    reader: Reader,
    bytes: u64,
}

impl AnswerBudget {
    /// `limit` in bytes.
    pub fn new(limit: u64) -> Self {
        let of_applications = Mutex::default();
        Self(Arc::new(Account { limit, used: AtomicU64::new(0), of_applications }))
    }

    /// Takes `bytes`; 503 when there is not enough left, 400 when there never will be.
    pub fn take(&self, bytes: u64, reader: &Reader) -> Result<InFlight, Problem> {
        let limit = self.0.limit;
        if bytes > limit {
            return Err(Problem::bad_request(format!(
                "The answer has {bytes} bytes, and {limit} are the most that is made as a whole. Ask \
                 for less of it, with $select, $top or Prefer: odata.maxpagesize, or for the record \
                 as it is kept."
            )));
        }
        self.0.take(bytes, reader, limit / 4).ok_or_else(|| {
            let used = self.used();
            Problem::unavailable(
                format!("{used} bytes of answers are in flight, {bytes} more is over the limit"),
                WAIT,
            )
        })?;
        Ok(self.counted(bytes, reader))
    }

    /// Takes `bytes` as soon as there is enough left: for answers that had begun before. A connection may
    /// have as much of them as its application. `None` when `is_over` says that nobody takes them.
    pub async fn wait(
        &self,
        bytes: u64,
        reader: &Reader,
        is_over: impl Fn() -> bool,
    ) -> Option<InFlight> {
        while !is_over() {
            if self.0.take(bytes, reader, self.0.limit / 2).is_some() {
                return Some(self.counted(bytes, reader));
            }
            tokio::time::sleep(LOOKED_AGAIN).await;
        }
        None
    }

    /// Takes `bytes` whatever is left: for answers to what was carried out already.
    pub fn take_anyway(&self, bytes: u64, reader: &Reader) -> InFlight {
        self.0.add(bytes, reader);
        self.counted(bytes, reader)
    }

    fn counted(&self, bytes: u64, reader: &Reader) -> InFlight {
        InFlight { account: Arc::clone(&self.0), reader: reader.clone(), bytes }
    }

    /// Bytes taken now.
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }
}

impl Account {
    fn take(&self, bytes: u64, reader: &Reader, of_connection: u64) -> Option<()> {
        let mut of_applications = self.of_applications();
        let fits = |used: u64, share: u64| used == 0 || used + bytes <= share;
        let of_application = reader
            .application()
            .and_then(|application| of_applications.get(&application).copied())
            .unwrap_or(0);
        let has_room = self.used.load(Ordering::Relaxed) + bytes <= self.limit
            && fits(of_application, self.limit / 2)
            && fits(reader.peer.in_flight(), of_connection);
        has_room.then(|| self.put(bytes, reader, &mut of_applications))
    }

    fn add(&self, bytes: u64, reader: &Reader) {
        self.put(bytes, reader, &mut self.of_applications());
    }

    fn put(&self, bytes: u64, reader: &Reader, of_applications: &mut HashMap<Application, u64>) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        reader.peer.takes(bytes);
        if let Some(application) = reader.application() {
            *of_applications.entry(application).or_default() += bytes;
        }
    }

    fn give_back(&self, bytes: u64, reader: &Reader) {
        let mut of_applications = self.of_applications();
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        reader.peer.took(bytes);
        let Some(application) = reader.application() else { return };
        if let Some(used) = of_applications.get_mut(&application) {
            *used -= bytes;
            if *used == 0 {
                of_applications.remove(&application);
            }
        }
    }

    fn of_applications(&self) -> MutexGuard<'_, HashMap<Application, u64>> {
        // Nothing is left half done in it.
        self.of_applications.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn application(&self) -> Option<Application> {
        let caller = self.caller.as_ref()?;
        Some((caller.tenant.as_str().into(), caller.app_id.as_str().into()))
    }
}

impl InFlight {
    /// Bytes that are counted until the last of them was written.
    pub fn with(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(CountedBytes { bytes, _in_flight: self })
    }

    /// Gives back all but `bytes`, or takes what is missing.
    pub fn become_size(&mut self, bytes: u64) {
        if bytes > self.bytes {
            self.account.add(bytes - self.bytes, &self.reader);
        } else {
            self.account.give_back(self.bytes - bytes, &self.reader);
        }
        self.bytes = bytes;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.account.give_back(self.bytes, &self.reader);
    }
}

/// The owner of counted bytes.
struct CountedBytes {
    bytes: Bytes,
    _in_flight: InFlight,
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use crate::problem::Code;

    fn alone() -> Arc<Peer> {
        Arc::new(Peer::new(Ipv6Addr::LOCALHOST.into()))
    }

    fn reader(peer: &Arc<Peer>) -> Reader {
        Reader { caller: None, peer: Arc::clone(peer) }
    }

    #[test]
    fn above_the_limit_and_above_its_share_a_reader_is_told_to_come_back() {
        let answer_budget = AnswerBudget::new(100);
        let (one, other) = (reader(&alone()), reader(&alone()));
        let first = answer_budget.take(20, &one).unwrap();
        assert_eq!(answer_budget.take(6, &one).unwrap_err().code(), Code::Unavailable);
        let second = answer_budget.take(70, &other).unwrap();
        assert_eq!(
            answer_budget.take(11, &reader(&alone())).unwrap_err().code(),
            Code::Unavailable
        );
        assert_eq!(answer_budget.take(101, &one).unwrap_err().code(), Code::BadRequest);
        assert_eq!(answer_budget.used(), 90);
        drop(second);
        let third = answer_budget.take(5, &one).unwrap();
        drop((first, third));
        assert_eq!(answer_budget.used(), 0);
    }

    #[test]
    fn bytes_are_counted_until_the_last_of_them_has_gone() {
        let answer_budget = AnswerBudget::new(100);
        let in_flight = answer_budget.take(10, &reader(&alone())).unwrap();
        let mut bytes = in_flight.with(Bytes::from_static(b"0123456789"));
        let head = bytes.split_to(4);
        drop(bytes);
        assert_eq!((&head[..], answer_budget.used()), (&b"0123"[..], 10));
        drop(head);
        assert_eq!(answer_budget.used(), 0);
    }
}
