//! Runs a mirror: takes its lease, reads lists and records that are due, and stops at a goal.
//!
//! One process runs a mirror at a time. All that it knows stands in the ledger, so it may be killed anywhere:
//! the next one goes on, and reads again at most what was under way.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use store::{LedgerRecord, LedgerState, MirrorRow, Reader, Store};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::client::Client;
use crate::context::{Context, Seal, Stop};
use crate::credential::Credential;
use crate::fault::Fault;
use crate::pass::{self, RowCounts};
use crate::plan::Plan;
use crate::reading::{self, ReadOutcome};
use crate::settings::MirrorSettings;
use crate::subscription::{NotificationAddress, Upkeep, wake};
use crate::{Mirrors, hours, probe, report, schedule};

/// Records that are read at a time, and ids that are held ready.
const READINGS: usize = 64;
const READY: usize = 256;
/// Time between two renewals of the lease.
const RENEWED_EVERY: Duration = Duration::from_secs(5);
/// Passes that may break off before lists that were asked for count as unreadable.
const BROKEN: u64 = 8;

/// A mirror, and what is needed to run it.
#[derive(Clone)]
pub struct MirrorRun {
    /// Where its records go, and its ledger is.
    pub store: Store,
    /// The mirror.
    pub mirror: MirrorRow,
    /// What it shows to the issuer of its tokens.
    pub credential: Credential,
    /// What seals evidence.
    pub seal: Seal,
    /// What the mirrors of this process share.
    pub shared: Arc<Mirrors>,
    /// The public address of this server, if the source is to notify the mirror there.
    pub notified_at: Option<String>,
}

impl std::fmt::Debug for MirrorRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MirrorRun").field("mirror", &self.mirror.setup.name).finish_non_exhaustive()
    }
}

/// When to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// Never.
    Forever,
    /// When everything that the source lists is here, or is a hole.
    Complete,
    /// When nothing is due any more.
    Once,
    /// When the lists of these hours were read once more; records are left alone.
    Lists(Range<i64>),
    /// When so many settled records were read once more.
    Sample(usize),
}

/// What a run has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Hours whose lists were read.
    pub hours: u64,
    /// Rows that were listed.
    pub listed: u64,
    /// Rows that were new, or new versions.
    pub news: u64,
    /// Records that were read whole.
    pub read: u64,
    /// Those that were not here before in this version.
    pub stored: u64,
    /// Readings that came to nothing yet, or to a hole.
    pub failed: u64,
    /// Passes that broke off.
    pub broken: u64,
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunReport {
    /// What was done.
    pub figures: Figures,
    /// Ids of records that were read once more and are not as they were stored, with the place of a value
    /// that differs.
    pub differing: Vec<(String, String)>,
}

