//! A store that was made once and is copied for each test: making the tables and the keys takes far
//! longer than most tests do.

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Bearer tokens, by whom they are for. Copies of a store have the same keys, so that they hold for
/// each of them.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<HashMap<(String, String), String>>);

impl Tokens {
    /// The token for a tenant and roles, issued if there is none yet.
    pub(crate) fn of(
        &self,
        tenant: &str,
        roles: &[&str],
        issue: impl FnOnce() -> String,
    ) -> String {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry((tenant.to_owned(), roles.join(" "))).or_insert_with(issue).clone()
    }
}

/// A data folder as it was, in memory.
#[derive(Debug)]
pub(crate) struct Files(Vec<(PathBuf, Content)>);

#[derive(Debug)]
enum Content {
    Folder,
    File(Vec<u8>, Permissions),
}

impl Files {
    /// Reads a folder.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn of(folder: &Path) -> std::io::Result<Self> {
        let mut all = Vec::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(below) = folders.pop() {
            for entry in fs::read_dir(folder.join(&below))? {
                let entry = entry?;
                let path = below.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    folders.push(path.clone());
                    all.push((path, Content::Folder));
                } else {
                    let permissions = entry.metadata()?.permissions();
                    all.push((path, Content::File(fs::read(entry.path())?, permissions)));
                }
            }
        }
        Ok(Self(all))
    }

    /// Writes all of it into a folder.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn write(&self, folder: &Path) -> std::io::Result<()> {
        for (path, content) in &self.0 {
            let path = folder.join(path);
            match content {
                Content::Folder => fs::create_dir(path)?,
                Content::File(bytes, permissions) => {
                    fs::write(&path, bytes)?;
                    fs::set_permissions(path, permissions.clone())?;
                }
            }
        }
        Ok(())
    }
}
