//! An expression over the columns of a block.

use odata::bound::{Expr, ExprKind, Function, Root};
use odata::edm::StructuredType;
use odata::eval::{Environment, Meter, NoSearch, Program, Scope, Value};

use crate::aspect::{Aspect, aspects};
use crate::block::Block;
use crate::places::Places;
use crate::slot::{Slot, with_slots};

/// Rows that are worth a step of the meter where nothing is evaluated for them.
const ROWS_OF_A_STEP: usize = 16;
/// What is not known yet.
const UNKNOWN: u32 = u32::MAX;

/// An expression that is ready to be evaluated for the rows of blocks.
#[derive(Debug)]
pub(crate) struct Calculation {
    program: Program,
    /// The slots that it looks at.
    slots: Vec<usize>,
    /// It is the value of its slot.
    is_plain: bool,
    /// What of slots decides about its value, where that is not all of them.
    aspects: Option<Vec<(usize, Aspect)>>,
}

/// The different values of an expression, and of each row which one it has.
pub(crate) struct Coded<'b> {
    pub(crate) places: Places,
    pub(crate) values: Vec<Value<'b>>,
}

impl Calculation {
    /// Prepares an expression; none if there is something in it that no column has.
    pub(crate) fn new(
        expr: &Expr,
        root: &'static StructuredType,
        all: &mut Vec<Slot>,
    ) -> Option<Self> {
        if expr.calls(Function::IsDefined) {
            // It asks about JSON, not about a value.
            return None;
        }
        let expr = with_slots(expr, root, all)?;
        let mut slots = Vec::new();
        expr.any_path(&mut |path| {
            if let Root::Value(slot) = path.root
                && !slots.contains(&slot)
            {
                slots.push(slot);
            }
            false
        });
        let is_plain = matches!(expr.kind, ExprKind::Path(_));
        let aspects = aspects(&expr, all);
        Some(Self { program: Program::new(&expr), slots, is_plain, aspects })
    }

    /// Numbers for rows, the same only for rows with the same value; none if any two may differ.
    fn places(&self, block: &Block, rows: &[u32], meter: &Meter) -> Option<Places> {
        let aspects = self.aspects.as_ref()?;
        meter.take_steps((rows.len() / ROWS_OF_A_STEP) as u64);
        let mut places = aspects
            .iter()
            .map(|(slot, aspect)| Places::new(aspect, &block.leaf(*slot).column, rows));
        let first = places.next().unwrap_or_else(|| Places::one(rows.len()));
        Some(places.fold(first, |all, one| all.and(&one)))
    }

    /// The values of rows by their numbers, if few things decide about them.
    pub(crate) fn coded<'b>(
        &'b self,
        block: &'b Block,
        rows: &[u32],
        meter: &Meter,
    ) -> Option<Coded<'b>> {
        let mut places = self.places(block, rows, meter)?;
        let (mut known, mut values) = (vec![UNKNOWN; places.count], Vec::new());
        let mut room = self.room();
        for (place, row) in places.of.iter_mut().zip(rows) {
            let known = &mut known[*place as usize];
            if *known == UNKNOWN {
                *known = values.len() as u32;
                values.push(self.value(block, *row as usize, &mut room, meter));
            }
            *place = *known;
        }
        places.count = values.len();
        Some(Coded { places, values })
    }

    /// The value of a row.
    fn value<'b>(
        &'b self,
        block: &'b Block,
        row: usize,
        room: &mut [Value<'b>],
        meter: &Meter,
    ) -> Value<'b> {
        if self.is_plain {
            return block.leaf(self.slots[0]).value(row);
        }
        self.fill(block, row, room);
        self.program.value(&Scope::of_values(room, environment(meter)))
    }

    /// Fills the values of its slots for a row.
    fn fill<'b>(&self, block: &'b Block, row: usize, values: &mut [Value<'b>]) {
        for slot in &self.slots {
            values[*slot] = block.leaf(*slot).value(row);
        }
    }

    fn room<'b>(&self) -> Vec<Value<'b>> {
        vec![Value::Null; self.slots.iter().max().map_or(0, |slot| slot + 1)]
    }

    /// Keeps the rows for which it is true, neither false nor null.
    pub(crate) fn retain(&self, block: &Block, rows: &mut Vec<u32>, meter: &Meter) {
        let mut room = self.room();
        let mut holds = |row: usize| {
            self.fill(block, row, &mut room);
            self.program.holds(&Scope::of_values(&room, environment(meter)))
        };
        if let Some(places) = self.places(block, rows, meter) {
            let mut known: Vec<Option<bool>> = vec![None; places.count];
            let mut places = places.of.iter();
            return rows.retain(|row| {
                let place = places.next().map_or(0, |place| *place as usize);
                *known[place].get_or_insert_with(|| holds(*row as usize))
            });
        }
        let mut last: Option<(usize, bool)> = None;
        rows.retain(|row| {
            let row = *row as usize;
            let holds = match last {
                Some((before, holds)) if block.is_same(&self.slots, before, row) => holds,
                _ => holds(row),
            };
            last = Some((row, holds));
            holds
        });
    }

    /// Gives the value of each of these rows, with its place among them; whether it has not changed since the
    /// row before.
    pub(crate) fn each<'b>(
        &'b self,
        block: &'b Block,
        rows: &[u32],
        meter: &Meter,
        mut each: impl FnMut(usize, &Value<'b>, bool),
    ) {
        if self.is_plain {
            meter.take_steps((rows.len() / ROWS_OF_A_STEP) as u64);
            let leaf = block.leaf(self.slots[0]);
            for (at, row) in rows.iter().enumerate() {
                each(at, &leaf.value(*row as usize), false);
            }
            return;
        }
        let mut room = self.room();
        let mut last: Option<(usize, Value<'b>)> = None;
        for (at, row) in rows.iter().enumerate() {
            let row = *row as usize;
            match &last {
                Some((before, value)) if block.is_same(&self.slots, *before, row) => {
                    each(at, value, true);
                }
                _ => {
                    let value = self.value(block, row, &mut room, meter);
                    each(at, &value, false);
                    last = Some((row, value));
                }
            }
        }
    }
}

fn environment(meter: &Meter) -> Environment<'_> {
    Environment { searcher: &NoSearch, meter }
}
