//! Streams, cut in every way, and the pieces that must come out.

use proptest::prelude::*;

use super::{Piece, Record, Splitter};

const LIMIT: usize = 200;

fn split(bytes: &[u8], chunks: &[usize]) -> Vec<Piece> {
    let mut splitter = Splitter::new(LIMIT);
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for size in chunks.iter().copied().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at(size.clamp(1, rest.len()));
        splitter.feed(chunk);
        pieces.extend(std::iter::from_fn(|| splitter.take()));
        rest = behind;
    }
    splitter.finish();
    pieces.extend(std::iter::from_fn(|| splitter.take()));
    pieces
}

/// A line for each piece: where it stands, then the record or why it was refused.
fn check(text: &str, expected: &[&str]) {
    for chunk in [usize::MAX, 1, 7] {
        let found: Vec<_> = split(text.as_bytes(), &[chunk])
            .into_iter()
            .map(|piece| match piece {
                Ok(Record { text, line, pointer, .. }) => format!("{line}{pointer} {text}"),
                Err(refusal) => {
                    format!("{}{} ! {}", refusal.line, refusal.pointer, refusal.message)
                }
            })
            .collect();
        assert_eq!(found, expected, "{text:?} by {chunk}");
    }
}

#[test]
fn records_on_lines_are_found_with_their_lines() {
    check(
        "{\"id\":1}\n\n  {\"id\":\"}\\\"{\"}\r\n{\"id\":3}",
        &["1 {\"id\":1}", "3 {\"id\":\"}\\\"{\"}", "4 {\"id\":3}"],
    );
    check("", &[]);
    check(" \n", &[]);
    check("\u{feff}{}", &["1 {}"]);
}

#[test]
fn records_printed_over_lines_and_one_behind_the_other_are_found() {
    check(
        "{\n  \"id\" :\n 1\n  ,\"a\": [\n {}\n]\n}\n{\n}{}{\"b\":2}",
        &["1 {\n  \"id\" :\n 1\n  ,\"a\": [\n {}\n]\n}", "8 {\n}", "9 {}", "9 {\"b\":2}"],
    );
}

#[test]
fn lists_give_their_items_with_pointers() {
    check(
        "{\"@odata.context\":\"c\",\n\"value\":[\n{\"id\":1},{\"id\":2}\n],\"n\":{\"]\":1}}\n{}",
        &["3/value/0 {\"id\":1}", "3/value/1 {\"id\":2}", "5 {}"],
    );
    check("{\"records\":[{\"id\":1}]}", &["1/records/0 {\"id\":1}"]);
    check("[{\"id\":1},\n{\"id\":2}]\n[]\n{\"value\":[]}", &["1/0 {\"id\":1}", "2/1 {\"id\":2}"]);
}

#[test]
fn a_line_that_is_cut_off_is_refused_and_the_next_ones_are_kept() {
    check(
        "{\"id\":1,\"s\":\"abc\n{\"id\":2}\n",
        &["1 ! the record breaks off at line 1, column 17", "2 {\"id\":2}"],
    );
    check(
        "{\"id\":1\n{\"id\":2}\n",
        &["1 ! the record breaks off, or lacks a ',' at line 1, column 8", "2 {\"id\":2}"],
    );
}

#[test]
fn a_line_cut_off_where_a_value_may_stand_takes_no_record_along() {
    let found = split(b"{\"id\":1,\"s\":[\n{\"id\":2}\n{\"id\":3}\n{\"s\":[", &[usize::MAX]);
    let kept: Vec<_> = found.iter().map(|piece| piece.as_ref().map(|record| record.line)).collect();
    assert!(matches!(kept[..], [Err(_), Ok(2), Ok(3), Err(_)]), "{found:?}");
}

