//! Three nodes on one database, under a mixed load: nodes are killed, the database is restarted, and
//! nothing that was acknowledged is lost, nothing wrong is read, and nothing goes untold.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use testkit::Postgres;

use super::client::{Failures, Service};
use super::cluster::{Cluster, lock};
use super::kept::{Kept, person};
use super::load::{Counts, Load};
use crate::chaos::receiver::{Kind, Receiver};
use crate::repository::fresh_folder;

const NODES: usize = 3;
/// From one kill to the next.
const KILL_EVERY: Duration = Duration::from_secs(2);
/// Loads that write and that read; one more walks.
const WRITERS: usize = 3;
const READERS: usize = 3;
const LOADS: usize = WRITERS + READERS + 1;
/// How long everything may take to be told when nothing more is written.
const TOLD_WITHIN: Duration = Duration::from_mins(2);
/// Addresses of loopback that the receivers have.
const FIRST_ADDRESS: usize = 60;

/// Who is told: of everything, or of calls of one person.
struct Subscriber {
    receiver: Receiver,
    person: Option<usize>,
}

/// Runs for so long.
///
/// # Errors
/// When a promise is broken.
pub(crate) fn run(length: Duration) -> Result<()> {
    let postgres = Arc::new(Postgres::start());
    let instances = Cluster::instances(&postgres, &fresh_folder("nodes")?, NODES)?;
    let cluster = Cluster::start(postgres, instances)?;
    under_load(&cluster, |cluster| {
        thread::scope(|scope| {
            let restarts = scope.spawn(|| restart_twice(cluster, length));
            let kills = kill_in_turn(cluster, length)?;
            let restarts = restarts.join().map_err(|_| anyhow!("the restarts panicked"))?;
            Ok(format!("{kills} nodes killed, database away for {restarts:.1?}"))
        })
    })?;
    cluster.stop()
}

/// Has a load on a cluster while something is done to it, and judges what came of it; prints what was
/// done.
///
/// # Errors
/// When a promise is broken.
pub(super) fn under_load(
    cluster: &Cluster,
    disturb: impl FnOnce(&Cluster) -> Result<String>,
) -> Result<()> {
    let roles = ["CallRecords.Read.All", "CallRecords.Write.All"];
    let token = lock(&cluster.nodes[0].instance).token_of(&roles)?;
    let subscribers = subscribe(cluster, &token)?;
    let (kept, counts, failures) = (Kept::default(), Counts::default(), Failures::default());
    let service = Service { cluster, token: &token, failures: &failures };
    let load = |number| Load { service, kept: &kept, counts: &counts, number };
    let first_error = Mutex::new(None);
    let watched = |outcome: Result<()>| {
        if let Err(error) = outcome {
            lock(&first_error).get_or_insert(error);
            cluster.is_over.store(true, Ordering::Relaxed);
        }
    };
    let disturbed = thread::scope(|scope| {
        let watched = &watched;
        for number in 0..LOADS {
            let load = load(number);
            scope.spawn(move || {
                watched(match number {
                    0..WRITERS => load.write(),
                    _ if number < WRITERS + READERS => load.read(),
                    _ => load.walk(),
                });
            });
        }
        let disturbed = disturb(cluster);
        cluster.is_over.store(true, Ordering::Relaxed);
        disturbed
    });
    if let Some(error) = lock(&first_error).take() {
        return Err(error);
    }
    let mut report = disturbed?;
    load(LOADS).check_all()?;
    let told = judge(&kept, &subscribers)?;
    for (what, count) in [
        ("writes acknowledged", &counts.writes),
        ("reads checked", &counts.reads),
        ("lists walked", &counts.walks),
        ("pages", &counts.pages),
    ] {
        write!(report, ", {} {what}", count.load(Ordering::Relaxed))?;
    }
    println!("{report}; {told}");
    for (what, count) in lock(&failures).iter() {
        println!("{count} {what}");
    }
    Ok(())
}

fn subscribe(cluster: &Cluster, token: &str) -> Result<Vec<Subscriber>> {
    let all = [None, None, Some(3), Some(7)].into_iter().enumerate();
    let subscribers = all.map(|(number, person)| {
        let receiver = Receiver::start(Kind::Healthy, FIRST_ADDRESS + number)?;
        let filter = person.map_or_else(String::new, |person| {
            format!("?$filter=participants/any(p:p/id eq 'person-{person}')")
        });
        let resource = format!("communications/callRecords{filter}");
        let instance = lock(&cluster.nodes[number % cluster.nodes.len()].instance);
        instance.subscribe(token, "created,updated", &resource, &receiver.url)?;
        Ok(Subscriber { receiver, person })
    });
    subscribers.collect()
}

/// Kills one node after the other, in no order, and starts each again; how many.
fn kill_in_turn(cluster: &Cluster, length: Duration) -> Result<u32> {
    let began = Instant::now();
    let mut kills = 0;
    while began.elapsed() + KILL_EVERY < length && cluster.sleep(KILL_EVERY) {
        let moment = began.elapsed().subsec_nanos() as usize;
        cluster.kill(moment / 1_000 % NODES)?;
        kills += 1;
    }
    cluster.sleep(length.saturating_sub(began.elapsed()));
    Ok(kills)
}

/// Restarts the database once as an administrator would, and once as if it had crashed.
fn restart_twice(cluster: &Cluster, length: Duration) -> Vec<Duration> {
    let restart = |is_crash| cluster.sleep(length / 3).then(|| cluster.restart(is_crash));
    [false, true].into_iter().filter_map(restart).collect()
}

/// Waits until everyone was told of everything; fails if that does not come.
fn judge(kept: &Kept, subscribers: &[Subscriber]) -> Result<String> {
    let told = lock(&kept.told);
    let began = Instant::now();
    let verdict = |subscriber: &Subscriber| {
        let asks_for = |id: &str| subscriber.person.is_none_or(|wanted| wanted == person(id));
        (told.judge(&subscriber.receiver.arrivals(), asks_for), told.expected(asks_for))
    };
    while subscribers.iter().any(|it| verdict(it).0.lost > 0) && began.elapsed() < TOLD_WITHIN {
        thread::sleep(Duration::from_millis(200));
    }
    let (mut expected, mut duplicates) = (0, 0);
    for subscriber in subscribers {
        let (verdict, due) = verdict(subscriber);
        let is_sound = verdict.lost == 0 && verdict.out_of_order == 0 && verdict.unknown == 0;
        ensure!(is_sound, "person {:?}: {verdict:?} of {due}", subscriber.person);
        expected += due;
        duplicates += verdict.duplicates;
    }
    let took = began.elapsed();
    Ok(format!("{expected} notifications, {duplicates} twice, the last {took:.1?} after the load"))
}
