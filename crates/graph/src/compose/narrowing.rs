//! Which items of collections inside a value are shown: options in the parentheses of `$select` (OData
//! URL Conventions 5.1.4).

use std::borrow::Cow;

use model::search::Finder;
use odata::bound::{Query, Select};
use odata::edm::{Property, StructuredType, Type};
use odata::eval::{Environment, Item, Meter, Pager, Selection, Sieve, Window};
use odata::json::{Member, Node, Text};
use web::Problem;

use super::selection::exhausted;

/// What is selected, if items of collections are chosen with it.
pub(super) fn choosing(query: &Query) -> Option<&Select> {
    query.select.as_ref().filter(|select| select.chooses_items())
}

/// Chooses among the items of collections in a value. `outermost` is what paths at `$it` start at.
pub(super) fn narrow(
    members: &mut Vec<Member<'_>>,
    ty: &StructuredType,
    select: &Select,
    (outermost, meter): (&Node<'_>, &Meter),
) -> Result<(), Problem> {
    for selected in &select.members {
        let Some(at) = members.iter().position(|member| member.name.is(&selected.name)) else {
            continue;
        };
        let Some(property) = ty.member(&selected.name).or(selected.property) else { continue };
        let mut count = None;
        if let (Some(options), Node::Array(items)) = (&selected.options, &mut members[at].value) {
            let chosen = choose(std::mem::take(items), options, property, (outermost, meter))?;
            *items = chosen.items;
            count = chosen.count;
        }
        if let (Some(inner), Type::Structured(ty)) = (&selected.select, property.ty) {
            let items = match &mut members[at].value {
                Node::Array(items) => items.as_mut_slice(),
                value => std::slice::from_mut(value),
            };
            for item in items {
                if let Node::Object(members) = item {
                    narrow(members, ty, inner, (outermost, meter))?;
                }
            }
        }
        if let Some(count) = count {
            let name = Text::of(&format!("{}@odata.count", selected.name));
            members.insert(at, Member { name, value: Node::Number(count.to_string().into()) });
        }
    }
    Ok(())
}

fn choose<'n>(
    items: Vec<Node<'n>>,
    options: &Query,
    property: &Property,
    (outermost, meter): (&Node<'_>, &Meter),
) -> Result<Selection<Node<'n>>, Problem> {
    let (sieve, finder) = (Sieve::new(options), Finder::default());
    let window = Window::of(options, 0, usize::MAX);
    let environment = Environment { searcher: &finder, meter };
    let outermost = Item { node: outermost, ty: Type::Undeclared("") };
    let mut pager = Pager::new(&sieve, window, property.ty, environment).inside(outermost);
    for item in items {
        if pager.offer(Cow::Owned(item), |node| node.clone().into_owned()).is_break() {
            break;
        }
    }
    pager.finish().map_err(exhausted)
}
