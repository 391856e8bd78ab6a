//! Processor time of a process and of those that it started and waited for, as Linux tells it.

use std::fs;

/// What the line begins with by which a step tells its processor time, in seconds.
pub(super) const LABEL: &str = "processor time of this step: ";

/// Clock ticks in a second: the same on every Linux that runs on a usual machine (`getconf CLK_TCK`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds that this process and its ended children took; `None` where the system does not say.
pub(super) fn of_children() -> Option<f64> {
    seconds(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// Own and waited-for time, user and system (proc_pid_stat(5), fields 14 to 17).
fn seconds(stat: &str) -> Option<f64> {
    // The second field is the program's name in parentheses, which may itself hold spaces.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields = rest.split(' ').skip(11).take(4);
    let ticks = fields.map(|field| field.parse::<f64>().ok()).sum::<Option<f64>>()?;
    Some(ticks / TICKS_PER_SECOND)
}

/// The seconds that a step has told in its output.
pub(super) fn told(printed: &str) -> Option<f64> {
    printed.lines().rev().find_map(|line| line.strip_prefix(LABEL)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_times_are_added() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 1000 300 20 0 1 0 5 0 0";
        assert_eq!(seconds(stat), Some(15.0));
        assert_eq!(seconds("7 (a"), None);
    }

    #[test]
    fn what_was_told_is_read() {
        assert_eq!(told(&format!("x\n{LABEL}1.5\n")), Some(1.5));
        assert_eq!(told("x"), None);
    }
}
