//! What the reader's machine has: the program on the `PATH`, a Python with Microsoft's SDK, ports.
//!
//! - `cargo build --release` does nothing and `cargo run --release --` runs the program: it is built.
//! - `python3 -m venv NAME` links to the environment that the checks of the SDK use, with `pip install` done.
//! - `curl` fails when the server refuses.
//! - The ports 8080, 8443 and 9000 are others, so that checks don't meet; so are the NATS server on port 4222 and
//!   the database that is named `postgres://callvault:…@db.contoso.com/callvault`.

use std::cell::OnceCell;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::Result;
use testkit::{Nats, Postgres, lasting_port};

use crate::sdks;
use xtask::repository::{PROFILE, binary};

/// The database of the guides.
const DATABASE: &str = "postgres://callvault:…@db.contoso.com/callvault";

/// The NATS server of the guides, with a stream of all subjects that begin with `calls.`.
const STREAM: &str = "nats://127.0.0.1:4222/";

/// The machine, with a folder for each guide.
pub(super) struct Machine {
    folder: PathBuf,
}

/// What stands in for the ports and the database of a guide.
pub(super) struct Places {
    api: u16,
    tls: u16,
    receiver: u16,
    nats: OnceCell<Nats>,
    postgres: OnceCell<Postgres>,
}

impl Machine {
    /// Prepares the machine in a folder.
    ///
    /// # Errors
    /// When the SDK can't be installed, or a file not be written.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let python = sdks::python_client("python")?;
        let environment = python.ancestors().nth(2).unwrap_or(Path::new("/")).display().to_string();
        let programs = folder.join("bin");
        fs::create_dir(&programs)?;
        symlink(binary("callvault", PROFILE), programs.join("callvault"))?;
        let scripts = [
            (
                "cargo",
                "case \"$*\" in\n  'build --release') ;;\n  'run --release -- '*) shift 3; exec callvault \"$@\" ;;\n  \
                 *) echo \"the check does not run cargo $*\" >&2; exit 1 ;;\nesac\n"
                    .to_owned(),
            ),
            (
                "python3",
                format!(
                    "if [ \"$1 $2\" = '-m venv' ]; then exec ln -s {environment} \"$3\"; fi\n\
                     exec {environment}/bin/python \"$@\"\n"
                ),
            ),
        ];
        for (name, text) in scripts {
            let path = programs.join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}"))?;
            fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        }
        fs::write(folder.join(".curlrc"), "fail-with-body\nshow-error\n")?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// An empty folder for a guide.
    pub(super) fn folder_for(&self, guide: &str) -> Result<PathBuf> {
        let folder = self.folder.join(guide.replace(['/', '.'], "-"));
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// The home of the reader.
    pub(super) fn home(&self) -> &Path {
        &self.folder
    }

    /// The value of `PATH`.
    pub(super) fn path(&self) -> String {
        let others = std::env::var("PATH").unwrap_or_default();
        format!("{}:{others}", self.folder.join("bin").display())
    }
}

impl Places {
    pub(super) fn new() -> Self {
        Self {
            api: lasting_port(),
            tls: lasting_port(),
            receiver: lasting_port(),
            nats: OnceCell::new(),
            postgres: OnceCell::new(),
        }
    }

    /// Where a server without other settings listens.
    pub(super) fn listen(&self) -> String {
        format!("127.0.0.1:{}", self.api)
    }

    /// A text of a guide with the places of this machine.
    pub(super) fn own(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (shown, own) in [("8080", self.api), ("8443", self.tls), ("9000", self.receiver)] {
            text = text.replace(&format!(":{shown}"), &format!(":{own}"));
            text = text.replace(&format!(".py {shown}"), &format!(".py {own}"));
        }
        if text.contains(DATABASE) {
            text = text.replace(DATABASE, &self.postgres.get_or_init(Postgres::start).url());
        }
        if text.contains(STREAM) {
            let nats = self.nats.get_or_init(|| {
                let nats = Nats::start();
                nats.add_stream("calls");
                nats
            });
            text = text.replace(STREAM, &nats.url(""));
        }
        text
    }
}
