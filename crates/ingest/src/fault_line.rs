//! The line of a text on which the value stands that a JSON Pointer (RFC 6901) names.

use odata::json::{Scanner, pointer_tokens};

/// Line ends before the value, or before the innermost value around it that is there: what is missing is told
/// where it should be.
pub(crate) fn line_ends_before(text: &str, pointer: &str) -> u64 {
    if !text.contains('\n') {
        return 0;
    }
    text[..offset(text, pointer)].matches('\n').count() as u64
}

fn offset(text: &str, pointer: &str) -> usize {
    let mut scanner = Scanner::new(text);
    let mut found = start(text, 0);
    for token in pointer_tokens(pointer) {
        match enter(&mut scanner, &token) {
            Some(()) => found = start(text, scanner.offset()),
            None => break,
        }
    }
    found
}

/// Goes before the value of a member or before an item; none if there is none.
fn enter(scanner: &mut Scanner<'_>, token: &str) -> Option<()> {
    let mut is_first = true;
    if scanner.at_array() {
        let number: usize = token.parse().ok()?;
        scanner.enter_array().ok()?;
        for place in 0..=number {
            scanner.next_item(is_first).ok()?.then_some(())?;
            is_first = false;
            if place < number {
                scanner.value().ok()?;
                scanner.let_go();
            }
        }
        return Some(());
    }
    scanner.enter_object().ok()?;
    while let Some(name) = scanner.next_member(is_first).ok()? {
        is_first = false;
        if name.value() == token {
            return Some(());
        }
        scanner.value().ok()?;
        scanner.let_go();
    }
    None
}

/// Behind the white space there.
fn start(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_ascii_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_found_by_its_pointer_and_what_is_missing_by_what_should_hold_it() {
        let text = "\n{\n \"a\": 1,\n \"b/c\": [\n  1,\n  {\n   \"d\":\n    2\n  }\n ]\n}";
        for (pointer, line) in [
            ("", 1),
            ("/a", 2),
            ("/b~1c", 3),
            ("/b~1c/0", 4),
            ("/b~1c/1", 5),
            ("/b~1c/1/d", 7),
            ("/b~1c/1/e", 5),
            ("/b~1c/2", 3),
            ("/missing/x", 1),
            ("/a/x", 2),
        ] {
            assert_eq!(line_ends_before(text, pointer), line, "{pointer}");
        }
        assert_eq!(line_ends_before("{\"a\":1}", "/a"), 0);
        assert_eq!(line_ends_before("{\n\"a\" 1}", "/a"), 0, "no JSON");
        assert_eq!(line_ends_before("", "/a"), 0);
    }
}
