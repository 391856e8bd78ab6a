//! Lines with the columns of their kind, and the rules that all kinds have in common.

use super::{Findings, MOST_ROWS};
use crate::fault::{Column, Faults, Rule};
use crate::table::Row;
use crate::texts::{TextId, TextsBuilder};

/// The lines of a file behind its header, with all that is gathered on the way.
pub(super) struct Lines<'l, 'f> {
    rows: &'l mut dyn Iterator<Item = Row<'f>>,
    pub(super) columns: &'static [&'static str],
    pub(super) findings: &'l mut Findings,
    pub(super) texts: TextsBuilder,
    /// How many there were, with those that they stand for.
    count: usize,
}

/// A line with as many cells as there are columns.
pub(super) struct Line<'l, 'f> {
    row: Row<'f>,
    columns: &'static [&'static str],
    faults: &'l mut Faults,
    texts: &'l mut TextsBuilder,
    /// Whether no fault was found in it.
    pub(super) is_sound: bool,
}

impl<'l, 'f> Lines<'l, 'f> {
    pub(super) fn new(
        rows: &'l mut dyn Iterator<Item = Row<'f>>,
        columns: &'static [&'static str],
        findings: &'l mut Findings,
    ) -> Self {
        Self { rows, columns, findings, texts: TextsBuilder::default(), count: 0 }
    }

    /// The next line that has as many cells as there are columns.
    pub(super) fn next(&mut self) -> Option<Line<'_, 'f>> {
        let row = loop {
            let row = self.rows.next()?;
            if self.count >= MOST_ROWS {
                self.findings.faults.add(row.line, None, "", Rule::Rows(MOST_ROWS));
                return None;
            }
            if row.count == self.columns.len() {
                break row;
            }
            // A quotation mark that is not closed has eaten the rest of the line.
            let open = row.cells.iter().position(|cell| cell.broken == Some(Rule::Quote));
            if let Some(at) = open.filter(|at| *at < self.columns.len()) {
                self.fault(row.line, at, &row.cells[at].text, Rule::Quote);
                continue;
            }
            let rule = Rule::ColumnCount { found: row.count, expected: self.columns.len() };
            self.findings.faults.add(row.line, None, "", rule);
        };
        self.count += 1;
        let Self { columns, findings, texts, .. } = self;
        let faults = &mut findings.faults;
        let mut line = Line { row, columns, faults, texts, is_sound: true };
        line.tell_broken();
        Some(line)
    }

    /// Counts the rows that one stands for, besides itself; false if there are too many.
    pub(super) fn stands_for(&mut self, more: u64, line: u32) -> bool {
        self.count = self.count.saturating_add(usize::try_from(more).unwrap_or(usize::MAX));
        let fits = self.count <= MOST_ROWS;
        if !fits {
            self.findings.faults.add(line, None, "", Rule::Rows(MOST_ROWS));
        }
        fits
    }

    /// A fault of a line that was read before.
    pub(super) fn fault(&mut self, line: u32, at: usize, value: &str, rule: Rule) {
        let column = Column { number: at + 1, name: self.columns[at] };
        self.findings.faults.add(line, Some(column), value, rule);
    }
}

impl Line<'_, '_> {
    /// Its number, from 1.
    pub(super) fn number(&self) -> u32 {
        self.row.line
    }

    /// How many columns there are.
    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    fn tell_broken(&mut self) {
        for at in 0..self.row.cells.len() {
            if let Some(rule) = self.row.cells[at].broken.clone() {
                self.fault(at, rule);
            }
        }
    }

    /// Tells of a cell that breaks a rule.
    pub(super) fn fault(&mut self, at: usize, rule: Rule) {
        self.is_sound = false;
        let column = Column { number: at + 1, name: self.columns[at] };
        self.faults.add(self.row.line, Some(column), &self.row.cells[at].text, rule);
    }

    /// The text of a cell.
    pub(super) fn value(&self, at: usize) -> &str {
        &self.row.cells[at].text
    }

    /// The text of a cell, to be kept.
    pub(super) fn text(&mut self, at: usize) -> TextId {
        self.texts.add(&self.row.cells[at].text)
    }

    /// What a cell means; none, and a fault, if it is empty or breaks the rule.
    pub(super) fn required<T>(
        &mut self,
        at: usize,
        rule: Rule,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let cell = &self.row.cells[at];
        if cell.broken.is_some() {
            return None;
        }
        let (is_empty, parsed) = (cell.text.is_empty(), parse(&cell.text));
        if parsed.is_none() || is_empty {
            self.fault(at, if is_empty { Rule::Missing } else { rule });
            return None;
        }
        parsed
    }
}
