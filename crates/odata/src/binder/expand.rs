//! `$expand` to a bound tree.

use super::options::FOR_COLLECTIONS;
use super::scope::{Item, Scope};
use super::select::{not_built, written};
use super::{Binder, present, structured};
use crate::ast::{self, ItemKind, ItemStep, Levels, Options};
use crate::bound::{ExpandItem, ExpandKind, Query, Ty};
use crate::edm::{Property, StructuredType, Type};
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::names;
use crate::system_option::SystemOption;

/// Options that stand only in the query of a request.
const OUTSIDE: [SystemOption; 5] = [
    SystemOption::Format,
    SystemOption::SkipToken,
    SystemOption::DeltaToken,
    SystemOption::SchemaVersion,
    SystemOption::Index,
];

impl<'a> Binder<'a> {
    pub(super) fn expand(
        &mut self,
        items: &[ast::Item],
        ty: &'static StructuredType,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Vec<ExpandItem>, Error> {
        if let (Some(_), Some(first)) = (&scope.item.keys, items.first()) {
            let what = "$expand of items that were aggregated".into();
            return Err(source.error(Kind::NotAllowed { what }, first.position));
        }
        let mut out: Vec<ExpandItem> = Vec::with_capacity(items.len());
        let is_star =
            |item: &&ast::Item| item.path.first().is_some_and(|it| it.kind == ItemKind::Star);
        for item in items.iter().filter(|item| !is_star(item)) {
            let expanded = self.expand_item(item, ty, scope, source)?;
            if out.iter().any(|other| collides(other, &expanded)) {
                let what = format!("expanding '{}' twice", expanded.property.name).into();
                return Err(source.error(Kind::NotAllowed { what }, item.position));
            }
            out.push(expanded);
        }
        // What is named with options of its own is not meant by the star.
        for item in items.iter().filter(is_star) {
            for expanded in self.star(item, ty, source)? {
                if !out.iter().any(|other| collides(other, &expanded)) {
                    out.push(expanded);
                }
            }
        }
        Ok(out)
    }

    fn expand_item(
        &mut self,
        item: &ast::Item,
        ty: &'static StructuredType,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<ExpandItem, Error> {
        let Some((step, rest)) = self.without_own_cast(&item.path, ty).split_first() else {
            return Err(source.expected("name of a navigation property", item.position));
        };
        let ItemKind::Name(name) = &step.kind else {
            return Err(not_built(&step.kind, "$expand", source, step.position));
        };
        let Some(property) = names::property(ty, name) else {
            return Err(self.unknown(name, ty, "$expand", source, step.position));
        };
        let Some(inner) = structured(property.ty) else {
            return Err(source.expected("navigation property", step.position));
        };
        let rest = self.without_own_cast(rest, inner);
        let kind = match rest {
            [] => ExpandKind::Entities,
            [ItemStep { kind: ItemKind::Ref, .. }] => ExpandKind::Refs,
            [ItemStep { kind: ItemKind::Count, .. }] if property.is_collection => ExpandKind::Count,
            [next, ..] => {
                if let ItemKind::Name(name) = &next.kind
                    && names::property(inner, name).is_none()
                    && names::derived(self.model, inner, name).is_none()
                    && !inner.is_open
                {
                    return Err(self.unknown(name, inner, "$expand", source, next.position));
                }
                if let (true, Some(meant)) = (property.is_navigation, nested(name, rest)) {
                    let what =
                        format!("the path '{name}/…' through a navigation property in $expand");
                    let kind = Kind::NotAllowed { what: what.into() };
                    let error = source.error(kind, next.position);
                    return Err(Error { suggestion: Some(meant.into()), ..error });
                }
                if next.kind == ItemKind::Count {
                    let what = format!("'/$count' behind '{name}', which is no collection,").into();
                    return Err(source.error(Kind::NotAllowed { what }, next.position));
                }
                return Err(not_built(&next.kind, "$expand", source, next.position));
            }
        };
        if !property.is_navigation {
            return Err(source.expected("navigation property", step.position));
        }
        let query = match &item.options {
            Some(options) => {
                refuse_misplaced_inside(options, property, ty, source, step.position)?;
                let scope = scope.inside(Item::of(Ty::One(property.ty)));
                self.bound_options(options, scope, Some(inner), Some(source))?
            }
            None => Query::default(),
        };
        Ok(ExpandItem { property, kind, query: Box::new(query) })
    }

