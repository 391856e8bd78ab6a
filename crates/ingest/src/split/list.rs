//! Tells a record from a list of records by the members that an object begins with.

/// Bytes that the annotations before a list may take.
const WINDOW: usize = 64 * 1024;

/// What an object is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Not known until there are more bytes.
    Unclear,
    /// A record.
    Record,
    /// An object around a list of records.
    List {
        /// The member that holds it.
        member: &'static str,
        /// Offset of the byte behind `[`.
        items_at: usize,
    },
}

/// Looks at the bytes of an object from its `{` on. An object is a list when its first member that
/// is not an annotation (`@odata.context`, `@odata.count` …) is an array named `value`, as an
/// answer has it, or `records` or `rows`, as the import actions take them.
pub(super) fn head(bytes: &[u8]) -> Head {
    let window = &bytes[..bytes.len().min(WINDOW)];
    match (Reader { bytes: window, at: 1 }).head() {
        None if bytes.len() >= WINDOW => Head::Record,
        None => Head::Unclear,
        Some(head) => head,
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// `None` where the bytes end too early.
    fn head(mut self) -> Option<Head> {
        loop {
            if self.peek()? != b'"' {
                return Some(Head::Record);
            }
            let name = self.string()?;
            if self.peek()? != b':' {
                return Some(Head::Record);
            }
            self.at += 1;
            let first = self.peek()?;
            let member = match name {
                b"value" => Some("value"),
                b"records" => Some("records"),
                b"rows" => Some("rows"),
                _ if name.contains(&b'@') => None,
                _ => return Some(Head::Record),
            };
            if let Some(member) = member {
                return Some(match first {
                    b'[' => Head::List { member, items_at: self.at + 1 },
                    _ => Head::Record,
                });
            }
            self.annotation(first)?;
            if self.peek()? != b',' {
                return Some(Head::Record);
            }
            self.at += 1;
        }
    }

    fn peek(&mut self) -> Option<u8> {
        while let b' ' | b'\t' | b'\r' | b'\n' = self.bytes.get(self.at)? {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let start = self.at + 1;
        self.at = start;
        while *self.bytes.get(self.at)? != b'"' {
            self.at += if self.bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        Some(&self.bytes[start..self.at - 1])
    }

    /// Passes over the value of an annotation, which is a string, a number or a word.
    fn annotation(&mut self, first: u8) -> Option<()> {
        if first == b'"' {
            self.string()?;
            return Some(());
        }
        while !matches!(self.bytes.get(self.at)?, b',' | b'}' | b'{' | b'[' | b'\n') {
            self.at += 1;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Head, head};

    #[test]
    fn a_list_is_known_by_its_first_member_that_is_not_an_annotation() {
        let answer = br#"{"@odata.context":"x","@odata.count":2, "value" : [{"id":1}]}"#;
        let items_at = answer.iter().position(|byte| *byte == b'[').unwrap() + 1;
        assert_eq!(head(answer), Head::List { member: "value", items_at });
        assert_eq!(head(br#"{"records":["#), Head::List { member: "records", items_at: 12 });
    }

    #[test]
    fn a_record_with_a_member_of_that_name_stays_a_record() {
        for text in [
            r#"{"id":"a","value":[]}"#,
            r#"{"value":3}"#,
            r#"{"@odata.context":"x","id":"a"}"#,
            "{}",
            "{[",
        ] {
            assert_eq!(head(text.as_bytes()), Head::Record, "{text}");
        }
    }

    #[test]
    fn an_object_that_has_only_begun_is_unclear() {
        let text = br#"{"@odata.context":"x","value":["#;
        for end in 1..text.len() {
            assert_eq!(head(&text[..end]), Head::Unclear, "{end}");
        }
        let long = format!(r#"{{"@odata.context":"{}"#, "x".repeat(super::WINDOW));
        assert_eq!(head(long.as_bytes()), Head::Record);
    }
}
