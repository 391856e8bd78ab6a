//! Functions on values, on null and on values of other types; `cast` and `isof`.

use super::*;
use Function::*;

const ITEM: &str = r#"{"text":"Zo\u00eb 😀","at":"2020-02-29T23:58:57.1234567+01:00",
    "length":"-P1DT0.5S","day":"2020-02-29","time":"23:58:57.5","int":-7,"real":-7.5,
    "list":[4,1,3],"yes":true}"#;

fn at() -> Expr {
    typed("at", Primitive::DateTimeOffset)
}

#[track_caller]
fn check(function: Function, arguments: Vec<Expr>, expected: &str) {
    assert_eq!(shown(&call(function, arguments), ITEM), expected, "{}", function.name());
}

#[test]
fn functions_of_text_count_characters() {
    let s = || path("text");
    check(Concat, vec![s(), text("!")], "\"Zoë 😀!\"");
    check(Contains, vec![s(), text("ë ")], "true");
    check(Contains, vec![s(), text("")], "true");
    check(Contains, vec![s(), text("E")], "false");
    check(StartsWith, vec![s(), text("Zo")], "true");
    check(EndsWith, vec![s(), text("😀")], "true");
    check(IndexOf, vec![s(), text("😀")], "4");
    check(IndexOf, vec![s(), text("x")], "-1");
    check(Length, vec![s()], "5");
    check(Substring, vec![s(), int(4)], "\"😀\"");
    check(Substring, vec![s(), int(-2), int(3)], "\" 😀\"");
    check(Substring, vec![s(), int(9), int(3)], "\"\"");
    check(ToLower, vec![s()], "\"zoë 😀\"");
    check(ToUpper, vec![s()], "\"ZOË 😀\"");
    check(Trim, vec![text("\u{2003}a ")], "\"a\"");
    check(MatchesPattern, vec![s(), text("^Z.*\\s")], "true");
    check(MatchesPattern, vec![s(), text("(")], "null");
    check(MatchesPattern, vec![text("Zoë 😀!"), s()], "true");
}

#[test]
fn instants_are_put_into_stretches_of_time_that_a_clock_elsewhere_tells() {
    let day = || duration("P1D");
    check(Bucket, vec![at(), duration("PT1H")], "\"2020-02-29T22:00:00Z\"");
    check(Bucket, vec![at(), day()], "\"2020-02-29T00:00:00Z\"");
    // Two hours ahead of UTC the next day has begun.
    check(Bucket, vec![at(), day(), duration("PT2H")], "\"2020-02-29T22:00:00Z\"");
    check(Bucket, vec![at(), day(), duration("-PT5H")], "\"2020-02-29T05:00:00Z\"");
    let early = instant("1969-12-31T23:59:59.99999999Z");
    check(Bucket, vec![early, duration("PT0.0000001S")], "\"1969-12-31T23:59:59.9999999Z\"");
    check(Bucket, vec![path("nothing"), day()], "null");
    check(Bucket, vec![at(), day(), path("nothing")], "null");
    check(Bucket, vec![at(), duration("PT0S")], "null");
}

#[test]
fn shares_of_nothing_are_null() {
    check(Ratio, vec![int(1), int(4)], "0.25");
    check(Ratio, vec![typed("real", Primitive::Double), int(5)], "-1.5");
    check(Ratio, vec![int(1), int(0)], "null");
    check(Ratio, vec![path("nothing"), int(4)], "null");
    check(Wilson, vec![int(0), int(4)], "0.0");
    check(Wilson, vec![int(5), int(4)], "null");
    check(Wilson, vec![int(1), path("text")], "null");
}

#[test]
fn functions_of_time_answer_in_the_zone_of_their_argument() {
    check(Year, vec![at()], "2020");
    check(Month, vec![typed("day", Primitive::Date)], "2");
    check(Day, vec![at()], "29");
    check(Hour, vec![at()], "23");
    check(Date, vec![instant("2020-01-01T00:30:00+01:00")], "\"2020-01-01\"");
    check(Minute, vec![typed("time", Primitive::TimeOfDay)], "58");
    check(Second, vec![at()], "57");
    check(FractionalSeconds, vec![at()], "0.1234567");
    check(Date, vec![at()], "\"2020-02-29\"");
    check(Time, vec![at()], "\"23:58:57.1234567\"");
    check(TotalOffsetMinutes, vec![at()], "60");
    check(TotalOffsetMinutes, vec![instant("2020-01-01T00:00:00+01:00")], "60");
    check(TotalSeconds, vec![typed("length", Primitive::Duration)], "-86400.5");
    check(MinDateTime, vec![], "\"0001-01-01T00:00:00Z\"");
    check(MaxDateTime, vec![], "\"9999-12-31T23:59:59.9999999Z\"");
}

#[test]
fn times_before_1970_have_positive_parts() {
    let before = || instant("1969-12-31T23:59:59.5Z");
    check(Second, vec![before()], "59");
    check(FractionalSeconds, vec![before()], "0.5");
    check(Date, vec![before()], "\"1969-12-31\"");
    let first = || literal(Literal::DateTimeOffset(Moment::utc(i64::MIN)));
    check(Year, vec![first()], "-27258");
    check(Hour, vec![first()], "21");
}

#[test]
fn rounding_goes_away_from_zero_and_keeps_whole_numbers_whole() {
    let real = || path("real");
    check(Round, vec![real()], "-8.0");
    check(Floor, vec![real()], "-8.0");
    check(Ceiling, vec![real()], "-7.0");
    check(Round, vec![path("int")], "-7");
    check(Floor, vec![int(i64::MIN)], "-9223372036854775808");
    check(Round, vec![super::real("INF")], "\"INF\"");
}

