//! `$select` to a bound tree.

use super::scope::{Item, Key, Scope};
use super::{Binder, present, structured};
use crate::ast::{self, ItemKind, ItemStep, Options};
use crate::bound::{PathStep, Query, Select, SelectedMember, Ty};
use crate::edm::StructuredType;
use crate::error::{Error, Kind};
use crate::lexer::Lexer;
use crate::names;
use crate::system_option::SystemOption;

/// Where a path of `$select` starts.
#[derive(Clone, Copy)]
struct Start<'s> {
    /// The type, if the model knows it.
    ty: Option<&'static StructuredType>,
    /// The type behind a cast.
    cast: Option<&'static StructuredType>,
    scope: &'s Scope,
}

/// Options of a collection inside `$select`, `$select` apart.
const OF_COLLECTIONS: [SystemOption; 7] = [
    SystemOption::Compute,
    SystemOption::Filter,
    SystemOption::Search,
    SystemOption::OrderBy,
    SystemOption::Top,
    SystemOption::Skip,
    SystemOption::Count,
];

impl<'a> Binder<'a> {
    pub(super) fn select(
        &mut self,
        items: &[ast::Item],
        ty: &'static StructuredType,
        scope: &Scope,
        source: &Lexer<'a>,
    ) -> Result<Select, Error> {
        let mut select = Select::default();
        let item = &scope.item;
        for written in items {
            let options = written.options.as_deref();
            match written.path.split_first() {
                Some((ItemStep { kind: ItemKind::Name(name), .. }, rest))
                    if item.member(name).is_some() && options.is_none() =>
                {
                    let nested = dynamic(rest, source)?;
                    let member = SelectedMember {
                        name: name.clone(),
                        select: nested,
                        ..SelectedMember::default()
                    };
                    add(&mut select, member);
                }
                Some((first, rest)) if item.keys.is_some() => {
                    let keys = item.keys.as_deref().unwrap_or_default();
                    if first.kind == ItemKind::Star && rest.is_empty() && options.is_none() {
                        select.all = true;
                    } else {
                        add(&mut select, selected_key(&written.path, options, keys, item, source)?);
                    }
                }
                _ => {
                    let start = Start { ty: Some(ty), cast: None, scope };
                    self.select_path(&mut select, &written.path, options, start, source)?;
                }
            }
        }
        Ok(select)
    }

    /// Adds what a path selects.
    fn select_path(
        &mut self,
        select: &mut Select,
        path: &[ItemStep],
        options: Option<&Options>,
        start: Start<'_>,
        source: &Lexer<'a>,
    ) -> Result<(), Error> {
        let Some((step, rest)) = path.split_first() else { return Ok(()) };
        let name = match &step.kind {
            ItemKind::Name(name) => name,
            ItemKind::Star if rest.is_empty() && options.is_none() && start.cast.is_none() => {
                select.all = true;
                return Ok(());
            }
            _ => return Err(not_built(&step.kind, "$select", source, step.position)),
        };
        if let Some(to) = start.ty.and_then(|ty| names::derived(self.model, ty, name)) {
            if rest.is_empty() {
                let what = "a type cast at the end of a path in $select".to_owned();
                return Err(source.error(Kind::NotBuilt { what }, step.position));
            }
            // To the type that it has anyway says nothing.
            let is_own = start.ty.is_some_and(|ty| std::ptr::eq(ty, to));
            let cast = if is_own { start.cast } else { Some(to) };
            let start = Start { ty: Some(to), cast, ..start };
            return self.select_path(select, rest, options, start, source);
        }
        let property = match start.ty {
            Some(ty) => match names::property(ty, name) {
                None if ty.is_open && !name.contains('.') => None,
                None => return Err(self.unknown(name, ty, "$select", source, step.position)),
                found => found,
            },
            None => None,
        };
        if property.is_some_and(|property| property.is_navigation)
            && !(rest.is_empty() && options.is_none())
        {
            return Err(through_navigation(name, rest, source, step.position));
        }
        let mut member = SelectedMember {
            name: name.clone(),
            property,
            cast: start.cast,
            ..SelectedMember::default()
        };
        if let Some(next) = rest.first() {
            let inner = property.map(|property| structured(property.ty));
            if matches!(inner, Some(None)) {
                let kind = Kind::UnknownProperty { name: written(&next.kind) };
                return Err(source.error(kind, next.position));
            }
            let mut inside = Select::default();
            let start = Start { ty: inner.flatten(), cast: None, ..start };
            self.select_path(&mut inside, rest, options, start, source)?;
            member.select = Some(inside);
        } else if let Some(options) = options {
            self.select_options(&mut member, options, start.scope, source, step.position)?;
        }
        let is_other = |known: &&SelectedMember| is_same(known, &member);
        if let Some(known) = select.members.iter().find(is_other)
            && known.options != member.options
        {
            let what = format!("selecting '{name}' twice, with other options,").into();
            return Err(source.error(Kind::NotAllowed { what }, step.position));
        }
        add(select, member);
        Ok(())
    }

