//! Bound trees back to the text of a URL, in one canonical form.

mod apply;
mod expr;

use std::fmt::{self, Write};

use super::{
    ExpandItem, ExpandKind, OrderKey, Query, Resource, Search, Select, SelectedMember, Step,
};
use crate::key;
use crate::percent::{encode_query, encode_segment};

impl fmt::Display for Query {
    /// The query of a URL without the question mark; empty without options.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_parts(&self.parts()))
    }
}

impl Query {
    /// The query of a URL without the question mark; empty without options.
    pub fn to_query_string(&self) -> String {
        self.to_string()
    }

    /// The options as they stand in the parentheses of `$expand`, not percent-encoded.
    pub fn to_options(&self) -> String {
        let parts: Vec<String> =
            self.parts().iter().map(|(name, value)| format!("{name}={value}")).collect();
        parts.join(";")
    }

    fn parts(&self) -> Vec<(&'static str, String)> {
        let mut parts = Vec::new();
        if let Some(apply) = &self.apply {
            parts.push(("$apply", apply.to_string()));
        }
        if !self.compute.is_empty() {
            parts.push(("$compute", joined(&self.compute)));
        }
        if let Some(filter) = &self.filter {
            parts.push(("$filter", filter.to_string()));
        }
        if let Some(search) = &self.search {
            parts.push(("$search", search.to_string()));
        }
        if !self.orderby.is_empty() {
            parts.push(("$orderby", joined(&self.orderby)));
        }
        if let Some(select) = &self.select {
            parts.push(("$select", select.to_string()));
        }
        if !self.expand.is_empty() {
            parts.push(("$expand", joined(&self.expand)));
        }
        if let Some(skip) = self.skip {
            parts.push(("$skip", skip.to_string()));
        }
        if let Some(top) = self.top {
            parts.push(("$top", top.to_string()));
        }
        if self.count {
            parts.push(("$count", "true".to_owned()));
        }
        if let Some(format) = &self.format {
            parts.push(("$format", format.clone()));
        }
        parts
    }
}

/// Items with commas between them.
fn joined<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Display for ExpandItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.property.name)?;
        f.write_str(match self.kind {
            ExpandKind::Entities => "",
            ExpandKind::Refs => "/$ref",
            ExpandKind::Count => "/$count",
        })?;
        match self.query.to_options() {
            options if options.is_empty() => Ok(()),
            options => write!(f, "({options})"),
        }
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.value, if self.is_descending { " desc" } else { "" })
    }
}

impl fmt::Display for Search {
    /// As in `$search`, not percent-encoded. `NOT` binds tighter than `AND`, that tighter than `OR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_or = |search: &Self| matches!(search, Self::Or(..));
        let is_joined = |search: &Self| matches!(search, Self::Or(..) | Self::And(..));
        match self {
            // What would be read as an operator is none in parentheses.
            Self::Word(word) if matches!(word.as_str(), "AND" | "OR" | "NOT") => {
                write!(f, "({word})")
            }
            Self::Word(word) => f.write_str(word),
            Self::Phrase(phrase) => {
                write!(f, "\"{}\"", phrase.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Self::Not(operand) => {
                f.write_str("NOT ")?;
                operand.in_parentheses(is_joined(operand), f)
            }
            Self::And(left, right) => {
                left.in_parentheses(is_or(left), f)?;
                f.write_str(" AND ")?;
                right.in_parentheses(is_joined(right), f)
            }
            Self::Or(left, right) => {
                left.fmt(f)?;
                f.write_str(" OR ")?;
                right.in_parentheses(is_or(right), f)
            }
        }
    }
}

impl Search {
    fn in_parentheses(&self, is_needed: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_needed { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

fn encode_parts(parts: &[(&str, String)]) -> String {
    let parts: Vec<String> =
        parts.iter().map(|(name, value)| format!("{name}={}", encode_query(value))).collect();
    parts.join("&")
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut items = Vec::new();
        self.collect("", &mut items);
        f.write_str(&items.join(","))
    }
}

impl Select {
    fn collect(&self, prefix: &str, items: &mut Vec<String>) {
        if self.all {
            items.push(format!("{prefix}*"));
        }
        for SelectedMember { name, select, cast, options, .. } in &self.members {
            let cast = cast.map_or_else(String::new, |cast| format!("{}/", cast.name));
            let path = format!("{prefix}{cast}{name}");
            match (select, options) {
                (_, Some(options)) => {
                    let options = Query { select: select.clone(), ..Query::clone(options) };
                    items.push(format!("{path}({})", options.to_options()));
                }
                (Some(select), None) => select.collect(&format!("{path}/"), items),
                (None, None) => items.push(path),
            }
        }
    }
}

impl fmt::Display for Resource {
    /// The path without a leading slash, percent-encoded, keys as segments where that can't be read
    /// as anything else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Key(id) => path.push_str(&key::in_path(id)),
                Step::EntitySet { name, .. } | Step::Singleton { name, .. } => {
                    write!(path, "/{name}")?;
                }
                Step::Navigation(property) | Step::Property(property) => {
                    write!(path, "/{}", property.name)?;
                }
                Step::Cast(ty) => write!(path, "/{}", ty.name)?,
                Step::Operation { operation, namespace, arguments } => {
                    let arguments: Vec<String> =
                        arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    let arguments = encode_segment(&arguments.join(","));
                    write!(path, "/{namespace}.{}", operation.name)?;
                    if !operation.is_action {
                        write!(path, "({arguments})")?;
                    }
                }
                Step::Call(call) => write!(path, "/{}", encode_segment(&call.to_string()))?,
                Step::Filter(condition) => {
                    write!(path, "/$filter({})", encode_segment(&condition.to_string()))?;
                }
                Step::Count => path.push_str("/$count"),
                Step::Ref => path.push_str("/$ref"),
                Step::Value => path.push_str("/$value"),
            }
        }
        f.write_str(path.trim_start_matches('/'))
    }
}