#[test]
fn parts_of_a_broken_record_are_not_taken_for_records() {
    let found =
        split(b"{\n  \"a\": 1\n  \"sessions\": [\n    {\"id\":1}\n  ]\n}\n{\"id\":2}\n", &[9]);
    let [Err(refusal), Ok(record)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(refusal.message, "the record breaks off, or lacks a ',' at line 2, column 9");
    assert_eq!((record.line, record.text.as_str()), (7, "{\"id\":2}"));
}

#[test]
fn what_is_no_record_is_refused_up_to_the_next_line_that_begins_one() {
    check(
        "start,end\n1,2\n{}\nnull\n{\"id\":2}\n[1,2]\n{\"id\":3}",
        &[
            "1 ! expected a record, which begins with '{', also on line 2",
            "3 {}",
            "4 ! expected a record, which begins with '{'",
            "5 {\"id\":2}",
            "6/0 ! expected a record or ']'",
            "7 {\"id\":3}",
        ],
    );
    // Between lines of a record that broke off, which are told with it, others are found.
    check(
        "{\n  \"a\": 1\n  \"b\": 2\n}\nnull\n  1\n\nnull",
        &[
            "1 ! the record breaks off, or lacks a ',' at line 2, column 9",
            "5 ! expected a record, which begins with '{', also on line 8",
        ],
    );
    // Items of an array without its brackets.
    check(
        "{\"id\":1},\n{\"id\":2},{\"id\":3}\n",
        &["1 {\"id\":1}", "2 {\"id\":2}", "2 {\"id\":3}"],
    );
    check(
        "{\"value\":[{}",
        &["1/value/0 {}", "1/value/1 ! the text ends inside a list of records"],
    );
    check("{\"value\":[{}],\"a\"", &["1/value/0 {}", "1 ! the text ends inside a list of records"]);
}

const ON: &str = "; the list is read on from the next of its records that begins a line";

#[test]
fn a_record_of_a_list_that_breaks_off_takes_no_other_along() {
    // Printed over many lines, and the end of the list is no record.
    let printed = "[\n  {\n    \"id\": 1,\n    \"s\": [\n      {\"a\": 1}\n    ]\n  },\n  {\n    \"id\": 2\n    \
                   \"s\": [\n      {\n        \"a\": 1\n      }\n    ]\n  },\n  {\"id\":3},\n  {\"id\":4}\n]\n";
    for (head, tail, at) in [("", "", ""), ("{\"value\": ", "}", "/value")] {
        let text = format!("{head}{}{tail}\n{{\"id\":5}}", printed.trim_end());
        check(
            &text,
            &[
                &format!(
                    "2{at}/0 {{\n    \"id\": 1,\n    \"s\": [\n      {{\"a\": 1}}\n    ]\n  }}"
                ),
                &format!(
                    "8{at}/1 ! the record breaks off, or lacks a ',' at line 9, column 12{ON}"
                ),
                &format!("16{at}/2 {{\"id\":3}}"),
                &format!("17{at}/3 {{\"id\":4}}"),
                "19 {\"id\":5}",
            ],
        );
    }
    // One on a line, with and without blanks, a quote, a comma or a bracket missing.
    for indent in ["", " ", "    ", "\t"] {
        for broken in ["{\"id\":\"2}", "{\"id\":2,\"a\":3", "{\"id\":2,\"a\":[{\"b\":1},"] {
            let text = format!(
                "[\n{indent}{{\"id\":1}},\n{indent}{broken},\n{indent}{{\"id\":3}},\n{indent}{{\"id\":4}}\n]"
            );
            let found = split(text.as_bytes(), &[usize::MAX]);
            let kept: Vec<_> =
                found.iter().map(|piece| piece.as_ref().map(|record| record.line)).collect();
            assert!(matches!(kept[..], [Ok(2), Err(_), Ok(4), Ok(5)]), "{text}: {found:?}");
        }
    }
    // The first one stands beside the bracket.
    check(
        "[{\"id\":1 \"a\":1\n\"b\":2},\n{\"id\":2}\n]\n",
        &[
            &format!("1/0 ! expected ',' or '}}' at line 1, column 9{ON}"),
            "2 ! expected a record, which begins with '{'",
            "3/1 {\"id\":2}",
        ],
    );
    // A line that is no record, between those that are.
    check(
        "[\n  {\"id\":1},\n  oops\n  {\"id\":2}\n]",
        &["2/0 {\"id\":1}", "3/1 ! expected a record or ']'", "4/1 {\"id\":2}"],
    );
}

#[test]
fn what_is_not_read_of_a_list_is_told() {
    let rest = "what follows in the list is not read, since no line begins with '{' and as many blanks as its records";
    check(
        "[{\n  \"id\": 1\n  \"a\": 2\n}, {\n  \"id\": 2\n}, {\n  \"id\": 3\n}]\n",
        &[
            &format!("1/0 ! the record breaks off, or lacks a ',' at line 2, column 10{ON}"),
            &format!("4 ! {rest}"),
        ],
    );
    check(
        "[\n  {\"id\":1\n\"a\":2},{\"id\":2}\n",
        &[
            &format!("2/0 ! the record breaks off, or lacks a ',' at line 2, column 8{ON}"),
            &format!("3 ! {rest}"),
            "3 ! expected a record, which begins with '{'",
        ],
    );
}

#[test]
fn a_record_beyond_the_limit_is_refused_and_the_next_one_read() {
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(LIMIT));
    check(
        &format!("{large}\n{{\"id\":2}}"),
        &["1 ! the record is larger than 200 bytes", "2 {\"id\":2}"],
    );
    check(
        &format!("[{large},\n{{\"id\":2}}]"),
        &["1/0 ! the record is larger than 200 bytes", "2/1 {\"id\":2}"],
    );
    // It breaks off, too.
    let broken = &large[..large.len() - 2];
    check(
        &format!("[\n  {broken},\n  {{\"id\":2}}\n]\n{{}}"),
        &["2/0 ! the record is larger than 200 bytes", "3/1 {\"id\":2}", "5 {}"],
    );
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    let found = split(b"{\"a\":\"\xFF\"}\n{}", &[usize::MAX]);
    assert!(matches!(&found[..], [Err(refusal), Ok(_)] if refusal.message.contains("UTF-8")));
    let found = split(b"\xFF\xFE{\0}\0", &[usize::MAX]);
    assert!(matches!(&found[..], [Err(refusal)] if refusal.message.contains("UTF-16")));
}

