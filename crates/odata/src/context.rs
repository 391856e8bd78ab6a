//! Context URLs (OData Protocol section 10): the text behind `$metadata#` that says what an answer
//! holds.

use std::fmt;

use crate::bound::{
    Apply, GroupKey, Path, PathStep, Query, Resource, Select, Step, Transformation,
};
use crate::edm::{Kind, Property, Type};
use crate::key;
use crate::literal::type_name;

/// Context of the answer to a request.
pub fn of(resource: &Resource, query: &Query) -> String {
    let set = Set::of(resource);
    let list = select_list(query);
    match resource.steps.last() {
        Some(Step::Ref) if resource.is_collection => return "Collection($ref)".to_owned(),
        Some(Step::Ref) => return "$ref".to_owned(),
        Some(Step::Count) => return "Edm.Int64".to_owned(),
        _ => {}
    }
    match set {
        Set::Entities { path } if resource.is_collection => format!("{path}{list}"),
        Set::Entities { path } => format!("{path}{list}/$entity"),
        Set::Singleton { path } | Set::Value { path } => format!("{path}{list}"),
        Set::Unknown => match resource.ty {
            Some(ty) if resource.is_collection => format!("Collection({}){list}", type_name(&ty)),
            Some(ty) => format!("{}{list}", type_name(&ty)),
            None => String::new(),
        },
    }
}

/// Path of one entity, to which contexts of what is inside it are added: the entity `id` of the
/// collection that is addressed, or the one that is addressed itself.
pub fn entity(resource: &Resource, id: &str) -> String {
    match Set::of(resource) {
        Set::Entities { path } if is_single_navigation(resource) => path,
        Set::Entities { path } => format!("{path}{}", key::in_parentheses(id)),
        Set::Singleton { path } | Set::Value { path } => path,
        Set::Unknown => String::new(),
    }
}

/// Context beside an expanded property of an entity; `entity` is the text that [`entity`] gives, or
/// this function's own text for a nested one.
pub fn nested(entity: &str, property: &Property, query: &Query) -> String {
    let suffix = if property.is_collection { "" } else { "/$entity" };
    format!("{entity}/{}{}{suffix}", property.name, select_list(query))
}

/// Where the entities of an answer live.
enum Set {
    /// In an entity set or behind a navigation property.
    Entities { path: String },
    /// It is a singleton.
    Singleton { path: String },
    /// It is a property that isn't an entity.
    Value { path: String },
    /// A function's result that belongs to no set.
    Unknown,
}

impl Set {
    fn of(resource: &Resource) -> Self {
        let mut set = Self::Unknown;
        let mut pending_key: Option<&str> = None;
        for step in &resource.steps {
            let path = |set: &Self, pending: Option<&str>| {
                let base = match set {
                    Self::Entities { path } | Self::Singleton { path } | Self::Value { path } => {
                        path.as_str()
                    }
                    Self::Unknown => return None,
                };
                Some(format!("{base}{}", pending.map(key::in_parentheses).unwrap_or_default()))
            };
            set = match step {
                Step::EntitySet { name, .. } => Self::Entities { path: (*name).to_owned() },
                Step::Singleton { name, .. } => Self::Singleton { path: (*name).to_owned() },
                Step::Key(id) => {
                    pending_key = Some(id);
                    continue;
                }
                Step::Navigation(property) => path(&set, pending_key.take())
                    .map_or(Self::Unknown, |base| Self::Entities {
                        path: format!("{base}/{}", property.name),
                    }),
                Step::Property(property) => path(&set, pending_key.take())
                    .map_or(Self::Unknown, |base| Self::Value {
                        path: format!("{base}/{}", property.name),
                    }),
                Step::Cast(ty) => {
                    let base = path(&set, None);
                    match (set, base) {
                        (Self::Entities { .. }, Some(base)) => {
                            Self::Entities { path: format!("{base}/{}", ty.name) }
                        }
                        (Self::Unknown, _) | (_, None) => Self::Unknown,
                        (_, Some(base)) => Self::Value { path: format!("{base}/{}", ty.name) },
                    }
                }
                Step::Operation { operation, .. } => {
                    pending_key = None;
                    let is_entity = operation.returns.as_ref().is_some_and(|returns| {
                        matches!(returns.ty, Type::Structured(ty) if ty.kind == Kind::Entity)
                    });
                    match operation.entity_set_path {
                        // Entities of the set that the operation is bound to.
                        Some(to) if is_entity && !to.contains('/') => set,
                        _ => Self::Unknown,
                    }
                }
                Step::Call(_) => Self::Unknown,
                Step::Filter(_) | Step::Count | Step::Ref | Step::Value => set,
            };
        }
        set
    }
}

