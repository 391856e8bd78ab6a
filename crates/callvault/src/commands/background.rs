//! Background tasks of a server, each on its own thread.

use std::fmt::Display;
use std::thread::{self, JoinHandle};

use anyhow::Result;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::watch;

/// A task on its thread. Dropping it ends the task without waiting for it.
#[derive(Debug)]
pub(super) struct BackgroundTask {
    name: &'static str,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl BackgroundTask {
    /// Starts a task on a thread of that name. Its receiver turns true when the task must stop.
    pub(super) fn start<F, W, E>(name: &'static str, task: F) -> Result<Self>
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
                Err(error) => return tracing::error!(%error, task = name, "the task can't start"),
            };
            if let Err(error) = runtime.block_on(task(stopped)) {
                tracing::error!(%error, task = name, "the task ended too early");
            }
        })?;
        Ok(Self { name, stop, thread })
    }

    /// Stops the task and waits for its end. The next start repeats unfinished work.
    pub(super) fn stop(self) {
        let _ = self.stop.send(true);
        if self.thread.join().is_err() {
            tracing::error!(task = self.name, "the task panicked");
        }
    }
}
