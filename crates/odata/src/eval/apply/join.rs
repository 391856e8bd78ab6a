//! `join` and `outerjoin`: items with each of what is related to them (Data Aggregation 4.0, section
//! 3.4).

use super::Setting;
use crate::bound::{Expr, Ty};
use crate::edm::Type;
use crate::eval::value::DYNAMIC;
use crate::eval::{Exhausted, HeapSize, Program, Scope, Value};
use crate::json::{Member, Node, Text};

/// A prepared join.
#[derive(Debug)]
pub(super) struct JoinStage {
    path: Program,
    /// The type of what is related.
    pub(super) ty: Type,
    alias: String,
    /// An item without related ones stays, with null.
    pub(super) is_outer: bool,
}

impl JoinStage {
    pub(super) fn new(path: &Expr, alias: &str, is_outer: bool) -> Self {
        let ty = match path.ty {
            Ty::Many(ty) => ty,
            _ => DYNAMIC,
        };
        Self { path: Program::new(path), ty, alias: alias.to_owned(), is_outer }
    }

    /// Copies of what is related to an item.
    pub(super) fn related(
        &self,
        item: &Node<'_>,
        setting: &Setting<'_>,
    ) -> Result<Vec<Node<'static>>, Exhausted> {
        let meter = setting.environment.meter;
        let scope = Scope::new(setting.item(item), setting.environment);
        let mut nodes = Vec::new();
        if let Value::List(items) = self.path.value(&scope) {
            for value in items {
                let Some(related) = value.object() else { continue };
                meter.make(related.node.heap_size());
                meter.check()?;
                nodes.push(related.node.clone().into_owned());
            }
        }
        Ok(nodes)
    }

    /// Gives an item one of those that it is joined with, in place of another.
    pub(super) fn put(&self, item: &mut Node<'_>, related: Node<'static>) {
        let Node::Object(members) = item else { return };
        match members.last_mut() {
            Some(last) if last.name.is(&self.alias) => last.value = related,
            _ => {
                members.retain(|member| !member.name.is(&self.alias));
                members.push(Member { name: Text::of(&self.alias), value: related });
            }
        }
    }
}
