//! Syntax trees as text: operators before their operands, names as they were written.

use crate::ast::{
    Aggregate, Argument, Compute, Expr, ExprKind, GroupKey, Item, ItemKind, Levels, Options,
    OrderBy, Path, PathStep, Root, StepKind, Transformation, TransformationKind, Unary,
};
use crate::bound::Search;

/// An expression.
pub(crate) fn expression(expr: &Expr) -> String {
    let all = |items: &[Expr]| joined(items, " ", expression);
    match &expr.kind {
        ExprKind::Literal(literal) => literal.to_string(),
        ExprKind::Alias(name) => format!("@{name}"),
        ExprKind::Path(path) => self::path(path),
        ExprKind::Unary(Unary::Not, operand) => format!("(not {})", expression(operand)),
        ExprKind::Unary(Unary::Negate, operand) => format!("(- {})", expression(operand)),
        ExprKind::And(parts) => format!("(and {})", all(parts)),
        ExprKind::Or(parts) => format!("(or {})", all(parts)),
        ExprKind::Binary(operator, left, right) => {
            format!("({} {} {})", operator.name(), expression(left), expression(right))
        }
        ExprKind::In(item, list) => format!("(in {} {})", expression(item), expression(list)),
        ExprKind::Call(name, arguments) => format!("{name}({})", all(arguments)),
        ExprKind::Case(branches) => {
            let branch =
                |(when, then): &(Expr, Expr)| format!("{}:{}", expression(when), expression(then));
            format!("case({})", joined(branches, " ", branch))
        }
        ExprKind::List(items) => format!("[{}]", all(items)),
        ExprKind::Object(members) => {
            let member = |(name, value): &(String, Expr)| format!("{name}:{}", expression(value));
            format!("{{{}}}", joined(members, " ", member))
        }
    }
}

fn path(path: &Path) -> String {
    let root = match &path.root {
        Root::Implicit => None,
        Root::Dollar(name) => Some(name.clone()),
        Root::Alias(name) => Some(format!("@{name}")),
    };
    root.into_iter().chain(path.steps.iter().map(step)).collect::<Vec<_>>().join("/")
}

fn step(step: &PathStep) -> String {
    let arguments = |arguments: &[Argument]| {
        let one = |argument: &Argument| match &argument.name {
            Some(name) => format!("{name}={}", expression(&argument.value)),
            None => expression(&argument.value),
        };
        joined(arguments, ",", one)
    };
    match &step.kind {
        StepKind::Name(name) => name.clone(),
        StepKind::Call(name, given) => format!("{name}({})", arguments(given)),
        StepKind::Key(given) => format!("({})", arguments(given)),
        StepKind::Annotation(name) => format!("@{name}"),
        StepKind::Count(None) => "$count".to_owned(),
        StepKind::Count(Some(options)) => format!("$count({})", self::options(options).join(" ")),
        StepKind::Filter(condition) => format!("$filter({})", expression(condition)),
        StepKind::Aggregate(figures) => format!("aggregate({})", joined(figures, " ", figure)),
        StepKind::Lambda(quantifier, None) => format!("{quantifier:?}()"),
        StepKind::Lambda(quantifier, Some((variable, body))) => {
            format!("{quantifier:?}({variable}:{})", expression(body))
        }
    }
}

/// Each option that is given, with its value.
pub(crate) fn options(options: &Options) -> Vec<String> {
    let mut out = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        out.extend(value.map(|value| format!("{name}={value}")));
    };
    add("$apply", options.apply.as_deref().map(transformations));
    add("$compute", options.compute.as_ref().map(|all| joined(all, " ", computed)));
    add("$filter", options.filter.as_ref().map(expression));
    add("$search", options.search.as_ref().map(search));
    add("$orderby", options.orderby.as_ref().map(|keys| joined(keys, " ", order_key)));
    add("$select", options.select.as_ref().map(|items| joined(items, " ", item)));
    add("$expand", options.expand.as_ref().map(|items| joined(items, " ", item)));
    add("$skip", options.skip.map(|number| number.to_string()));
    add("$top", options.top.map(|number| number.to_string()));
    add("$count", options.count.map(|value| value.to_string()));
    add("$index", options.index.map(|number| number.to_string()));
    add(
        "$levels",
        options.levels.map(|levels| match levels {
            Levels::Max => "max".to_owned(),
            Levels::Times(times) => times.to_string(),
        }),
    );
    add("$format", options.format.clone());
    add("$skiptoken", options.skiptoken.clone());
    add("$deltatoken", options.deltatoken.clone());
    add("$schemaversion", options.schemaversion.clone());
    for (name, value) in &options.aliases {
        add(&format!("@{name}"), Some(expression(value)));
    }
    out
}

