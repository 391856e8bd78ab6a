//! Long chains of `or` as clients without `in` write them: `id eq 'a' or id eq 'b' or …`.

use super::types::BOOLEAN;
use crate::bound::{Expr, ExprKind, Operator, Path, Ty};
use crate::literal::Literal;

/// From so many comparisons of one value on they are a list. Shorter chains stay as they are written.
const LONG: usize = 32;
/// Values that are looked for in one chain.
const MOST_VALUES: usize = 8;

/// The comparisons of a value with literals in a chain, by their places.
struct Alternatives<'p> {
    value: &'p Path,
    places: Vec<usize>,
}

/// The parts joined by `or`; many comparisons of one value with literals become an `in`, which means the
/// same.
pub(super) fn joined(mut parts: Vec<Expr>) -> Expr {
    let mut lists: Vec<(Vec<usize>, Expr)> = Vec::new();
    if parts.len() >= LONG {
        for Alternatives { places, .. } in compared(&parts) {
            if places.len() >= LONG {
                let list = list(&parts, &places);
                lists.extend(list.map(|list| (places, list)));
            }
        }
    }
    let mut is_listed = vec![false; parts.len()];
    for (places, list) in lists {
        for place in &places {
            is_listed[*place] = true;
        }
        is_listed[places[0]] = false;
        parts[places[0]] = list;
    }
    let mut place = 0;
    parts.retain(|_| {
        place += 1;
        !is_listed[place - 1]
    });
    match <[Expr; 1]>::try_from(parts) {
        Ok([one]) => one,
        Err(parts) => truth(ExprKind::Or(parts)),
    }
}

fn compared(parts: &[Expr]) -> Vec<Alternatives<'_>> {
    let mut found: Vec<Alternatives<'_>> = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let Some((value, _)) = sides(part) else { continue };
        match found.iter().position(|known| known.value == value) {
            Some(at) => found[at].places.push(place),
            None if found.len() < MOST_VALUES => {
                found.push(Alternatives { value, places: vec![place] });
            }
            None => {}
        }
    }
    found
}

/// A path and a literal of its own type that is not null, where a part says that they are equal.
fn sides(part: &Expr) -> Option<(&Path, &Expr)> {
    let ExprKind::Compare(Operator::Eq, left, right) = &part.kind else { return None };
    let (value, literal) = match (&left.kind, &right.kind) {
        (ExprKind::Path(value), ExprKind::Literal(_)) => (value, right),
        (ExprKind::Literal(_), ExprKind::Path(value)) => (value, left),
        _ => return None,
    };
    let is_null = matches!(literal.kind, ExprKind::Literal(Literal::Null));
    let is_typed = matches!(left.ty, Ty::One(_)) && left.ty == right.ty;
    (is_typed && !is_null).then_some((value, &**literal))
}

fn truth(kind: ExprKind) -> Expr {
    Expr { kind, ty: BOOLEAN }
}

fn list(parts: &[Expr], places: &[usize]) -> Option<Expr> {
    let (value, literal) = sides(&parts[places[0]])?;
    let Ty::One(ty) = literal.ty else { return None };
    let literals = places.iter().map(|place| sides(&parts[*place]).map(|(_, it)| it.clone()));
    let items = Expr { kind: ExprKind::List(literals.collect::<Option<_>>()?), ty: Ty::Many(ty) };
    let value = Expr { kind: ExprKind::Path(value.clone()), ty: Ty::One(ty) };
    Some(truth(ExprKind::In(Box::new(value), Box::new(items))))
}