/// Whether an entity is addressed by a navigation property alone, without a key.
fn is_single_navigation(resource: &Resource) -> bool {
    let addressed = resource.steps.iter().rev().find(|step| !matches!(step, Step::Ref));
    matches!(addressed, Some(Step::Navigation(property)) if !property.is_collection)
}

/// What is selected and expanded, in parentheses; empty when neither is.
fn select_list(query: &Query) -> String {
    let mut items = Vec::new();
    if let (Some(apply), None) = (&query.apply, &query.select) {
        let members = applied(apply, None).unwrap_or_default();
        let mut tree = Vec::new();
        for path in &members {
            add(&mut tree, path);
        }
        items.extend(tree.iter().map(Branch::to_string));
    }
    if let Some(select) = &query.select {
        selected("", select, query, &mut items);
    }
    for item in &query.expand {
        let inside = select_list(&item.query);
        let inside = if inside.is_empty() { "()".to_owned() } else { inside };
        items.push(format!("{}{inside}", item.property.name));
    }
    if items.is_empty() { String::new() } else { format!("({})", items.join(",")) }
}

/// Paths of the members that items have behind transformations; `None` when those of their type.
/// (OData Extension for Data Aggregation, section 3.16.)
fn applied(apply: &Apply, before: Option<Vec<Names>>) -> Option<Vec<Names>> {
    apply.steps.iter().fold(before, |members, step| match step {
        Transformation::Aggregate(figures) => {
            Some(figures.iter().map(|figure| vec![figure.alias.clone()]).collect())
        }
        Transformation::GroupBy { keys, apply } => {
            let mut grouped: Vec<Names> = keys.iter().flat_map(key_names).collect();
            let inner = apply.as_ref().and_then(|apply| applied(apply, members.clone()));
            grouped.extend(inner.unwrap_or_default());
            Some(grouped)
        }
        Transformation::Compute(computed) => members.map(|mut members| {
            members.extend(computed.iter().map(|member| vec![member.alias.clone()]));
            members
        }),
        Transformation::Join { alias, .. } => members.map(|mut members| {
            members.push(vec![alias.clone()]);
            members
        }),
        Transformation::Concat(chains) => {
            let mut all = Vec::new();
            for chain in chains {
                for member in applied(chain, members.clone())? {
                    if !all.contains(&member) {
                        all.push(member);
                    }
                }
            }
            Some(all)
        }
        _ => members,
    })
}

/// Names along a path.
type Names = Vec<String>;

fn key_names(key: &GroupKey) -> Vec<Names> {
    let names = |path: &Path| {
        let names = path.steps.iter().filter_map(|step| match step {
            PathStep::Property(property) => Some(property.name.to_owned()),
            PathStep::Member(name) => Some(name.clone()),
            PathStep::Call(call) => Some(call.to_string()),
            _ => None,
        });
        names.collect()
    };
    match key {
        GroupKey::Path(path) => vec![names(path)],
        GroupKey::Rollup { paths, .. } => paths.iter().map(names).collect(),
    }
}

/// A member with those inside it.
struct Branch {
    name: String,
    inside: Vec<Branch>,
}

fn add(tree: &mut Vec<Branch>, path: &[String]) {
    let Some((name, rest)) = path.split_first() else { return };
    let at = tree.iter().position(|branch| branch.name == *name).unwrap_or_else(|| {
        tree.push(Branch { name: name.clone(), inside: Vec::new() });
        tree.len() - 1
    });
    add(&mut tree[at].inside, rest);
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.inside.is_empty() {
            return Ok(());
        }
        let inside: Vec<String> = self.inside.iter().map(Self::to_string).collect();
        write!(f, "({})", inside.join(","))
    }
}

/// Members that are selected; those that are also expanded come with the expanded ones.
fn selected(prefix: &str, select: &Select, query: &Query, items: &mut Vec<String>) {
    if select.all {
        items.push(format!("{prefix}*"));
    }
    for member in &select.members {
        let cast = member.cast.map_or_else(String::new, |cast| format!("{}/", cast.name));
        let path = format!("{prefix}{cast}{}", member.name);
        match &member.select {
            Some(inner) => selected(&format!("{path}/"), inner, query, items),
            None if prefix.is_empty() && query.expanded(&member.name).is_some() => {}
            None => items.push(path),
        }
    }
}

#[cfg(test)]
mod tests;
