//! The path of a URL, segment by segment against the model (URL Conventions 4).
//!
//! Keys may be segments or stand in parentheses. Percent-encoding is undone in each segment after
//! the path is split, so that an encoded slash is part of a key.

mod arguments;

use std::borrow::Cow;

use crate::binder::{Alias, Binder};
use crate::bound::{Resource, Step};
use crate::edm::{Kind as TypeKind, Model, Operation, Property, StructuredType, Type};
use crate::error::{Error, Kind};
use crate::functions::{Call, Invocation, Meaning};
use crate::lexer::Lexer;
use crate::names;
use crate::parser::{Parser, Usage};
use crate::percent::{Plus, decode};

/// Segments that the standard has and this service doesn't answer.
const NOT_BUILT: [&str; 2] = ["$each", "$orderby"];
/// The same at the service root (URL Conventions 4.4, 4.14 and 4.15).
const ROOTS_NOT_BUILT: [&str; 3] = ["$all", "$crossjoin", "$entity"];

/// Segments of the standard that this service answers, for suggestions.
const DOLLAR: [&str; 5] = ["$count", "$filter", "$query", "$ref", "$value"];

/// What stands at the service root beside the resources, for suggestions.
const DOCUMENTS: [&str; 2] = ["$metadata", "$batch"];

/// Bytes in front of the condition of a `$filter` segment.
pub(crate) const FILTER: &str = "$filter(";

/// Splits a path into its segments and undoes their percent-encoding. A leading and a trailing
/// slash are allowed, and slashes in the parentheses of `$filter` don't split.
pub(crate) fn split(path: &str) -> Result<Vec<Cow<'_, str>>, Error> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = Vec::new();
    let mut rest = Some(path);
    while let Some(text) = rest {
        let end = if is_condition(text) {
            condition_end(text)
        } else {
            text.find('/').unwrap_or(text.len())
        };
        let segment = decode(&text[..end], Plus::Literal).map_err(|byte| {
            let expected = "percent-encoded UTF-8".into();
            Error::at(
                Kind::Malformed { expected, found: String::new() },
                "path",
                &text[..end],
                byte,
            )
        })?;
        segments.push(segment);
        rest = text[end..].strip_prefix('/');
    }
    Ok(segments)
}

/// Whether a path begins with a `$filter` segment that has a condition.
fn is_condition(text: &str) -> bool {
    let end = text.char_indices().nth(3 * FILTER.len()).map_or(text.len(), |(at, _)| at);
    let front = text[..end].to_ascii_lowercase();
    let front = front.replace("%24", "$").replace("%28", "(");
    front.starts_with(FILTER)
}

/// The end of the `$filter` segment at the front: the slash behind the parenthesis that closes it.
fn condition_end(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut is_quoted = false;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (c, length) = match rest.get(..3) {
            Some("%27") => ('\'', 3),
            Some("%28") => ('(', 3),
            Some("%29") => (')', 3),
            _ => rest.chars().next().map_or(('/', 1), |c| (c, c.len_utf8())),
        };
        match c {
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => return at,
            _ => {}
        }
        at += length;
    }
    text.len()
}

