//! Many nodes on one database: none passes what another may still commit, none undoes what another
//! has written, and what one was at goes on to the next.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use store::{Change, Channel, Error, Outcome, Role, Store};

use crate::calls::{Call, call, guid};
use testkit::{PATIENCE, until};

use crate::engine::{Folder, other_tenant, serve, tenant};
use crate::notifications::subscription;

/// A client of the database that is no node of ours, with a transaction of its own.
pub(crate) struct Client {
    psql: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Client {
    pub(crate) fn new(folder: &Folder) -> Self {
        let mut psql = Command::new("psql");
        psql.args(["-qXAt", "-v", "ON_ERROR_STOP=1", "-d", &folder.url()]);
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(psql.stdout.take().unwrap()).lines();
        Self { psql, lines }
    }

    /// Runs SQL and gives the lines that come of it.
    pub(crate) fn ask(&mut self, sql: &str) -> Vec<String> {
        let stdin = self.psql.stdin.as_mut().unwrap();
        writeln!(stdin, "{sql};\n\\echo done").unwrap();
        self.lines.by_ref().map(Result::unwrap).take_while(|line| line != "done").collect()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.psql.stdin.take());
        let _ = self.psql.wait();
    }
}

#[test]
fn a_reader_of_the_log_never_passes_an_entry_that_may_still_commit() {
    let folder = Folder::new();
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let write = |number| {
        let record = call(number);
        store.write(&tenant(), vec![record.shred(&store)]).wait().unwrap();
    };
    write(1);
    let first = reader.changes(0, 10).unwrap();
    assert_eq!(first.len(), 1);
    // Another node is in the middle of a write that took its number before ours.
    let mut other = Client::new(&folder);
    other.ask("BEGIN");
    other.ask(
        "INSERT INTO change_log SELECT pg_current_xact_id()::text::bigint << 20, tenant_key, \
         record_key, 'held', 9, 'erased', committed_at FROM change_log LIMIT 1",
    );
    write(2);
    // Whoever goes on from the last entry that is seen has passed the one that is held.
    let mut naive = Client::new(&folder);
    let seen = naive.ask("SELECT max(sequence) FROM change_log").remove(0);
    let cursor = first[0].sequence;
    assert!(reader.changes(cursor, 10).unwrap().is_empty());
    assert_eq!(reader.committed_versions(cursor, 10).unwrap().up_to, cursor);
    assert_eq!(reader.last_change().unwrap(), cursor);
    assert_eq!(reader.log_position().unwrap().sequence, cursor);
    other.ask("COMMIT");
    let found = reader.changes(cursor, 10).unwrap();
    let found: Vec<_> = found.iter().map(|entry| (entry.change, entry.version)).collect();
    assert_eq!(found, [(Change::Erased, 9), (Change::Created, 1)]);
    let missed = naive.ask(&format!("SELECT version FROM change_log WHERE sequence > {seen}"));
    assert!(missed.is_empty(), "the control is to miss what was held: {missed:?}");
}

/// Writes a version of calls, and does so again when others stood in the way too often.
fn keep(node: &Store, calls: &[Call], version: i64) -> Vec<Outcome> {
    loop {
        let records = calls.iter().map(|it| it.clone().version(version).sessions(1).shred(node));
        match node.write(&tenant(), records.collect()).wait() {
            Ok(written) => break written.into_iter().map(|it| it.outcome).collect(),
            Err(error) => assert!(matches!(error, Error::Busy), "{error}"),
        }
    }
}

#[test]
fn nodes_that_write_the_same_records_agree_on_all_their_versions() {
    const RECORDS: u32 = 12;
    const VERSIONS: i64 = 6;
    let folder = Folder::new();
    let nodes: Vec<Store> =
        (0..3).map(|_| Store::open(&folder.options(Role::Serve)).unwrap()).collect();
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let writers = nodes.iter().enumerate().map(|(place, node)| {
            scope.spawn(move || {
                let mut outcomes = Vec::new();
                for version in 1..=VERSIONS {
                    // Each node begins with another record, and all write each version.
                    let numbers = (0..RECORDS).map(|at| (at + 4 * place as u32) % RECORDS);
                    let calls: Vec<_> = numbers.map(call).collect();
                    outcomes.extend(keep(node, &calls, version));
                }
                outcomes
            })
        });
        let writers: Vec<_> = writers.collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let versions = usize::try_from(VERSIONS).unwrap() * RECORDS as usize;
    let unchanged = outcomes.iter().filter(|outcome| **outcome == Outcome::Unchanged).count();
    assert_eq!((outcomes.len(), unchanged), (3 * versions, 2 * versions), "each is new once");
    let mut reader = nodes[0].reader().unwrap();
    for number in 0..RECORDS {
        let stored = reader.versions(&tenant(), &call(number).key()).unwrap();
        let current: Vec<_> =
            stored.iter().filter(|version| version.is_current).map(|it| it.version).collect();
        assert_eq!((stored.len() as i64, current), (VERSIONS, vec![VERSIONS]));
    }
    assert_eq!(reader.changes(0, 1_000).unwrap().len(), versions);
    assert_eq!(nodes[1].doctor().unwrap().problems, [""; 0]);
}

