//! Arguments of `keys`.

use clap::Subcommand;

/// `keys`
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Drop everything that is encrypted with the master key, for a store whose master key is lost
    ///
    /// Records, their versions and applications stay. Signing keys, the keys of page links and
    /// subscriptions go, and the command says what must be made anew. No server may run on the store.
    Reset,
}
