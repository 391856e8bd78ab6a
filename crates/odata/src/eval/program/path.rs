//! Paths: from an item to values, through collections, casts, counts and lambdas.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::Op;
use crate::bound::{Quantifier, Root, Search};
use crate::edm::{StructuredType, Type};
use crate::eval::value::{DYNAMIC, actual_type};
use crate::eval::{HeapSize, Item, NOTHING, Scope, Value, Variable};
use crate::functions::Call;
use crate::json::Node;

/// What a calculation gave that is no number: in JSON it is the text that a record may have as well, of
/// which it says nothing.
static NAN: Node<'static> = Node::Number(Cow::Borrowed("NaN"));

/// The member that is the key of every entity.
const KEY: &str = "id";

/// A prepared path.
#[derive(Debug)]
pub(in crate::eval) struct CompiledPath {
    pub(super) root: Root,
    pub(super) steps: Vec<Step>,
    /// It leads to a collection.
    pub(super) is_many: bool,
}

/// A prepared step.
#[derive(Debug)]
pub(super) enum Step {
    Member { name: String, ty: Option<Type> },
    Call(Box<Call>, Type),
    Cast(&'static StructuredType),
    Filter(Op),
    Key(Value<'static>),
    Count { filter: Option<Op>, search: Option<Search> },
    Lambda { quantifier: Quantifier, body: Option<(String, Op)> },
}

type Each<'e, 'a> = &'e mut dyn FnMut(Value<'a>) -> ControlFlow<()>;

impl CompiledPath {
    fn start<'a>(&self, scope: &Scope<'a, '_>) -> Item<'a> {
        match &self.root {
            Root::Item => scope.item,
            Root::Outermost => scope.outermost,
            Root::Variable(name) => scope.variable(name).unwrap_or(NOTHING),
            Root::Value(_) => NOTHING,
        }
    }

    /// The value at the end; that of a path through collections is a collection.
    pub(in crate::eval) fn value<'a>(&'a self, scope: &Scope<'a, '_>) -> Value<'a> {
        if let Root::Value(at) = self.root {
            return scope.values.get(at).cloned().unwrap_or(Value::Null);
        }
        let (item, rest) = lead(&self.steps, self.start(scope));
        if self.is_many {
            return Value::List(gather(rest, item, scope));
        }
        if rest.is_empty() {
            return of_node(item, scope);
        }
        let mut found = Value::Null;
        let _ = walk(rest, item, scope, &mut |value| {
            found = value;
            ControlFlow::Break(())
        });
        found
    }

    /// Each value at the end.
    pub(super) fn each<'a>(&'a self, scope: &Scope<'a, '_>, each: Each<'_, 'a>) -> ControlFlow<()> {
        walk(&self.steps, self.start(scope), scope, each)
    }

    /// Shows the JSON at the end of a path that goes through members, functions and casts only.
    pub(in crate::eval) fn reach(&self, scope: &Scope<'_, '_>, look: Look<'_>) {
        reach(&self.steps, self.start(scope), scope, look);
    }

    /// What the item says of the type of its member that the path leads to, as it does of calculated ones.
    pub(in crate::eval) fn stated_type(&self, scope: &Scope<'_, '_>) -> Option<Node<'static>> {
        let [Step::Member { name, .. }] = self.steps.as_slice() else { return None };
        let stated = self.start(scope).node.get(&format!("{name}@odata.type"))?;
        Some(stated.clone().into_owned())
    }
}

/// Looks at what stands at the end of a path, if anything does.
type Look<'l> = &'l mut dyn FnMut(Option<Item<'_>>);

fn reach(steps: &[Step], mut item: Item<'_>, scope: &Scope<'_, '_>, look: Look<'_>) {
    for (at, step) in steps.iter().enumerate() {
        let next = match step {
            Step::Member { name, ty } => member(item, name, *ty),
            Step::Cast(ty) => item.cast(ty),
            Step::Call(call, ty) => {
                let made = called(call, item, scope);
                let Some(node) = &made else { return look(None) };
                return reach(&steps[at + 1..], Item { node, ty: *ty }, scope, look);
            }
            _ => None,
        };
        let Some(next) = next else { return look(None) };
        item = next;
    }
    look(Some(item));
}

/// The value of a function for an item, if there is one and it may be made.
fn called(call: &Call, item: Item<'_>, scope: &Scope<'_, '_>) -> Option<Node<'static>> {
    item.node.as_object()?;
    let meter = scope.meter();
    if !meter.take_steps(call.function.steps(item.node)) {
        return None;
    }
    let made = call.function.value(item.node);
    meter.make(made.heap_size()).then_some(made)
}

/// The items at the end of a way to a collection. One that is not there is empty.
fn gather<'a>(steps: &'a [Step], item: Item<'a>, scope: &Scope<'a, '_>) -> Vec<Value<'a>> {
    if let (Node::Array(items), []) = (item.node, steps) {
        if !scope.meter().make(size_of_val(items.as_slice())) {
            return Vec::new();
        }
        return items.iter().map(|node| Value::of(node, item.ty)).collect();
    }
    let mut found = Vec::new();
    let _ = walk(steps, item, scope, &mut |value| {
        if !scope.meter().make(size_of::<Value<'_>>()) {
            return ControlFlow::Break(());
        }
        match value {
            Value::Null => {}
            Value::List(items) => found.extend(items),
            value => found.push(value),
        }
        ControlFlow::Continue(())
    });
    found
}

/// The value of an item, which may be a collection.
fn of_node<'a>(item: Item<'a>, scope: &Scope<'a, '_>) -> Value<'a> {
    match item.node {
        Node::Array(items) if !scope.meter().make(size_of_val(items.as_slice())) => Value::Null,
        node => Value::of(node, item.ty),
    }
}