    /// `member($select=…)`, which means the same as paths, and what chooses items of a collection.
    fn select_options(
        &mut self,
        member: &mut SelectedMember,
        options: &Options,
        scope: &Scope,
        source: &Lexer<'a>,
        position: usize,
    ) -> Result<(), Error> {
        let chosen = present(options, &OF_COLLECTIONS);
        let mut others = SystemOption::ALL.into_iter();
        let other = others.find(|it| {
            *it != SystemOption::Select
                && !OF_COLLECTIONS.contains(it)
                && present(options, &[*it]).is_some()
        });
        let refuse = |kind: Kind| Err(source.error(kind, position));
        if let Some(option) = other {
            let what = format!("the query option '{}' inside $select", option.name());
            return refuse(Kind::NotBuilt { what });
        }
        let ty = member.property.map(|property| property.ty);
        let inner = ty.and_then(structured);
        let is_collection = member.property.is_some_and(|property| property.is_collection);
        let name = &member.name;
        if let (Some(option), false) = (chosen, is_collection) {
            let what = format!(
                "the query option '{}' on '{name}', which is no collection,",
                option.name()
            );
            return refuse(Kind::NotAllowed { what: what.into() });
        }
        if let (Some(_), None) = (ty, inner)
            && (chosen.is_none() || options.select.is_some() || options.compute.is_some())
        {
            let what = format!("options for '{name}', which has no properties,").into();
            return refuse(Kind::NotAllowed { what });
        }
        let Some(ty) = ty else {
            let what = format!("options for '{name}', which the model does not know,");
            return refuse(Kind::NotBuilt { what });
        };
        let item = Item::of(Ty::One(ty));
        // Values have no members to start a path at, so that `$it` is the value itself.
        let scope = if inner.is_some() { scope.inside(item) } else { Scope::new(item) };
        let mut bound = self.bound_options(options, scope, inner, Some(source))?;
        member.select = bound.select.take();
        member.options = (bound != Query::default()).then(|| Box::new(bound));
        Ok(())
    }

    /// The error for a name that is no property of `ty`.
    pub(super) fn unknown(
        &self,
        name: &str,
        ty: &'static StructuredType,
        option: &str,
        source: &Lexer<'_>,
        position: usize,
    ) -> Error {
        if names::derived(self.model, ty, name).is_some() {
            let what = format!("a type cast in {option}");
            return source.error(Kind::NotBuilt { what }, position);
        }
        let mut operations = names::operations(self.model, name);
        if operations.any(|(_, operation)| names::is_bound_to(operation, ty, false)) {
            let what = format!("an operation in {option}");
            return source.error(Kind::NotBuilt { what }, position);
        }
        if name.contains('.') {
            return source.error(Kind::UnknownType { name: name.to_owned() }, position);
        }
        let kind = Kind::UnknownProperty { name: name.to_owned() };
        source.error(kind, position).suggesting(name, names::property_names(ty))
    }
}