    /// The path without a cast to the type that its start has anyway.
    fn without_own_cast<'p>(
        &self,
        path: &'p [ItemStep],
        ty: &'static StructuredType,
    ) -> &'p [ItemStep] {
        let own =
            |name| names::derived(self.model, ty, name).is_some_and(|to| std::ptr::eq(to, ty));
        match path {
            [ItemStep { kind: ItemKind::Name(name), .. }, rest @ ..] if own(name) => rest,
            path => path,
        }
    }

    /// `*`: all navigation properties, with `$levels` also of what is behind them.
    fn star(
        &self,
        item: &ast::Item,
        ty: &'static StructuredType,
        source: &Lexer<'_>,
    ) -> Result<Vec<ExpandItem>, Error> {
        let kind = match item.path.get(1..).unwrap_or_default() {
            [] => ExpandKind::Entities,
            [ItemStep { kind: ItemKind::Ref, .. }] => ExpandKind::Refs,
            [next, ..] => {
                let what = format!("'/{}' behind '*'", written(&next.kind)).into();
                return Err(source.error(Kind::NotAllowed { what }, next.position));
            }
        };
        let mut levels = 1;
        let most = self.limits.expand_depth;
        if let Some(options) = &item.options {
            let others: Vec<SystemOption> =
                SystemOption::ALL.into_iter().filter(|it| *it != SystemOption::Levels).collect();
            if let Some(option) = present(options, &others) {
                let what = format!("the query option '{}' for '*'", option.name()).into();
                return Err(source.error(Kind::NotAllowed { what }, item.position));
            }
            levels = match options.levels {
                Some(Levels::Times(times)) if times > most as u64 => {
                    let kind = Kind::TooMuch { what: "levels of $expand", limit: most };
                    return Err(source.error(kind, item.position));
                }
                Some(Levels::Times(times)) => times as usize,
                Some(Levels::Max) => most,
                None => 1,
            };
        }
        Ok(all_navigations(ty, kind, levels))
    }
}

/// `name($expand=next)`, for the path `name/next` of names without casts.
fn nested(name: &str, path: &[ItemStep]) -> Option<String> {
    let inside = path.iter().rev().try_fold(None, |inside: Option<String>, step| {
        let ItemKind::Name(name) = &step.kind else { return None };
        (!name.contains('.')).then(|| Some(expanding(name, inside)))
    })?;
    Some(expanding(name, inside))
}

fn expanding(name: &str, inside: Option<String>) -> String {
    inside.map_or_else(|| name.to_owned(), |inside| format!("{name}($expand={inside})"))
}

/// Options that make no sense for what is expanded from an entity of type `ty`.
fn refuse_misplaced_inside(
    options: &Options,
    property: &'static Property,
    ty: &'static StructuredType,
    source: &Lexer<'_>,
    position: usize,
) -> Result<(), Error> {
    let refuse = |what: String| Err(source.error(Kind::NotAllowed { what: what.into() }, position));
    if let Some(option) = present(options, &OUTSIDE) {
        return refuse(format!("the query option '{}' inside $expand", option.name()));
    }
    if let (Some(option), false) = (present(options, &FOR_COLLECTIONS), property.is_collection) {
        let (option, name) = (option.name(), property.name);
        return refuse(format!("the query option '{option}' for '{name}', which is single,"));
    }
    if options.apply.is_some() {
        let what = "the query option '$apply' inside $expand".to_owned();
        return Err(source.error(Kind::NotBuilt { what }, position));
    }
    if options.levels.is_some() {
        let is_recursive = structured(property.ty).is_some_and(|to| to.is_a(ty) || ty.is_a(to));
        if is_recursive {
            let what = "the query option '$levels' of one property".to_owned();
            return Err(source.error(Kind::NotBuilt { what }, position));
        }
        let name = property.name;
        return refuse(format!(
            "the query option '$levels' for '{name}', which leads to another type,"
        ));
    }
    Ok(())
}

fn all_navigations(
    ty: &'static StructuredType,
    kind: ExpandKind,
    levels: usize,
) -> Vec<ExpandItem> {
    if levels == 0 {
        return Vec::new();
    }
    let navigations = ty.properties.iter().filter(|it| it.is_served && it.is_navigation);
    navigations
        .filter_map(|property| match property.ty {
            Type::Structured(inner) => {
                let expand = all_navigations(inner, kind, levels - 1);
                let query = Box::new(Query { expand, ..Query::default() });
                Some(ExpandItem { property, kind, query })
            }
            _ => None,
        })
        .collect()
}

/// Whether both would stand under the same name in an answer.
fn collides(one: &ExpandItem, other: &ExpandItem) -> bool {
    std::ptr::eq(one.property, other.property)
        && (one.kind == ExpandKind::Count) == (other.kind == ExpandKind::Count)
}