/// Why a run ended before its goal.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another process runs the mirror.
    #[error(
        "another process runs this mirror, `serve` or `mirror run`: only one does at a time; stop it, or \
         look at `mirror status`. If it was killed, try again in half a minute"
    )]
    Held,
    /// The mirror may not read.
    #[error("{0}")]
    Denied(String),
    /// A list could not be read, however often it was tried.
    #[error("{0}: try again when the source is in order")]
    Unlisted(String),
    /// What it is set up to do can't be done.
    #[error("the settings of the mirror can't be used: {0}")]
    Settings(String),
    /// A task has panicked, which is a bug; the next run goes on where this one was.
    #[error("a part of the mirror has failed: {0}; please report it")]
    Panicked(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Runs a mirror to a goal, and tells of its progress.
///
/// # Errors
/// When it can't go on; what was done stays done.
pub async fn run(
    run: &MirrorRun,
    goal: Goal,
    stop: watch::Receiver<bool>,
    tell: &mut dyn FnMut(&Figures),
) -> Result<RunReport, RunError> {
    let settings =
        MirrorSettings::from_json(&run.mirror.setup.settings).map_err(RunError::Settings)?;
    let tenant = run.mirror.setup.tenant.as_str();
    let counters = run.shared.metrics.of(&run.mirror.setup.name);
    let known = (run.mirror.skew, counters);
    let client = Client::new(tenant, &settings, run.credential.clone(), known);
    let client = client.map_err(RunError::Settings)?;
    let since = Instant::now();
    let lease = run.store.hold_mirror(run.mirror.key).await?.ok_or(RunError::Held)?;
    client.gate.renew(since);
    let of = (run.mirror.clone(), lease);
    let context = Arc::new(Context::new(run.store.clone(), of, client, Arc::clone(&run.seal)));
    let reader = run.store.reader()?;
    let notified = notified(run, &goal);
    let mut worker = Worker::new(Arc::clone(&context), (reader, notified), goal)?;
    let outcome = worker.work(stop, tell).await;
    context.client.gate.close();
    worker.tasks.shutdown().await;
    let problem = match &outcome {
        Ok(()) => Some(worker.problem.take().map(|(_, problem)| problem)),
        Err(RunError::Denied(problem) | RunError::Unlisted(problem)) => Some(Some(problem.clone())),
        Err(_) => None,
    };
    if let Some(problem) = problem {
        let skew = context.client.clock.skew();
        context.store.note_mirror_contact(lease, skew, problem).await?;
    }
    context.store.release_mirror(lease).await?;
    outcome.map(|()| RunReport { figures: worker.figures, differing: worker.differing })
}

/// Where a mirror that runs for good is notified.
fn notified(run: &MirrorRun, goal: &Goal) -> Option<NotificationAddress> {
    let name = &run.mirror.setup.name;
    let address = run.shared.reception.of(name).filter(|_| *goal == Goal::Forever)?;
    Some(NotificationAddress::at(&address, name, run.notified_at.as_ref()?))
}

/// A step of the run that has ended.
#[derive(Debug)]
enum Step {
    Pass(i64, Result<RowCounts, Stop>),
    Record(LedgerRecord, Result<ReadOutcome, Stop>),
    Upkeep(Box<Upkeep>, Result<(), Stop>),
}

struct Worker {
    context: Arc<Context>,
    reader: Reader,
    goal: Goal,
    plan: Plan,
    tasks: JoinSet<Step>,
    notified: Option<NotificationAddress>,
    /// The hour whose list is being read.
    listing: Option<i64>,
    /// Keys of records that are read or held ready.
    under_way: HashSet<Vec<u8>>,
    ready: VecDeque<LedgerRecord>,
    /// Whether there may be records that are due and not held ready.
    may_have_more: bool,
    figures: Figures,
    /// Why the list of an hour could not be read, until it is; of no hour if nothing could be.
    problem: Option<(Option<i64>, String)>,
    differing: Vec<(String, String)>,
}

impl Worker {
    fn new(
        context: Arc<Context>,
        (mut reader, notified): (Reader, Option<NotificationAddress>),
        goal: Goal,
    ) -> Result<Self, RunError> {
        let key = context.mirror.key;
        let hours = reader.mirror_hours(key, (i64::MIN, i64::MAX))?;
        let ready: VecDeque<LedgerRecord> = match goal {
            Goal::Sample(records) => reader.mirror_sample(key, records)?.into(),
            _ => VecDeque::new(),
        };
        let may_have_more = !matches!(goal, Goal::Sample(_) | Goal::Lists(_));
        Ok(Self {
            context,
            reader,
            goal,
            plan: Plan::new(hours),
            tasks: JoinSet::new(),
            notified,
            listing: None,
            under_way: HashSet::new(),
            ready,
            may_have_more,
            figures: Figures::default(),
            problem: None,
            differing: Vec::new(),
        })
    }

    async fn work(
        &mut self,
        mut stop: watch::Receiver<bool>,
        tell: &mut dyn FnMut(&Figures),
    ) -> Result<(), RunError> {
        // The first answer says what time it is at the source, and whether it lets us in.
        match probe::look(&self.context.client).await {
            Err(Fault::Denied(problem)) => return Err(RunError::Denied(problem)),
            Err(fault) => self.problem = Some((None, fault.to_string())),
            Ok(()) => {}
        }
        if let Goal::Lists(hours) = &self.goal {
            self.plan.force(hours.clone(), self.context.client.clock.now());
        }
        let woken = self.notified.as_ref().map(|notified| Arc::clone(&notified.woken));
        let mut renewals = interval(RENEWED_EVERY);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if *stop.borrow() {
                return Ok(());
            }
            self.start_what_is_due()?;
            if self.tasks.is_empty() && self.is_at_goal()? {
                return Ok(());
            }
            tokio::select! {
                Some(done) = self.tasks.join_next() => {
                    self.take(done.map_err(|error| RunError::Panicked(error.to_string()))?)?;
                    tell(&self.figures);
                }
                _ = renewals.tick() => self.renew().await?,
                () = wake(woken.as_ref()) => self.may_have_more = true,
                _ = stop.changed() => {}
            }
        }
    }

    fn start_what_is_due(&mut self) -> Result<(), RunError> {
        let now = self.context.client.clock.now();
        if self.listing.is_none() && !matches!(self.goal, Goal::Sample(_)) {
            self.listing = self.plan.next(self.range(now), now);
            if let Some(hour) = self.listing {
                let (context, known) = (Arc::clone(&self.context), self.plan.known(hour));
                self.tasks
                    .spawn(async move { Step::Pass(hour, pass::over(&context, known).await) });
            }
        }
        let is_kept_up = self.notified.as_ref().is_some_and(|notified| notified.upkeep.is_none());
        let beside = usize::from(self.listing.is_some()) + usize::from(is_kept_up);
        let mut readings = self.tasks.len() - beside;
        while readings < READINGS {
            if self.ready.is_empty() {
                self.make_ready(now)?;
            }
            let Some(record) = self.ready.pop_front() else { break };
            let context = Arc::clone(&self.context);
            self.tasks.spawn(async move {
                let read = reading::read(&context, &record).await;
                Step::Record(record, read)
            });
            readings += 1;
        }
        Ok(())
    }

    /// Hours that are covered, and that the source still lists some of.
    fn range(&self, now: i64) -> Range<i64> {
        let first =
            hours::of(now - schedule::LISTED_FOR) + i64::from(matches!(self.goal, Goal::Lists(_)));
        self.context.mirror.setup.begins.max(first)..hours::of(now) + 1
    }

    /// Takes records that are due: two of five from the newest on, others from those that the source
    /// forgets next.
    fn make_ready(&mut self, now: i64) -> Result<(), RunError> {
        if !self.may_have_more || !self.reads_what_is_due() {
            return Ok(());
        }
        let key = self.context.mirror.key;
        // Those under way may be the first of them.
        let at_most = READY + self.under_way.len();
        let oldest = self.reader.due_mirror_records(key, (now, at_most), false)?;
        self.may_have_more = oldest.len() == at_most;
        let newest = if self.may_have_more {
            self.reader.due_mirror_records(key, (now, at_most), true)?
        } else {
            Vec::new()
        };
        let (mut oldest, mut newest) = (oldest.into_iter(), newest.into_iter());
        for turn in (0..5).cycle() {
            let from_newest = turn < 2;
            let next =
                if from_newest { newest.next().or_else(|| oldest.next()) } else { oldest.next() };
            let Some(record) = next.or_else(|| newest.next()) else { break };
            if self.under_way.insert(record.id_key.clone()) {
                self.ready.push_back(record);
            }
            if self.ready.len() == READY {
                self.may_have_more = true;
                break;
            }
        }
        Ok(())
    }

    fn reads_what_is_due(&self) -> bool {
        !matches!(self.goal, Goal::Sample(_) | Goal::Lists(_))
    }

    fn take(&mut self, done: Step) -> Result<(), RunError> {
        match done {
            Step::Pass(hour, outcome) => self.take_pass(hour, outcome),
            Step::Record(record, outcome) => self.take_record(&record, outcome),
            Step::Upkeep(upkeep, outcome) => {
                if let Some(notified) = &mut self.notified {
                    notified.upkeep = Some(*upkeep);
                }
                outcome.or_else(|stop| going_on(stop).map(drop))
            }
        }
    }

    fn take_pass(&mut self, hour: i64, outcome: Result<RowCounts, Stop>) -> Result<(), RunError> {
        self.listing = None;
        let rows = self.reader.mirror_hours(self.context.mirror.key, (hour, hour + 1))?;
        for row in rows {
            self.plan.note(row);
        }
        self.may_have_more = true;
        let now = self.context.client.clock.now();
        self.plan.note_outcome(hour, outcome.is_ok(), now);
        match outcome {
            Ok(seen) => {
                self.problem =
                    self.problem.take().filter(|(of, _)| of.is_some_and(|of| of != hour));
                self.figures.hours += 1;
                self.figures.listed += seen.rows;
                self.context.client.counters.listed(seen.rows);
                self.figures.news += seen.news;
            }
            Err(stop) => {
                let why = going_on(stop)?;
                let shown = hours::shown(hour);
                tracing::warn!(hour = shown, why, "the list of an hour could not be read");
                self.figures.broken += 1;
                let problem = format!("the list of {shown} could not be read: {why}");
                if matches!(self.goal, Goal::Lists(_)) && self.figures.broken >= BROKEN {
                    return Err(RunError::Unlisted(problem));
                }
                self.problem = Some((Some(hour), problem));
            }
        }
        Ok(())
    }

    fn take_record(
        &mut self,
        record: &LedgerRecord,
        outcome: Result<ReadOutcome, Stop>,
    ) -> Result<(), RunError> {
        self.under_way.remove(&record.id_key);
        match outcome {
            Ok(ReadOutcome::Stored { is_new, differs_at }) => {
                let outcome = match &differs_at {
                    Some(_) => "differs",
                    None if is_new => "new",
                    None => "known",
                };
                self.context.client.counters.outcome(outcome);
                self.figures.read += 1;
                self.figures.stored += u64::from(is_new);
                let place = differs_at.or(is_new.then(String::new));
                self.differing.extend(
                    place.filter(|_| !self.reads_what_is_due()).map(|at| (record.id.clone(), at)),
                );
            }
            Ok(ReadOutcome::Not(_)) => {
                self.context.client.counters.outcome("failed");
                self.figures.failed += 1;
            }
            Err(stop) => going_on(stop).map(drop)?,
        }
        Ok(())
    }

    async fn renew(&mut self) -> Result<(), RunError> {
        let since = Instant::now();
        // Also what has become due in the meantime.
        self.may_have_more = true;
        let skew = self.context.client.clock.skew();
        let problem = self.problem.as_ref().map(|(_, problem)| problem.clone());
        let noted = self.context.store.note_mirror_contact(self.context.lease, skew, problem);
        if !noted.await? {
            return Err(RunError::Held);
        }
        self.context.client.gate.renew(since);
        self.context.client.counters.rates(self.context.client.rates());
        if self.goal == Goal::Forever {
            self.look_at_notifications()?;
        }
        Ok(())
    }

    /// Has the subscription be kept up, and the list be read as often as it takes beside it.
    fn look_at_notifications(&mut self) -> Result<(), RunError> {
        let key = self.context.mirror.key;
        let subscriptions = self.reader.mirror_subscriptions(key)?;
        let gaps = self.reader.mirror_gaps(key)?;
        let freshness = report::freshness(&subscriptions, self.context.client.clock.now());
        self.plan.notified(freshness, &gaps);
        let Some(notified) = &mut self.notified else { return Ok(()) };
        let Some(mut upkeep) = notified.upkeep.take() else { return Ok(()) };
        let (context, url) = (Arc::clone(&self.context), notified.url.clone());
        self.tasks.spawn(async move {
            let kept = upkeep.keep(&context, &url).await;
            Step::Upkeep(Box::new(upkeep), kept)
        });
        Ok(())
    }

    /// Whether the goal is reached, when nothing is under way.
    fn is_at_goal(&mut self) -> Result<bool, RunError> {
        match self.goal {
            Goal::Forever => Ok(false),
            Goal::Once => Ok(!self.may_have_more),
            Goal::Sample(_) => Ok(self.ready.is_empty()),
            Goal::Lists(ref hours) => {
                let range = self.range(self.context.client.clock.now());
                let (from, to) = (hours.start.max(range.start), hours.end.min(range.end));
                Ok(self.plan.are_forced_read(from..to))
            }
            Goal::Complete => {
                let now = self.context.client.clock.now();
                let counts =
                    self.reader.mirror_counts(self.context.mirror.key, (i64::MIN, i64::MAX))?;
                let is_pending = counts.iter().any(|count| count.state == LedgerState::Due);
                Ok(!is_pending && self.plan.are_all_read(self.range(now), now))
            }
        }
    }
}

/// What is wrong, if the run can go on nevertheless.
pub(crate) fn going_on(stop: Stop) -> Result<String, RunError> {
    match stop {
        Stop::Fault(Fault::Denied(problem)) => Err(RunError::Denied(problem)),
        Stop::Fault(fault) => Ok(fault.to_string()),
        Stop::Store(error) => Err(error.into()),
        Stop::Lost => Err(RunError::Held),
    }
}
