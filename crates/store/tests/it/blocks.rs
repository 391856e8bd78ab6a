//! Blocks of columns answer as the rows do that they were made of, whatever has become of these since.

use std::cell::Cell;

use model::rows::RowSet::{Legs, Streams};
use model::shred;
use odata::primitive::DateTimeOffset;
use simulator::{Calls, Mix, Options};
use store::{Reader, RowQuery, Store};

use crate::asked::FILTERS;
use crate::calls::{Call, call};
use crate::engine::{Folder, serve, tenant};
use crate::oracle::{Oracle, query};
use crate::sample::budget;

/// Chains that blocks can answer.
const CHAINS: &[&str] = &[
    "aggregate($count as n)",
    "groupby((mediaLabel))",
    "groupby((callerNetwork/subnet),aggregate(averageJitter with callvault.percentile95 as p95))",
    "groupby((callerNetwork/subnet),aggregate(averagePacketLossRate with average as loss,\
     $count as n))/topcount(3,n)",
    "filter(averagePacketLossRate gt 0.001 and callerNetwork/connectionType ne 'wifi')\
     /groupby((callerNetwork/connectionType,mediaLabel),aggregate($count as n,\
     averageJitter with max as most,averageJitter with min as least,\
     averageRoundTripTime with sum as rtt,audioCodec with countdistinct as codecs,\
     averageAudioDegradation with callvault.median as degradation))",
    "filter(mediaLabel in ('main-audio','main-video') or averageJitter eq null)\
     /compute(callvault.bucket(callStartDateTime,duration'P1D') as day,\
     case(averageJitter gt duration'PT0.015S':1,true:0) as isPoor)\
     /groupby((day,mediaLabel),aggregate(isPoor with average as poor))",
    "groupby((callRecordId),aggregate(callRecordVersion with max as v))",
    "groupby((callRecordType),aggregate(callRecordId with countdistinct as calls))",
    "groupby((wasMediaBypassed,streamDirection),aggregate(packetUtilization with sum as packets))",
    "groupby((averagePacketLossRate),aggregate($count as n))",
    "groupby((averageJitter),aggregate(callStartDateTime with min as first))",
    "filter(callStartDateTime ge 2026-03-05T00:00:00Z and callEndDateTime lt 2026-03-08T00:00:00Z)\
     /compute(averageJitter add averageRoundTripTime as delay)\
     /groupby((callee/userAgent/headerValue),aggregate(delay with average as mean))",
    "filter(not (contains(callerNetwork/subnet,'10.') or averageJitter lt maxJitter))\
     /groupby((callerNetwork/subnet),aggregate($count as n))",
    "filter(false)/aggregate($count as n,averageJitter with max as most)",
    "filter(averagePacketLossRate gt 0.001)/compute(date(callStartDateTime) as day,\
     hour(callStartDateTime) as hour)/concat(groupby((day,hour),aggregate($count as n,\
     averagePacketLossRate with sum as loss)),groupby((audioCodec),aggregate($count as n)),\
     filter(mediaLabel eq 'main-audio')/aggregate($count as n,hour with max as latest),\
     groupby((callerNetwork/subnet),aggregate($count as n))/topcount(2,n))",
];

/// The same over the ends of streams.
const CHAINS_OF_LEGS: &[&str] = &[
    "groupby((end,direction,isFirst),aggregate($count as n))",
    "filter(direction eq 'receiver')/compute(case(averageJitter gt duration'PT0.015S':1,true:0) \
     as poor)/groupby((network/subnet),aggregate(poor with sum as k,$count as n))\
     /compute(callvault.wilson(k,n) as low)/topcount(3,low)",
    "groupby((person/id,person/kind),aggregate($count as n,averagePacketLossRate with average as l))",
    "groupby((peerPerson/id,peerSubnet,peerConnectionType,peerPlatform,peerIsService),\
     aggregate(averageJitter with callvault.percentile95 as p95))",
    "groupby((isService,network/connectionType),aggregate(person/id with countdistinct as people))",
    "filter(person/id ne null and end eq 'callee')/concat(groupby((device/captureDeviceName),\
     aggregate($count as n)),groupby((direction),aggregate($count as n)))",
    "groupby((callRecordId,end),aggregate($count as n))",
];

