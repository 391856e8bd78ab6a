//! Where things are: the root of the checkout, the build folder, and the profile that the checks use.

use std::env;
use std::path::{Path, PathBuf};

/// The cargo profile of everything that the checks build, so that the workspace is compiled once.
pub(crate) const PROFILE: &str = "fast";

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the root")
}

/// The build folder, which takes everything that is made and may be deleted.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The callvault binary of a profile, once it was built.
pub(crate) fn binary(profile: &str) -> PathBuf {
    target().join(profile).join("callvault")
}

/// An empty folder of this name under the build folder.
///
/// # Errors
/// When an older one can't be removed, or the new one not be made.
pub(crate) fn fresh_folder(name: &str) -> std::io::Result<PathBuf> {
    let folder = target().join("xtask").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
