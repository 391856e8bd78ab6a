//! Work that goes on beside answering, each on a thread of its own.

use std::fmt::Display;
use std::thread::{self, JoinHandle};

use anyhow::Result;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::watch;

/// Work on its thread. Dropped, it ends, and is not waited for.
#[derive(Debug)]
pub(super) struct Beside {
    name: &'static str,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

/// Starts work on a thread of that name; it is told when to stop.
pub(super) fn start<F, W, E>(name: &'static str, work: F) -> Result<Beside>
where
    F: FnOnce(watch::Receiver<bool>) -> W + Send + 'static,
    W: Future<Output = Result<(), E>>,
    E: Display,
{
    let (stop, stopped) = watch::channel(false);
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all();
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let runtime = match runtime.build_local(LocalOptions::default()) {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, work = name, "not started"),
        };
        if let Err(error) = runtime.block_on(work(stopped)) {
            tracing::error!(%error, work = name, "ended too early");
        }
    })?;
    Ok(Beside { name, stop, thread })
}

impl Beside {
    /// Ends the work, and waits for that; what was under way is done again at the next start.
    pub(super) fn stop(self) {
        let _ = self.stop.send(true);
        if self.thread.join().is_err() {
            tracing::error!(work = self.name, "ended by a panic");
        }
    }
}
