//! What happens to the files of a running server: its log can't be written, its store is replaced, gone
//! or full, a dictionary is spoilt, others look into its folder.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use super::arena::{ATTACKER, Arena, READ, WRITE, must};
use super::client::{Client, beginning};
use super::record;
use crate::instance::Instance;
use crate::paths::CALL_RECORDS;
use crate::server_process::ServerProcess;
use xtask::repository::PROFILE;

/// What is done to a file.
type Harm = fn(&Path) -> std::io::Result<()>;

/// A server of its own, which is attacked apart from the others.
struct Own {
    instance: Instance,
    client: Client,
    served: ServerProcess,
}

impl Own {
    /// Starts one in a new folder, after something is done to the command.
    fn start(arena: &Arena<'_>, name: &str, change: impl FnOnce(&mut Command)) -> Result<Self> {
        let folder = arena.instance.data().with_extension(name);
        let instance = Instance::new(PROFILE, folder)?;
        fs::create_dir_all(instance.data())?;
        let token = instance.token_in(ATTACKER, &[READ, WRITE])?;
        let mut command = instance.serve_command();
        change(&mut command);
        let served = ServerProcess::start(&mut command)?;
        let address = served.url.strip_prefix("http://").context("plain HTTP")?.parse()?;
        let client = Client::new(address, &token, testkit::PATIENCE);
        Ok(Self { instance, client, served })
    }

    fn keep(&mut self, id: &str) -> Result<u16, String> {
        self.client.post(CALL_RECORDS, record::small(id).as_bytes()).map(|answer| answer.status)
    }

    /// Each kind of request is answered as it is elsewhere.
    fn works(&mut self, id: &str) -> Result<(), String> {
        let kept = self.keep(id)?;
        must(matches!(kept, 200 | 201), || format!("a record is answered {kept}"))?;
        // By hyper and the layers, and on the socket.
        for (target, expected) in [
            (format!("{CALL_RECORDS}/{id}"), 200),
            (format!("{CALL_RECORDS}?$top=1"), 200),
            (format!("{CALL_RECORDS}?$nonsense=1"), 400),
            ("/nowhere".to_owned(), 404),
        ] {
            let answer = self.client.get(&target)?;
            must(answer.status == expected, || {
                format!("{target}: {} {}", answer.status, beginning(&answer))
            })?;
        }
        let has_ended = self.served.has_ended().map_err(|error| error.to_string())?;
        must(!has_ended, || "the server has ended".to_owned())
    }
}

/// Logs that nobody takes.
pub(super) fn logs(arena: &mut Arena<'_>) -> Result<()> {
    let id = "e0000000-0000-4000-8000-000000000005";
    let mut own = Own::start(arena, "log-sound", |command| {
        command.stderr(Stdio::null());
    })?;
    arena.tally.control("with a log that is taken all is well", own.works(id));
    drop(own);
    for format in ["text", "json"] {
        let full = File::options().write(true).open("/dev/full")?;
        let mut own = Own::start(arena, "log-full", |command| {
            command.env("CALLVAULT_LOG__FORMAT", format).stderr(full);
        })?;
        arena.tally.attack(&format!("a {format} log on a full disk"), own.works(id));
        drop(own);
        let (reader, writer) = std::io::pipe()?;
        let mut own = Own::start(arena, "log-closed", |command| {
            command.env("CALLVAULT_LOG__FORMAT", format).stderr(writer);
        })?;
        drop(reader);
        arena.tally.attack(&format!("a {format} log into a closed pipe"), own.works(id));
        drop(own);
        // A pipe that nobody reads takes some thousand lines.
        let (_unread, writer) = std::io::pipe()?;
        let mut own = Own::start(arena, "log-unread", |command| {
            command
                .env("CALLVAULT_LOG__FORMAT", format)
                .env("CALLVAULT_LOG__LEVEL", "debug")
                .stderr(writer);
        })?;
        let outcome = (0..600).try_for_each(|_| own.works(id));
        arena.tally.attack(&format!("a {format} log into a pipe that nobody reads"), outcome);
    }
    Ok(())
}

/// The store's file is gone or another one.
pub(super) fn store(arena: &mut Arena<'_>) -> Result<()> {
    let quiet = |command: &mut Command| {
        command.stderr(Stdio::null());
    };
    let harms: [(&str, Harm); 4] = [
        ("deleted", |file| fs::remove_file(file)),
        ("moved away", |file| fs::rename(file, file.with_extension("away"))),
        ("replaced by a copy", |file| {
            fs::copy(file, file.with_extension("copy"))?;
            fs::rename(file.with_extension("copy"), file)
        }),
        ("replaced by nothing", |file| {
            fs::write(file.with_extension("empty"), b"")?;
            fs::rename(file.with_extension("empty"), file)
        }),
    ];
    for (number, (name, harm)) in harms.into_iter().enumerate() {
        let mut own = Own::start(arena, &format!("store-{number}"), quiet)?;
        let admin = own.served.admin()?;
        let kept = own.keep("before");
        arena.tally.control(
            "a record is kept before",
            kept.and_then(|it| must(it == 201, || it.to_string())),
        );
        harm(&own.instance.data().join("callvault.db"))?;
        let outcome = own
            .keep("after")
            .and_then(|status| must(status == 503, || format!("a write is answered {status}")));
        arena.tally.attack(&format!("a write when the store is {name}"), outcome);
        let began = Instant::now();
        let mut read = own.client.get(&format!("{CALL_RECORDS}/before"));
        while read.as_ref().is_ok_and(|answer| answer.status == 200)
            && began.elapsed() < arena.patience() / 6
        {
            read = own.client.get(&format!("{CALL_RECORDS}/before"));
        }
        let outcome = read.and_then(|answer| {
            must(answer.status == 503, || format!("answered {}", answer.status))
        });
        arena.tally.attack(&format!("a read when the store is {name}"), outcome);
        let address = admin.strip_prefix("http://").context("plain HTTP")?.parse()?;
        let ready = Client::new(address, "", arena.patience()).get("/readyz");
        let outcome = ready.and_then(|answer| must(answer.status == 503, || beginning(&answer)));
        arena.tally.attack(&format!("readiness when the store is {name}"), outcome);
    }
    full(arena)?;
    dictionary(arena)?;
    folder(arena)
}