fn through_navigation(name: &str, path: &[ItemStep], source: &Lexer<'_>, position: usize) -> Error {
    let what = format!("the path '{name}/…' through a navigation property in $select").into();
    let error = source.error(Kind::NotAllowed { what }, position);
    let path: Vec<String> = path.iter().map(|step| written(&step.kind)).collect();
    let meant = format!("$expand={name}($select={})", path.join("/")).into();
    Error { suggestion: Some(meant).filter(|_| !path.is_empty()), ..error }
}

/// Whether both are the same member, of values of the same type.
fn is_same(a: &SelectedMember, b: &SelectedMember) -> bool {
    let is_same_type = match (a.cast, b.cast) {
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        (a, b) => a.is_none() && b.is_none(),
    };
    is_same_type && a.name == b.name
}

/// Adds a member once; the whole of it wins over parts of it.
fn add(select: &mut Select, new: SelectedMember) {
    let Some(known) = select.members.iter_mut().find(|member| is_same(member, &new)) else {
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

/// What a path selects of a value that only the item knows.
fn dynamic(path: &[ItemStep], source: &Lexer<'_>) -> Result<Option<Select>, Error> {
    let Some((step, rest)) = path.split_first() else { return Ok(None) };
    let ItemKind::Name(name) = &step.kind else {
        return Err(not_built(&step.kind, "$select", source, step.position));
    };
    let select = dynamic(rest, source)?;
    let inner = SelectedMember { name: name.clone(), select, ..SelectedMember::default() };
    Ok(Some(Select { all: false, members: vec![inner] }))
}

/// What a path selects of an item that was grouped: it has to lead to a key or a part of the way.
fn selected_key(
    path: &[ItemStep],
    options: Option<&Options>,
    keys: &[Key],
    item: &Item,
    source: &Lexer<'_>,
) -> Result<SelectedMember, Error> {
    let mut fitting: Vec<&Key> = keys.iter().collect();
    for (depth, step) in path.iter().enumerate() {
        let ItemKind::Name(name) = &step.kind else {
            return Err(not_built(&step.kind, "$select", source, step.position));
        };
        fitting.retain(|key| key.names().nth(depth).is_some_and(|known| known == *name));
        if fitting.is_empty() {
            let names: Vec<_> = keys.iter().filter_map(Key::first_name).collect();
            let names = names.iter().map(AsRef::as_ref);
            let known = names.chain(item.members.iter().map(|(name, _)| name.as_str()));
            let kind = Kind::UnknownProperty { name: name.clone() };
            return Err(source.error(kind, step.position).suggesting(name, known));
        }
    }
    let (Some(key), None) = (fitting.first(), options) else {
        let what = "options in $select of grouped items".to_owned();
        let position = path.first().map_or(0, |step| step.position);
        return Err(source.error(Kind::NotBuilt { what }, position));
    };
    let members = key.steps.iter().filter_map(|step| match step {
        PathStep::Property(property) => Some((property.name.to_owned(), Some(*property))),
        PathStep::Member(name) => Some((name.clone(), None)),
        _ => None,
    });
    let members: Vec<_> = members.take(path.len()).collect();
    let nested =
        members.into_iter().rev().fold(None, |select: Option<SelectedMember>, (name, property)| {
            let select = select.map(|inner| Select { all: false, members: vec![inner] });
            Some(SelectedMember { name, property, select, ..SelectedMember::default() })
        });
    nested.ok_or_else(|| source.expected("name of a property", 0))
}

/// A step of an item as it is written.
pub(super) fn written(kind: &ItemKind) -> String {
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

pub(super) fn not_built(
    kind: &ItemKind,
    option: &str,
    source: &Lexer<'_>,
    position: usize,
) -> Error {
    let what = match kind {
        ItemKind::Name(_) => format!("a path in {option}"),
        other => format!("'{}' in {option}", written(other)),
    };
    source.error(Kind::NotBuilt { what }, position)
}