#[test]
fn an_address_is_one_nodes_until_that_lets_go_of_it_or_ends() {
    let folder = Folder::new();
    let (one, other) = (serve(&folder), serve(&folder));
    let (mut ours, mut theirs) = (one.advisory_locks().unwrap(), other.advisory_locks().unwrap());
    let (address, second) = ((1, Channel::Notifications), (1, Channel::Lifecycle));
    assert!(ours.take(address).unwrap() && ours.take(address).unwrap());
    assert!(!theirs.take(address).unwrap());
    assert!(theirs.take(second).unwrap());
    ours.release(address).unwrap();
    assert!(theirs.take(address).unwrap());
    assert!(!ours.take(address).unwrap());
    drop(theirs);
    until("the locks are free", || ours.take(address).unwrap() && ours.take(second).unwrap());
}

#[test]
fn whoever_waits_for_commits_hears_of_those_of_other_nodes() {
    let folder = Folder::new();
    let (one, other) = (serve(&folder), serve(&folder));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let heard = |wait| {
        runtime.block_on(async { tokio::time::timeout(wait, one.committed()).await.is_ok() })
    };
    // Both listen by now, and have said to themselves that they do.
    let listening = "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN callvault'";
    until("both listen", || folder.ask(listening) == "2");
    while heard(Duration::from_millis(100)) {}
    other.write(&tenant(), vec![call(1).shred(&other)]).wait().unwrap();
    assert!(heard(PATIENCE));
}

#[test]
fn calls_of_any_time_have_a_place() {
    let folder = Folder::new();
    let store = serve(&folder);
    let starts = [-62_000_000_000, -1, 0, 1_772_400_000, 250_000_000_000];
    for (number, start) in (0..).zip(starts) {
        let record = call(number).start(start).sessions(2);
        store.write(&tenant(), vec![record.shred(&store)]).wait().unwrap();
    }
    let mut reader = store.reader().unwrap();
    let mut keys = Vec::new();
    for number in 0..starts.len() as u32 {
        let stored = reader.record(&tenant(), &call(number).key(), None).unwrap().unwrap();
        let mut pack = Vec::new();
        assert!(reader.session_pack(stored.record_key, 0, &mut pack).unwrap());
        keys.push(stored.record_key);
    }
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
    let mut client = Client::new(&folder);
    let parts = client.ask("SELECT tableoid::regclass FROM call_record ORDER BY start_date_time");
    let (early, late) = ("call_record_early", "call_record_late");
    assert_eq!(parts, [early, early, early, "call_record_2026_03", late]);
}

#[test]
fn a_version_is_told_behind_the_one_that_it_replaces_whoever_began_first() {
    let folder = Folder::new();
    let (one, other) = (serve(&folder), serve(&folder));
    // In the order in which they are locked.
    let mut numbers = [1, 2, 3];
    numbers.sort_by_key(|number| call(*number).key());
    let [free, held, last] = numbers.map(call);
    let known = vec![held.clone().shred(&one), last.clone().shred(&one)];
    one.write(&tenant(), known).wait().unwrap();
    // A node has begun to write, and waits for a record that somebody has locked.
    let mut client = Client::new(&folder);
    client.ask("BEGIN");
    client.ask(&format!(
        "SELECT 1 FROM record_key JOIN call_record USING (record_key) WHERE id = '{}' \
         FOR UPDATE OF record_key",
        guid(numbers[1])
    ));
    let records =
        vec![free.shred(&one), held.version(2).shred(&one), last.clone().version(3).shred(&one)];
    let written = one.write(&tenant(), records);
    let mut watcher = Client::new(&folder);
    until("the writer waits", || {
        watcher.ask("SELECT count(*) FROM pg_locks WHERE NOT granted") != ["0"]
    });
    // Another node writes a version of a record that the first one has not yet come to.
    other.write(&tenant(), vec![last.clone().version(2).shred(&other)]).wait().unwrap();
    client.ask("COMMIT");
    let outcomes: Vec<_> = written.wait().unwrap().into_iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Outcome::Created, Outcome::Replaced, Outcome::Replaced]);
    let mut reader = one.reader().unwrap();
    let versions = reader.committed_versions(0, 100).unwrap().versions;
    let key = last.key();
    let told: Vec<i64> =
        versions.iter().filter(|it| it.id_key == key).map(|it| it.version).collect();
    assert_eq!(told, [1, 2, 3]);
}

