//! What passes and readings of a mirror share while one process runs it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use store::{Codec, MirrorLease, MirrorRow, Store};

use crate::client::Client;
use crate::fault::Fault;

/// Seals a body for a purpose.
pub type Seal = Arc<dyn Fn(&str, &[u8]) -> Vec<u8> + Send + Sync>;

/// See the head of this file.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) mirror: MirrorRow,
    pub(crate) lease: MirrorLease,
    pub(crate) client: Client,
    pub(crate) seal: Seal,
    /// Held while a large record is read.
    pub(crate) large: Arc<tokio::sync::Mutex<()>>,
    /// Since when (by the source's clock) somebody listens, so that it can be said how late a call is.
    pub(crate) listens_since: i64,
    codecs: Mutex<Vec<Codec>>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("mirror", &self.mirror.setup.name).finish_non_exhaustive()
    }
}

/// Why a pass or a reading ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// Something is wrong with the source.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Something is wrong with the store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Another process holds the mirror.
    #[error("another process runs the mirror")]
    Lost,
}

impl Context {
    pub(crate) fn new(
        store: Store,
        (mirror, lease): (MirrorRow, MirrorLease),
        client: Client,
        seal: Seal,
    ) -> Self {
        let (large, codecs) = (Arc::default(), Mutex::default());
        let listens_since = mirror.created + mirror.skew.unwrap_or(0);
        Self { store, mirror, lease, client, seal, large, listens_since, codecs }
    }

    /// Checks and shreds the text of a record, on a thread that may take long; none if it has panicked.
    pub(crate) async fn shred(
        self: &Arc<Self>,
        text: String,
    ) -> Option<(Result<model::ShreddedRecord, model::Error>, String)> {
        let context = Arc::clone(self);
        let work = move || {
            let codec = context.codecs().pop();
            let mut codec = codec.unwrap_or_else(|| context.store.codec());
            let shredded = model::shred(&text, &mut codec);
            context.codecs().push(codec);
            (shredded, text)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.inspect_err(|error| tracing::error!(%error, "a record could not be taken apart")).ok()
    }

    fn codecs(&self) -> std::sync::MutexGuard<'_, Vec<Codec>> {
        self.codecs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
