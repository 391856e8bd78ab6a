//! Order, bounds and paging of lists.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use model::rows::RowSet::Records;
use odata::primitive::DateTimeOffset;
use store::{Reader, ResultRow, RowQuery, Store};

use crate::calls::{Call, call};
use crate::engine::{Folder, other_tenant, serve, tenant};
use crate::oracle::query;
use crate::sample::budget;

fn write(store: &Store, calls: impl IntoIterator<Item = Call>) {
    let records = calls.into_iter().map(|call| call.shred(store)).collect();
    store.write(&tenant(), records).wait().unwrap();
}

fn everything() -> RowQuery {
    query(Records, &[])
}

fn that(filter: &str) -> RowQuery {
    query(Records, &[("$filter", filter)])
}

/// Start and id of the records of all pages.
fn all_pages(reader: &mut Reader, query: &RowQuery, limit: usize) -> Vec<(i64, String)> {
    let (mut all, mut after) = (Vec::new(), None::<Vec<u8>>);
    loop {
        let page = reader.page(&tenant(), query, after.as_deref(), limit, &budget()).unwrap();
        assert!(page.rows.len() <= limit);
        all.extend(page.rows.iter().map(|found| match found {
            ResultRow::Record(record) => (record.start, record.id.clone()),
            other => panic!("{other:?}"),
        }));
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

fn count(reader: &mut Reader, query: &RowQuery) -> u64 {
    reader.count_rows(&tenant(), query, &budget()).unwrap()
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
    for limit in [1, 3, 7, 49, 50, 1_000] {
        assert_eq!(all_pages(&mut reader, &everything(), limit), expected, "by {limit}");
    }
}

#[test]
fn bounds_hold_to_the_tick() {
    let folder = Folder::new();
    let store = serve(&folder);
    write(&store, (0..10).map(call));
    let mut reader = store.reader().unwrap();
    let middle = call(5).ticks();
    let text = |ticks: i64| DateTimeOffset(ticks).to_string();
    let (at, behind) = (text(middle), text(middle + 1));
    let mut listed = |query: &RowQuery| {
        let listed = all_pages(&mut reader, query, 100).len();
        assert_eq!(count(&mut reader, query), listed as u64, "{query:?}");
        listed
    };
    assert_eq!(listed(&that(&format!("startDateTime ge {at}"))), 5);
    assert_eq!(listed(&that(&format!("startDateTime ge {behind}"))), 4);
    assert_eq!(listed(&that(&format!("startDateTime gt {at}"))), 4);
    assert_eq!(listed(&that(&format!("startDateTime lt {at}"))), 5);
    assert_eq!(listed(&that(&format!("startDateTime lt {behind}"))), 6);
    assert_eq!(listed(&that(&format!("startDateTime le {at}"))), 6);
    assert_eq!(listed(&that(&format!("startDateTime ge {at} and startDateTime lt {behind}"))), 1);
    assert_eq!(listed(&everything()), 10);
    // What is older than the owner keeps records is as if it were not there, whatever is asked for.
    assert_eq!(listed(&RowQuery { not_before: Some(middle), ..everything() }), 5);
    let kept = |filter: &str| RowQuery { not_before: Some(middle), ..that(filter) };
    assert_eq!(listed(&kept(&format!("startDateTime ge {behind}"))), 4);
    assert_eq!(listed(&kept("startDateTime ge 2000-01-01T00:00:00Z")), 5);
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
    let of = |ids: &[&str]| {
        let takes_part = |id: &&str| format!("participants_v2/any(p:p/id eq '{id}')");
        that(&ids.iter().map(takes_part).collect::<Vec<_>>().join(" and "))
    };
    for (ids, expected) in
        [(["a"].as_slice(), 20), (&["b"], 20), (&["a", "b"], 10), (&["a", "c"], 0), (&["x"], 0)]
    {
        let found = all_pages(&mut reader, &of(ids), 3);
        assert_eq!(found.len(), expected, "{ids:?}");
        assert_eq!(count(&mut reader, &of(ids)), expected as u64);
        let ordered = all_pages(&mut reader, &everything(), 100);
        let expected: Vec<_> = ordered.into_iter().filter(|item| found.contains(item)).collect();
        assert_eq!(found, expected, "{ids:?}");
    }
    // A later version without "a" takes the record out of the list of "a".
    write(&store, [calls[0].clone().version(2).participants(&["z"])]);
    assert_eq!(count(&mut reader, &of(&["a"])), 19);
    assert_eq!(count(&mut reader, &of(&["z"])), 1);
}

#[test]
fn only_current_versions_of_ones_own_are_listed() {
    let folder = Folder::new();
    let store = serve(&folder);
    write(&store, [call(1), call(1).version(2).start(1_800_000_000), call(1).version(0)]);
    let mut reader = store.reader().unwrap();
    let listed = all_pages(&mut reader, &everything(), 10);
    assert_eq!(listed, [(call(1).start(1_800_000_000).ticks(), call(1).id)]);
    let theirs = reader.page(&other_tenant(), &everything(), None, 10, &budget()).unwrap();
    assert!(theirs.rows.is_empty());
    assert_eq!(reader.count_rows(&other_tenant(), &everything(), &budget()).unwrap(), 0);
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
            let paged = all_pages(&mut reader, &everything(), 11);
            let distinct: HashSet<_> = paged.iter().map(|(_, id)| id.clone()).collect();
            assert_eq!(distinct.len(), paged.len(), "a record came twice");
            assert!(calls.iter().all(|call| distinct.contains(&call.id)), "a record is missing");
        }
        is_done.store(true, Ordering::Relaxed);
    });
}
