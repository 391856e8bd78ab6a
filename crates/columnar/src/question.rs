//! What is asked of blocks: which rows, grouped by what, and figures of them.

use model::rows::RowSet;
use odata::bound::Expr;
use odata::eval::Meter;

use crate::block::Block;
use crate::calculation::Calculation;
use crate::condition::Condition;
use crate::leg::End;
use crate::slot::Slot;

/// A question that blocks can answer: rows that meet conditions, and groupings of these, each by itself.
#[derive(Debug)]
pub struct Question {
    set: RowSet,
    slots: Vec<Slot>,
    conditions: Vec<Condition>,
    groupings: Vec<Grouping>,
}

/// Rows that meet some more conditions, grouped by the values of expressions, with figures of each group.
#[derive(Debug)]
pub struct Grouping {
    conditions: Vec<Condition>,
    pub(crate) keys: Vec<Calculation>,
    /// Of each figure; none for one that counts rows.
    pub(crate) figures: Vec<Option<Calculation>>,
}

impl Question {
    /// For rows of a set that meet all conditions; none if these look at something that no column has.
    pub fn new<'e>(set: RowSet, conditions: impl IntoIterator<Item = &'e Expr>) -> Option<Self> {
        let mut question =
            Self { set, slots: Vec::new(), conditions: Vec::new(), groupings: Vec::new() };
        question.conditions = question.prepared(conditions)?;
        Some(question)
    }

    fn prepared<'e>(
        &mut self,
        conditions: impl IntoIterator<Item = &'e Expr>,
    ) -> Option<Vec<Condition>> {
        let root = self.set.ty();
        conditions.into_iter().map(|it| Condition::new(it, root, &mut self.slots)).collect()
    }

    /// With one more grouping, of the rows that meet these conditions as well: by keys, with figures of which
    /// the values are given. None if one of these looks at something that no column has.
    pub fn grouped<'e>(
        mut self,
        conditions: impl IntoIterator<Item = &'e Expr>,
        keys: impl IntoIterator<Item = &'e Expr>,
        figures: impl IntoIterator<Item = Option<&'e Expr>>,
    ) -> Option<Self> {
        let root = self.set.ty();
        let conditions = self.prepared(conditions)?;
        let mut grouping = Grouping { conditions, keys: Vec::new(), figures: Vec::new() };
        for key in keys {
            grouping.keys.push(Calculation::new(key, root, &mut self.slots)?);
        }
        for figure in figures {
            let calculation = match figure {
                Some(value) => Some(Calculation::new(value, root, &mut self.slots)?),
                None => None,
            };
            grouping.figures.push(calculation);
        }
        self.groupings.push(grouping);
        Some(self)
    }

    /// Its groupings.
    pub fn groupings(&self) -> &[Grouping] {
        &self.groupings
    }

    /// The values that it looks at.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The ends that the rows of a block are about, one after the other; none where rows are streams.
    pub fn ends(&self) -> &'static [Option<End>] {
        match self.set {
            RowSet::Legs => &[Some(End::Caller), Some(End::Callee)],
            _ => &[None],
        }
    }

    /// Keeps the rows of a block, which ascend, that meet its conditions.
    pub fn retain(&self, block: &Block, rows: &mut Vec<u32>, meter: &Meter) {
        self.conditions.iter().for_each(|condition| condition.retain(block, rows, meter));
    }
}

impl Grouping {
    /// The rows of a block, which ascend, that meet its conditions.
    pub(crate) fn rows<'r>(
        &self,
        block: &Block,
        rows: &'r [u32],
        meter: &Meter,
    ) -> std::borrow::Cow<'r, [u32]> {
        if self.conditions.is_empty() {
            return rows.into();
        }
        let mut own = rows.to_vec();
        self.conditions.iter().for_each(|condition| condition.retain(block, &mut own, meter));
        own.into()
    }
}
