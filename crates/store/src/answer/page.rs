//! Pages of rows in an order that SQL knows.

use std::ops::ControlFlow;

use odata::eval::Exhausted;

use super::asked::Asked;
use super::judge::Judge;
use super::run::{Candidate, Run};
use super::{months, ranked, stretches, words};
use crate::query::planned::Planned;
use crate::query::position::Position;
use crate::query::source::Window;
use crate::query::{RowPage, RowQuery};
use crate::{Error, Found};

/// A page in the making.
pub(super) struct Paging<'q> {
    pub(super) asked: &'q Asked,
    pub(super) planned: &'q Planned<'q>,
    pub(super) judge: Option<Judge>,
    /// Where it begins.
    pub(super) behind: Position,
    /// Rows that `$skip` has yet to leave out.
    pub(super) to_skip: u64,
    /// The most rows that the page may have.
    pub(super) room: usize,
    /// `$top` allows none behind the page.
    is_last: bool,
    with_segments: bool,
    found: Vec<Found>,
    /// The place of the last row that was given or left out.
    pub(super) at: Option<Vec<Option<crate::sql::writer::Bind>>>,
    skipped: u64,
}

impl<'q> Paging<'q> {
    pub(super) fn new(
        asked: &'q Asked,
        planned: &'q Planned<'q>,
        query: &RowQuery,
        behind: Position,
        limit: usize,
    ) -> Self {
        let left = query.query.top.map_or(u64::MAX, |top| top.saturating_sub(behind.given));
        let needs_judge = !planned.is_exact() || planned.order.is_none();
        Self {
            asked,
            planned,
            judge: needs_judge.then(|| asked.judge(planned)),
            to_skip: query.query.skip.unwrap_or(0).saturating_sub(behind.skipped),
            room: limit.min(usize::try_from(left).unwrap_or(usize::MAX)),
            is_last: left <= limit as u64,
            with_segments: !query.query.expand.is_empty(),
            skipped: behind.skipped,
            behind,
            found: Vec::new(),
            at: None,
        }
    }

    pub(super) fn page(mut self, mut run: Run<'_>) -> Result<RowPage, Error> {
        if self.room == 0 {
            return Ok(RowPage::default());
        }
        let ended = if self.planned.order.is_none() {
            ranked::page(&mut self, &mut run)
        } else if words::is_served(self.planned, self.asked) {
            words::page(&mut self, &mut run)
        } else if stretches::is_served(self.planned) {
            stretches::page(&mut self, &mut run)
        } else if months::is_served(self.planned) {
            months::page(&mut self, &mut run)
        } else {
            self.read(&mut run)
        };
        let has_more = match ended {
            Ok(has_more) => has_more,
            // What has been found is a page; the next one goes on from there.
            Err(Error::Deadline | Error::Exhausted(Exhausted::Steps(_)))
                if self.at.is_some() && self.planned.order.is_some() =>
            {
                true
            }
            Err(error) => return Err(error),
        };
        let given = self.behind.given + self.found.len() as u64;
        let is_full = self.found.len() >= self.room;
        let next = self.at.take().filter(|_| has_more && !(self.is_last && is_full));
        let next = next.map(|values| Position { given, skipped: self.skipped, values }.write());
        Ok(RowPage { rows: self.found, next, scanned: run.scanned })
    }

    /// Rows that are still to be left out or given.
    pub(super) fn wanted(&self) -> u64 {
        let left = self.room.saturating_sub(self.found.len()) as u64;
        left.saturating_add(self.to_skip)
    }

    /// Reads rows as SQL gives them; whether there are more.
    fn read(&mut self, run: &mut Run<'_>) -> Result<bool, Error> {
        let (mut offset, mut limit) = (0, None);
        if self.judge.is_none() {
            offset = std::mem::take(&mut self.to_skip);
            self.skipped += offset;
            limit = Some((self.room as u64).saturating_add(1));
        }
        let behind = self.behind.clone();
        let window = Window { behind: &behind, offset, limit };
        let mut has_more = false;
        let planned = self.planned;
        run.each(planned, &window, &mut |run, candidate| {
            let goes_on = self.take(run, candidate)?;
            has_more |= goes_on.is_break();
            Ok(goes_on)
        })?;
        Ok(has_more)
    }

    /// Takes the next row in order; breaks when it has to stay for the next page.
    pub(super) fn take(
        &mut self,
        run: &mut Run<'_>,
        candidate: Candidate,
    ) -> Result<ControlFlow<()>, Error> {
        if self.found.len() >= self.room
            || self.judge.is_some() && self.at.is_some() && run.is_spent()
        {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(judge) = &self.judge
            && run.admits(self.planned.set, judge, &candidate)?.is_none()
        {
            self.at = Some(candidate.values);
            return Ok(ControlFlow::Continue(()));
        }
        self.give(run, candidate)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Gives a row of the result, or leaves it out.
    pub(super) fn give(&mut self, run: &mut Run<'_>, candidate: Candidate) -> Result<(), Error> {
        self.at = Some(candidate.values);
        if self.to_skip > 0 {
            self.to_skip -= 1;
            self.skipped += 1;
            return Ok(());
        }
        self.found.push(run.found(self.planned.set, candidate.row, self.with_segments)?);
        Ok(())
    }
}
