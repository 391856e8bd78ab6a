//! What Linux tells of processes and of the machine.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Ticks of the clock that times of processes are told in: a second has so many on every Linux that
/// Rust runs on.
const TICKS: f64 = 100.0;
/// A machine is quiet when it does nothing else for more than this share of its time.
const QUIET: f64 = 0.05;
/// How long is waited for that.
const PATIENCE: Duration = Duration::from_secs(30);

/// CPU time of a process with all its threads, in seconds.
pub(super) fn cpu(process: u32) -> Result<f64> {
    let line = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program stands in parentheses and may hold anything.
    let (_, rest) = line.rsplit_once(')').context("a process has a name")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).context("a process has times")?;
    Ok((user + system) / TICKS)
}

/// A figure of the memory of a process in MiB: `VmRSS` (now) or `VmHWM` (the most there was).
pub(super) fn memory(process: u32, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name));
    let kilobytes =
        line.and_then(|line| line.split_whitespace().nth(1)).context("no such figure")?;
    Ok(kilobytes.parse::<f64>()? / 1024.0)
}

/// Waits until nobody else uses the machine, but not for ever.
pub(super) fn wait_until_quiet() -> Result<()> {
    let started = Instant::now();
    loop {
        let before = busy()?;
        std::thread::sleep(Duration::from_millis(500));
        let after = busy()?;
        let share = (after.0 - before.0) / (after.1 - before.1);
        if share < QUIET {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            println!("the machine isn't quiet: {:.0} % of its time are used", share * 100.0);
            return Ok(());
        }
    }
}

/// Ticks in which the machine did something, and all of them.
fn busy() -> Result<(f64, f64)> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("the machine has a line")?;
    let ticks: Vec<f64> = line.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
    let all: f64 = ticks.iter().sum();
    let idle = ticks.get(3).context("idle")? + ticks.get(4).context("waiting")?;
    Ok((all - idle, all))
}

/// The machine in one line.
pub(super) fn machine() -> Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let name = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let name =
        name.and_then(|rest| rest.split_once(':')).map_or("unknown", |(_, name)| name.trim());
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kilobytes = memory.split_whitespace().nth(1).context("memory")?.parse::<f64>()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!(
        "{count} processors ({name}), {:.0} GiB, Linux {}",
        kilobytes / 1024.0 / 1024.0,
        kernel.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_process_takes_time_and_memory() {
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(50) {
            std::hint::spin_loop();
        }
        assert!(cpu(std::process::id()).unwrap() > 0.0);
        assert!(memory(std::process::id(), "VmRSS").unwrap() > 0.0);
    }
}
