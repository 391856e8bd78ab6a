//! Verdicts on records that were stored before there were any.

use std::path::Path;

use model::columns::Table;
use model::rows::RowSet::{self, Legs, Records, Sessions, Streams};
use model::shred;
use odata::primitive::DateTimeOffset;
use rusqlite::Connection;
use simulator::{Calls, Mix, Options};
use store::{Reader, ResultRow, Role, Store};

use crate::calls::call;
use crate::engine::{Folder, open, serve, tenant};
use crate::oracle::query;
use crate::sample::budget;

/// What is asked of verdicts, and of the columns that came with them.
const ASKED: [(RowSet, &str); 28] = [
    (Records, "callvault.quality/verdict eq 'poor'"),
    (Records, "callvault.quality/verdict eq 'unclassified'"),
    (Records, "callvault.quality/reason eq 'jitter'"),
    (Records, "callvault.quality/audio/poor gt 0 and callvault.quality/video/good gt 0"),
    (Records, "callvault.quality/screenSharing/good gt 0"),
    (Records, "callvault.quality/heard/poor gt 1"),
    (Records, "callvault.quality/wasHeard/good gt 1"),
    (Records, "callvault.quality/people gt 2"),
    (Records, "callvault.quality/poorPeople gt 0 and not callvault.quality/isPoor"),
    (Records, "callvault.quality/poorShare lt 0.3"),
    (Records, "callvault.quality/poorShare eq null"),
    (Records, "sessions/any(s:s/callvault.quality/verdict eq 'poor')"),
    (Sessions, "callvault.quality/verdict eq 'good'"),
    (Sessions, "callvault.quality/audio/unclassified gt 0"),
    (Sessions, "callvault.quality/poorShare gt 0.5 or callvault.quality/isPoor"),
    (Streams, "callvault.quality/verdict eq 'poor'"),
    (Streams, "callvault.quality/verdict ne 'notApplicable'"),
    (Streams, "callvault.quality/reason eq 'noMetrics'"),
    (Streams, "callerNetwork/linkSpeed gt 1000"),
    (Streams, "calleeNetwork/reflexiveIPAddress ne null and callerNetwork/wifiChannel gt 5"),
    (Streams, "callerNetwork/networkTransportProtocol eq 'udp'"),
    (Streams, "callerDevice/captureNotFunctioningEventRatio ge 0"),
    (Streams, "caller/userAgent/applicationVersion ne null"),
    (
        Streams,
        "callee/microsoft.graph.callRecords.participantEndpoint/feedback/rating eq 'poor' \
         or callee/userAgent/microsoft.graph.callRecords.serviceUserAgent/role ne null",
    ),
    (Legs, "isService and isFirst"),
    (Legs, "person/kind eq 'user' and not peerIsService"),
    (Legs, "startswith(peerPerson/id,'a') and end eq 'callee'"),
    (Legs, "endpointName ne null and callvault.quality/verdict eq 'good'"),
];

/// How many rows there are of each question.
fn counts(store: &Store) -> Vec<u64> {
    let mut reader = store.reader().unwrap();
    let count = |(set, filter): &(RowSet, &str)| {
        let query = query(*set, &[("$filter", filter)]);
        reader.count_rows(&tenant(), &query, &budget()).unwrap()
    };
    ASKED.iter().map(count).collect()
}

/// Whether SQL decides a question alone.
fn is_exact(store: &Store, (set, filter): (RowSet, &str)) -> bool {
    let explained = store.reader().unwrap().explain(&tenant(), &query(set, &[("$filter", filter)]));
    explained.unwrap().residual.is_none()
}

/// All typed rows.
fn contents(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut lines = Vec::new();
    for table in Table::ALL {
        let columns = table.columns().iter().chain(table.verdicts());
        let names: Vec<&str> = columns.map(|column| column.name).collect();
        // Versions before the current one are judged when they are asked for.
        let only = if table == Table::CallRecord { "WHERE is_current = 1" } else { "" };
        let text = format!("SELECT record_key, {} FROM {} {only}", names.join(", "), table.name());
        let mut statement = connection.prepare(&text).unwrap();
        let count = statement.column_count();
        let mut rows = statement.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..count).map(|at| row.get_ref(at).unwrap()).collect();
            lines.push(format!("{} {values:?}", table.name()));
        }
    }
    lines.sort_unstable();
    lines
}

/// Takes from a store what its version before did not have.
fn make_old(path: &Path) {
    let connection = Connection::open(path).unwrap();
    for table in [Table::CallRecord, Table::Session, Table::Stream] {
        let sets = table.verdicts().iter().map(|column| format!("{} = NULL", column.name));
        let sets = sets.collect::<Vec<_>>().join(", ");
        connection.execute(&format!("UPDATE {} SET {sets}", table.name()), ()).unwrap();
    }
    connection
        .execute_batch(
            "UPDATE media SET caller_network_link_speed = NULL, caller_network_wifi_channel = NULL,
               callee_network_reflexive_ip_address = NULL,
               caller_network_network_transport_protocol = NULL,
               caller_device_capture_not_functioning_event_ratio = NULL;
             UPDATE segment SET caller_application_version = NULL, callee_feedback_rating = NULL,
               callee_service_role = NULL, first_end = NULL, caller_is_service = NULL,
               callee_is_service = NULL, caller_person_kind = NULL, callee_person_kind = NULL,
               caller_person_id = NULL, caller_endpoint_name = NULL, callee_endpoint_name = NULL;
             UPDATE call_record SET flags = flags & ~384;",
        )
        .unwrap();
}

