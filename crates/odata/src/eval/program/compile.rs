//! Preparing expressions: what does not depend on an item is calculated beforehand.

use super::Op;
use super::numbers::Numbers;
use super::path::{CompiledPath, Step};
use super::texts::Texts;
use crate::bound::{Expr, ExprKind, Function, Path, PathStep, Ty};
use crate::edm::{Primitive, Type};
use crate::eval::value::DYNAMIC;
use crate::eval::{Environment, Meter, NOTHING, NoSearch, Scope, Value, pattern};

/// From this length on, texts and numbers are looked up in a set.
const LONG_LIST: usize = 8;

impl Op {
    /// Prepares an expression.
    pub(super) fn new(expr: &Expr) -> Self {
        Self::of(expr).settled()
    }

    /// The value itself if nothing in it looks at the item.
    fn settled(self) -> Self {
        let is_open = |operand: &&Self| !operand.is_constant();
        if self.is_constant() || self.operands().iter().any(is_open) {
            return self;
        }
        // What stands in the query is as small as that.
        let meter = Meter::unlimited();
        let environment = Environment { searcher: &NoSearch, meter: &meter };
        let value = self.value(&Scope::new(NOTHING, environment)).into_owned();
        // What fails does so when it is evaluated, if it ever is.
        if meter.is_exhausted() { self } else { Self::Constant(value) }
    }

    fn of(expr: &Expr) -> Self {
        let boxed = |expr: &Expr| Box::new(Self::new(expr));
        match &expr.kind {
            ExprKind::Literal(literal) => Self::Constant(Value::literal(literal, one(expr.ty))),
            ExprKind::Path(path) => Self::Path(CompiledPath::new(path, expr.ty)),
            ExprKind::Not(operand) => Self::Not(boxed(operand)),
            ExprKind::Negate(operand, place) => Self::Negate(boxed(operand), *place),
            ExprKind::And(operands) => Self::And(operands.iter().map(Self::new).collect()),
            ExprKind::Or(operands) => Self::Or(operands.iter().map(Self::new).collect()),
            ExprKind::Compare(operator, left, right) => {
                Self::Compare(*operator, boxed(left), boxed(right))
            }
            ExprKind::Has(left, right) => Self::Has(boxed(left), boxed(right)),
            ExprKind::In(left, right) => member(boxed(left), boxed(right)),
            ExprKind::Arithmetic(operator, left, right, place) => {
                Self::Arithmetic(*operator, boxed(left), boxed(right), *place)
            }
            ExprKind::Call(function, arguments) => call(*function, arguments),
            ExprKind::Cast(operand, ty) => Self::Cast(boxed(operand), *ty),
            ExprKind::IsOf(operand, ty) => Self::IsOf(boxed(operand), *ty),
            ExprKind::Case(branches) => {
                let then = |then: &Expr| {
                    // Whole numbers beside others are no whole numbers to what calculates on.
                    let to = one(expr.ty).filter(|ty| is_real(*ty));
                    let value = Self::new(then);
                    match to {
                        Some(ty) => Self::Cast(Box::new(value), ty).settled(),
                        None => value,
                    }
                };
                Self::Case(branches.iter().map(|(when, it)| (Self::new(when), then(it))).collect())
            }
            ExprKind::List(items) => Self::List(items.iter().map(Self::new).collect()),
        }
    }

    fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }

    /// What it calculates with; itself when it looks at the item.
    fn operands(&self) -> Vec<&Self> {
        match self {
            Self::Constant(_) | Self::Path(_) | Self::IsDefined(_) => vec![self],
            Self::Not(operand)
            | Self::Negate(operand, _)
            | Self::InTexts(operand, _)
            | Self::InNumbers(operand, ..)
            | Self::Matches(operand, _)
            | Self::Cast(operand, _)
            | Self::IsOf(operand, _) => vec![operand],
            Self::And(operands)
            | Self::Or(operands)
            | Self::Call(_, operands)
            | Self::List(operands) => operands.iter().collect(),
            Self::Compare(_, left, right)
            | Self::Has(left, right)
            | Self::In(left, right)
            | Self::Arithmetic(_, left, right, _) => vec![left, right],
            Self::Case(branches) => branches.iter().flat_map(|(when, then)| [when, then]).collect(),
        }
    }
}

impl CompiledPath {
    /// Prepares a path that leads to `ty`.
    pub(in crate::eval) fn new(path: &Path, ty: Ty) -> Self {
        let mut steps: Vec<Step> = path.steps.iter().map(Step::new).collect();
        // Only the binder knows the types of calculated members.
        if let Some(Step::Member { ty: end @ None, .. }) = steps.last_mut() {
            *end = one(ty);
        }
        Self { root: path.root.clone(), steps, is_many: matches!(ty, Ty::Many(_)) }
    }
}

impl Step {
    fn new(step: &PathStep) -> Self {
        match step {
            PathStep::Property(property) => {
                Self::Member { name: property.name.to_owned(), ty: Some(property.ty) }
            }
            PathStep::Member(name) => Self::Member { name: name.clone(), ty: None },
            PathStep::Call(call) => {
                let returns = call.operation.returns.as_ref();
                Self::Call(call.clone(), returns.map_or(DYNAMIC, |returns| returns.ty))
            }
            PathStep::Cast(ty) => Self::Cast(ty),
            PathStep::Filter(condition) => Self::Filter(Op::new(condition)),
            PathStep::Key(key) => Self::Key(Value::Text(key.clone().into())),
            PathStep::Count { filter, search } => Self::Count {
                filter: filter.as_ref().map(|filter| Op::new(filter)),
                search: search.clone(),
            },
            PathStep::Lambda { quantifier, body } => Self::Lambda {
                quantifier: *quantifier,
                body: body.as_ref().map(|(name, body)| (name.clone(), Op::new(body))),
            },
        }
    }
}

fn one(ty: Ty) -> Option<Type> {
    match ty {
        Ty::One(ty) | Ty::Many(ty) => Some(ty),
        Ty::Null | Ty::Dynamic => None,
    }
}

fn is_real(ty: Type) -> bool {
    matches!(ty, Type::Primitive(Primitive::Single | Primitive::Double | Primitive::Decimal))
}

fn call(function: Function, arguments: &[Expr]) -> Op {
    let mut operands: Vec<Op> = arguments.iter().map(Op::new).collect();
    match (function, operands.as_mut_slice()) {
        (Function::MatchesPattern, [text, Op::Constant(Value::Text(pattern))]) => {
            let text = std::mem::replace(text, Op::Constant(Value::Null));
            Op::Matches(Box::new(text), pattern::constant(pattern))
        }
        (Function::IsDefined, _) => match operands.pop() {
            Some(Op::Path(way)) => Op::IsDefined(way),
            // What is calculated is there.
            _ => Op::Constant(Value::Bool(true)),
        },
        _ => Op::Call(function, operands),
    }
}

fn member(left: Box<Op>, right: Box<Op>) -> Op {
    let Op::Constant(Value::List(items)) = &*right else { return Op::In(left, right) };
    if items.len() < LONG_LIST {
        return Op::In(left, right);
    }
    if let Some(texts) = Texts::of(items) {
        return Op::InTexts(left, texts);
    }
    match Numbers::of(items) {
        Some(numbers) => Op::InNumbers(left, numbers, right),
        None => Op::In(left, right),
    }
}
