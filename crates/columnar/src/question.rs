//! What is asked of blocks: which rows, grouped by what, and figures of them.

use model::rows::RowSet;
use odata::bound::Expr;
use odata::eval::Meter;

use crate::block::Block;
use crate::calculation::Calculation;
use crate::condition::Condition;
use crate::slot::Slot;

/// Keys of groups at most: the combinations of their values are told apart by one number.
const MOST_KEYS: usize = 6;

/// A question that blocks can answer.
#[derive(Debug, Default)]
pub struct Question {
    slots: Vec<Slot>,
    conditions: Vec<Condition>,
    pub(crate) keys: Vec<Calculation>,
    /// Of each figure; none for one that counts rows.
    pub(crate) figures: Vec<Option<Calculation>>,
}

impl Question {
    /// For rows of a set that meet all conditions; none if these look at something that no column has.
    pub fn new<'e>(set: RowSet, conditions: impl IntoIterator<Item = &'e Expr>) -> Option<Self> {
        let (mut slots, root) = (Vec::new(), set.ty());
        let conditions = conditions.into_iter();
        let conditions =
            conditions.map(|it| Condition::new(it, root, &mut slots)).collect::<Option<_>>()?;
        Some(Self { slots, conditions, ..Self::default() })
    }

    /// Grouped by the values of expressions, with figures of each group, of which the values are given; none if
    /// one of these looks at something that no column has.
    pub fn grouped<'e>(
        mut self,
        set: RowSet,
        keys: impl IntoIterator<Item = &'e Expr>,
        figures: impl IntoIterator<Item = Option<&'e Expr>>,
    ) -> Option<Self> {
        let root = set.ty();
        for key in keys {
            self.keys.push(Calculation::new(key, root, &mut self.slots)?);
        }
        for figure in figures {
            let calculation = match figure {
                Some(value) => Some(Calculation::new(value, root, &mut self.slots)?),
                None => None,
            };
            self.figures.push(calculation);
        }
        (self.keys.len() <= MOST_KEYS).then_some(self)
    }

    /// The columns that it looks at.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Keeps the rows of a block, which ascend, that meet its conditions.
    pub fn retain(&self, block: &Block, rows: &mut Vec<u32>, meter: &Meter) {
        self.conditions.iter().for_each(|condition| condition.retain(block, rows, meter));
    }
}