#[test]
fn a_store_of_the_version_before_answers_alike_while_it_gets_its_verdicts() {
    let folder = Folder::new();
    let path = folder.store();
    let store = serve(&folder);
    let mut calls = Calls::new(Options {
        seed: 11,
        calls: 200,
        mix: Mix::Realistic,
        from: DateTimeOffset::parse("2026-03-02").unwrap(),
        to: DateTimeOffset::parse("2026-03-09").unwrap(),
        tenant: tenant().as_str().to_owned(),
    });
    let (mut line, mut records, mut codec) = (Vec::new(), Vec::new(), store.codec());
    while calls.write_next(&mut line) {
        records.push(shred(std::str::from_utf8(&line).unwrap(), &mut codec).unwrap());
        line.clear();
    }
    store.write(&tenant(), records).wait().unwrap();
    let (expected, rows) = (counts(&store), contents(&path));
    let found_nothing = ASKED.iter().zip(&expected).filter(|(_, count)| **count == 0);
    let found_nothing: Vec<_> = found_nothing.map(|(asked, _)| asked).collect();
    assert!(found_nothing.is_empty(), "{found_nothing:?}");
    let evaluated: Vec<_> = ASKED.into_iter().filter(|it| !is_exact(&store, *it)).collect();
    assert!(evaluated.is_empty(), "{evaluated:?}");
    assert_eq!((store.lacking_columns(), store.judge(7, &|| true).unwrap()), (0, true));
    drop(store);

    make_old(&path);
    assert!(contents(&path) != rows, "nothing was taken from it");
    let store = serve(&folder);
    assert!(store.lacking_columns() > 100, "{}", store.lacking_columns());
    assert_eq!(counts(&store), expected, "by what is kept of the records");
    assert!(!is_exact(&store, ASKED[0]), "nothing relies on columns that are not filled");
    // Another process does it.
    let other = open(&path, Role::Tool);
    let lease = "INSERT INTO lease VALUES ('verdicts', 'another', 1, 9000000000000000000)";
    Connection::open(&path).unwrap().execute(lease, ()).unwrap();
    assert!(!other.judge(7, &|| true).unwrap());
    Connection::open(&path).unwrap().execute("UPDATE lease SET expires = 0", ()).unwrap();
    // It stops, and goes on where it was.
    let rounds = std::cell::Cell::new(0);
    let stops = || rounds.replace(rounds.get() + 1) < 3;
    assert!(!store.judge(7, &stops).unwrap());
    assert_eq!(counts(&store), expected, "half way");
    assert!(store.judge(7, &|| true).unwrap());
    assert_eq!((store.lacking_columns(), counts(&store)), (0, expected));
    assert!(is_exact(&store, ASKED[0]));
    let found = contents(&path);
    let other = rows.iter().zip(&found).find(|(expected, found)| expected != found);
    assert_eq!((other, found.len()), (None, rows.len()));
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
}

#[test]
fn a_record_that_can_not_be_judged_has_no_verdict_by_any_question() {
    let folder = Folder::new();
    let store = serve(&folder);
    let records = (1..=3).map(|number| call(number).sessions(1).shred(&store)).collect();
    store.write(&tenant(), records).wait().unwrap();
    drop(store);
    // Stored by the version before, and damaged since.
    Connection::open(folder.store())
        .unwrap()
        .execute_batch(
            "UPDATE session_pack SET fragment = x'00';
             UPDATE call_record SET quality_verdict = NULL, flags = flags & ~384 WHERE record_key = 2;",
        )
        .unwrap();
    let store = serve(&folder);
    assert_eq!(store.lacking_columns(), 1);
    assert!(store.judge(7, &|| true).unwrap());
    assert_eq!(store.lacking_columns(), 0);
    let mut reader = store.reader().unwrap();
    let count = |reader: &mut Reader, filter: &str| {
        let query = query(Records, &[("$filter", filter)]);
        assert!(reader.explain(&tenant(), &query).unwrap().residual.is_none(), "{filter}");
        reader.count_rows(&tenant(), &query, &budget()).unwrap()
    };
    assert_eq!(count(&mut reader, "callvault.quality/verdict ne null"), 2);
    assert_eq!(count(&mut reader, "callvault.quality/verdict eq null"), 1);
    assert_eq!(count(&mut reader, "callvault.quality/verdict ne 'poor'"), 3);
    let group = "groupby((callvault.quality/verdict),aggregate($count as n))";
    let asked = query(Records, &[("$apply", group)]);
    let mut groups: Vec<String> = reader
        .apply(&tenant(), &asked, &budget())
        .unwrap()
        .into_iter()
        .map(|text| String::from_utf8(text).unwrap())
        .collect();
    groups.sort_unstable();
    let group = |verdict: &str, count: u8| {
        format!(
            r##"{{"callvault.quality":{{"verdict":{verdict}}},"n@odata.type":"#Int64","n":{count}}}"##
        )
    };
    assert_eq!(groups, [group("\"unclassified\"", 2), group("null", 1)]);
    let first = query(Records, &[("$orderby", "callvault.quality/verdict,id")]);
    let page = reader.page(&tenant(), &first, None, 1, &budget()).unwrap();
    let [ResultRow::Record(record)] = page.rows.as_slice() else { panic!("{page:?}") };
    assert_eq!(record.id, call(2).id);
}
