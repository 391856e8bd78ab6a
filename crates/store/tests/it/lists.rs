//! Order, bounds and paging of lists.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use store::{Filter, ListQuery, Reader, Store};

use crate::calls::{Call, call};
use crate::engine::{Folder, other_tenant, serve, tenant};

fn write(store: &Store, calls: impl IntoIterator<Item = Call>) {
    let records = calls.into_iter().map(|call| call.shred(store)).collect();
    store.write(&tenant(), records).wait().unwrap();
}

fn page(
    reader: &mut Reader,
    filter: &Filter,
    after: Option<(i64, String)>,
    limit: usize,
) -> Vec<(i64, String)> {
    let query = ListQuery { filter: filter.clone(), after, limit };
    let records = reader.list(&tenant(), &query).unwrap();
    records.into_iter().map(|record| (record.start, record.id)).collect()
}

fn all_pages(reader: &mut Reader, filter: &Filter, limit: usize) -> Vec<(i64, String)> {
    let mut all = Vec::new();
    loop {
        let next = page(reader, filter, all.last().cloned(), limit);
        if next.is_empty() {
            return all;
        }
        all.extend(next);
    }
}

/// Calls of which many start at the same instant, in no order.
fn crowded(count: u32) -> Vec<Call> {
    (0..count)
        .map(|number| {
            let shuffled = number.wrapping_mul(2_654_435_761);
            call(shuffled).start(1_700_000_000 + i64::from(number % 7))
        })
        .collect()
}

#[test]
fn the_latest_start_comes_first_and_ids_ascend_within_it() {
    let folder = Folder::new();
    let store = serve(&folder);
    let calls = crowded(50);
    write(&store, calls.clone());
    let mut expected: Vec<_> = calls.iter().map(|call| (call.ticks(), call.id.clone())).collect();
    expected.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let mut reader = store.reader().unwrap();
    assert_eq!(page(&mut reader, &Filter::default(), None, 1_000), expected);
    for limit in [1, 3, 7, 49, 50] {
        assert_eq!(all_pages(&mut reader, &Filter::default(), limit), expected, "by {limit}");
    }
}

#[test]
fn bounds_hold_to_the_tick() {
    let folder = Folder::new();
    let store = serve(&folder);
    write(&store, (0..10).map(call));
    let mut reader = store.reader().unwrap();
    let middle = call(5).ticks();
    let mut count = |filter: Filter| {
        let listed = page(&mut reader, &filter, None, 100).len();
        assert_eq!(reader.count(&tenant(), &filter).unwrap(), listed as u64, "{filter:?}");
        listed
    };
    assert_eq!(count(Filter { start_from: Some(middle), ..Filter::default() }), 5);
    assert_eq!(count(Filter { start_from: Some(middle + 1), ..Filter::default() }), 4);
    assert_eq!(count(Filter { start_before: Some(middle), ..Filter::default() }), 5);
    assert_eq!(count(Filter { start_before: Some(middle + 1), ..Filter::default() }), 6);
    assert_eq!(count(Filter { not_before: Some(middle), ..Filter::default() }), 5);
    let both =
        Filter { start_from: Some(middle), start_before: Some(middle + 1), ..Filter::default() };
    assert_eq!(count(both), 1);
    assert_eq!(count(Filter::default()), 10);
}

#[test]
fn lists_of_a_participant_hold_the_current_versions_that_they_take_part_in() {
    let folder = Folder::new();
    let store = serve(&folder);
    let calls: Vec<_> = crowded(40)
        .into_iter()
        .enumerate()
        .map(|(index, call)| match index % 4 {
            0 => call.participants(&["a"]),
            1 => call.participants(&["a", "b"]),
            2 => call.participants(&["b", "c"]),
            _ => call,
        })
        .collect();
    write(&store, calls.clone());
    let mut reader = store.reader().unwrap();
    let of = |ids: &[&str]| Filter {
        participants: ids.iter().map(|id| model::key(id)).collect(),
        ..Filter::default()
    };
    for (ids, count) in
        [(["a"].as_slice(), 20), (&["b"], 20), (&["a", "b"], 10), (&["a", "c"], 0), (&["x"], 0)]
    {
        let filter = of(ids);
        let found = all_pages(&mut reader, &filter, 3);
        assert_eq!(found.len(), count, "{ids:?}");
        assert_eq!(reader.count(&tenant(), &filter).unwrap(), count as u64);
        let ordered = all_pages(&mut reader, &Filter::default(), 100);
        let expected: Vec<_> = ordered.into_iter().filter(|item| found.contains(item)).collect();
        assert_eq!(found, expected, "{ids:?}");
    }
    // A later version without "a" takes the record out of the list of "a".
    write(&store, [calls[0].clone().version(2).participants(&["z"])]);
    assert_eq!(reader.count(&tenant(), &of(&["a"])).unwrap(), 19);
    assert_eq!(reader.count(&tenant(), &of(&["z"])).unwrap(), 1);
}

#[test]
fn only_current_versions_of_ones_own_are_listed() {
    let folder = Folder::new();
    let store = serve(&folder);
    write(&store, [call(1), call(1).version(2).start(1_800_000_000), call(1).version(0)]);
    let mut reader = store.reader().unwrap();
    let listed = page(&mut reader, &Filter::default(), None, 10);
    assert_eq!(listed, [(call(1).start(1_800_000_000).ticks(), call(1).id)]);
    let query = ListQuery { filter: Filter::default(), after: None, limit: 10 };
    assert!(reader.list(&other_tenant(), &query).unwrap().is_empty());
    assert_eq!(reader.count(&other_tenant(), &Filter::default()).unwrap(), 0);
    assert_eq!(reader.tenants().unwrap(), [tenant()]);
}

#[test]
fn paging_gives_each_record_once_while_others_are_written() {
    let folder = Folder::new();
    let store = serve(&folder);
    let calls = crowded(300);
    write(&store, calls.clone());
    let is_done = AtomicBool::new(false);
    let rounds_written = AtomicU32::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // An end, lest a failure on the other side is waited for without one.
            for number in 1_000_000..1_001_000 {
                if is_done.load(Ordering::Relaxed) {
                    break;
                }
                let new = call(number).start(1_700_000_000 + i64::from(number % 7));
                let again = calls[number as usize % calls.len()].clone().version(2);
                write(&store, [new, again]);
                rounds_written.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut reader = store.reader().unwrap();
        while rounds_written.load(Ordering::Relaxed) < 5 {
            let paged = all_pages(&mut reader, &Filter::default(), 11);
            let distinct: HashSet<_> = paged.iter().map(|(_, id)| id.clone()).collect();
            assert_eq!(distinct.len(), paged.len(), "a record came twice");
            assert!(calls.iter().all(|call| distinct.contains(&call.id)), "a record is missing");
        }
        is_done.store(true, Ordering::Relaxed);
    });
}
