//! Queries of rows: however the rows are come by, they are those that the evaluator finds among
//! all.

use std::collections::HashSet;

use model::rows::RowSet::{self, Records};
use odata::json::Node;
use store::{Budget, Error, Reader, ResultRow, RowPage, RowQuery};

use crate::asked::{FILTERS, ORDERS, SEARCHES};
use crate::calls::call;
use crate::engine::{Folder, serve, tenant};
use crate::oracle::{Oracle, name_of, query};
use crate::sample::{Sample, budget};

fn names(set: RowSet, page: &RowPage) -> Vec<String> {
    let name = |found: &ResultRow| match found {
        ResultRow::Record(record) => record.id.clone(),
        ResultRow::Row(text) => {
            name_of(set, &Node::parse(std::str::from_utf8(text).unwrap()).unwrap())
        }
        ResultRow::Damaged { id, cause } => panic!("{id}: {cause}"),
    };
    page.rows.iter().map(name).collect()
}

/// The rows of all pages.
pub(crate) fn all(
    reader: &mut Reader,
    query: &RowQuery,
    limit: usize,
    budget: &Budget,
) -> Vec<String> {
    let mut rows = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = reader.page(&tenant(), query, after.as_deref(), limit, budget).unwrap();
        assert!(page.rows.len() <= limit);
        rows.extend(names(query.rows, &page));
        match page.next {
            Some(next) => after = Some(next),
            None => return rows,
        }
    }
}

