//! Which rows of a block meet a condition.

use odata::bound::{Expr, ExprKind};
use odata::edm::StructuredType;
use odata::eval::Meter;

use crate::block::Block;
use crate::calculation::Calculation;
use crate::slot::Slot;

/// A condition, taken apart as far as that does not change for what rows it is true. Rows for which it is null
/// are left out like those for which it is false, so `and` and `or` of its parts are those of sets.
#[derive(Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    One(Calculation),
}

impl Condition {
    /// Prepares a condition; none if there is something in it that no column has.
    pub(crate) fn new(
        expr: &Expr,
        root: &'static StructuredType,
        slots: &mut Vec<Slot>,
    ) -> Option<Self> {
        let mut parts = |parts: &[Expr]| {
            parts.iter().map(|part| Self::new(part, root, slots)).collect::<Option<_>>()
        };
        Some(match &expr.kind {
            ExprKind::And(all) => Self::All(parts(all)?),
            ExprKind::Or(any) => Self::Any(parts(any)?),
            _ => Self::One(Calculation::new(expr, root, slots)?),
        })
    }

    /// Keeps the rows, which ascend, that meet it.
    pub(crate) fn retain(&self, block: &Block, rows: &mut Vec<u32>, meter: &Meter) {
        match self {
            Self::All(parts) => parts.iter().for_each(|part| part.retain(block, rows, meter)),
            Self::Any(parts) => {
                // What one part has let in the next ones need not look at.
                let (mut left, mut kept) = (std::mem::take(rows), Vec::new());
                for part in parts {
                    let mut met = left.clone();
                    part.retain(block, &mut met, meter);
                    remove(&mut left, &met);
                    kept.extend(met);
                }
                kept.sort_unstable();
                *rows = kept;
            }
            Self::One(calculation) => calculation.retain(block, rows, meter),
        }
    }
}

/// Takes out rows, of which both have theirs in ascending order.
fn remove(rows: &mut Vec<u32>, others: &[u32]) {
    let mut others = others.iter().peekable();
    rows.retain(|row| {
        while others.next_if(|other| *other < row).is_some() {}
        others.peek() != Some(&row)
    });
}
