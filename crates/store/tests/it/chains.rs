//! Events of calls and the records of chains: kept once, in any order, and noted together.

use store::{CallEventOutcome, CallEventRow, CallScope, ChainRecord, DueChain, Ending, Store};

use crate::calls::{Call, call};
use crate::engine::{Folder, other_tenant, serve, tenant};
use crate::sample::count;

const NOW: i64 = i64::MAX;

pub(crate) fn event(call: &str, chain: &str, number: u32, is_end: bool) -> CallEventRow {
    CallEventRow {
        id_key: format!("{call}-{number}").into_bytes(),
        call_id: call.to_owned(),
        chain_id: chain.to_owned(),
        time: 100 - i64::from(number),
        is_media: false,
        is_end,
        body: format!("{{\"eventId\":\"{call}-{number}\"}}"),
    }
}

fn keep(store: &Store, events: Vec<CallEventRow>) -> Vec<CallEventOutcome> {
    store.keep_call_events(&tenant(), events).wait().unwrap()
}

/// A record with the id of the chain that calls hang together by.
fn record_of(chain: &str, version: i64) -> Call {
    Call { id: chain.to_owned(), ..call(1) }.version(version)
}

fn due(store: &Store) -> Vec<DueChain> {
    store.reader().unwrap().due_chains(NOW, 0, 10).unwrap()
}

#[test]
fn an_event_is_kept_once_whatever_comes_again() {
    let folder = Folder::new();
    let store = serve(&folder);
    let first = event("a", "x", 1, false);
    let other = CallEventRow { body: "{}".to_owned(), ..first.clone() };
    let moved = event("a", "y", 2, false);
    let kept = keep(&store, vec![first.clone(), first.clone(), other, moved]);
    assert_eq!(
        kept,
        [
            CallEventOutcome::New,
            CallEventOutcome::Known,
            CallEventOutcome::Conflict,
            CallEventOutcome::OtherChain("x".to_owned())
        ]
    );
    let theirs = store.keep_call_events(&other_tenant(), vec![first]).wait().unwrap();
    assert_eq!(theirs, [CallEventOutcome::New], "ids are a tenant's own");
    let mut reader = store.reader().unwrap();
    let call = reader.call(&tenant(), b"a").unwrap().unwrap();
    assert_eq!((call.ending, call.start), (Ending::Open, 99));
    assert_eq!(reader.call_events(call.key, true).unwrap().len(), 1);
}

#[test]
fn a_chain_is_due_when_all_its_calls_have_ended_or_nothing_is_heard_of_it() {
    let folder = Folder::new();
    let store = serve(&folder);
    // The end of the first comes before its start.
    keep(&store, vec![event("a", "x", 5, true), event("b", "x", 1, false)]);
    keep(&store, vec![event("a", "x", 1, false), event("a", "x", 6, true)]);
    assert_eq!(due(&store), []);
    assert_eq!(store.reader().unwrap().due_chains(NOW, NOW, 10).unwrap().len(), 1);
    keep(&store, vec![event("b", "x", 2, true)]);
    let chains = due(&store);
    assert_eq!((chains[0].id.as_str(), chains[0].version), ("x", 0));
    assert_eq!(store.reader().unwrap().due_chains(0, 0, 10).unwrap(), []);
    let calls = store.reader().unwrap().calls_of_chain(chains[0].key).unwrap();
    let calls: Vec<_> = calls.iter().map(|call| (call.id.as_str(), call.ending)).collect();
    assert_eq!(calls, [("a", Ending::Ended), ("b", Ending::Ended)]);
}

#[test]
fn a_record_is_written_of_what_is_known_or_not_at_all() {
    let folder = Folder::new();
    let store = serve(&folder);
    keep(&store, vec![event("a", "x", 1, true)]);
    let chain = due(&store).remove(0);
    let write = |chain: &DueChain, version| {
        let record = record_of("x", version).shred(&store);
        store.write_chain_record(ChainRecord { chain: chain.clone(), record }).wait().unwrap()
    };
    // Another event came after the chain was read.
    keep(&store, vec![event("a", "x", 2, false)]);
    assert!(!write(&chain, 1));
    let chain = due(&store).remove(0);
    // And another record of the same id.
    store.write(&tenant(), vec![record_of("x", 4).shred(&store)]).wait().unwrap();
    assert!(!write(&chain, 1));
    let chain = due(&store).remove(0);
    assert_eq!(chain.version, 4);
    assert!(write(&chain, 5));
    assert!(!write(&chain, 5), "it is written once");
    assert_eq!(due(&store), []);
    let versions = store.reader().unwrap().versions(&tenant(), b"x").unwrap();
    assert_eq!(versions.iter().map(|it| it.version).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn an_end_is_not_waited_for_once_the_record_is_made() {
    let folder = Folder::new();
    let store = serve(&folder);
    keep(&store, vec![event("a", "x", 1, false)]);
    let chain = store.reader().unwrap().due_chains(NOW, NOW, 10).unwrap().remove(0);
    let made = ChainRecord { chain, record: record_of("x", 1).shred(&store) };
    assert!(store.write_chain_record(made).wait().unwrap());
    let ending = || store.reader().unwrap().call(&tenant(), b"a").unwrap().unwrap().ending;
    assert_eq!(ending(), Ending::Abandoned);
    // What comes later is due after the grace, though no end came.
    keep(&store, vec![event("a", "x", 2, false)]);
    assert_eq!(due(&store).len(), 1);
    keep(&store, vec![event("a", "x", 3, true)]);
    assert_eq!(ending(), Ending::Ended);
    keep(&store, vec![event("b", "x", 1, false)]);
    assert_eq!(due(&store), [], "another call goes on");
}

#[test]
fn calls_go_with_their_record() {
    let folder = Folder::new();
    let store = serve(&folder);
    keep(&store, vec![event("a", "x", 1, true), event("b", "y", 1, true)]);
    for chain in due(&store) {
        let start = if chain.id == "x" { 1_700_000_000 } else { 1_800_000_000 };
        let record = record_of(&chain.id, 1).start(start).shred(&store);
        assert!(store.write_chain_record(ChainRecord { chain, record }).wait().unwrap());
    }
    let bound = call(0).start(1_750_000_000).ticks();
    assert_eq!(store.erase_ended_before(bound, 10).wait().unwrap(), 1);
    let mut reader = store.reader().unwrap();
    assert_eq!(count(&store, &tenant()), 1);
    let calls = reader.calls(&tenant(), &CallScope::default(), None, 10).unwrap();
    assert_eq!(calls.iter().map(|call| call.id.as_str()).collect::<Vec<_>>(), ["b"]);
    // Told again, it is new.
    assert_eq!(keep(&store, vec![event("a", "x", 1, true)]), [CallEventOutcome::New]);
}
