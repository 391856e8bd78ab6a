//! The SDKs and collectors of others that the server is tried with, installed into the build folder:
//! a virtual environment of Python, and folders of Node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use xtask::process;
use xtask::repository::{root, target};

/// The Python of a virtual environment that holds the packages of a check, made when it isn't there
/// or is older than `clients/NAME/requirements.txt`.
pub(crate) fn python_client(name: &str) -> Result<PathBuf> {
    let requirements = root().join("clients").join(name).join("requirements.txt");
    let home = target().join("clients").join(name);
    let python = home.join("bin/python");
    if !is_stamped(&home, &requirements)? {
        remove(&home)?;
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        // The SDK has thousands of modules of which a check imports a few: compiled when imported.
        let mut pip = Command::new(&python);
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--disable-pip-version-check",
        ]);
        process::run(pip.arg("--requirement").arg(&requirements))?;
        stamp(&home, &requirements)?;
    }
    Ok(python)
}

/// The folder that holds a check for Node and its modules: a copy of `clients/NAME`, with what its
/// lock file names brought by `npm ci`.
pub(crate) fn node_client(name: &str) -> Result<PathBuf> {
    let source = root().join("clients").join(name);
    let lock = source.join("package-lock.json");
    let home = target().join("clients").join(name);
    let is_installed = is_stamped(&home, &lock)?;
    if !is_installed {
        remove(&home)?;
    }
    copy_files(&source, &home)?;
    if !is_installed {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&home);
        process::run(&mut npm)?;
        stamp(&home, &lock)?;
    }
    Ok(home)
}

/// Copies the files of a folder, not those of the folders in it.
fn copy_files(source: &Path, home: &Path) -> Result<()> {
    fs::create_dir_all(home)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), home.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Whether a folder was made from this very list of packages.
fn is_stamped(home: &Path, list: &Path) -> Result<bool> {
    let wanted = fs::read(list).with_context(|| format!("can't read {}", list.display()))?;
    Ok(fs::read(home.join("made-from")).is_ok_and(|made| made == wanted))
}

fn stamp(home: &Path, list: &Path) -> Result<()> {
    fs::copy(list, home.join("made-from"))?;
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}
