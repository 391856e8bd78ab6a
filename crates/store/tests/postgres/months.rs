//! Parts of the tables, month by month: made before they are needed, found by the key of a record, and
//! given back when nothing is left in them.

use store::{Role, Store};
use testkit::until;

use crate::calls::call;
use crate::engine::{Folder, serve, tenant};
use crate::nodes::Client;

/// 2023-11-14, the month of [`call`]s, and an instant a year later; in seconds.
const THEN: i64 = 1_700_000_000;
const LATER: i64 = THEN + 365 * 86_400;

fn parts(folder: &Folder) -> Vec<String> {
    let text = "SELECT relname FROM pg_class WHERE relkind = 'r' \
                AND relname ~ '^(call_record|stream|session_pack)_' ORDER BY relname";
    let all = folder.ask(text);
    let is_shared = |name: &&str| name.ends_with("_early") || name.ends_with("_late");
    all.lines().filter(|name| !is_shared(name)).map(str::to_owned).collect()
}

fn ticks(seconds: i64) -> i64 {
    call(0).start(seconds).ticks()
}

fn keep(store: &Store, number: u32) {
    store.write(&tenant(), vec![call(number).sessions(2).shred(store)]).wait().unwrap();
}

fn is_there(store: &Store, number: u32) -> bool {
    let mut reader = store.reader().unwrap();
    let key = call(number).key();
    let found = reader.record(&tenant(), &key, None).unwrap();
    let Some(at_once) = reader.current(&tenant(), &key, true).unwrap() else {
        assert!(found.is_none());
        return false;
    };
    let mut packs = [Vec::new(), Vec::new()];
    assert!(reader.session_pack(at_once.record_key, 0, &mut packs[0]).unwrap());
    assert!(reader.session_pack(at_once.record_key, 0, &mut packs[1]).unwrap());
    assert_eq!(packs[0], packs[1]);
    assert_eq!(found.unwrap().record_key, at_once.record_key);
    true
}

/// Gives so many months back. Connections that have just ended may still be in the way of that.
fn give_back(store: &Store, count: usize) {
    let mut given_back = 0;
    until("months are given back", || {
        given_back += store.give_back_months(ticks(LATER)).unwrap();
        given_back == count
    });
}

#[test]
fn months_are_made_ahead_and_given_back_when_nothing_is_left() {
    let folder = Folder::new();
    let store = serve(&folder);
    assert!(parts(&folder).is_empty());
    store.prepare(ticks(THEN), ticks(THEN + 31 * 86_400));
    let made = parts(&folder);
    let months = ["2023_11", "2023_12"];
    let expected = ["call_record", "session_pack", "stream"];
    let expected = expected.iter().flat_map(|table| months.map(|month| format!("{table}_{month}")));
    assert_eq!(made, expected.collect::<Vec<_>>());

    keep(&store, 1);
    assert!(is_there(&store, 1));
    assert_eq!(folder.ask("SELECT count(*) FROM call_record_2023_11"), "1");
    // One has a record, and the other is not of the past yet.
    assert_eq!(store.give_back_months(ticks(THEN + 31 * 86_400)).unwrap(), 0);
    assert_eq!(parts(&folder), made);
    assert_eq!(store.erase_ended_before(ticks(LATER), 10).wait().unwrap(), 1);
    assert!(!is_there(&store, 1));
    give_back(&store, 2);
    assert!(parts(&folder).is_empty());

    // What comes late all the same has a place.
    keep(&store, 1);
    keep(&store, 2);
    assert!(is_there(&store, 1) && is_there(&store, 2));
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
}

#[test]
fn nodes_notice_that_another_has_given_a_month_back() {
    let folder = Folder::new();
    let nodes = [(); 2].map(|()| Store::open(&folder.options(Role::Serve)).unwrap());
    keep(&nodes[0], 1);
    assert!(nodes.iter().all(|node| is_there(node, 1)));
    nodes[0].erase_ended_before(ticks(LATER), 10).wait().unwrap();
    give_back(&nodes[0], 1);
    assert!(nodes.iter().all(|node| !is_there(node, 1)));
    // This one still takes the month for one with parts.
    keep(&nodes[1], 1);
    assert!(nodes.iter().all(|node| is_there(node, 1)));
    keep(&nodes[0], 2);
    assert!(nodes.iter().all(|node| is_there(node, 2)));
}

#[test]
fn nobody_has_to_end_what_they_read_for_a_month_to_be_made() {
    let folder = Folder::new();
    let store = serve(&folder);
    keep(&store, 1);
    // Holds the tables with all their parts for as long as it lasts.
    let mut other = Client::new(&folder);
    other.ask("BEGIN");
    other.ask("SELECT count(*) FROM call_record, session_pack, stream");
    let later = call(2).start(LATER).sessions(2);
    store.write(&tenant(), vec![later.shred(&store)]).wait().unwrap();
    assert!(is_there(&store, 2));
    assert_eq!(folder.ask("SELECT count(*) FROM call_record_2024_11"), "1");
}

#[test]
fn what_starts_in_no_ordinary_month_is_kept_with_others() {
    let folder = Folder::new();
    let store = serve(&folder);
    let starts = [0, -1_000_000_000, 100_000_000_000];
    for (number, start) in (1..).zip(starts) {
        let record = call(number).start(start).sessions(2);
        store.write(&tenant(), vec![record.shred(&store)]).wait().unwrap();
        assert!(is_there(&store, number), "{start}");
    }
    assert_eq!(folder.ask("SELECT count(*) FROM call_record_early"), "2");
    assert_eq!(folder.ask("SELECT count(*) FROM call_record_late"), "1");
}
