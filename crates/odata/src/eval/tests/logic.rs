//! Comparisons, null, and three-valued logic.

use super::*;
use Operator::{Eq, Ge, Gt, Le, Lt, Ne};

const OPERATORS: [Operator; 6] = [Eq, Ne, Lt, Le, Gt, Ge];

fn not(operand: Expr) -> Expr {
    expr(ExprKind::Not(Box::new(operand)))
}

fn is_in(left: Expr, items: Vec<Expr>) -> Expr {
    expr(ExprKind::In(Box::new(left), Box::new(list(items))))
}

/// What the six comparisons say of two values, one as a literal, one from an item.
fn compared(left: &str, right: Expr) -> [bool; 6] {
    OPERATORS.map(|operator| {
        let condition = compare(operator, path("a"), right.clone());
        let value = shown(&condition, &format!("{{\"a\":{left}}}"));
        let mirrored = compare(operator.mirrored(), right.clone(), path("a"));
        assert_eq!(shown(&mirrored, &format!("{{\"a\":{left}}}")), value);
        value == "true"
    })
}

const LESS: [bool; 6] = [false, true, true, true, false, false];
const EQUAL: [bool; 6] = [true, false, false, true, false, true];
const GREATER: [bool; 6] = [false, true, false, false, true, true];
const APART: [bool; 6] = [false, true, false, false, false, false];

#[test]
fn connectives_have_the_truth_tables_of_three_values() {
    let values = [("true", boolean(true)), ("false", boolean(false)), ("null", null())];
    for (a_name, a) in &values {
        let negated = match *a_name {
            "true" => "false",
            "false" => "true",
            _ => "null",
        };
        assert_eq!(shown(&not(a.clone()), "{}"), negated);
        for (b_name, b) in &values {
            let names = [*a_name, *b_name];
            let both = expr(ExprKind::And(vec![a.clone(), b.clone()]));
            let one = expr(ExprKind::Or(vec![a.clone(), b.clone()]));
            let and = match names {
                _ if names.contains(&"false") => "false",
                _ if names.contains(&"null") => "null",
                _ => "true",
            };
            let or = match names {
                _ if names.contains(&"true") => "true",
                _ if names.contains(&"null") => "null",
                _ => "false",
            };
            assert_eq!(
                (shown(&both, "{}"), shown(&one, "{}")),
                (and.into(), or.into()),
                "{names:?}"
            );
            // The same where nothing is known beforehand.
            let item = format!("{{\"a\":{a_name},\"b\":{b_name}}}");
            let both = expr(ExprKind::And(vec![path("a"), path("b")]));
            assert_eq!(shown(&both, &item), and);
        }
    }
}

#[test]
fn comparisons_with_null_are_never_null() {
    let missing = |operator| compare(operator, path("x"), null());
    let of_value = |operator| compare(operator, path("a"), null());
    for (operator, expected) in
        OPERATORS.into_iter().zip(["true", "false", "false", "true", "false", "true"])
    {
        assert_eq!(shown(&missing(operator), "{\"a\":1}"), expected, "{operator:?}");
    }
    for (operator, expected) in
        OPERATORS.into_iter().zip(["false", "true", "false", "false", "false", "false"])
    {
        assert_eq!(shown(&of_value(operator), "{\"a\":1}"), expected, "{operator:?}");
    }
    assert_eq!(shown(&not(compare(Gt, path("x"), int(1))), "{}"), "true");
}

#[test]
fn numbers_are_compared_by_their_exact_values() {
    assert_eq!(compared("1", int(1)), EQUAL);
    assert_eq!(compared("1.0", int(1)), EQUAL);
    assert_eq!(compared("1", real("1.5")), LESS);
    assert_eq!(compared("9007199254740993", real("9007199254740992")), GREATER);
    assert_eq!(compared("9223372036854775807", real("9223372036854775808")), LESS);
    assert_eq!(compared("-9223372036854775808", real("-9223372036854775808.0")), EQUAL);
    assert_eq!(compared("9223372036854775807", real("INF")), LESS);
    assert_eq!(compared("-9223372036854775808", real("-INF")), GREATER);
    assert_eq!(compared("1", text("1")), APART);
}

#[test]
fn nan_counts_as_null_and_infinities_are_values() {
    let item = "{\"a\":\"NaN\",\"b\":\"-INF\"}";
    let a = typed("a", Primitive::Double);
    let b = typed("b", Primitive::Double);
    assert_eq!(shown(&compare(Eq, a.clone(), null()), item), "true");
    assert_eq!(shown(&compare(Ge, a, int(0)), item), "false");
    assert_eq!(shown(&compare(Lt, b.clone(), real("-1e308")), item), "true");
    assert_eq!(shown(&b, item), "\"-INF\"");
}

