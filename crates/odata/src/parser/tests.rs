//! Syntax trees of each construct, and the places of mistakes.

use super::*;
use crate::syntax::show;

fn expression(text: &str) -> Result<Expr, Error> {
    let limits = Limits::default();
    Parser::new("$filter", text, &limits, Usage::default()).whole_expression().map(|(expr, _)| expr)
}

/// The tree in prefix notation.
fn tree(text: &str) -> String {
    expression(text)
        .map_or_else(|error| format!("error at {}", error.position), |expr| show::expression(&expr))
}

#[test]
fn operators_bind_by_the_precedence_of_the_standard() {
    let cases = [
        ("a or b and c", "(or a (and b c))"),
        ("a or b or c and d and e", "(or a b (and c d e))"),
        ("(a or b) or c", "(or (or a b) c)"),
        ("a eq 1 and b ne 2 or c", "(or (and (eq a 1) (ne b 2)) c)"),
        ("a gt 1 eq b lt 2", "(eq (gt a 1) (lt b 2))"),
        ("a add 2 mul 3 sub b", "(sub (add a (mul 2 3)) b)"),
        ("a sub b sub c", "(sub (sub a b) c)"),
        ("(4 add 5) mod (4 sub 1) eq 0", "(eq (mod (add 4 5) (sub 4 1)) 0)"),
        ("not a and b", "(and (not a) b)"),
        ("not (a eq b)", "(not (eq a b))"),
        ("not contains(a,'x') or b", "(or (not contains(a 'x')) b)"),
        ("-a mul -5", "(mul (- a) -5)"),
        ("-(a add 1)", "(- (add a 1))"),
        ("not a in (1,2)", "(not (in a [1 2]))"),
        ("style has Sales.Pattern'Yellow' and a", "(and (has style Sales.Pattern'Yellow') a)"),
        ("a EQ 'x' AND NOT b", "(and (eq a 'x') (not b))"),
        ("not eq 5", "(eq not 5)"),
        ("a divby 2 div 3", "(div (divby a 2) 3)"),
    ];
    for (text, expect) in cases {
        assert_eq!(tree(text), expect, "{text}");
    }
}

#[test]
fn paths_have_casts_keys_functions_and_lambdas() {
    let cases = [
        ("a/b/c", "a/b/c"),
        ("$it/a", "$it/a"),
        ("$it", "$it"),
        ("@p", "@p"),
        ("@p/a", "@p/a"),
        ("a/Model.B/c", "a/Model.B/c"),
        ("a/$count gt 0", "(gt a/$count 0)"),
        ("a/$count($filter=b gt 5) gt 2", "(gt a/$count($filter=(gt b 5)) 2)"),
        ("a/$filter(b gt 3)/$count lt 10", "(lt a/$filter((gt b 3))/$count 10)"),
        ("a/any()", "a/Any()"),
        ("a/any(x:x/b/all(y:y eq x/c))", "a/Any(x:x/b/All(y:(eq y x/c)))"),
        ("$root/Sales('x')/Name", "$root/Sales('x')/Name"),
        ("Items(1)", "Items(1)"),
        ("a/$filter(b)(ID='x')", "a/$filter(b)/(ID='x')"),
        ("Model.F(A=1,B=c/d)/e", "Model.F(A=1,B=c/d)/e"),
        ("Price/@Measures.Currency eq 'EUR'", "(eq Price/@Measures.Currency 'EUR')"),
    ];
    for (text, expect) in cases {
        assert_eq!(tree(text), expect, "{text}");
    }
}

#[test]
fn calls_lists_and_objects_nest() {
    let cases = [
        ("concat(concat(a,'-'), b)", "concat(concat(a '-') b)"),
        ("toLower(a) eq 'x'", "(eq tolower(a) 'x')"),
        ("case(a gt 0:1,true: -1)", "case((gt a 0):1 true:-1)"),
        ("isof(a,Model.B)", "isof(a Model.B)"),
        ("a in ('x')", "(in a ['x'])"),
        ("a in ()", "(in a [])"),
        ("a in (b)", "(in a b)"),
        ("a in [\"x\",'y',1]", "(in a ['x' 'y' 1])"),
        ("[a,2 add 3,[],{}]", "[a (add 2 3) [] {}]"),
        ("{\"A\":\"x\",\"B\":a/b,\"C\":[1]}", "{A:'x' B:a/b C:[1]}"),
    ];
    for (text, expect) in cases {
        assert_eq!(tree(text), expect, "{text}");
    }
}

