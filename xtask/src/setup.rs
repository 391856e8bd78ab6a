//! What the checks need besides the Rust toolchain, and how it gets here: Python with venv, Node with
//! npm, a C and a C++ compiler, a NATS server, a PostgreSQL server, curl. What is missing is installed
//! by apt-get when we are root on Debian or Ubuntu, else the command to run is told.

use std::process::Command;

use anyhow::{Result, bail};
use xtask::process;

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
