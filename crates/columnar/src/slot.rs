//! The columns that a question looks at, each once.

use model::columns::{Affinity, Kind, Table, find};
use odata::bound::{Expr, ExprKind, Path, Root};
use odata::edm::StructuredType;

/// A column that a question looks at.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// The table whose typed column it is.
    pub table: Table,
    /// Its name.
    pub column: &'static str,
    /// A column of the same table: where that is not 1, the value is null.
    pub only_if: Option<&'static str>,
    pub(crate) kind: Kind,
}

impl Slot {
    /// How its values are stored.
    pub fn affinity(&self) -> Affinity {
        match self.kind {
            Kind::Int | Kind::Bool | Kind::Instant | Kind::Duration => Affinity::Integer,
            Kind::Real => Affinity::Real,
            Kind::Text | Kind::Enum(_) | Kind::EnumSet(_) | Kind::IdKey => Affinity::Text,
        }
    }
}

/// The expression with values of slots in place of its paths; none if a path leads to something that no column
/// has.
pub(crate) fn with_slots(
    expr: &Expr,
    root: &'static StructuredType,
    slots: &mut Vec<Slot>,
) -> Option<Expr> {
    expr.with_paths(&mut |path, ty| {
        let at = slot_of(path, root, slots)?;
        Some(Expr { kind: ExprKind::Path(Path { root: Root::Value(at), steps: Vec::new() }), ty })
    })
}

fn slot_of(path: &Path, root: &'static StructuredType, slots: &mut Vec<Slot>) -> Option<usize> {
    if matches!(path.root, Root::Variable(_) | Root::Value(_)) {
        return None;
    }
    let found = find(root, &path.steps)?;
    let is_simple = !matches!(found.kind, Kind::EnumSet(_) | Kind::IdKey);
    if !is_simple || found.of_callee.is_some() {
        return None;
    }
    let key = |slot: &Slot| (slot.table, slot.column, slot.only_if);
    let slot =
        Slot { table: found.table, column: found.column, only_if: found.only_if, kind: found.kind };
    Some(slots.iter().position(|known| key(known) == key(&slot)).unwrap_or_else(|| {
        slots.push(slot);
        slots.len() - 1
    }))
}
