//! What SQL calculates where all records have plain values, and who decides where some have not.

use model::rows::RowSet::{self, Records, Sessions, Streams};
use model::shred;
use odata::primitive::DateTimeOffset;
use simulator::{Calls, Cause, Mix, Options};
use store::{Budget, Error, Reader, RowQuery, Store};

use crate::calls::call;
use crate::engine::{Folder, serve, tenant};
use crate::oracle::{Oracle, query};
use crate::queries::all;
use crate::sample::budget;

/// Chains that need none of the rows' JSON but for the keys of groups.
const CHAINS: &[(RowSet, &str)] = &[
    (Records, "compute(date(startDateTime) as d)/groupby((d),aggregate($count as n))"),
    (
        Records,
        "compute(year(startDateTime) as y,month(startDateTime) as m,day(endDateTime) as d,\
         hour(startDateTime) as h,minute(startDateTime) as i,second(startDateTime) as s)\
         /groupby((y,m,d,h),aggregate(i with max as most,s with sum as all))",
    ),
    (
        Records,
        "compute(time(startDateTime) as t,fractionalseconds(endDateTime) as f)\
         /aggregate(t with min as first,f with sum as all,t with countdistinct as n)",
    ),
    (
        Records,
        "compute(callvault.bucket(startDateTime,duration'PT15M') as b)\
         /groupby((b),aggregate($count as n))/orderby(b)",
    ),
    (
        Sessions,
        "compute(callvault.bucket(callStartDateTime,duration'P1D',duration'-PT9H30M') as b)\
         /groupby((b,isTest),aggregate($count as n,id with countdistinct as s))",
    ),
    (
        Streams,
        "filter(hour(callStartDateTime) ge 9 and date(callStartDateTime) ne 2026-03-04)\
         /compute(date(callStartDateTime) as day,case(packetUtilization gt 500 and \
         (averagePacketLossRate gt 0.1 or averageRoundTripTime gt duration'PT0.5S' or \
         averageJitter gt duration'PT0.03S'):1,true:0) as poor)\
         /groupby((day),aggregate(poor with sum as k,$count as n))\
         /compute(callvault.ratio(k,n) as share,callvault.wilson(k,n) as low)\
         /orderby(low desc)/top(10)",
    ),
    (
        Streams,
        "compute(averageJitter gt duration'PT0.01S' as late)/groupby((late),aggregate($count as n))",
    ),
    (
        Streams,
        "compute(case(averageJitter gt duration'PT0.01S':averageJitter,true:null) as j)\
         /aggregate(j with average as mean,j with max as most)",
    ),
    (
        Streams,
        "aggregate(averageJitter mul 3 with sum as a,averageJitter div 7 with sum as b,\
         averageJitter mul 0.3 with sum as c,averageJitter div -0.7 with sum as d,\
         averageJitter div -3 with max as e,\
         averageJitter add averageRoundTripTime sub duration'PT0.1S' with max as f,\
         packetUtilization mod 7 with sum as g,packetUtilization div -3 with sum as h,\
         packetUtilization add 5 with countdistinct as i,- packetUtilization with min as j,\
         averagePacketLossRate mul averagePacketLossRate sub 1 with min as k,\
         callvault.ratio(packetUtilization,7) with sum as l,\
         callvault.wilson(1,packetUtilization) with max as m)",
    ),
    (
        Records,
        "compute(startDateTime add duration'PT36H' as later,date(startDateTime) sub 2026-01-01 as age,\
         date(endDateTime) add duration'-PT1S' as before)\
         /aggregate(later with max as last,age with average as mean,before with min as first)",
    ),
    (Sessions, "groupby((callRecordId,id),aggregate($count as n))/aggregate(n with sum as all)"),
];