/// Binds the segments of a path.
pub(crate) fn parse<'a>(
    binder: &mut Binder<'a>,
    segments: &'a [Cow<'a, str>],
) -> Result<Resource, Error> {
    let model = binder.model;
    let mut walk = Walk { model, binder, steps: Vec::new(), place: Place::Root };
    for segment in segments {
        walk.segment(segment)?;
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

struct Walk<'b, 'a> {
    model: &'static Model,
    binder: &'b mut Binder<'a>,
    steps: Vec<Step>,
    place: Place,
}

impl<'a> Walk<'_, 'a> {
    fn aliases(&self) -> &[Alias<'a>] {
        &self.binder.aliases
    }

    fn segment(&mut self, segment: &'a str) -> Result<(), Error> {
        let not_found = || Err(not_found(segment));
        match self.place {
            Place::Root => self.root(segment),
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

    /// A singleton, or an entity set, perhaps with a key in parentheses.
    fn root(&mut self, segment: &'a str) -> Result<(), Error> {
        let containers =
            || self.model.schemas.iter().filter_map(|schema| schema.container.as_ref());
        let singletons = || containers().flat_map(|container| container.singletons);
        let sets = || containers().flat_map(|container| container.entity_sets);
        if let Some((name, ty)) = singletons().find(|(name, _)| *name == segment) {
            self.steps.push(Step::Singleton { name, ty });
            self.place = Place::Value { ty: Type::Structured(ty), is_collection: false };
            return Ok(());
        }
        let found = split_groups(segment).and_then(|(own, groups)| {
            sets().find(|(name, _)| *name == own).map(|set| (set, groups))
        });
        let Some(((name, ty), groups)) = found else {
            let own = segment.split('(').next().unwrap_or_default();
            if ROOTS_NOT_BUILT.contains(&own) {
                return Err(not_built(own, segment));
            }
            let known = sets().chain(singletons()).map(|(name, _)| *name);
            let error = not_found(segment).suggesting(segment, known.chain(DOCUMENTS));
            let name = segment.split('(').next().unwrap_or_default();
            let inside = singletons().find_map(|(singleton, ty)| {
                let property = names::property(ty, name).filter(|it| it.is_navigation)?;
                Some(format!("{singleton}/{}", property.name).into())
            });
            return Err(Error { suggestion: error.suggestion.clone().or(inside), ..error });
        };
        self.steps.push(Step::EntitySet { name, ty });
        self.place = Place::Value { ty: Type::Structured(ty), is_collection: true };
        self.keys(segment, &groups)
    }

    fn dollar(&mut self, segment: &'a str, ty: Type, is_collection: bool) -> Result<(), Error> {
        let is_entity = matches!(ty, Type::Structured(ty) if ty.kind == TypeKind::Entity);
        let is_value = matches!(ty, Type::Primitive(_) | Type::Enum(_));
        if is_collection && let Some(condition) = segment.strip_prefix(FILTER) {
            let Some(close) = closing(condition) else {
                return Err(Lexer::new("path", segment).expected("')'", segment.len()));
            };
            let (condition, behind) = condition.split_at(close);
            let lexer = Lexer::new("path", condition);
            let parser = Parser::new("path", condition, self.binder.limits, Usage::default());
            let (condition, _) = parser.whole_expression()?;
            let condition = self.binder.path_condition(&condition, ty, &lexer)?;
            self.steps.push(Step::Filter(Box::new(condition)));
            let Some((_, groups)) = split_groups(&behind[1..]) else {
                return Err(not_found(segment));
            };
            return self.keys(segment, &groups);
        }
        let (step, is_collection) = match segment {
            "$count" if is_collection => (Step::Count, false),
            "$ref" if is_entity => (Step::Ref, is_collection),
            "$value" if is_value && !is_collection => (Step::Value, false),
            _ => {
                let name = segment.split('(').next().unwrap_or_default();
                if !NOT_BUILT.contains(&name) {
                    let others = DOLLAR.into_iter().filter(|known| *known != name);
                    return Err(not_found(segment).suggesting(name, others));
                }
                return Err(not_built(name, segment));
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
        // No key begins like a name of the model or has arguments, so this is a misspelt one.
        let is_qualified = self.model.schemas.iter().any(|schema| {
            segment.strip_prefix(schema.namespace).is_some_and(|rest| rest.starts_with('.'))
        });
        if ty.kind != TypeKind::Entity || is_qualified || is_call(segment) {
            let name = segment.split('(').next().unwrap_or_default();
            let known: Vec<String> = names::operation_names(self.model, ty, true, name).collect();
            return Err(not_found(segment).suggesting(name, known.iter().map(String::as_str)));
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
            let operations = names::operation_names(self.model, ty, false, name);
            let properties = names::property_names(ty).map(str::to_owned);
            let known: Vec<String> = operations.chain(properties).collect();
            return Err(not_found(segment).suggesting(name, known.iter().map(String::as_str)));
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
            let custom = &self.binder.texts.custom;
            match arguments::parse(operation, text, (self.aliases(), custom)) {
                Ok(arguments) => {
                    let invocation =
                        Invocation { namespace, operation, on: ty, arguments: &arguments };
                    match self.called(&invocation, text.unwrap_or_default())? {
                        Some(Meaning::Member(member)) => {
                            self.member(member, ty)?;
                            self.keys(name, groups.get(1..).unwrap_or_default())?;
                            return Ok(true);
                        }
                        Some(Meaning::Function(function)) => {
                            let call = Call { namespace, operation, arguments, function };
                            self.steps.push(Step::Call(Box::new(call)));
                        }
                        None => {
                            self.steps.push(Step::Operation { operation, namespace, arguments });
                        }
                    }
                    self.place = result(operation);
                    self.keys(name, groups.get(1..).unwrap_or_default())?;
                    return Ok(true);
                }
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(false), Err)
    }

    /// What a call of a function stands for, if expressions can call it as well. `text` is what stands in
    /// its parentheses.
    fn called(&self, invocation: &Invocation<'_>, text: &str) -> Result<Option<Meaning>, Error> {
        self.binder.limits.functions.resolve(invocation).map_err(|unknown| {
            let quoted = format!("'{}'", unknown.value);
            let at = text.find(&quoted).unwrap_or_default();
            let kind = Kind::UnknownArgument(Box::new(unknown.clone()));
            let error = Error::at(kind, "path", text, at);
            error.suggesting(&unknown.value, unknown.known.iter().map(String::as_str))
        })
    }

    /// Goes to a member that a function stands for.
    fn member(&mut self, name: &str, ty: &'static StructuredType) -> Result<(), Error> {
        let property = names::property(ty, name).ok_or_else(|| not_found(name))?;
        self.steps.push(Step::Property(property));
        self.place = Place::Value { ty: property.ty, is_collection: property.is_collection };
        Ok(())
    }

    /// A key in parentheses behind a collection, if there is one.
    fn keys(&mut self, segment: &str, groups: &[&str]) -> Result<(), Error> {
        match (self.place, groups) {
            (_, []) => Ok(()),
            (Place::Value { ty: Type::Structured(ty), is_collection: true }, [text])
                if ty.kind == TypeKind::Entity =>
            {
                let key = arguments::parse_key(ty, text, self.aliases())?;
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

/// The parenthesis that closes the one before `text`. Quoted text may hold any character.
pub(crate) fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut is_quoted = false;
    text.find(|c: char| {
        is_quoted ^= c == '\'';
        match c {
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted && depth == 0 => return true,
            ')' if !is_quoted => depth -= 1,
            _ => {}
        }
        false
    })
}

/// Whether a segment is written like a function with its arguments, whatever its name.
fn is_call(segment: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
    };
    match split_groups(segment) {
        Some((name, groups)) => {
            is_name(name) && groups.first().is_some_and(|it| it.is_empty() || it.contains('='))
        }
        None => false,
    }
}

/// The error that a key of a path was probably meant as the name of an operation, for keys that lead to
/// nothing.
pub fn misspelt(model: &'static Model, resource: &Resource) -> Option<Error> {
    resource.steps.windows(2).find_map(|pair| {
        let [before, Step::Key(key)] = pair else { return None };
        let ty = match before {
            Step::EntitySet { ty, .. } => *ty,
            Step::Navigation(Property { ty: Type::Structured(ty), .. }) => *ty,
            _ => return None,
        };
        let known: Vec<String> = names::operation_names(model, ty, true, key).collect();
        let error = not_found(key).suggesting(key, known.iter().map(String::as_str));
        error.suggestion.is_some().then_some(error)
    })
}

/// The error for a segment that the standard has.
fn not_built(name: &str, segment: &str) -> Error {
    let kind = Kind::NotBuilt { what: format!("the path segment '/{name}'") };
    Error::at(kind, "path", segment, 0)
}

fn not_found(segment: &str) -> Error {
    Error::at(Kind::NotFound { segment: segment.to_owned() }, "path", segment, 0)
}

/// A name and the insides of the parentheses behind it; `None` when those aren't balanced. Quoted
/// text may hold any character.
pub(crate) fn split_groups(segment: &str) -> Option<(&str, Vec<&str>)> {
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
