//! The path of a URL, segment by segment against the model (URL Conventions 4).
//!
//! Keys may be segments or stand in parentheses. Percent-encoding is undone in each segment after
//! the path is split, so that an encoded slash is part of a key.

mod arguments;

use crate::ast::Expr;
use crate::bound::{Resource, Step};
use crate::edm::{Kind as TypeKind, Model, Operation, StructuredType, Type};
use crate::error::{Error, Kind};
use crate::names;
use crate::percent::{Plus, decode};

/// Segments that the standard has and this service doesn't answer.
const NOT_BUILT: [&str; 4] = ["$filter", "$each", "$query", "$orderby"];

/// Binds a path. A leading and a trailing slash are allowed; `aliases` are those of the query.
pub(crate) fn parse(
    model: &'static Model,
    path: &str,
    aliases: &[(String, Expr)],
) -> Result<Resource, Error> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut walk = Walk { model, aliases, steps: Vec::new(), place: Place::Root };
    for segment in path.split('/') {
        let segment = decode(segment, Plus::Literal).map_err(|byte| {
            let expected = "percent-encoded UTF-8".into();
            Error::at(Kind::Malformed { expected, found: String::new() }, "path", segment, byte)
        })?;
        walk.segment(&segment)?;
    }
    let (ty, is_collection) = match walk.place {
        Place::Value { ty, is_collection, .. } => (Some(ty), is_collection),
        Place::End { ty, is_collection } => (ty, is_collection),
        Place::Root => (None, false),
    };
    Ok(Resource { steps: walk.steps, ty, is_collection })
}

/// Where the walk stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// At the service root.
    Root,
    /// At a value, or a collection of values.
    Value { ty: Type, is_collection: bool },
    /// Behind something that nothing can follow.
    End { ty: Option<Type>, is_collection: bool },
}

struct Walk<'a> {
    model: &'static Model,
    aliases: &'a [(String, Expr)],
    steps: Vec<Step>,
    place: Place,
}