const FILTERS: &[(RowSet, &str)] = &[
    (Records, "date(startDateTime) eq 2026-03-03"),
    (Records, "hour(startDateTime) in (9,10,11) and minute(endDateTime) lt 30"),
    (Records, "not (day(startDateTime) gt 4)"),
    (Records, "time(startDateTime) lt 12:00:00"),
    (Records, "totaloffsetminutes(startDateTime) eq 0"),
    (Records, "startDateTime add duration'PT10M' lt endDateTime"),
    (Records, "case(type eq 'groupCall':true,true:false)"),
    (Records, "callvault.bucket(startDateTime,duration'P1D') eq 2026-03-03T00:00:00Z"),
    (Streams, "callvault.ratio(packetUtilization,1000) gt 0.5"),
    (Streams, "callvault.wilson(packetUtilization,100000) le 0.01"),
    (Streams, "averagePacketLossRate mul 100 gt 0.5"),
    (Streams, "averageJitter mul 20 gt averageRoundTripTime"),
    (Streams, "year(callStartDateTime) eq 2026 and packetUtilization mod 2 eq 1"),
    (Records, "sessions/any(s:s/segments/any(g:hour(g/startDateTime) eq 9))"),
];

const ORDERS: &[(RowSet, &str)] = &[
    (Records, "date(startDateTime) desc,hour(endDateTime)"),
    (Records, "callvault.bucket(startDateTime,duration'P2D') desc,version"),
    (Streams, "callvault.ratio(packetUtilization,7) desc"),
    (Streams, "packetUtilization mod 10,averageJitter div 1000 desc"),
];

fn store() -> (Folder, Store) {
    store_of(Mix::Bench, 90, &[])
}

/// A store of some calls.
pub(crate) fn store_of(mix: Mix, calls: u64, causes: &[Cause]) -> (Folder, Store) {
    let folder = Folder::new();
    let store = serve(&folder);
    let options = Options {
        seed: 3,
        calls,
        mix,
        from: DateTimeOffset::parse("2026-03-02").unwrap(),
        to: DateTimeOffset::parse("2026-03-07").unwrap(),
        tenant: tenant().as_str().to_owned(),
    };
    let mut calls = Calls::with_causes(options, causes);
    let (mut records, mut line, mut codec) = (Vec::new(), Vec::new(), store.codec());
    while calls.write_next(&mut line) {
        records.push(shred(std::str::from_utf8(&line).unwrap(), &mut codec).unwrap());
        line.clear();
    }
    store.write(&tenant(), records).wait().unwrap();
    (folder, store)
}

/// A budget with which no row's JSON may be looked at.
pub(crate) fn columns_only() -> Budget {
    Budget { rows_scanned: 0, ..budget() }
}

pub(crate) fn applied(
    reader: &mut Reader,
    query: &RowQuery,
    budget: &Budget,
) -> Result<Vec<String>, Error> {
    let rows = reader.apply(&tenant(), query, budget)?;
    Ok(rows.into_iter().map(|row| String::from_utf8(row).unwrap()).collect())
}

/// Whether what the store gives is what the evaluator makes of all rows.
#[track_caller]
fn check(reader: &mut Reader) {
    let oracle = Oracle::new(reader);
    for (set, text) in CHAINS {
        let query = query(*set, &[("$apply", text)]);
        let found = applied(reader, &query, &budget()).unwrap();
        assert_eq!(found, oracle.apply(*set, &query.query), "{text}");
    }
    let filters = FILTERS.iter().map(|(set, text)| (set, "$filter", text));
    for (set, option, text) in
        filters.chain(ORDERS.iter().map(|(set, text)| (set, "$orderby", text)))
    {
        let query = query(*set, &[(option, text)]);
        let expected = oracle.rows(*set, &query.query);
        assert!(!expected.is_empty(), "{text} finds nothing");
        assert_eq!(all(reader, &query, 97, &budget()), expected, "{text}");
    }
}

