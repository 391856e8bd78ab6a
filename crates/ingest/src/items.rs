//! Cuts the items out of a text that is a JSON array, or one object around an array, as lines numbered from 1, each
//! with the line of the text on which it begins.
//!
//! The text is checked to its end before anything is given of it; its items are cut out batch by batch,
//! since there can be many times more of them than memory has room for.

use std::sync::Arc;

use bytes::Bytes;
use odata::json::Scanner;

use crate::lines::{BYTES_PER_BATCH, LINES_PER_BATCH, Line, LineText};

/// Levels around an item.
const AROUND: usize = 2;

/// Cuts the items out of a text that was checked to its end.
#[derive(Debug)]
pub struct ItemSplitter {
    text: Arc<String>,
    /// The same bytes.
    bytes: Bytes,
    /// Behind the last item that was cut out.
    at: usize,
    /// The line there, from 1.
    line: u64,
    number: u64,
    /// What the answer says that they are.
    context: Option<String>,
}

/// Text as the owner of bytes.
struct Owner(Arc<String>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl ItemSplitter {
    /// Checks a text that is an array, or an object with one member of that name, an array, or with `value` in
    /// its place and annotations around it, as in answers.
    ///
    /// # Errors
    /// Where the text is anything else.
    pub fn new(text: String, member: &str) -> Result<Self, odata::json::Error> {
        let (at, context) = check(&text, member)?;
        let line = 1 + line_ends(&text[..at]);
        let text = Arc::new(text);
        let bytes = Bytes::from_owner(Owner(Arc::clone(&text)));
        Ok(Self { text, bytes, at, line, number: 0, context })
    }

    /// The context of the answer around the items, which says what they are.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// The next items; none at the end. The text was checked, so there is no other end.
    pub fn next_batch(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut scanner = Scanner::resume(&self.text, self.at, AROUND);
        let begin = self.at;
        while lines.len() < LINES_PER_BATCH && self.at - begin < BYTES_PER_BATCH {
            if !matches!(scanner.next_item(self.number == 0), Ok(true)) {
                break;
            }
            let start = scanner.offset();
            if scanner.value().is_err() {
                break;
            }
            scanner.let_go();
            let begins = self.line + line_ends(&self.text[self.at..start]);
            self.at = scanner.offset();
            self.line = begins + line_ends(&self.text[start..self.at]);
            self.number += 1;
            let text = LineText::Bytes(self.bytes.slice(start..self.at));
            lines.push(Line { number: self.number, begins, text });
        }
        lines
    }
}

fn line_ends(text: &str) -> u64 {
    text.matches('\n').count() as u64
}

/// Where the items begin in a text that is as it should be to its end, and its context.
fn check(text: &str, member: &str) -> Result<(usize, Option<String>), odata::json::Error> {
    let mut scanner = Scanner::foreign(text).around(AROUND);
    let (mut items_at, mut context) = (None, None);
    let wanted = || {
        format!(
            "expected a list, or an object with a list in its one member '{member}' (values of their own, one on a \
             line, are sent as application/x-ndjson)"
        )
    };
    if text.trim_ascii_start().starts_with('[') {
        scanner.enter_array()?;
        let items_at = scanner.offset();
        skip_items(&mut scanner)?;
        scanner.end()?;
        return Ok((items_at, None));
    }
    if !text.trim_ascii_start().starts_with('{') {
        return Err(scanner.error(wanted()));
    }
    scanner.enter_object()?;
    let mut is_first = true;
    while let Some(name) = scanner.next_member(is_first)? {
        is_first = false;
        if name.raw().contains('@') {
            let value = scanner.value()?;
            if matches!(name.raw(), "@odata.context" | "@context") {
                context = value.as_text().map(|text| text.value().into_owned());
            }
            continue;
        }
        if !(name.is(member) || name.is("value")) || items_at.is_some() {
            return Err(scanner.error(wanted()));
        }
        scanner.enter_array()?;
        items_at = Some(scanner.offset());
        skip_items(&mut scanner)?;
    }
    scanner.end()?;
    // An object without the member has no items behind its end.
    Ok((items_at.unwrap_or(text.len()), context))
}

/// Reads the items of an array that was entered.
fn skip_items(scanner: &mut Scanner<'_>) -> Result<(), odata::json::Error> {
    let mut is_first = true;
    while scanner.next_item(is_first)? {
        is_first = false;
        scanner.value()?;
        scanner.let_go();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Result<Vec<Vec<String>>, odata::json::Error> {
        let mut items = ItemSplitter::new(text.to_owned(), "events")?;
        let mut batches = Vec::new();
        loop {
            let lines = items.next_batch();
            if lines.is_empty() {
                return Ok(batches);
            }
            let text = |line: &Line| match &line.text {
                LineText::Bytes(bytes) => {
                    format!("{} {}", line.number, String::from_utf8_lossy(bytes))
                }
                LineText::TooLong => String::new(),
            };
            batches.push(lines.iter().map(text).collect());
        }
    }

    #[test]
    fn items_are_cut_out_batch_by_batch() {
        let all = |text: &str| cut(text).unwrap().concat();
        assert_eq!(
            all(r#"{"@odata.context":"x","events":[{"a":[1]} , {}],"a@b":1}"#),
            [r#"1 {"a":[1]}"#, "2 {}"]
        );
        assert_eq!(all(r#"{"value":["é",2]}"#), [r#"1 "é""#, "2 2"]);
        assert_eq!(all(" [{\"a\":[1]},\n{}] "), [r#"1 {"a":[1]}"#, "2 {}"]);
        let printed = "{\n\"events\": [\n{\n},\n\n{}\n, {}]}";
        let mut items = ItemSplitter::new(printed.to_owned(), "events").unwrap();
        let begins: Vec<u64> = items.next_batch().iter().map(|line| line.begins).collect();
        assert_eq!(begins, [3, 6, 7]);
        for none in [r#"{"events":[]}"#, "{}", r#"{"a@b":[1]}"#, "[]"] {
            assert!(cut(none).unwrap().is_empty(), "{none}");
        }
        let many = format!(r#"{{"events":[{}{{}}]}}"#, "{},".repeat(100_000));
        let sizes: Vec<usize> = cut(&many).unwrap().iter().map(Vec::len).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 100_001);
        assert!(sizes.iter().all(|size| *size <= LINES_PER_BATCH));
    }

    #[test]
    fn a_body_that_is_no_such_object_is_refused_before_anything_is_kept() {
        for text in [
            "[{}",
            "[{},]",
            "[{}] x",
            "1",
            r#"{"rows":[]}"#,
            r#"{"events":{}}"#,
            r#"{"events":[{}],"value":[]}"#,
            r#"{"events":[{},]}"#,
            r#"{"events":[{}"#,
            r#"{"events":[{}]} x"#,
        ] {
            assert!(cut(text).is_err(), "{text}");
        }
    }
}
