//! Planted causes of poor quality: what the store counts is what is counted from the lines, and each cause
//! is the first row of its own list.

use std::collections::{BTreeMap, BTreeSet};

use model::rows::RowSet::{self, Legs, Records, Sessions, Streams};
use model::shred;
use odata::json::Node;
use odata::primitive::DateTimeOffset;
use simulator::{Calls, Cause, Mix, Options};
use store::{Reader, Store};

use crate::engine::{Folder, serve, tenant};
use crate::legs::{import, text};
use crate::oracle::query;
use crate::plain::applied;
use crate::sample::budget;

/// Streams of audio by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    good: u64,
    poor: u64,
    unclassified: u64,
}

/// A store with planted calls; their lines, and the streams' truth.
fn planted() -> (Folder, Store, Vec<String>, Vec<u8>) {
    let folder = Folder::new();
    let store = serve(&folder);
    let options = Options {
        seed: 42,
        calls: 2_300,
        mix: Mix::Realistic,
        from: DateTimeOffset::parse("2026-03-01").unwrap(),
        to: DateTimeOffset::parse("2026-04-01").unwrap(),
        tenant: tenant().as_str().to_owned(),
    };
    let mut calls = Calls::with_causes(options, &Cause::ALL);
    let (mut lines, mut line, mut codec) = (Vec::new(), Vec::new(), store.codec());
    let mut records = Vec::new();
    while calls.write_next(&mut line) {
        let text = String::from_utf8(std::mem::take(&mut line)).unwrap();
        records.push(shred(&text, &mut codec).unwrap());
        if records.len() == 200 {
            store.write(&tenant(), std::mem::take(&mut records)).wait().unwrap();
        }
        lines.push(text);
    }
    lines = current(lines);
    store.write(&tenant(), records).wait().unwrap();
    (folder, store, lines, calls.take_truth())
}

/// The lines of the highest versions.
fn current(lines: Vec<String>) -> Vec<String> {
    let mut all: BTreeMap<String, (f64, String)> = BTreeMap::new();
    for line in lines {
        let record = Node::parse(&line).unwrap();
        let id = text(&record, &["id"]).unwrap();
        let version = number(&record, "version").unwrap();
        if all.get(&id).is_none_or(|(known, _)| *known < version) {
            all.insert(id, (version, line));
        }
    }
    all.into_values().map(|(_, line)| line).collect()
}

fn items<'n, 'a>(node: &'n Node<'a>, name: &str) -> &'n [Node<'a>] {
    node.get(name).and_then(Node::as_array).unwrap_or_default()
}

/// The seconds of a duration of seconds alone.
fn seconds(stream: &Node<'_>, name: &str) -> Option<f64> {
    text(stream, &[name])?.trim_start_matches("PT").trim_end_matches('S').parse().ok()
}

fn number(stream: &Node<'_>, name: &str) -> Option<f64> {
    match stream.get(name)? {
        Node::Number(digits) => digits.parse().ok(),
        _ => None,
    }
}

/// Counts the audio of all calls by Microsoft's rule of 2021, written down anew; with tests or without.
fn count(lines: &[String], with_tests: bool) -> Counts {
    let mut counts = Counts::default();
    for line in lines {
        let record = Node::parse(line).unwrap();
        for session in items(&record, "sessions") {
            if !with_tests && session.get("isTest") == Some(&Node::Bool(true)) {
                continue;
            }
            let segments = items(session, "segments").iter();
            for media in segments.flat_map(|segment| items(segment, "media")) {
                let label = text(media, &["label"]).unwrap_or_default().to_lowercase();
                if !label.contains("audio") {
                    continue;
                }
                for stream in items(media, "streams") {
                    let loss = number(stream, "averagePacketLossRate").map(|value| value > 0.1);
                    let jitter = seconds(stream, "averageJitter").map(|value| value > 0.03);
                    let trip = seconds(stream, "averageRoundTripTime").map(|value| value > 0.5);
                    let known: Vec<bool> = [loss, jitter, trip].into_iter().flatten().collect();
                    let is_judged =
                        number(stream, "packetUtilization").is_some_and(|it| it > 500.0);
                    if !is_judged || known.is_empty() {
                        counts.unclassified += 1;
                    } else if known.contains(&true) {
                        counts.poor += 1;
                    } else {
                        counts.good += 1;
                    }
                }
            }
        }
    }
    counts
}

/// The numbers of the first row of `$apply`.
fn figures(reader: &mut Reader, set: RowSet, chain: &str) -> Counts {
    let rows = applied(reader, &query(set, &[("$apply", chain)]), &budget()).unwrap();
    let row = Node::parse(&rows[0]).unwrap();
    let figure = |name| number(&row, name).unwrap_or_default() as u64;
    Counts { good: figure("good"), poor: figure("poor"), unclassified: figure("unclassified") }
}

