//! What the checks need besides the Rust toolchain, and how it gets here: Python with venv, Node with
//! npm, a C and a C++ compiler, a NATS server, a PostgreSQL server, curl. What is missing is installed
//! by apt-get when we are root on Debian or Ubuntu, else the command to run is told. The clients go into the build folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::repository::{root, target};

/// A program that the checks need.
struct Need {
    what: &'static str,
    probe: (&'static str, &'static [&'static str]),
    packages: &'static [&'static str],
}

const NEEDS: [Need; 8] = [
    Need {
        what: "Python 3 with venv and pip",
        probe: ("python3", &["-c", "import venv, ensurepip, sqlite3"]),
        packages: &["python3", "python3-venv", "python3-pip"],
    },
    Need {
        what: "Node 20 or later",
        probe: ("node", &["-e", "process.exit(+(process.versions.node.split('.')[0] < 20))"]),
        packages: &["nodejs"],
    },
    Need { what: "npm", probe: ("npm", &["--version"]), packages: &["npm"] },
    Need { what: "a C compiler", probe: ("cc", &["--version"]), packages: &["gcc", "libc6-dev"] },
    Need { what: "a C++ compiler", probe: ("c++", &["--version"]), packages: &["g++"] },
    Need {
        what: "a NATS server",
        probe: ("nats-server", &["--version"]),
        packages: &["nats-server"],
    },
    Need {
        what: "a PostgreSQL server",
        probe: ("sh", &["-c", "ls /usr/lib/postgresql/*/bin/initdb || command -v initdb"]),
        packages: &["postgresql"],
    },
    Need { what: "curl", probe: ("curl", &["--version"]), packages: &["curl"] },
];

/// Looks for everything, installs what is missing and can be installed.
///
/// # Errors
/// Names what is still missing and the command that brings it.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    let names: Vec<&str> = missing.iter().map(|need| need.what).collect();
    println!("missing: {}", names.join(", "));
    if is_root() && process::works("apt-get", &["--version"]) {
        apt_get(&["update", "-q"])?;
        let mut arguments = vec!["install", "-q", "-y", "--no-install-recommends"];
        arguments.extend(&packages);
        apt_get(&arguments)?;
    }
    let missing = self::missing();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|need| need.what).collect();
    bail!(
        "the checks need {}; on Debian or Ubuntu: sudo apt-get install {}",
        names.join(", "),
        packages.join(" ")
    )
}

fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !process::works(need.probe.0, need.probe.1)).collect()
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    process::run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// The Python of a virtual environment that holds the SDK, made when it isn't there or is older
/// than `clients/python/requirements.txt`.
pub(crate) fn python() -> Result<PathBuf> {
    let requirements = root().join("clients/python/requirements.txt");
    let home = target().join("clients/python");
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
