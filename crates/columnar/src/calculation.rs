//! An expression over the columns of a block.

use odata::bound::{Expr, ExprKind, Function, Operator, Root};
use odata::edm::StructuredType;
use odata::eval::{Environment, Meter, NoSearch, Program, Scope, Value, compare};

use crate::block::Block;
use crate::column::{Column, NULL, Texts};
use crate::slot::{Slot, with_slots};

/// Rows that are worth a step of the meter where nothing is evaluated for them.
const ROWS_OF_A_STEP: usize = 16;

/// An expression that is ready to be evaluated for the rows of blocks.
#[derive(Debug)]
pub(crate) struct Calculation {
    program: Program,
    /// The slots that it looks at.
    slots: Vec<usize>,
    /// It is the value of its slot.
    is_plain: bool,
    /// It compares the value of its slot with this one.
    comparison: Option<(Operator, Value<'static>)>,
}

/// The values of an expression that depends on one text: one for each of the texts, and that for null.
pub(crate) struct TextValues<'b> {
    pub(crate) codes: &'b [u32],
    pub(crate) values: Vec<Value<'b>>,
    pub(crate) of_null: Value<'b>,
}

impl<'b> TextValues<'b> {
    pub(crate) fn value(&self, code: u32) -> &Value<'b> {
        self.values.get(code as usize).unwrap_or(&self.of_null)
    }
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
        let comparison = comparison(&expr);
        Some(Self { program: Program::new(&expr), slots, is_plain, comparison })
    }

    /// The texts that alone decide about its value.
    fn texts<'b>(&self, block: &'b Block) -> Option<&'b Texts> {
        let [slot] = self.slots.as_slice() else { return None };
        match &*block.leaf(*slot).column {
            Column::Text(texts) => Some(texts),
            _ => None,
        }
    }

    /// The values by their codes, if one text decides about them.
    pub(crate) fn coded<'b>(&'b self, block: &'b Block, meter: &Meter) -> Option<TextValues<'b>> {
        let texts = self.texts(block)?;
        let leaf = block.leaf(self.slots[0]);
        let value = |value: Value<'b>| {
            if self.is_plain { value } else { self.of_values(&self.spread(value), meter) }
        };
        let values = texts.texts.iter().map(|text| value(leaf.text(text))).collect();
        Some(TextValues { codes: &texts.codes, values, of_null: value(Value::Null) })
    }

    /// The values of slots where only the one that it looks at has one.
    fn spread<'b>(&self, value: Value<'b>) -> Vec<Value<'b>> {
        let mut values = vec![Value::Null; self.slots[0] + 1];
        values[self.slots[0]] = value;
        values
    }

    fn of_values<'b>(&'b self, values: &[Value<'b>], meter: &Meter) -> Value<'b> {
        self.program.value(&Scope::of_values(values, environment(meter)))
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
        if let Some(texts) = self.texts(block) {
            meter.take_steps((rows.len() / ROWS_OF_A_STEP) as u64);
            let leaf = block.leaf(self.slots[0]);
            let holds = |value| {
                let values = self.spread(value);
                self.program.holds(&Scope::of_values(&values, environment(meter)))
            };
            let of_texts: Vec<bool> =
                texts.texts.iter().map(|text| holds(leaf.text(text))).collect();
            let of_null = holds(Value::Null);
            let holds = |code: u32| of_texts.get(code as usize).copied().unwrap_or(of_null);
            debug_assert!(of_texts.len() < NULL as usize, "null has a code of its own");
            return rows.retain(|row| holds(texts.codes[*row as usize]));
        }
        if let Some((operator, literal)) = &self.comparison {
            meter.take_steps((rows.len() / ROWS_OF_A_STEP) as u64);
            let leaf = block.leaf(self.slots[0]);
            return rows.retain(|row| compare(*operator, &leaf.value(*row as usize), literal));
        }
        let mut values = self.room();
        let mut last: Option<(usize, bool)> = None;
        rows.retain(|row| {
            let row = *row as usize;
            let holds = match last {
                Some((before, holds)) if block.is_same(&self.slots, before, row) => holds,
                _ => {
                    self.fill(block, row, &mut values);
                    self.program.holds(&Scope::of_values(&values, environment(meter)))
                }
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
        if let Some(coded) = self.coded(block, meter) {
            meter.take_steps((rows.len() / ROWS_OF_A_STEP) as u64);
            for (at, row) in rows.iter().enumerate() {
                each(at, coded.value(coded.codes[*row as usize]), false);
            }
            return;
        }
        if self.is_plain {
            meter.take_steps((rows.len() / ROWS_OF_A_STEP) as u64);
            let leaf = block.leaf(self.slots[0]);
            for (at, row) in rows.iter().enumerate() {
                each(at, &leaf.value(*row as usize), false);
            }
            return;
        }
        let mut values = self.room();
        let mut last: Option<(usize, Value<'b>)> = None;
        for (at, row) in rows.iter().enumerate() {
            let row = *row as usize;
            match &last {
                Some((before, value)) if block.is_same(&self.slots, *before, row) => {
                    each(at, value, true);
                }
                _ => {
                    self.fill(block, row, &mut values);
                    let value = self.of_values(&values, meter);
                    each(at, &value, false);
                    last = Some((row, value));
                }
            }
        }
    }
}

/// The comparison of a slot's value with a literal that an expression is.
fn comparison(expr: &Expr) -> Option<(Operator, Value<'static>)> {
    let ExprKind::Compare(operator, left, right) = &expr.kind else { return None };
    let (operator, literal) = match (&left.kind, &right.kind) {
        (ExprKind::Path(_), ExprKind::Literal(_)) => (*operator, right),
        (ExprKind::Literal(_), ExprKind::Path(_)) => (operator.mirrored(), left),
        _ => return None,
    };
    let (program, meter) = (Program::new(literal), Meter::unlimited());
    let value = program.value(&Scope::of_values(&[], environment(&meter))).into_owned();
    Some((operator, value))
}

fn environment(meter: &Meter) -> Environment<'_> {
    Environment { searcher: &NoSearch, meter }
}