/// The streams of audio by verdict.
const OF_STREAMS: &str = "filter(contains(tolower(mediaLabel),'audio'))\
    /compute(case(callvault.quality/verdict eq 'good':1,true:0) as g,\
    case(callvault.quality/verdict eq 'poor':1,true:0) as p,\
    case(callvault.quality/verdict eq 'unclassified':1,true:0) as u)\
    /aggregate(g with sum as good,p with sum as poor,u with sum as unclassified)";

/// The same of the summaries.
const OF_SUMMARIES: &str = "aggregate(callvault.quality/audio/good with sum as good,\
    callvault.quality/audio/poor with sum as poor,\
    callvault.quality/audio/unclassified with sum as unclassified)";

#[test]
fn what_is_planted_is_counted_alike_everywhere_and_leads_its_own_list() {
    let (_folder, store, lines, truth) = planted();
    let (all, of_calls) = (count(&lines, true), count(&lines, false));
    assert!(all.poor > 1_000 && all.unclassified > of_calls.unclassified, "{all:?} {of_calls:?}");
    let mut reader = store.reader().unwrap();
    let mut found = |set, chain: &str| figures(&mut reader, set, chain);
    assert_eq!(found(Records, OF_SUMMARIES), of_calls);
    assert_eq!(found(Sessions, &format!("filter(not isTest)/{OF_SUMMARIES}")), of_calls);
    assert_eq!(found(Sessions, OF_SUMMARIES), all);
    assert_eq!(found(Streams, OF_STREAMS), all);
    for half in
        ["end eq 'caller'", "end eq 'callee'", "direction eq 'sender'", "direction eq 'receiver'"]
    {
        assert_eq!(found(Legs, &format!("filter({half})/{OF_STREAMS}")), all, "{half}");
    }
    check_lists(&store, &mut reader, &lines, &truth);
}

/// Each cause of poor streams is the first row by the lower bound.
fn check_lists(store: &Store, reader: &mut Reader, lines: &[String], truth: &[u8]) {
    let truth: Vec<_> = std::str::from_utf8(truth)
        .unwrap()
        .lines()
        .map(|line| Node::parse(line).unwrap())
        .collect();
    let always = (None, None);
    let tunnels =
        (0..8).map(|at| format!("172.20.{at}.0,tunnel {at},24,VPN,Contoso,VPN,,,,US,,,1,0,1\n"));
    import(store, ("tunnels", "building", always), tunnels.collect());
    import(store, ("providers", "asn", always), providers(lines));
    let client = "userAgent/microsoft.graph.callRecords.clientUserAgent/applicationVersion";
    for (cause, path) in [
        ("subnet", "network/subnet"),
        ("vpn", "place/networkName"),
        ("headset", "device/captureDeviceName"),
        ("client", client),
        ("access-point", "network/basicServiceSetIdentifier"),
        ("isp", "place/isp"),
    ] {
        let of_cause = truth.iter().find(|line| text(line, &["cause"]).as_deref() == Some(cause));
        let value = text(of_cause.unwrap(), &["value"]).unwrap();
        let expected = match cause {
            "vpn" => format!("tunnel {}", value.split('.').nth(2).unwrap()),
            "isp" => provider(&value),
            _ => value,
        };
        let chain = format!(
            "filter(contains(mediaLabel,'audio') and {path} ne null and callvault.quality/verdict in ('good','poor'))\
             /compute(case(callvault.quality/verdict eq 'poor':1,true:0) as p)\
             /groupby(({path}),aggregate(p with sum as poor,$count as n))/filter(n ge 100)\
             /compute(callvault.wilson(poor,n) as low)/topcount(2,low)/orderby(low desc)"
        );
        let rows = applied(reader, &query(Legs, &[("$apply", &chain)]), &budget()).unwrap();
        assert!(rows[0].contains(&format!(":\"{expected}\"")), "{cause} {expected}: {rows:?}");
    }
}

/// The name of the network of 16 addresses that an address is in.
fn provider(address: &str) -> String {
    let (network, last) = address.split('/').next().unwrap().rsplit_once('.').unwrap();
    format!("{network}.{}", last.parse::<u8>().unwrap() & 0xf0)
}

/// A file with all these networks.
fn providers(lines: &[String]) -> String {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for line in lines {
        for part in line.split("\"reflexiveIPAddress\":\"").skip(1) {
            let address = part.split('"').next().unwrap();
            if address.parse::<std::net::Ipv4Addr>().is_ok() && seen.insert(address.to_owned()) {
                let first = provider(address);
                let (network, start) = first.rsplit_once('.').unwrap();
                let end = start.parse::<u8>().unwrap() | 0x0f;
                let line = format!("{first}\t{network}.{end}\t{}\tUS\t{first}\n", all.len() + 1);
                all.entry(first.clone()).or_insert(line);
            }
        }
    }
    all.into_values().collect()
}