#[test]
fn text_is_ordered_by_its_bytes_and_guids_are_equal_in_any_case() {
    assert_eq!(compared("\"Z\"", text("a")), LESS);
    assert_eq!(compared("\"\\u00e9\"", text("é")), EQUAL);
    assert_eq!(compared("\"\\ud83d\\ude00\"", text("\u{ffee}")), GREATER);
    let upper = "E523D2ED-2966-4B6B-925B-754A88034CC5";
    let lower = upper.to_ascii_lowercase();
    let item = format!("{{\"a\":\"{upper}\"}}");
    assert_eq!(shown(&compare(Eq, path("a"), text(&lower)), &item), "true");
    assert_eq!(shown(&compare(Ne, path("a"), literal(Literal::Guid(lower))), &item), "false");
    let almost = upper.replace('-', "x");
    let item = format!("{{\"a\":\"{almost}\"}}");
    assert_eq!(shown(&compare(Eq, path("a"), text(&almost.to_ascii_lowercase())), &item), "false");
}

#[test]
fn values_of_other_types_are_not_equal_and_have_no_order() {
    for left in ["true", "\"x\"", "{}", "[1]"] {
        assert_eq!(compared(left, int(1)), APART, "{left}");
    }
    for right in [instant("2020-01-01"), duration("PT1S"), boolean(true)] {
        assert_eq!(compared("\"2020\"", right), APART);
    }
    assert_eq!(compared("false", boolean(true)), LESS);
}

#[test]
fn a_day_stands_for_its_midnight_beside_an_instant() {
    let at = typed("a", Primitive::DateTimeOffset);
    let day = literal(Literal::Date("2020-01-02".to_owned()));
    let item = "{\"a\":\"2020-01-02T01:00:00+01:00\"}";
    assert_eq!(shown(&compare(Eq, at.clone(), day.clone()), item), "true");
    assert_eq!(shown(&compare(Lt, day, at), "{\"a\":\"2020-01-02T00:00:00.0000001Z\"}"), "true");
}

#[test]
fn in_is_eq_with_any_of_the_items() {
    let item = "{\"a\":\"b\"}";
    assert_eq!(shown(&is_in(path("a"), vec![text("a"), text("b")]), item), "true");
    assert_eq!(shown(&is_in(path("a"), vec![]), item), "false");
    assert_eq!(shown(&is_in(path("x"), vec![null(), text("b")]), item), "true");
    assert_eq!(shown(&is_in(path("x"), vec![text("b")]), item), "false");
    assert_eq!(shown(&is_in(int(1), vec![real("1.0")]), item), "true");
}

#[test]
fn long_lists_mean_the_same_as_short_ones() {
    let guid = "e523d2ed-2966-4b6b-925b-754a88034cc5";
    let mut items: Vec<Expr> = (0..50).map(|number| text(&format!("Item{number}"))).collect();
    items.push(text(&guid.to_ascii_uppercase()));
    for (value, expected) in [
        ("\"Item7\"".to_owned(), "true"),
        ("\"item7\"".to_owned(), "false"),
        (format!("\"{guid}\""), "true"),
        (format!("\"{}\"", guid.replace('e', "E")), "true"),
        ("null".to_owned(), "false"),
        ("7".to_owned(), "false"),
    ] {
        let item = format!("{{\"a\":{value}}}");
        assert_eq!(shown(&is_in(path("a"), items.clone()), &item), expected, "{value}");
    }
}

#[test]
fn enumerations_are_equal_by_name_and_ordered_by_value() {
    let Some(Type::Enum(ty)) = structured("callRecord").property("type").map(|found| found.ty)
    else {
        panic!("the type of a record is an enumeration");
    };
    let member = |members: &str| Expr {
        ty: Ty::One(Type::Enum(ty)),
        ..literal(Literal::Enum { ty: ty.name.to_owned(), members: members.to_owned() })
    };
    let check = |operator, wanted: &str, stored: &str| {
        let item = format!("{{\"type\":\"{stored}\"}}");
        record(&compare(operator, path("type"), member(wanted)), &item)
    };
    assert_eq!(check(Eq, "groupCall", "groupCall"), "true");
    assert_eq!(check(Eq, "1", "groupCall"), "true");
    assert_eq!(check(Lt, "peerToPeer", "groupCall"), "true");
    assert_eq!(check(Eq, "unknownFutureValue", "holoCall"), "false");
    assert_eq!(check(Eq, "holoCall", "holoCall"), "true");
    assert_eq!(check(Gt, "groupCall", "holoCall"), "false");
    let has = |wanted: &str, item: &str| {
        record(&expr(ExprKind::Has(Box::new(path("type")), Box::new(member(wanted)))), item)
    };
    assert_eq!(has("groupCall", "{\"type\":\"groupCall\"}"), "true");
    assert_eq!(has("peerToPeer", "{\"type\":\"unknownFutureValue\"}"), "false");
    assert_eq!(has("groupCall", "{\"type\":\"groupCall,peerToPeer\"}"), "true");
    assert_eq!(has("groupCall", "{}"), "null");
}

#[test]
fn case_gives_the_first_value_whose_condition_holds() {
    let case = expr(ExprKind::Case(vec![
        (compare(Gt, path("a"), int(2)), text("many")),
        (compare(Gt, path("a"), int(0)), text("few")),
    ]));
    assert_eq!(shown(&case, "{\"a\":3}"), "\"many\"");
    assert_eq!(shown(&case, "{\"a\":1}"), "\"few\"");
    assert_eq!(shown(&case, "{\"a\":0}"), "null");
}
