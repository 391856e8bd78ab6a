//! Stores that move from one engine to the other and back: nothing is lost, what comes meanwhile is
//! carried over, and whatever is not the same is noticed.

use std::path::PathBuf;

use model::log::{Log, LogRow};
use store::{
    AppRow, DeliveryOutcome, Error, LogRange, LogRowOutcome, PlaceMapImport, Role, SigningKeyRow,
    Store, TransferProgress, TransferSummary, transfer,
};

use crate::calls::{Call, call};
use crate::chains::event;
use testkit::PATIENCE;

use crate::engine::{Folder, other_tenant, tenant};
use crate::notifications::{matched, subscription};

/// A file that goes away with its test.
struct File(PathBuf);

impl File {
    fn new() -> Self {
        let name = format!("callvault-moving-{:x}", std::process::id());
        let thread = std::thread::current();
        let test = thread.name().unwrap_or_default().replace(':', "-");
        let folder = std::env::temp_dir().join(format!("{name}-{test}"));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn open(&self, name: &str) -> Store {
        let mut options = store::Options::new(self.0.join(name), Role::Tool);
        options.statement_limit = PATIENCE;
        Store::open(&options).unwrap()
    }

    /// Runs SQL beside the store.
    fn edit(&self, name: &str, sql: &str) {
        let script = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n\
                      db.execute(sys.argv[2])\ndb.commit()";
        let mut python = std::process::Command::new("python3");
        python.args(["-c", script]).arg(self.0.join(name)).arg(sql);
        assert!(python.status().unwrap().success(), "{sql}");
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(folder: &Folder) -> Store {
    Store::open(&folder.options(Role::Tool)).unwrap()
}

fn write(store: &Store, calls: &[Call]) {
    let records = calls.iter().map(|call| call.shred(store)).collect();
    store.write(&tenant(), records).wait().unwrap();
}

/// Puts some of everything into a store.
fn fill(store: &Store) {
    let people: Vec<String> = (0..140).map(|number| format!("p{number}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    write(store, &[call(1).sessions(65).participants(&people), call(2), call(3).sessions(2)]);
    // The next version of one, an old version of another, more of a third, and one that goes.
    write(store, &[call(2).version(3).start(1_800_000_000).participants(&["a"])]);
    write(store, &[call(2).version(2).sessions(1), call(3).sessions(2).participants(&["b"])]);
    write(store, &[call(4).start(1_600_000_000), call(4).version(2).start(1_600_000_000)]);
    store.write(&other_tenant(), vec![call(5).shred(store)]).wait().unwrap();
    let bound = call(0).start(1_650_000_000).ticks();
    assert_eq!(store.erase_ended_before(bound, 10).wait().unwrap(), 1);
    keep(store);
}

/// What is beside records.
fn keep(store: &Store) {
    let app = AppRow {
        client_id: "a".to_owned(),
        tenant: tenant(),
        name: "Reports \u{0} and more".to_owned(),
        roles: vec!["CallRecords.Read.All".to_owned()],
        secret_hash: "hash".to_owned(),
        created: 1,
    };
    store.put_app(app).wait().unwrap();
    let key = SigningKeyRow {
        kid: "k".to_owned(),
        algorithm: "RS256".to_owned(),
        sealed_private_key: vec![0, 1, 2],
        public_jwk: "{}".to_owned(),
        created: 1,
        not_after: None,
    };
    store.put_signing_key(key).wait().unwrap();
    store.put_secret("tokens", vec![7; 40]).wait().unwrap();
    store.add_subscription(subscription("s"), 9).wait().unwrap();
    let key = store.reader().unwrap().subscriptions(None, 2).unwrap()[0].key;
    let last = store.reader().unwrap().last_change().unwrap();
    store.enqueue((0, last), vec![matched(key, 1, 1), matched(key, 2, 1)]).wait().unwrap();
    let mut reader = store.reader().unwrap();
    let rows = reader.next_deliveries((key, store::Channel::Notifications), 0, 1).unwrap();
    let sent = store::SentMessages::of(store::Channel::Notifications, &rows).unwrap();
    let failed =
        DeliveryOutcome::Failed { now: 5, due: 9, give_up_before: 0, reason: "no".to_owned() };
    store.settle(sent, failed).wait().unwrap();
    let events = vec![event("a", "x", 1, false), event("b", "x", 2, true)];
    store.keep_call_events(&tenant(), events).wait().unwrap();
    for file in ["one", "two"] {
        let map = place_map("offices", file);
        store.import_place_map(&tenant(), map).unwrap().wait().unwrap();
    }
    let rows = [1, 2].map(|duration| log_row("r", duration));
    let kept = store.keep_log_rows(&tenant(), rows.to_vec()).wait().unwrap();
    assert_eq!(kept, [LogRowOutcome::Created, LogRowOutcome::Replaced]);
}

/// A file as a map of buildings.
fn place_map(name: &str, file: &str) -> PlaceMapImport {
    PlaceMapImport {
        name: name.to_owned(),
        version: None,
        kind: "building",
        validity: Some((None, Some(9))),
        rows: 1,
        imported_by: "test".to_owned(),
        bytes: file.as_bytes().to_vec(),
        is_dry_run: false,
    }
}

fn log_row(id: &str, duration: u32) -> LogRow {
    let text =
        format!(r#"{{"id":"{id}","startDateTime":"2025-05-18T00:00:00Z","duration":{duration}}}"#);
    model::log::read(Log::PstnCalls, &text, None).unwrap()
}

fn moved(from: &Store, to: &Store) -> TransferSummary {
    transfer(from, to, &mut |_| {}).unwrap()
}

#[test]
fn a_store_is_the_same_on_either_engine_and_after_its_way_back() {
    let (file, database) = (File::new(), Folder::new());
    let from = file.open("from.db");
    fill(&from);
    let there = moved(&from, &open(&database));
    assert_eq!((there.records, there.versions, there.behind), (4, 6, 0));
    assert_eq!((there.changes, there.copied), (11, 11));
    let to = open(&database);
    assert_eq!(to.doctor().unwrap().problems, [""; 0]);
    let back = moved(&to, &file.open("to.db"));
    assert_eq!((&back.digest, back.copied), (&there.digest, 11));
    let again = moved(&from, &file.open("third.db"));
    assert_eq!((&again.digest, again.copied), (&there.digest, 11));
    assert_eq!(file.open("to.db").doctor().unwrap().problems, [""; 0]);

    // It goes on as it was: what is next has the next numbers, and what is to be told is told.
    let mut reader = to.reader().unwrap();
    let last = reader.last_change().unwrap();
    assert_eq!(reader.notification_cursor().unwrap(), last);
    let key = reader.subscriptions(None, 2).unwrap()[0].key;
    assert_eq!(reader.deliveries_of(key, None, 0, 10).unwrap().len(), 2);
    to.add_subscription(subscription("t"), 9).wait().unwrap();
    write(&to, &[call(2).version(4)]);
    let next = reader.changes(last, 10).unwrap();
    assert_eq!((next.len(), next[0].version), (1, 4));
    to.keep_call_events(&tenant(), vec![event("c", "y", 1, true)]).wait().unwrap();
    let (map, bytes) = reader.place_map(&tenant(), "offices", None).unwrap().unwrap();
    assert_eq!((map.version, map.valid_to, &*bytes), (2, Some(9), &b"two"[..]));
    let next = place_map("offices", "three");
    assert_eq!(to.import_place_map(&tenant(), next).unwrap().wait().unwrap().version, 3);
    let told = vec![log_row("r", 2), log_row("s", 1)];
    let kept = to.keep_log_rows(&tenant(), told).wait().unwrap();
    assert_eq!(kept, [LogRowOutcome::Unchanged, LogRowOutcome::Created]);
    let all = LogRange { log: Log::PstnCalls, from: i64::MIN, end: i64::MAX };
    assert_eq!(reader.log_rows(&tenant(), &all, None, (0, 10)).unwrap().len(), 2);
}

/// How many changes there are since the subscription was made.
fn behind_subscription(store: &Store) -> usize {
    let mut reader = store.reader().unwrap();
    let subscription = reader.subscriptions(None, 2).unwrap().remove(0);
    reader.changes(subscription.created_after, 100).unwrap().len()
}

#[test]
fn what_comes_while_both_are_compared_is_told_and_left_to_the_next_run() {
    let (file, database) = (File::new(), Folder::new());
    let (from, to) = (file.open("from.db"), open(&database));
    fill(&from);
    let run = transfer(&from, &to, &mut |moving| {
        if let TransferProgress::Comparing = moving {
            write(&from, &[call(6), call(7)]);
        }
    });
    let run = run.unwrap();
    assert_eq!((run.copied, run.behind, run.digest.is_some()), (11, 2, true));
    let next = moved(&from, &to);
    assert_eq!((next.copied, next.behind, next.records), (2, 0, 6));
}

#[test]
fn what_comes_meanwhile_is_carried_over_by_the_next_run() {
    let (file, database) = (File::new(), Folder::new());
    let (from, to) = (file.open("from.db"), open(&database));
    fill(&from);
    moved(&from, &to);
    // The current version goes to history, another gets more, one is erased, and one is new.
    write(
        &from,
        &[call(3).version(2), call(1).sessions(65).more(r#""joinWebUrl":"https://contoso.com""#)],
    );
    write(&from, &[call(6), call(7).start(1_500_000_000)]);
    from.erase_ended_before(call(0).start(1_550_000_000).ticks(), 10).wait().unwrap();
    from.put_secret("more", vec![1]).wait().unwrap();
    let run = moved(&from, &to);
    assert_eq!((run.copied, run.records, run.versions), (5, 5, 8));
    // Of the log, a subscription is told the same as before.
    assert_eq!((behind_subscription(&from), behind_subscription(&to)), (5, 5));
    assert_eq!(to.doctor().unwrap().problems, [""; 0]);
    assert_eq!(moved(&from, &to).copied, 0);
}

#[test]
fn a_move_that_was_stopped_goes_on_where_it_was() {
    let (file, database) = (File::new(), Folder::new());
    let (from, to) = (file.open("from.db"), open(&database));
    // More than one step takes.
    write(&from, &(0..620).map(call).collect::<Vec<_>>());
    fill(&from);
    let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        transfer(&from, &to, &mut |moving| match moving {
            TransferProgress::Copying { done, .. } if done > 0 => panic!("stopped"),
            _ => {}
        })
    }));
    assert!(stopped.is_err());
    let come_to: u64 = database.ask("SELECT count(*) FROM change_log").trim().parse().unwrap();
    let there = moved(&from, &to);
    assert!(come_to > 0 && come_to < there.changes, "{come_to} of {}", there.changes);
    assert_eq!(there.copied, there.changes - come_to);
    assert_eq!(to.doctor().unwrap().problems, [""; 0]);
    assert_eq!(moved(&to, &file.open("to.db")).digest, there.digest);
}

#[test]
fn what_comes_again_after_its_erasure_is_found_there() {
    let (file, database) = (File::new(), Folder::new());
    let (from, to) = (file.open("from.db"), open(&database));
    let come_again = || {
        from.erase_ended_before(i64::MAX, 10).wait().unwrap();
        write(&from, &[call(1).sessions(2), call(2).version(2), call(2)]);
    };
    let is_there = || {
        let mut reader = to.reader().unwrap();
        for number in [1, 2] {
            let record = reader.record(&tenant(), &call(number).key(), None).unwrap();
            assert!(record.is_some(), "{number}");
        }
        assert_eq!(to.doctor().unwrap().problems, [""; 0]);
    };
    // All of it in one step, and then what the step before had put in.
    write(&from, &[call(1), call(2)]);
    come_again();
    moved(&from, &to);
    is_there();
    come_again();
    moved(&from, &to);
    is_there();
    write(&to, &[call(1).version(2), call(2).version(3)]);
    is_there();
}

#[test]
fn a_store_without_records_moves_as_often_as_it_is_asked_to() {
    let (file, database) = (File::new(), Folder::new());
    let (from, to) = (file.open("from.db"), open(&database));
    from.put_secret("tokens", vec![7; 40]).wait().unwrap();
    from.add_subscription(subscription("s"), 9).wait().unwrap();
    let there = moved(&from, &to);
    assert_eq!(moved(&from, &to).digest, there.digest);
    fill(&from);
    assert_eq!(moved(&from, &to).records, 4);
}

#[test]
fn only_what_an_earlier_move_has_left_is_moved_into() {
    let (file, database) = (File::new(), Folder::new());
    let (from, other, to) = (file.open("from.db"), file.open("other.db"), open(&database));
    fill(&from);
    write(&other, &[call(9)]);
    let refused = |from: &Store, to: &Store| match transfer(from, to, &mut |_| {}) {
        Err(Error::Target(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&from, &other), "holds something that was not moved there");
    moved(&from, &to);
    assert_eq!(refused(&other, &to), "holds what was moved there from elsewhere");
    assert_eq!(refused(&to, &to), "is the one to move from");
    write(&to, &[call(8)]);
    assert_eq!(refused(&from, &to), "was written to since something was moved there");
}

#[test]
fn whatever_is_not_the_same_is_noticed() {
    for (damage, part) in [
        ("DELETE FROM call_record WHERE version = 2", "versions"),
        ("UPDATE call_record SET is_current = 1 - is_current WHERE version = 1", "versions"),
        ("DELETE FROM session_pack WHERE (pack_key & 65535) = 1", "sessions"),
        ("DELETE FROM participant_pack WHERE (pack_key & 65535) = 1", "participants"),
        ("DELETE FROM stream", "typed rows"),
        ("UPDATE change_log SET committed_at = 1", "the change log"),
    ] {
        let (file, database) = (File::new(), Folder::new());
        let (from, to) = (file.open("from.db"), open(&database));
        fill(&from);
        moved(&from, &to);
        drop(from);
        file.edit("from.db", damage);
        let differs = transfer(&file.open("from.db"), &to, &mut |_| {});
        let is_noticed = match &differs {
            Err(Error::Differs { what }) => *what == part,
            // Of the entry that the last move came to.
            Err(Error::Target(_)) => part == "the change log",
            _ => false,
        };
        assert!(is_noticed, "{damage}: {differs:?}");
    }
}

#[test]
fn what_the_target_has_lost_is_noticed() {
    for (damage, part) in [
        ("DELETE FROM call_record WHERE is_current = 0", "versions"),
        ("UPDATE call_record SET flags = flags + 1 WHERE version = 3", "versions"),
        ("DELETE FROM session_pack WHERE pack_key & 65535 = 1", "sessions"),
        ("DELETE FROM participant_pack WHERE pack_key & 65535 = 1", "participants"),
        ("DELETE FROM media", "typed rows"),
        ("DELETE FROM record_key WHERE version = 3", "keys of records"),
        ("UPDATE change_log SET version = 9 WHERE change = 'merged'", "the change log"),
    ] {
        let (file, database) = (File::new(), Folder::new());
        let (from, to) = (file.open("from.db"), open(&database));
        fill(&from);
        moved(&from, &to);
        database.ask(damage);
        let differs = transfer(&from, &to, &mut |_| {});
        let is_noticed = matches!(&differs, Err(Error::Differs { what }) if *what == part);
        assert!(is_noticed, "{damage}: {differs:?}");
    }
}
