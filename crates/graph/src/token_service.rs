//! How many requests for tokens are answered at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use web::Problem;

/// Secrets checked at once. Each takes 19 MiB and tens of milliseconds of a core by design.
const AT_ONCE: usize = 2;
/// Requests that may wait for that.
const QUEUE: usize = 32;

/// Lets few requests in at once, so that a flood of secrets takes neither all cores nor all
/// memory.
#[derive(Debug)]
pub(crate) struct TokenService {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl TokenService {
    pub(crate) fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), waiting: AtomicUsize::new(0) }
    }

    /// Waits for a place; 429 when too many wait already.
    pub(crate) async fn queue(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let waiting = QueuePlace::join(&self.waiting)?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(Problem::internal);
        drop(waiting);
        place
    }
}

/// Counts one who waits, also when the client leaves meanwhile.
struct QueuePlace<'a>(&'a AtomicUsize);

impl<'a> QueuePlace<'a> {
    fn join(waiting: &'a AtomicUsize) -> Result<Self, Problem> {
        waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count < QUEUE).then_some(count + 1)
            })
            .map_err(|_| Problem::throttled(Duration::from_secs(1)))?;
        Ok(Self(waiting))
    }
}

impl Drop for QueuePlace<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;
    use web::Code;

    #[tokio::test]
    async fn a_flood_of_token_requests_is_told_to_come_back() {
        let service = TokenService::new();
        let first = service.queue().await.unwrap();
        let _second = service.queue().await.unwrap();
        let mut waiting: Vec<_> = (0..QUEUE).map(|_| Box::pin(service.queue())).collect();
        let mut context = Context::from_waker(Waker::noop());
        for one in &mut waiting {
            assert!(one.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(service.queue().await.unwrap_err().code(), Code::Throttled);
        drop(waiting.pop());
        assert!(pin!(service.queue()).poll(&mut context).is_pending(), "one left the queue");
        drop(first);
        assert!(waiting[0].as_mut().poll(&mut context).is_ready());
    }
}
