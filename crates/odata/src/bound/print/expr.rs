//! Expressions as text. Parentheses stand where the grammar would read another tree.

use std::fmt;

use crate::bound::{
    Arithmetic, ComputedMember, Expr, ExprKind, Operator, Path, PathStep, Quantifier, Root,
};
use crate::literal::type_name;

impl fmt::Display for Expr {
    /// As in `$filter`, not percent-encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Literal(literal) => literal.fmt(f),
            ExprKind::Path(path) => path.fmt(f),
            ExprKind::Not(operand) => write!(f, "not {}", Operand(operand, Strength::Unary)),
            ExprKind::Negate(operand, _) => write!(f, "- {}", Operand(operand, Strength::Unary)),
            ExprKind::And(parts) => operands(f, parts, " and ", Strength::And),
            ExprKind::Or(parts) => operands(f, parts, " or ", Strength::Or),
            ExprKind::Compare(operator, left, right) => {
                binary(f, left, operator.name(), right, comparison(*operator))
            }
            ExprKind::Has(left, right) => binary(f, left, "has", right, Strength::Primary),
            ExprKind::In(item, list) => {
                write!(f, "{} in ", Operand(item, Strength::Primary))?;
                match &list.kind {
                    ExprKind::List(items) if items.iter().all(is_literal) => {
                        f.write_str("(")?;
                        comma_separated(f, items)?;
                        f.write_str(")")
                    }
                    _ => write!(f, "{}", Operand(list, Strength::Unary)),
                }
            }
            ExprKind::Arithmetic(operator, left, right, _) => {
                binary(f, left, operator.name(), right, arithmetic(*operator))
            }
            ExprKind::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                comma_separated(f, arguments)?;
                f.write_str(")")
            }
            ExprKind::Cast(value, ty) => write!(f, "cast({value},{})", type_name(ty)),
            ExprKind::IsOf(value, ty) => write!(f, "isof({value},{})", type_name(ty)),
            ExprKind::Case(branches) => {
                f.write_str("case(")?;
                for (index, (condition, value)) in branches.iter().enumerate() {
                    write!(f, "{}{condition}:{value}", if index > 0 { "," } else { "" })?;
                }
                f.write_str(")")
            }
            ExprKind::List(items) => {
                f.write_str("[")?;
                comma_separated(f, items)?;
                f.write_str("]")
            }
        }
    }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Literal(_))
}

impl fmt::Display for ComputedMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.value, self.alias)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut is_first = match &self.root {
            Root::Item if self.steps.is_empty() => return f.write_str("$this"),
            Root::Item => true,
            Root::Outermost => {
                f.write_str("$it")?;
                false
            }
            Root::Variable(name) => {
                f.write_str(name)?;
                false
            }
            Root::Value(at) => {
                write!(f, "${at}")?;
                false
            }
        };
        for step in &self.steps {
            if let PathStep::Key(key) = step {
                write!(f, "('{}')", key.replace('\'', "''"))?;
                continue;
            }
            if !is_first {
                f.write_str("/")?;
            } else if !matches!(
                step,
                PathStep::Property(_) | PathStep::Member(_) | PathStep::Call(_)
            ) {
                f.write_str("$this/")?;
            }
            is_first = false;
            step.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for PathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(property) => f.write_str(property.name),
            Self::Member(name) => f.write_str(name),
            Self::Call(call) => call.fmt(f),
            Self::Cast(ty) => f.write_str(ty.name),
            Self::Filter(condition) => write!(f, "$filter({condition})"),
            Self::Key(key) => write!(f, "('{}')", key.replace('\'', "''")),
            Self::Count { filter, search } => {
                let filter = filter.as_ref().map(|filter| format!("$filter={filter}"));
                let search = search.as_ref().map(|search| format!("$search={search}"));
                let options: Vec<String> = filter.into_iter().chain(search).collect();
                f.write_str("$count")?;
                if options.is_empty() { Ok(()) } else { write!(f, "({})", options.join(";")) }
            }
            Self::Lambda { quantifier, body } => {
                f.write_str(match quantifier {
                    Quantifier::Any => "any(",
                    Quantifier::All => "all(",
                })?;
                if let Some((variable, condition)) = body {
                    write!(f, "{variable}:{condition}")?;
                }
                f.write_str(")")
            }
        }
    }
}

/// How tightly operators bind, the loosest first (URL Conventions 5.1.1.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Or,
    And,
    Equality,
    Relation,
    Additive,
    Multiplicative,
    Unary,
    Primary,
}

fn comparison(operator: Operator) -> Strength {
    match operator {
        Operator::Eq | Operator::Ne => Strength::Equality,
        _ => Strength::Relation,
    }
}

fn arithmetic(operator: Arithmetic) -> Strength {
    match operator {
        Arithmetic::Add | Arithmetic::Sub => Strength::Additive,
        _ => Strength::Multiplicative,
    }
}

fn strength(expr: &Expr) -> Strength {
    match &expr.kind {
        ExprKind::Or(_) => Strength::Or,
        ExprKind::And(_) => Strength::And,
        ExprKind::Compare(operator, ..) => comparison(*operator),
        ExprKind::Arithmetic(operator, ..) => arithmetic(*operator),
        ExprKind::Not(_) | ExprKind::Negate(..) => Strength::Unary,
        ExprKind::Has(..) | ExprKind::In(..) => Strength::Primary,
        _ => Strength::Primary,
    }
}

/// An operand beside an operator: in parentheses unless it binds tighter. A literal or path always
/// does; `has` and `in` do not beside each other.
struct Operand<'a>(&'a Expr, Strength);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(expr, around) = self;
        let is_operator = matches!(expr.kind, ExprKind::Has(..) | ExprKind::In(..));
        let needs = strength(expr) < *around
            || is_operator && *around == Strength::Primary
            || strength(expr) == *around && *around < Strength::Primary;
        if needs { write!(f, "({expr})") } else { expr.fmt(f) }
    }
}

fn operands(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    between: &str,
    strength: Strength,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        write!(f, "{}", Operand(part, strength))?;
    }
    Ok(())
}

fn binary(
    f: &mut fmt::Formatter<'_>,
    left: &Expr,
    operator: &str,
    right: &Expr,
    strength: Strength,
) -> fmt::Result {
    // Operators of the same strength are read from left to right.
    let is_chain = self::strength(left) == strength && strength < Strength::Primary;
    if is_chain {
        write!(f, "{left}")?;
    } else {
        write!(f, "{}", Operand(left, strength))?;
    }
    write!(f, " {operator} {}", Operand(right, strength))
}

fn comma_separated(f: &mut fmt::Formatter<'_>, items: &[Expr]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if index > 0 { "," } else { "" })?;
    }
    Ok(())
}
