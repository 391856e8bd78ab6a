//! Calls of functions that the model declares, on what a path has reached.

use super::Binder;
use super::path::Walk;
use super::types::mismatch;
use crate::ast;
use crate::bound::{ExprKind, PathStep, Ty};
use crate::edm::{Operation, Type};
use crate::error::{Error, Kind};
use crate::functions::{Call, Invocation, Meaning};
use crate::literal::{Literal, type_name};
use crate::names;

impl<'a> Binder<'a> {
    /// Goes to the value of a function.
    pub(super) fn called(
        &mut self,
        walk: &mut Walk<'_, 'a>,
        name: &str,
        arguments: &[ast::Argument],
        position: usize,
    ) -> Result<(), Error> {
        let (on, is_collection) = match walk.ty {
            Ty::One(Type::Structured(ty)) => (ty, false),
            Ty::Many(Type::Structured(ty)) => (ty, true),
            _ => return Err(self.no_function(walk, name, position)),
        };
        let is_meant = |operation: &Operation| {
            !operation.is_action && names::is_bound_to(operation, on, false)
        };
        let found = names::operations(self.model, name).find(|(_, operation)| is_meant(operation));
        let Some((namespace, operation)) = found else {
            return Err(self.no_function(walk, name, position));
        };
        let given = self.given(walk, operation, arguments, position)?;
        let invocation = Invocation { namespace, operation, on, arguments: &given };
        let called = self.limits.functions.resolve(&invocation).map_err(|unknown| {
            let named =
                |argument: &&ast::Argument| argument.name.as_deref() == Some(unknown.parameter);
            let at = arguments.iter().find(named).map_or(position, |it| it.value.position);
            let kind = Kind::UnknownArgument(Box::new(unknown.clone()));
            let known = unknown.known.iter().map(String::as_str);
            walk.source.error(kind, at).suggesting(&unknown.value, known)
        })?;
        let Some(called) = called else { return Err(self.no_function(walk, name, position)) };
        if is_collection && !walk.scope.flattens {
            let what = "a path through a collection without 'any' or 'all'".into();
            return Err(walk.source.error(Kind::NotAllowed { what }, position));
        }
        match (called, &operation.returns) {
            (Meaning::Member(member), _) => match names::property(on, member) {
                Some(property) => walk.enter(property),
                None => return Err(self.no_function(walk, name, position)),
            },
            (Meaning::Function(function), Some(returns)) => {
                let call = Call { namespace, operation, arguments: given, function };
                walk.steps.push(PathStep::Call(Box::new(call)));
                walk.ty = match returns.ty {
                    ty if is_collection || returns.is_collection => Ty::Many(ty),
                    ty => Ty::One(ty),
                };
            }
            (Meaning::Function(_), None) => return Err(self.no_function(walk, name, position)),
        }
        Ok(())
    }

    /// The arguments in the order of the parameters, each a literal or an alias of one.
    fn given(
        &mut self,
        walk: &Walk<'_, 'a>,
        operation: &'static Operation,
        arguments: &[ast::Argument],
        position: usize,
    ) -> Result<Vec<(&'static str, Literal)>, Error> {
        let parameters = operation.parameters.get(1..).unwrap_or_default();
        for (at, argument) in arguments.iter().enumerate() {
            let place = argument.value.position;
            let Some(name) = &argument.name else {
                return Err(walk.source.expected("name of a parameter", place));
            };
            if parameters.iter().all(|parameter| parameter.name != name) {
                let error = walk.source.expected("name of a parameter", place);
                return Err(error.suggesting(name, parameters.iter().map(|it| it.name)));
            }
            if arguments[..at].iter().any(|before| before.name == argument.name) {
                let what = format!("the parameter '{name}' twice").into();
                return Err(walk.source.error(Kind::NotAllowed { what }, place));
            }
        }
        let mut given = Vec::with_capacity(arguments.len());
        for parameter in parameters {
            let named = |it: &&ast::Argument| it.name.as_deref() == Some(parameter.name);
            let Some(argument) = arguments.iter().find(named) else {
                if parameter.is_optional {
                    continue;
                }
                let expected = format!("parameter '{}'", parameter.name);
                return Err(walk.source.expected(expected, position));
            };
            let place = argument.value.position;
            let bound = self.expression(&argument.value, walk.scope, walk.source)?;
            let ExprKind::Literal(literal) = bound.kind else {
                return Err(walk.source.expected("literal", place));
            };
            let fits = parameter.is_nullable || literal != Literal::Null;
            let typed = literal.into_type(&parameter.ty).filter(|_| fits);
            let Some(typed) = typed else {
                let expected = type_name(&parameter.ty);
                return Err(mismatch(expected, bound.ty, walk.source, place));
            };
            given.push((parameter.name, typed));
        }
        Ok(given)
    }
}