#[test]
fn where_all_values_are_plain_sql_calculates_with_them() {
    let (_folder, store) = store();
    let mut reader = store.reader().unwrap();
    check(&mut reader);
    for (set, text) in CHAINS {
        let query = query(*set, &[("$apply", text)]);
        let explained = reader.explain(&tenant(), &query).unwrap();
        let found = applied(&mut reader, &query, &columns_only());
        assert!(found.is_ok(), "{text}: {found:?} {explained:?}");
    }
    for (set, text) in FILTERS {
        let query = query(*set, &[("$filter", text)]);
        let explained = reader.explain(&tenant(), &query).unwrap();
        assert_eq!(explained.residual, None, "{text}");
        reader.count_rows(&tenant(), &query, &columns_only()).unwrap();
    }
    for (set, text) in ORDERS {
        let query = query(*set, &[("$orderby", text)]);
        assert_eq!(reader.explain(&tenant(), &query).unwrap().residual, None, "{text}");
        reader.page(&tenant(), &query, None, 10, &columns_only()).unwrap();
    }
}

#[test]
fn a_value_that_no_column_has_exactly_is_what_the_record_says() {
    for (member, value) in [
        ("startDateTime", "\"2026-03-03T00:30:00+02:00\""),
        ("endDateTime", "\"2026-03-04T00:30:00.12345678Z\""),
        ("version", "9007199254740993"),
    ] {
        let (_folder, store) = store();
        let text = call(1).start(1_772_500_000).sessions(2).json();
        let at = text.find(&format!("\"{member}\":")).unwrap() + member.len() + 3;
        let end = at + text[at..].find(',').unwrap();
        let text = format!("{}{value}{}", &text[..at], &text[end..]);
        store.write(&tenant(), vec![shred(&text, &mut store.codec()).unwrap()]).wait().unwrap();
        let mut reader = store.reader().unwrap();
        check(&mut reader);
        let by_day = |filter: &str| {
            let text = format!("{filter}compute(date(startDateTime) as d)/groupby((d))");
            query(Records, &[("$apply", &text)])
        };
        let found = applied(&mut reader, &by_day(""), &columns_only());
        assert!(matches!(found, Err(Error::TooManyRows { .. })), "{member}: {found:?}");
        // Beside the record nothing is lost, nor is where no zone matters.
        let later = by_day("filter(startDateTime ge 2026-03-05T00:00:00Z)/");
        assert!(applied(&mut reader, &later, &columns_only()).is_ok(), "{member}");
        let bucket = "compute(callvault.bucket(startDateTime,duration'P1D') as b)/groupby((b))";
        let bucket = query(Records, &[("$apply", bucket)]);
        assert!(applied(&mut reader, &bucket, &columns_only()).is_ok(), "{member}");
    }
}

#[test]
fn what_overflows_fails_as_it_does_in_the_evaluator() {
    let (_folder, store) = store();
    let mut reader = store.reader().unwrap();
    for text in [
        "version add 9223372036854775807 gt 0",
        "endDateTime add duration'P10675199D' gt startDateTime",
        "version mul 4611686018427387904 mul 2 gt 0",
        "version div (version sub version) eq 1",
    ] {
        let query = query(Records, &[("$filter", text)]);
        let counted = reader.count_rows(&tenant(), &query, &budget());
        assert!(matches!(counted, Err(Error::Exhausted(_))), "{text}: {counted:?}");
    }
}

#[test]
fn pages_go_on_as_they_began_or_say_that_they_cannot() {
    let (_folder, store) = store();
    let mut reader = store.reader().unwrap();
    let query = query(Records, &[("$orderby", "date(startDateTime) desc")]);
    let first = reader.page(&tenant(), &query, None, 10, &budget()).unwrap();
    let odd = call(1)
        .start(1_772_500_000)
        .json()
        .replace("\"version\":1", "\"version\":9007199254740993");
    let odd = shred(&odd, &mut store.codec()).unwrap();
    store.write(&tenant(), vec![odd]).wait().unwrap();
    // What SQL began our own evaluator can't go on with.
    let next = reader.page(&tenant(), &query, first.next.as_deref(), 10, &budget());
    assert!(matches!(next, Err(Error::Position)), "{next:?}");
    let first = reader.page(&tenant(), &query, None, 10, &budget()).unwrap();
    store.erase(&tenant(), vec![call(1).key()]).wait().unwrap();
    let next = reader.page(&tenant(), &query, first.next.as_deref(), 10, &budget()).unwrap();
    assert_eq!(next.rows.len(), 10);
}
