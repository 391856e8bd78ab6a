//! A page in the making: which rows it takes, and which it leaves out.

use std::ops::ControlFlow;

use model::rows::QUALITY;
use odata::bound;

use super::logical::LogicalQuery;
use super::parts::{Parts, parts};
use super::residual::ResidualFilter;
use super::run::{Candidate, Run};
use crate::Error;
use crate::query::ResultRow;
use crate::query::plan::Plan;
use crate::query::position::Position;
use crate::sql::Bind;

/// A page in the making.
pub(super) struct Paging<'q> {
    pub(super) query: &'q LogicalQuery<'q>,
    pub(super) plan: &'q Plan<'q>,
    /// None where SQL decides everything.
    pub(super) filter: Option<ResidualFilter>,
    /// Where it begins.
    pub(super) behind: Position,
    /// Rows that `$skip` has yet to leave out.
    pub(super) to_skip: u64,
    /// The most rows that the page may have.
    pub(super) room: usize,
    /// `$top` allows none behind the page.
    pub(super) is_last: bool,
    /// What a row of what is inside records shows beside its own members.
    shown: Parts,
    pub(super) found: Vec<ResultRow>,
    /// The place of the last row that was given or left out.
    pub(super) at: Option<Vec<Option<Bind>>>,
    pub(super) skipped: u64,
}

impl<'q> Paging<'q> {
    pub(super) fn new(
        query: &'q LogicalQuery<'q>,
        plan: &'q Plan<'q>,
        options: &bound::Query,
        behind: Position,
        limit: usize,
    ) -> Self {
        let left = options.top.map_or(u64::MAX, |top| top.saturating_sub(behind.given));
        let needs_filter = !plan.is_exact() || plan.order.is_none();
        // Also to calculate with.
        let computed: Vec<_> = options.compute.iter().map(|member| &member.value).collect();
        let computed = parts(&computed);
        Self {
            query,
            plan,
            filter: needs_filter.then(|| query.residual_filter(plan)),
            to_skip: options.skip.unwrap_or(0).saturating_sub(behind.skipped),
            room: limit.min(usize::try_from(left).unwrap_or(usize::MAX)),
            is_last: left <= limit as u64,
            shown: Parts {
                segments: computed.segments || !options.expand.is_empty(),
                quality: computed.quality
                    || options.select.as_ref().is_some_and(|it| it.find(QUALITY).is_some()),
                ..Parts::default()
            },
            skipped: behind.skipped,
            behind,
            found: Vec::new(),
            at: None,
        }
    }

    /// Rows that are still to be left out or given.
    pub(super) fn wanted(&self) -> u64 {
        let left = self.room.saturating_sub(self.found.len()) as u64;
        left.saturating_add(self.to_skip)
    }

    /// Takes the next row in order; breaks when it has to stay for the next page.
    pub(super) fn take(
        &mut self,
        run: &mut Run<'_>,
        candidate: Candidate,
    ) -> Result<ControlFlow<()>, Error> {
        if self.found.len() >= self.room
            || self.filter.is_some() && self.at.is_some() && run.is_spent()
        {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(filter) = &self.filter
            && run.admits(self.plan.set, filter, &candidate)?.is_none()
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
        self.found.push(run.found(self.plan.set, candidate.row, self.shown)?);
        Ok(())
    }
}