fn computed(computed: &Compute) -> String {
    format!("(as {} {})", computed.alias, expression(&computed.value))
}

fn order_key(key: &OrderBy) -> String {
    let direction = if key.is_descending { "desc" } else { "asc" };
    format!("({direction} {})", expression(&key.key))
}

/// What `$search` asks for.
pub(crate) fn search(search: &Search) -> String {
    match search {
        Search::Word(word) => word.clone(),
        Search::Phrase(phrase) => format!("\"{phrase}\""),
        Search::Not(inner) => format!("(not {})", self::search(inner)),
        Search::And(a, b) => format!("(and {} {})", self::search(a), self::search(b)),
        Search::Or(a, b) => format!("(or {} {})", self::search(a), self::search(b)),
    }
}

fn item(item: &Item) -> String {
    let path: Vec<String> = item
        .path
        .iter()
        .map(|step| match &step.kind {
            ItemKind::Name(name) => name.clone(),
            ItemKind::Annotation(name) => format!("@{name}"),
            ItemKind::Star => "*".to_owned(),
            ItemKind::AllOperations(name) => format!("{name}.*"),
            ItemKind::Ref => "$ref".to_owned(),
            ItemKind::Count => "$count".to_owned(),
            ItemKind::Value => "$value".to_owned(),
        })
        .collect();
    let path = path.join("/");
    match &item.options {
        Some(options) => format!("{path}({})", self::options(options).join(" ")),
        None => path,
    }
}

fn transformations(steps: &[Transformation]) -> String {
    joined(steps, "/", transformation)
}

fn transformation(step: &Transformation) -> String {
    match &step.kind {
        TransformationKind::Identity => "identity".to_owned(),
        TransformationKind::Filter(condition) => format!("filter({})", expression(condition)),
        TransformationKind::Search(search) => format!("search({})", self::search(search)),
        TransformationKind::Compute(all) => format!("compute({})", joined(all, " ", computed)),
        TransformationKind::OrderBy(keys) => format!("orderby({})", joined(keys, " ", order_key)),
        TransformationKind::Skip(count) => format!("skip({count})"),
        TransformationKind::Top(count) => format!("top({count})"),
        TransformationKind::Aggregate(figures) => {
            format!("aggregate({})", joined(figures, " ", figure))
        }
        TransformationKind::GroupBy(keys, apply) => {
            let keys = joined(keys, " ", |key| match key {
                GroupKey::Path(path) => expression(path),
                GroupKey::Hierarchy => "rolluprecursive(…)".to_owned(),
                GroupKey::Rollup(paths, all) => {
                    let all = if *all { "$all " } else { "" };
                    format!("rollup({all}{})", joined(paths, " ", expression))
                }
            });
            let apply = apply.as_deref().map(transformations);
            format!("groupby(({keys}) {})", apply.unwrap_or_default())
        }
        TransformationKind::Concat(chains) => {
            format!("concat({})", joined(chains, " ", |chain| transformations(chain)))
        }
        TransformationKind::Extreme(kind, amount, by) => {
            format!("{}({} {})", kind.name(), expression(amount), expression(by))
        }
        TransformationKind::Join(join) => {
            let name = if join.is_outer { "outerjoin" } else { "join" };
            let apply = join.apply.as_deref().map(transformations).unwrap_or_default();
            format!("{name}((as {} {}) {apply})", join.alias.name, expression(&join.path))
        }
        TransformationKind::Other(name) => format!("{name}(…)"),
    }
}

fn figure(figure: &Aggregate) -> String {
    let mut text = expression(&figure.value);
    if let Some(method) = &figure.method {
        text = format!("({} {text})", method.name);
    }
    match &figure.alias {
        Some(alias) => format!("(as {} {text})", alias.name),
        None => text,
    }
}

fn joined<T>(items: &[T], between: &str, show: impl Fn(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(between)
}
