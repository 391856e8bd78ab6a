//! Random expressions: nothing panics, and what is calculated beforehand is what would have been
//! calculated for each item.

use std::borrow::Cow;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::bound::{Aggregate, Apply, Arithmetic, GroupKey, Method, Place, Transformation};
use crate::eval::{Pipeline, Sizes};
use crate::json::{Member, Text, write_node};
use crate::primitive::Duration;

fn number() -> impl Strategy<Value = Expr> {
    prop_oneof![
        any::<i64>().prop_map(int),
        (-3..4_i64).prop_map(int),
        any::<f64>().prop_map(|value| real(&format!("{value:?}").replace("inf", "INF"))),
        (-6..7_i32).prop_map(|half| real(&format!("{:?}", f64::from(half) / 2.0))),
        Just(null()),
    ]
}

fn word() -> impl Strategy<Value = Expr> {
    prop_oneof![
        any::<String>().prop_map(|value| text(&value)),
        "[aA]?[bB]?[éÉ]?😀?".prop_map(|value| text(&value)),
        Just(text("E523D2ED-2966-4b6b-925b-754a88034cc5")),
        Just(text("e523d2ed-2966-4B6B-925B-754a88034cc5")),
        Just(null()),
    ]
}

fn time() -> impl Strategy<Value = Expr> {
    // Instants that their text form can tell: years of four digits.
    let instant = -62_135_596_800_i64..253_402_300_800;
    let length = prop_oneof![any::<i64>(), -100..100_i64].prop_filter("has a text", |ticks| {
        Duration::parse(&Duration(*ticks).to_string()) == Some(Duration(*ticks))
    });
    prop_oneof![
        (instant, 0..10_000_000_i64).prop_map(|(seconds, ticks)| {
            literal(Literal::DateTimeOffset(Moment::utc(seconds * 10_000_000 + ticks)))
        }),
        (0..9_i64, 0..100_000_u32, -840..840_i16).prop_map(|(ticks, rest, offset)| {
            literal(Literal::DateTimeOffset(Moment { at: Fine { ticks, rest }, offset }))
        }),
        (-2..2_i64, 0..100_000_u32)
            .prop_map(|(ticks, rest)| literal(Literal::Duration(Fine { ticks, rest }))),
        length.prop_map(|ticks| literal(Literal::Duration(Fine::of(ticks)))),
        (1..9999_i32, 1..29_u8).prop_map(|(year, day)| {
            literal(Literal::Date(format!("{year:04}-02-{:02}", day.min(28))))
        }),
        (0..24_u8, 0..60_u8).prop_map(|(hour, minute)| {
            literal(Literal::TimeOfDay(format!("{hour:02}:{minute:02}:07.25")))
        }),
    ]
}

fn expression() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![number(), word(), time(), any::<bool>().prop_map(boolean)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        const OPERATORS: [Operator; 6] =
            [Operator::Eq, Operator::Ne, Operator::Lt, Operator::Le, Operator::Gt, Operator::Ge];
        const ARITHMETIC: [Arithmetic; 6] = [
            Arithmetic::Add,
            Arithmetic::Sub,
            Arithmetic::Mul,
            Arithmetic::Div,
            Arithmetic::DivBy,
            Arithmetic::Mod,
        ];
        const TYPES: [Primitive; 8] = [
            Primitive::String,
            Primitive::Int32,
            Primitive::Int64,
            Primitive::Double,
            Primitive::Duration,
            Primitive::DateTimeOffset,
            Primitive::Date,
            Primitive::Boolean,
        ];
        let some = |most| prop::collection::vec(inner.clone(), 1..most);
        let pair = || (inner.clone(), inner.clone());
        let boxed = |expr: Expr| Box::new(expr);
        prop_oneof![
            (prop::sample::select(&OPERATORS[..]), pair())
                .prop_map(|(operator, (a, b))| compare(operator, a, b)),
            (prop::sample::select(&ARITHMETIC[..]), pair()).prop_map(move |(operator, (a, b))| {
                expr(ExprKind::Arithmetic(operator, boxed(a), boxed(b), Place::default()))
            }),
            (prop::sample::select(&ARITHMETIC[..]), number(), number()).prop_map(
                move |(operator, a, b)| {
                    expr(ExprKind::Arithmetic(operator, boxed(a), boxed(b), Place::default()))
                }
            ),
            (prop::sample::select(&Function::ALL[..]), some(4))
                .prop_map(|(function, arguments)| call(function, arguments)),
            (prop::sample::select(&Function::ALL[..]), word(), word())
                .prop_map(|(function, a, b)| call(function, vec![a, b])),
            (prop::sample::select(&Function::ALL[..]), time())
                .prop_map(|(function, a)| call(function, vec![a])),
            some(4).prop_map(|operands| expr(ExprKind::And(operands))),
            some(4).prop_map(|operands| expr(ExprKind::Or(operands))),
            inner.clone().prop_map(move |operand| expr(ExprKind::Not(boxed(operand)))),
            inner
                .clone()
                .prop_map(move |operand| expr(ExprKind::Negate(boxed(operand), Place::default()))),
            (inner.clone(), some(12)).prop_map(move |(left, items)| {
                expr(ExprKind::In(boxed(left), boxed(list(items))))
            }),
            (word(), prop::collection::vec(word(), 8..12)).prop_map(move |(left, items)| {
                expr(ExprKind::In(boxed(left), boxed(list(items))))
            }),
            (inner.clone(), prop::sample::select(&TYPES[..])).prop_map(move |(operand, ty)| {
                expr(ExprKind::Cast(boxed(operand), Type::Primitive(ty)))
            }),
            pair().prop_map(|branch| expr(ExprKind::Case(vec![branch]))),
        ]
    })
}

