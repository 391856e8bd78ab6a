//! Whether the names of a store's files still lead to the files that are open.
//!
//! A file that was deleted, or replaced by another one, can still be written as long as it is open, and
//! nobody would ever find what was written. SQLite does not check. While a file is open no other file
//! gets its inode, so comparing inodes is enough. The check never opens the file: closing it would
//! release SQLite's locks on it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::fault;
use crate::{Cause, Error};

/// How often to look while nothing is written.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The store, its log, and the index of the log.
const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];
const LOG: usize = 1;

/// The files of an open store, by name and inode.
#[derive(Debug)]
pub(crate) struct FileIdentity {
    files: [NamedFile; ENDINGS.len()],
    /// What was found wrong. It stays: what is open can't be got back to its name.
    wrong: OnceLock<String>,
    /// Set before the connections are closed, the last of which removes the log.
    is_closing: AtomicBool,
}

/// A name, and the file that it led to when that was opened; none before there was one.
#[derive(Debug)]
struct NamedFile {
    name: PathBuf,
    inode: Mutex<Option<Inode>>,
}

/// What tells a file from every other one that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Inode {
    device: u64,
    number: u64,
}

impl Inode {
    /// The one that a name leads to now.
    fn behind(name: &Path) -> io::Result<Self> {
        fs::metadata(name).map(|file| Self { device: file.dev(), number: file.ino() })
    }
}

impl NamedFile {
    fn of(name: PathBuf) -> Self {
        let inode = Mutex::new(Inode::behind(&name).ok());
        Self { name, inode }
    }

    fn known(&self) -> Option<Inode> {
        *self.inode.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the name leads to the file that is open.
    fn is_known(&self) -> bool {
        let known = self.known();
        known.is_some() && Inode::behind(&self.name).ok() == known
    }

    /// Whether the name leads nowhere.
    fn is_gone(&self) -> bool {
        Inode::behind(&self.name).is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// What is wrong with the file.
    fn look(&self) -> Option<String> {
        let mut known = self.inode.lock().unwrap_or_else(PoisonError::into_inner);
        let found = Inode::behind(&self.name);
        let name = self.name.display();
        match (found, *known) {
            // An index or log that comes late belongs to what is open.
            (Ok(found), None) => *known = Some(found),
            (Ok(found), Some(open)) if found != open => {
                return Some(format!("{name} was replaced by another file while it was open"));
            }
            (Ok(_), Some(_)) | (Err(_), None) => {}
            (Err(error), Some(_)) if error.kind() == ErrorKind::NotFound => {
                return Some(format!("{name} was deleted or moved away while it was open"));
            }
            (Err(error), Some(_)) => {
                return Some(format!("{name} can't be reached any more: {error}"));
            }
        }
        None
    }
}

impl FileIdentity {
    /// Those of the store at `path`, which is open and has been read or written.
    pub(crate) fn of(path: &Path) -> Self {
        let file = |ending: &str| {
            let mut name = OsString::from(path);
            name.push(ending);
            NamedFile::of(name.into())
        };
        Self {
            files: ENDINGS.map(file),
            wrong: OnceLock::new(),
            is_closing: AtomicBool::new(false),
        }
    }

    /// Says that this process is about to close the store: from now on a log that is gone is as it should be.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    /// What was found wrong so far.
    pub(crate) fn wrong(&self) -> Option<&str> {
        self.wrong.get().map(String::as_str)
    }

    /// Fails when something was found wrong so far.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.wrong.get() {
            None => Ok(()),
            Some(wrong) => Err(Error::Lost(Cause::new(wrong.clone()))),
        }
    }

    /// Whether the open log is not the file that has its name. SQLite must not delete that file then.
    pub(crate) fn is_log_foreign(&self) -> bool {
        let log = &self.files[LOG];
        Inode::behind(&log.name).ok() != log.known()
    }

    /// Whether the log is gone and the store is there, as another connection of this process leaves them that
    /// was the last one with a log to close.
    pub(crate) fn was_log_removed(&self) -> bool {
        self.files[0].is_known() && self.files[LOG].is_gone()
    }

    /// Whether that was done, or is being done: SQLite removes the index before the log.
    fn is_log_being_removed(&self) -> bool {
        let [store, inside @ ..] = &self.files;
        store.is_known() && inside.iter().any(NamedFile::is_gone)
    }

    /// The error, as a full disk where a file has reached the greatest size that it may have.
    pub(crate) fn classify(&self, error: Error) -> Error {
        fault::classify(error, self.files.iter().map(|file| file.name.as_path()))
    }

    /// Looks, and fails when something is wrong or was.
    pub(crate) fn look(&self) -> Result<(), Error> {
        if self.wrong.get().is_none()
            && let Some(wrong) = self.files.iter().find_map(NamedFile::look)
            // Asked behind the look, since the log goes after this was said.
            && !(self.is_closing.load(Ordering::Acquire) && self.is_log_being_removed())
        {
            self.wrong.get_or_init(|| {
                tracing::error!("{wrong}; nothing is read or written any more before a restart");
                self.put_log_aside();
                wrong
            });
        }
        self.check()
    }

    /// Renames the log when the store's own name leads elsewhere: a process that opens the file there would
    /// take the log for that file's, and corrupt it. What the log holds can be rescued.
    fn put_log_aside(&self) {
        let [store, inside @ ..] = &self.files;
        if store.is_known() {
            return;
        }
        for file in inside.iter().filter(|file| file.is_known()) {
            let mut aside = OsString::from(&file.name);
            aside.push(".lost");
            match fs::rename(&file.name, &aside) {
                Ok(()) => tracing::error!("its log is {} now", Path::new(&aside).display()),
                Err(error) => tracing::error!(%error, "the log of the store keeps its name"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_gone_beside_its_store_was_removed_and_one_without_a_store_is_lost() {
        let folder = std::env::temp_dir().join(format!("identity-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let store = folder.join("store.db");
        let (log, index) = (folder.join("store.db-wal"), folder.join("store.db-shm"));
        for file in [&store, &log, &index] {
            fs::write(file, "x").unwrap();
        }
        let [files, open] = [(); 2].map(|()| FileIdentity::of(&store));
        files.close();
        assert!(!files.was_log_removed(), "it is there");
        fs::remove_file(&index).unwrap();
        assert!(files.look().is_ok(), "this process is closing the store");
        assert!(open.look().is_err(), "this one is not");
        fs::remove_file(&log).unwrap();
        assert!(files.was_log_removed());
        assert!(files.look().is_ok(), "this process has closed the store");
        assert!(FileIdentity::of(&store).look().is_ok(), "there was no log");
        fs::remove_file(&store).unwrap();
        assert!(!files.was_log_removed(), "the store is gone, too");
        assert!(files.look().is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
