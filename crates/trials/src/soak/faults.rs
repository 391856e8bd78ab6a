//! What clients could not be answered, and whether they had to expect that.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Speed;
use super::cluster::{Absences, Span};

/// How long before the database goes a node may already say that it does.
const BEFORE: Duration = Duration::from_millis(500);
/// How long after the database is back a node may say that it is away.
const AFTER: Duration = Duration::from_secs(15);

/// How a request failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// Nobody listened.
    Refused,
    /// The connection ended without a byte of an answer.
    Unanswered,
    /// It ended within the answer.
    CutOff,
    /// 503 with `Retry-After`, or a line of an import that says the same.
    Unavailable,
    /// Whatever else was answered.
    Answer(String),
}

/// A fault, with who has asked whom and when.
#[derive(Debug, Clone)]
pub(super) struct FaultEntry {
    pub(super) node: usize,
    /// From the question to its end.
    pub(super) span: Span,
    pub(super) fault: Fault,
}

/// Whether nodes end in the middle of what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Killed,
    /// They are asked to, so that each answer that has begun is whole.
    Stopped,
}

/// The faults that nobody had to expect.
pub(super) fn unexpected<'n>(
    noted: &'n [FaultEntry],
    absences: &Absences,
    ends: Ends,
    speed: Speed,
) -> Vec<&'n FaultEntry> {
    let is_expected = |it: &&FaultEntry| match it.fault {
        Fault::CutOff if ends == Ends::Stopped => false,
        Fault::Refused | Fault::Unanswered | Fault::CutOff => {
            absences.nodes[it.node].iter().any(|away| away.meets(&it.span))
        }
        // A machine that does other things has no time for what it is asked, too.
        Fault::Unavailable if speed == Speed::Told => true,
        Fault::Unavailable => absences.database.iter().any(|away| {
            let from = away.from.checked_sub(BEFORE).unwrap_or(away.from);
            Span { from, to: away.to + AFTER }.meets(&it.span)
        }),
        Fault::Answer(_) => false,
    };
    noted.iter().filter(|it| !is_expected(it)).collect()
}

/// How often each fault was seen, by node, and for what is about the database the latest one after
/// it was back.
pub(super) fn summary(noted: &[FaultEntry], absences: &Absences) -> Vec<String> {
    let mut counts: BTreeMap<(&Fault, usize), u64> = BTreeMap::new();
    for it in noted {
        *counts.entry((&it.fault, it.node)).or_default() += 1;
    }
    let mut lines: Vec<String> = counts
        .iter()
        .map(|((fault, node), count)| format!("{count:>6} {fault:?} at node {node}"))
        .collect();
    let unavailable = noted.iter().filter(|it| it.fault == Fault::Unavailable);
    let late = unavailable.filter_map(|it| since_back(it.span.to, absences)).max();
    lines.extend(late.map(|late| format!("the last 503 came {late:.1?} after the database")));
    lines
}

/// How long the database has been back by an instant.
fn since_back(at: Instant, absences: &Absences) -> Option<Duration> {
    let before = absences.database.iter().filter(|away| away.from <= at);
    before.map(|away| at.saturating_duration_since(away.to)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(begin: Instant, from: u64, to: u64) -> Span {
        let at = |tenths| begin + Duration::from_millis(100 * tenths);
        Span { from: at(from), to: at(to) }
    }

    /// Node 1 is away from 2.0 to 3.0 s, the database from 10.0 to 11.0 s.
    fn is_expected(node: usize, from: u64, to: u64, fault: Fault, ends: Ends) -> bool {
        let begin = Instant::now();
        let absences = Absences {
            nodes: vec![Vec::new(), vec![span(begin, 20, 30)]],
            database: vec![span(begin, 100, 110)],
        };
        let noted = [FaultEntry { node, span: span(begin, from, to), fault }];
        unexpected(&noted, &absences, ends, Speed::Judged).is_empty()
    }

    #[test]
    fn broken_connections_are_those_of_nodes_that_were_away() {
        for fault in [Fault::Refused, Fault::Unanswered, Fault::CutOff] {
            assert!(is_expected(1, 19, 21, fault.clone(), Ends::Killed));
            assert!(is_expected(1, 29, 40, fault.clone(), Ends::Killed));
            assert!(!is_expected(0, 19, 21, fault.clone(), Ends::Killed), "of another node");
            assert!(!is_expected(1, 31, 40, fault.clone(), Ends::Killed), "it was back");
            assert!(!is_expected(1, 10, 19, fault, Ends::Killed), "it was still there");
        }
    }

    #[test]
    fn node_that_stops_ends_its_answers() {
        assert!(is_expected(1, 19, 21, Fault::Refused, Ends::Stopped));
        assert!(!is_expected(1, 19, 21, Fault::CutOff, Ends::Stopped));
    }

    #[test]
    fn unavailable_is_said_around_a_restart_of_the_database_only() {
        assert!(is_expected(0, 95, 96, Fault::Unavailable, Ends::Killed));
        assert!(is_expected(0, 259, 260, Fault::Unavailable, Ends::Killed));
        assert!(!is_expected(0, 90, 94, Fault::Unavailable, Ends::Killed));
        assert!(!is_expected(0, 261, 262, Fault::Unavailable, Ends::Killed));
        assert!(!is_expected(1, 20, 21, Fault::Unavailable, Ends::Killed), "a node was away");
    }

    #[test]
    fn unavailable_may_be_said_at_any_time_where_speed_is_not_judged() {
        let absences = Absences { nodes: vec![Vec::new()], database: Vec::new() };
        let fault = |fault| [FaultEntry { node: 0, span: span(Instant::now(), 1, 2), fault }];
        let unexpected =
            |noted: &[FaultEntry]| unexpected(noted, &absences, Ends::Killed, Speed::Told).len();
        assert_eq!(unexpected(&fault(Fault::Unavailable)), 0);
        assert_eq!(unexpected(&fault(Fault::Unanswered)), 1);
    }

    #[test]
    fn any_other_answer_is_unexpected_at_any_time() {
        for from in [20, 100] {
            let fault = Fault::Answer("500".to_owned());
            assert!(!is_expected(1, from, from + 1, fault, Ends::Killed));
        }
    }
}
