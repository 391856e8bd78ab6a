//! The maximum size of a file that the process may write (`RLIMIT_FSIZE`). At the limit the write fails,
//! as on a full disk, and the process goes on.

use std::io;

use rustix::process::Signal;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Ignores the signal that ends the process at the limit.
///
/// # Errors
/// When the handler can't be installed.
pub(crate) fn ignore_signal() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    // Nothing waits for the signal. Having a handler is enough, and it stays for the life of the
    // process.
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}