#[test]
fn every_filter_search_and_order_gives_what_the_evaluator_finds_among_all_rows() {
    let data = Sample::new();
    let mut reader = data.store.reader().unwrap();
    let oracle = Oracle::new(&mut reader);
    let mut queries = data.queries("$filter", FILTERS);
    queries.extend(data.queries("$search", SEARCHES));
    queries.extend(data.queries("$orderby", ORDERS));
    let (mut failed, mut found) = (Vec::new(), 0);
    for (text, query) in &queries {
        let expected = oracle.rows(query.rows, &query.query);
        found += usize::from(!expected.is_empty());
        let limit = if expected.len() > 300 { 97 } else { 7 };
        let rows = all(&mut reader, query, limit, &budget());
        let count = reader.count_rows(&tenant(), query, &budget()).unwrap();
        if rows != expected || count != expected.len() as u64 {
            let explained = reader.explain(&tenant(), query).unwrap();
            let (here, there) = (rows.len(), expected.len());
            failed
                .push(format!("{text}: {here} rows, {count} counted, not {there}\n{explained:?}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(found * 10 > queries.len() * 8, "only {found} queries find anything");
}

#[test]
fn skip_and_top_count_over_all_pages() {
    let data = Sample::new();
    let mut reader = data.store.reader().unwrap();
    let oracle = Oracle::new(&mut reader);
    for (filter, orderby) in [
        ("true", "startDateTime desc"),
        ("joinWebUrl eq null", "startDateTime desc"),
        ("type eq 'groupCall'", "version desc"),
        ("true", "organizer_v2/identity/user/displayName"),
    ] {
        for (skip, top) in [("3", "20"), ("0", "7"), ("500", "5"), ("9", "0")] {
            let options =
                [("$filter", filter), ("$orderby", orderby), ("$skip", skip), ("$top", top)];
            let query = query(Records, &options);
            let expected = oracle.rows(Records, &query.query);
            for limit in [1, 7, 50] {
                assert_eq!(all(&mut reader, &query, limit, &budget()), expected, "{options:?}");
            }
        }
    }
}

#[test]
fn a_page_that_has_looked_at_all_it_may_ends_early_and_loses_nothing() {
    let data = Sample::new();
    let mut reader = data.store.reader().unwrap();
    let oracle = Oracle::new(&mut reader);
    let scarce = Budget { rows_scanned: 3, ..budget() };
    for filter in ["joinWebUrl eq null", "contains(joinWebUrl,'no such')"] {
        let query = query(Records, &[("$filter", filter)]);
        let first = reader.page(&tenant(), &query, None, 50, &scarce).unwrap();
        assert!(first.rows.len() <= 3 && first.next.is_some(), "{filter}");
        let expected = oracle.rows(Records, &query.query);
        assert_eq!(all(&mut reader, &query, 50, &scarce), expected, "{filter}");
        let counted = reader.count_rows(&tenant(), &query, &scarce);
        assert!(matches!(counted, Err(Error::TooManyRows { limit: 3 })), "{counted:?}");
    }
    let ranked = query(Records, &[("$orderby", "joinWebUrl")]);
    let page = reader.page(&tenant(), &ranked, None, 5, &scarce);
    assert!(matches!(page, Err(Error::TooManyRows { limit: 3 })));
}

#[test]
fn what_is_rare_is_looked_for_further_with_each_page() {
    let folder = Folder::new();
    let store = serve(&folder);
    for batch in 0..10 {
        let calls = (0..500).map(|number| {
            // Many of the same instant, and three that are asked for.
            let number = batch * 500 + number;
            let call = call(number).start(1_700_000_000 + i64::from(number / 40));
            let call = if number % 2_000 == 100 { call.version(7) } else { call };
            call.shred(&store)
        });
        store.write(&tenant(), calls.collect()).wait().unwrap();
    }
    let mut reader = store.reader().unwrap();
    // The evaluator may look at nothing more once it has begun: a page ends with its stretch.
    let scarce = Budget { rows_scanned: 0, ..budget() };
    for (filter, expected) in [("version eq 7", 3), ("version eq 8", 0)] {
        let exact = query(Records, &[("$filter", filter)]);
        assert_eq!(all(&mut reader, &exact, 1, &budget()).len(), expected, "{filter}");
        assert_eq!(all(&mut reader, &exact, 60, &scarce).len(), expected, "{filter}");
        let filter = format!("{filter} and joinWebUrl eq null");
        let open = query(Records, &[("$filter", &filter)]);
        let first = reader.page(&tenant(), &open, None, 60, &scarce).unwrap();
        assert!(first.rows.len() <= 1 && first.next.is_some(), "{filter}");
        assert_eq!(all(&mut reader, &open, 60, &scarce).len(), expected, "{filter}");
        let skipping = query(Records, &[("$filter", &filter), ("$skip", "2")]);
        let expected = expected.saturating_sub(2);
        assert_eq!(all(&mut reader, &skipping, 60, &scarce).len(), expected, "{filter}");
    }
}

#[test]
fn a_position_of_another_query_is_refused() {
    let data = Sample::new();
    let mut reader = data.store.reader().unwrap();
    let plain = query(Records, &[]);
    let next = reader.page(&tenant(), &plain, None, 2, &budget()).unwrap().next.unwrap();
    for orderby in ["version", "joinWebUrl", "type,version"] {
        let other = query(Records, &[("$orderby", orderby)]);
        let page = reader.page(&tenant(), &other, Some(&next), 2, &budget());
        assert!(matches!(page, Err(Error::Position)), "{orderby}");
    }
    let page = reader.page(&tenant(), &plain, Some(b"nonsense"), 2, &budget());
    assert!(matches!(page, Err(Error::Position)));
}

#[test]
fn paging_in_any_order_gives_each_row_once_while_others_are_written() {
    let data = Sample::new();
    let mut reader = data.store.reader().unwrap();
    let oracle = Oracle::new(&mut reader);
    let mut number = 10_000;
    for (text, query) in &data.queries("$orderby", ORDERS) {
        let before: HashSet<String> = oracle.rows(query.rows, &query.query).into_iter().collect();
        let (mut seen, mut after) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let page = reader.page(&tenant(), query, after.as_deref(), 150, &budget()).unwrap();
            seen.extend(names(query.rows, &page));
            let new = call(number).sessions(1).start(1_772_500_000 + i64::from(number % 100));
            number += 1;
            data.store.write(&tenant(), vec![new.shred(&data.store)]).wait().unwrap();
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let distinct: HashSet<&String> = seen.iter().collect();
        assert!(before.iter().all(|row| distinct.contains(row)), "{text}: a row is missing");
        let known = seen.iter().filter(|row| before.contains(*row)).count();
        assert_eq!(known, before.len(), "{text}: a row came twice");
    }
}