#[test]
fn a_subscription_begins_behind_what_was_committed_before_whoever_is_under_way() {
    let folder = Folder::new();
    let store = serve(&folder);
    // Somebody is in the middle of something that has a number.
    let mut other = Client::new(&folder);
    other.ask("BEGIN");
    other.ask("SELECT pg_current_xact_id()");
    store.write(&tenant(), vec![call(1).shred(&store)]).wait().unwrap();
    let adding = store.clone();
    let added = std::thread::spawn(move || adding.add_subscription(subscription("s"), 9).wait());
    // It looks again and again whether that is over.
    let looking = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT (pg_snapshot_xmin%'";
    until("the subscription waits", || !folder.ask(looking).is_empty());
    other.ask("COMMIT");
    added.join().unwrap().unwrap();
    let mut reader = store.reader().unwrap();
    let before = reader.changes(0, 10).unwrap()[0].sequence;
    let made = reader.subscriptions(None, 2).unwrap().remove(0);
    assert_eq!(made.created_after, before);
    store.write(&tenant(), vec![call(2).shred(&store)]).wait().unwrap();
    assert!(reader.last_change().unwrap() > made.created_after);
}

#[test]
fn numbers_that_a_crash_of_the_database_takes_back_are_given_to_one_record() {
    let folder = Folder::new();
    let (one, other) = (serve(&folder), serve(&folder));
    let held = call(1);
    other.write(&tenant(), vec![held.clone().shred(&other)]).wait().unwrap();
    let before = folder.ask("SELECT last_value FROM record_number");
    // A node has taken numbers, and waits for a record that somebody has locked.
    let mut client = Client::new(&folder);
    client.ask("BEGIN");
    client.ask("SELECT 1 FROM record_key FOR UPDATE");
    let written = one.write(&tenant(), vec![held.version(2).shred(&one)]);
    let waiting = "FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    until("the writer waits", || folder.ask(&format!("SELECT count(*) {waiting}")) != "0");
    // What a crash leaves: connections are gone, and the sequence is where the last commit saw it.
    folder.ask(&format!("SELECT setval('record_number', {before})"));
    folder.ask(&format!("SELECT pg_terminate_backend(pid) {waiting}"));
    assert!(written.wait().is_err());
    client.ask("COMMIT");
    let third = serve(&folder);
    for (node, numbers) in [(&third, 10..20), (&one, 20..30)] {
        for number in numbers {
            let write = || node.write(&tenant(), vec![call(number).shred(node)]).wait().is_ok();
            until("the node writes", write);
        }
    }
    assert_eq!(one.doctor().unwrap().problems, [""; 0]);
    // The control: a version that has the key of another one.
    folder.ask("UPDATE call_record SET record_key = (SELECT min(record_key) FROM call_record)");
    let problems = one.doctor().unwrap().problems;
    assert!(problems.iter().any(|it| it.contains("more than one version")), "{problems:?}");
}

#[test]
fn a_reader_does_not_take_a_number_for_the_tenant_that_had_it_before_a_failover() {
    let folder = Folder::new();
    let store = serve(&folder);
    store.write(&tenant(), vec![call(1).shred(&store)]).wait().unwrap();
    let mut reader = store.reader().unwrap();
    assert!(reader.record(&tenant(), &call(1).key(), None).unwrap().is_some());
    // The database that takes over never heard of the tenant, and gave its number to another.
    folder.ask(&format!("UPDATE tenant SET id = '{}'", other_tenant().as_str()));
    folder.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    );
    let mut found = None;
    until("the reader has another connection", || {
        found = reader.record(&tenant(), &call(1).key(), None).ok();
        found.is_some()
    });
    assert!(found.flatten().is_none());
    assert!(reader.record(&other_tenant(), &call(1).key(), None).unwrap().is_some());
}
