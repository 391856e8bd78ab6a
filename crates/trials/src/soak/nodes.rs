//! Three nodes on one database: nodes are killed all the time, the database is restarted twice, and
//! still nothing that was acknowledged is lost, old, half or untold.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Speed;
use super::client::Dice;
use super::cluster::Cluster;
use super::faults::Ends;
use super::trial;
use xtask::repository::{PROFILE, binary};

const NODES: usize = 3;
/// From one death to the next.
const KILLED_EVERY: Duration = Duration::from_secs(2);

/// Runs the trial for so long.
///
/// # Errors
/// When a promise was broken.
pub(super) fn run(time: Duration, speed: Speed) -> Result<()> {
    let cluster = Cluster::start("nodes", &vec![binary("callvault", PROFILE); NODES])?;
    trial::run(&cluster, Ends::Killed, speed, || disturb(&cluster, time))?;
    cluster.stop()
}

fn disturb(cluster: &Cluster, time: Duration) -> Result<()> {
    let began = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            for is_crash in [false, true] {
                thread::sleep(time / 3);
                cluster.restart_database(is_crash);
            }
        });
        let mut dice = Dice::new(u64::from(std::process::id()));
        let mut due = began + KILLED_EVERY;
        while due < began + time {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            cluster.kill(dice.below(NODES as u64) as usize)?;
            due = (due + KILLED_EVERY).max(Instant::now());
        }
        thread::sleep((began + time).saturating_duration_since(Instant::now()));
        Ok(())
    })
}
