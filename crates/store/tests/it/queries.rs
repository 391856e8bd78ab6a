//! Queries of rows: however the rows are come by, they are those that the evaluator finds among
//! all.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use model::rows::RowSet::{self, Records, Segments, Sessions, Streams};
use model::shred;
use odata::json::Node;
use odata::primitive::DateTimeOffset;
use simulator::{Calls, Mix, Options};
use store::{Budget, Error, Found, Reader, RowPage, RowQuery, Store};

use crate::calls::call;
use crate::engine::{Folder, serve, tenant};
use crate::oracle::{Oracle, name_of, query};

const FIXTURES: [&str; 3] = [
    include_str!("../../../../fixtures/call-records/get-expanded-v1.json"),
    include_str!("../../../../fixtures/call-records/group-expanded-2025.json"),
    include_str!("../../../../fixtures/call-records/expanded-beta-2020.json"),
];

/// Published records, simulated ones of both kinds, and some with odd values.
fn fill(store: &Store) {
    let mut records = Vec::new();
    let mut codec = store.codec();
    for text in FIXTURES {
        records.push(shred(text, &mut codec).unwrap());
    }
    for (mix, calls) in [(Mix::Bench, 120), (Mix::Realistic, 60)] {
        let options = Options {
            seed: 7,
            calls,
            mix,
            from: DateTimeOffset::parse("2026-03-02").unwrap(),
            to: DateTimeOffset::parse("2026-03-09").unwrap(),
            tenant: tenant().as_str().to_owned(),
        };
        let mut lines = Calls::new(options);
        let mut line = Vec::new();
        while lines.write_next(&mut line) {
            records.push(shred(std::str::from_utf8(&line).unwrap(), &mut codec).unwrap());
            line.clear();
        }
    }
    for number in 0..20 {
        let odd = call(number).sessions(number % 4).participants(&["a", "b", "c"]);
        let odd = odd.start(1_772_400_000 + i64::from(number % 3)).more(
            r#""joinWebUrl":null,"organizer_v2":{"id":"o","identity":{"user":{"id":"O","displayName":"Ünï\u0000 \"q\""}}}"#,
        );
        records.push(odd.shred(store));
    }
    store.write(&tenant(), records).wait().unwrap();
}

fn budget() -> Budget {
    let deadline = Instant::now() + Duration::from_secs(60);
    Budget { rows_scanned: 1_000_000, deadline, groups: 100_000 }
}

fn names(set: RowSet, page: &RowPage) -> Vec<String> {
    let name = |found: &Found| match found {
        Found::Record(record) => record.id.clone(),
        Found::Row(text) => name_of(set, &Node::parse(std::str::from_utf8(text).unwrap()).unwrap()),
    };
    page.rows.iter().map(name).collect()
}

