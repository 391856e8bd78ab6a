//! A store with published, simulated and odd records, and things to ask for that are there.

use std::time::Instant;

use model::rows::RowSet::{self, Records, Streams};
use model::{TenantId, shred};
use odata::eval::{Allowance, Meter};
use odata::json::Node;
use odata::primitive::DateTimeOffset;
use simulator::{Calls, Mix, Options};
use store::{Budget, RowQuery, Store};

use crate::calls::call;
use testkit::PATIENCE;

use crate::engine::{Folder, serve, tenant};
use crate::oracle::{Oracle, query};

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

/// How many records a tenant has.
pub(crate) fn count(store: &Store, tenant: &TenantId) -> u64 {
    store.reader().unwrap().count_rows(tenant, &query(Records, &[]), &budget()).unwrap()
}

pub(crate) fn budget() -> Budget {
    let meter = Meter::new(Allowance::until(Instant::now() + PATIENCE));
    Budget { rows_scanned: 1_000_000, groups: 100_000, meter }
}

pub(crate) struct Sample {
    _folder: Folder,
    pub(crate) store: Store,
    places: Vec<(&'static str, String)>,
}

impl Sample {
    pub(crate) fn new() -> Self {
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
            ("{last}", id[id.len() - 2..].to_owned()),
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

    pub(crate) fn filled(&self, text: &str) -> String {
        let fill = |text: String, (place, value): &(&str, String)| text.replace(place, value);
        self.places.iter().fold(text.to_owned(), fill)
    }

    /// Every query of a table with an option, as text and bound.
    pub(crate) fn queries(
        &self,
        option: &str,
        table: &[(RowSet, &str)],
    ) -> Vec<(String, RowQuery)> {
        let one = |(set, text): &(RowSet, &str)| {
            let text = self.filled(text);
            let bound = query(*set, &[(option, &text)]);
            (format!("{set:?} {option}={text}"), bound)
        };
        table.iter().map(one).collect()
    }
}
