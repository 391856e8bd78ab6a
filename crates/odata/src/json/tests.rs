//! Trees read from text, written again, and compared.

use super::*;

fn round_trip(text: &str) -> String {
    let mut out = Vec::new();
    write_node(&mut out, &Node::parse(text).unwrap());
    String::from_utf8(out).unwrap()
}

#[test]
fn every_digit_and_escape_comes_out_as_it_went_in() {
    for text in [
        r#"{"a":[0.10,-0,1E5,1e+05,12345678901234567890.123],"b":"\u00e9\/é\ud800","c":{}}"#,
        r#"[true,false,null,"",[]]"#,
    ] {
        assert_eq!(round_trip(text), text);
    }
    assert_eq!(round_trip(" { \"a\" :\t[ 1 ,\n2 ] } "), r#"{"a":[1,2]}"#);
}

#[test]
fn escaped_text_is_compared_by_meaning() {
    let node = Node::parse(r#""\u0041\n\ud83d\ude00\"""#).unwrap();
    let text = node.as_text().unwrap();
    assert_eq!(text.value(), "A\n\u{1F600}\"");
    assert_eq!(*text, Text::of("A\n\u{1F600}\""));
    assert!(Node::parse(r#"{"\u0061":1}"#).unwrap().get("a").is_some());
}

#[test]
fn whatever_a_text_holds_it_is_one_string_in_json() {
    let long = "x".repeat(40);
    for text in
        ["", "a\",\"b\":\"c", "\\", "\u{0}\u{1f}\n\r\t\u{8}", "\u{2028}\u{202e}&<>%'é", &long]
            .into_iter()
            .flat_map(|text| {
                ["", "1234567890123456", "\"", "12345678901234567"]
                    .map(|end| format!("{text}{end}{text}"))
            })
    {
        let mut out = Vec::new();
        push_member(&mut out, &text, &text);
        let object = format!("{{{}}}", String::from_utf8(out).unwrap());
        let node = Node::parse(&object).unwrap();
        let [member] = node.as_object().unwrap() else { panic!("{object}") };
        assert_eq!(member.name.value(), text);
        assert_eq!(member.value.as_text().unwrap().value(), text);
        assert_eq!(Text::of(&text).value(), text);
    }
}

#[test]
fn names_are_kept_with_the_escapes_they_need() {
    let node =
        Node::parse(r#"{"\u0069d":1,"\u0040odata\u002econtext":2,"\u0022\/\ud83d\ude00\ud800":3}"#);
    let node = node.unwrap();
    let names: Vec<&str> =
        node.as_object().unwrap().iter().map(|member| member.name.raw()).collect();
    assert_eq!(names, ["id", "@odata.context", "\\\"/\u{1F600}\\ud800"]);
}

#[test]
fn malformed_text_is_refused_with_its_place() {
    for (text, line, column) in [
        ("", 1, 1),
        ("{", 1, 2),
        ("[1,]", 1, 4),
        ("{\"a\":1,}", 1, 8),
        ("[01]", 1, 3),
        ("[1.]", 1, 4),
        ("[1]x", 1, 4),
        ("[\n  tru]", 2, 3),
        ("\"\u{1}\"", 1, 2),
        ("\"\\x\"", 1, 2),
        ("\"\\u12g4\"", 1, 2),
        ("\"abc", 1, 5),
        ("{\"é\":1,\"é\":2}", 1, 8),
        ("nul", 1, 1),
        ("[-]", 1, 3),
        ("[1e]", 1, 4),
    ] {
        let error = Node::parse(text).expect_err(text);
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
    }
}

#[test]
fn nesting_beyond_the_limit_is_refused() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(Node::parse_foreign(&deep(MAX_DEPTH)).is_ok());
    assert!(Node::parse_foreign(&deep(MAX_DEPTH + 1)).is_err());
    assert!(Node::parse(&deep(64 + 16)).is_ok(), "an earlier version took it, and it is shown");
    assert!(Node::parse(&deep(100_000)).is_err());
}

#[test]
fn values_of_nothing_are_refused_and_usual_ones_are_not() {
    let many = |item: &str, count: usize| format!("[{}0]", format!("{item},").repeat(count));
    for item in ["0", "{}", "[]", "\"\"", "[{}]"] {
        assert!(Node::parse_foreign(&many(item, 8_000)).is_ok(), "{item}");
        assert!(Node::parse_foreign(&many(item, 100_000)).is_err(), "{item}");
        assert!(Node::parse(&many(item, 100_000)).is_ok(), "{item}");
    }
    assert!(
        Node::parse_foreign(&many(
            r#"{"averageJitter":null,"hops":[],"wasMediaBypassed":true}"#,
            100_000
        ))
        .is_ok()
    );
}

#[test]
fn what_is_written_as_in_a_program_is_told_how_json_has_it() {
    for (text, told) in [
        ("{'a':1}", "expected a member name in double quotes"),
        (r#"{"a":'b'}"#, "expected a JSON value: text stands in double quotes"),
        (r#"{"a":1,}"#, "a ',' too many stands before the '}'"),
        ("[1,\n]", "a ',' too many stands before the ']'"),
    ] {
        let error = Node::parse(text).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}
