//! Bound trees back to the text of a URL, in one canonical form.

use std::fmt::{self, Write};

use super::{Expr, Query, Resource, Select, Selected, Step};
use crate::percent::{encode_query, encode_segment};

impl fmt::Display for Query {
    /// The query of a URL without the question mark; empty when nothing is asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_parts(&self.parts()))
    }
}

impl Query {
    /// The query of a URL without the question mark; empty when nothing is asked for.
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
        if let Some(filter) = &self.filter {
            parts.push(("$filter", Condition(filter, None).to_string()));
        }
        if let Some(select) = &self.select {
            parts.push(("$select", select.to_string()));
        }
        if !self.expand.is_empty() {
            let items: Vec<String> = self
                .expand
                .iter()
                .map(|item| match item.query.to_options() {
                    options if options.is_empty() => item.property.name.to_owned(),
                    options => format!("{}({options})", item.property.name),
                })
                .collect();
            parts.push(("$expand", items.join(",")));
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

fn encode_parts(parts: &[(&str, String)]) -> String {
    let parts: Vec<String> =
        parts.iter().map(|(name, value)| format!("{name}={}", encode_query(value))).collect();
    parts.join("&")
}

impl fmt::Display for Expr {
    /// As in `$filter`, not percent-encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Condition(self, None).fmt(f)
    }
}

/// A condition and the lambda variable at which its paths start.
struct Condition<'a>(&'a Expr, Option<&'a str>);

impl fmt::Display for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(expr, variable) = self;
        match expr {
            Expr::And(parts) => {
                for (position, part) in parts.iter().enumerate() {
                    if position > 0 {
                        f.write_str(" and ")?;
                    }
                    Condition(part, *variable).fmt(f)?;
                }
                Ok(())
            }
            Expr::Compare { path, operator, value } => {
                let names = variable.iter().copied().chain(path.iter().map(|step| step.name));
                write!(f, "{} {} {value}", names.collect::<Vec<_>>().join("/"), operator.name())
            }
            Expr::Any { navigation, variable: inner, body } => {
                if let Some(variable) = variable {
                    write!(f, "{variable}/")?;
                }
                let body = Condition(body, Some(inner));
                write!(f, "{}/any({inner}:{body})", navigation.name)
            }
        }
    }
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
        for Selected { name, select, .. } in &self.members {
            match select {
                Some(select) => select.collect(&format!("{prefix}{name}/"), items),
                None => items.push(format!("{prefix}{name}")),
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
                Step::Key(key) if is_plain_key(key) => write!(path, "/{key}")?,
                Step::Key(key) => {
                    write!(path, "('{}')", encode_segment(&key.replace('\'', "''")))?;
                }
                Step::Singleton { name, .. } => write!(path, "/{name}")?,
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
                Step::Count => path.push_str("/$count"),
                Step::Ref => path.push_str("/$ref"),
                Step::Value => path.push_str("/$value"),
            }
        }
        f.write_str(path.trim_start_matches('/'))
    }
}

/// Whether a key can't be taken for a name and needs no encoding.
fn is_plain_key(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && (key.contains('-') || key.starts_with(|first: char| first.is_ascii_digit()))
}
