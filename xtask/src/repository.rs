//! Where things are: the root of the checkout, the build folder, and the profile that the checks use.

use std::env;
use std::path::{Path, PathBuf};

/// The cargo profile of everything that the checks build: that of the README's first command, so that
/// the workspace is compiled once.
pub const PROFILE: &str = "release";

/// The cargo profile of what is shipped, and of benchmarks.
pub const SHIPPED: &str = "dist";

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the root")
}

/// The build folder, which takes everything that is made and may be deleted.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program of ours in a profile, once it was built.
pub fn binary(name: &str, profile: &str) -> PathBuf {
    target().join(profile).join(name)
}

/// An empty folder of this name under the build folder.
///
/// # Errors
/// When an older one can't be removed, or the new one not be made.
pub fn fresh_folder(name: &str) -> std::io::Result<PathBuf> {
    let folder = target().join("made").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