/// A file may not grow: the system says so by a signal.
fn full(arena: &mut Arena<'_>) -> Result<()> {
    let mut own = Own::start(arena, "full", |command| {
        let program = command.get_program().to_owned();
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut limited = Command::new("sh");
        // In blocks of 512 bytes: 4 MiB.
        limited.args(["-c", "ulimit -f 8192; exec \"$0\" \"$@\""]).arg(program).args(arguments);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        limited.stderr(Stdio::null());
        *command = limited;
    })?;
    let first = own.keep("small");
    arena
        .tally
        .control("what fits is kept", first.and_then(|it| must(it == 201, || it.to_string())));
    let mut refused = None;
    for number in 0..40 {
        // What compresses badly: numbers by a generator.
        let mut state = 88_172_645_463_325_252_u64 + number;
        let text: String = (0..200_000)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from(b'a' + (state % 26) as u8)
            })
            .collect();
        let body = record::with(&format!("large-{number}"), &format!(",\"own\":\"{text}\""));
        match own.client.post(CALL_RECORDS, body.as_bytes()) {
            Ok(answer) if answer.status == 201 => {}
            other => {
                refused = Some(other);
                break;
            }
        }
    }
    let outcome = refused.unwrap_or_else(|| Err("everything fits".to_owned())).and_then(|answer| {
        must(matches!(answer.status, 503 | 507), || {
            format!("{} {}", answer.status, beginning(&answer))
        })
    });
    arena.tally.attack("a file that may not grow", outcome);
    let outcome = own
        .client
        .get(&format!("{CALL_RECORDS}/small"))
        .and_then(|answer| must(answer.status == 200, || beginning(&answer)));
    arena.tally.attack("a read beside it", outcome);
    Ok(())
}

/// One bit of a dictionary is another.
fn dictionary(arena: &mut Arena<'_>) -> Result<()> {
    let mut own = Own::start(arena, "dictionary", |command| {
        command.stderr(Stdio::null());
    })?;
    let kept = own.keep("before");
    arena.tally.control("a record is kept", kept.and_then(|it| must(it == 201, || it.to_string())));
    let Own { instance, served, .. } = own;
    served.stop()?;
    let script = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1])\n\
        tables = \"SELECT name FROM sqlite_master WHERE type='table' AND name LIKE '%dictionar%'\"\n\
        names = [row[0] for row in db.execute(tables)]\n\
        done = 0\n\
        for name in names:\n\
        \x20   rows = db.execute(f'SELECT rowid, * FROM {name}')\n\
        \x20   columns = [column[0] for column in rows.description]\n\
        \x20   for row in rows.fetchall():\n\
        \x20       for column, value in zip(columns, row):\n\
        \x20           if not isinstance(value, bytes) or len(value) < 9: continue\n\
        \x20           value = bytearray(value)\n\
        \x20           value[int(sys.argv[2]) % len(value)] ^= 1\n\
        \x20           change = f'UPDATE {name} SET {column} = ? WHERE rowid = ?'\n\
        \x20           done += db.execute(change, (bytes(value), row[0])).rowcount\n\
        db.commit(); print(done)";
    for place in ["0", "5", "3000"] {
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(instance.data().join("callvault.db")).arg(place);
        let changed = xtask::process::output(&mut python)?;
        arena
            .tally
            .control("a dictionary is changed", must(changed.trim() != "0", || changed.clone()));
        let log = instance.data().join("serve.log");
        let started = {
            let mut command = instance.serve_command();
            command.stderr(File::create(&log)?);
            ServerProcess::start(&mut command)
        };
        let is_served = started.is_ok();
        drop(started);
        let said = fs::read_to_string(&log)?;
        let outcome = must(!said.contains("panicked"), || said.clone()).and_then(|()| {
            must(is_served || !said.trim().is_empty(), || "it ends without a word".to_owned())
        });
        arena.tally.attack(&format!("bit 0 of byte {place} of a dictionary"), outcome);
    }
    Ok(())
}

/// Nobody else looks into the folder that the server makes.
fn folder(arena: &mut Arena<'_>) -> Result<()> {
    let parent = arena.instance.data().with_extension("folders");
    fs::create_dir_all(&parent)?;
    let instance = Instance::new(PROFILE, parent.join("made"))?;
    instance.token(READ)?;
    let mode = fs::metadata(instance.data())?.permissions().mode() & 0o777;
    arena.tally.attack("the folder is for its owner", must(mode == 0o700, || format!("{mode:o}")));
    for file in ["callvault.db", "keys/master"] {
        let mode = fs::metadata(instance.data().join(file))?.permissions().mode() & 0o777;
        arena
            .tally
            .control(&format!("{file} is there"), must(mode & 0o400 != 0, || format!("{mode:o}")));
    }
    Ok(())
}
