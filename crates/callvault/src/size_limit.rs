//! The greatest size that the process may give a file (`RLIMIT_FSIZE`): reaching it is an error of the
//! write, as a full disk is, and not the end of the process.

use std::io;

use rustix::process::Signal;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// From now on the signal does nothing.
pub(crate) fn outlive() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    // Nobody waits for the signal. It counts that it is handled at all, which lasts as long as the
    // process.
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}
