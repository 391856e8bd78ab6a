//! Several processes on one store: killed, beside each other, and without space.
//!
//! The other process is this test binary again, told by the environment which part to play.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use store::{Error, Role};

use testkit::until;

use crate::calls::{Call, call};
use crate::engine::{Folder, open, serve, tenant};
use crate::sample::count;

const STORE: &str = "CALLVAULT_TEST_STORE";
const LEDGER: &str = "CALLVAULT_TEST_LEDGER";
const FIRST: &str = "CALLVAULT_TEST_FIRST";

fn spawn(part: &str, folder: &Folder, first: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([part, "--exact", "--ignored"])
        .env(STORE, folder.store())
        .env(LEDGER, folder.join("ledger"))
        .env(FIRST, first.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Store, ledger and first number of the part to play, if this is a child.
fn told() -> Option<(PathBuf, PathBuf, u32)> {
    let path = |name| std::env::var_os(name).map(PathBuf::from);
    let first = std::env::var(FIRST).ok()?.parse().ok()?;
    Some((path(STORE)?, path(LEDGER)?, first))
}

fn full_call(number: u32) -> Call {
    call(number).sessions(2).participants(&["a", "b"])
}

/// Adds a number to a ledger. In one write, since a kill between a number and the end of its line would
/// join it to the number that the next process notes.
fn note(ledger: &mut File, number: u32) {
    ledger.write_all(format!("{number}\n").as_bytes()).unwrap();
}

/// Writes until it is killed, and notes each write once it is acknowledged.
#[test]
#[ignore = "a part played by a child process"]
fn child_writes_until_killed() {
    let Some((path, ledger, first)) = told() else { return };
    let store = open(&path, Role::Serve);
    let mut ledger = OpenOptions::new().append(true).create(true).open(ledger).unwrap();
    for number in first.. {
        let batch = number * 3..number * 3 + 3;
        let records = batch.clone().map(|number| full_call(number).shred(&store)).collect();
        store.write(&tenant(), records).wait().unwrap();
        batch.for_each(|number| note(&mut ledger, number));
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = Folder::new();
    fs::write(folder.join("ledger"), "").unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let mut child = spawn("processes::child_writes_until_killed", &folder, round * 1_000_000);
        let so_far = acknowledged.len();
        until("it writes", || ledger(&folder.join("ledger")).len() > so_far + 20);
        std::thread::sleep(Duration::from_millis(u64::from(round) * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged = ledger(&folder.join("ledger"));
        let store = serve(&folder);
        assert_eq!(store.doctor().unwrap().problems, [""; 0]);
        let mut reader = store.reader().unwrap();
        for number in &acknowledged {
            let stored = reader.record(&tenant(), &call(*number).key(), None).unwrap();
            assert_eq!(stored.map(|stored| stored.session_count), Some(2), "{number}");
        }
        assert_eq!(count(&store, &tenant()) % 3, 0, "a batch is there in part");
    }
    assert!(acknowledged.len() > 100);
}

/// Writes one record after the other as a tool, and names each on acknowledgement by a file.
#[test]
#[ignore = "a part played by a child process"]
fn child_writes_as_a_tool() {
    let Some((path, ledger, first)) = told() else { return };
    let store = open(&path, Role::Tool);
    let mut ledger = OpenOptions::new().append(true).create(true).open(ledger).unwrap();
    for number in first..first + 200 {
        store.write(&tenant(), vec![call(number).shred(&store)]).wait().unwrap();
        note(&mut ledger, number);
    }
}

#[test]
fn what_a_tool_has_acknowledged_is_seen_at_once_though_snapshots_are_held() {
    let folder = Folder::new();
    fs::write(folder.join("ledger"), "").unwrap();
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let mut child = spawn("processes::child_writes_as_a_tool", &folder, 0);
    let mut seen = 0;
    while seen < 200 {
        let has_ended = child.try_wait().unwrap().is_some();
        assert!(!has_ended || ledger(&folder.join("ledger")).len() == 200, "the tool has failed");
        // Without this call the snapshot would be fresh anyhow.
        reader.record(&tenant(), b"nobody", None).unwrap();
        for number in ledger(&folder.join("ledger")).into_iter().skip(seen) {
            let stored = reader.record(&tenant(), &call(number).key(), None).unwrap();
            assert!(stored.is_some(), "{number} was acknowledged and is not seen");
            seen += 1;
        }
    }
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_full_disk_refuses_writes_loses_nothing_and_heals_by_itself() {
    let Some(disk) = SmallDisk::mount() else { return };
    let store = open(&disk.0.join("callvault.db"), Role::Serve);
    let noise: String = (0..20_000_u32)
        .map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 26))
        .collect();
    let mut acknowledged = 0;
    let refused = loop {
        let member = format!(r#""noise":"{acknowledged}{noise}""#);
        let record = call(acknowledged).more(&member).shred(&store);
        match store.write(&tenant(), vec![record]).wait() {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 100_000, "the disk never fills");
    };
    assert!(matches!(refused, Error::Full(_)), "{refused:?}");
    assert!(!store.is_available());
    assert_eq!(count(&store, &tenant()), u64::from(acknowledged));
    fs::remove_file(disk.0.join("ballast")).unwrap();
    until("the store is there", || store.is_available());
    store.write(&tenant(), vec![call(999_999).shred(&store)]).wait().unwrap();
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
}

/// A file system of 24 MiB, 8 of them taken by a file that can be removed.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where mounting is not allowed.
    fn mount() -> Option<Self> {
        let name = format!("callvault-small-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            let _ = fs::remove_dir(&path);
            return None;
        }
        fs::write(path.join("ballast"), vec![1; 8 << 20]).unwrap();
        Some(Self(path))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

/// The numbers of a ledger, but for a last line that is still being written.
fn ledger(path: &Path) -> Vec<u32> {
    let text = fs::read_to_string(path).unwrap();
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    whole.lines().map(|line| line.parse().unwrap()).collect()
}
