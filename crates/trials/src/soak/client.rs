//! A client of all nodes: asks one that lives, and notes how that failed.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::cluster::{Cluster, Span, lock};
use super::faults::{Fault, FaultEntry};
use crate::http::{Answer, Ask, Broken, Connection};

/// How long to repeat a request that gets 503, and the pause between.
const PATIENCE: Duration = Duration::from_mins(5);
const ASKED_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What clients have seen, all of them together.
#[derive(Debug, Default)]
pub(super) struct Observations {
    noted: Mutex<Vec<FaultEntry>>,
    successes: Mutex<Vec<Success>>,
}

/// An answer as it was to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Success {
    pub(super) node: usize,
    pub(super) is_write: bool,
    /// From the question to the answer.
    pub(super) span: Span,
}

impl Observations {
    /// Every fault so far.
    pub(super) fn noted(&self) -> Vec<FaultEntry> {
        lock(&self.noted).clone()
    }

    /// Every success so far.
    pub(super) fn successes(&self) -> Vec<Success> {
        lock(&self.successes).clone()
    }
}

/// One that asks one thing at a time.
pub(super) struct Client<'c> {
    cluster: &'c Cluster,
    seen: &'c Observations,
    /// A kept connection for each node, and the life of the node that it belongs to.
    kept: Vec<Option<(u64, Connection)>>,
    pub(super) dice: Dice,
    /// What is not available is asked for again.
    pub(super) is_patient: bool,
}

/// Why there is no answer: it was noted, with what came of one that broke off.
#[derive(Debug)]
pub(super) struct Failure(pub(super) String);

impl<'c> Client<'c> {
    pub(super) fn new(cluster: &'c Cluster, seen: &'c Observations, seed: u64) -> Self {
        let kept = (0..cluster.count()).map(|_| None).collect();
        Self { cluster, seen, kept, dice: Dice::new(seed), is_patient: false }
    }

    /// One of the nodes that live, by chance.
    pub(super) fn node(&mut self) -> usize {
        let living = self.cluster.living();
        let place = self.dice.below(living.len().max(1) as u64) as usize;
        living.get(place).copied().unwrap_or(0)
    }

    /// Asks a node. An answer with one of these statuses is a success, any other is a fault.
    pub(super) fn ask(
        &mut self,
        node: usize,
        ask: &Ask<'_>,
        fine: &[u16],
    ) -> Result<Answer, Failure> {
        let from = Instant::now();
        let mut answered = self.answer(node, ask);
        while self.is_patient && is_unavailable(&answered) && from.elapsed() < PATIENCE {
            thread::sleep(ASKED_AGAIN_AFTER);
            answered = self.answer(node, ask);
        }
        let is_unavailable = is_unavailable(&answered);
        let span = Span { from, to: Instant::now() };
        let (fault, rest) = match answered {
            Ok(answer) if fine.contains(&answer.status) => {
                let is_write = ask.body.is_some();
                lock(&self.seen.successes).push(Success { node, is_write, span });
                return Ok(answer);
            }
            Ok(_) if is_unavailable => (Fault::Unavailable, String::new()),
            Ok(Answer { status, body, .. }) => {
                (Fault::Answer(format!("{status} to {}: {body}", ask.path)), String::new())
            }
            Err(Broken::Refused) => (Fault::Refused, String::new()),
            Err(Broken::Unanswered) => (Fault::Unanswered, String::new()),
            Err(Broken::CutOff(rest)) => (Fault::CutOff, rest),
        };
        lock(&self.seen.noted).push(FaultEntry { node, span, fault });
        Err(Failure(rest))
    }

    /// Notes a fault within an answer.
    pub(super) fn note(&self, node: usize, from: Instant, fault: Fault) {
        let span = Span { from, to: Instant::now() };
        lock(&self.seen.noted).push(FaultEntry { node, span, fault });
    }

    fn answer(&mut self, node: usize, ask: &Ask<'_>) -> Result<Answer, Broken> {
        let kept = self.kept[node].take();
        // Of a node that went and came back there is nothing left at the other end.
        let kept = kept.filter(|(life, _)| Some(*life) == self.cluster.life(node));
        let (life, mut connection) = if let Some(kept) = kept {
            kept
        } else {
            let life = self.cluster.life(node).unwrap_or(0);
            let opened = Connection::open(self.cluster.url(node));
            (life, opened.map_err(|_| Broken::Refused)?)
        };
        let answer = connection.ask(ask)?;
        if !answer.closes {
            self.kept[node] = Some((life, connection));
        }
        Ok(answer)
    }
}

fn is_unavailable(answered: &Result<Answer, Broken>) -> bool {
    matches!(answered, Ok(Answer { status: 503, retry_after: Some(_), .. }))
}

/// Chance by a seed (xorshift).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below another.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end.max(1)
    }
}
