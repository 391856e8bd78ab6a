//! Background work on a store: bringing rows up to the schema, retention, room for months, statistics. It
//! goes through a writer of its own, of low priority.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::{Inner, Store, session};
use crate::Error;
use crate::maintenance::{erasure, plain_words, statistics, verdicts, word_removal};
use crate::pending::Pending;
use crate::reader::Reader;
use crate::tables::session::Session;
use crate::tables::{leases, log_positions, logs};
use crate::writer::{Priority, Weight, Work, Writer, request};

impl Store {
    /// Erases records, with all their versions, whose current version ended before `ticks`. Takes
    /// at most `limit` of them, to stay short, and answers how many; call again until 0.
    pub fn erase_ended_before(&self, ticks: i64, limit: usize) -> Pending<usize> {
        let weight = Weight { records: limit, bytes: 0 };
        self.submit_background(weight, move |session| {
            erasure::erase_ended_before(session, ticks, limit)
        })
    }

    /// Erases rows of the telephone logs that tell of what happened before `ticks`, those that were
    /// replaced too. Takes at most `limit` of them, to stay short, and answers how many.
    pub fn erase_log_rows_before(&self, ticks: i64, limit: usize) -> Pending<usize> {
        let weight = Weight { records: limit, bytes: 0 };
        self.submit_background(weight, move |session| logs::erase_before(session, ticks, limit))
    }

    /// Goes on with what a step of the schema has left to be filled in while the store is used, for at most
    /// `limit` records; whether there is more.
    pub fn fill(&self, limit: usize) -> Pending<bool> {
        let state = Arc::clone(&self.inner.state);
        self.submit_background(Weight { records: limit, bytes: 0 }, move |session| {
            if plain_words::are_there(&session.connection)? {
                // Also if another node has done it.
                state.are_words_there.store(true, Ordering::Release);
                return Ok(false);
            }
            plain_words::fill(session, limit).map(|_| true)
        })
    }

    /// Goes on with filling in the columns, verdicts among them, that records of earlier versions lack. Takes
    /// `limit` records at once, for as long as no other process does it and `goes_on` says so; whether all
    /// have theirs. To be called again until they have, and now and then where many nodes write.
    ///
    /// # Errors
    /// When records can't be read or written; what was done stays done.
    pub fn judge(&self, limit: usize, goes_on: &dyn Fn() -> bool) -> Result<bool, Error> {
        let state = &self.inner.state;
        if state.are_columns_there.load(Ordering::Acquire) {
            return Ok(true);
        }
        let mut reader = self.scanning_reader()?;
        let left = reader.lacking_columns()?;
        state.lacking_columns.store(left, Ordering::Relaxed);
        if left == 0 {
            return self.judge_all((reader, limit), goes_on);
        }
        if !self.hold_lease(verdicts::LEASE)? {
            return Ok(false);
        }
        let done = self.judge_all((reader, limit), goes_on);
        self.release_lease(verdicts::LEASE)?;
        done
    }

    /// The same under the lease, or where there is nothing to do.
    fn judge_all(
        &self,
        (mut reader, limit): (Reader, usize),
        goes_on: &dyn Fn() -> bool,
    ) -> Result<bool, Error> {
        let state = &self.inner.state;
        let (mut next, mut under_way) = (0, None::<Pending<bool>>);
        while goes_on() {
            let batch = reader.judged((next, limit))?;
            // The batch before was written while this one was read.
            if let Some(written) = under_way.take()
                && !written.wait()?
            {
                return Ok(false);
            }
            let Some(batch) = batch else {
                // Of a file, which nobody writes who gives no verdicts.
                let is_done = self.is_file() && reader.lacking_columns()? == 0;
                state.are_columns_there.store(is_done, Ordering::Release);
                state.lacking_columns.store(reader.lacking_columns()?, Ordering::Relaxed);
                return Ok(true);
            };
            next = batch.next();
            let left = state.lacking_columns.load(Ordering::Relaxed).saturating_sub(batch.len());
            state.lacking_columns.store(left, Ordering::Relaxed);
            let (holder, weight) = (state.holder.clone(), Weight { records: limit, bytes: 0 });
            under_way =
                Some(self.submit_background(weight, move |session| batch.apply(session, &holder)));
        }
        Ok(false)
    }

