//! The figures of a trial.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::client::Success;
use super::cluster::{Absences, lock};
use super::deliveries;
use super::load::Load;
use crate::chaos::ledger::percentile;
use crate::chaos::receiver::Receiver;

/// Prints how much was done, and how long it took the nodes to be as before.
pub(super) fn print(load: &Load<'_>, receivers: &[&Receiver], drained: Duration) {
    let absences = load.cluster.absences();
    let (records, versions) = {
        let ledger = lock(&load.ledger);
        (ledger.ids().len(), ledger.count())
    };
    let checked = load.checked.load(Ordering::Relaxed);
    let walks = load.walks.load(Ordering::Relaxed);
    println!("{versions} versions of {records} records were acknowledged");
    println!("{checked} reads were checked, and {walks} lists to their ends");
    let ends: usize = absences.nodes.iter().map(Vec::len).sum();
    println!("{ends} times a node was ended, {} times the database", absences.database.len());
    for (number, receiver) in receivers.iter().enumerate() {
        told_to(number, receiver, &absences);
    }
    println!("all was told {drained:.1?} after the check");
    back_after(&load.seen.successes(), &absences);
}

fn told_to(number: usize, receiver: &Receiver, absences: &Absences) {
    let requests = receiver.requests();
    let told = deliveries::unfold(&requests);
    let deaths: Vec<_> = absences.nodes.iter().flatten().map(|away| away.from).collect();
    let takeovers = deliveries::takeovers(&requests, &receiver.ends(), &deaths);
    println!(
        "receiver {number}: {} messages in {} requests, {} again; its teller died {} times, told on \
         after {:.0?} (median), {:.0?} (longest)",
        told.messages.len(),
        requests.len(),
        told.duplicates,
        takeovers.len(),
        percentile(takeovers.clone(), 50),
        percentile(takeovers, 100),
    );
}

/// How long each node took after the database was back until it answered a read and a write again;
/// where it was away itself, after it was back itself.
fn back_after(successes: &[Success], absences: &Absences) {
    for (number, database) in absences.database.iter().enumerate() {
        let away = database.to - database.from;
        println!("restart {}: the database was away for {away:.1?}", number + 1);
        for (node, own) in absences.nodes.iter().enumerate() {
            let own = own.iter().filter(|own| own.meets(database)).map(|own| own.to).max();
            let back = own.map_or(database.to, |own| own.max(database.to));
            let first = |is_write| {
                let after = successes.iter().filter(|it| {
                    it.node == node
                        && it.is_write == is_write
                        && it.span.from >= database.from
                        && it.span.to >= back
                });
                after.map(|it| it.span.to - back).min()
            };
            let [read, wrote] = [first(false), first(true)].map(|first| {
                first
                    .map_or_else(|| "not before its end".to_owned(), |first| format!("{first:.0?}"))
            });
            println!("  node {node}: read after {read}, wrote after {wrote}");
        }
    }
}
