//! Ctrl-C in a command that has something to say at its end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Exit status of an interrupted command: 128 and the number of SIGINT.
pub(crate) const STATUS: u8 = 130;
/// How long the command may take to its end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the command was asked to end, by SIGINT or SIGTERM.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    is_asked: Arc<AtomicBool>,
    /// Whether somebody else watches by now.
    is_over: Arc<AtomicBool>,
}

impl Interrupt {
    /// Begins to watch. A command that then does not end by itself, since it waits for its input or is asked
    /// twice, calls `last_words` and ends.
    ///
    /// # Errors
    /// When the signals can't be watched.
    pub(crate) fn watch(last_words: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        Self::watch_with(PATIENCE, last_words)
    }

    /// Like [`Self::watch`] for a command that may take so long to its end.
    ///
    /// # Errors
    /// When the signals can't be watched.
    pub(crate) fn watch_with(
        patience: Duration,
        last_words: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let interrupt = Self { is_asked: Arc::default(), is_over: Arc::default() };
        let watched = interrupt.clone();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut ends = signal(SignalKind::terminate())?;
        drop(entered);
        thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupts.recv() => {}
                    _ = ends.recv() => {}
                }
                watched.is_asked.store(true, Ordering::Relaxed);
                if watched.is_over.load(Ordering::Relaxed) {
                    return;
                }
                tokio::select! {
                    _ = interrupts.recv() => {}
                    () = tokio::time::sleep(patience) => {}
                }
            });
            if watched.is_over.load(Ordering::Relaxed) {
                return;
            }
            last_words();
            std::process::exit(i32::from(STATUS));
        })?;
        Ok(interrupt)
    }

    /// Whether it is to end.
    pub(crate) fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    /// Leaves the signals to somebody else.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}