#[test]
fn malformed_expressions_are_refused_at_their_place() {
    let cases = [
        ("", 0),
        ("a eq", 4),
        ("a eq 1 b", 7),
        ("a eq (1", 7),
        ("a eq ('x','y')", 9),
        ("a in (b,c)", 6),
        ("any()", 0),
        ("a/all()", 6),
        ("a/", 2),
        ("a//b", 2),
        ("1eq 1", 1),
        ("contains(a", 10),
        ("a and", 5),
        ("case(a)", 6),
        ("$foo", 0),
        ("[1", 2),
        ("{1:2}", 1),
    ];
    for (text, position) in cases {
        assert_eq!(tree(text), format!("error at {position}"), "{text}");
    }
}

fn option(name: &str, text: &str) -> Result<Options, Error> {
    let limits = Limits::default();
    let mut options = Options::default();
    Parser::new("$x", text, &limits, Usage::default())
        .option(SystemOption::from_name(name).unwrap(), &mut options)
        .map(|_| options)
}

fn search(text: &str) -> String {
    option("search", text).map_or_else(
        |error| format!("error at {}", error.position),
        |options| show::search(&options.search.expect("just read")),
    )
}

#[test]
fn searches_have_words_phrases_and_operators() {
    let cases = [
        ("blue", "blue"),
        ("blue green", "(and blue green)"),
        ("a AND b OR NOT c d", "(or (and a b) (and (not c) d))"),
        ("(a OR b) AND \"c d\"", "(and (or a b) \"c d\")"),
        ("\"a\\\"b\"", "\"a\"b\""),
        ("'it''s'", "\"it's\""),
        ("NOT", "error at 3"),
        ("NOT NOT", "error at 7"),
        ("OR AND", "error at 0"),
        ("a AND", "error at 5"),
        ("a OR OR b", "error at 5"),
        ("a NOT", "error at 5"),
        ("not and ANDY", "(and (and not and) ANDY)"),
        ("08/15 Daniel's", "(and 08/15 Daniel's)"),
        ("\"blue", "error at 0"),
        ("\"blue\"green", "error at 6"),
        ("a)", "error at 1"),
        ("(a", "error at 2"),
        ("", "error at 0"),
    ];
    for (text, expect) in cases {
        assert_eq!(search(text), expect, "{text}");
    }
}

#[test]
fn options_nest_in_expand_with_any_spelling() {
    let options = option(
        "expand",
        "a($select=b,c/d;expand=e/$ref;Search=(x;$top=5;$levels=max;@p=1),f/$count($filter=g)",
    );
    assert_eq!(options.unwrap_err().position, 39, "an open parenthesis ends no search");

    let options =
        option("expand", "a($select=b,c/d;expand=e/$ref;Search=(x);$top=5;$levels=max;@p=1),f");
    let items = options.unwrap().expand.unwrap();
    assert_eq!(items.len(), 2);
    let inner = items[0].options.as_ref().unwrap();
    assert_eq!(inner.select.as_ref().unwrap().len(), 2);
    assert_eq!(inner.expand.as_ref().unwrap()[0].path.len(), 2);
    assert_eq!((inner.top, inner.search.is_some(), inner.aliases.len()), (Some(5), true, 1));
}

#[test]
fn other_options_are_checked_for_their_form() {
    for (name, text) in [
        ("orderby", "a asc,b/c desc, length(d)"),
        ("orderby", "a ge b asc"),
        ("compute", "a mul 2 as b,day(c) as d"),
        ("apply", "groupby((a),aggregate(b with sum as c))/filter(contains(d,')'))"),
        ("select", "*,Model.*,a/*,Model.F(p,q),@Core.Messages"),
        ("index", "-42"),
        ("skip", "0"),
    ] {
        assert!(option(name, text).is_ok(), "{name}={text}");
    }
    for (name, text, position) in [
        ("orderby", "a up", 2),
        ("orderby", "a,", 2),
        ("compute", "a", 1),
        ("compute", "a as 5", 5),
        ("apply", "filter((a)", 10),
        ("apply", "filter('a)", 7),
        ("apply", "", 0),
        ("index", "x", 0),
        ("skip", "+5", 0),
        ("expand", "a($levels=04)", 10),
        ("expand", "a/$ref($select=b)", 2),
        ("expand", "a/$count($top=1)", 2),
        ("expand", "a($select=b", 11),
        ("expand", "a()", 2),
        ("select", "a.b.", 4),
    ] {
        assert_eq!(option(name, text).unwrap_err().position, position, "{name}={text}");
    }
}