    /// Takes or renews the lease on a piece of background work; whether it is this process's.
    pub(super) fn hold_lease(&self, name: &'static str) -> Result<bool, Error> {
        let holder = self.inner.state.holder.clone();
        let hold = move |session: &mut Session| leases::holds(&session.connection, name, &holder);
        self.submit_background(Weight::SMALL, hold).wait()
    }

    /// Gives a lease back, so that the next process need not wait until it runs out.
    pub(super) fn release_lease(&self, name: &'static str) -> Result<(), Error> {
        let holder = self.inner.state.holder.clone();
        let release =
            move |session: &mut Session| leases::release(&session.connection, name, &holder);
        self.submit_background(Weight::SMALL, release).wait()
    }

    /// Records of earlier versions that lack columns of this one, as far as this process knows.
    pub fn lacking_columns(&self) -> u64 {
        self.inner.state.lacking_columns.load(Ordering::Relaxed)
    }

    /// Takes entries of what is gone, and of merges, out of the change log, if they were committed before an
    /// instant (ticks). Looks at no more than `limit` entries, to stay short; says whether there is more.
    pub fn cut_log(&self, before: i64, limit: usize) -> Pending<bool> {
        let state = Arc::clone(&self.inner.state);
        self.submit_background(Weight { records: limit, bytes: 0 }, move |session| {
            let (to, has_more) = log_positions::cut(&session.connection, before, limit)?;
            state.log_cut.fetch_max(to, Ordering::AcqRel);
            Ok(has_more)
        })
    }

    /// Takes the words of erased records out of the full-text index, if the first of them was
    /// erased before an instant (ticks): until then they are found no more, but stand in the file.
    /// Blocks, while others write between its short transactions.
    pub fn forget_words(&self, erased_before: i64) -> Result<(), Error> {
        if self.inner.state.opener.file().is_err() {
            // What is deleted there goes by the engine's own clean-up.
            return Ok(());
        }
        let begin = move |session: &mut Session| word_removal::begin(session, erased_before);
        let mut has_more = self.submit_background(Weight::SMALL, begin).wait()?;
        while has_more {
            has_more = self.submit_background(Weight::SMALL, word_removal::go_on).wait()?;
        }
        Ok(())
    }

    /// Makes room ahead for calls that start from an instant (ticks) to another, where that has to be
    /// made. Blocks.
    pub fn prepare(&self, from: i64, to: i64) {
        let state = &self.inner.state;
        state.partitions.make(&state.opener, [from, to].into_iter());
    }

    /// Lets the planner of PostgreSQL know how large the tables of records have become, if they have grown;
    /// answers how many it had to look at. Cheap where they have not. Blocks.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub fn refresh_statistics(&self) -> Result<usize, Error> {
        statistics::refresh(&self.inner.state.opener)
    }

    /// Gives back the room of months before that of an instant (ticks) in which nothing is left, where
    /// months have room of their own; answers how many. Blocks.
    pub fn give_back_months(&self, before: i64) -> Result<usize, Error> {
        let state = &self.inner.state;
        state.partitions.drop_empty(&state.opener, before)
    }

    /// A write that nobody should have to wait for. It must be short: on a file, others wait for their turn.
    pub(crate) fn submit_background<T, F>(&self, weight: Weight, work: F) -> Pending<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Session) -> Result<T, Error> + Send + 'static,
    {
        let (work, pending) = request(weight, Vec::new(), work);
        match self.inner.send_to_background(work) {
            Ok(()) => pending,
            Err((work, error)) => {
                work.answer(Err(error));
                pending
            }
        }
    }
}

impl Inner {
    /// Fails, and gives the work back, when there is no connection for it.
    fn send_to_background(&self, work: Box<dyn Work>) -> Result<(), (Box<dyn Work>, Error)> {
        let mut writer = self.background_writer.lock().unwrap_or_else(PoisonError::into_inner);
        let started = match writer.take() {
            Some(started) => started,
            None => match self.start_background() {
                Ok(started) => started,
                Err(error) => return Err((work, error)),
            },
        };
        writer.insert(started).send(work);
        Ok(())
    }

    fn start_background(&self) -> Result<Writer, Error> {
        self.state.check_file()?;
        let session = session(self.state.opener.writer()?, &self.state)?;
        Writer::start(session, Arc::clone(&self.state), Priority::Background)
    }
}