/// The rows of all pages.
fn all(reader: &mut Reader, query: &RowQuery, limit: usize, budget: &Budget) -> Vec<String> {
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

/// Filters of each set. `{…}` stands for something that is there.
const FILTERS: &[(RowSet, &str)] = &[
    (Records, "startDateTime ge {middle}"),
    (Records, "startDateTime gt {middle} and startDateTime lt {late}"),
    (Records, "{middle} le startDateTime and startDateTime le {late}"),
    (Records, "startDateTime eq {middle}"),
    (Records, "startDateTime ne {middle}"),
    (Records, "id eq '{id}'"),
    (Records, "id eq '{ID}'"),
    (Records, "id ne '{ID}'"),
    (Records, "id in ('{ID}','nothing')"),
    (Records, "not (id in ('{ID}','nothing'))"),
    (Records, "startswith(id,'0') or endswith(id,'f')"),
    (Records, "type eq 'groupCall'"),
    (Records, "type ne 'groupCall'"),
    (Records, "type in ('peerToPeer','unknown')"),
    (Records, "type gt 'unknown'"),
    (Records, "type has 'groupCall'"),
    (Records, "version gt 1"),
    (Records, "version add 1 gt 2"),
    (Records, "version mod 2 eq 0"),
    (Records, "version div 2 eq 1 or version divby 2 eq 0.5"),
    (Records, "endDateTime sub startDateTime gt duration'PT10M'"),
    (Records, "not (endDateTime sub startDateTime gt duration'PT10M')"),
    (Records, "startDateTime add duration'PT1H' lt endDateTime"),
    (Records, "totalseconds(endDateTime sub startDateTime) ge 600"),
    (Records, "modalities/any(m:m eq 'video')"),
    (Records, "modalities/any(m:m eq 'video' or m eq 'audio')"),
    (Records, "not modalities/any(m:m eq 'video')"),
    (Records, "modalities/all(m:m eq 'audio')"),
    (Records, "modalities/any(m:m ne 'audio')"),
    (Records, "modalities/any()"),
    (Records, "modalities/$count gt 1"),
    (Records, "participants_v2/any(p:p/id eq '{user}')"),
    (Records, "participants_v2/any(p:p/id eq '{USER}') and startDateTime ge {middle}"),
    (Records, "participants_v2/any(p:p/id eq '{user}') and participants_v2/any(q:q/id eq 'a')"),
    (Records, "participants_v2/any(p:p/id eq 'a') and participants_v2/any(q:q/id eq 'b')"),
    (Records, "participants_v2/any(p:p/id in ('{user}','a'))"),
    (Records, "participants_v2/any(p:p/id eq 'a' or p/id eq '{user}')"),
    (Records, "not participants_v2/any(p:p/id eq '{user}')"),
    (
        Records,
        "participants_v2/any(p:p/id eq '{user}' and contains(p/identity/user/displayName,'e'))",
    ),
    (Records, "participants_v2/any(p:contains(p/identity/user/displayName,'an'))"),
    (Records, "participants_v2/all(p:p/id eq 'a')"),
    (Records, "participants_v2/$count gt 2"),
    (Records, "participants_v2/$count eq 0"),
    (Records, "sessions/$count eq 0 or sessions/$count ge 3"),
    (Records, "sessions/any()"),
    (Records, "not sessions/any()"),
    (Records, "sessions/any(s:s/isTest eq true)"),
    (Records, "sessions/any(s:s/isTest)"),
    (Records, "sessions/all(s:s/isTest eq false)"),
    (Records, "sessions/any(s:not s/isTest)"),
    (Records, "sessions/any(s:s/failureInfo/stage eq 'callSetup')"),
    (Records, "sessions/any(s:s/failureInfo ne null)"),
    (Records, "sessions/any(s:s/failureInfo/stage ne null) and type eq 'groupCall'"),
    (
        Records,
        "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averagePacketLossRate gt 0.01))))",
    ),
    (
        Records,
        "not sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averagePacketLossRate gt 0.01))))",
    ),
    (
        Records,
        "sessions/all(s:s/segments/all(g:g/media/all(m:m/streams/all(t:t/averagePacketLossRate lt 0.01))))",
    ),
    (
        Records,
        "sessions/any(s:s/segments/any(g:g/media/any(m:m/streams/any(t:t/averageJitter gt duration'PT0.01S' and t/averageRoundTripTime gt duration'PT0.05S'))))",
    ),
    (
        Records,
        "sessions/any(s:s/segments/any(g:g/media/any(m:m/label eq 'main-audio' and m/streams/any(t:t/averagePacketLossRate gt 0.005))))",
    ),
    (
        Records,
        "sessions/any(s:s/segments/any(g:g/media/any(m:m/callerNetwork/subnet eq '{subnet}')))",
    ),
    (
        Records,
        "sessions/any(s:s/caller/userAgent/headerValue ne null and s/segments/any(g:g/startDateTime ge {middle}))",
    ),
    (
        Records,
        "sessions/any(s:s/caller/microsoft.graph.callRecords.participantEndpoint/identity/user/id eq '{user}')",
    ),
    (Records, "sessions/any(s:s/startDateTime gt $it/startDateTime)"),
    (Records, "sessions/any(s:s/segments/$count gt 1)"),
    (Records, "sessions/$count($filter=isTest eq false) ge 2"),
    (Records, "sessions/any(s:s/segments/any(g:g/startDateTime eq s/startDateTime))"),
    (Records, "joinWebUrl eq null"),
    (Records, "joinWebUrl ne null"),
    (Records, "contains(joinWebUrl,'meet')"),
    (Records, "not contains(joinWebUrl,'meet')"),
    (Records, "organizer_v2/identity/user/displayName ge 'M'"),
    (Records, "contains(tolower(organizer_v2/identity/user/displayName),'ünï')"),
    (Records, "lastModifiedDateTime gt endDateTime and type eq 'peerToPeer'"),
    (Records, "type eq 'groupCall' or joinWebUrl eq null"),
    (Records, "type eq 'groupCall' and joinWebUrl eq null"),
    (Records, "not (type eq 'groupCall' and joinWebUrl eq null)"),
    (Records, "case(type eq 'groupCall':version,true:0) ge 1"),
    (Records, "hour(startDateTime) ge 12"),
    (Records, "date(startDateTime) eq 2026-03-03"),
    (Records, "true"),
    (Records, "false or type eq null"),
    (Sessions, "callStartDateTime ge {middle} and isTest eq false"),
    (Sessions, "callRecordId eq '{ID}'"),
    (Sessions, "id eq '{SESSION}'"),
    (Sessions, "id ne '{session}'"),
    (Sessions, "id in ('{session}')"),
    (Sessions, "not isTest"),
    (Sessions, "isTest ne false"),
    (Sessions, "segments/any(g:g/failureInfo/stage ne null)"),
    (Sessions, "segments/$count ge 2"),
    (Sessions, "callRecordType eq 'groupCall' and caller/userAgent/headerValue ne null"),
    (Sessions, "length(caller/userAgent/headerValue) gt 10"),
    (Sessions, "modalities/any(m:m eq 'video')"),
    (Segments, "sessionId eq '{SESSION}'"),
    (Segments, "startDateTime ge {middle} and callRecordType eq 'peerToPeer'"),
    (Segments, "media/any(m:m/streams/any(t:t/maxJitter gt duration'PT0.02S'))"),
    (Segments, "media/all(m:m/label eq 'main-audio')"),
    (Streams, "callStartDateTime ge {middle} and callStartDateTime lt {late}"),
    (Streams, "averagePacketLossRate gt 0.001 and callerNetwork/subnet eq '{subnet}'"),
    (Streams, "not (averagePacketLossRate gt 0.001)"),
    (Streams, "averagePacketLossRate mul 100 gt 0.5"),
    (Streams, "mediaLabel eq 'main-audio' and wasMediaBypassed eq null"),
    (Streams, "callerNetwork/connectionType eq 'wifi'"),
    (Streams, "callerNetwork/connectionType ne 'wifi'"),
    (Streams, "tolower(callerDevice/captureDeviceName) ge 'h'"),
    (
        Streams,
        "caller/microsoft.graph.callRecords.participantEndpoint/identity/user/id eq '{USER}'",
    ),
    (Streams, "segmentId ne null and averageJitter lt maxJitter"),
    (Streams, "packetUtilization gt 1000 and endDateTime ge startDateTime"),
];

/// Orders of each set.
const ORDERS: &[(RowSet, &str)] = &[
    (Records, "startDateTime"),
    (Records, "startDateTime desc,id desc"),
    (Records, "endDateTime"),
    (Records, "endDateTime desc"),
    (Records, "type,startDateTime"),
    (Records, "version desc,endDateTime sub startDateTime"),
    (Records, "lastModifiedDateTime desc"),
    (Records, "organizer_v2/identity/user/displayName desc"),
    (Records, "joinWebUrl"),
    (Records, "sessions/$count desc"),
    (Records, "id"),
    (Sessions, "isTest desc,endDateTime"),
    (Sessions, "callStartDateTime"),
    (Sessions, "caller/userAgent/headerValue"),
    (Segments, "callEndDateTime desc"),
    (Streams, "averagePacketLossRate desc"),
    (Streams, "averagePacketLossRate,callerNetwork/subnet desc"),
    (Streams, "callerNetwork/linkSpeed"),
];

const SEARCHES: &[(RowSet, &str)] = &[
    (Records, "{word}"),
    (Records, "{word}*"),
    (Records, "{word} AND teams"),
    (Records, "NOT {word}"),
    (Records, "{word} OR \"{phrase}\""),
    (Records, "{user}"),
    (Sessions, "{word}"),
    (Streams, "{word} NOT xyzzy"),
];

const APPLIES: &[(RowSet, &str)] = &[
    (Records, "aggregate($count as n)"),
    (
        Records,
        "filter(type eq 'groupCall')/aggregate($count as n,version with sum as v,endDateTime with max as last)",
    ),
    (Records, "filter(joinWebUrl eq null)/groupby((type),aggregate($count as n))"),
    (Records, "groupby((type),aggregate($count as n,sessions/$count with average as s))"),
    (Records, "groupby((type))"),
    (
        Records,
        "compute(endDateTime sub startDateTime as length)/groupby((type),aggregate(length with average as mean,length with callvault.percentile95 as p))",
    ),
    (
        Records,
        "groupby((organizer_v2/identity/user/displayName),aggregate($count as n))/topcount(3,n)",
    ),
    (Records, "groupby((rollup($all,type,version)),aggregate($count as n))"),
    (Records, "filter(version eq 99)/aggregate($count as n,version with sum as v)"),
    (Records, "search({word})/aggregate($count as n)"),
    (
        Sessions,
        "groupby((callRecordType,isTest),aggregate($count as n,id with countdistinct as d))",
    ),
    (
        Streams,
        "filter(callStartDateTime ge {middle})/groupby((callerNetwork/subnet),aggregate(averagePacketLossRate with average as loss,$count as n))",
    ),
    (
        Streams,
        "groupby((callerNetwork/subnet,mediaLabel),aggregate(averageJitter with max as jitter,averageJitter with average as mean,averageRoundTripTime with sum as rtt,callRecordId with countdistinct as calls))",
    ),
    (
        Streams,
        "groupby((callerNetwork/connectionType),aggregate(averagePacketLossRate with callvault.median as loss,averagePacketLossRate with min as low))/orderby(loss desc)/top(2)",
    ),
    (Streams, "topcount(5,averagePacketLossRate)"),
    (Streams, "concat(aggregate($count as n),groupby((mediaLabel),aggregate($count as n)))"),
];

struct Data {
    _folder: Folder,
    store: Store,
    places: Vec<(&'static str, String)>,
}

impl Data {
    fn new() -> Self {
        let folder = Folder::new();
        let store = serve(&folder);
        fill(&store);
        let mut data = Self { _folder: folder, store, places: Vec::new() };
        let oracle = Oracle::new(&mut data.store.reader().unwrap());
        let records: Vec<Node<'_>> = oracle.nodes(Records).collect();
        let text = |node: &Node<'_>, path: &[&str]| {
            let found = path.iter().try_fold(node, |node, name| node.get(name));
            found.and_then(Node::as_text).map(|text| text.value().into_owned())
        };
        let middle = &records[records.len() / 2];
        let (id, start) =
            (text(middle, &["id"]).unwrap(), text(middle, &["startDateTime"]).unwrap());
        let late = text(&records[records.len() / 8], &["startDateTime"]).unwrap();
        let user = middle.get("participants_v2").and_then(Node::as_array).unwrap();
        let user = text(&user[0], &["id"]).unwrap();
        let session = middle.get("sessions").and_then(Node::as_array).unwrap();
        let session = text(&session[0], &["id"]).unwrap();
        let subnet = oracle.nodes(Streams).find_map(|row| text(&row, &["callerNetwork", "subnet"]));
        let name = oracle.nodes(Records).find_map(|row| {
            let all = row.get("participants_v2")?.as_array()?.to_vec();
            let of = |node: &Node<'_>| text(node, &["identity", "user", "displayName"]);
            all.iter().find_map(of).filter(|name| name.contains(' ') && name.is_ascii())
        });
        let phrase = name.unwrap();
        let word = phrase.split(' ').next().unwrap().to_owned();
        data.places = vec![
            ("{ID}", id.to_uppercase()),
            ("{id}", id),
            ("{USER}", user.to_uppercase()),
            ("{user}", user),
            ("{SESSION}", session.to_uppercase()),
            ("{session}", session),
            ("{middle}", start),
            ("{late}", late),
            ("{subnet}", subnet.unwrap()),
            ("{word}", word),
            ("{phrase}", phrase),
        ];
        data
    }

    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (place, value): &(&str, String)| text.replace(place, value);
        self.places.iter().fold(text.to_owned(), fill)
    }

    /// Every query of a table with an option, as text and bound.
    fn queries(&self, option: &str, table: &[(RowSet, &str)]) -> Vec<(String, RowQuery)> {
        let one = |(set, text): &(RowSet, &str)| {
            let text = self.filled(text);
            let bound = query(*set, &[(option, &text)]);
            (format!("{set:?} {option}={text}"), bound)
        };
        table.iter().map(one).collect()
    }
}

#[test]
fn every_filter_search_and_order_gives_what_the_evaluator_finds_among_all_rows() {
    let data = Data::new();
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
fn every_aggregation_gives_what_the_evaluator_makes_of_all_rows() {
    let data = Data::new();
    let mut reader = data.store.reader().unwrap();
    let oracle = Oracle::new(&mut reader);
    for (text, query) in &data.queries("$apply", APPLIES) {
        let expected = oracle.apply(query.rows, &query.query);
        let rows = reader.apply(&tenant(), query, &budget()).unwrap();
        let rows: Vec<_> = rows.into_iter().map(|row| String::from_utf8(row).unwrap()).collect();
        assert_eq!(rows, expected, "{text}");
    }
}

#[test]
fn skip_and_top_count_over_all_pages() {
    let data = Data::new();
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
    let data = Data::new();
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
    let grouped = query(Records, &[("$apply", "groupby((id))")]);
    let few = Budget { groups: 2, ..budget() };
    let rows = reader.apply(&tenant(), &grouped, &few);
    assert!(matches!(rows, Err(Error::TooManyGroups { limit: 2 })), "{rows:?}");
}

#[test]
fn a_position_of_another_query_is_refused() {
    let data = Data::new();
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
    let data = Data::new();
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
