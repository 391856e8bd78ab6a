//! `$apply` to a bound tree. Each transformation changes what an item looks like for those behind
//! it, and the last one for the other options.

use super::Binder;
use super::expression::single_value;
use super::options::refuse_taken;
use super::scope::{Item, Key, Scope};
use super::types::{INT64, is_constant, is_number, is_whole, mismatch};
use crate::ast::{self, StepKind, TransformationKind};
use crate::bound::{
    Aggregate, Apply, Expr, ExprKind, Extreme, GroupKey, Method, Path, PathStep, Root,
    Transformation, Ty,
};
use crate::edm::{Primitive, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::literal::Literal;

/// The methods that a figure can have, for suggestions.
const METHODS: [&str; 7] =
    ["average", "callvault.median", "callvault.percentile95", "countdistinct", "max", "min", "sum"];

impl<'a> Binder<'a> {
    /// Binds a chain; `scope` then has the items that it gives.
    pub(super) fn apply(
        &mut self,
        steps: &[ast::Transformation],
        scope: &mut Scope,
        source: &Lexer<'a>,
    ) -> Result<Apply, Error> {
        let mut bound = Vec::with_capacity(steps.len());
        for step in steps {
            bound.push(self.transformation(step, scope, source)?);
        }
        Ok(Apply { steps: bound })
    }

    fn transformation(
        &mut self,
        step: &ast::Transformation,
        scope: &mut Scope,
        source: &Lexer<'a>,
    ) -> Result<Transformation, Error> {
        Ok(match &step.kind {
            TransformationKind::Identity => Transformation::Identity,
            TransformationKind::Filter(condition) => {
                Transformation::Filter(self.condition(condition, scope, source)?)
            }
            TransformationKind::Search(search) => Transformation::Search(search.clone()),
            TransformationKind::Compute(computed) => {
                Transformation::Compute(self.computed(computed, scope, source)?)
            }
            TransformationKind::OrderBy(keys) => {
                Transformation::OrderBy(self.order_keys(keys, scope, source)?)
            }
            TransformationKind::Skip(count) => Transformation::Skip(*count),
            TransformationKind::Top(count) => Transformation::Top(*count),
            TransformationKind::Aggregate(figures) => self.aggregate(figures, scope, source)?,
            TransformationKind::GroupBy(keys, apply) => {
                self.group_by(keys, apply.as_deref(), step.position, scope, source)?
            }
            TransformationKind::Concat(chains) => self.concat(chains, scope, source)?,
            TransformationKind::Extreme(kind, amount, by) => {
                self.extreme(*kind, amount, by, scope, source)?
            }
            TransformationKind::Join(join) => self.join(join, scope, source)?,
            TransformationKind::Other(name) => {
                let what = format!("the transformation '{name}'");
                return Err(source.error(Kind::NotBuilt { what }, step.position));
            }
        })
    }

    /// `aggregate(…)`: one item with nothing but the figures.
    fn aggregate(
        &mut self,
        figures: &[ast::Aggregate],
        scope: &mut Scope,
        source: &Lexer<'a>,
    ) -> Result<Transformation, Error> {
        let mut out = Vec::with_capacity(figures.len());
        let mut after = Item { members: Vec::new(), keys: Some(Vec::new()), ..scope.item.clone() };
        for figure in figures {
            let (figure, ty, position) = self.figure(figure, scope, source)?;
            refuse_taken(&scope.item, &figure.alias, source, position)?;
            refuse_taken(&after, &figure.alias, source, position)?;
            after.members.push((figure.alias.clone(), ty));
            out.push(figure);
        }
        scope.item = after;
        Ok(Transformation::Aggregate(out))
    }

    fn figure(
        &mut self,
        figure: &ast::Aggregate,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<(Aggregate, Ty, usize), Error> {
        let at = figure.value.position;
        if figure.has_from {
            return Err(source.error(Kind::NotBuilt { what: "'from' in aggregate".to_owned() }, at));
        }
        let (value, method, ty) = match (counted(&figure.value), &figure.method) {
            (Some(path), _) => {
                let value = match path.steps.as_slice() {
                    [] => None,
                    _ => Some(self.flattened(&path, at, scope, source)?),
                };
                if let Some(found) = &value
                    && !matches!(found.ty, Ty::Many(_))
                {
                    return Err(mismatch("a collection", found.ty, source, at));
                }
                (value, Method::Count, INT64)
            }
            (None, None) if is_related(&figure.value) => {
                let what = "figures of what is related to the items".to_owned();
                return Err(source.error(Kind::NotBuilt { what }, at));
            }
            (None, None) => {
                return Err(source.expected("value with an aggregation method", at));
            }
            (None, Some(named)) => {
                let method = method(&named.name, source, named.position)?;
                let value = match &figure.value.kind {
                    ast::ExprKind::Path(path) => self.flattened(path, at, scope, source)?,
                    _ => self.single(&figure.value, scope, source)?,
                };
                let ty = outcome(method, value.ty, source, at)?;
                (Some(value), method, ty)
            }
        };
        let Some(alias) = &figure.alias else {
            return Err(source.expected("name of the figure behind 'as'", at));
        };
        let alias_at = alias.position;
        let place = source.place(super::operators::start(&figure.value));
        Ok((Aggregate { value, method, alias: alias.name.clone(), place }, ty, alias_at))
    }

    /// A path that may lead through collections, to the values of all their items.
    fn flattened(
        &mut self,
        path: &ast::Path,
        position: usize,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let mut scope = scope.clone();
        scope.flattens = true;
        self.path(path, position, &scope, source)
    }

    /// `groupby((…),…)`
    fn group_by(
        &mut self,
        keys: &[ast::GroupKey],
        apply: Option<&[ast::Transformation]>,
        position: usize,
        scope: &mut Scope,
        source: &Lexer<'a>,
    ) -> Result<Transformation, Error> {
        let mut bound = Vec::with_capacity(keys.len());
        let mut found: Vec<Key> = Vec::new();
        for key in keys {
            bound.push(match key {
                ast::GroupKey::Path(path) => {
                    GroupKey::Path(self.group_path(path, &mut found, scope, source)?)
                }
                ast::GroupKey::Hierarchy => {
                    let what = "'rolluprecursive' in groupby".to_owned();
                    return Err(source.error(Kind::NotBuilt { what }, position));
                }
                ast::GroupKey::Rollup(paths, all) => {
                    let paths = paths
                        .iter()
                        .map(|path| self.group_path(path, &mut found, scope, source))
                        .collect::<Result<_, Error>>()?;
                    GroupKey::Rollup { paths, all: *all }
                }
            });
        }
        let members = |keys: &[Key]| {
            let members = keys.iter().filter_map(|key| match key.steps.as_slice() {
                [PathStep::Member(name)] => Some((name.clone(), key.ty)),
                _ => None,
            });
            members.collect::<Vec<_>>()
        };
        let grouped = match apply {
            None => {
                let members = members(&found);
                scope.item = Item { members, keys: Some(found), ..scope.item.clone() };
                None
            }
            Some(steps) => {
                let apply = self.apply(steps, scope, source)?;
                // An aggregated group has its keys besides the figures; any other has them anyway.
                if let Some(keys) = &mut scope.item.keys {
                    for (name, ty) in members(&found) {
                        if scope.item.members.iter().all(|(known, _)| *known != name) {
                            scope.item.members.push((name, ty));
                        }
                    }
                    keys.extend(found);
                }
                Some(apply)
            }
        };
        Ok(Transformation::GroupBy { keys: bound, apply: grouped })
    }

    /// A path to a single value by which items are grouped, noted in `found`.
    fn group_path(
        &mut self,
        expr: &ast::Expr,
        found: &mut Vec<Key>,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Path, Error> {
        let at = expr.position;
        let bound = self.expression(expr, scope, source)?;
        if let Ty::One(Type::Structured(_)) = bound.ty {
            let what = "grouping by an entity or a complex value".to_owned();
            return Err(source.error(Kind::NotBuilt { what }, at));
        }
        let bound = single_value(bound, source, at)?;
        let ty = bound.ty;
        let is_plain = |step: &PathStep| {
            matches!(
                step,
                PathStep::Property(_) | PathStep::Member(_) | PathStep::Call(_) | PathStep::Cast(_)
            )
        };
        let path = match bound.kind {
            ExprKind::Path(path)
                if path.root == Root::Item
                    && !path.steps.is_empty()
                    && path.steps.iter().all(is_plain) =>
            {
                path
            }
            _ => return Err(mismatch("a path to a property", ty, source, at)),
        };
        if found.iter().any(|key| key.steps == path.steps) {
            let what = format!("grouping by '{path}' twice").into();
            return Err(source.error(Kind::NotAllowed { what }, at));
        }
        found.push(Key { steps: path.steps.clone(), ty });
        Ok(path)
    }

    /// `concat(…)`: items of all chains, with what any of them has.
    fn concat(
        &mut self,
        chains: &[Vec<ast::Transformation>],
        scope: &mut Scope,
        source: &Lexer<'a>,
    ) -> Result<Transformation, Error> {
        let mut bound = Vec::with_capacity(chains.len());
        let mut merged: Option<Item> = None;
        for chain in chains {
            let mut inside = scope.clone();
            bound.push(self.apply(chain, &mut inside, source)?);
            merged = Some(match merged {
                None => inside.item,
                Some(known) => united(known, inside.item),
            });
        }
        if let Some(item) = merged {
            scope.item = item;
        }
        Ok(Transformation::Concat(bound))
    }

    /// `join(path as alias,…)`: the items with each of what is related to them.
    fn join(
        &mut self,
        join: &ast::Join,
        scope: &mut Scope,
        source: &Lexer<'a>,
    ) -> Result<Transformation, Error> {
        let ast::Join { path, alias, apply, is_outer } = join;
        let at = path.position;
        let bound = match &path.kind {
            ast::ExprKind::Path(path) => self.flattened(path, at, scope, source)?,
            _ => return Err(source.expected("path to related items", at)),
        };
        let Ty::Many(ty @ Type::Structured(_)) = bound.ty else {
            return Err(mismatch(
                "a collection of entities or complex values",
                bound.ty,
                source,
                at,
            ));
        };
        let mut inside = Scope::new(Item::of(Ty::One(ty)));
        let apply = match apply {
            Some(steps) => Some(self.apply(steps, &mut inside, source)?),
            None => None,
        };
        refuse_taken(&scope.item, &alias.name, source, alias.position)?;
        // What is aggregated has members that only it knows.
        let is_whole = inside.item.keys.is_none() && inside.item.members.is_empty();
        let joined = if is_whole { Ty::One(ty) } else { Ty::Dynamic };
        scope.item.members.push((alias.name.clone(), joined));
        let alias = alias.name.clone();
        Ok(Transformation::Join { path: bound, alias, apply, is_outer: *is_outer })
    }

    fn extreme(
        &mut self,
        kind: Extreme,
        amount: &ast::Expr,
        by: &ast::Expr,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Transformation, Error> {
        let at = amount.position;
        let amount = self.single(amount, scope, source)?;
        let expected = match kind {
            Extreme::TopCount | Extreme::BottomCount => "a whole number",
            Extreme::TopSum | Extreme::BottomSum => "a number",
            Extreme::TopPercent | Extreme::BottomPercent => "a number from 0 to 100",
        };
        let (Ty::One(ty), true) = (amount.ty, is_constant(&amount)) else {
            let what = format!("an amount of '{}' that is not written as a number", kind.name());
            return Err(source.error(Kind::NotBuilt { what }, at));
        };
        let number = match &amount.kind {
            ExprKind::Literal(Literal::Integer(number)) => Some(*number as f64),
            ExprKind::Literal(Literal::Number(text)) => text.parse::<f64>().ok(),
            _ => None,
        };
        let is_fitting = number.is_some_and(|number| match kind {
            Extreme::TopCount | Extreme::BottomCount => is_whole(ty) && number >= 0.0,
            Extreme::TopSum | Extreme::BottomSum => number.is_finite(),
            Extreme::TopPercent | Extreme::BottomPercent => (0.0..=100.0).contains(&number),
        });
        if !is_fitting {
            return Err(mismatch(expected, amount.ty, source, at));
        }
        let value = self.single(by, scope, source)?;
        let is_summed = !matches!(kind, Extreme::TopCount | Extreme::BottomCount);
        if let (Ty::One(ty), true) = (value.ty, is_summed)
            && !is_number(ty)
        {
            return Err(mismatch("a number", value.ty, source, by.position));
        }
        Ok(Transformation::Extreme { kind, amount, by: value })
    }
}

/// The path before `/$count` at its end; without steps when `$count` stands alone.
fn counted(value: &ast::Expr) -> Option<ast::Path> {
    let ast::ExprKind::Path(path) = &value.kind else { return None };
    match path.steps.split_last() {
        Some((ast::PathStep { kind: StepKind::Count(None), .. }, before)) => {
            Some(ast::Path { root: path.root.clone(), steps: before.to_vec() })
        }
        _ => None,
    }
}

/// Whether the figures of related items are asked for: `sessions(…)`.
fn is_related(value: &ast::Expr) -> bool {
    let ast::ExprKind::Path(path) = &value.kind else { return false };
    matches!(path.steps.as_slice(), [ast::PathStep { kind: StepKind::Call(..), .. }])
}

fn method(written: &str, source: &Lexer<'_>, position: usize) -> Result<Method, Error> {
    let lower = written.to_ascii_lowercase();
    let name = lower.as_str();
    Ok(match name {
        "sum" => Method::Sum,
        "min" => Method::Min,
        "max" => Method::Max,
        "average" => Method::Average,
        "countdistinct" => Method::CountDistinct,
        "callvault.median" => Method::Percentile(0.5),
        _ => {
            let share = name.strip_prefix("callvault.percentile").filter(|digits| {
                digits.len() <= 2 && !digits.starts_with('0') && !digits.starts_with('+')
            });
            let Some(per_cent) = share.and_then(|digits| digits.parse::<u8>().ok()) else {
                let kind = Kind::UnknownFunction { name: written.to_owned() };
                return Err(source.error(kind, position).suggesting(written, METHODS));
            };
            Method::Percentile(f64::from(per_cent) / 100.0)
        }
    })
}

/// The type of a figure, if values of type `ty` can be taken together like that.
fn outcome(method: Method, ty: Ty, source: &Lexer<'_>, position: usize) -> Result<Ty, Error> {
    let value = match ty {
        Ty::One(value) | Ty::Many(value) => value,
        Ty::Null | Ty::Dynamic => {
            return Ok(if method == Method::CountDistinct { INT64 } else { Ty::Dynamic });
        }
    };
    let is_value = match value {
        Type::Primitive(primitive) => primitive != Primitive::Stream,
        Type::Enum(_) => true,
        Type::Structured(_) | Type::Undeclared(_) => false,
    };
    let duration = Type::Primitive(Primitive::Duration);
    let is_amount = is_number(value) || value == duration;
    let double = Type::Primitive(Primitive::Double);
    let outcome = match method {
        Method::CountDistinct | Method::Count if is_value => return Ok(INT64),
        Method::Min | Method::Max if is_value => Some(value),
        Method::Sum if is_whole(value) => return Ok(INT64),
        Method::Sum | Method::Average | Method::Percentile(_) if value == duration => Some(value),
        Method::Sum if is_amount => Some(value),
        Method::Average | Method::Percentile(_) if is_amount => Some(double),
        _ => None,
    };
    let expected = match method {
        Method::Sum | Method::Average | Method::Percentile(_) => "a number or Edm.Duration",
        _ => "a value without properties",
    };
    outcome.map(Ty::One).ok_or_else(|| mismatch(expected, ty, source, position))
}

/// An item that is either of the two.
fn united(mut one: Item, other: Item) -> Item {
    for (name, ty) in other.members {
        match one.members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) if *known != ty => *known = Ty::Dynamic,
            Some(_) => {}
            None => one.members.push((name, ty)),
        }
    }
    one.is_mixed |= other.is_mixed || one.keys.is_some() != other.keys.is_some();
    one.keys = match (one.keys, other.keys) {
        (Some(mut keys), Some(others)) => {
            keys.extend(others.into_iter().filter(|key| !keys.contains(key)).collect::<Vec<_>>());
            Some(keys)
        }
        // What is not aggregated has all of its members.
        _ => None,
    };
    one
}