impl Walk<'_> {
    fn segment(&mut self, segment: &str) -> Result<(), Error> {
        let not_found = || Err(not_found(segment));
        match self.place {
            Place::Root => self.singleton(segment),
            Place::End { .. } => not_found(),
            _ if segment.is_empty() => not_found(),
            Place::Value { ty, is_collection } => {
                if segment.starts_with('$') {
                    return self.dollar(segment, ty, is_collection);
                }
                match ty {
                    Type::Structured(ty) if is_collection => self.in_collection(segment, ty),
                    Type::Structured(ty) => self.in_entity(segment, ty),
                    _ => not_found(),
                }
            }
        }
    }

    fn singleton(&mut self, segment: &str) -> Result<(), Error> {
        let containers = self.model.schemas.iter().filter_map(|schema| schema.container.as_ref());
        let found = containers
            .flat_map(|container| container.singletons)
            .find(|(name, _)| *name == segment);
        let Some((name, ty)) = found else { return Err(not_found(segment)) };
        self.steps.push(Step::Singleton { name, ty });
        self.place = Place::Value { ty: Type::Structured(ty), is_collection: false };
        Ok(())
    }

    fn dollar(&mut self, segment: &str, ty: Type, is_collection: bool) -> Result<(), Error> {
        let is_entity = matches!(ty, Type::Structured(ty) if ty.kind == TypeKind::Entity);
        let is_value = matches!(ty, Type::Primitive(_) | Type::Enum(_));
        let (step, is_collection) = match segment {
            "$count" if is_collection => (Step::Count, false),
            "$ref" if is_entity => (Step::Ref, is_collection),
            "$value" if is_value && !is_collection => (Step::Value, false),
            _ => {
                let name = segment.split('(').next().unwrap_or_default();
                if !NOT_BUILT.contains(&name) {
                    return Err(not_found(segment));
                }
                let kind = Kind::NotBuilt { what: format!("the path segment '/{name}'") };
                return Err(Error::at(kind, "path", segment, 0));
            }
        };
        self.steps.push(step);
        self.place = Place::End { ty: Some(ty), is_collection };
        Ok(())
    }

    /// Operations and types come first; anything else behind a collection is a key.
    fn in_collection(&mut self, segment: &str, ty: &'static StructuredType) -> Result<(), Error> {
        if let Some((name, groups)) = split_groups(segment)
            && self.operation(name, &groups, ty, true)?
        {
            return Ok(());
        }
        if self.cast(segment, ty, true) {
            return Ok(());
        }
        if ty.kind != TypeKind::Entity {
            return Err(not_found(segment));
        }
        self.steps.push(Step::Key(segment.to_owned()));
        self.place = Place::Value { ty: Type::Structured(ty), is_collection: false };
        Ok(())
    }

    fn in_entity(&mut self, segment: &str, ty: &'static StructuredType) -> Result<(), Error> {
        let Some((name, groups)) = split_groups(segment) else { return Err(not_found(segment)) };
        // A function may have the name of a property, but only a function has arguments.
        let property = names::property(ty, name)
            .filter(|property| groups.is_empty() || property.is_collection);
        let Some(property) = property else {
            if self.operation(name, &groups, ty, false)? || self.cast(segment, ty, false) {
                return Ok(());
            }
            return Err(not_found(segment));
        };
        self.steps.push(if property.is_navigation {
            Step::Navigation(property)
        } else {
            Step::Property(property)
        });
        self.place = Place::Value { ty: property.ty, is_collection: property.is_collection };
        self.keys(segment, &groups)
    }

    fn cast(&mut self, name: &str, ty: &'static StructuredType, is_collection: bool) -> bool {
        let Some(to) = names::derived(self.model, ty, name) else { return false };
        self.steps.push(Step::Cast(to));
        self.place = Place::Value { ty: Type::Structured(to), is_collection };
        true
    }

    /// Takes the segment as an operation bound to this place, if there is one of that name.
    fn operation(
        &mut self,
        name: &str,
        groups: &[&str],
        ty: &'static StructuredType,
        is_collection: bool,
    ) -> Result<bool, Error> {
        let mut failure = None;
        for (namespace, operation) in names::operations(self.model, name) {
            if !names::is_bound_to(operation, ty, is_collection) {
                continue;
            }
            let text = groups.first().copied();
            match arguments::parse(operation, text, self.aliases) {
                Ok(arguments) => {
                    self.steps.push(Step::Operation { operation, namespace, arguments });
                    self.place = result(operation);
                    self.keys(name, groups.get(1..).unwrap_or_default())?;
                    return Ok(true);
                }
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(false), Err)
    }

    /// A key in parentheses behind a collection, if there is one.
    fn keys(&mut self, segment: &str, groups: &[&str]) -> Result<(), Error> {
        match (self.place, groups) {
            (_, []) => Ok(()),
            (Place::Value { ty: Type::Structured(ty), is_collection: true }, [text])
                if ty.kind == TypeKind::Entity =>
            {
                let key = arguments::parse_key(ty, text, self.aliases)?;
                self.steps.push(Step::Key(key));
                self.place = Place::Value { ty: Type::Structured(ty), is_collection: false };
                Ok(())
            }
            _ => Err(not_found(segment)),
        }
    }
}

/// Where the walk stands behind an operation.
fn result(operation: &'static Operation) -> Place {
    match &operation.returns {
        Some(returns) if operation.is_composable => {
            Place::Value { ty: returns.ty, is_collection: returns.is_collection }
        }
        returns => Place::End {
            ty: returns.as_ref().map(|returns| returns.ty),
            is_collection: returns.as_ref().is_some_and(|returns| returns.is_collection),
        },
    }
}

fn not_found(segment: &str) -> Error {
    Error::at(Kind::NotFound { segment: segment.to_owned() }, "path", segment, 0)
}

/// A name and the insides of the parentheses behind it; `None` when those aren't balanced. Quoted
/// text may hold any character.
fn split_groups(segment: &str) -> Option<(&str, Vec<&str>)> {
    let Some(open) = segment.find('(') else { return Some((segment, Vec::new())) };
    let (name, mut rest) = segment.split_at(open);
    let mut groups = Vec::new();
    while !rest.is_empty() {
        let inside = rest.strip_prefix('(')?;
        let mut is_quoted = false;
        let close = inside.find(|c: char| {
            is_quoted ^= c == '\'';
            c == ')' && !is_quoted
        })?;
        groups.push(&inside[..close]);
        rest = &inside[close + 1..];
    }
    Some((name, groups))
}

#[cfg(test)]
mod tests;