proptest! {
    #[test]
    fn any_cutting_of_the_stream_gives_the_same_pieces(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\n", " ", "\"", "\\", "\"id\":1", "\"value\":[", "{}\n",
                "\"records\":", "null", "\"@odata.count\":2,", "\u{e9}", "\u{feff}", "{\"id\":\"a\"}\n",
                "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
            ]),
            0..40,
        ),
        chunks in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let text = parts.concat();
        prop_assert_eq!(split(text.as_bytes(), &chunks), split(text.as_bytes(), &[usize::MAX]));
    }

    #[test]
    fn sound_records_come_out_whatever_stands_before_them(
        garbage in "[^\n]{0,60}",
        count in 1_usize..20,
    ) {
        let record = r#"{"id":"a","sessions":[{"id":"b"}]}"#;
        let text = format!("{garbage}\n{}", format!("{record}\n").repeat(count));
        let found = split(text.as_bytes(), &[usize::MAX]);
        let whole = found.iter().flatten().filter(|found| found.text == record).count();
        prop_assert!(whole + 2 >= count, "{:?}", found);
    }
}

#[test]
fn items_of_an_answer_have_its_context() {
    let text = r#"{"@odata.context":"x#callRecords(\u0027a\u0027)/sessions","@odata.count":1,"value":[{"id":1}]}{"id":2}"#;
    for chunk in [usize::MAX, 1, 7] {
        let found =
            split(text.as_bytes(), &[chunk]).into_iter().map(|piece| piece.unwrap().context);
        let found: Vec<_> = found.collect();
        assert_eq!(found, [Some("x#callRecords('a')/sessions".into()), None]);
    }
}