#[test]
fn functions_of_collections_compare_their_items() {
    let items = || path("list");
    check(HasSubset, vec![items(), list(vec![int(3), int(4)])], "true");
    check(HasSubset, vec![items(), list(vec![int(3), int(3)])], "false");
    check(HasSubsequence, vec![items(), list(vec![int(4), int(3)])], "true");
    check(HasSubsequence, vec![items(), list(vec![int(3), int(4)])], "false");
    check(Contains, vec![items(), list(vec![int(1), int(3)])], "true");
    check(StartsWith, vec![items(), list(vec![int(4), int(1)])], "true");
    check(EndsWith, vec![items(), list(vec![int(4)])], "false");
    check(IndexOf, vec![items(), list(vec![int(3)])], "2");
    check(Length, vec![items()], "3");
    check(Concat, vec![items(), list(vec![int(9)])], "[4,1,3,9]");
    check(Substring, vec![items(), int(1), int(1)], "[1]");
    check(Substring, vec![items(), int(1)], "[1,3]");
}

#[test]
fn every_function_is_null_for_null_and_for_another_type() {
    for function in Function::ALL {
        if matches!(function, IsDefined | MinDateTime | MaxDateTime) {
            continue;
        }
        for count in 1..=3 {
            let nulls = vec![path("missing"); count];
            assert_eq!(shown(&call(function, nulls), ITEM), "null", "{}", function.name());
            let booleans = vec![path("yes"); count];
            assert_eq!(shown(&call(function, booleans), ITEM), "null", "{}", function.name());
        }
        for other in ["text", "int", "list"] {
            let mixed = vec![path(other), path("missing"), path("yes")];
            assert_eq!(shown(&call(function, mixed), ITEM), "null", "{}", function.name());
        }
    }
    check(Year, vec![path("text")], "null");
    check(Length, vec![path("int")], "null");
    check(Substring, vec![path("text"), path("real")], "null");
}

#[test]
fn casts_keep_what_the_other_type_can_hold() {
    let cast =
        |value: Expr, ty| shown(&expr(ExprKind::Cast(Box::new(value), Type::Primitive(ty))), ITEM);
    for (value, ty, expected) in [
        (path("int"), Primitive::String, "\"-7\""),
        (at(), Primitive::String, "\"2020-02-29T23:58:57.1234567+01:00\""),
        (path("yes"), Primitive::String, "\"true\""),
        (path("real"), Primitive::Int32, "-8"),
        (real("3e9"), Primitive::Int32, "null"),
        (real("3e9"), Primitive::Int64, "3000000000"),
        (real("1e19"), Primitive::Int64, "null"),
        (path("int"), Primitive::Double, "-7.0"),
        (text("12"), Primitive::Int64, "12"),
        (text("x"), Primitive::Double, "null"),
        (at(), Primitive::Date, "\"2020-02-29\""),
        (at(), Primitive::TimeOfDay, "\"23:58:57.1234567\""),
        (text("1.5"), Primitive::Decimal, "1.5"),
        (text("PT90S"), Primitive::Duration, "\"PT1M30S\""),
        (text("2020-01-01"), Primitive::DateTimeOffset, "\"2020-01-01T00:00:00Z\""),
        (text("2020-01-01"), Primitive::Date, "\"2020-01-01\""),
        (text("10:00"), Primitive::TimeOfDay, "\"10:00:00\""),
        (text("True"), Primitive::Boolean, "true"),
        (text("x"), Primitive::Guid, "null"),
        (path("list"), Primitive::String, "[\"4\",\"1\",\"3\"]"),
        (path("missing"), Primitive::String, "null"),
    ] {
        assert_eq!(cast(value, ty), expected, "{}", ty.name());
    }
}

#[test]
fn isof_is_true_or_false_even_for_null() {
    let is_of =
        |value: Expr, ty| shown(&expr(ExprKind::IsOf(Box::new(value), Type::Primitive(ty))), ITEM);
    for (value, ty, expected) in [
        (path("int"), Primitive::Int32, "true"),
        (int(1 << 40), Primitive::Int32, "false"),
        (path("real"), Primitive::Int64, "false"),
        (path("int"), Primitive::Double, "true"),
        (path("text"), Primitive::String, "true"),
        (path("text"), Primitive::Guid, "false"),
        (at(), Primitive::DateTimeOffset, "true"),
        (path("missing"), Primitive::String, "false"),
    ] {
        assert_eq!(is_of(value, ty), expected, "{}", ty.name());
    }
}

#[test]
fn arithmetic_reaches_members_and_literals() {
    use crate::bound::Arithmetic::{DivBy, Sub};
    use crate::bound::Place;
    let of = |operator, left, right| {
        expr(ExprKind::Arithmetic(operator, Box::new(left), Box::new(right), Place::default()))
    };
    assert_eq!(shown(&of(DivBy, path("int"), int(2)), ITEM), "-3.5");
    assert_eq!(
        shown(&of(Sub, at(), instant("2020-02-29T22:00:00Z")), ITEM),
        "\"PT58M57.1234567S\""
    );
    assert_eq!(shown(&expr(ExprKind::Negate(Box::new(path("int")), Place::default())), ITEM), "7");
    let half = duration("PT1S");
    assert_eq!(shown(&of(DivBy, half, int(4)), ITEM), "\"PT0.25S\"");
}
