//! Paths in expressions: where each starts, and what every step of it means.

use super::Binder;
use super::scope::{Item, Scope};
use crate::ast::{self, Options, StepKind};
use crate::bound::{Expr, ExprKind, Path, PathStep, Root, Search, Ty};
use crate::edm::{Kind as TypeKind, Operation, Property, StructuredType, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::literal::Literal;
use crate::names;
use crate::system_option::SystemOption;

use super::functions;
use super::present;
use super::types::{BOOLEAN, INT64};

/// A path on its way.
pub(super) struct Walk<'s, 'a> {
    root: Root,
    pub(super) steps: Vec<PathStep>,
    pub(super) ty: Ty,
    /// The item at which it starts, if that is one of a collection that was asked for.
    start: Option<&'s Item>,
    pub(super) scope: &'s Scope,
    pub(super) source: &'s Lexer<'a>,
}

impl<'a> Binder<'a> {
    pub(super) fn path(
        &mut self,
        path: &ast::Path,
        position: usize,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Expr, Error> {
        let mut steps = path.steps.as_slice();
        let (root, ty, start) = match &path.root {
            ast::Root::Implicit => match steps.split_first() {
                Some((ast::PathStep { kind: StepKind::Name(name), .. }, rest))
                    if scope.variable(name).is_some() =>
                {
                    steps = rest;
                    let ty = scope.variable(name).unwrap_or(Ty::Null);
                    (Root::Variable(name.clone()), ty, None)
                }
                _ => (Root::Item, scope.item.ty, Some(&scope.item)),
            },
            ast::Root::Dollar(name) => match (name.as_str(), &scope.outermost) {
                ("$it", Some(item)) => (Root::Outermost, item.ty, Some(item)),
                ("$it" | "$this", _) => (Root::Item, scope.item.ty, Some(&scope.item)),
                _ => {
                    let what = format!("a path from '{name}'");
                    return Err(source.error(Kind::NotBuilt { what }, position));
                }
            },
            ast::Root::Alias(name) => {
                let bound = self.followed(name, position, scope, source)?;
                if bound.ty == Ty::Null {
                    return Ok(bound);
                }
                let ExprKind::Path(Path { root, steps: behind }) = bound.kind else {
                    return Err(source.expected("alias of a path", position));
                };
                let mut walk =
                    Walk { root, steps: behind, ty: bound.ty, start: None, scope, source };
                for step in steps {
                    self.step(&mut walk, step)?;
                }
                return Ok(walk.finished());
            }
        };
        let mut walk = Walk { root, steps: Vec::new(), ty, start, scope, source };
        for step in steps {
            self.step(&mut walk, step)?;
        }
        if let (Some(item), ast::Root::Dollar(_)) = (start, &path.root) {
            walk.refuse_hidden(position)?;
            walk.refuse_gone(item, steps, position)?;
        } else if let Some(item) = start {
            walk.refuse_gone(item, steps, position)?;
        }
        if start.is_some_and(|item| item.keys.is_some()) {
            PathStep::go_by_names(&mut walk.steps);
        }
        Ok(walk.finished())
    }

    fn step(&mut self, walk: &mut Walk<'_, 'a>, step: &ast::PathStep) -> Result<(), Error> {
        self.count_node(walk.source, step.position)?;
        let start = walk.start.take();
        match &step.kind {
            StepKind::Name(name) => self.name(walk, start, name, step.position),
            StepKind::Call(name, arguments) => {
                let property = match walk.ty {
                    Ty::One(Type::Structured(ty)) => names::property(ty, name),
                    _ => None,
                };
                match property {
                    Some(property) if property.is_collection => {
                        walk.enter(property);
                        self.key(walk, arguments, step.position)
                    }
                    _ => self.called(walk, name, arguments, step.position),
                }
            }
            StepKind::Key(arguments) => self.key(walk, arguments, step.position),
            StepKind::Annotation(name) => {
                let what = format!("the annotation '@{name}'");
                Err(walk.source.error(Kind::NotBuilt { what }, step.position))
            }
            StepKind::Aggregate(_) => {
                let what = "'aggregate' in an expression".to_owned();
                Err(walk.source.error(Kind::NotBuilt { what }, step.position))
            }
            StepKind::Count(options) => {
                let ty = walk.items("'$count'", step.position)?;
                let (filter, search) = match options {
                    Some(options) => self.counted(walk, options, ty, step.position)?,
                    None => (None, None),
                };
                walk.steps.push(PathStep::Count { filter: filter.map(Box::new), search });
                walk.ty = INT64;
                Ok(())
            }
            StepKind::Filter(condition) => {
                let ty = walk.items("a condition on items", step.position)?;
                let scope = walk.scope.inside(Item::of(Ty::One(ty)));
                let condition = self.condition(condition, &scope, walk.source)?;
                walk.steps.push(PathStep::Filter(Box::new(condition)));
                Ok(())
            }
            StepKind::Lambda(quantifier, body) => {
                let ty = walk.items("a condition on items", step.position)?;
                let body = match body {
                    None => None,
                    Some((variable, body)) => {
                        if walk.scope.variable(variable).is_some() {
                            let what =
                                format!("'{variable}' as a variable inside another '{variable}'");
                            let kind = Kind::NotAllowed { what: what.into() };
                            return Err(walk.source.error(kind, step.position));
                        }
                        let scope = walk.scope.with_variable(variable, Ty::One(ty));
                        let body = self.condition(body, &scope, walk.source)?;
                        Some((variable.clone(), Box::new(body)))
                    }
                };
                walk.steps.push(PathStep::Lambda { quantifier: *quantifier, body });
                walk.ty = BOOLEAN;
                Ok(())
            }
        }
    }

    /// The conditions in the parentheses of `$count`.
    fn counted(
        &mut self,
        walk: &Walk<'_, 'a>,
        options: &Options,
        ty: Type,
        position: usize,
    ) -> Result<(Option<Expr>, Option<Search>), Error> {
        let allowed = [SystemOption::Filter, SystemOption::Search];
        if let Some(option) = SystemOption::ALL
            .into_iter()
            .find(|option| !allowed.contains(option) && present(options, &[*option]).is_some())
        {
            let what =
                format!("the query option '{}' in the parentheses of '$count'", option.name());
            return Err(walk.source.error(Kind::NotAllowed { what: what.into() }, position));
        }
        let before = self.push_aliases(options, walk.source);
        let scope = walk.scope.inside(Item::of(Ty::One(ty)));
        let filter = match &options.filter {
            Some(condition) => Some(self.condition(condition, &scope, walk.source)?),
            None => None,
        };
        self.aliases.truncate(before);
        Ok((filter, options.search.clone()))
    }

    /// A name behind what the walk has reached; `start` is the item when it has not moved yet.
    fn name(
        &mut self,
        walk: &mut Walk<'_, 'a>,
        start: Option<&Item>,
        name: &str,
        position: usize,
    ) -> Result<(), Error> {
        if let Some(ty) = start.and_then(|item| item.member(name)) {
            walk.steps.push(PathStep::Member(name.to_owned()));
            walk.ty = ty;
            return Ok(());
        }
        let (ty, is_collection) = match walk.ty {
            Ty::Dynamic if !name.contains('.') => {
                walk.steps.push(PathStep::Member(name.to_owned()));
                return Ok(());
            }
            Ty::One(Type::Structured(ty)) => (ty, false),
            Ty::Many(Type::Structured(ty)) => (ty, true),
            _ => return Err(self.no_property(walk, start, None, name, position)),
        };
        if let Some(property) = names::property(ty, name) {
            if is_collection && !walk.scope.flattens {
                let what = "a path through a collection without 'any' or 'all'".into();
                return Err(walk.source.error(Kind::NotAllowed { what }, position));
            }
            walk.enter(property);
            return Ok(());
        }
        if let Some(to) = names::derived(self.model, ty, name) {
            walk.steps.push(PathStep::Cast(to));
            walk.ty = if is_collection {
                Ty::Many(Type::Structured(to))
            } else {
                Ty::One(Type::Structured(to))
            };
            return Ok(());
        }
        let is_open = ty.is_open && !is_collection && !name.contains('.');
        // A member that nothing declares keeps its name beside a function that is called with arguments.
        let has_optional = |it: &Operation| it.parameters.iter().any(|it| it.is_optional);
        let is_function = names::operations(self.model, name).any(|(_, it)| {
            let is_meant = !it.is_action && names::is_bound_to(it, ty, is_collection);
            is_meant && !(is_open && has_optional(it))
        });
        if is_function {
            return self.called(walk, name, &[], position);
        }
        if is_open {
            walk.steps.push(PathStep::Member(name.to_owned()));
            walk.ty = Ty::Dynamic;
            return Ok(());
        }
        Err(self.no_property(walk, start, Some(ty), name, position))
    }

    /// The error for a name that is nothing at this place.
    fn no_property(
        &self,
        walk: &Walk<'_, 'a>,
        start: Option<&Item>,
        ty: Option<&'static StructuredType>,
        name: &str,
        position: usize,
    ) -> Error {
        if name.contains('.') {
            let known = ty.into_iter().flat_map(|ty| ty.dynamic).map(|property| property.name);
            let error = self.unknown_type(name, walk.source, position);
            let own = error.clone().suggesting(name, known.filter(|known| known.contains('.')));
            return if own.suggestion.is_some() { own } else { error };
        }
        let kind = Kind::UnknownProperty { name: name.to_owned() };
        let error = walk.source.error(kind, position);
        // A property that only some of the values have is reached by a type cast.
        let casted =
            ty.into_iter().flat_map(|ty| ty.derived).find(|ty| names::property(ty, name).is_some());
        if let Some(to) = casted {
            return Error { suggestion: Some(format!("{}/{name}", to.name).into()), ..error };
        }
        let mut known: Vec<&str> = ty.into_iter().flat_map(names::property_names).collect();
        if let Some(item) = start {
            known.extend(item.members.iter().map(|(name, _)| name.as_str()));
            known.extend(walk.scope.variables());
        }
        let error = error.suggesting(name, known);
        let is_member = || names::enum_members(self.model).any(|member| member == name);
        if error.suggestion.is_none() && is_member() {
            return Error { suggestion: Some(format!("'{name}'").into()), ..error };
        }
        error
    }

    /// The error for a function in a path, which no path has here.
    pub(super) fn no_function(&self, walk: &Walk<'_, 'a>, name: &str, position: usize) -> Error {
        if names::operations(self.model, name).any(|(_, it)| !it.is_action) {
            let what = format!("the function '{name}' in an expression");
            return walk.source.error(Kind::NotBuilt { what }, position);
        }
        let kind = Kind::UnknownFunction { name: name.to_owned() };
        walk.source.error(kind, position).suggesting(name, functions::names())
    }

    /// A key behind a collection of entities.
    fn key(
        &mut self,
        walk: &mut Walk<'_, 'a>,
        arguments: &[ast::Argument],
        position: usize,
    ) -> Result<(), Error> {
        let ty = walk.items("a key", position)?;
        let ([argument], Type::Structured(ty)) = (arguments, ty) else {
            return Err(walk.source.expected("one key", position));
        };
        if let Some(name) = &argument.name
            && names::key(ty).is_none_or(|key| key.name != name)
        {
            let kind = Kind::UnknownProperty { name: name.clone() };
            return Err(walk.source.error(kind, argument.value.position));
        }
        let value = self.expression(&argument.value, walk.scope, walk.source)?;
        let key = match value.kind {
            ExprKind::Literal(Literal::String(key) | Literal::Guid(key)) => key,
            ExprKind::Literal(Literal::Integer(key)) => key.to_string(),
            _ => return Err(walk.source.expected("key", argument.value.position)),
        };
        if ty.kind != TypeKind::Entity {
            let what = "a key behind a collection of values".into();
            return Err(walk.source.error(Kind::NotAllowed { what }, position));
        }
        walk.steps.push(PathStep::Key(key));
        walk.ty = Ty::One(Type::Structured(ty));
        Ok(())
    }
}

impl Walk<'_, '_> {
    fn finished(self) -> Expr {
        Expr { kind: ExprKind::Path(Path { root: self.root, steps: self.steps }), ty: self.ty }
    }

    pub(super) fn enter(&mut self, property: &'static Property) {
        let is_collection = property.is_collection || matches!(self.ty, Ty::Many(_));
        self.steps.push(PathStep::Property(property));
        self.ty = match property.ty {
            Type::Undeclared(_) if !is_collection => Ty::Dynamic,
            ty if is_collection => Ty::Many(ty),
            ty => Ty::One(ty),
        };
    }

    /// The type of the items of the collection that was reached.
    fn items(&self, what: &str, position: usize) -> Result<Type, Error> {
        match self.ty {
            Ty::Many(ty) => Ok(ty),
            Ty::Dynamic => {
                let what = format!("{what} behind a dynamic member");
                Err(self.source.error(Kind::NotBuilt { what }, position))
            }
            _ => {
                let what = format!("{what} behind something that is no collection").into();
                Err(self.source.error(Kind::NotAllowed { what }, position))
            }
        }
    }

    /// Refuses a member of the item that a lambda variable hides, since printing it would hide it.
    fn refuse_hidden(&self, position: usize) -> Result<(), Error> {
        let name = match self.steps.first() {
            Some(PathStep::Property(property)) => property.name,
            Some(PathStep::Member(name)) => name,
            _ => return Ok(()),
        };
        if self.root == Root::Item && self.scope.variable(name).is_some() {
            let what = format!("the property '{name}' inside a lambda whose variable is '{name}'");
            return Err(self.source.error(Kind::NotBuilt { what }, position));
        }
        Ok(())
    }

    /// Refuses what an item has no more once it was aggregated.
    fn refuse_gone(
        &self,
        item: &Item,
        written: &[ast::PathStep],
        position: usize,
    ) -> Result<(), Error> {
        let Some(keys) = &item.keys else { return Ok(()) };
        let is_member = match self.steps.first() {
            Some(PathStep::Member(name)) => item.member(name).is_some(),
            first => first.is_none(),
        };
        if is_member || keys.iter().any(|key| key.steps == self.steps) {
            return Ok(());
        }
        // The first step that no key has is the one that is wrong.
        let common = |steps: &[PathStep]| {
            steps.iter().zip(&self.steps).take_while(|(known, here)| known == here).count()
        };
        let right = keys.iter().map(|key| common(&key.steps)).max().unwrap_or_default();
        let wrong = written.get(right).or(written.last());
        let at = wrong.map_or(position, |step| step.position);
        let name = match wrong.map(|step| &step.kind) {
            Some(StepKind::Name(name) | StepKind::Call(name, _)) => name.clone(),
            _ => "this path".to_owned(),
        };
        let members = item.members.iter().map(|(name, _)| name.as_str());
        let kind = Kind::UnknownProperty { name: name.clone() };
        Err(self.source.error(kind, at).suggesting(&name, members))
    }
}
