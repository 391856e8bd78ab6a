//! Opens the store of a command, and says where it is: a command on another store than the one that is meant
//! does its work well and to nobody's use.

use std::fmt;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, ensure};
use store::{Options, Place, Role, Store};

use crate::advice::Opening;
use crate::logging;
use crate::settings::{DATA_DIR, STORE_FILE, Settings};

/// Beginning of the names of the folders of demos, in the folder for temporary files.
pub(super) const DEMO_FOLDER: &str = "callvault-demo-";
/// Number of other stores that are named, and of the entries of a folder among which they are looked for.
const NAMED_STORES: usize = 5;
const ENTRIES: usize = 10_000;

/// Opens the store, and makes it if it does not exist; says so then.
pub(super) fn open_or_create_store(settings: &Settings, role: Role) -> Result<Store> {
    if let Some(folder) = settings.store.file().and_then(Path::parent) {
        create_folder(folder)?;
    }
    let store = open(settings, role, true)?;
    if store.is_new() {
        let place = whole(&settings.store);
        match role {
            Role::Serve => tracing::info!(%place, "made a new, empty store"),
            Role::Tool => logging::note(&format!("made a new, empty store: {place}")),
        }
    }
    Ok(store)
}

/// Opens a store that must exist.
pub(super) fn open_store(settings: &Settings) -> Result<Store> {
    open_existing_store(settings, Role::Tool)
}

/// Opens a store that must exist, as its owner or beside one.
pub(super) fn open_existing_store(settings: &Settings, role: Role) -> Result<Store> {
    open(settings, role, false)
}

fn open(settings: &Settings, role: Role, create: bool) -> Result<Store> {
    let defaults = Options::at(settings.store.clone(), role);
    // An operator who lets queries take longer has a slow machine, or much data.
    let query_time = settings.limits.of_queries().cost.time;
    let statement_limit = defaults.statement_limit.max(query_time);
    let columns = settings.has_columns.then(|| settings.limits.column_memory());
    let options = Options { create, statement_limit, columns, ..defaults };
    Store::open(&options).map_err(|error| match error {
        store::Error::Missing(_) => Error::new(Absent::at(&settings.store)),
        error => Error::new(error).context(Opening(settings.store.clone())),
    })
}

/// That there is no store, where it was looked for, and which there are.
#[derive(Debug)]
pub(super) struct Absent {
    looked_at: String,
    /// The folder of the store is a file.
    is_in_file: Option<PathBuf>,
    others: String,
}

impl Absent {
    fn at(place: &Place) -> Self {
        let others: Vec<String> =
            place.file().map(near).unwrap_or_default().iter().map(|folder| flag(folder)).collect();
        let others = match others.as_slice() {
            [] => "none is near it".to_owned(),
            others => format!("near it: {}", others.join(", ")),
        };
        let folder = place.file().and_then(Path::parent);
        let is_in_file = folder.filter(|folder| folder.is_file()).map(Path::to_owned);
        Self { looked_at: whole(place), is_in_file, others }
    }

    /// What to do for a command that would make the store, if it knew whose records come in.
    pub(super) fn without_tenant(&self) -> String {
        let Self { looked_at, others, .. } = self;
        format!(
            "give --tenant GUID, the tenant of the records: there is no store at {looked_at} yet ({others}), \
             and with --tenant this command makes it. Name another store with --data-dir or --store"
        )
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { looked_at, is_in_file, others } = self;
        if let Some(file) = is_in_file {
            let file = file.display();
            return write!(
                f,
                "{file} is a file, and --data-dir names the folder of a store ({others})"
            );
        }
        write!(
            f,
            "there is no store at {looked_at} ({others}). Name another with --data-dir or --store, or make \
             one with `callvault import --tenant GUID`, `serve` or `migrate`"
        )
    }
}

impl std::error::Error for Absent {}

/// The flag that leads to the store of a folder.
fn flag(folder: &Path) -> String {
    let of_demo = if is_of_demo(folder) { " (of a demo that runs)" } else { "" };
    format!("--data-dir {}{of_demo}", folder.display())
}

/// A place with the whole path of its file.
fn whole(place: &Place) -> String {
    let path = place.file().and_then(|file| std::path::absolute(file).ok());
    path.map_or_else(|| place.to_string(), |path| path.display().to_string())
}

/// Folders with a store: beside the folder of a file, in the working directory, in the data folder of a folder there or
/// of the one above; and those of this user's demos that run.
fn near(file: &Path) -> Vec<PathBuf> {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut found: Vec<PathBuf> = Vec::new();
    let mut add = |folder: PathBuf| {
        let store = folder.join(STORE_FILE);
        let is_other = store != file && is_own_file(&store) && !is_left_by_demo(&folder);
        if is_other && found.len() < NAMED_STORES && !found.contains(&folder) {
            found.push(folder);
        }
    };
    let beside = folder.parent().unwrap_or(folder).to_owned();
    let working = std::env::current_dir().unwrap_or_default();
    let above = working.parent().unwrap_or(&working).to_owned();
    for place in [beside, working] {
        add(place.clone());
        for folder in folders_in(&place, "") {
            let inner = folder.join(DATA_DIR);
            if !is_of_demo(&folder) {
                add(folder);
                add(inner);
            }
        }
    }
    for place in [folder, &above] {
        add(place.to_owned());
        add(place.join(DATA_DIR));
    }
    folders_in(&std::env::temp_dir(), DEMO_FOLDER).into_iter().for_each(&mut add);
    found
}

/// Whether there is a file of this user: stores of others are not named, such as those of their demos.
fn is_own_file(path: &Path) -> bool {
    let user = rustix::process::geteuid().as_raw();
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.uid() == user)
}

/// Whether a folder is what a demo has left behind that was killed.
fn is_left_by_demo(folder: &Path) -> bool {
    is_of_demo(folder) && !store::is_owned(&folder.join(STORE_FILE))
}

/// Whether a folder has the name of those that demos make.
fn is_of_demo(folder: &Path) -> bool {
    folder.file_name().unwrap_or_default().to_string_lossy().starts_with(DEMO_FOLDER)
}

/// The folders in a folder whose names begin so, by name.
fn folders_in(folder: &Path, beginning: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().take(ENTRIES).flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning));
    let mut found: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// Creates a folder that only its owner can enter, since records show who spoke with whom.
pub(super) fn create_folder(path: &Path) -> Result<()> {
    ensure!(!path.is_file(), "{} is a file, and --data-dir names a folder", path.display());
    let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.with_context(|| format!("creating {}", path.display()))
}

/// Warns if others can enter an existing data folder.
pub(super) fn check_data_folder(settings: &Settings) {
    let folder = &settings.data_dir;
    let mode = fs::metadata(folder).map_or(0, |found| found.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let (folder, mode) = (folder.display(), format!("{mode:03o}"));
        tracing::warn!(%folder, mode, "others can enter the data folder: give it mode 700");
    }
}