/// Puts a member with the same value in place of each literal.
fn spread(expr: &mut Expr, members: &mut Vec<Member<'static>>) {
    match &mut expr.kind {
        ExprKind::Literal(literal) => {
            let quoted = |text: String| Node::String(Text::of(&text));
            let (ty, value) = match literal {
                Literal::Boolean(value) => (Primitive::Boolean, Node::Bool(*value)),
                Literal::Integer(value) => {
                    (Primitive::Int64, Node::Number(value.to_string().into()))
                }
                Literal::Number(text) if text.ends_with(['F', 'N']) => {
                    (Primitive::Double, quoted(text.clone()))
                }
                Literal::Number(text) => (Primitive::Double, Node::Number(text.clone().into())),
                Literal::String(text) => (Primitive::String, quoted(text.clone())),
                Literal::Date(text) => (Primitive::Date, quoted(text.clone())),
                Literal::TimeOfDay(text) => (Primitive::TimeOfDay, quoted(text.clone())),
                Literal::DateTimeOffset(at) => (Primitive::DateTimeOffset, quoted(at.to_string())),
                Literal::Duration(length) => {
                    let mut text = String::new();
                    length.write_duration(&mut text).unwrap();
                    (Primitive::Duration, quoted(text))
                }
                _ => (Primitive::String, Node::Null),
            };
            let name = format!("m{}", members.len());
            *expr = typed(&name, ty);
            members.push(Member { name: Text::owned(name), value });
        }
        ExprKind::Not(operand) | ExprKind::Negate(operand, _) | ExprKind::Cast(operand, _) => {
            spread(operand, members);
        }
        ExprKind::Compare(_, a, b) | ExprKind::Arithmetic(_, a, b, _) | ExprKind::In(a, b) => {
            spread(a, members);
            spread(b, members);
        }
        ExprKind::And(operands)
        | ExprKind::Or(operands)
        | ExprKind::Call(_, operands)
        | ExprKind::List(operands) => {
            for operand in operands {
                spread(operand, members);
            }
        }
        ExprKind::Case(branches) => {
            for (when, then) in branches {
                spread(when, members);
                spread(then, members);
            }
        }
        other => unreachable!("none such was made: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn knowing_values_beforehand_changes_nothing(expr in expression()) {
        let mut dynamic = expr.clone();
        let mut members = Vec::new();
        spread(&mut dynamic, &mut members);
        let mut item = Vec::new();
        write_node(&mut item, &Node::Object(members));
        let item = String::from_utf8(item).unwrap();
        prop_assert_eq!(shown(&expr, "{}"), shown(&dynamic, &item));
    }

    #[test]
    fn figures_of_groups_are_those_of_their_items(
        rows in prop::collection::vec((0..4_i64, prop::option::of(-9..9_i64)), 0..40),
    ) {
        let figure = |method, alias: &str| Aggregate {
            value: Some(path("v")),
            method,
            alias: alias.to_owned(),
            place: Place::default(),
        };
        let aggregate = Transformation::Aggregate(vec![
            figure(Method::Sum, "sum"),
            figure(Method::Min, "min"),
            figure(Method::Max, "max"),
            figure(Method::Average, "mean"),
            figure(Method::CountDistinct, "kinds"),
            figure(Method::Count, "count"),
        ]);
        let ExprKind::Path(key) = path("k").kind else { unreachable!("a path was made") };
        let group = Transformation::GroupBy {
            keys: vec![GroupKey::Path(key)],
            apply: Some(Apply { steps: vec![aggregate] }),
        };
        let pipeline = Pipeline::new(&Apply { steps: vec![group] }, DYNAMIC).unwrap();
        let sizes = Sizes { groups: 4, items: 4, values: 40 };
        let mut run = pipeline.start(sizes, environment());
        for (key, value) in &rows {
            let value = value.map_or("null".to_owned(), |value| value.to_string());
            let item = format!("{{\"k\":{key},\"v\":{value}}}");
            prop_assert!(run.push(Cow::Owned(Node::parse(&item).unwrap())).unwrap().is_continue());
        }
        let found = run.finish().unwrap();
        let number = |group: &Node<'_>, name: &str| match group.get(name) {
            Some(Node::Number(digits)) => Some(digits.parse::<f64>().unwrap()),
            _ => None,
        };
        let keys: BTreeSet<i64> = rows.iter().map(|(key, _)| *key).collect();
        prop_assert_eq!(found.len(), keys.len());
        for group in &found {
            let key = number(group, "k").unwrap() as i64;
            let of_group = rows.iter().filter(|(other, _)| *other == key);
            let values: Vec<i64> = of_group.filter_map(|(_, value)| *value).collect();
            let sum = values.iter().sum::<i64>() as f64;
            let count = values.len() as f64;
            let kinds = values.iter().collect::<BTreeSet<_>>().len() as f64;
            let has_any = !values.is_empty();
            prop_assert_eq!(number(group, "sum"), has_any.then_some(sum));
            prop_assert_eq!(number(group, "mean"), has_any.then_some(sum / count));
            prop_assert_eq!(number(group, "min"), values.iter().min().map(|min| *min as f64));
            prop_assert_eq!(number(group, "max"), values.iter().max().map(|max| *max as f64));
            prop_assert_eq!(number(group, "kinds"), Some(kinds));
            prop_assert_eq!(number(group, "count"), Some(count));
        }
    }
}