fn simulated(store: &Store, seed: u64, (from, to): (&str, &str)) {
    let day = |text: &str| DateTimeOffset::parse(text).unwrap();
    let tenant_name = tenant().as_str().to_owned();
    let options = Options {
        seed,
        calls: 60,
        mix: Mix::Bench,
        from: day(from),
        to: day(to),
        tenant: tenant_name,
    };
    let (mut calls, mut line, mut codec) = (Calls::new(options), Vec::new(), store.codec());
    let mut records = Vec::new();
    while calls.write_next(&mut line) {
        records.push(shred(std::str::from_utf8(&line).unwrap(), &mut codec).unwrap());
        line.clear();
    }
    store.write(&tenant(), records).wait().unwrap();
}

fn write(store: &Store, calls: &[Call]) {
    let records = calls.iter().map(|call| call.shred(store)).collect();
    store.write(&tenant(), records).wait().unwrap();
}

fn erase(store: &Store, call: &Call) {
    assert_eq!(store.erase(&tenant(), vec![call.key()]).wait().unwrap(), [true]);
}

fn compact(store: &Store) -> u64 {
    let compacted = store.compact(true, &|| true).unwrap();
    assert!(compacted.is_done);
    compacted.rows
}

#[test]
fn compaction_that_is_to_stop_stops_within_a_block_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let store = serve(&folder);
    simulated(&store, 5, ("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z"));
    let asked = Cell::new(0);
    let few = || {
        asked.set(asked.get() + 1);
        asked.get() < 20
    };
    let compacted = store.compact(true, &few).unwrap();
    assert_eq!((compacted.is_done, compacted.blocks, compacted.rows), (false, 0, 0));
    assert!((20..30).contains(&asked.get()), "{} rows were read", asked.get());
    assert!(compact(&store) > 40, "there was more to do");
}

/// Streams that there are.
fn streams(reader: &mut Reader) -> u64 {
    reader.count_rows(&tenant(), &query(Streams, &[]), &budget()).unwrap()
}

fn is_by_blocks(reader: &mut Reader, query: &RowQuery) -> bool {
    reader.explain(&tenant(), query).unwrap().access.contains("blocks of columns")
}

/// Asks everything, of blocks, and compares the answers with what the evaluator makes of all rows.
fn agrees(store: &Store) {
    let mut reader = store.reader().unwrap();
    let oracle = Oracle::new(&mut reader);
    let of_streams = CHAINS.iter().map(|text| (Streams, text));
    for (set, text) in of_streams.chain(CHAINS_OF_LEGS.iter().map(|text| (Legs, text))) {
        let query = query(set, &[("$apply", text)]);
        // In what is asked for there may be no block.
        assert!(is_by_blocks(&mut reader, &query) || text.contains("2026"), "{text}");
        let rows = reader.apply(&tenant(), &query, &budget()).unwrap();
        let rows: Vec<_> = rows.into_iter().map(|row| String::from_utf8(row).unwrap()).collect();
        assert_eq!(rows, oracle.apply(set, &query.query), "{text}");
    }
    for (_, text) in FILTERS.iter().filter(|(set, text)| *set == Streams && !text.contains('{')) {
        let query = query(Streams, &[("$filter", text)]);
        let expected = oracle.rows(Streams, &query.query).len() as u64;
        let count = reader.count_rows(&tenant(), &query, &budget()).unwrap();
        assert_eq!(count, expected, "{text}");
    }
}

