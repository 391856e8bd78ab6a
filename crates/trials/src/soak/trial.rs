//! A trial of nodes: subscribers, load, whatever disturbs the nodes meanwhile, and the judgement after
//! all of it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::client::Client;
use super::cluster::{Cluster, lock};
use super::content::{self, Version};
use super::faults::{self, Ends};
use super::load::Load;
use super::log::Log;
use super::{Speed, deliveries, reading, report, traffic};
use crate::chaos::receiver::{Kind, Receiver};

/// How long everything may take to arrive when nothing more is written.
const DRAINED_WITHIN: Duration = Duration::from_mins(10);
/// Addresses of loopback that the receivers have.
const FIRST_ADDRESS: usize = 60;
/// Broken promises that are told one by one.
const TOLD_ONE_BY_ONE: usize = 20;

/// Someone who is told, and of whose records; none: of all.
struct Subscriber {
    receiver: Receiver,
    person: Option<u64>,
}

impl Subscriber {
    fn asks_for(&self, id: &str) -> bool {
        self.person.is_none_or(|person| content::person(id) == person)
    }
}

/// Loads the nodes while they are disturbed, then judges all that was promised.
///
/// # Errors
/// When a promise was broken.
pub(super) fn run(
    cluster: &Cluster,
    ends: Ends,
    speed: Speed,
    disturb: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let token = cluster.instance(0).token_of(&["CallRecords.Read.All", "CallRecords.Write.All"])?;
    let subscribers = subscribe(cluster, &token)?;
    let began = Instant::now();
    let load = Load::new(cluster, token);
    traffic::during(&load, disturb)?;
    cluster.all_serve()?;
    let mut wrong = check_records(&load, speed);
    let (drained, not_told) = check_told(cluster, &subscribers);
    wrong.extend(not_told);
    wrong.append(&mut lock(&load.wrong));
    let (log, ledger) = (Log::read(cluster), lock(&load.ledger).clone());
    wrong.extend(log.judge(&ledger));
    let (noted, absences) = (load.seen.noted(), cluster.absences());
    let unexpected = faults::unexpected(&noted, &absences, ends, speed);
    wrong.extend(unexpected.iter().map(|it| {
        let at = it.span.from.saturating_duration_since(began);
        format!(
            "at {at:.1?} for {:.1?}, node {}: {:?}",
            it.span.to - it.span.from,
            it.node,
            it.fault
        )
    }));
    let receivers: Vec<_> = subscribers.iter().map(|it| &it.receiver).collect();
    report::print(&load, &receivers, drained);
    let (sent, there) = log.unanswered(&ledger);
    println!(
        "{sent} versions were sent and not acknowledged, of which {there} are there as new ones"
    );
    for line in faults::summary(&noted, &absences) {
        println!("{line}");
    }
    ensure!(wrong.is_empty(), "{}", listed(&wrong));
    Ok(())
}

fn listed(wrong: &[String]) -> String {
    let shown = wrong.iter().take(TOLD_ONE_BY_ONE).map(|wrong| format!("\n  {wrong}"));
    format!("{} promises were broken:{}", wrong.len(), shown.collect::<String>())
}

fn subscribe(cluster: &Cluster, token: &str) -> Result<Vec<Subscriber>> {
    let subscriber = |(number, person): (usize, Option<u64>)| {
        let receiver = Receiver::start(Kind::Healthy, FIRST_ADDRESS + number)?;
        let filter = person.map_or_else(String::new, |person| {
            format!("?$filter=participants/any(p:p/id eq 'person-{person}')")
        });
        let resource = format!("communications/callRecords{filter}");
        let node = number % cluster.count();
        let instance = cluster.instance(node);
        instance.subscribe(token, "created,updated", &resource, &receiver.url)?;
        Ok(Subscriber { receiver, person })
    };
    [None, Some(1), Some(2)].into_iter().enumerate().map(subscriber).collect()
}

/// Reads every record and version from every node.
fn check_records(load: &Load<'_>, speed: Speed) -> Vec<String> {
    let ledger = lock(&load.ledger).clone();
    let before = load.seen.noted().len();
    thread::scope(|scope| {
        for node in 0..load.cluster.count() {
            let mut client = Client::new(load.cluster, &load.seen, 300 + node as u64);
            // Nodes need as long as they need to notice that the database is back.
            client.is_patient = speed == Speed::Told;
            let ledger = &ledger;
            scope.spawn(move || {
                for id in ledger.ids() {
                    reading::current(load, &mut client, node, id, true);
                    reading::versions(load, &mut client, node, id);
                    for number in 1..=ledger.known(id).attempted {
                        let version = Version { id: id.clone(), number };
                        reading::version(load, &mut client, node, &version);
                    }
                }
            });
        }
    });
    // By now all is quiet: what can't be read was not checked.
    let noted = load.seen.noted();
    noted[before..].iter().map(|it| format!("at the end: {it:?}")).collect()
}

/// Waits until the queues are empty and nothing is wrong with what came, or for so long; how long
/// that was, and what is wrong.
fn check_told(cluster: &Cluster, subscribers: &[Subscriber]) -> (Duration, Vec<String>) {
    let (began, log) = (Instant::now(), Log::read(cluster));
    loop {
        let queued = cluster.instance(0).queued().unwrap_or(u64::MAX);
        let mut wrong = Vec::new();
        for subscriber in subscribers {
            let due = log.expected(|id| subscriber.asks_for(id));
            if due.is_empty() {
                wrong.push("there is nothing to be told".to_owned());
            }
            let told = deliveries::unfold(&subscriber.receiver.requests());
            wrong.extend(deliveries::judge(&told, &due));
        }
        if queued > 0 {
            wrong.push(format!("{queued} messages wait"));
        }
        if wrong.is_empty() || began.elapsed() > DRAINED_WITHIN {
            return (began.elapsed(), wrong);
        }
        thread::sleep(Duration::from_millis(500));
    }
}
