//! The thread that tells subscribers of records.

use std::thread::{self, JoinHandle};

use anyhow::Result;
use notify::Dispatcher;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::watch;

/// A dispatcher at work. Dropped, it ends, and is not waited for.
#[derive(Debug)]
pub(super) struct Telling {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

/// Starts the thread.
pub(super) fn start(dispatcher: Dispatcher) -> Result<Telling> {
    let (stop, stopped) = watch::channel(false);
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all();
    let thread = thread::Builder::new().name("notify".to_owned()).spawn(move || {
        let runtime = match runtime.build_local(LocalOptions::default()) {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "nobody is told of records"),
        };
        if let Err(error) = runtime.block_on(dispatcher.run(stopped)) {
            tracing::error!(%error, "nobody is told of records");
        }
    })?;
    Ok(Telling { stop, thread })
}

impl Telling {
    /// Ends the work; what was under way is sent again at the next start.
    pub(super) fn stop(self) {
        let _ = self.stop.send(true);
        if self.thread.join().is_err() {
            tracing::error!("the thread of notifications ended by a panic");
        }
    }
}