/// Goes along members as long as there are no collections; what remains of the way.
fn lead<'a, 's>(steps: &'s [Step], mut item: Item<'a>) -> (Item<'a>, &'s [Step]) {
    let mut rest = steps;
    while let [Step::Member { name, ty }, behind @ ..] = rest {
        let Some(next) = member(item, name, *ty) else {
            item = NOTHING;
            rest = behind;
            continue;
        };
        item = if is_calculated_nan(item.node, name, next.node) {
            Item { node: &NAN, ..next }
        } else {
            next
        };
        rest = behind;
        if matches!(item.node, Node::Array(_)) {
            break;
        }
    }
    (item, rest)
}

fn member<'a>(item: Item<'a>, name: &str, ty: Option<Type>) -> Option<Item<'a>> {
    let node = item.node.get(name)?;
    let known = || match item.ty {
        Type::Structured(declared) => {
            actual_type(item.node, declared).member(name).map(|property| property.ty)
        }
        _ => None,
    };
    Some(Item { node, ty: ty.or_else(known).unwrap_or(DYNAMIC) })
}

/// Whether a calculated member is no number: only of those an item states the type.
fn is_calculated_nan(item: &Node<'_>, name: &str, value: &Node<'_>) -> bool {
    matches!(value, Node::String(text) if text.raw() == "NaN")
        && item.get(&format!("{name}@odata.type")).is_some_and(|ty| match ty {
            Node::String(ty) => ty.raw() == "#Double",
            _ => false,
        })
}

/// Gives the values at the end of the way from one item, which may be a collection.
fn walk<'a>(
    steps: &'a [Step],
    item: Item<'a>,
    scope: &Scope<'a, '_>,
    each: Each<'_, 'a>,
) -> ControlFlow<()> {
    if let Node::Array(items) = item.node {
        return walk_many(steps, items, item.ty, scope, each);
    }
    match steps {
        [] => each(Value::of(item.node, item.ty)),
        [Step::Member { .. }, ..] => {
            let (end, rest) = lead(steps, item);
            walk(rest, end, scope, each)
        }
        [Step::Call(call, ty), rest @ ..] => {
            let made = called(call, item, scope).unwrap_or(Node::Null);
            let item = Item { node: &made, ty: *ty };
            walk(rest, item, scope, &mut |value| each(value.into_owned()))
        }
        [Step::Cast(ty), rest @ ..] => walk(rest, item.cast(ty).unwrap_or(NOTHING), scope, each),
        // What should be a collection is not there.
        [Step::Count { .. } | Step::Lambda { .. } | Step::Filter(_) | Step::Key(_), ..] => {
            walk_many(steps, &[], item.ty, scope, each)
        }
    }
}

fn walk_many<'a>(
    steps: &'a [Step],
    nodes: &'a [Node<'a>],
    ty: Type,
    scope: &Scope<'a, '_>,
    each: Each<'_, 'a>,
) -> ControlFlow<()> {
    let is_selector = |step: &&Step| matches!(step, Step::Cast(_) | Step::Filter(_));
    let (selectors, rest) = steps.split_at(steps.iter().take_while(is_selector).count());
    let within_budget = nodes.iter().take_while(|_| scope.meter().step());
    let mut items = within_budget.filter_map(|node| select(selectors, Item { node, ty }, scope));
    match rest {
        [Step::Count { filter, search }, ..] => {
            let counts = |item: &Item<'a>| {
                let inner = scope.at(*item);
                filter.as_ref().is_none_or(|filter| filter.truth(&inner) == Some(true))
                    && search.as_ref().is_none_or(|search| scope.environment.finds(search, *item))
            };
            each(Value::Int(items.filter(counts).count() as i64))
        }
        [Step::Lambda { quantifier, body }, ..] => {
            let holds = |item: Item<'a>| {
                body.as_ref().is_none_or(|(name, body)| {
                    let variable = Variable { name, item, outer: scope.variables };
                    body.truth(&Scope { variables: Some(&variable), ..*scope }) == Some(true)
                })
            };
            each(Value::Bool(match quantifier {
                Quantifier::Any => items.any(holds),
                Quantifier::All => items.all(holds),
            }))
        }
        [Step::Key(key), behind @ ..] => {
            let has_key = |item: &Item<'a>| {
                item.node.get(KEY).is_some_and(|id| Value::of(id, DYNAMIC).equals(key))
            };
            let found = items.find(has_key).unwrap_or(NOTHING);
            walk(behind, found, scope, each)
        }
        rest => items.try_for_each(|item| walk(rest, item, scope, each)),
    }
}

/// The item as those casts and filters leave it.
fn select<'a>(
    selectors: &'a [Step],
    mut item: Item<'a>,
    scope: &Scope<'a, '_>,
) -> Option<Item<'a>> {
    for selector in selectors {
        match selector {
            Step::Cast(ty) => item = item.cast(ty)?,
            Step::Filter(condition) if condition.truth(&scope.at(item)) == Some(true) => {}
            _ => return None,
        }
    }
    Some(item)
}
