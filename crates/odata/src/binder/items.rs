//! `$select` and `$expand` to bound trees.

use super::check::Scope;
use super::types::Static;
use super::{Binder, present, structured};
use crate::ast::{Item, ItemKind, ItemStep, Options};
use crate::bound::{ExpandItem, ExpandKind, Query, Select, Selected};
use crate::edm::StructuredType;
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::names;
use crate::options::SystemOption;

impl Binder<'_> {
    pub(super) fn select(
        &self,
        items: &[Item],
        ty: &'static StructuredType,
        source: &Lexer<'_>,
    ) -> Result<Select, Error> {
        let mut select = Select::default();
        for item in items {
            self.select_path(&mut select, &item.path, item.options.as_deref(), Some(ty), source)?;
        }
        Ok(select)
    }

    /// Adds what a path selects. `ty` is the type at which it starts, if the model knows it.
    fn select_path(
        &self,
        select: &mut Select,
        path: &[ItemStep],
        options: Option<&Options>,
        ty: Option<&'static StructuredType>,
        source: &Lexer<'_>,
    ) -> Result<(), Error> {
        let Some((step, rest)) = path.split_first() else { return Ok(()) };
        let name = match &step.kind {
            ItemKind::Name(name) => name,
            ItemKind::Star if rest.is_empty() && options.is_none() => {
                select.all = true;
                return Ok(());
            }
            _ => return Err(not_built(&step.kind, "$select", source, step.position)),
        };
        let property = match ty {
            Some(ty) => match names::property(ty, name) {
                None if ty.is_open && !name.contains('.') => None,
                None => return Err(self.unknown(name, ty, "$select", source, step.position)),
                found => found,
            },
            None => None,
        };
        let is_navigation = property.is_some_and(|property| property.is_navigation);
        if is_navigation && !(rest.is_empty() && options.is_none()) {
            let what =
                format!("the path '{name}/…' through a navigation property in $select").into();
            return Err(source.error(Kind::NotAllowed { what }, step.position));
        }
        let inner = property.map(|property| structured(property.ty));
        match (inner, rest.first(), options) {
            (Some(None), Some(next), _) => {
                let kind = Kind::UnknownProperty { name: written(&next.kind) };
                return Err(source.error(kind, next.position));
            }
            (Some(None), None, Some(_)) => {
                let what = format!("options for '{name}', which has no properties,").into();
                return Err(source.error(Kind::NotAllowed { what }, step.position));
            }
            _ => {}
        }
        let mut nested = None;
        if !rest.is_empty() {
            let mut inside = Select::default();
            self.select_path(&mut inside, rest, options, inner.flatten(), source)?;
            nested = Some(inside);
        } else if let Some(options) = options {
            nested = Some(self.nested_select(options, inner.flatten(), source, step.position)?);
        }
        add(select, Selected { name: name.clone(), property, select: nested });
        Ok(())
    }

    /// `member($select=…)`, which means the same as paths.
    fn nested_select(
        &self,
        options: &Options,
        ty: Option<&'static StructuredType>,
        source: &Lexer<'_>,
        position: usize,
    ) -> Result<Select, Error> {
        let others = [
            SystemOption::Filter,
            SystemOption::OrderBy,
            SystemOption::Top,
            SystemOption::Skip,
            SystemOption::Count,
            SystemOption::Search,
            SystemOption::Compute,
            SystemOption::Expand,
            SystemOption::Apply,
        ];
        let (Some(items), None, []) =
            (&options.select, present(options, &others), options.aliases.as_slice())
        else {
            let what = "options other than $select inside $select".to_owned();
            return Err(source.error(Kind::NotBuilt { what }, position));
        };
        let mut inside = Select::default();
        for item in items {
            self.select_path(&mut inside, &item.path, item.options.as_deref(), ty, source)?;
        }
        Ok(inside)
    }

    pub(super) fn expand(
        &mut self,
        items: &[Item],
        ty: &'static StructuredType,
        scope: &Scope,
        source: &Lexer<'_>,
    ) -> Result<Vec<ExpandItem>, Error> {
        let mut out: Vec<ExpandItem> = Vec::with_capacity(items.len());
        for item in items {
            let expanded = self.expand_item(item, ty, scope, source)?;
            if out.iter().any(|other| std::ptr::eq(other.property, expanded.property)) {
                let what = format!("expanding '{}' twice", expanded.property.name).into();
                return Err(source.error(Kind::NotAllowed { what }, item.position));
            }
            out.push(expanded);
        }
        Ok(out)
    }

    fn expand_item(
        &mut self,
        item: &Item,
        ty: &'static StructuredType,
        scope: &Scope,
        source: &Lexer<'_>,
    ) -> Result<ExpandItem, Error> {
        let Some((step, rest)) = item.path.split_first() else {
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
        if let Some(next) = rest.first() {
            if let ItemKind::Name(name) = &next.kind
                && names::property(inner, name).is_none()
                && names::derived(self.model, inner, name).is_none()
                && !inner.is_open
            {
                return Err(self.unknown(name, inner, "$expand", source, next.position));
            }
            return Err(not_built(&next.kind, "$expand", source, next.position));
        }
        if !property.is_navigation {
            return Err(source.expected("navigation property", step.position));
        }
        let query = match &item.options {
            Some(options) => {
                let scope = scope.inside(Static::one(property.ty));
                self.expand_options(options, inner, property.is_collection, &scope, source, step)?
            }
            None => Query::default(),
        };
        Ok(ExpandItem { property, kind: ExpandKind::Entities, query: Box::new(query) })
    }

    fn expand_options(
        &mut self,
        options: &Options,
        ty: &'static StructuredType,
        is_collection: bool,
        scope: &Scope,
        source: &Lexer<'_>,
        step: &ItemStep,
    ) -> Result<Query, Error> {
        let refuse = |option: SystemOption, is_allowed: bool| {
            let what = format!("the query option '{}' inside $expand", option.name());
            let kind = if is_allowed {
                Kind::NotBuilt { what }
            } else {
                Kind::NotAllowed { what: what.into() }
            };
            Err(source.error(kind, step.position))
        };
        let outside = [
            SystemOption::Format,
            SystemOption::SkipToken,
            SystemOption::DeltaToken,
            SystemOption::SchemaVersion,
            SystemOption::Index,
        ];
        let for_collections = [
            SystemOption::Filter,
            SystemOption::OrderBy,
            SystemOption::Top,
            SystemOption::Skip,
            SystemOption::Count,
            SystemOption::Search,
            SystemOption::Apply,
        ];
        if let Some(option) = present(options, &outside) {
            return refuse(option, false);
        }
        if let Some(condition) = &options.filter {
            self.check_condition(condition, scope, source)?;
        }
        for key in options.orderby.iter().flatten() {
            self.check(&key.key, scope, source)?;
        }
        for computed in options.compute.iter().flatten() {
            self.check(&computed.value, scope, source)?;
        }
        if let Some(option) = present(options, &for_collections) {
            return refuse(option, is_collection);
        }
        if let Some(option) = present(options, &[SystemOption::Levels, SystemOption::Compute]) {
            return refuse(option, true);
        }
        if !options.aliases.is_empty() {
            let what = "a parameter alias inside $expand".to_owned();
            return Err(source.error(Kind::NotBuilt { what }, step.position));
        }
        let select = match &options.select {
            Some(items) => Some(self.select(items, ty, source)?),
            None => None,
        };
        let expand = match &options.expand {
            Some(items) => self.expand(items, ty, scope, source)?,
            None => Vec::new(),
        };
        Ok(Query { select, expand, ..Query::default() })
    }

    /// The error for a name that is no property of `ty`.
    fn unknown(
        &self,
        name: &str,
        ty: &'static StructuredType,
        option: &str,
        source: &Lexer<'_>,
        position: usize,
    ) -> Error {
        let kind = if names::derived(self.model, ty, name).is_some() {
            Kind::NotBuilt { what: format!("a type cast in {option}") }
        } else if names::operations(self.model, name)
            .any(|(_, operation)| names::is_bound_to(operation, ty, false))
        {
            Kind::NotBuilt { what: format!("an operation in {option}") }
        } else if name.contains('.') {
            Kind::UnknownType { name: name.to_owned() }
        } else {
            Kind::UnknownProperty { name: name.to_owned() }
        };
        source.error(kind, position)
    }
}

/// Adds a member once; the whole of it wins over parts of it.
fn add(select: &mut Select, new: Selected) {
    let Some(known) = select.members.iter_mut().find(|member| member.name == new.name) else {
        select.members.push(new);
        return;
    };
    match (&mut known.select, new.select) {
        (Some(known), Some(new)) => {
            known.all |= new.all;
            for member in new.members {
                add(known, member);
            }
        }
        (known, _) => *known = None,
    }
}

fn written(kind: &ItemKind) -> String {
    match kind {
        ItemKind::Name(name) => name.clone(),
        ItemKind::Annotation(name) => format!("@{name}"),
        ItemKind::Star => "*".to_owned(),
        ItemKind::AllOperations(name) => format!("{name}.*"),
        ItemKind::Ref => "$ref".to_owned(),
        ItemKind::Count => "$count".to_owned(),
        ItemKind::Value => "$value".to_owned(),
    }
}

fn not_built(kind: &ItemKind, option: &str, source: &Lexer<'_>, position: usize) -> Error {
    let what = match kind {
        ItemKind::Name(_) => format!("a path in {option}"),
        other => format!("'{}' in {option}", written(other)),
    };
    source.error(Kind::NotBuilt { what }, position)
}
