//! Imports into a real store.

use std::path::PathBuf;
use std::time::Duration;

use store::{Options, Role};

use super::*;
use crate::split::{Record, Refusal};

const TENANT: &str = "dc368399-474c-4d40-900c-6265431fd81f";

fn record(id: usize, version: usize, kind: &str) -> String {
    format!(
        r#"{{"id":"e523d2ed-2966-4b6b-925b-{id:012}","version":{version},"type":"{kind}","startDateTime":"2026-11-01T08:00:00Z","endDateTime":"2026-11-01T09:00:00Z"}}"#
    )
}

fn piece(line: usize, text: String) -> FilePiece {
    let pointer = "/value/0".to_owned();
    let record = Record { text, line: line as u64, pointer, context: None };
    FilePiece { file: "a.json".into(), piece: Ok(record) }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("callvault-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn store(&self) -> Store {
        let patience = Duration::from_mins(5);
        let options = Options::new(self.0.join("a.db"), Role::Tool);
        Store::open(&Options { create: true, statement_limit: patience, ..options }).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn run(store: &Store, pieces: Vec<FilePiece>) -> (Counts, Vec<String>) {
    let tenant = TenantId::parse(TENANT).unwrap();
    let mut rejects = Vec::new();
    let counts = import(store, &tenant, pieces.into_iter(), 3, &mut |event| {
        if let Event::Rejected(reject) = event {
            rejects.push(format!("{}:{} {}", reject.file, reject.line, reject.pointer));
        }
    });
    (counts.unwrap(), rejects)
}

#[test]
fn records_are_counted_by_what_came_of_them() {
    let folder = Folder::new("counted");
    let store = folder.store();
    let pieces = || {
        vec![
            piece(1, record(1, 1, "groupCall")),
            piece(2, record(1, 3, "groupCall")),
            piece(3, record(1, 2, "groupCall")),
            piece(4, record(2, 1, "peerToPeer")),
            piece(5, record(2, 1, "groupCall")),
            piece(6, record(3, 1, "groupCall").replace("2026-11-01T08", "08")),
            piece(7, "{".to_owned()),
            FilePiece {
                file: "b.json".into(),
                piece: Err(Refusal { line: 8, pointer: String::new(), message: String::new() }),
            },
        ]
    };
    let (counts, mut rejects) = run(&store, pieces());
    rejects.sort();
    assert_eq!(
        rejects,
        [
            "a.json:5 /value/0/type",
            "a.json:6 /value/0/startDateTime",
            "a.json:7 /value/0",
            "b.json:8 ",
        ]
    );
    let expected =
        Counts { read: 8, created: 2, replaced: 1, archived: 1, rejected: 4, ..Counts::default() };
    assert_eq!(counts, expected);
    let (again, _) = run(&store, pieces());
    assert_eq!((again.unchanged, again.rejected, again.created), (4, 4, 0));
}

#[test]
fn many_batches_on_several_threads_keep_the_order_of_versions() {
    let folder = Folder::new("order");
    let versions = 5 * BATCH_PIECES;
    let pieces = (1..=versions).map(|version| piece(version, record(1, version, "groupCall")));
    let (counts, _) = run(&folder.store(), pieces.collect());
    // In any other order some would be archived.
    assert_eq!((counts.created, counts.replaced), (1, versions as u64 - 1));
}