#[test]
fn blocks_and_the_rows_beside_them_give_what_the_evaluator_makes_of_all_rows() {
    let folder = Folder::new();
    let store = serve(&folder);
    let old: Vec<Call> = (0..12).map(|it| call(it).sessions(1 + it % 3)).collect();
    simulated(&store, 7, ("2026-03-02", "2026-03-09"));
    write(&store, &old);
    let all = streams(&mut store.reader().unwrap());
    assert_eq!(compact(&store), all);
    assert_eq!(compact(&store), 0, "nothing is left");
    agrees(&store);
    // Rows beside the blocks, some with the same starts as others in them.
    simulated(&store, 8, ("2026-03-01", "2026-04-03"));
    let more = call(30).start(old[3].start).sessions(2);
    let merged = old[5].clone().more(r#""joinWebUrl":"https://contoso.com/a""#);
    let replaced = old[6].clone().version(2).sessions(3).start(1_772_600_000);
    write(&store, &[more, merged, replaced, old[7].clone().version(2)]);
    erase(&store, &old[8]);
    agrees(&store);
    compact(&store);
    agrees(&store);
    // What is gone from blocks before and since.
    erase(&store, &old[9]);
    write(&store, &[old[9].clone().sessions(4), old[6].clone().version(3).sessions(1)]);
    agrees(&store);
    compact(&store);
    agrees(&store);
    assert_eq!(compact(&store), 0);
}

#[test]
fn few_rows_are_left_beside_the_blocks_until_there_are_more() {
    let folder = Folder::new();
    let store = serve(&folder);
    simulated(&store, 7, ("2026-03-02", "2026-03-09"));
    assert_eq!(store.compact(false, &|| true).unwrap().rows, 0);
    let mut reader = store.reader().unwrap();
    assert!(!is_by_blocks(&mut reader, &query(Streams, &[("$apply", CHAINS[0])])));
    assert!(compact(&store) > 0);
    simulated(&store, 8, ("2026-03-02", "2026-03-09"));
    assert_eq!(store.compact(false, &|| true).unwrap().rows, 0);
    agrees(&store);
}

#[test]
fn erased_records_leave_their_blocks_although_there_are_few_new_rows() {
    let folder = Folder::new();
    let store = serve(&folder);
    let calls: Vec<Call> = (0..10).map(|it| call(it).sessions(2)).collect();
    write(&store, &calls);
    assert_eq!(compact(&store), 20);
    erase(&store, &calls[4]);
    assert_eq!(store.compact(false, &|| true).unwrap().rows, 18);
    assert_eq!(store.compact(false, &|| true).unwrap().rows, 0);
    agrees(&store);
}

#[test]
fn a_log_that_was_cut_behind_the_blocks_has_them_made_anew() {
    let folder = Folder::new();
    let store = serve(&folder);
    let calls: Vec<Call> = (0..10).map(|it| call(it).sessions(2)).collect();
    write(&store, &calls);
    compact(&store);
    erase(&store, &calls[4]);
    write(&store, &[call(20).sessions(1)]);
    while store.cut_log(i64::MAX, 100).wait().unwrap() {}
    let mut reader = store.reader().unwrap();
    let counted = query(Streams, &[("$apply", CHAINS[0])]);
    assert!(!is_by_blocks(&mut reader, &counted));
    assert_eq!(compact(&store), 19);
    agrees(&store);
}

#[test]
fn another_process_that_makes_blocks_is_left_alone() {
    let folder = Folder::new();
    let (store, other) = (serve(&folder), Store::open(&folder.options(store::Role::Tool)).unwrap());
    write(&store, &[call(1).sessions(1)]);
    let in_between = Cell::new(None);
    let goes_on = || {
        if in_between.get().is_none() {
            in_between.set(Some(other.compact(true, &|| true).unwrap()));
        }
        true
    };
    assert_eq!(store.compact(true, &goes_on).unwrap().rows, 1);
    let in_between = in_between.get().unwrap();
    assert_eq!((in_between.rows, in_between.is_done), (0, false));
    write(&store, &[call(2).sessions(1)]);
    assert!(other.compact(true, &|| true).unwrap().is_done, "it was given back");
    agrees(&store);
}
